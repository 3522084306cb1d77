"""The label types of a doccano project, as it imports them (Settings > Labels > Actions > Import Labels).

Source: `backend/label_types` of https://github.com/doccano/doccano.
"""

import json
from collections.abc import Mapping

from ...labels import Label, LabelScheme
from ..common.colors import palette, text_color
from ..common.flat_labels import trigger_label

_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"  # shortcuts that doccano allows


def span_types(scheme: LabelScheme) -> str:
    """Labels of spans as JSON: the entities, and the event types of triggers."""
    return _types({**scheme.entities, **{trigger_label([name]): label for name, label in scheme.events.items()}})


def category_types(scheme: LabelScheme) -> str:
    """Labels of the text as JSON: the event types. Only IntentDetectionAndSlotFilling and text projects have them."""
    return _types(scheme.events)


def relation_types(scheme: LabelScheme) -> str:
    """Labels of relations as JSON: the roles. Only sequence labeling projects with relations have them."""
    return _types(scheme.roles)


def _types(labels: Mapping[str, Label]) -> str:
    types = []
    for number, (name, label) in enumerate(labels.items()):
        color = label.color or palette(number)
        key = _KEYS[number] if number < len(_KEYS) else None
        types.append(
            {"text": name, "prefix_key": None, "suffix_key": key}
            | {"background_color": color, "text_color": text_color(color)}
        )
    return json.dumps(types, ensure_ascii=False, indent=1) + "\n"
