"""The configuration of a brat folder: what an annotator can choose (annotation.conf), and its look (visual.conf).

Source: https://brat.nlplab.org/configuration.html
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ...articles import Article
from ...labels import LabelScheme
from ..common.colors import palette, text_color
from .names import META, encode_name, encode_role, reference

logger = logging.getLogger(__name__)

_CONFIGURABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NESTING = "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>"
_DRAWING = (
    "SPAN_DEFAULT\tfgColor:black, bgColor:lightgreen, borderColor:darken",
    "ARC_DEFAULT\tcolor:black, arrowHead:triangle-5",
)


@dataclass(kw_only=True)
class Configuration:
    """The types of a folder, named as in its files.

    Attributes:
        colors: label of an entity or event → its color, ``#rrggbb``; empty for one of a palette.
        entities: labels of entities.
        events: event type → its roles.
        relations: types of kept relations.
        attributes: types of kept attributes → their values.
    """

    colors: dict[str, str] = field(default_factory=dict)
    entities: dict[str, None] = field(default_factory=dict)
    events: dict[str, dict[str, None]] = field(default_factory=dict)
    relations: dict[str, None] = field(default_factory=dict)
    attributes: dict[str, dict[str, None]] = field(default_factory=dict)

    @classmethod
    def of_scheme(cls, scheme: LabelScheme) -> "Configuration":
        """All labels of a scheme; every event type has all roles."""
        labels = {**scheme.entities, **scheme.events}
        return cls(
            colors={encode_name(name): label.color for name, label in labels.items()},
            entities=dict.fromkeys(map(encode_name, scheme.entities)),
            events={encode_name(name): dict.fromkeys(map(encode_role, scheme.roles)) for name in scheme.events},
        )

    def add(self, article: Article) -> None:
        """Add the labels of an article and the types of its kept lines."""
        self.entities |= dict.fromkeys(encode_name(entity.label) for entity in article.entities)
        for event in article.events:
            roles = dict.fromkeys(encode_role(argument.role) for argument in event.arguments)
            for kind in event.types:
                self.events.setdefault(encode_name(kind), {}).update(roles)
        lines = article.meta.get(META)
        for line in lines if isinstance(lines, list) else ():
            found = reference(line) if isinstance(line, str) else None
            if found and found.id[0] == "R":
                self.relations[found.type] = None
            elif found and found.id[0] in "AM":
                self.attributes.setdefault(found.type, {}).update(dict.fromkeys(found.rest.split()[:1]))

    def write(self, folder: Path) -> None:
        """Write annotation.conf and visual.conf; names that brat does not allow there are left out and logged."""
        names = (*self.entities, *self.events, *(role for roles in self.events.values() for role in roles))
        if bad := [name for name in dict.fromkeys(names) if name and not _CONFIGURABLE.fullmatch(name)]:
            message = "%s: annotators cannot choose these labels, because brat allows only A-Z, a-z, 0-9, _ and -: %s"
            logger.warning(message, folder / "annotation.conf", ", ".join(bad[:10]))
        (folder / "annotation.conf").write_bytes(self._annotation().encode())
        (folder / "visual.conf").write_bytes(self._visual().encode())

    def _annotation(self) -> str:
        lines = ["[entities]", *_allowed(self.entities), "", "[relations]", _NESTING]
        lines += [f"{name}\tArg1:<ANY>, Arg2:<ANY>" for name in _allowed(self.relations)]
        lines += ["", "[events]"]
        for kind in _allowed(self.events):
            roles = ", ".join(f"{role}*:<ENTITY>" for role in _allowed(self.events[kind]))
            lines.append(f"{kind}\t{roles}" if roles else kind)
        lines += ["", "[attributes]"]
        for name in _allowed(self.attributes):
            values = "|".join(_allowed(self.attributes[name]))
            lines.append(f"{name}\tArg:<ANY>{f', Value:{values}' if values else ''}")
        return "\n".join([*lines, ""])

    def _visual(self) -> str:
        labels = _allowed(dict.fromkeys((*self.entities, *self.events)))
        drawing = [
            f"{name}\tbgColor:{color}, fgColor:{text_color(color)}"
            for number, name in enumerate(labels)
            for color in [self.colors.get(name) or palette(number)]
        ]
        return "\n".join(["[labels]", "", "[drawing]", *_DRAWING, *drawing, "", "[options]", "Text\tdirection:rtl", ""])


def _allowed(names: Iterable[str]) -> list[str]:
    return [name for name in names if _CONFIGURABLE.fullmatch(name)]
