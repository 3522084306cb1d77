"""Writes Prodigy tasks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from ...articles import Article, Entity
from ...labels import LabelScheme
from ...problems import ArticleLog, ProblemLog
from ...text.words import split_words
from ..common.flat_labels import trigger_label
from ..common.format import METADATA
from ..common.losses import EVERYTHING, has_scores, write_each
from ..common.span_lines import FlatSpan, flat_arguments, flat_spans, importable
from .labels import GOLD_TYPES, PREDICTED_TYPES

HOLDS = EVERYTHING - {
    *("sentence labels", "label of the text", "tokens", "annotated", "annotated sentence_types", "evidence")
}
_OURS = {
    "id",
    "meta",
    "type_scores",
    GOLD_TYPES,
    PREDICTED_TYPES,
    *METADATA,
}  # keys of `meta` that are fields of the article


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one task per article: gold with the answer ``accept``, articles with scores without an answer.

    Tokens are the words of the text, split where a mention starts or ends inside a word, and the text between words, so
    that tokens and their ``ws`` give the text back. Event types of the article are the ``accept`` of a choice whose
    ``options`` are the annotated types, if these are known; else they are in ``meta``, under a name that tells gold
    from predicted ones. Articles without text or with lone surrogates are dropped.
    """
    return write_each(
        articles, log, HOLDS, lambda article, article_log: importable(_task(article, article_log), article_log)
    )


def label_list(scheme: LabelScheme) -> str:
    """The labels of spans, one a line, as ``--label`` of Prodigy's recipes takes them from a file."""
    return "".join(f"{label}\n" for label in (*scheme.entities, *(trigger_label([kind]) for kind in scheme.events)))


def _task(article: Article, log: ArticleLog) -> dict[str, Any]:
    """An article as a task; a prediction has no answer."""
    spans = flat_spans(article, log)
    arguments = flat_arguments(spans, log)
    tokens = _tokens(article.text, spans)
    starts, ends = [token["start"] for token in tokens], [token["end"] for token in tokens]
    places = [
        {
            "start": span.start,
            "end": span.end,
            "token_start": bisect_left(starts, span.start),
            "token_end": bisect_left(ends, span.end),
            "label": span.label,
        }
        for span in spans
    ]
    task: dict[str, Any] = {
        "text": article.text,
        "tokens": tokens,
        "spans": [
            {**place, "text": article.text[span.start : span.end], **_extras(span)}
            for place, span in zip(places, spans, strict=True)
        ],
        "relations": [
            {
                "head": places[head]["token_end"],
                "child": places[child]["token_end"],
                "head_span": {**places[head], "position": head},
                "child_span": {**places[child], "position": child},
                "label": argument.role,
                **({} if argument.score is None else {"score": argument.score}),
            }
            for head, child, argument in arguments
        ],
    }
    annotated = article.annotated.get("article_types")
    if annotated is not None:
        task["options"] = [{"id": label, "text": label} for label in annotated]
        task["accept"] = list(article.event_types)
    task["meta"] = _shown_meta(article)
    return task if has_scores(article) else {**task, "answer": "accept"}


def _extras(span: FlatSpan) -> dict[str, Any]:
    """Keys that Prodigy keeps: id, and the score of an entity or the scores of a trigger's types."""
    item = span.item
    scores = {"score": item.score} if isinstance(item, Entity) else {"scores": list(item.scores)}
    return {key: value for key, value in {"id": item.id, **scores}.items() if value not in ("", None, [])}


def _shown_meta(article: Article) -> dict[str, Any]:
    strings = {key: value for key in METADATA if (value := getattr(article, key)) is not None}
    scores: dict[str, Any] = {"type_scores": list(article.type_scores)} if article.type_scores else {}
    if article.event_types and "article_types" not in article.annotated:  # else they are the choice of the task
        scores[PREDICTED_TYPES if has_scores(article) else GOLD_TYPES] = list(article.event_types)
    flat = {key: value for key, value in article.meta.items() if key not in _OURS}
    hidden = {key: value for key, value in article.meta.items() if key in _OURS}
    return {"id": article.id, **strings, **scores, **flat, **({"meta": hidden} if hidden else {})}


def _tokens(text: str, spans: Sequence[FlatSpan]) -> list[dict[str, Any]]:
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    tokens: list[dict[str, Any]] = []
    for start, end in _runs(text):
        inner = edges[bisect_right(edges, start) : bisect_left(edges, end)]
        for low, high in pairwise([start, *inner, end]):
            token = {"text": text[low:high], "start": low, "end": high, "id": len(tokens), "ws": False}
            tokens.append(token)
        tokens[-1]["ws"] = text[end : end + 1] == " "
    return tokens


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Words and the text between them, without a single space after a run, which is its ``ws``."""
    behind = 0
    for start, end in (*split_words(text).tolist(), (len(text), len(text))):
        if behind < start:
            yield behind, start
        if start < end:
            yield start, end
        behind = end + (text[end : end + 1] == " ")
