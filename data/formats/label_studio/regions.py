"""Turns the results of one Label Studio annotation (regions, choices, relations) into entities and events."""

import json
import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ....errors import shown
from ...articles import Argument, Entity, Event, Span
from ...problems import ArticleLog
from ..common.flat_labels import trigger_types
from .html_text import HtmlPage
from .layout import REGIONS, Layout
from .names import ENTITIES, MADE_ID, TRIGGERS
from .spans import Places, find_span
from .versions import Item, id_text

Scored = tuple[str, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How results are read.

    Attributes:
        triggers: labels of regions that are event triggers.
        scored: results have scores; those in an annotation come from the pre-annotation that the annotator corrected.
        layout: what controls and objects are.
    """

    triggers: frozenset[str]
    scored: bool
    layout: Layout


@dataclass(slots=True)
class _Region:
    """A range of the text with its labels (of a mention) and types (of a trigger).

    Attributes:
        id: first id, empty if there is none.
        start: offset in code points.
        end: offset in code points, exclusive.
        labels: labels of the entities.
        types: event types of the trigger.
        arguments: arguments of the trigger.
        is_argument: some argument refers to it.
        ids: ids of all regions that were merged into it.
    """

    id: str
    start: int
    end: int
    labels: list[Scored] = field(default_factory=list)
    types: list[Scored] = field(default_factory=list)
    arguments: list[Argument] = field(default_factory=list)
    is_argument: bool = False
    ids: set[str] = field(default_factory=set)


def annotations(
    results: Sequence[Item], key: str, text: str | HtmlPage, log: ArticleLog, reading: Reading
) -> tuple[tuple[Entity, ...], tuple[Event, ...], list[Scored]]:
    """Entities and events in order, and the event types of the article.

    Args:
        results: results of one annotation.
        key: key of the data with the text.
        text: text of the task.
        log: records problems.
        reading: how they are read.
    """
    if not reading.scored:
        results = [{name: item[name] for name in item if name not in ("score", "scores")} for item in results]
    elsewhere = {id_text(item.get("id")) for item in results if _is_elsewhere(item, key, reading)}
    regions = _regions(results, key, text, log, reading)
    types = _choices(results, regions, log, reading)
    _relations(results, regions, elsewhere, log)
    for item in results:
        _leave_out(item, log)
    entities = sorted(_entities(regions), key=lambda entity: (entity.start, -entity.end))
    events = sorted(_events(regions), key=lambda event: event.trigger.start)
    return tuple(entities), tuple(events), types


def _is_elsewhere(item: Item, key: str, reading: Reading) -> bool:
    """Whether a result is a region of an object that shows another key than the text's."""
    name = item.get("to_name")
    return item.get("type") in REGIONS and isinstance(name, str) and name in reading.layout.other.get(key, ())


def _leave_out(item: Item, log: ArticleLog) -> None:
    """Log a result of a kind that has no place in an article, such as a rating."""
    kind = item.get("type")
    if not isinstance(kind, str):
        log.drop("result type", f"the type of a result is {shown(kind)}, not a string")
    elif kind not in (*REGIONS, "choices", "relation"):
        value = item.get("value")
        value = value.get(kind, value.get("text")) if isinstance(value, dict) else value
        message = f"{shown(kind)} of the control {shown(item.get('from_name'))} has no place in an article"
        log.fix("other control", f"{message}: {shown(json.dumps(value, ensure_ascii=False))} is left out")


def scores(labels: Sequence[Scored]) -> tuple[float, ...]:
    """Scores of the labels; empty if one is missing."""
    known = tuple(score for _, score in labels if score is not None)
    return known if len(known) == len(labels) else ()


def _regions(
    results: Sequence[Item], key: str, text: str | HtmlPage, log: ArticleLog, reading: Reading
) -> list[_Region]:
    """Regions in the order of the file; items with one id, and triggers by label with one span, are merged."""
    here = [item for item in results if item.get("type") in REGIONS and not _is_elsewhere(item, key, reading)]
    places = Places.of(text, here)
    regions: list[_Region] = []
    by_id: dict[str, _Region] = {}
    flat: dict[tuple[int, int], _Region] = {}
    for item in results:
        if item.get("type") not in REGIONS:
            continue
        if _is_elsewhere(item, key, reading):
            _log_elsewhere(item, key, log)
            continue
        if (span := find_span(item, places, log)) is None:
            continue
        name = id_text(item.get("id"))
        if item.get("meta"):
            log.fix("note", f"the note on region {shown(name)} is left out")
        labels = _labeled(item, item["value"], REGIONS, log)
        own = item.get("from_name") == TRIGGERS
        types = labels if own else []
        for label, score in () if own else labels:
            types += [(kind, score) for kind in trigger_types(label, reading.triggers) or ()]
        mentions = [] if own else [pair for pair in labels if trigger_types(pair[0], reading.triggers) is None]
        if not mentions and not types:
            continue
        region = by_id.get(name) if name else None
        if region is not None and (region.start, region.end) != span:
            log.fix("duplicate id", f"region {span[0]}-{span[1]} loses its id {shown(name)}, which another region has")
            region, name = None, ""
        if region is None and not own and not mentions:
            region = flat.get(span)
        if region is None:
            regions.append(region := _Region(name, *span))
        if name:
            by_id[name] = region
            region.ids.add(name)
            region.id = region.id or name
        if types and not own:
            flat.setdefault(span, region)
            types = [pair for pair in types if pair[0] not in dict(region.types)]
        region.labels += mentions
        region.types += types
    return regions


def _log_elsewhere(item: Item, key: str, log: ArticleLog) -> None:
    value = item["value"] if isinstance(item.get("value"), dict) else {}
    message = f"a region of the object {shown(item.get('to_name'))} is left out: {shown(value.get('text'))}"
    log.fix("other text", f"{message}; the text is {shown(key)} of data, the option text_key reads another")


def _listed(labels: Any) -> str:
    """Stored labels as a message shows them."""
    if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
        return shown("+".join(labels))
    return shown(labels)


def _labeled(item: Item, value: Item, keys: Sequence[str], log: ArticleLog) -> list[Scored]:
    """The labels of a result with their scores."""
    stored = next((value[key] for key in keys if value.get(key)), None)
    if stored is None and item.get("type") in REGIONS and not any(key in value for key in keys):
        lack = f"was the project without the controls {ENTITIES!r} and {TRIGGERS!r} when predictions were imported?"
        hint = f"{lack} Use the labeling configuration that rasid tag and rasid init write"
        log.drop("no label", f"region {shown(value.get('text'))} has no label: {hint}")
        return []
    listed = stored if isinstance(stored, list) else []
    labels = [label for label in listed if isinstance(label, str) and label]
    if not labels or len(labels) < len(listed):
        log.drop("no label", f"a label is a string that is not empty; the labels are {_listed(stored)}")
        return [(label, None) for label in labels]
    single = item.get("scores")
    if not isinstance(single, list) or len(single) != len(labels):
        single = [item.get("score")] * len(labels)
    wrong = [score for score in single if score is not None and not _is_score(score)]
    if wrong:
        log.drop("score", f"score {shown(wrong[0])} of {_listed(labels)} is not a number")
    return [(label, score if _is_score(score) else None) for label, score in zip(labels, single, strict=True)]


def _names(labels: Sequence[Scored]) -> str:
    return _listed([label for label, _ in labels])


def _is_score(score: Any) -> bool:
    return type(score) is int and abs(score) < 2**63 or type(score) is float and math.isfinite(score)


def _choices(results: Sequence[Item], regions: Sequence[_Region], log: ArticleLog, reading: Reading) -> list[Scored]:
    """The event types of the article; choices of a region become the types of its trigger."""
    types: list[Scored] = []
    chosen: dict[int, list[Scored]] = {}
    for item in results:
        if item.get("type") != "choices":
            continue
        value = item["value"] if isinstance(item.get("value"), dict) else {}
        labels = _labeled(item, value, ["choices"], log)
        name, span = id_text(item.get("id")), (value.get("start"), value.get("end"))
        meant = [at for at, region in enumerate(regions) if name in region.ids]
        of_region = bool(meant) or span != (None, None)
        what = f"{_names(labels)} of the control {shown(item.get('from_name'))}"
        if not labels:
            continue
        if str(item.get("from_name")) not in reading.layout.types:
            of = f"chosen for a region ({shown(value.get('text'))}) " if of_region else ""
            hint = "if its choices are event types, name it with the option event_types_from"
            log.fix("other control", f"{what} {of}is left out; {hint}")
        elif not of_region:
            types += [pair for pair in labels if pair[0] not in dict(types)]
        elif meant and regions[meant[0]].types:
            chosen.setdefault(meant[0], []).extend(labels)
        else:
            message = f"{what} belongs to no trigger; name the label of its region with the option triggers"
            log.drop("choices of a region", message)
    for at, labels in chosen.items():
        log.fix("types by choices", f"{_names(regions[at].types)} of a trigger is read as {_names(labels)}")
        regions[at].types = labels
    return types


def _relations(results: Sequence[Item], regions: Sequence[_Region], elsewhere: Set[str], log: ArticleLog) -> None:
    """Give triggers their arguments.

    Args:
        results: results of one annotation.
        regions: take the arguments.
        elsewhere: ids of regions of other texts.
        log: records what is no argument.
    """
    by_id = {name: region for region in reversed(regions) for name in region.ids if name}
    for item in results:
        if item.get("type") != "relation":
            continue
        ends = [id_text(item.get(key)) for key in ("from_id", "to_id")]
        what = f"relation {_listed(item.get('labels'))} from {shown(ends[0])} to {shown(ends[1])}"
        if missing := [name for name in ends if name not in by_id]:
            if any(name in elsewhere for name in missing):
                log.fix("other text", f"{what} is left out: region {shown(missing[0])} is in another text")
            else:
                log.drop("relation", f"{what}: there is no region {shown(missing[0])}, or it was dropped")
            continue
        first, second = (by_id[name] for name in ends)
        pairs = [(t, e) for t, e in ((first, second), (second, first)) if t.types and e.labels and t is not e]
        if not pairs or not item.get("labels"):
            why = "it has no role" if pairs else "it is not between a trigger and an entity"
            log.fix("relation", f"{what} is left out: {why}")
            continue
        trigger, entity = pairs[0]
        roles = _labeled(item, item, ["labels"], log)
        trigger.arguments += [Argument(role=role, entity=entity.id, score=score) for role, score in roles]
        entity.is_argument |= bool(roles)


def _entities(regions: Sequence[_Region]) -> Iterator[Entity]:
    for region in regions:
        name = "" if MADE_ID.fullmatch(region.id) and not region.is_argument else region.id
        for label, score in region.labels:
            yield Entity(start=region.start, end=region.end, label=label, id=name, score=score)
            name = ""  # only the first entity of a region has the id


def _events(regions: Sequence[_Region]) -> Iterator[Event]:
    for region in regions:
        if region.types:
            yield Event(
                trigger=Span(start=region.start, end=region.end),
                types=tuple(label for label, _ in region.types),
                arguments=tuple(region.arguments),
                id="" if region.labels or MADE_ID.fullmatch(region.id) else region.id,
                scores=scores(region.types),
            )
