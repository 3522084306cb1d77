"""Shared code of doccano and Prodigy: JSON Lines with labeled spans, and relations between the spans."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePath
from typing import Any

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from .flat_labels import trigger_label, trigger_types
from .lines import json_line, json_values
from .offsets import OffsetError, Offsets, trimmed


@dataclass(kw_only=True, slots=True)
class LabeledSpan:
    """A span that was read: a trigger if it has types, else an entity.

    Attributes:
        score: of the entity.
        scores: of the types of the trigger.
        arguments: of the trigger.
    """

    start: int
    end: int
    label: str
    types: tuple[str, ...]
    id: str
    score: float | None = None
    scores: tuple[float, ...] = ()
    arguments: list[Argument] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class FlatSpan:
    """A span to write, and its entity or event."""

    start: int
    end: int
    label: str
    item: Entity | Event


def json_objects(lines: Iterable[str], log: ProblemLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON Lines with their line numbers; other lines are logged."""
    for number, value in json_values(lines, log):
        if isinstance(value, dict):
            yield number, value
        else:
            log.drop("wrong kind", f"{shown(value)} is not an object with a text", line=number)


def log_for(log: ProblemLog, line: int, name: Any) -> ArticleLog:
    """The log of an article; an id that is neither text nor number is replaced by the stem of the file and the line."""
    name = as_text(name)
    return ArticleLog(log=log, line=line, article=f"{PurePath(log.source).stem}-{line}" if name is None else name)


def as_text(value: Any) -> str | None:
    """An id or label as text; None if it is neither text nor number. 3.0 becomes 3, because pandas writes floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def text_of(content: Mapping[str, Any], log: ArticleLog) -> str | None:
    """The annotated text; None, and logged, if there is none."""
    text = content.get("text")
    if isinstance(text, str) and text.strip():
        return text
    log.drop("no text", f"text is {shown(text)}; it must be a string that is not blank")
    return None


def listed(content: Mapping[str, Any], key: str, log: ArticleLog | None) -> list[Any]:
    """The list under a key, empty if there is none; a string becomes a list of one, other values are logged."""
    value = content.get(key)
    if isinstance(value, list):
        return value
    if value is not None and not isinstance(value, str) and log:
        log.drop("wrong kind", f"{key} is {shown(value)}; it must be a list")
    return [value] if isinstance(value, str) else []


def objects(content: Mapping[str, Any], key: str, form: str, log: ArticleLog) -> Iterator[dict[str, Any]]:
    """The objects in the list under a key; for another value, the message says the `form` of an object."""
    for value in listed(content, key, log):
        if isinstance(value, dict):
            yield value
        else:
            log.drop("wrong kind", f"{key} has {shown(value)}; {form}")


def merged(inner: Any, extra: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Merge metadata; for a key in both, ``extra`` wins, because the tool itself writes it."""
    if not isinstance(inner, dict):
        return {**extra, "meta": inner}
    for key in inner.keys() & extra.keys():
        if inner[key] != extra[key]:
            message = f"{shown(key)} is {shown(extra[key])} and, in meta, {shown(inner[key])}; the first is kept"
            log.fix("metadata given twice", message)
    return {**inner, **extra}


class SpanReader:
    """Reads the spans of a text, and relations between them; what cannot be used is dropped and logged.

    Args:
        text: the annotated text.
        triggers: labels of spans that are triggers.
        log: records problems.

    Attributes:
        offsets: maps stored offsets to the text.
        spans: the spans that were read.
    """

    def __init__(self, text: str, triggers: Collection[str], log: ArticleLog) -> None:
        self.offsets = Offsets(text)
        self.spans: list[LabeledSpan] = []
        self._triggers = triggers
        self._log = log
        self._ids: set[str] = set()
        self._fresh_ids = (name for name in map("T{}".format, count(1)) if name not in self._ids)

    def expect(self, values: Iterable[tuple[Any, Any, Any]]) -> None:
        """Take the start, end and surface of all spans, which show where a replacement of text moved them."""
        spans = [(start, end, surface) for start, end, surface in values if surface and isinstance(surface, str)]
        self.offsets = self.offsets.with_all(span for span in spans if type(span[0]) is type(span[1]) is int)

    def add(
        self, start: Any, end: Any, label: Any, *, surface: Any, name: str, units: str = "code points"
    ) -> LabeledSpan | None:
        """Read a span; None if it is dropped.

        Args:
            start: stored offset.
            end: stored offset, exclusive.
            label: stored label.
            surface: stored surface.
            name: id; an id that another span has is dropped.
            units: what offsets count: ``code points``, ``utf-16``, ``graphemes``; empty for UTF-16 units at whole
                grapheme clusters.
        """
        if (place := self._placed(start, end, label, surface, units)) is None:
            return None
        what = f"span {place[0]}-{place[1]}"
        label = as_text(label) or ""
        types = trigger_types(label, self._triggers) or ()
        if not label or not all(types):
            message = f"{what} has the label {shown(label)}; label it, or name event types in full"
            self._log.drop("span left out", message)
            return None
        if name in self._ids:
            self._log.fix("duplicate id", f"{what} has the id {shown(name)} of another span; the id is dropped")
            name = ""
        self._ids |= {name} - {""}
        self.spans.append(LabeledSpan(start=place[0], end=place[1], label=label, types=types, id=name))
        return self.spans[-1]

    def _placed(self, start: Any, end: Any, label: Any, surface: Any, units: str) -> tuple[int, int] | None:
        """The range of a stored span, without white space at its edges; None, and logged, for a bad one."""
        what = f"{shown(label)} {shown(start)}-{shown(end)}"
        surface = surface if isinstance(surface, str) else None
        fix = ""
        try:
            if type(start) is not int or type(end) is not int:
                raise OffsetError("whole numbers are needed as offsets")
            found = self._in_units(start, end, surface, units)
            if found is None or (surface and self.offsets.text[slice(*found)] != surface):
                *found, fix = self.offsets.settle(start, end, surface)
        except OffsetError as error:
            self._log.drop("span left out", f"{what}: {error}")
            return None
        if fix:
            self._log.fix(fix.partition(" by ")[0], f"{what} {shown(surface)} is at {found[0]}-{found[1]}: {fix}")
        return trimmed(self.offsets.text, found[0], found[1], shown(label), self._log)

    def _in_units(self, start: int, end: int, surface: str | None, units: str) -> tuple[int, int] | None:
        """A range in code points; None if offsets count these, or if a surface will tell the place."""
        if units == "code points":
            return None
        counted = "grapheme clusters" if units == "graphemes" else "UTF-16 units"
        convert = self.offsets.from_graphemes if units == "graphemes" else self.offsets.from_utf16
        if (found := convert(start, end)) is None:
            if surface:
                return None
            split = "" if units == "graphemes" else " or splits a character"
            raise OffsetError(f"is outside the text in {counted}, empty{split}; does the option units fit?")
        if not units and not surface and any(map(self.offsets.is_inside_cluster, found)):
            raise OffsetError(
                "begins or ends inside a grapheme cluster (a letter with its marks, CR with LF), where no mouse can: "
                "if the project counts grapheme clusters, set units=graphemes; if the offsets are right, units=utf-16"
            )
        return found

    def link(self, head: LabeledSpan, child: LabeledSpan, role: Any, score: float | None = None) -> None:
        """Make an argument of a relation between a trigger and an entity, in either direction.

        All spans must have been added before, because an entity without an id gets one that no span has.
        """
        what = f"{shown(role)} of {shown(head.label)} and {shown(child.label)}"
        if not isinstance(role, str) or not role:
            self._log.drop("relation left out", f"{what} has no label; name the role")
            return
        if bool(head.types) == bool(child.types):
            kinds = "two triggers" if head.types else "two entities; name the labels of triggers in `triggers`"
            self._log.fix("relation left out", f"{what} joins {kinds}")
            return
        if child.types:
            self._log.fix("relation turned round", f"{what} points to the trigger; read as its argument")
            head, child = child, head
        child.id = child.id or next(self._fresh_ids)
        head.arguments.append(Argument(role=role, entity=child.id, score=score))

    def article(self, **fields: Any) -> Article:
        """The article of the spans; `fields` are its other fields."""
        entities = [
            Entity(start=span.start, end=span.end, label=span.label, id=span.id, score=span.score)
            for span in self.spans
            if not span.types
        ]
        events = [
            Event(
                trigger=Span(start=span.start, end=span.end),
                types=span.types,
                arguments=tuple(span.arguments),
                id=span.id,
                scores=span.scores,
            )
            for span in self.spans
            if span.types
        ]
        return Article(
            text=self.offsets.text,
            id=self._log.article,
            entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
            events=tuple(sorted(events, key=lambda event: event.trigger.start)),
            **fields,
        )


def flat_spans(article: Article, log: ArticleLog) -> list[FlatSpan]:
    """Entities, then triggers, as labeled spans; those that cannot be read back are logged."""
    spans: list[FlatSpan] = []
    for entity in article.entities:
        if entity.label and trigger_types(entity.label) is None:
            spans.append(FlatSpan(start=entity.start, end=entity.end, label=entity.label, item=entity))
        else:
            message = f"{shown(entity.label)} of {shown(entity.text)} is not a label of an entity; rename it"
            log.drop("entity left out", message)
    for event in article.events:
        label, trigger = trigger_label(event.types), event.trigger
        if all(event.types) and trigger_types(label) == event.types:
            spans.append(FlatSpan(start=trigger.start, end=trigger.end, label=label, item=event))
        else:
            message = f"types of {shown(trigger.text)} make no label: one is empty, repeated or has a plus"
            log.drop("event left out", message)
    return spans


def flat_arguments(spans: list[FlatSpan], log: ArticleLog) -> list[tuple[int, int, Argument]]:
    """Arguments with the positions of their trigger and entity in the spans; others are logged."""
    entities = {span.item.id: place for place, span in enumerate(spans) if isinstance(span.item, Entity)}
    events = [(place, span.item) for place, span in enumerate(spans) if isinstance(span.item, Event)]
    found: list[tuple[int, int, Argument]] = []
    for place, event in events:
        for argument in event.arguments:
            if argument.role and argument.entity and argument.entity in entities:
                found.append((place, entities[argument.entity], argument))
            else:
                what = f"{shown(argument.role)} of {shown(event.trigger.text)}"
                log.drop("argument left out", f"{what} has no role, or its entity is not written")
    return found


def importable(content: Mapping[str, Any], log: ArticleLog) -> str | None:
    """A line of JSON for a tool that rejects empty texts; None, and logged, for an article that it cannot hold."""
    if not content["text"].strip():
        log.drop("no text", "the text is empty, which the tool does not import")
        return None
    return json_line(content, log)
