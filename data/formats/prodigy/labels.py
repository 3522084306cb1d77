"""Labels of the text of a task, and which of them a person saw."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....errors import shown
from ...problems import ArticleLog
from ..common.span_lines import as_text, listed
from .answers import is_of_spans, view_of

GOLD_TYPES = "event_types"
PREDICTED_TYPES = "predicted_event_types"
"""Keys of ``meta`` for event types that no ``options`` of the task show."""

_HALF = 0.5  # lowest score of a category in `cats` that counts, as for spaCy's textcat


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTypes:
    """Event types in ``meta``.

    Attributes:
        gold: that were gold when the task was written.
        predicted: that a model predicted.
        scored: ``meta`` has scores of types. Version 0.1 wrote predicted types with them as ``accept``.
    """

    gold: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    scored: bool = False


def types_of_text(
    content: Mapping[str, Any], stored: StoredTypes, log: ArticleLog
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Event types of the text, and those that were annotated; None if unknown.

    A task without an answer may have predicted types; those of an answered task are left out.
    """
    types, annotated = _shown_types(content, stored, log)
    if content.get("answer") is None:
        types += stored.predicted
    elif stored.predicted:
        _leave_out(PREDICTED_TYPES, stored.predicted, log)
    if view_of(content) != "choice":
        types += stored.gold
    return tuple(dict.fromkeys(types)), annotated


def _shown_types(
    content: Mapping[str, Any], stored: StoredTypes, log: ArticleLog
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Types of the keys that Prodigy's views use, and those that were annotated."""
    types: list[str] = []
    annotated = None
    options = content.get("options")
    asked = isinstance(options, list) and not is_of_spans(content)
    ours = stored.scored and content.get("answer") is not None and not asked
    unseen = is_of_spans(content) or (view_of(content) == "blocks" and not asked)
    if (unseen or ours) and content.get("accept"):
        _leave_out("accept", listed(content, "accept", log), log)
    else:
        for value in listed(content, "accept", log):
            if (label := as_text(value)) is None:
                log.drop("wrong kind", f"accept has {shown(value)}; it holds ids of options")
            else:
                types.append(label)
    if "accept" in content and asked and isinstance(options, list):
        ids = [as_text(option.get("id")) if isinstance(option, dict) else as_text(option) for option in options]
        annotated = tuple(label for label in ids if label is not None)
    if "label" in content and not is_of_spans(content):
        if label := as_text(content["label"]):
            types += [label] if content.get("answer") != "reject" else []
            annotated = (*annotated, label) if annotated else (label,)  # a binary choice annotates one label
        elif content["label"] is not None:
            log.drop("wrong kind", f"label is {shown(content['label'])}; it must be a string")
    types += _categories(content, unseen, log)
    return tuple(types), annotated


def _categories(content: Mapping[str, Any], unseen: bool, log: ArticleLog) -> list[str]:
    """The labels under ``cats``; none if the task's view did not show them."""
    cats = content.get("cats")
    if isinstance(cats, dict):
        cats = [label for label, score in cats.items() if score is True or (number(score) or 0) >= _HALF]
    values = listed({"cats": cats}, "cats", log)
    for label in values:
        if not isinstance(label, str):
            log.drop("wrong kind", f"cats has {shown(label)}; a category is a string")
    labels = [label for label in values if isinstance(label, str)]
    if unseen and labels:
        _leave_out("cats", labels, log)
    return [] if unseen else labels


def _leave_out(key: str, labels: "list[Any] | tuple[str, ...]", log: ArticleLog) -> None:
    what = f"{key} has {', '.join(map(shown, labels))}, which the view of the task did not show"
    log.fix("prediction", f"{what}: predicted types are not read as gold")


def number(value: Any) -> float | None:
    """The value if it is a finite number, else None."""
    try:
        return value if type(value) in (int, float) and math.isfinite(value) else None
    except OverflowError:  # an integer beyond any float
        return None
