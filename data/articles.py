"""The data model: an article, what is annotated in it, and what may be believed of the annotation.

Every offset is a half-open range of Unicode code points of ``Article.text`` as it was read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from .. import renamed
from .labels import LabelScheme
from .problems import Problem

Task = Literal["entities", "triggers", "proclitics", "arguments", "sentence_types", "article_types"]
TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A range of the text.

    Attributes:
        start: first code point.
        end: one past the last code point.
        text: the surface; filled in by the article where it is left empty, checked where it is given.
    """

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A mention with a label; mentions may nest.

    ``score`` is the probability that the model gives to exactly this span with this label; None on gold.
    """

    start: int
    end: int
    label: str
    text: str = ""
    id: str = ""
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """An entity, by its id, in a role of an event."""

    role: str
    entity: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A trigger, its types, and who took part.

    ``scores`` aligns with ``types``: the probability that this span triggers an event of that type; empty on gold.
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
        text: the article as read, title included; never changed.
        id: unique within a data set.
        title, date, source: as given; the title is also the first line of ``text`` where the article has one.
        entities: mentions, in order of (start, -end).
        events: triggers with types and arguments, in order of start.
        event_types: labels of the whole article.
        sentences: sentence labels that were given; empty means that they follow from the triggers.
        tokens: the tokens that the annotation was made on, where it was made on whole tokens (CoNLL); predictions
            are snapped to them when they are scored.
        annotated: task → labels that an annotator annotated in this article; a task that is absent has what its data set
            declares. What was not annotated gives no loss and no score.
        type_scores: aligned with ``event_types``; empty on gold.
        evidence: event type → the sentences that it was read from; empty on gold.
        meta: anything else, JSON-compatible.
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
        # Surfaces left empty are read off the text, so that `text[m.start:m.end] == m.text` holds by construction.
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


def check_article(article: Article, scheme: LabelScheme | None = None) -> Iterator[tuple[str, str]]:
    """Yield (cause, message) for every problem of an article.

    Args:
        article: gold or predicted.
        scheme: labels to check against; None checks spans and ids only.
    """
    text, length = article.text, len(article.text)

    def span_problem(what: str, start: int, end: int, surface: str) -> Iterator[tuple[str, str]]:
        if not 0 <= start <= end <= length:
            yield (
                "span outside the text",
                f"{what} {start}-{end} ({surface!r}) lies outside the text of {length} code points; "
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
                f"{what} {start}-{end} is said to be {surface!r} but the text there is {text[start:end]!r}; "
                "the offsets may count UTF-16 units, or the text was changed after annotation",
            )

    ids: set[str] = set()
    for entity in article.entities:
        yield from span_problem(f"entity {entity.label}", entity.start, entity.end, entity.text)
        if scheme and entity.label not in scheme.entities:
            yield (
                "unknown label",
                f"entity label {entity.label!r} of {entity.text!r} is not in scheme "
                f"{scheme.hint('entities', entity.label)}",
            )
        if entity.id and entity.id in ids:
            yield "duplicate id", f"id {entity.id!r} of {entity.text!r} is used twice in the article"
        ids.add(entity.id)
    entity_ids = {entity.id for entity in article.entities if entity.id}
    for event in article.events:
        trigger = event.trigger
        yield from span_problem("trigger", trigger.start, trigger.end, trigger.text)
        if not event.types:
            yield "no type", f"trigger {trigger.text!r} at {trigger.start} has no event type"
        if event.id and event.id in ids:
            yield "duplicate id", f"id {event.id!r} of {trigger.text!r} is used twice in the article"
        ids.add(event.id)
        for label in event.types:
            if scheme and label not in scheme.events:
                yield (
                    "unknown label",
                    f"event type {label!r} of {trigger.text!r} is not in scheme {scheme.hint('events', label)}",
                )
        for argument in event.arguments:
            if argument.entity not in entity_ids:
                yield (
                    "unknown id",
                    f"{argument.role} of {trigger.text!r} names entity {argument.entity!r}, which the article lacks",
                )
            if scheme and argument.role not in scheme.roles:
                yield (
                    "unknown label",
                    f"role {argument.role!r} of {trigger.text!r} is not in scheme "
                    f"{scheme.hint('roles', argument.role)}",
                )
    for label in article.event_types:
        if scheme and label not in scheme.events:
            yield (
                "unknown label",
                f"event type {label!r} of the article is not in scheme {scheme.hint('events', label)}",
            )
    for sentence in article.sentences:
        yield from span_problem("sentence", sentence.start, sentence.end, "")
        for label in sentence.types:
            if scheme and label not in scheme.events:
                yield (
                    "unknown label",
                    f"event type {label!r} of the sentence at {sentence.start} is not in scheme "
                    f"{scheme.hint('events', label)}",
                )
    for task, labels in article.annotated.items():
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
    """Every problem of a data set, duplicate article ids included; lines are positions from 1."""
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
