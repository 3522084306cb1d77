"""doccano JSONL: import and export files of sequence labeling projects, one example per line.

Each line may have one of three layouts: plain (``"label": [[start, end, "PER"]]``, also under ``labels``); relation
(``entities`` of ``{id, label, start_offset, end_offset}``, ``relations`` of ``{id, from_id, to_id, type}``); or spans
with ``cats``, the labels of the document, which may also be strings under ``label``. A relation between a trigger and
an entity is an argument. All other keys are metadata, as they are for doccano.

doccano counts offsets in UTF-16 units and stores no surfaces (its issues 2290 and 2484), so offsets cannot be checked.
Projects that count grapheme clusters are not recognized: export without that setting.

Source: `backend/data_import` and `backend/data_export` of https://github.com/doccano/doccano.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import count
from pathlib import PurePath
from typing import Any, Literal, get_args

from ...errors import shown
from ..articles import Argument, Article
from ..problems import ArticleLog, DataError, Problem, ProblemLog
from .common.format import Located, Sample, format_of_lines
from .common.lines import nearest
from .common.losses import record_losses
from .common.offsets import Offsets
from .common.span_lines import (
    FlatSpan,
    LabeledSpan,
    as_text,
    flat_arguments,
    flat_spans,
    fresh_ids,
    importable,
    json_objects,
    labeled_span,
    link,
    listed,
    merged,
    placed,
    text_of,
    to_article,
)

Units = Literal["utf-16", "code points"]
UNITS: tuple[Units, ...] = get_args(Units)

HOLDS = frozenset(
    {
        *("id", "title", "date", "source", "meta", "spacing", "entities", "crossing spans", "mention ids"),
        *("events", "arguments", "event types"),
    }
)
_KEYS = {"id", "text", "label", "labels", "entities", "relations", "cats", "meta"}
_STRINGS = ("title", "date", "source")


def _is_example(content: Any) -> bool:
    """Whether a parsed line has a key of a doccano example that our own JSON Lines do not have."""
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        return False
    if "label" in content or any(isinstance(content.get(key), list) for key in ("cats", "relations")):
        return True
    lists = [content[key] for key in ("entities", "labels") if isinstance(content.get(key), list)]
    firsts = [items[0] for items in lists if items]
    return any(isinstance(first, list) or (isinstance(first, dict) and "start_offset" in first) for first in firsts)


def read(lines: Iterable[str], log: ProblemLog, *, triggers: Collection[str] = (), units: Units = "utf-16") -> Located:
    """Read examples with their line numbers; invalid parts of an example are dropped.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; an example without an id gets one of its source's stem and the line.
        triggers: labels of spans that are event triggers, not entities.
        units: what offsets count, ``"utf-16"`` or ``"code points"``; they differ after characters beyond U+FFFF.

    Raises:
        DataError: the units are unknown.
    """
    if units not in UNITS:
        message = f"units {units!r} are not known; {nearest(str(units), UNITS)}"
        raise DataError([Problem(source=log.source, cause="unknown units", message=message)])
    for number, content in json_objects(lines, log):
        name = as_text(content.get("id"))
        name = f"{PurePath(log.source).stem}-{number}" if name is None else name
        notes = ArticleLog(log=log, line=number, article=name)
        if (text := text_of(content, notes)) is None:
            continue
        marks, ids = _marks(content, Offsets(text), notes, triggers, units)
        arguments = _arguments(content, marks, ids, notes)
        log.articles += 1
        strings, meta = _metadata(content, notes)
        types = tuple(_categories(content, notes))
        yield number, to_article(marks, arguments, text=text, id=name, event_types=types, meta=meta, **strings)


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per article, in the relation layout with ``cats``, offsets in UTF-16 units.

    All lines have the same keys, as doccano's importer requires; it keeps title, date, source and meta as metadata.
    Triggers are labeled ``event:TYPE``. An id that is not a number is replaced by one and kept under ``original_id``.
    Articles without text or with lone surrogates are dropped.
    """
    for article in articles:
        spans = flat_spans(article, log)
        arguments = flat_arguments(article, spans, log)
        ids = _numbers(spans, {position for head, child, _ in arguments for position in (head, child)})
        astral = [place for place, sign in enumerate(article.text) if sign > "\uffff"]
        content = {
            "id": article.id,
            "text": article.text,
            **{key: getattr(article, key) for key in _STRINGS},
            "entities": [
                {
                    **ids[position],
                    "label": span.label,
                    "start_offset": span.start + bisect_left(astral, span.start),
                    "end_offset": span.end + bisect_left(astral, span.end),
                }
                for position, span in enumerate(spans)
            ],
            "relations": [
                {"id": number, "from_id": ids[head]["id"], "to_id": ids[child]["id"], "type": argument.role}
                for number, (head, child, argument) in enumerate(arguments, 1)
            ],
            "cats": [label for label in article.event_types if label],
            "meta": article.meta,
        }
        notes = ArticleLog(log=log, article=article.id)
        if (line := importable(content, article, notes)) is None:
            continue
        record_losses(article, HOLDS, notes, further={"event types": "" in article.event_types})
        log.articles += 1
        yield line


def _marks(
    content: Mapping[str, Any], offsets: Offsets, log: ArticleLog, triggers: Collection[str], units: Units
) -> tuple[list["LabeledSpan"], dict[str, int | None]]:
    """The spans of an example, and the position of each by its id in the file; None for a dropped one."""
    marks: list[LabeledSpan] = []
    ids: dict[str, int | None] = {}
    taken: set[str] = set()
    recounted = 0
    for value in _span_values(content, log):
        fields: list[Any] = [value.get(key) for key in ("start_offset", "end_offset", "label")]
        start, end, label = fields
        number = as_text(value.get("id"))
        place = placed(offsets, start, end, value.get("text"), label, log, utf16=units == "utf-16")
        mark = None
        if place is not None:
            original = value.get("original_id")
            name = original if isinstance(original, str) else number or ""
            mark = labeled_span(place, label, name, taken, triggers, log)
        if number is not None:
            ids.setdefault(number, None if mark is None else len(marks))
        if mark is not None:
            recounted += units == "utf-16" and offsets.from_utf16(start, end) != (start, end)
            marks.append(mark)
    if recounted:
        message = f"{recounted} spans were counted in UTF-16 units, as doccano counts; if not, set units to code points"
        log.fix("UTF-16 units", message)
    return marks, ids


def _span_values(content: Mapping[str, Any], log: ArticleLog) -> Iterator[dict[str, Any]]:
    """Spans of all layouts in the form of the relation layout; their values are not checked yet."""
    for key in ("label", "labels", "entities"):
        for value in listed(content, key, log):
            if isinstance(value, dict):
                yield value
            elif isinstance(value, list) and len(value) == 3:
                yield dict(zip(("start_offset", "end_offset", "label"), value, strict=True))
            elif key == "entities" or not isinstance(value, str):
                log.drop("wrong kind", f"{key} has {shown(value)}; a span is [start, end, label] or an object")


def _categories(content: Mapping[str, Any], log: ArticleLog) -> Iterator[str]:
    """Labels of the document: ``cats``, and strings among the labels."""
    for key in ("cats", "label", "labels"):
        for value in listed(content, key, log if key == "cats" else None):
            if isinstance(value, str) and value:
                yield value
            elif key == "cats" or value == "":
                log.drop("wrong kind", f"{key} has {shown(value)}; a label of the document is a string")


def _arguments(
    content: Mapping[str, Any], marks: list["LabeledSpan"], ids: Mapping[str, int | None], log: ArticleLog
) -> dict[int, list[Argument]]:
    arguments: dict[int, list[Argument]] = {}
    fresh = fresh_ids(marks)
    for relation in listed(content, "relations", log):
        if not isinstance(relation, dict):
            log.drop("wrong kind", f"relations has {shown(relation)}; a relation is an object")
            continue
        ends = [as_text(relation.get(key)) for key in ("from_id", "to_id")]
        head, child = (None if end is None else ids.get(end) for end in ends)
        if head is None or child is None:
            missing = shown(ends[0] if head is None else ends[1])
            log.drop("relation left out", f"a relation names span {missing}, which does not exist or was dropped")
            continue
        link(marks, head, child, relation.get("type"), arguments, fresh, log)
    return arguments


def _metadata(content: Mapping[str, Any], log: ArticleLog) -> tuple[dict[str, Any], dict[str, Any]]:
    """Title, date and source if they are text, and the other metadata."""
    strings = {key: content[key] for key in _STRINGS if isinstance(content.get(key), str | None) and key in content}
    extra = {key: value for key, value in content.items() if key not in _KEYS and key not in strings}
    if extra.get("Comments") == []:  # every newer export has the key
        del extra["Comments"]
    if isinstance(inner := content.get("meta", {}), dict):
        return strings, merged(inner, extra, log)
    return strings, {**extra, "meta": inner}


def _numbers(spans: list["FlatSpan"], named: Collection[int]) -> list[dict[str, Any]]:
    """The id keys of each span; doccano accepts only numbers."""
    kept = {span.item.id for span in spans if re.fullmatch("0|[1-9][0-9]{0,17}", span.item.id)}
    free = (number for number in count(1) if str(number) not in kept)
    given: set[str] = set()
    numbers: list[dict[str, Any]] = []
    for position, span in enumerate(spans):
        name = span.item.id
        if name in kept and name not in given:
            numbers.append({"id": int(name)})
        elif name or position in named:
            numbers.append({"id": next(free), "original_id": name})
        else:
            numbers.append({})
        given.add(name)
    return numbers


def _recognizes(sample: Sample) -> bool:
    return sample.suffix == ".jsonl" and any(map(_is_example, sample.objects))


FORMAT = format_of_lines(read, write, suffixes=(".jsonl",), holds=HOLDS, recognizes=_recognizes)
