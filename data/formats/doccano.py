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
from typing import Any, Literal, get_args

from ...errors import shown
from ..articles import Article
from ..problems import ArticleLog, DataError, Problem, ProblemLog
from .common.format import METADATA, Located, format_of_lines
from .common.lines import nearest
from .common.losses import write_each
from .common.span_lines import (
    FlatSpan,
    LabeledSpan,
    SpanReader,
    as_text,
    flat_arguments,
    flat_spans,
    importable,
    json_objects,
    listed,
    log_for,
    merged,
    objects,
    text_of,
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


def _is_example(content: Mapping[str, Any]) -> bool:
    """Whether an object has a key of a doccano example that our own JSON Lines do not have."""
    if not isinstance(content.get("text"), str):
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
        article_log = log_for(log, number, content.get("id"))
        if (text := text_of(content, article_log)) is None:
            continue
        reader = SpanReader(text, triggers, article_log)
        spans = _read_spans(content, reader, article_log, units)
        _read_relations(content, reader, spans, article_log)
        fields = _metadata(content, article_log)
        log.articles += 1
        yield number, reader.article(event_types=tuple(_categories(content, article_log)), **fields)


def _read_spans(
    content: Mapping[str, Any], reader: SpanReader, log: ArticleLog, units: Units
) -> dict[str | None, LabeledSpan | None]:
    """Read the spans of an example. Returns them by their ids in the file, with None for a dropped one."""
    by_id: dict[str | None, LabeledSpan | None] = {}
    recounted = 0
    utf16 = units == "utf-16"
    for value in _span_values(content, log):
        start: Any = value.get("start_offset")
        end: Any = value.get("end_offset")
        number, original = as_text(value.get("id")), value.get("original_id")
        name = original if isinstance(original, str) else number or ""
        span = reader.add(start, end, value.get("label"), surface=value.get("text"), name=name, utf16=utf16)
        if number is not None:
            by_id.setdefault(number, span)
        if span and utf16:
            recounted += reader.offsets.from_utf16(start, end) != (start, end)
    if recounted:
        message = f"{recounted} spans were counted in UTF-16 units, as doccano counts; if not, set units to code points"
        log.fix("UTF-16 units", message)
    return by_id


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


def _read_relations(
    content: Mapping[str, Any], reader: SpanReader, spans: Mapping[str | None, LabeledSpan | None], log: ArticleLog
) -> None:
    for relation in objects(content, "relations", "a relation is an object", log):
        ends = [as_text(relation.get(key)) for key in ("from_id", "to_id")]
        head, child = (spans.get(end) for end in ends)
        if head and child:
            reader.link(head, child, relation.get("type"))
        else:
            missing = shown(ends[1] if head else ends[0])
            log.drop("relation left out", f"a relation names span {missing}, which does not exist or was dropped")


def _categories(content: Mapping[str, Any], log: ArticleLog) -> Iterator[str]:
    """Labels of the document: ``cats``, and strings among the labels."""
    for key in ("cats", "label", "labels"):
        for value in listed(content, key, log if key == "cats" else None):
            if isinstance(value, str) and value:
                yield value
            elif key == "cats" or value == "":
                log.drop("wrong kind", f"{key} has {shown(value)}; a label of the document is a string")


def _metadata(content: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Title, date and source if they are text, and ``meta`` with all other keys."""
    fields = {key: content[key] for key in METADATA if key in content and isinstance(content[key], str | None)}
    extra = {key: value for key, value in content.items() if key not in _KEYS and key not in fields}
    if extra.get("Comments") == []:  # every newer export has the key
        del extra["Comments"]
    return {**fields, "meta": merged(content.get("meta", {}), extra, log)}


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per article, in the relation layout with ``cats``, offsets in UTF-16 units.

    All lines have the same keys, as doccano's importer requires; it keeps title, date, source and meta as metadata.
    Triggers are labeled ``event:TYPE``. An id that is not a number is replaced by one and kept under ``original_id``.
    Articles without text or with lone surrogates are dropped.
    """
    return write_each(articles, log, HOLDS, _line)


def _line(article: Article, log: ArticleLog) -> str | None:
    spans = flat_spans(article, log)
    arguments = flat_arguments(spans, log)
    ids = _numbers(spans, {position for head, child, _ in arguments for position in (head, child)})
    astral = [place for place, sign in enumerate(article.text) if sign > "\uffff"]
    if "" in article.event_types:
        log.drop("event types left out", "an event type of the article is empty")
    content = {
        "id": article.id,
        "text": article.text,
        **{key: getattr(article, key) for key in METADATA},
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
    return importable(content, log)


def _numbers(spans: list[FlatSpan], named: Collection[int]) -> list[dict[str, Any]]:
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


FORMAT = format_of_lines(
    read, write, suffixes=(".jsonl",), holds=HOLDS, recognizes=lambda sample: any(map(_is_example, sample.objects))
)
