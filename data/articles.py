"""The data model: an article with its annotation, and validation of annotations.

All offsets are half-open ranges of Unicode code points of ``Article.text``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, get_args

from .. import renamed
from .labels import LabelScheme
from .problems import Problem

Task = Literal["entities", "triggers", "proclitics", "arguments", "sentence_types", "article_types"]
TASKS: tuple[Task, ...] = get_args(Task)
AnnotatedLabels = Mapping[Task, tuple[str, ...]]
"""Task → labels that were annotated; a task that is absent was not annotated at all."""

Fault = tuple[str, str]
"""A short cause, for counting, and a message."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A range of the text.

    Attributes:
        start: first code point.
        end: one past the last code point.
        text: the surface. If empty, `Article` fills it in; if given, `check_article` compares it with the text.
    """

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A mention with a label; entities may nest.

    ``score`` is the model's probability of exactly this span with this label; None on gold.
    """

    start: int
    end: int
    label: str
    text: str = ""
    id: str = ""
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """The role of an entity, given by its id, in an event."""

    role: str
    entity: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A trigger with its event types and arguments.

    ``scores`` aligns with ``types``: the probability that the span triggers an event of that type; empty on gold.
    """

    trigger: Span
    types: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    id: str = ""
    scores: tuple[float, ...] = ()

    @property
    def score(self) -> float | None:
        """The highest of ``scores``; None on gold."""
        return max(self.scores, default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A sentence with its event types. ``scores`` aligns with ``types``; empty on gold."""

    start: int
    end: int
    types: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """A text and its annotation, gold or predicted.

    Attributes:
        text: as read, with the title; never changed.
        id: unique within a data set.
        title: also the first line of ``text`` if the article has a title.
        date: as given.
        source: as given.
        entities: mentions, sorted by (start, -end).
        events: triggers with types and arguments, sorted by start.
        event_types: labels of the whole article.
        sentences: annotated sentence labels; if empty, they follow from the triggers.
        tokens: tokens that the annotation was made on, if it was made on whole tokens (CoNLL); scoring snaps
            predictions to them.
        annotated: task → labels that were annotated in this article; for other tasks the data set's declaration holds.
            Labels that were not annotated give no loss and no score.
        type_scores: aligned with ``event_types``; empty on gold.
        evidence: event type → sentences that support it; empty on gold.
        meta: any other metadata, JSON-compatible.
    """

    text: str
    id: str = ""
    title: str | None = None
    date: str | None = None
    source: str | None = None
    entities: tuple[Entity, ...] = ()
    events: tuple[Event, ...] = ()
    event_types: tuple[str, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    tokens: tuple[tuple[int, int], ...] = ()
    annotated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    type_scores: tuple[float, ...] = ()
    evidence: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Fill in empty surfaces, so that `text[m.start:m.end] == m.text` holds.
        surface = self.text
        entities = tuple(e if e.text else replace(e, text=surface[e.start : e.end]) for e in self.entities)
        events = tuple(
            e
            if e.trigger.text
            else replace(e, trigger=replace(e.trigger, text=surface[e.trigger.start : e.trigger.end]))
            for e in self.events
        )
        object.__setattr__(self, "entities", entities)
        if not renamed.TASKS.keys().isdisjoint(self.annotated):
            annotated = {renamed.TASKS.get(task, task): labels for task, labels in self.annotated.items()}
            object.__setattr__(self, "annotated", annotated)
        object.__setattr__(self, "events", events)


def check_article(article: Article, scheme: LabelScheme | None = None) -> Iterator[Fault]:
    """Yield (cause, message) for every problem of an article.

    Args:
        article: gold or predicted.
        scheme: labels to check against; None checks spans and ids only.
    """
    entities, events = _with_repeats(article)
    entity_ids = {entity.id for entity in article.entities if entity.id}
    for entity, repeated in entities:
        yield from _entity_faults(article, entity, repeated, scheme)
    for event, repeated in events:
        yield from _event_faults(article, event, repeated, entity_ids, scheme)
    yield from _unknown_labels("event type", article.event_types, "of the article", scheme)
    for sentence in article.sentences:
        yield from _sentence_faults(article, sentence, scheme)
    for task, labels in article.annotated.items():
        yield from _annotated_faults(task, labels, scheme)


def valid_part(article: Article) -> tuple[Article, list[Fault]]:
    """An article without the mentions, events, sentences and tasks that have a problem, and the problems.

    Labels are not checked. An event with an argument that was left out is left out as well.
    """
    if not any(check_article(article)):
        return article, []
    entities, events = _with_repeats(article)
    good_entities, faults = _parted(entities, lambda pair: _entity_faults(article, *pair))
    ids = {entity.id for entity, _ in good_entities if entity.id}
    good_events, of_events = _parted(events, lambda pair: _event_faults(article, *pair, ids))
    sentences, of_sentences = _parted(article.sentences, lambda sentence: _sentence_faults(article, sentence))
    annotated, of_annotated = _parted(article.annotated.items(), lambda item: _annotated_faults(*item))
    valid = replace(
        article,
        entities=tuple(entity for entity, _ in good_entities),
        events=tuple(event for event, _ in good_events),
        sentences=tuple(sentences),
        annotated=dict(annotated),
    )
    return valid, faults + of_events + of_sentences + of_annotated


def _parted(items: Iterable[T], faults_of: Callable[[T], Iterable[Fault]]) -> tuple[list[T], list[Fault]]:
    """The items without a problem, and the problems of the others."""
    checked = [(item, list(faults_of(item))) for item in items]
    return [item for item, faults in checked if not faults], [fault for _, faults in checked for fault in faults]


def _with_repeats(article: Article) -> tuple[list[tuple[Entity, bool]], list[tuple[Event, bool]]]:
    """Entities and events, each with whether an earlier one has its id."""
    ids = [mention.id for mention in (*article.entities, *article.events)]
    first: dict[str, int] = {}
    repeated = [bool(name) and first.setdefault(name, place) < place for place, name in enumerate(ids)]
    entities = zip(article.entities, repeated, strict=False)
    return list(entities), list(zip(article.events, repeated[len(article.entities) :], strict=True))


def _span_faults(text: str, what: str, start: int, end: int, surface: str = "") -> Iterator[Fault]:
    if not 0 <= start <= end <= len(text):
        yield (
            "span outside the text",
            f"{what} {start}-{end} ({surface!r}) is outside the text of {len(text)} code points; "
            "offsets count code points from 0, the end is exclusive",
        )
    elif start == end:
        yield (
            "empty span",
            f"{what} {start}-{end} is empty; the end is exclusive, so a span of one letter is n to n+1",
        )
    elif text[start].isspace() or text[end - 1].isspace():
        yield (
            "white space at an edge",
            f"{what} {start}-{end} {text[start:end]!r} starts or ends with white space; "
            f"the mention is {text[start:end].strip()!r}",
        )
    elif surface and surface != text[start:end]:
        yield (
            "surface differs",
            f"{what} {start}-{end} has the surface {surface!r} but the text there is {text[start:end]!r}; "
            "the offsets may count UTF-16 units, or the text was changed after annotation",
        )


_KINDS = {"entity label": "entities", "event type": "events", "role": "roles"}  # of labels, as attributes of a scheme


def _unknown_labels(kind: str, labels: Iterable[str], where: str, scheme: LabelScheme | None) -> Iterator[Fault]:
    for label in labels if scheme else ():
        if label not in getattr(scheme, _KINDS[kind]):
            hint = scheme.hint(_KINDS[kind], label)  # pyright: ignore[reportOptionalMemberAccess]
            yield "unknown label", f"{kind} {label!r} {where} is not in scheme {hint}"


def _entity_faults(
    article: Article, entity: Entity, repeated: bool, scheme: LabelScheme | None = None
) -> Iterator[Fault]:
    yield from _span_faults(article.text, f"entity {entity.label}", entity.start, entity.end, entity.text)
    yield from _unknown_labels("entity label", [entity.label], f"of {entity.text!r}", scheme)
    if repeated:
        yield "duplicate id", f"id {entity.id!r} of {entity.text!r} is used twice in the article"


def _event_faults(
    article: Article, event: Event, repeated: bool, entity_ids: set[str], scheme: LabelScheme | None = None
) -> Iterator[Fault]:
    trigger = event.trigger
    where = f"of {trigger.text!r}"
    yield from _span_faults(article.text, "trigger", trigger.start, trigger.end, trigger.text)
    if not event.types:
        yield "no type", f"trigger {trigger.text!r} at {trigger.start} has no event type"
    if repeated:
        yield "duplicate id", f"id {event.id!r} {where} is used twice in the article"
    yield from _unknown_labels("event type", event.types, where, scheme)
    for argument in event.arguments:
        if argument.entity not in entity_ids:
            yield "unknown id", f"{argument.role} {where} names entity {argument.entity!r}, which the article lacks"
        yield from _unknown_labels("role", [argument.role], where, scheme)


def _sentence_faults(article: Article, sentence: Sentence, scheme: LabelScheme | None = None) -> Iterator[Fault]:
    yield from _span_faults(article.text, "sentence", sentence.start, sentence.end)
    yield from _unknown_labels("event type", sentence.types, f"of the sentence at {sentence.start}", scheme)


def _annotated_faults(task: str, labels: Iterable[str], scheme: LabelScheme | None = None) -> Iterator[Fault]:
    if task not in TASKS:
        yield "unknown task", f"annotated names {task!r}; the tasks are {', '.join(TASKS)}"
    elif scheme and task != "proclitics":
        known = scheme.labels(task)
        for label in labels:
            if label not in known:
                yield "unknown label", f"annotated label {label!r} of {task} is not in scheme {scheme.name}"


def check_articles(
    articles: list[Article], scheme: LabelScheme | None = None, source: str = "<memory>"
) -> list[Problem]:
    """All problems of a data set, duplicate article ids included; lines are positions from 1."""
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, article in enumerate(articles, 1):
        if article.id and article.id in seen:
            message = f"article id {article.id!r} was used at {seen[article.id]} already"
            problems.append(
                Problem(source=source, line=line, article=article.id, cause="duplicate id", message=message)
            )
        seen.setdefault(article.id, line)
        problems += [
            Problem(source=source, line=line, article=article.id, cause=cause, message=message)
            for cause, message in check_article(article, scheme)
        ]
    return problems
