"""Turns the results of one Label Studio annotation (regions, choices, relations) into entities and events."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....errors import shown
from ...articles import Argument, Entity, Event, Span
from ...problems import ArticleLog
from ..common.flat_labels import trigger_types
from ..common.offsets import Offsets
from .names import MADE_ID, TRIGGERS
from .spans import find_span

Item = Mapping[str, Any]
Scored = tuple[str, float | None]

_LABELS = ("labels", "hypertextlabels")


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
    results: Sequence[Item], text: str, log: ArticleLog, triggers: Collection[str]
) -> tuple[tuple[Entity, ...], tuple[Event, ...], list[Scored]]:
    """Entities and events in order, and the event types of the article.

    Args:
        results: results of one annotation.
        text: text of the task.
        log: records problems.
        triggers: labels of regions that are event triggers.
    """
    regions = _regions(results, text, log, triggers)
    types = _choices(results, regions, log)
    _relations(results, regions, log)
    for item in results:
        if item.get("type") not in (*_LABELS, "choices", "relation"):
            log.drop("result type", f"a result of type {shown(item.get('type'))} has no place in an article")
    entities = sorted(_entities(regions), key=lambda entity: (entity.start, -entity.end))
    events = sorted(_events(regions), key=lambda event: event.trigger.start)
    return tuple(entities), tuple(events), types


def id_text(name: Any) -> str:
    """An id as text; empty if it is not an id."""
    if type(name) is int and abs(name) < 2**63:
        return str(name)
    return name if isinstance(name, str) else ""


def scores(labels: Sequence[Scored]) -> tuple[float, ...]:
    """Scores of the labels; empty if one is missing."""
    known = tuple(score for _, score in labels if score is not None)
    return known if len(known) == len(labels) else ()


def _regions(results: Sequence[Item], text: str, log: ArticleLog, triggers: Collection[str]) -> list[_Region]:
    """Regions in the order of the file; items with one id, and triggers by label with one span, are merged."""
    offsets = Offsets(text)
    breaks = [at.start() - number for number, at in enumerate(re.finditer("\r\n", text))]
    regions: list[_Region] = []
    by_id: dict[str, _Region] = {}
    flat: dict[tuple[int, int], _Region] = {}
    for item in results:
        if item.get("type") not in _LABELS or (span := find_span(item, offsets, breaks, log)) is None:
            continue
        name = id_text(item.get("id"))
        if item.get("meta"):
            log.fix("note", f"the note on region {shown(name)} is left out")
        labels = _labeled(item, item["value"], _LABELS, log)
        own = item.get("from_name") == TRIGGERS
        types = labels if own else []
        for label, score in () if own else labels:
            types += [(kind, score) for kind in trigger_types(label, triggers) or ()]
        mentions = [] if own else [pair for pair in labels if trigger_types(pair[0], triggers) is None]
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


def _listed(labels: Any) -> str:
    """Stored labels as a message shows them."""
    if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
        return shown("+".join(labels))
    return shown(labels)


def _labeled(item: Item, value: Item, keys: Sequence[str], log: ArticleLog) -> list[Scored]:
    """The labels of a result with their scores."""
    stored = next((value[key] for key in keys if value.get(key)), None)
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


def _choices(results: Sequence[Item], regions: Sequence[_Region], log: ArticleLog) -> list[Scored]:
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
        if not meant and span == (None, None):
            types += [pair for pair in labels if pair[0] not in dict(types)]
        elif meant and regions[meant[0]].types:
            chosen.setdefault(meant[0], []).extend(labels)
        else:
            message = f"choices {_names(labels)} belong to no trigger; name the label of their region in triggers"
            log.drop("choices of a region", message)
    for at, labels in chosen.items():
        log.fix("types by choices", f"{_names(regions[at].types)} of a trigger is read as {_names(labels)}")
        regions[at].types = labels
    return types


def _relations(results: Sequence[Item], regions: Sequence[_Region], log: ArticleLog) -> None:
    """Give triggers their arguments."""
    by_id = {name: region for region in reversed(regions) for name in region.ids if name}
    for item in results:
        if item.get("type") != "relation":
            continue
        ends = [id_text(item.get(key)) for key in ("from_id", "to_id")]
        what = f"relation {_listed(item.get('labels'))} from {shown(ends[0])} to {shown(ends[1])}"
        if missing := [name for name in ends if name not in by_id]:
            log.drop("relation", f"{what}: there is no region {shown(missing[0])}, or it was dropped")
            continue
        first, second = (by_id[name] for name in ends)
        pairs = [(t, e) for t, e in ((first, second), (second, first)) if t.types and e.labels and t is not e]
        if not pairs:
            log.drop("relation", f"{what} is not between a trigger and an entity")
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
