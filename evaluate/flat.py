"""Other readings of spans: the outermost alone, the inner ones alone, as strict IOB2, and by the library seqeval."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from ..data.articles import Article
from ..data.windows.alignment import outermost
from .counts import METRICS
from .report import Bootstrap, Score
from .scores import count_scores
from .spans import LabeledSpan, count_exact, stray_spans

_NOTES = {
    "outermost": "Strict entity scores count nested mentions too, which a flat tagger misses; mode outermost leaves "
    "them out of gold and predictions.",
    "inner": "Mode inner counts mentions inside other mentions alone.",
    "iob2": "Mode strict reads tags as seqeval's default does, a stray I- begins a mention; mode iob2 reads them as "
    "seqeval's strict IOB2, stray I- are no mentions.",
}


def flat_readings(
    golds: Sequence[Article],
    gold: Sequence[AbstractSet[LabeledSpan]],
    predicted: Sequence[AbstractSet[LabeledSpan]],
    labels: Sequence[str],
    task: str,
    bootstrap: Bootstrap,
) -> tuple[list[Score], list[str]]:
    """Scores of other readings of the same gold, each as a mode of its own, and notes on them.

    Args:
        golds: the articles.
        gold: their spans.
        predicted: spans of each article, in the same order.
        labels: every label that may occur.
        task: name for the scores.
        bootstrap: of the intervals.

    Returns:
        Modes ``outermost`` and ``inner``, if gold nests: spans inside others are left out, or counted alone; a
        prediction that is a gold span inside another counts as inner wherever it stands. Mode ``iob2``, without the
        spans of stray I- tags, if there are any. Mode ``seqeval``, the strict scores as the library seqeval computes
        them, if all spans are flat.
    """
    stray = [stray_spans(article) for article in golds]
    outer, outer_predicted = ([_outermost(spans) for spans in articles] for articles in (gold, predicted))
    readings: dict[str, tuple[Sequence[AbstractSet[LabeledSpan]], Sequence[AbstractSet[LabeledSpan]]]] = {}
    if outer != list(gold):
        inner = [spans - top for spans, top in zip(gold, outer, strict=True)]
        found = zip(predicted, outer_predicted, inner, strict=True)
        readings["outermost"] = outer, outer_predicted
        readings["inner"] = inner, [(spans - top) | (spans & wanted) for spans, top, wanted in found]
    if any(stray):
        readings["iob2"] = [spans - excluded for spans, excluded in zip(gold, stray, strict=True)], predicted
    scores: list[Score] = []
    for mode, (wanted, given) in readings.items():
        scores += count_scores(count_exact(wanted, given, labels), task=task, mode=mode, bootstrap=bootstrap)
    scores += seqeval_scores(gold, predicted, stray, task=task)
    return scores, [_NOTES[mode] for mode in readings]


def _outermost(spans: AbstractSet[LabeledSpan]) -> set[LabeledSpan]:
    return set(outermost(sorted(spans))[0])


def seqeval_scores(
    gold: Sequence[AbstractSet[LabeledSpan]],
    predicted: Sequence[AbstractSet[LabeledSpan]],
    stray: Sequence[AbstractSet[LabeledSpan]],
    *,
    task: str,
) -> list[Score]:
    """Micro precision, recall and F1 of BIO tags, in seqeval's default mode.

    The text is cut at every edge of a span, and each piece has a tag, so that the tags hold the spans without loss,
    whether they are made of tokens, words or parts of words.

    Args:
        gold: spans of each article.
        predicted: spans of each article, in the same order.
        stray: gold spans whose first tag is a stray I-.
        task: for the scores.

    Returns:
        Nothing if spans nest or overlap, which BIO tags cannot hold, or if there are none.
    """
    if not all(_is_flat(spans) for spans in (*gold, *predicted)) or not any((*gold, *predicted)):
        return []
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support  # imports scikit-learn

    edges = [_edges(spans) for spans in zip(gold, predicted, strict=True)]
    gold_tags = [_tags(*article) for article in zip(gold, edges, stray, strict=True)]
    predicted_tags = [_tags(spans, cuts, set()) for spans, cuts in zip(predicted, edges, strict=True)]
    values: Any = precision_recall_fscore_support(
        gold_tags,
        predicted_tags,
        average="micro",
        zero_division=0,  # type: ignore[arg-type]  # the stubs know only its default, "warn"
    )
    return [
        Score(task=task, metric=metric, mode="seqeval", averaging="micro", value=float(value))
        for metric, value in zip(METRICS, values[:3], strict=True)
    ]


def _is_flat(spans: Iterable[LabeledSpan]) -> bool:
    ordered = sorted(spans)
    return all(first[1] <= second[0] for first, second in zip(ordered, ordered[1:], strict=False))


def _edges(spans: Iterable[AbstractSet[LabeledSpan]]) -> list[int]:
    return sorted({edge for part in spans for start, end, _ in part for edge in (start, end)})


def _tags(spans: AbstractSet[LabeledSpan], edges: Sequence[int], stray: AbstractSet[LabeledSpan]) -> list[str]:
    """A tag for each piece between two edges."""
    piece = {edge: number for number, edge in enumerate(edges)}
    tags = ["O"] * max(0, len(edges) - 1)
    for start, end, label in spans:
        first, last = piece[start], piece[end]
        tags[first:last] = [f"I-{label}"] * (last - first)
        if (start, end, label) not in stray:
            tags[first] = f"B-{label}"
    return tags
