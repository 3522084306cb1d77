"""The annotations of an ACE or ERE file, before their offsets are mapped to the text.

ACE and ERE have in common: entities with mentions of three levels, values, and events with a trigger and arguments that
refer to mentions.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


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
class EntityMention:
    """A mention of an entity or value.

    Attributes:
        id: empty if there is none.
        label: type of the entity.
        level: NAM, NOM, PRO or another one; empty for values.
        value: it is a value or time expression, not an entity.
        charseq: None where the file has none.
        group: id of the entity; coreferent mentions share it.
        line: line in the file.
    """

    id: str
    label: str
    level: str
    value: bool
    charseq: CharSeq | None
    group: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EventMention:
    """A mention of an event; ``arguments`` are (role, id of a mention, line), `EntityMention` has the others."""

    id: str
    label: str
    charseq: CharSeq | None
    arguments: tuple[tuple[str, str, int], ...]
    group: str
    line: int


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
    mentions: list[EntityMention] = field(default_factory=list)
    events: list[EventMention] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    made_ids: frozenset[str] = frozenset()

    def ranges(self) -> Iterator[tuple[int, int, str]]:
        """Start, end and surface of every mention that has offsets."""
        for item in (*self.mentions, *self.events):
            if (charseq := item.charseq) and charseq.start is not None and charseq.end is not None:
                yield charseq.start, charseq.end, charseq.surface


def number(value: str) -> int | None:
    """A stored offset as a number; None if it is not a whole number."""
    return int(value) if re.fullmatch(r"\s*[0-9]{1,12}\s*", value) else None


def parted(label: str, sublabel: str, parts: str) -> str:
    """A type and its subtype as one label.

    >>> parted("Conflict", "Attack", "full"), parted("Conflict", "Attack", "subtype"), parted("GPE", "", "subtype")
    ('Conflict.Attack', 'Attack', 'GPE')
    """
    if parts == "type" or not sublabel:
        return label
    return sublabel if parts == "subtype" or not label else f"{label}.{sublabel}"
