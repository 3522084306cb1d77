"""Writes doccano's JSON Lines."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from itertools import count
from typing import Any

from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import METADATA
from ..common.losses import has_scores, write_each
from ..common.span_lines import FlatSpan, flat_arguments, flat_spans, importable
from .names import GOLD_TYPES, PREDICTED_TYPES

HOLDS = frozenset(
    {
        *("id", "title", "date", "source", "meta", "spacing", "entities", "crossing spans", "mention ids"),
        *("events", "arguments", "event types"),
    }
)


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per article, in the relation layout, offsets in UTF-16 units.

    All lines have the same keys, as doccano's importer requires; it keeps title, date, source, meta and the event types
    of the article as metadata. The types of an article with scores are written as predicted, which no reader takes for
    gold.

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
    types, predicted = [label for label in article.event_types if label], has_scores(article)
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
        GOLD_TYPES: [] if predicted else types,
        PREDICTED_TYPES: types if predicted else [],
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
