"""The results of one Label Studio annotation: regions, choices and relations as entities and events."""

import math
import re
import reprlib
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...articles import Argument, Entity, Event, Span
from ...problems import ArticleLog
from ...text.words import trim
from ..common.flat_labels import trigger_types
from ..common.offsets import OffsetError, Offsets
from .writer import MADE_ID, TRIGGERS

Item = Mapping[str, Any]
Scored = tuple[str, float | None]

_LABELS = ("labels", "hypertextlabels")
_SQUEEZE = 8  # how much longer than its squeezed surface a region may be, so that none costs the whole text
_FARTHEST = 2**31  # what lies beyond is no offset, and more than a regular expression takes


@dataclass(slots=True)
class _Region:
    """A range of the text with what was said of it; as a trigger it has types, as a mention labels."""

    id: str
    start: int
    end: int
    labels: list[Scored] = field(default_factory=list)
    types: list[Scored] = field(default_factory=list)
    arguments: list[Argument] = field(default_factory=list)
    named: bool = False  # by an argument
    ids: set[str] = field(default_factory=set)  # of all that was made one


def annotated(
    results: Sequence[Item], text: str, place: ArticleLog, triggers: Collection[str], scored: bool
) -> tuple[tuple[Entity, ...], tuple[Event, ...], list[Scored]]:
    """Entities and events in order, and the event types of the article.

    Args:
        results: of one annotation.
        text: that the regions lie in.
        place: takes the problems.
        triggers: labels of regions that are event triggers.
        scored: take scores; those of an annotation are left over from a pre-annotation that a person has annotated.
    """
    regions = _regions(results, text, place, triggers, scored)
    types = _choices(results, regions, place, scored)
    _relations(results, regions, place, scored)
    for item in results:
        if item.get("type") not in (*_LABELS, "choices", "relation"):
            message = (
                f"a result of type {shown(item.get('type'))} ({shown(item.get('value'))}) has no place in an article"
            )
            place.drop("result type", message)
    entities = sorted(_entities(regions), key=lambda entity: (entity.start, -entity.end))
    events = sorted(_events(regions), key=lambda event: event.trigger.start)
    return tuple(entities), tuple(events), types


def id_text(name: Any) -> str:
    """An id as text; empty where it is none."""
    if type(name) is int and abs(name) < 2**63:
        return str(name)
    return name if isinstance(name, str) else ""


def scores(labels: Sequence[Scored]) -> tuple[float, ...]:
    """Scores aligned with labels; empty where one is not known."""
    known = tuple(score for _, score in labels if score is not None)
    return known if len(known) == len(labels) else ()


def shown(value: Any) -> str:
    """A value for a message, cut in length and depth."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def _regions(
    results: Sequence[Item], text: str, place: ArticleLog, triggers: Collection[str], scored: bool
) -> list[_Region]:
    """Regions in the order of the file; items of one region, and flat triggers of one span, are one."""
    offsets = Offsets(text)
    breaks = [at.start() - number for number, at in enumerate(re.finditer("\r\n", text))]
    regions: list[_Region] = []
    by_id: dict[str, _Region] = {}
    flat: dict[tuple[int, int], _Region] = {}
    for item in results:
        if item.get("type") not in _LABELS or (span := _span(item, offsets, breaks, place)) is None:
            continue
        name = id_text(item.get("id"))
        if item.get("meta"):
            place.fix("note", f"the note {shown(item['meta'])} of a region is left out")
        labels = _labeled(item, item["value"], _LABELS, scored, place)
        own = item.get("from_name") == TRIGGERS
        types = labels if own else []
        for label, score in () if own else labels:
            types += [(kind, score) for kind in trigger_types(label, triggers) or ()]
        mentions = [] if own else [pair for pair in labels if trigger_types(pair[0], triggers) is None]
        if not mentions and not types:
            continue
        region = by_id.get(name) if name else None
        if region is not None and (region.start, region.end) != span:
            place.fix("duplicate id", f"the region {span[0]}-{span[1]} lost its id {name!r}, which another one has")
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


def _span(item: Item, offsets: Offsets, breaks: list[int], place: ArticleLog) -> tuple[int, int] | None:
    """The range that a region means; None where it cannot be told, which is recorded."""
    value = item.get("value")
    if not isinstance(value, dict):
        place.drop("wrong kind", f"the value of a region is {shown(value)}, not an object")
        return None
    stored = value.get("text")
    surface = stored if isinstance(stored, str) else ""
    bounds = _bounds(value, bool(surface))
    if bounds is None:
        place.drop("no offsets", f"region {shown(value)} has no offsets in the text; HTML is read with 'globalOffsets'")
        return None
    try:
        start, end, done = _settled(offsets, breaks, *bounds, surface)
    except OffsetError as error:
        place.drop("offsets", f"region {shown(_named(value))}: {error}")
        return None
    text = offsets.text
    if done:
        place.fix(done.split(" by ")[0], f"{bounds[0]}-{bounds[1]} {surface!r} is {start}-{end}: {done}")
    if text[start].isspace() or text[end - 1].isspace():
        inner = trim(text, start, end)
        if inner[0] == inner[1]:
            place.drop("white space", f"the region {start}-{end} {text[start:end]!r} holds nothing but white space")
            return None
        place.fix("white space at an edge", f"{start}-{end} {text[start:end]!r} is read as {inner[0]}-{inner[1]}")
        start, end = inner
    return start, end


def _bounds(value: Item, proven: bool) -> tuple[int, int] | None:
    """Offsets as stored; those into a rendered page only where a surface can prove them."""
    pairs: list[tuple[Any, Any]] = [(value.get("start"), value.get("end"))]
    if proven:
        inner = value.get("globalOffsets")
        pairs += [(inner.get("start"), inner.get("end"))] if isinstance(inner, dict) else []
        if value.get("start") == value.get("end"):  # both in the same piece of the page
            pairs.append((value.get("startOffset"), value.get("endOffset")))
    for pair in pairs:
        first, last = (int(n) if isinstance(n, str) and re.fullmatch("[0-9]{1,9}", n) else n for n in pair)
        if type(first) is int and type(last) is int and max(abs(first), abs(last)) < _FARTHEST:
            return first, last
    return None


def _settled(offsets: Offsets, breaks: list[int], start: int, end: int, surface: str) -> tuple[int, int, str]:
    """As `Offsets.settle`, and what the tool does to surfaces and line ends is seen through."""
    try:
        return offsets.settle(start, end, surface)
    except OffsetError:
        length, squeezed = len(offsets.text), _squeezed(surface)
        guesses = [((start, end), "white space of the surface"), (offsets.from_utf16(start, end), "UTF-16 units")]
        if breaks:  # a browser may have shown each line end as one character
            both = [at + bisect_left(breaks, at) for at in (start, end)]
            guesses.append(((both[0], both[1]), "CRLF counted as one"))
        for found, done in guesses:
            if not squeezed or found is None or not 0 <= found[0] < found[1] <= length:
                continue
            wide = found[1] - found[0] > _SQUEEZE * len(surface)
            if not wide and _squeezed(offsets.text[slice(*found)]) == squeezed:
                return *found, done
        raise


def _squeezed(surface: str) -> str:
    """A surface as the tool stores it: line ends as two characters, runs of white space as one space."""
    return " ".join(surface.replace("\\n", " ").split())


def _named(value: Item) -> Any:
    return next((value[key] for key in _LABELS if key in value), value)


def _labeled(item: Item, value: Item, keys: Sequence[str], scored: bool, place: ArticleLog) -> list[Scored]:
    """The labels of a result with their scores."""
    stored = next((value[key] for key in keys if value.get(key)), None)
    listed = stored if isinstance(stored, list) else []
    labels = [label for label in listed if isinstance(label, str) and label]
    if not labels or len(labels) < len(listed):
        message = f"{shown(stored)} of {shown(value)} are no labels, which are strings with something in them"
        place.drop("no label", message)
        return [(label, None) for label in labels]
    if not scored:
        return [(label, None) for label in labels]
    single = item.get("scores")
    if not isinstance(single, list) or len(single) != len(labels):
        single = [item.get("score")] * len(labels)
    wrong = [score for score in single if score is not None and not _is_score(score)]
    if wrong:
        place.drop("score", f"score {shown(wrong[0])} of {shown(labels)} is no number")
    return [(label, score if _is_score(score) else None) for label, score in zip(labels, single, strict=True)]


def _is_score(score: Any) -> bool:
    return type(score) is int and abs(score) < 2**63 or type(score) is float and math.isfinite(score)


def _choices(results: Sequence[Item], regions: Sequence[_Region], place: ArticleLog, scored: bool) -> list[Scored]:
    """The event types of the article; those of a region become types of its trigger."""
    types: list[Scored] = []
    chosen: dict[int, list[Scored]] = {}
    for item in results:
        if item.get("type") != "choices":
            continue
        value = item["value"] if isinstance(item.get("value"), dict) else {}
        labels = _labeled(item, value, ["choices"], scored, place)
        name, span = id_text(item.get("id")), (value.get("start"), value.get("end"))
        meant = [at for at, region in enumerate(regions) if name in region.ids]
        if not meant and span == (None, None):
            types += [pair for pair in labels if pair[0] not in dict(types)]
        elif meant and regions[meant[0]].types:
            chosen.setdefault(meant[0], []).extend(labels)
        else:
            message = f"choices {shown(labels)} belong to no trigger; name the label of their region in triggers"
            place.drop("choices of a region", message)
    for at, labels in chosen.items():
        old = [label for label, _ in regions[at].types]
        place.fix("types by choices", f"{shown(old)} of a trigger is read as {shown([label for label, _ in labels])}")
        regions[at].types = labels
    return types


def _relations(results: Sequence[Item], regions: Sequence[_Region], place: ArticleLog, scored: bool) -> None:
    """Give triggers their arguments."""
    by_id = {name: region for region in reversed(regions) for name in region.ids if name}
    for item in results:
        if item.get("type") != "relation":
            continue
        ends = [id_text(item.get(key)) for key in ("from_id", "to_id")]
        what = f"relation {shown(item.get('labels'))} from {shown(ends[0])} to {shown(ends[1])}"
        if missing := [name for name in ends if name not in by_id]:
            place.drop("relation", f"{what}: there is no region {shown(missing[0])}, or it was left out")
            continue
        first, second = (by_id[name] for name in ends)
        pairs = [(t, e) for t, e in ((first, second), (second, first)) if t.types and e.labels and t is not e]
        if not pairs:
            place.drop("relation", f"{what} is not between a trigger and an entity; those are no arguments")
            continue
        trigger, entity = pairs[0]
        roles = _labeled(item, item, ["labels"], scored, place)
        trigger.arguments += [Argument(role=role, entity=entity.id, score=score) for role, score in roles]
        entity.named |= bool(roles)


def _entities(regions: Sequence[_Region]) -> Iterator[Entity]:
    for region in regions:
        name = "" if MADE_ID.fullmatch(region.id) and not region.named else region.id
        for label, score in region.labels:
            yield Entity(start=region.start, end=region.end, label=label, id=name, score=score)
            name = ""  # of several labels the first one has the id


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
