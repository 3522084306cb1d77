"""The annotations of an ACE or ERE file, before their offsets are mapped to the text.

ACE and ERE have in common: entities with mentions of three levels, values, and events with a trigger and arguments that
refer to mentions.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ....errors import shown
from ..common.xml_tree import XmlElement


@dataclass(frozen=True, kw_only=True, slots=True)
class CharSeq:
    """A stored range of characters.

    Attributes:
        start: first offset; None where the file has no number.
        end: one past the last offset; None where the file has no number.
        surface: stored surface, empty if there is none.
        line: line in the file.
        stored: the offsets as the file has them, for messages.
    """

    start: int | None
    end: int | None
    surface: str
    line: int
    stored: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A mention of an entity, value or event.

    Attributes:
        id: empty if there is none.
        label: type of the entity or event.
        charseq: the mention of an entity, the trigger of an event; None where the file has none.
        group: id of the entity or event; coreferent mentions share it.
        line: line in the file.
        level: NAM, NOM, PRO or another one; empty for values and events.
        is_value: it is a value or time expression.
        arguments: (role, id of a mention, line) of the arguments of an event.
    """

    id: str
    label: str
    charseq: CharSeq | None
    group: str
    line: int
    level: str = ""
    is_value: bool = False
    arguments: tuple[tuple[str, str, int], ...] = ()


def read_mention(element: XmlElement, label: str, charseq: CharSeq | None, group: str, **fields: Any) -> Mention:
    """The mention that an element is; ``fields`` are those which differ between entities, values and events."""
    name = element.get("ID") or element.get("id")
    return Mention(id=name, label=label, charseq=charseq, group=group, line=element.line, **fields)


@dataclass(kw_only=True, slots=True)
class Standoff:
    """The annotations of a file.

    Attributes:
        id: id of the document.
        source: where the text comes from, as the file says; empty if it does not.
        mentions: mentions of entities and values.
        events: mentions of events.
        ignored: annotations that have no place in an article → their number.
        made_ids: ids that the writer made because the article had none.
    """

    id: str = ""
    source: str = ""
    mentions: list[Mention] = field(default_factory=list)
    events: list[Mention] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    made_ids: frozenset[str] = frozenset()

    def ranges(self) -> Iterator[tuple[int, int, str]]:
        """Start, end and surface of every mention that has offsets."""
        for item in (*self.mentions, *self.events):
            if (charseq := item.charseq) and charseq.start is not None and charseq.end is not None:
                yield charseq.start, charseq.end, charseq.surface


def read_charseq(element: XmlElement, first: str, second: str, surface: str) -> CharSeq:
    """The range that an element has in two attributes, whose values are checked.

    Args:
        element: has the attributes.
        first: name of the attribute with the start.
        second: ``END`` is the offset of the last character, ``length`` the number of characters.
        surface: stored surface.
    """
    written = [element.get(first), element.get(second)]
    start, last = (int(value) if re.fullmatch(r"\s*[0-9]{1,12}\s*", value) else None for value in written)
    end = None if start is None or last is None else last + 1 if second == "END" else start + last
    stored = f"{first}={shown(written[0], 20)} {second}={shown(written[1], 20)}"
    return CharSeq(start=start, end=end, surface=surface, line=element.line, stored=stored)


def joined_type(label: str, sublabel: str, parts: str) -> str:
    """A type and its subtype as one label.

    >>> [joined_type("Conflict", "Attack", parts) for parts in ("full", "subtype", "type")]
    ['Conflict.Attack', 'Attack', 'Conflict']
    >>> joined_type("GPE", "", "subtype")
    'GPE'
    """
    if parts == "type" or not sublabel:
        return label
    return sublabel if parts == "subtype" or not label else f"{label}.{sublabel}"
