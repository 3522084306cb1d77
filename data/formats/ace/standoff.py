"""Mentions and events that a file states beside its source text, and the article that they make.

This is what ACE and ERE have in common: entities with mentions of three levels, values, events with a trigger and with
arguments that name mentions.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ProblemLog
from ...text.words import trim
from ..common.offsets import OffsetError
from .source_text import SourceText

AUTHOR = "rasid"
"""Author of the files that are written here, in which a `first_id` stands for none."""

_OPTIONS = ("mentions", "values")
_SHOWN = 40  # characters of a name that a message shows; a name may be as long as its file


@dataclass(frozen=True, slots=True)
class Place:
    """A range of characters as stored.

    Attributes:
        start: first offset; None where the file has no number.
        end: one past the last.
        surface: empty where there is none.
        line: in the file.
        stated: as it stands in the file, for messages.
    """

    start: int | None
    end: int | None
    surface: str
    line: int
    stated: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A mention of an entity or value.

    Attributes:
        id: empty where there is none.
        label: type of the entity.
        level: NAM, NOM, PRO or another one; empty for values.
        value: it is a value or time expression, not an entity.
        place: None where the file has none.
        group: id of the entity, shared by mentions that corefer.
        line: in the file.
    """

    id: str
    label: str
    level: str
    value: bool
    place: Place | None
    group: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EventMention:
    """A mention of an event; ``arguments`` are (role, id of a mention, line)."""

    id: str
    label: str
    place: Place | None
    arguments: tuple[tuple[str, str, int], ...]
    group: str
    line: int


@dataclass(kw_only=True, slots=True)
class Standoff:
    """What a file states.

    Attributes:
        id: of the document.
        source: where it comes from, in the words of the file; empty where it does not say.
        mentions: of entities and values.
        events: mentions of events.
        left: what is stated and has no place in an article → how often.
        nameless: ids that the format wants and the article did not have.
    """

    id: str = ""
    source: str = ""
    mentions: list[Mention] = field(default_factory=list)
    events: list[EventMention] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    nameless: frozenset[str] = frozenset()

    def places(self) -> Iterator[tuple[int, int, str]]:
        """Every range with a surface."""
        for item in (*self.mentions, *self.events):
            if (place := item.place) and place.start is not None and place.end is not None:
                yield place.start, place.end, place.surface


def number(value: str) -> int | None:
    """A whole number as offsets are written; None if it is none."""
    return int(value) if re.fullmatch(r"\s*[0-9]{1,12}\s*", value) else None


def parted(label: str, sublabel: str, parts: str) -> str:
    """A type and its subtype as one label.

    >>> parted("Conflict", "Attack", "full"), parted("Conflict", "Attack", "subtype"), parted("GPE", "", "subtype")
    ('Conflict.Attack', 'Attack', 'GPE')
    """
    if parts == "type" or not sublabel:
        return label
    return sublabel if parts == "subtype" or not label else f"{label}.{sublabel}"


def further_id(first: str, count: int) -> str:
    """The id of the event mention that holds the second type (or a further one) of an event.

    >>> further_id("E1", 2)
    'E1+2'
    """
    return f"{first}+{count}"


def first_id(group: str) -> str:
    """The id of the mention of an entity or event, made of that of the entity or event.

    >>> first_id("a-E1")
    'a-E1-1'
    """
    return f"{group}-1"


def build_article(
    stated: Standoff,
    source: SourceText,
    log: ProblemLog,
    *,
    mentions: Collection[str],
    values: bool,
    name: str,
) -> Article:
    """The article of a document; what it cannot use is recorded, what the options leave out is counted.

    Args:
        stated: by the file.
        source: the text, to which the places of `stated` are settled.
        log: takes the problems.
        mentions: levels that are kept.
        values: values and time expressions are kept.
        name: id of the article.
    """
    if not source.usual:
        log.fix("counting", f"the offsets of the file count {source.counting}", article=name)
    settler = _Settler(source, log, name, Counter(stated.left))
    entities = settler.entities(stated.mentions, mentions, values)
    events = settler.events(stated.events, {entity.id for entity in entities if entity.id})
    # What an argument names has a name.
    nameless = stated.nameless - {argument.entity for event in events for argument in event.arguments}
    entities = [replace(entity, id="") if entity.id in nameless else entity for entity in entities]
    events = [replace(event, id="") if event.id in nameless else event for event in events]
    settler.left["links between coreferent mentions"] = settler.links()
    for what, count in sorted(settler.left.items()):
        if count:
            option = next((f"; reading option {key} chooses them" for key in _OPTIONS if what.startswith(key)), "")
            log.fix(f"{what} left out", f"{count} {what} are left out{option}", article=name)
    return Article(
        text=source.text,
        id=name,
        entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(events, key=lambda event: event.trigger.start)),
    )


def joined(first: Event, second: Event) -> Event | None:
    """One event, if the second states a further type of the first: see `further_id`."""
    if not first.id or second.id != further_id(first.id, len(first.types) + 1):
        return None
    if (second.trigger, second.arguments) != (first.trigger, first.arguments):
        return None
    return replace(first, types=(*first.types, *second.types))


@dataclass(slots=True)
class _Settler:
    """Checks what is stated, one item after the other.

    Attributes:
        source: the text.
        log: takes the problems.
        article: id of the article.
        left: what is left out, counted.
        taken: ids so far.
        absent: ids of the mentions that the options leave out.
        groups: kept mentions by the entity or event that they are of.
    """

    source: SourceText
    log: ProblemLog
    article: str
    left: Counter[str]
    taken: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    groups: Counter[str] = field(default_factory=Counter)

    def entities(self, stated: Iterable[Mention], levels: Collection[str], values: bool) -> list[Entity]:
        kept: list[Entity] = []
        for mention in stated:
            if mention.value and not values:
                self._leave_out(mention, "values")
            elif mention.level and mention.level not in levels:
                self._leave_out(mention, f"mentions of level {mention.level[:_SHOWN]}")
            elif found := self._found(mention, "mention"):
                name = self._unique(mention.id, mention.line)
                kept.append(Entity(start=found[0], end=found[1], label=mention.label, id=name))
                self.groups[mention.group] += 1
        return kept

    def events(self, stated: Iterable[EventMention], known: Collection[str]) -> list[Event]:
        kept: list[Event] = []
        for event in stated:
            if not (found := self._found(event, "trigger")):
                continue
            trigger, arguments = Span(start=found[0], end=found[1]), self._arguments(event, known)
            made = Event(trigger=trigger, types=(event.label,), arguments=arguments, id=event.id)
            if kept and (whole := joined(kept[-1], made)):
                kept[-1] = whole
            else:
                kept.append(replace(made, id=self._unique(event.id, event.line)))
                self.groups[event.group] += 1
        return kept

    def links(self) -> int:
        """How many pairs of neighboring mentions corefer; mentions of no entity or event do not."""
        return sum(count - 1 for group, count in self.groups.items() if group)

    def _leave_out(self, mention: Mention, why: str) -> None:
        self.absent.add(mention.id)
        self.left[why] += 1

    def _found(self, item: Mention | EventMention, kind: str) -> tuple[int, int] | None:
        what = f"{kind} {item.label[:_SHOWN]} {item.id[:_SHOWN]}"
        if not item.label:
            self.log.drop("no type", f"{what} has no type", line=item.line, article=self.article)
            return None
        return self._place(item.place, what, item.line)

    def _unique(self, name: str, line: int) -> str:
        if name and name in self.taken:
            message = f"id {name[:_SHOWN]!r} is used twice; the second is dropped, and arguments mean the first"
            self.log.fix("duplicate id", message, line=line, article=self.article)
            return ""
        self.taken.add(name)
        return name

    def _place(self, place: Place | None, what: str, line: int) -> tuple[int, int] | None:
        if place is None or place.start is None or place.end is None:
            stated = place.stated if place else "nothing"
            message = f"{what} has no place in the text ({stated}); a place is two whole numbers"
            self.log.drop("no offsets", message, line=place.line if place else line, article=self.article)
            return None
        try:
            start, end, done = self.source.settle(place.start, place.end, place.surface)
        except OffsetError as error:
            self.log.drop("offsets", f"{what} at {place.stated}: {error}", line=place.line, article=self.article)
            return None
        if done:
            self.log.fix("offsets", f"{what} at {place.stated}: {done}", line=place.line, article=self.article)
        return self._trimmed(start, end, what, place.line)

    def _trimmed(self, start: int, end: int, what: str, line: int) -> tuple[int, int] | None:
        text = self.source.text
        if not text[start].isspace() and not text[end - 1].isspace():
            return start, end
        first, stop = trim(text, start, end)
        surface = text[start:end]
        if first == stop:
            message = f"{what} {surface[:40]!r} is white space"
            self.log.drop("white space", message, line=line, article=self.article)
            return None
        message = f"{what} {surface[:40]!r} is {text[first:stop][:40]!r} without the white space at its edges"
        self.log.fix("white space at an edge", message, line=line, article=self.article)
        return first, stop

    def _arguments(self, event: EventMention, known: Collection[str]) -> tuple[Argument, ...]:
        kept = []
        for role, mention, line in event.arguments:
            if role and mention in known:
                kept.append(Argument(role=role, entity=mention))
            elif role and mention in self.absent:
                self.left["arguments without their mention"] += 1
            else:
                cause = "unknown id" if role else "no role"
                reason = "which is no mention of the article" if role else "without a role"
                what = f"{role[:_SHOWN]} of {event.label[:_SHOWN]} {event.id[:_SHOWN]}"
                message = f"an argument {what} names {mention[:_SHOWN]!r}, {reason}"
                self.log.drop(cause, message, line=line, article=self.article)
        return tuple(kept)
