"""Shared code of doccano and Prodigy: JSON Lines with labeled spans."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ...text.words import trim
from .flat_labels import is_entity_label, trigger_label, trigger_types
from .lines import LONGEST_LINE, encoding_fault, json_line, numbered, parse_json
from .offsets import OffsetError, Offsets


@dataclass(frozen=True, kw_only=True, slots=True)
class LabeledSpan:
    """A span that was read: a trigger if it has types, else an entity."""

    start: int
    end: int
    label: str
    types: tuple[str, ...]
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FlatSpan:
    """A span to write, and its entity or event."""

    start: int
    end: int
    label: str
    item: Entity | Event


def json_objects(lines: Iterable[str], log: ProblemLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON Lines with their line numbers; other lines are logged."""
    for number, line in numbered(lines):
        if len(line) > LONGEST_LINE:
            message = f"the line has {len(line)} characters, more than {LONGEST_LINE}; write one article a line"
            log.drop("line too long", message, line=number)
        elif message := encoding_fault(line):
            log.drop("not UTF-8", message, line=number)
        elif line.strip():
            try:
                content = parse_json(line)
            except ValueError as error:
                log.drop("not JSON", f"{shown(line)}: {error}", line=number)
                continue
            if isinstance(content, dict):
                yield number, content
            else:
                log.drop("wrong kind", f"{shown(content)} is not an object with a text", line=number)


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


def placed(
    offsets: Offsets, start: Any, end: Any, surface: Any, label: Any, log: ArticleLog, *, utf16: bool = False
) -> tuple[int, int] | None:
    """The range of a stored span in the text, without white space at its edges; None, and logged, for a bad one."""
    what = f"{shown(label)} {shown(start)}-{shown(end)}"
    if type(start) is not int or type(end) is not int:
        log.drop("span left out", f"{what} needs whole numbers as offsets")
        return None
    surface = surface if isinstance(surface, str) else None
    if surface and end - start > 2 * len(surface) + 4:  # too long in any unit, and slow to show
        log.drop("span left out", f"{what} has the surface {shown(surface)}, which is shorter in any units")
        return None
    found = offsets.from_utf16(start, end) if utf16 else None
    try:
        if found is None or (surface and offsets.text[slice(*found)] != surface):
            if utf16 and not surface:
                raise OffsetError(
                    "is outside the text in UTF-16 units, empty or splits a character; does the option units fit?"
                )
            *found, done = offsets.settle(start, end, surface)
            if done:
                log.fix(done.partition(" by ")[0], f"{what} {shown(surface)} is at {found[0]}-{found[1]}: {done}")
    except OffsetError as error:
        log.drop("span left out", f"{what}: {error}")
        return None
    text, (low, high) = offsets.text, found
    if text[low].isspace() or text[high - 1].isspace():
        low, high = trim(text, low, high)
        if low == high:
            log.drop("span left out", f"{what} has only white space")
            return None
        log.fix("white space at an edge", f"{what} is cut to {low}-{high} {shown(text[low:high])}")
    return low, high


def labeled_span(
    place: tuple[int, int], label: Any, name: str, taken: set[str], triggers: Collection[str], log: ArticleLog
) -> LabeledSpan | None:
    """A span with its label and id, which is added to the ids taken; None, and logged, without a label."""
    what = f"span {place[0]}-{place[1]}"
    label = as_text(label) or ""
    types = trigger_types(label, triggers)
    if not label or (types and not all(types)):
        log.drop("span left out", f"{what} has the label {shown(label)}; label it, or name event types in full")
        return None
    if name in taken:
        log.fix("duplicate id", f"{what} has the id {shown(name)} of another span; the id is dropped")
        name = ""
    taken |= {name} - {""}
    return LabeledSpan(start=place[0], end=place[1], label=label, types=types or (), id=name)


def fresh_ids(spans: Iterable[LabeledSpan]) -> Iterator[str]:
    """Ids that no span has, from T1 on."""
    taken = {span.id for span in spans}
    return (name for name in map("T{}".format, count(1)) if name not in taken)


def link(
    spans: list[LabeledSpan],
    head: int,
    child: int,
    role: Any,
    arguments: dict[int, list[Argument]],
    fresh: Iterator[str],
    log: ArticleLog,
    *,
    score: float | None = None,
) -> None:
    """Add a relation between a trigger and an entity to the arguments; log any other relation.

    Args:
        spans: the spans; an entity without an id gets a fresh one.
        head: position of the span that the relation starts from.
        child: position of the span that it points to.
        role: label of the relation.
        arguments: position of a trigger → its arguments.
        fresh: see `fresh_ids`.
        log: records problems.
        score: score of the argument.
    """
    what = f"{shown(role)} of {shown(spans[head].label)} and {shown(spans[child].label)}"
    if not isinstance(role, str) or not role:
        log.drop("relation left out", f"{what} has no label; name the role")
    elif bool(spans[head].types) == bool(spans[child].types):
        kinds = "two triggers" if spans[head].types else "two entities; name the labels of triggers in `triggers`"
        log.drop("relation left out", f"{what} joins {kinds}")
    else:
        if spans[child].types:
            log.fix("relation turned round", f"{what} points to the trigger; read as its argument")
            head, child = child, head
        if not spans[child].id:
            spans[child] = replace(spans[child], id=next(fresh))
        arguments.setdefault(head, []).append(Argument(role=role, entity=spans[child].id, score=score))


def merged(inner: Mapping[str, Any], extra: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Merge metadata; for a key in both, ``extra`` wins, because the tool itself writes it."""
    for key in inner.keys() & extra.keys():
        if inner[key] != extra[key]:
            message = f"{shown(key)} is {shown(extra[key])} and, in meta, {shown(inner[key])}; the first is kept"
            log.fix("metadata given twice", message)
    return {**inner, **extra}


def to_article(
    spans: list[LabeledSpan],
    arguments: Mapping[int, list[Argument]],
    scores: Mapping[int, Any] | None = None,
    **fields: Any,
) -> Article:
    """Build an article.

    Args:
        spans: entities and triggers.
        arguments: position of a trigger → its arguments.
        scores: position of a span → score of the entity, or tuple of scores of the trigger.
        fields: other fields of the article.
    """
    scores = scores or {}
    entities = [
        Entity(start=span.start, end=span.end, label=span.label, id=span.id, score=scores.get(place))
        for place, span in enumerate(spans)
        if not span.types
    ]
    events = [
        Event(
            trigger=Span(start=span.start, end=span.end),
            types=span.types,
            arguments=tuple(arguments.get(place, ())),
            id=span.id,
            scores=scores.get(place, ()),
        )
        for place, span in enumerate(spans)
        if span.types
    ]
    return Article(
        entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(events, key=lambda event: event.trigger.start)),
        **fields,
    )


def flat_spans(article: Article, log: ProblemLog) -> list[FlatSpan]:
    """Entities, then triggers, as labeled spans; those that cannot be read back are logged."""
    spans: list[FlatSpan] = []
    for entity in article.entities:
        if entity.label and is_entity_label(entity.label):
            spans.append(FlatSpan(start=entity.start, end=entity.end, label=entity.label, item=entity))
        else:
            message = f"{shown(entity.label)} of {shown(entity.text)} is not a label of an entity; rename it"
            log.drop("entity left out", message, article=article.id)
    for event in article.events:
        label, trigger = trigger_label(event.types), event.trigger
        if label and trigger_types(label) == event.types:
            spans.append(FlatSpan(start=trigger.start, end=trigger.end, label=label, item=event))
        else:
            message = f"types of {shown(trigger.text)} make no label: one is empty, repeated or has a plus"
            log.drop("event left out", message, article=article.id)
    return spans


def flat_arguments(article: Article, spans: list[FlatSpan], log: ProblemLog) -> list[tuple[int, int, Argument]]:
    """Arguments with the positions of their trigger and entity in the spans; others are logged."""
    entities = {span.item.id: place for place, span in enumerate(spans) if isinstance(span.item, Entity)}
    events = [(place, span.item) for place, span in enumerate(spans) if isinstance(span.item, Event)]
    found: list[tuple[int, int, Argument]] = []
    for place, event in events:
        for argument in event.arguments:
            if argument.role and argument.entity and argument.entity in entities:
                found.append((place, entities[argument.entity], argument))
            else:
                message = (
                    f"{shown(argument.role)} of {shown(event.trigger.text)} has no role, or its entity is not written"
                )
                log.drop("argument left out", message, article=article.id)
    return found


def importable(content: Mapping[str, Any], article: Article, log: ArticleLog) -> str | None:
    """A line of JSON for a tool that rejects empty texts; None, and logged, for an article that it cannot hold."""
    if not article.text.strip():
        log.drop("no text", "the text is empty, which the tool does not import")
        return None
    return json_line(content, log)
