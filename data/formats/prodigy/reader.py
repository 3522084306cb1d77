"""Reads Prodigy's JSON Lines."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import METADATA, Located
from ..common.losses import has_scores
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

ANSWERS = ("accept", "reject", "ignore")

_HASHES = {"_input_hash", "_task_hash"}
_KEYS = {"text", "tokens", "spans", "relations", "answer", "accept", "options", "label", "cats", "meta"}
_Stored = tuple[dict[str, Any], LabeledSpan | None]
"""A span as it is stored and as it was read; None if it was dropped."""

_HALF = 0.5  # lowest score of a category in `cats` that counts, as for spaCy's textcat


def is_task(content: Mapping[str, Any]) -> bool:
    """Whether an object has a key that only a task of Prodigy has."""
    answer = content.get("answer")
    return isinstance(content.get("text"), str) and (
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
        meta = content.get("meta")
        article_log = log_for(log, number, meta.get("id") if isinstance(meta, dict) else None)
        if not _is_wanted(content.get("answer"), article_log) or (text := text_of(content, article_log)) is None:
            continue
        article = _article(content, SpanReader(text, triggers, article_log), article_log)
        if content.get("answer"):
            article = _as_gold(article, article_log)
        elif not has_scores(article):
            article_log.fix("no answer", "the task has neither an answer nor scores; read as if it had been accepted")
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


def _article(content: Mapping[str, Any], reader: SpanReader, log: ArticleLog) -> Article:
    _read_relations(content, reader, _read_spans(content, reader, log), log)
    fields = _metadata(content, log)
    types, annotated = _types(content, log)
    scores = fields.pop("type_scores", ())
    if scores and len(scores) != len(types):
        log.fix("score", f"{len(scores)} type_scores for {len(types)} types; dropped")
        scores = ()
    tasks = {} if annotated is None else {"article_types": annotated}
    return reader.article(event_types=types, type_scores=scores, annotated=tasks, **fields)


def _read_spans(content: Mapping[str, Any], reader: SpanReader, log: ArticleLog) -> list[_Stored]:
    spans: list[_Stored] = []
    for value in objects(content, "spans", "a span is an object with start, end and label", log):
        start, end, label, name = (value.get(key) for key in ("start", "end", "label", "id"))
        span = reader.add(start, end, label, surface=value.get("text"), name=as_text(name) or "")
        if span:
            _read_scores(value, span, log)
        spans.append((value, span))
    return spans


def _read_scores(value: Mapping[str, Any], span: LabeledSpan, log: ArticleLog) -> None:
    """Read the score of an entity, or the scores of a trigger's types."""
    single, several = value.get("score"), value.get("scores")
    if single is None and several is None:
        return
    scores = several if span.types and isinstance(several, list) else [single]
    numbers = tuple(number for number in map(_number, scores) if number is not None)
    if len(numbers) != len(span.types or scores):
        message = f"{shown(span.label)} {span.start}-{span.end} has no score for each type, or none that is one"
        log.fix("score", f"{message}; dropped")
    elif span.types:
        span.scores = numbers
    else:
        span.score = numbers[0]


def _read_relations(content: Mapping[str, Any], reader: SpanReader, spans: list[_Stored], log: ArticleLog) -> None:
    relations = list(objects(content, "relations", "a relation is an object", log))
    if not relations:
        return
    places: dict[tuple[str | None, ...], int] = {}  # (start, end, label) as stored → first position
    for position, (value, _) in enumerate(spans):
        places.setdefault(_place(value), position)
    last_tokens = _last_tokens(content, spans)

    def end(relation: Mapping[str, Any], key: str) -> LabeledSpan | None:
        stored, token = relation.get(f"{key}_span"), relation.get(key)
        found: Any = last_tokens.get(token) if type(token) is int else None
        if isinstance(stored, dict) and (place := _place(stored)) in places:
            found = stored.get("position")
            if type(found) is not int or not 0 <= found < len(spans) or _place(spans[found][0]) != place:
                found = places[place]
        return None if found is None else spans[found][1]

    for relation in relations:
        head, child = end(relation, "head"), end(relation, "child")
        if head and child:
            reader.link(head, child, relation.get("label"), _number(relation.get("score")))
        else:
            missing = "child" if head else "head"
            message = f"a relation's {missing} is no span that was read, or the last token of several"
            log.drop("relation left out", message)


def _last_tokens(content: Mapping[str, Any], spans: list[_Stored]) -> dict[int, int | None]:
    """Index of a token → position of the span that ends with it; None for several."""
    tokens = content.get("tokens")
    by_end: dict[Any, int] = {
        token["end"]: index
        for index, token in enumerate(tokens if isinstance(tokens, list) else ())
        if isinstance(token, dict) and type(token.get("end")) is int
    }
    last: dict[int, int | None] = {}
    for position, (value, _) in enumerate(spans):
        index, end = value.get("token_end"), value.get("end")
        if type(index) is not int:
            index = by_end.get(end) if type(end) is int else None
        if index is not None:
            last[index] = None if index in last else position
    return last


def _place(span: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(as_text(span.get(key)) for key in ("start", "end", "label"))


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
        return {"meta": extra if given is None else merged(given, extra, log)}
    rest = dict(given)
    fields: dict[str, Any] = {key: rest.pop(key) for key in METADATA if isinstance(rest.get(key, 0), str | None)}
    if as_text(rest.get("id")) is not None:
        del rest["id"]
    scores = rest.get("type_scores")
    if isinstance(scores, list) and None not in (numbers := tuple(map(_number, scores))):
        fields["type_scores"] = numbers
        del rest["type_scores"]
    inner = rest.pop("meta") if isinstance(rest.get("meta"), dict) else {}
    return {**fields, "meta": merged(merged(inner, rest, log), extra, log)}


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
