"""The data model: an article with its annotation, and validation of annotations.

All offsets are half-open ranges of Unicode code points of ``Article.text``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import renamed
from ..errors import shown
from .labels import KINDS, LabelScheme
from .mentions import Argument, Entity, Event, Sentence, Span

if TYPE_CHECKING:
    from .records import EventRecord

__all__ = [
    "TASKS",
    "AnnotatedLabels",
    "Argument",
    "Article",
    "Entity",
    "Event",
    "Fault",
    "Sentence",
    "Span",
    "Task",
    "check_article",
    "valid_part",
]

Task = Literal["entities", "triggers", "proclitics", "arguments", "sentence_types", "article_types"]
TASKS: tuple[Task, ...] = get_args(Task)
AnnotatedLabels = Mapping[Task, tuple[str, ...]]
"""Task → labels that were annotated; a task that is absent was not annotated at all."""

Fault = tuple[str, str]
"""A short cause, for counting, and a message."""


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

        def filled(span: Any) -> Any:
            return span if span.text else replace(span, text=surface[span.start : span.end])

        events = tuple(e if e.trigger.text else replace(e, trigger=filled(e.trigger)) for e in self.events)
        object.__setattr__(self, "entities", tuple(map(filled, self.entities)))
        object.__setattr__(self, "events", events)
        if not renamed.TASKS.keys().isdisjoint(self.annotated):
            annotated = {renamed.TASKS.get(task, task): labels for task, labels in self.annotated.items()}
            object.__setattr__(self, "annotated", annotated)

    @property
    def records(self) -> "tuple[EventRecord, ...]":
        """One record for each event and type, in the order of the events; see `rasid.data.records.event_records`.

        They are made anew at each access.

        Raises:
            DataError: an argument names an entity that the article lacks.

        >>> text = "قصف في حلب أمس"
        >>> entities = (Entity(id="e1", label="GPE", start=7, end=10), Entity(id="e2", label="DATE", start=11, end=14))
        >>> arguments = (Argument(role="Location", entity="e1"), Argument(role="Date", entity="e2"))
        >>> event = Event(trigger=Span(start=0, end=3), types=("ASSAULT",), arguments=arguments)
        >>> (record,) = Article(text=text, date="2019-05-12", entities=entities, events=(event,)).records
        >>> record.type, record.fillers["Location"][0].text, record.fillers["Date"][0].date.value
        ('ASSAULT', 'حلب', '2019-05-11')
        """
        from .records import event_records  # imports NumPy, which reading and writing articles does not need

        return event_records(
            self.text,
            article_id=self.id,
            title=self.title or "",
            source=self.source or "",
            published=self.date or "",
            entities=self.entities,
            events=self.events,
            sentences=self.sentences,
        )


def check_article(article: Article, scheme: LabelScheme | None = None) -> Iterator[Fault]:
    """Yield (cause, message) for every problem of an article.

    Args:
        article: gold or predicted.
        scheme: labels to check against; None checks spans and ids only.
    """
    for checked in _checked(article, scheme).values():
        for _, faults in checked:
            yield from faults


def valid_part(article: Article) -> tuple[Article, list[Fault]]:
    """An article without the mentions, events, sentences and tasks that have a problem, and the problems.

    Labels are not checked. An event with an argument that was left out is left out as well.
    """
    checked = _checked(article, None, drop=True)
    problems = [fault for items in checked.values() for _, faults in items for fault in faults]
    if not problems:
        return article, []
    valid: dict[str, Any] = {
        name: tuple(item for item, faults in items if not faults) for name, items in checked.items()
    }
    return replace(article, **valid | {"annotated": dict(valid["annotated"])}), problems


def _checked(
    article: Article, scheme: LabelScheme | None, *, drop: bool = False
) -> dict[str, list[tuple[Any, list[Fault]]]]:
    """Field of an article → its items, each with its problems.

    Args:
        article: to be checked.
        scheme: as for `check_article`.
        drop: entities with a problem count as missing where arguments name them.
    """
    seen: set[str] = set()
    entities = [(entity, list(_entity_faults(article, entity, seen, scheme))) for entity in article.entities]
    ids = {entity.id for entity, faults in entities if entity.id and not (drop and faults)}
    return {
        "entities": entities,
        "events": [(event, list(_event_faults(article, event, seen, ids, scheme))) for event in article.events],
        "event_types": [
            (label, list(_unknown_labels("event type", [label], "of the article", scheme)))
            for label in article.event_types
        ],
        "sentences": [(sentence, list(_sentence_faults(article, sentence, scheme))) for sentence in article.sentences],
        "annotated": [(item, list(_annotated_faults(*item, scheme))) for item in article.annotated.items()],
    }


def _span_faults(text: str, what: str, start: int, end: int, surface: str = "") -> Iterator[Fault]:
    if not 0 <= start <= end <= len(text):
        yield (
            "span outside the text",
            f"{what} {start}-{end} ({shown(surface)}) is outside the text of {len(text)} code points; "
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
            f"{what} {start}-{end} {shown(text[start:end])} starts or ends with white space; "
            f"the mention is {shown(text[start:end].strip())}",
        )
    elif surface and surface != text[start:end]:
        yield (
            "surface differs",
            f"{what} {start}-{end} has the surface {shown(surface)} but the text there is {shown(text[start:end])}; "
            "the offsets may count UTF-16 units, or the text was changed after annotation",
        )


_KINDS = {"entity label": "entities", "event type": "events", "role": "roles"}  # of labels, as attributes of a scheme


def _unknown_labels(kind: str, labels: Iterable[str], where: str, scheme: LabelScheme | None) -> Iterator[Fault]:
    for label in labels if scheme else ():
        if label not in getattr(scheme, _KINDS[kind]):
            hint = scheme.hint(_KINDS[kind], label)  # pyright: ignore[reportOptionalMemberAccess]
            yield "unknown label", f"{kind} {label!r} {where} is not in scheme {hint}"


def _repeated(mention: Entity | Event, surface: str, seen: set[str]) -> Iterator[Fault]:
    """The problem that a mention has the id of an earlier one; its id is added to ``seen``."""
    if mention.id and mention.id in seen:
        yield "duplicate id", f"id {mention.id!r} of {shown(surface)} is used twice in the article"
    seen.add(mention.id)


def _entity_faults(article: Article, entity: Entity, seen: set[str], scheme: LabelScheme | None) -> Iterator[Fault]:
    yield from _span_faults(article.text, f"entity {entity.label}", entity.start, entity.end, entity.text)
    yield from _unknown_labels("entity label", [entity.label], f"of {shown(entity.text)}", scheme)
    yield from _repeated(entity, entity.text, seen)


def _event_faults(
    article: Article, event: Event, seen: set[str], entity_ids: set[str], scheme: LabelScheme | None
) -> Iterator[Fault]:
    trigger = event.trigger
    where = f"of {shown(trigger.text)}"
    yield from _span_faults(article.text, "trigger", trigger.start, trigger.end, trigger.text)
    if not event.types:
        yield "no type", f"trigger {shown(trigger.text)} at {trigger.start} has no event type"
    yield from _repeated(event, trigger.text, seen)
    yield from _unknown_labels("event type", event.types, where, scheme)
    for argument in event.arguments:
        if argument.entity not in entity_ids:
            yield "unknown id", f"{argument.role} {where} names entity {argument.entity!r}, which the article lacks"
        yield from _unknown_labels("role", [argument.role], where, scheme)


def _sentence_faults(article: Article, sentence: Sentence, scheme: LabelScheme | None) -> Iterator[Fault]:
    yield from _span_faults(article.text, "sentence", sentence.start, sentence.end)
    yield from _unknown_labels("event type", sentence.types, f"of the sentence at {sentence.start}", scheme)


def _annotated_faults(task: str, labels: Iterable[str], scheme: LabelScheme | None) -> Iterator[Fault]:
    if task not in TASKS:
        yield "unknown task", f"annotated names {task!r}; the tasks are {', '.join(TASKS)}"
    elif scheme and task in KINDS:
        for label in labels:
            if label not in scheme.labels(task):
                hint = scheme.hint(KINDS[task], label)
                yield "unknown label", f"annotated label {label!r} of {task} is not in scheme {hint}"
