"""Reads examples of doccano."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from ....errors import shown
from ...problems import ArticleLog, DataError, Problem, ProblemLog
from ..common.format import METADATA, Located
from ..common.lines import nearest
from ..common.span_lines import (
    LabeledSpan,
    SpanReader,
    as_text,
    json_objects,
    listed,
    log_for,
    merged,
    objects,
    text_of,
)
from .names import GOLD_TYPES, PREDICTED_TYPES

Units = Literal["utf-16", "code points", "graphemes"]
UNITS: tuple[Units, ...] = get_args(Units)
Empty = Literal["skip", "keep"]

Example = tuple[int, dict[str, Any]]
"""The line or position of an example, and its content."""

_SPANS = ("label", "labels", "entities")
_KEYS = {"id", "text", *_SPANS, "relations", "cats", "meta", GOLD_TYPES, PREDICTED_TYPES}
_LABEL_IDS = "it names labels by their ids only (export of older versions); export as JSONL (text label)"


def is_example(content: Mapping[str, Any]) -> bool:
    """Whether an object has a key of a doccano example that our own JSON Lines do not have."""
    if not isinstance(content.get("text"), str):
        return False
    if "label" in content or any(isinstance(content.get(key), list) for key in ("cats", "relations")):
        return True
    lists = [content[key] for key in ("entities", "labels") if isinstance(content.get(key), list)]
    firsts = [items[0] for items in lists if items]
    of_spans = any(isinstance(first, list) or (isinstance(first, dict) and "start_offset" in first) for first in firsts)
    return of_spans or has_label_ids(content)


def has_label_ids(content: Mapping[str, Any]) -> bool:
    """Whether an example is of the export by label ids, ``annotations`` of ``{label: 2, user: 1}``."""
    items = content.get("annotations")
    first = items[0] if isinstance(items, list) and items else None
    labeled = isinstance(first, dict) and type(first.get("label")) is int and ("user" in first or "id" in first)
    return labeled and not any(key in content for key in _SPANS)


def read(
    lines: Iterable[str],
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    units: Units | None = None,
    empty: Empty = "skip",
    predictions: bool = False,
) -> Located:
    """Read examples with their line numbers; invalid parts of an example are dropped.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; an example without an id gets one of its source's stem and the line.
        triggers: labels of spans that are event triggers, not entities.
        units: what offsets count; they differ after characters beyond U+FFFF, diacritics and CRLF. None is UTF-16
            units, as doccano counts by default, and drops spans that begin or end inside a grapheme cluster.
        empty: what happens to exported examples without annotation that nobody confirmed, if others have some:
            ``"skip"`` leaves them out, because nobody may have opened them, ``"keep"`` reads them as annotated.
        predictions: read predicted event types of the article too.

    Raises:
        DataError: the units are unknown.
    """
    check_units(units, log)
    examples = json_objects(lines, log)
    chosen = annotated_only(examples, log) if empty == "skip" else examples
    yield from read_examples(chosen, log, triggers, units, predictions)


def check_units(units: str | None, log: ProblemLog) -> None:
    """DataError for unknown units."""
    if units is not None and units not in UNITS:
        message = f"units {units!r} are not known; {nearest(str(units), UNITS)}"
        raise DataError([Problem(source=log.source, cause="unknown units", message=message)])


def annotated_only(examples: Iterable[Example], log: ProblemLog, some: bool = False) -> Iterator[Example]:
    """The examples without those that nobody annotated, which are recorded; all of them if none is annotated.

    Examples that somebody confirmed are kept, and so are those that `write` made and that were in no project.

    Args:
        examples: in the order of the file.
        log: takes the examples that are left out.
        some: it is known that examples are annotated.
    """
    waiting: list[Example] = []
    for number, content in examples:
        some = some or has_annotation(content)
        if some:
            _record_empty(waiting, log)
            waiting = []
        if has_annotation(content) or _is_confirmed(content) or not _was_exported(content):
            yield from waiting
            waiting = []
            yield number, content
        elif some:
            _record_empty([(number, content)], log)
        else:
            waiting.append((number, content))
    yield from waiting


def _record_empty(examples: Iterable[Example], log: ProblemLog) -> None:
    for number, content in examples:
        message = "the example has no annotation, others of the project have some: nobody may have opened it; left out"
        log_for(log, number, content.get("id")).fix("nobody annotated", f"{message} (empty=keep reads it)")


def has_annotation(content: Mapping[str, Any]) -> bool:
    """Whether anything of an example was annotated; true for content that cannot be read, so that reading logs why."""
    values = [content.get(key) for key in (*_SPANS, "relations", *(() if _is_relation_layout(content) else ("cats",)))]
    return any(value not in (None, [], "") for value in values) or has_label_ids(content)


def _is_confirmed(content: Mapping[str, Any]) -> bool:
    """Whether somebody confirmed an example: older exports name who, and others of its kind say that it was."""
    return bool(content.get("annotation_approver")) or content.get("is_confirmed") is True


def _was_exported(content: Mapping[str, Any]) -> bool:
    """Whether an example comes from a project, and not from `write`, nor from the `write` of version 0.1."""
    ours = GOLD_TYPES in content or ("cats" in content and "relations" in content and "meta" in content)
    return "Comments" in content or (not ours and any(key in content for key in (*_SPANS, "annotations")))


def read_examples(
    examples: Iterable[Example], log: ProblemLog, triggers: Collection[str], units: Units | None, predictions: bool
) -> Located:
    """Read examples that are JSON objects; arguments as for `read`."""
    for number, content in examples:
        article_log = log_for(log, number, content.get("id"))
        if (text := text_of(content, article_log)) is None:
            continue
        if has_label_ids(content):
            article_log.drop("label ids", f"the example is left out: {_LABEL_IDS}")
            continue
        reader = SpanReader(text, triggers, article_log)
        spans = _read_spans(content, reader, article_log, units)
        _read_relations(content, reader, spans, article_log)
        types = tuple(dict.fromkeys(_categories(content, predictions, article_log)))
        fields = _metadata(content, article_log)
        if _is_classification(content):
            log.note("label holds labels of the texts, which are read as event types of the articles")
            fields["annotated"] = {"entities": (), "triggers": (), "arguments": ()}
        log.articles += 1
        yield number, reader.article(event_types=types, **fields)


def _is_classification(content: Mapping[str, Any]) -> bool:
    """Whether an example has labels of the text and none of spans, so that nobody annotated spans."""
    values = content.get("label")
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(value, str) for value in values)
        and not ({"entities", "relations", "labels"} & content.keys())
    )


def _read_spans(
    content: Mapping[str, Any], reader: SpanReader, log: ArticleLog, units: Units | None
) -> dict[str | None, LabeledSpan | None]:
    """Read the spans of an example. Returns them by their ids in the file, with None for a dropped one."""
    by_id: dict[str | None, LabeledSpan | None] = {}
    recounted = 0
    utf16 = units in (None, "utf-16")
    values = list(_span_values(content, log))
    reader.expect((value.get("start_offset"), value.get("end_offset"), value.get("text")) for value in values)
    for value in values:
        start: Any = value.get("start_offset")
        end: Any = value.get("end_offset")
        number, original = as_text(value.get("id")), value.get("original_id")
        name = original if isinstance(original, str) else number or ""
        span = reader.add(start, end, value.get("label"), surface=value.get("text"), name=name, units=units or "")
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


def _is_relation_layout(content: Mapping[str, Any]) -> bool:
    """Whether the project annotates spans, with or without relations, and no labels of the text."""
    if "relations" in content:
        return True
    values = content.get("entities")
    return (
        any(isinstance(value, dict) for value in values)
        if isinstance(values, list) and values
        else any(isinstance(value, list | dict) for key in ("label", "labels") for value in listed(content, key, None))
    )


def _categories(content: Mapping[str, Any], predictions: bool, log: ArticleLog) -> Iterator[str]:
    """Gold labels of the text: ``cats`` where they were annotated, strings among the labels, and those of `write`."""
    if predictions:
        yield from _strings(content, PREDICTED_TYPES, log)
    elif labels := listed(content, PREDICTED_TYPES, log):
        log.fix("prediction", f"predicted event types {', '.join(map(shown, labels))} are not read as gold")
    if _is_relation_layout(content) and (cats := listed(content, "cats", log)):
        what = f"cats {', '.join(map(shown, cats))} beside spans are metadata, which nobody could see or change"
        log.fix("prediction", f"{what} in the project; they may be predicted and are not read as gold")
    elif "cats" in content:
        yield from _strings(content, "cats", log)
        if listed(content, GOLD_TYPES, None) not in ([], content["cats"]):
            log.fix("event types replaced", f"cats were annotated; {GOLD_TYPES}, from before the import, is not read")
    if _is_relation_layout(content) or "cats" not in content:
        yield from _strings(content, GOLD_TYPES, log)
    for key in ("label", "labels"):
        for value in listed(content, key, None):
            if isinstance(value, str) and value:
                yield value
            elif value == "":
                log.drop("wrong kind", f"{key} has {shown(value)}; a label of the text is a string")


def _strings(content: Mapping[str, Any], key: str, log: ArticleLog) -> Iterator[str]:
    for value in listed(content, key, log):
        if isinstance(value, str) and value:
            yield value
        else:
            log.drop("wrong kind", f"{key} has {shown(value)}; a label of the text is a string")


def _metadata(content: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Title, date and source if they are text, and ``meta`` with all other keys."""
    fields = {key: content[key] for key in METADATA if key in content and isinstance(content[key], str | None)}
    extra = {key: value for key, value in content.items() if key not in _KEYS and key not in fields}
    if extra.get("Comments") == []:  # every newer export has the key
        del extra["Comments"]
    return {**fields, "meta": merged(content.get("meta", {}), extra, log)}
