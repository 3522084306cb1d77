"""Reads Prodigy's JSON Lines."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import METADATA, Located
from ..common.lines import is_strings, nearest
from ..common.losses import has_scores
from ..common.span_lines import (
    LabeledSpan,
    SpanReader,
    as_text,
    json_objects,
    log_for,
    merged,
    objects,
    text_of,
)
from .answers import ANSWERS, annotator_of, asks_for_labels, is_annotation, is_of_spans, view_of
from .labels import GOLD_TYPES, PREDICTED_TYPES, StoredTypes, number, types_of_text

_HASHES = {"_input_hash", "_task_hash"}
_KEYS = {"text", "tokens", "spans", "relations", "answer", "accept", "options", "label", "cats", "meta"}
_Stored = tuple[dict[str, Any], LabeledSpan | None]
"""A span as it is stored and as it was read; None if it was dropped."""


def is_task(content: Mapping[str, Any]) -> bool:
    """Whether an object has a key that only a task of Prodigy has."""
    answer = content.get("answer")
    return isinstance(content.get("text"), str) and (
        isinstance(content.get("spans"), list)
        or not _HASHES.isdisjoint(content)
        or (isinstance(answer, str) and answer in ANSWERS)
    )


def read(
    lines: Iterable[str],
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    annotator: int | str | None = None,
) -> Located:
    """Read accepted tasks and those without an answer, with their line numbers.

    What is wrong in a task is left out of it, and recorded. Recorded as fixed are tasks that are no annotation of the
    whole text (rejected, ignored, neither answered nor annotated, or a binary question about single spans), the scores
    of an accepted task, and labels of the text that its view did not show.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; where ``meta`` has no id, its stem and the line make one.
        triggers: labels of spans that are event triggers, not entities.
        annotator: ``_annotator_id`` (or ``_session_id``) whose tasks are read; None for all. The second article of a
            text that several annotated has the id ``ARTICLE#ANNOTATOR``.
    """
    wanted, people = None if annotator is None else str(annotator), set[str]()
    first: dict[Any, tuple[str, int]] = {}  # question → who answered it first, and on which line
    read_by: dict[Any, str] = {}  # question → whose answer was read first
    for line, content in json_objects(lines, log):
        meta, who = content.get("meta"), annotator_of(content)
        people |= {who} - {""}
        question = (as_text(content.get("_input_hash")), view_of(content), as_text(content.get("label")))
        several = who and question[0] is not None
        one, at = first.setdefault(question, (who, line)) if several else (who, line)
        if wanted not in (None, who):
            continue
        article_log = log_for(log, line, meta.get("id") if isinstance(meta, dict) else None)
        if one != who and article_log.article == log_for(log, line, None).article:
            article_log = replace(article_log, article=log_for(log, at, None).article)
        if not is_annotation(content, article_log) or (text := text_of(content, article_log)) is None:
            continue
        article = _article(content, SpanReader(text, triggers, article_log), article_log)
        if content.get("answer"):
            article = _as_gold(article, article_log)
        elif not has_scores(article):
            if not (article.entities or article.events or article.event_types or article.annotated):
                article_log.fix("nobody annotated", "the task has neither an answer nor an annotation; left out")
                continue
            article_log.fix("no answer", "the task has neither an answer nor scores; read as if it had been accepted")
        if several and read_by.setdefault(question, who) != who:
            article_log.fix(
                "several annotators",
                f"{shown(read_by[question])} and {shown(who)} annotated the text; each annotation is an article, "
                "annotator=NAME chooses one",
            )
            article = replace(article, id=f"{article.id}#{who}")
        log.articles += 1
        yield line, article
    if wanted is not None and wanted not in people:
        log.drop("unknown annotator", f"nothing is annotated by {shown(wanted)}; {nearest(wanted, sorted(people))}")


def _article(content: Mapping[str, Any], reader: SpanReader, log: ArticleLog) -> Article:
    _read_relations(content, reader, _read_spans(content, reader, log), log)
    fields = _metadata(content, log)
    types, annotated = types_of_text(content, fields.pop("types"), log)
    scores = fields.pop("type_scores", ())
    if content.get("answer") and not types:
        scores = ()  # those of predicted types
    if scores and len(scores) != len(types):
        log.fix("score", f"{len(scores)} type_scores for {len(types)} types; dropped")
        scores = ()
    tasks: dict[str, tuple[str, ...]] = {} if annotated is None else {"article_types": annotated}
    if asks_for_labels(content):  # nobody marked spans
        tasks |= {"entities": (), "triggers": (), "arguments": ()}
    return reader.article(event_types=types, type_scores=scores, annotated=tasks, **fields)


def _read_spans(content: Mapping[str, Any], reader: SpanReader, log: ArticleLog) -> list[_Stored]:
    spans: list[_Stored] = []
    values = list(objects(content, "spans", "a span is an object with start, end and label", log))
    reader.expect((value.get("start"), value.get("end"), value.get("text")) for value in values)
    for value in values:
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
    numbers = tuple(found for found in map(number, scores) if found is not None)
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
            reader.link(head, child, relation.get("label"), number(relation.get("score")))
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


def _metadata(content: Mapping[str, Any], log: ArticleLog) -> dict[str, Any]:
    """Title, date, source, type_scores and meta of the article, and ``types``, its `StoredTypes`."""
    extra = {key: value for key, value in content.items() if key not in _KEYS}
    if is_of_spans(content) and "label" in content:
        extra["label"] = content["label"]
    given = content.get("meta")
    if not isinstance(given, dict):
        return {"types": StoredTypes(), "meta": extra if given is None else merged(given, extra, log)}
    rest = dict(given)
    fields: dict[str, Any] = {key: rest.pop(key) for key in METADATA if isinstance(rest.get(key, 0), str | None)}
    if as_text(rest.get("id")) is not None:
        del rest["id"]
    scores = rest.get("type_scores")
    if isinstance(scores, list) and None not in (numbers := tuple(map(number, scores))):
        fields["type_scores"] = numbers
        del rest["type_scores"]
    stored = {key: tuple(rest.pop(key)) for key in (GOLD_TYPES, PREDICTED_TYPES) if is_strings(rest.get(key))}
    types = StoredTypes(
        gold=stored.get(GOLD_TYPES, ()), predicted=stored.get(PREDICTED_TYPES, ()), scored="type_scores" in fields
    )
    inner = rest.pop("meta") if isinstance(rest.get("meta"), dict) else {}
    return {**fields, "types": types, "meta": merged(merged(inner, rest, log), extra, log)}


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
