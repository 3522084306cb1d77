"""Records of events, made from the text and the annotation of an article."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from typing import Literal

from ...errors import shown
from ..dates import DateValue, resolve_date
from ..dates.context import REACH
from ..dates.names import fold
from ..mentions import Entity, Event, Sentence, Span
from ..problems import DataError, Problem
from ..text.sentences import split_sentences
from .layout import NewsLayout, layout_of
from .roles import is_date, is_date_role, is_place_role

_DEFINITE = "ال"


@dataclass(frozen=True, kw_only=True, slots=True)
class Filler:
    """A mention that fills a role of an event.

    Attributes:
        text: the surface.
        label: of the entity.
        start: first code point.
        end: one past the last code point.
        score: probability of the argument; None on gold and on inherited fillers.
        date: value, if the role or the label is that of a date or time; else None.
        inherited: empty for an argument of the event; ``lead`` for one of an event in the lead that is very likely the
            same event, see `event_records`.
    """

    text: str
    label: str
    start: int
    end: int
    score: float | None = None
    date: DateValue | None = None
    inherited: Literal["", "lead"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRecord:
    """An event with one of its types.

    Attributes:
        article_id: id of the article.
        title: of the article; empty if it has none.
        source: as given; empty if it has none.
        published: date of the article, as given; empty if it has none.
        event_id: id of the event; records of one trigger share it.
        type: event type.
        score: probability of the type; None on gold.
        trigger: word or words that express the event.
        fillers: role → its fillers, for roles that have one.
        sentence: where the trigger starts.
        dateline: the place that the lead begins with (``بيروت (وكالة) - ``), or None. The report was written there; the
            event may have happened elsewhere.
    """

    article_id: str
    title: str
    source: str
    published: str
    event_id: str
    type: str
    score: float | None
    trigger: Span
    fillers: Mapping[str, tuple[Filler, ...]]
    sentence: Span
    dateline: Entity | None


_Fillers = Mapping[str, tuple[Filler, ...]]
"""Role → its fillers."""


def event_records(
    text: str,
    *,
    article_id: str,
    title: str,
    source: str,
    published: str,
    entities: Sequence[Entity],
    events: Sequence[Event],
    sentences: Sequence[Sentence],
) -> tuple[EventRecord, ...]:
    """One record for each event and type of an article, in the order of the events: `Article.records`.

    Dates are resolved against the date of the article. Two kinds of events take a place or date that they lack from
    events of their type in the lead (the first paragraph below the title), if these agree on it: events of the title,
    and later ones named by a definite noun that the lead has, as ``الهجوم`` after ``هجوم``. Such fillers are marked as
    inherited.

    Args:
        text: of the article.
        article_id: for the records and for errors.
        title: as given; may be empty.
        source: as given; may be empty.
        published: date of the article, see `publication_day`; may be empty.
        entities: with the surfaces of the text.
        events: gold or predicted, with the surfaces of the text.
        sentences: of the article; where they are missing, the text is split.

    Raises:
        DataError: an argument names an entity that the article lacks.
    """
    if not events:
        return ()
    layout = layout_of(text, title, entities)
    arguments = _Arguments(text, article_id, publication_day(published), entities)
    filled = [arguments.of(event) for event in events]
    spans = _Sentences(text, sentences)
    lead = _Lead(events, filled, layout)
    records: list[EventRecord] = []
    for event, own in zip(events, filled, strict=True):
        sentence = spans.around(event.trigger)
        for label, score in zip_longest(event.types, event.scores[: len(event.types)]):
            records.append(
                EventRecord(
                    article_id=article_id,
                    title=layout.title,
                    source=source,
                    published=published,
                    event_id=event.id,
                    type=label,
                    score=score,
                    trigger=event.trigger,
                    fillers={**lead.given(event, label), **own},
                    sentence=sentence,
                    dateline=layout.dateline,
                )
            )
    return tuple(records)


def publication_day(published: str) -> date | None:
    """The day of an article's date: ISO 8601, or a full date that `resolve_date` reads; None if there is none.

    >>> publication_day("2019-05-12T22:00:00Z"), publication_day("12 أيار/مايو 2019")
    (datetime.date(2019, 5, 12), datetime.date(2019, 5, 12))
    """
    given = published.strip()
    try:
        return date.fromisoformat(given[:10])
    except ValueError:
        value = resolve_date(given, None)
        return date.fromisoformat(value.value) if value.granularity == "day" else None


class _Arguments:
    """Fillers from the arguments of an article's events."""

    def __init__(self, text: str, article_id: str, published: date | None, entities: Iterable[Entity]) -> None:
        self.text = text
        self.article_id = article_id
        self.published = published
        self.entities = {entity.id: entity for entity in entities if entity.id}

    def of(self, event: Event) -> _Fillers:
        """Role → fillers of an event's arguments, in the order of the arguments."""
        found: dict[str, list[Filler]] = {}
        for argument in event.arguments:
            if (entity := self.entities.get(argument.entity)) is None:
                message = (
                    f"{argument.role} of {shown(event.trigger.text)} names entity {argument.entity!r}, which the "
                    "article lacks; give the entity this id, or leave the argument out"
                )
                raise DataError(
                    [Problem(source="article", article=self.article_id, cause="unknown id", message=message)]
                )
            found.setdefault(argument.role, []).append(
                Filler(
                    text=entity.text,
                    label=entity.label,
                    start=entity.start,
                    end=entity.end,
                    score=argument.score,
                    date=self._value(entity) if is_date(argument.role, entity.label) else None,
                )
            )
        return {role: tuple(fillers) for role, fillers in found.items()}

    def _value(self, mention: Entity) -> DateValue:
        before = self.text[max(0, mention.start - REACH) : mention.start]
        after = self.text[mention.end : mention.end + REACH]
        return resolve_date(mention.text, self.published, before=before, after=after)


class _Lead:
    """The places and dates of the events in the lead, for events that very likely repeat them."""

    def __init__(self, events: Sequence[Event], filled: Sequence[_Fillers], layout: NewsLayout) -> None:
        self.layout = layout
        by_type: dict[str, list[_Fillers]] = {}
        by_noun: dict[tuple[str, str], list[_Fillers]] = {}
        for event, fillers in zip(events, filled, strict=True):
            if layout.lead[0] <= event.trigger.start < layout.lead[1]:
                noun = fold(event.trigger.text).removeprefix(_DEFINITE)
                for label in event.types:
                    by_type.setdefault(label, []).append(fillers)
                    by_noun.setdefault((label, noun), []).append(fillers)
        self.by_type = {label: _agreed(found) for label, found in by_type.items()}
        self.by_noun = {key: _agreed(found) for key, found in by_noun.items()}

    def given(self, event: Event, label: str) -> _Fillers:
        """Role → fillers for an event of a type; empty if it is unlikely to repeat one of the lead."""
        in_title = event.trigger.start < self.layout.title_end
        noun = fold(event.trigger.text)
        if not in_title and (event.trigger.start < self.layout.lead[1] or not noun.startswith(_DEFINITE)):
            return {}
        same = self.by_noun.get((label, noun.removeprefix(_DEFINITE)))
        return self.by_type.get(label, {}) if same is None and in_title else same or {}


def _agreed(events: Sequence[_Fillers]) -> _Fillers:
    """The places and dates of which no two events have different ones, marked as inherited."""
    found: dict[str, list[tuple[Filler, ...]]] = {}
    for fillers in events:
        for role, values in fillers.items():
            if is_place_role(role) or is_date_role(role):
                found.setdefault(role, []).append(values)
    return {
        role: tuple(replace(filler, score=None, inherited="lead") for filler in values[0])
        for role, values in found.items()
        if len({frozenset(filler.text for filler in fillers) for fillers in values}) == 1
    }


class _Sentences:
    """The sentences of an article; where it has none, those of its text."""

    def __init__(self, text: str, sentences: Iterable[Sentence]) -> None:
        self.text = text
        self.given = sorted((sentence.start, sentence.end) for sentence in sentences)
        self.split: list[tuple[int, int]] | None = None

    def around(self, trigger: Span) -> Span:
        """The sentence where the trigger starts; the trigger itself if it is in none."""
        found = _containing(self.given, trigger.start)
        if found is None:
            self.split = split_sentences(self.text) if self.split is None else self.split
            found = _containing(self.split, trigger.start)
        return Span(start=found[0], end=found[1], text=self.text[slice(*found)]) if found else trigger


def _containing(spans: Sequence[tuple[int, int]], offset: int) -> tuple[int, int] | None:
    """The span that has an offset, of spans in the order of the text."""
    at = bisect_right(spans, offset, key=lambda span: span[0]) - 1
    return spans[at] if at >= 0 and offset < spans[at][1] else None
