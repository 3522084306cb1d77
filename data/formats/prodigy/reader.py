"""Reads Prodigy's JSON Lines."""

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ....errors import shown
from ...articles import Argument, Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import Located, Sample
from ..common.losses import has_scores
from ..common.offsets import Offsets
from ..common.span_lines import (
    LabeledSpan,
    as_text,
    fresh_ids,
    json_objects,
    labeled_span,
    link,
    listed,
    merged,
    placed,
    text_of,
    to_article,
)
from .writer import STRINGS

ANSWERS = ("accept", "reject", "ignore")

_HASHES = {"_input_hash", "_task_hash"}
_KEYS = {"text", "tokens", "spans", "relations", "answer", "accept", "options", "label", "cats", "meta"}
_HALF = 0.5  # lowest score of a category in `cats` that counts, as for spaCy's textcat


def recognizes(sample: Sample) -> bool:
    """Whether a line of a JSONL file has a key that only a task of Prodigy has."""
    return sample.suffix == ".jsonl" and any(map(_is_task, sample.objects))


def _is_task(content: Any) -> bool:
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        return False
    answer = content.get("answer")
    return (
        isinstance(content.get("spans"), list)
        or not _HASHES.isdisjoint(content)
        or (isinstance(answer, str) and answer in ANSWERS)
    )


def read(lines: Iterable[str], log: ProblemLog, *, triggers: Collection[str] = ()) -> Located:
    """Read accepted tasks and those without an answer, with their line numbers.

    What is wrong in a task is left out of it, and recorded. Rejected and ignored tasks are recorded as fixed, and so
    are the scores of an accepted task, which is gold.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; where ``meta`` has no id, its stem and the line make one.
        triggers: labels of spans that are event triggers, not entities.
    """
    for number, content in json_objects(lines, log):
        shown_meta = content.get("meta")
        name = as_text(shown_meta.get("id")) if isinstance(shown_meta, dict) else None
        name = f"{PurePath(log.source).stem}-{number}" if name is None else name
        notes = ArticleLog(log=log, line=number, article=name)
        if not _is_wanted(content.get("answer"), notes) or (text := text_of(content, notes)) is None:
            continue
        article = _article(content, text, notes, triggers)
        if content.get("answer") is None and not has_scores(article):
            notes.fix("no answer", "the task has neither an answer nor scores; read as if it had been accepted")
        log.articles += 1
        yield number, article


def _is_wanted(answer: Any, log: ArticleLog) -> bool:
    if answer in (None, "accept"):
        return True
    if isinstance(answer, str) and answer in ANSWERS:
        log.fix(f"answer {answer}", f"the task was answered {answer!r}; left out")
    else:
        log.drop("wrong kind", f"answer is {shown(answer)}; it must be one of {', '.join(ANSWERS)}")
    return False


def _article(content: Mapping[str, Any], text: str, log: ArticleLog, triggers: Collection[str]) -> Article:
    spans = _spans(content, Offsets(text), log, triggers)
    marks, arguments = _linked(content, spans, log)
    fields = _metadata(content, log)
    types, annotated = _types(content, log)
    article = to_article(
        marks,
        arguments,
        {place: score for place, score in enumerate(_scores(spans, log)) if score is not None},
        text=text,
        id=log.article,
        event_types=types,
        annotated={} if annotated is None else {"article_types": annotated},
        **fields,
    )
    if article.type_scores and len(article.type_scores) != len(types):
        log.fix("score", f"{len(article.type_scores)} type_scores for {len(types)} types; dropped")
        article = replace(article, type_scores=())
    return _as_gold(article, log) if content.get("answer") else article


def _spans(
    content: Mapping[str, Any], offsets: Offsets, log: ArticleLog, triggers: Collection[str]
) -> list[tuple[dict[str, Any], LabeledSpan | None]]:
    """The spans of a task as stored, each with the span that was read; None if it was dropped."""
    spans: list[tuple[dict[str, Any], LabeledSpan | None]] = []
    taken: set[str] = set()
    for value in listed(content, "spans", log):
        if not isinstance(value, dict):
            log.drop("wrong kind", f"spans has {shown(value)}; a span is an object with start, end and label")
            spans.append(({}, None))
            continue
        place = placed(offsets, value.get("start"), value.get("end"), value.get("text"), value.get("label"), log)
        name = as_text(value.get("id")) or ""
        mark = None if place is None else labeled_span(place, value.get("label"), name, taken, triggers, log)
        spans.append((value, mark))
    return spans


def _linked(
    content: Mapping[str, Any], spans: list[tuple[dict[str, Any], LabeledSpan | None]], log: ArticleLog
) -> tuple[list[LabeledSpan], dict[int, list[Argument]]]:
    """The spans that were read, and the arguments by trigger; an entity in a role gets an id if it has none."""
    places: dict[int, int] = {}  # position in the file → place among the marks
    marks: list[LabeledSpan] = []
    for position, (_, mark) in enumerate(spans):
        if mark is not None:
            places[position] = len(marks)
            marks.append(mark)
    fresh = fresh_ids(marks)
    arguments: dict[int, list[Argument]] = {}
    relations = listed(content, "relations", log)
    by_span, by_token = _indices(content, spans) if relations else ({}, {})
    for relation in relations:
        if not isinstance(relation, dict):
            log.drop("wrong kind", f"relations has {shown(relation)}; a relation is an object")
            continue
        positions = [_position(relation, key, by_span, by_token) for key in ("head", "child")]
        ends = [places.get(position) for position in positions]
        head, child = ends
        if head is None or child is None:
            end = ("head", "child")[ends.index(None)]
            message = f"a relation's {end} is no span that was read, or the last token of several"
            log.drop("relation left out", message)
            continue
        link(marks, head, child, relation.get("label"), arguments, fresh, log, score=_number(relation.get("score")))
    return marks, arguments


def _indices(
    content: Mapping[str, Any], spans: list[tuple[dict[str, Any], LabeledSpan | None]]
) -> tuple[dict[Any, list[int]], dict[int, list[int]]]:
    """Positions of spans by stored (start, end, label), and by last token."""
    tokens = content.get("tokens")
    last = {
        token["end"]: index
        for index, token in enumerate(tokens if isinstance(tokens, list) else ())
        if isinstance(token, dict) and type(token.get("end")) is int
    }
    by_span: dict[Any, list[int]] = {}
    by_token: dict[int, list[int]] = {}
    for position, (value, _) in enumerate(spans):
        by_span.setdefault(_key(value), []).append(position)
        index = value.get("token_end")
        index = index if type(index) is int else last.get(value["end"]) if type(value.get("end")) is int else None
        if index is not None:
            by_token.setdefault(index, []).append(position)
    return by_span, by_token


def _key(span: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(as_text(span.get(key)) for key in ("start", "end", "label"))


def _position(
    relation: Mapping[str, Any], end: str, by_span: Mapping[Any, list[int]], by_token: Mapping[int, list[int]]
) -> int:
    """The position of the span at one end of a relation; -1 if it is ambiguous or missing."""
    span = relation.get(f"{end}_span")
    if isinstance(span, dict) and (found := by_span.get(_key(span))):
        position = span.get("position")
        at = bisect_left(found, position) if type(position) is int else len(found)
        return found[at] if at < len(found) and found[at] == position else found[0]
    index = relation.get(end)
    found = by_token.get(index, []) if type(index) is int else []
    return found[0] if len(found) == 1 else -1


def _scores(spans: list[tuple[dict[str, Any], LabeledSpan | None]], log: ArticleLog) -> Iterator[Any]:
    """The scores of the spans that were read: a number for an entity, a tuple for a trigger, None without scores."""
    for value, mark in spans:
        if mark is None:
            continue
        score: Any = _number(value.get("score"))
        if mark.types and isinstance(value.get("scores"), list):
            score = tuple(number for number in map(_number, value["scores"]) if number is not None)
        elif mark.types and score is not None:
            score = (score,)
        given = value.get("score") is not None or value.get("scores") is not None
        if given and (score is None or (mark.types and len(score) != len(mark.types))):
            message = f"{shown(mark.label)} {mark.start}-{mark.end} has no score for each type, or none that is one"
            log.fix("score", f"{message}; dropped")
            score = None
        yield score


def _number(value: Any) -> float | None:
    """The value if it is a finite number, else None."""
    try:
        return value if type(value) in (int, float) and math.isfinite(value) else None
    except OverflowError:  # an integer beyond any float
        return None


def _types(content: Mapping[str, Any], log: ArticleLog) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Event types of the text, and those that were annotated; None if unknown."""
    types: list[str] = []
    annotated = None
    for value in listed(content, "accept", log):
        if (label := as_text(value)) is None:
            log.drop("wrong kind", f"accept has {shown(value)}; it holds ids of options")
        else:
            types.append(label)
    if "accept" in content and isinstance(options := content.get("options"), list):
        ids = [as_text(option.get("id")) if isinstance(option, dict) else as_text(option) for option in options]
        annotated = tuple(label for label in ids if label is not None)
    if "label" in content and not _is_of_spans(content):
        if label := as_text(content["label"]):
            types += [label] if label not in types else []
            annotated = (*annotated, label) if annotated else (label,)  # a binary choice annotates one label
        elif content["label"] is not None:
            log.drop("wrong kind", f"label is {shown(content['label'])}; it must be a string")
    cats = content.get("cats")
    if isinstance(cats, dict):
        cats = [label for label, score in cats.items() if score is True or (_number(score) or 0) >= _HALF]
    for label in listed({"cats": cats}, "cats", log):
        if isinstance(label, str):
            types += [label] if label not in types else []
        else:
            log.drop("wrong kind", f"cats has {shown(label)}; a category is a string")
    return tuple(types), annotated


def _is_of_spans(content: Mapping[str, Any]) -> bool:
    """Whether the task's view is one in which ``label`` belongs to spans."""
    return str(content.get("_view_id")).startswith(("ner", "spans", "pos", "rel", "dep"))


def _metadata(content: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Title, date, source, type_scores and meta of the article."""
    extra = {key: value for key, value in content.items() if key not in _KEYS}
    if _is_of_spans(content) and "label" in content:
        extra["label"] = content["label"]
    given = content.get("meta")
    if not isinstance(given, dict):
        return {"meta": {**extra, "meta": given} if given is not None else extra}
    fields: dict[str, Any] = {key: given[key] for key in STRINGS if key in given and isinstance(given[key], str | None)}
    ours = set(fields)
    if as_text(given.get("id")) is not None:
        ours.add("id")
    scores = given.get("type_scores")
    if isinstance(scores, list) and None not in (numbers := tuple(map(_number, scores))):
        fields["type_scores"] = numbers
        ours.add("type_scores")
    inner = given.get("meta")
    if isinstance(inner, dict):
        ours.add("meta")
    flat = {key: value for key, value in given.items() if key not in ours}
    return {**fields, "meta": merged(merged(inner if isinstance(inner, dict) else {}, flat, log), extra, log)}


def _as_gold(article: Article, log: ArticleLog) -> Article:
    if not has_scores(article):
        return article
    log.fix("scores of an accepted task", "an accepted task is gold; the scores of its suggestions are dropped")
    return replace(
        article,
        entities=tuple(replace(entity, score=None) for entity in article.entities),
        events=tuple(
            replace(event, scores=(), arguments=tuple(replace(argument, score=None) for argument in event.arguments))
            for event in article.events
        ),
        type_scores=(),
    )
