"""Scores of labeled spans: entities and triggers.

A span is ``(start, end, label)``, a half-open range of code points or of tokens, the same in gold and prediction.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from ..data.articles import Article
from .counts import Counts

LabeledSpan: TypeAlias = tuple[int, int, str]
Labeled: TypeAlias = tuple[*tuple[Any, ...], str]

Mode = Literal["strict", "overlap", "type_blind"]
"""When a predicted span is right: ``strict``, its extent and label are those of a gold span; ``overlap``, it overlaps a
gold span of its label, one prediction per gold span; ``type_blind``, its extent is that of a gold span."""

ANY_LABEL = "any"
"""The only label of type-blind counts."""


def score_spans(
    gold: Sequence[AbstractSet[LabeledSpan]],
    predicted: Sequence[AbstractSet[LabeledSpan]],
    labels: Sequence[str],
) -> dict[Mode, Counts]:
    """Compare the spans of articles, in every mode.

    Args:
        gold: spans of each article.
        predicted: spans of each article, in the same order.
        labels: every label that may occur; the order of the counts.

    Returns:
        Mode → counts; strict micro F1 is ``scores["strict"].score("f1")``.

    Raises:
        ValueError: a span has a label that is not in ``labels``, or the sequences differ in length.
    """
    strict = count_exact(gold, predicted, labels)
    blind, overlap = np.zeros((len(gold), 1, 3), np.int64), np.zeros((len(gold), len(labels), 3), np.int64)
    for row, (gold_spans, predicted_spans) in enumerate(zip(gold, predicted, strict=True)):
        gold_extents, predicted_extents = ({span[:2] for span in spans} for spans in (gold_spans, predicted_spans))
        blind[row, 0] = (
            len(gold_extents & predicted_extents),
            len(predicted_extents - gold_extents),
            len(gold_extents - predicted_extents),
        )
        for column, label in enumerate(labels):
            of_gold = [span[:2] for span in gold_spans if span[2] == label]
            of_prediction = [span[:2] for span in predicted_spans if span[2] == label]
            matched = match_overlapping(of_gold, of_prediction)
            overlap[row, column] = matched, len(of_prediction) - matched, len(of_gold) - matched
    return {
        "strict": strict,
        "overlap": Counts(labels=tuple(labels), table=overlap),
        "type_blind": Counts(labels=(ANY_LABEL,), table=blind),
    }


def count_exact(
    gold: Sequence[AbstractSet[Labeled]], predicted: Sequence[AbstractSet[Labeled]], labels: Sequence[str]
) -> Counts:
    """Count the spans that are equal in extent and label; parameters and errors are those of `score_spans`.

    Any tuples that end with a label are counted like spans.
    """
    if len(gold) != len(predicted):
        raise ValueError("gold and predicted are not of the same articles: their lengths differ")
    column = {label: number for number, label in enumerate(labels)}
    for name, articles in (("gold", gold), ("predicted", predicted)):
        unknown = {span[-1] for spans in articles for span in spans if span[-1] not in column}
        if unknown:
            raise ValueError(f"{name} label {min(unknown)!r} is not among the labels to score: {', '.join(labels)}")
    table = np.zeros((len(gold), len(labels), 3), np.int64)  # [A, K, 3]
    for row, (gold_spans, predicted_spans) in enumerate(zip(gold, predicted, strict=True)):
        sets = (gold_spans & predicted_spans, predicted_spans - gold_spans, gold_spans - predicted_spans)
        for outcome, spans in enumerate(sets):
            for span in spans:
                table[row, column[span[-1]], outcome] += 1
    return Counts(labels=tuple(labels), table=table)


def match_overlapping(gold: Sequence[tuple[int, int]], predicted: Sequence[tuple[int, int]]) -> int:
    """The largest number of pairs of overlapping ranges in which no range is used twice.

    Greedy pairing would depend on the order of the spans and find too few pairs of nested ones.

    >>> match_overlapping([(0, 10), (0, 2)], [(0, 10), (8, 10)])
    2
    """
    if not gold or not predicted:
        return 0
    ranges = sorted(predicted)
    starts = [start for start, _ in ranges]
    # The highest end so far, which grows: ranges before the first one whose value exceeds a start end before it.
    reach = np.maximum.accumulate([end for _, end in ranges])
    pairs = [
        (row, column)
        for row, (start, end) in enumerate(gold)
        for column in range(int(np.searchsorted(reach, start, side="right")), bisect_left(starts, end))
        if ranges[column][1] > start
    ]
    if len({row for row, _ in pairs}) == len(pairs) == len({column for _, column in pairs}):
        return len(pairs)  # no range is in two pairs
    rows, columns = np.array(pairs).T
    graph = csr_array((np.ones(len(pairs), np.int8), (rows, columns)), shape=(len(gold), len(ranges)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def snap_to_tokens(spans: Iterable[LabeledSpan], tokens: Sequence[tuple[int, int]]) -> set[LabeledSpan]:
    """Widen spans to whole tokens, for benchmarks whose gold is whole tokens.

    A span then covers every token that it overlaps. Spans that become equal are one. A span that overlaps no token is
    left as it is, so that it counts as wrong.

    Args:
        spans: in code points.
        tokens: ranges in code points, in order, not overlapping; if empty, spans are left as they are.

    >>> snap_to_tokens({(1, 7, "LOC")}, [(0, 7), (8, 12)])
    {(0, 7, 'LOC')}
    """
    snap = token_snapper(tokens)
    return {(*snap(start, end), label) for start, end, label in spans}


def token_snapper(tokens: Sequence[tuple[int, int]]) -> Callable[[int, int], tuple[int, int]]:
    """A function that widens a range to whole tokens, as `snap_to_tokens` does."""
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]

    def snap(start: int, end: int) -> tuple[int, int]:
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
        return (starts[first], ends[last]) if first <= last else (start, end)

    return snap


def stray_spans(article: Article) -> set[LabeledSpan]:
    """Gold spans that open with a stray I- tag, which seqeval's strict IOB2 does not count as mentions.

    The CoNLL reader lists them in ``article.meta["stray"]`` as ``[start, end, label]``, in code points.
    """
    return {(start, end, label) for start, end, label in article.meta.get("stray", ())}
