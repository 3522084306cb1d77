"""What the brat writer notes in JSON for what brat has no place for, read again and checked: annotators may edit it."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...articles import Article, check_article
from ...problems import ProblemLog
from .. import jsonl
from ..common.lines import encoding_fault, parse_json
from .names import NOTE

Problem = tuple[int, str, str]  # line, cause, message

_ARTICLE_NOTE = re.compile(rf"^(#[^\s:]*)\t{NOTE} \1\t([^\n]*)", re.MULTILINE)
_NOT_NOTED = ("text", "entities", "events")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleNote:
    """The note on the article.

    Attributes:
        fields: an article with the text, without mentions.
        unnamed: numbers of T and E lines are no ids where no note says so.
        bom: the byte order mark at the start of the text belongs to it.
    """

    fields: Article
    unnamed: bool = False
    bom: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MentionNote:
    """The note on an entity or on an event.

    Attributes:
        id: None where the number is the id.
        score: of the entity, or of the one type that the event line gives.
        joins: the event line whose event gets this one's type.
        arguments: scores by the arguments as they are written, ``Location2:T5``.
    """

    id: str | None = None
    score: float | None = None
    joins: str = ""
    arguments: Mapping[str, float] = field(default_factory=dict)


def read_article_note(annotations: str, text: str, id: str) -> tuple[ArticleNote, list[Problem]]:
    """Read the note on the article, which names itself as its target.

    Args:
        annotations: of the whole file.
        text: with its byte order mark, if it has one.
        id: of the article where the note does not give one.

    Returns:
        what could be used, and what could not.
    """
    plain = ArticleNote(fields=Article(text=text.removeprefix("\ufeff"), id=id))
    if (found := _ARTICLE_NOTE.search(annotations)) is None or encoding_fault(found[2]):
        return plain, []
    number = annotations.count("\n", 0, found.start()) + 1
    try:
        content = parse_json(found[2])
    except ValueError as error:
        return plain, [(number, "note", f"the note on the article is {error}")]
    if not isinstance(content, dict):
        return plain, [(number, "note", f"the note on the article is {found[2][:40]!r}; it must be a JSON object")]
    flags = content.pop("brat", {})
    if not isinstance(flags, dict) or flags.keys() - {"unnamed", "bom"} or not all(f is True for f in flags.values()):
        problems = [(number, "note", f"'brat' in the note on the article is {str(flags)[:40]!r}; leave it as written")]
        flags = {}
    else:
        problems = []
    for key in _NOT_NOTED:
        if content.pop(key, None) is not None:
            problems.append((number, "note", f"the note on the article holds {key!r}; they are read from the lines"))
    body = text if "bom" in flags else text.removeprefix("\ufeff")
    fields, wrong = _fields(body, id, content)
    problems += [(number, cause, f"the note on the article: {message}") for cause, message in wrong]
    return ArticleNote(fields=fields, unnamed="unnamed" in flags, bom="bom" in flags), problems


def _fields(text: str, id: str, content: Mapping[str, Any]) -> tuple[Article, list[tuple[str, str]]]:
    """The article that a note describes, as far as it is valid, and what is wrong with it."""
    scratch = ProblemLog()
    try:
        articles = [article for _, article in jsonl.read([json.dumps({"id": id, **content, "text": text})], scratch)]
    except RecursionError:
        articles = []
    if not articles:
        id = given if isinstance(given := content.get("id"), str) else id
        problems = [(problem.cause, problem.message) for problem in scratch.dropped]
        return Article(text=text, id=id), problems or [("note", "it is nested too deeply")]
    problems = list(check_article(articles[0]))
    if problems:  # of sentences and annotated tasks: there is nothing else in it that could be wrong
        return replace(articles[0], text=text, sentences=(), annotated={}), problems
    return replace(articles[0], text=text), []


def mention_note(content: str) -> MentionNote | str:
    """Read the note on a mention or an event; what is wrong with it, where it cannot be used."""
    try:
        fields = parse_json(content)
    except ValueError as error:
        return str(error)
    if not isinstance(fields, dict) or fields.keys() - {"id", "score", "joins", "arguments"}:
        return f"{content[:40]!r} must be an object of id, score, joins and arguments"
    scores = fields.get("arguments", {})
    if not isinstance(scores, dict) or not all(map(_is_score, scores.values())):
        return f"arguments are {str(scores)[:40]!r}; they must be scores by ROLE:ID"
    if not _is_score(fields.get("score", 0)):
        return f"score is {str(fields['score'])[:40]!r}; it must be a number"
    if not isinstance(fields.get("id", ""), str) or not isinstance(fields.get("joins", ""), str):
        return "id and joins must be strings"
    return MentionNote(**fields)


def _is_score(value: Any) -> bool:
    return type(value) is float and math.isfinite(value) or type(value) is int and abs(value) < 2**63
