"""Reads and checks the JSON notes of the brat writer, which annotators may have edited."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .... import renamed
from ....errors import shown
from ...articles import Article, Fault, check_article
from ...problems import ProblemLog
from .. import jsonl
from ..common.lines import encoding_fault, parse_json, parse_object
from .names import NOTE, PREDICTED

NoteProblem = tuple[int, str, str]
"""Line, cause and message."""

_ARTICLE_NOTE = re.compile(rf"^(#[^\s:]*)\t{NOTE} \1\t([^\n]*)", re.MULTILINE)
_NOT_NOTED = ("text", "entities", "events")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleNote:
    """The note on the article.

    Attributes:
        fields: the article without entities and events.
        unnamed: the ids of T and E lines are not ids of the article unless a note says so.
        bom: the byte order mark at the start of the text file belongs to the text.
        left_out: names of the fields that a model predicted, which were not read.
        line: number of its line; 0 if there is no note.
    """

    fields: Article
    unnamed: bool = False
    bom: bool = False
    left_out: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class MentionNote:
    """The note on an entity or on an event.

    Attributes:
        id: id in the article; None if it is the id of the line.
        score: score of the entity, or of the type of the event line.
        joins: id of the event line whose event gets the type of this line.
        arguments: score by argument as written, ``Location2:T5``.
    """

    id: str | None = None
    score: float | None = None
    joins: str = ""
    arguments: Mapping[str, float] = field(default_factory=dict)


def read_article_note(
    annotations: str, text: str, id: str, predictions: bool = False
) -> tuple[ArticleNote, list[NoteProblem]]:
    """Read the note on the article, whose target is itself.

    Args:
        annotations: content of the annotation file.
        text: content of the text file, with its byte order mark if it has one.
        id: id of the article if the note has none.
        predictions: read predicted event types, sentences and evidence too.

    Returns:
        the note, and the problems in it.
    """
    plain = ArticleNote(fields=Article(text=text.removeprefix("\ufeff"), id=id))
    if (found := _ARTICLE_NOTE.search(annotations)) is None or encoding_fault(found[2]):
        return plain, []
    number = annotations.count("\n", 0, found.start()) + 1
    try:
        content = parse_object(found[2])
    except ValueError as error:
        return plain, [(number, "note", f"the note on the article is {error}")]
    problems: list[Fault] = []
    flags = content.pop("brat", {})
    if not isinstance(flags, dict) or flags.keys() - {"unnamed", "bom"} or not all(f is True for f in flags.values()):
        problems.append(("note", f"'brat' in the note on the article is {shown(flags)}; leave it as written"))
        flags = {}
    for key in _NOT_NOTED:
        if content.pop(key, None) is not None:
            problems.append(("note", f"the note on the article has {key!r}, which is read from the lines"))
    gold, predicted = split_predictions(content)
    if predictions:
        gold |= predicted
    body = text if "bom" in flags else text.removeprefix("\ufeff")
    fields, wrong = _fields(body, id, gold)
    problems += [(cause, f"the note on the article: {message}") for cause, message in wrong]
    note = ArticleNote(
        fields=fields,
        unnamed="unnamed" in flags,
        bom="bom" in flags,
        left_out=() if predictions else tuple(predicted),
        line=number,
    )
    return note, [(number, *problem) for problem in problems]


def split_predictions(content: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The content of a note on the article: what is gold, and what a model predicted.

    Predictions are under `PREDICTED`. Version 0.1 wrote them like gold; its predictions have scores or evidence.
    Sentences without any type are predictions too, unless they were annotated: a tagged article has them.
    """
    content = renamed.with_new_keys(content)
    given = content.get(PREDICTED)
    predicted = dict(given) if isinstance(given, dict) else {}
    gold = {key: value for key, value in content.items() if key != PREDICTED or not isinstance(given, dict)}
    if gold.get("type_scores") or gold.get("evidence"):
        predicted |= {key: gold.pop(key) for key in ("event_types", "type_scores", "evidence") if key in gold}
    sentences, annotated = gold.get("sentences"), gold.get("annotated")
    if isinstance(sentences, list) and all(isinstance(sentence, dict) for sentence in sentences):
        scored = any(sentence.get("scores") for sentence in sentences)
        plain = not any(sentence.get("types") for sentence in sentences)
        if scored or (plain and not (isinstance(annotated, dict) and "sentence_types" in annotated)):
            predicted["sentences"] = gold.pop("sentences")
    return gold, predicted


def _fields(text: str, id: str, content: Mapping[str, Any]) -> tuple[Article, list[Fault]]:
    """The article in a note, without its invalid parts, and the problems."""
    scratch = ProblemLog()
    try:
        _, article = next(jsonl.read([json.dumps({"id": id, **content, "text": text})], scratch))
    except (StopIteration, RecursionError):
        id = given if isinstance(given := content.get("id"), str) else id
        problems = [(problem.cause, problem.message) for problem in scratch.dropped]
        return Article(text=text, id=id), problems or [("note", "it is nested too deeply")]
    article = replace(article, text=text)  # JSON joins surrogates
    if problems := list(check_article(article)):  # only sentences and annotated tasks can be invalid here
        article = replace(article, sentences=(), annotated={})
    return article, problems


def mention_note(content: str) -> MentionNote | str:
    """Read the note on an entity or event; a string says why it cannot be used."""
    try:
        fields = parse_json(content)
    except ValueError as error:
        return str(error)
    known = {"id", "joins", "score", "arguments"}  # version 0.1 had the scores beside the id
    predicted = fields.pop(PREDICTED, {}) if isinstance(fields, dict) else {}
    if not isinstance(fields, dict) or not isinstance(predicted, dict) or {*fields, *predicted} - known:
        return f"{shown(content)} must be an object of id, joins and {PREDICTED}, an object of score and arguments"
    fields |= predicted
    scores = fields.get("arguments", {})
    if not isinstance(scores, dict) or not all(map(_is_score, scores.values())):
        return "arguments must be scores by ROLE:ID"
    if not _is_score(fields.get("score", 0)):
        return f"score is {shown(fields['score'])}; it must be a number"
    if not isinstance(fields.get("id", ""), str) or not isinstance(fields.get("joins", ""), str):
        return "id and joins must be strings"
    return MentionNote(**fields)


def _is_score(value: Any) -> bool:
    return type(value) is float and math.isfinite(value) or type(value) is int and abs(value) < 2**63
