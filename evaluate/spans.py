"""Scores of labeled spans: entities, triggers, and anything else that is either found exactly or not.

A span is ``(start, end, label)``, a half-open range. The word does not matter as long as gold and prediction share
it: code points for articles, token indices for tags.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from ..data.articles import Article
from .counts import Counts

LabeledSpan: TypeAlias = tuple[int, int, str]

Mode = Literal["strict", "overlap", "type_blind"]
"""When a predicted span is right: ``strict``, its extent and label are those of a gold span; ``overlap``, it shares at
least one position with a gold span of its label, one prediction to one gold span; ``type_blind``, its extent is that
of a gold span, whatever the label."""
MODES: tuple[Mode, ...] = get_args(Mode)

ANY_LABEL = "any"
"""The one row of a type-blind table: without labels there is nothing to tell rows apart."""


@dataclass(frozen=True, kw_only=True)
class SpanScores:
    """Counts of the same spans in each mode, per article."""

    strict: Counts
    overlap: Counts
    type_blind: Counts

    def mode(self, name: Mode) -> Counts:
        """The counts of a mode."""
        return {"strict": self.strict, "overlap": self.overlap, "type_blind": self.type_blind}[name]

    def __add__(self, other: "SpanScores") -> "SpanScores":
        """The articles of both, one after the other."""
        return SpanScores(
            strict=self.strict + other.strict,
            overlap=self.overlap + other.overlap,
            type_blind=self.type_blind + other.type_blind,
        )


def score_spans(
    gold: Sequence[AbstractSet[LabeledSpan]],
    predicted: Sequence[AbstractSet[LabeledSpan]],
    labels: Sequence[str],
    annotated: Sequence[AbstractSet[str] | None] | None = None,
) -> SpanScores:
    """Compare the spans of articles, in every mode.

    Args:
        gold: spans of each article.
        predicted: spans of each article, in the same order.
        labels: every label that may occur; the order of the counts.
        annotated: for each article the labels that its annotator annotated, None for all; gold and predictions of other
            labels are left out.

    Returns:
        Counts by mode; F1 micro of the strict ones is ``scores.strict.score("f1")``.

    Raises:
        ValueError: a span has a label that is not in ``labels``, or the sequences differ in length.
    """
    strict = count_exact(gold, predicted, labels, annotated)
    blind, overlap = np.zeros((len(gold), 1, 3), np.int64), np.zeros((len(gold), len(labels), 3), np.int64)
    for row, (right, found) in enumerate(_annotated_pairs(gold, predicted, annotated)):
        blind[row, 0] = _outcome({span[:2] for span in right}, {span[:2] for span in found})
        for column, label in enumerate(labels):
            golden = [span[:2] for span in right if span[2] == label]
            answers = [span[:2] for span in found if span[2] == label]
            matched = match_overlapping(golden, answers)
            overlap[row, column] = matched, len(answers) - matched, len(golden) - matched
    return SpanScores(
        strict=strict,
        overlap=Counts(labels=tuple(labels), table=overlap),
        type_blind=Counts(labels=(ANY_LABEL,), table=blind),
    )


def count_exact(
    gold: Sequence[AbstractSet[tuple[Hashable, ...]]],
    predicted: Sequence[AbstractSet[tuple[Hashable, ...]]],
    labels: Sequence[str],
    annotated: Sequence[AbstractSet[str] | None] | None = None,
) -> Counts:
    """Compare sets of tuples whose last member is the label: spans, or arguments with their trigger and role.

    Arguments and errors are those of `score_spans`.
    """
    if not len(gold) == len(predicted) == (len(gold) if annotated is None else len(annotated)):
        raise ValueError("gold, predicted and annotated are not of the same articles: their lengths differ")
    column = {label: index for index, label in enumerate(labels)}
    for what, sets in (("gold", gold), ("predicted", predicted)):
        unknown = {str(item[-1]) for items in sets for item in items if item[-1] not in column}
        if unknown:
            raise ValueError(f"{what} label {min(unknown)!r} is not among the labels to score: {', '.join(labels)}")
    table = np.zeros((len(gold), len(labels), 3), np.int64)  # [A, K, 3]
    for row, (right, found) in enumerate(_annotated_pairs(gold, predicted, annotated)):
        for outcome, items in enumerate((right & found, found - right, right - found)):
            for item in items:
                table[row, column[item[-1]], outcome] += 1
    return Counts(labels=tuple(labels), table=table)


def _annotated_pairs(gold, predicted, annotated) -> Iterator[tuple[AbstractSet, AbstractSet]]:
    for row, (right, found) in enumerate(zip(gold, predicted, strict=True)):
        allowed = None if annotated is None else annotated[row]
        if allowed is not None:
            right, found = ({item for item in items if item[-1] in allowed} for items in (right, found))
        yield right, found


def _outcome(right: AbstractSet, found: AbstractSet) -> tuple[int, int, int]:
    return len(right & found), len(found - right), len(right - found)


def match_overlapping(gold: Sequence[tuple[int, int]], predicted: Sequence[tuple[int, int]]) -> int:
    """The largest number of pairs of overlapping ranges in which no range is used twice.

    A greedy pairing would depend on the order of the spans and, where they nest, find too few pairs.

    >>> match_overlapping([(0, 10), (0, 2)], [(0, 10), (8, 10)])
    2
    """
    if not gold or not predicted:
        return 0
    answers = sorted(predicted)
    starts = [start for start, _ in answers]
    reach = np.maximum.accumulate([end for _, end in answers])  # ranges before the first to reach a start end too soon
    pairs = [
        (row, column)
        for row, (start, end) in enumerate(gold)
        for column in range(int(np.searchsorted(reach, start, side="right")), bisect_left(starts, end))
        if answers[column][1] > start
    ]
    if len({row for row, _ in pairs}) == len(pairs) == len({column for _, column in pairs}):
        return len(pairs)  # nothing is contested
    rows, columns = np.array(pairs).T
    graph = csr_array((np.ones(len(pairs), np.int8), (rows, columns)), shape=(len(gold), len(answers)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def snap_to_tokens(spans: Iterable[LabeledSpan], tokens: Sequence[tuple[int, int]]) -> set[LabeledSpan]:
    """Widen spans to whole tokens, for benchmarks whose gold is whole tokens.

    A span covers every token that it overlaps; spans that become equal are one; a span that overlaps no token stays
    as it is, so that it still counts as wrong.

    Args:
        spans: in code points.
        tokens: ranges in code points, in order, not overlapping; empty leaves the spans as they are.

    >>> snap_to_tokens({(1, 7, "LOC")}, [(0, 7), (8, 12)])
    {(0, 7, 'LOC')}
    """
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
    snapped = set()
    for start, end, label in spans:
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
        snapped.add((starts[first], ends[last], label) if first <= last else (start, end, label))
    return snapped


def entity_spans(article: Article) -> set[LabeledSpan]:
    """The entities of an article, nested ones included."""
    return {(entity.start, entity.end, entity.label) for entity in article.entities}


def trigger_spans(article: Article) -> set[LabeledSpan]:
    """The triggers of an article, one span for each type of an event."""
    return {(event.trigger.start, event.trigger.end, label) for event in article.events for label in event.types}


def argument_tuples(article: Article) -> set[tuple[int, int, str, int, int, str]]:
    """The arguments of an article, for `count_exact`.

    Returns:
        (trigger start, trigger end, event type, entity start, entity end, role), one for each type of the event. The
        entity's label is left out, as is usual: a wrong label is the entity tagger's error.
    """
    where = {entity.id: entity for entity in article.entities if entity.id}
    return {
        (event.trigger.start, event.trigger.end, label, entity.start, entity.end, argument.role)
        for event in article.events
        for label in event.types
        for argument in event.arguments
        if (entity := where.get(argument.entity))
    }


def strict_iob2_spans(tags: Sequence[str]) -> set[LabeledSpan]:
    """Spans of token indices as seqeval's ``mode="strict", scheme=IOB2`` reads them.

    A span starts at ``B-`` and goes on through ``I-`` of the same label. An ``I-`` with nothing to continue is stray,
    and so is every ``I-`` that follows it up to the next ``B-``: a run that seqeval's default mode counts as a span
    is dropped as a whole. So these are the default mode's spans less those that open with ``I-``.

    >>> sorted(strict_iob2_spans(["I-LOC", "I-LOC", "B-PER", "I-PER", "I-LOC"]))
    [(2, 4, 'PER')]

    Raises:
        ValueError: a tag is none of ``O``, ``B-label``, ``I-label``.
    """
    spans: set[LabeledSpan] = set()
    start, label = -1, ""  # of the open span; start -1 for none
    for index, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or not name):
            raise ValueError(f"tag {tag!r} at {index} is not IOB2: it must be O, B-label or I-label")
        if start >= 0 and not (prefix == "I" and name == label):
            spans.add((start, index, label))
            start = -1
        if prefix == "B":
            start, label = index, name
    return spans


def drop_stray(article: Article) -> set[LabeledSpan]:
    """The entities that strict IOB2 counts: those of an article less those that open with a stray ``I-``.

    The CoNLL reader lists the stray ones in ``article.meta["stray"]`` as ``[start, end, label]``, in code points.
    """
    return entity_spans(article) - {(start, end, label) for start, end, label in article.meta.get("stray", ())}
