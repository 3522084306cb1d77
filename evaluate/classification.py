"""Scores, thresholds and calibration of multi-label classification with partial annotation.

Shapes: N rows (sentences or articles), K labels. A label is predicted if its probability is at least its threshold. A
cell is a row and a label; cells that were not annotated count nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, logsumexp

from .counts import Counts

TEMPERATURES = (0.05, 20.0)
"""The range of temperatures. Without a lower bound, a dev set without errors would give 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelScores:
    """Scores of a multi-label classifier.

    Attributes:
        counts: decisions per article and label, [A, K, 3].
        gold, predicted, annotated: [N, K] booleans; the first two are False for cells that were not annotated.
        probabilities: [N, K].
        groups: [N], index of each row's article.
        average_precision: [K], NaN for a label without annotated positives.
        micro_average_precision: of all annotated cells in one ranking, NaN if none is positive.
    """

    counts: Counts
    gold: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    annotated: np.ndarray
    groups: np.ndarray
    average_precision: np.ndarray
    micro_average_precision: float

    @property
    def macro_average_precision(self) -> float:
        """The mean over labels with an annotated positive; NaN if there is none."""
        values = self.average_precision[~np.isnan(self.average_precision)]
        return float(values.mean()) if len(values) else float("nan")


def score_labels(
    gold: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    annotated: np.ndarray,
    labels: Sequence[str],
    groups: np.ndarray | None = None,
) -> LabelScores:
    """Score decisions and rankings.

    Args:
        gold: [N, K] booleans.
        probabilities: [N, K], from 0 to 1.
        predicted: [N, K] booleans.
        annotated: [N, K] booleans.
        labels: K names.
        groups: [N], index of each row's article, from 0; None makes each row an article.

    Raises:
        ValueError: shapes differ, or an annotated probability is not a number from 0 to 1.
    """
    gold, predicted, annotated = (np.asarray(array, bool) for array in (gold, predicted, annotated))
    probabilities = np.asarray(probabilities, np.float64)
    shape = (len(gold), len(labels))
    if not gold.shape == probabilities.shape == predicted.shape == annotated.shape == shape:
        raise ValueError(
            f"gold {gold.shape}, probabilities {probabilities.shape}, predicted {predicted.shape} and annotated "
            f"{annotated.shape} must all be [N, {len(labels)}]"
        )
    if not ((probabilities >= 0) & (probabilities <= 1) | ~annotated).all():
        raise ValueError("an annotated probability is not a number from 0 to 1; these may be logits")
    groups = np.arange(len(gold)) if groups is None else np.asarray(groups, np.int64)
    if groups.shape != gold.shape[:1]:
        raise ValueError(f"groups {groups.shape} must be [{len(gold)}], one article for each row")
    gold, predicted = gold & annotated, predicted & annotated
    outcomes = np.stack([gold & predicted, ~gold & predicted, gold & ~predicted], axis=-1)  # [N, K, 3]
    table = np.zeros((int(groups.max(initial=-1)) + 1, len(labels), 3), np.int64)
    np.add.at(table, groups, outcomes)
    columns = [
        average_precision(gold[annotated[:, k], k], probabilities[annotated[:, k], k])[0] for k in range(len(labels))
    ]
    return LabelScores(
        counts=Counts(labels=tuple(labels), table=table),
        gold=gold,
        probabilities=probabilities,
        predicted=predicted,
        annotated=annotated,
        groups=groups,
        average_precision=np.array(columns, np.float64),
        micro_average_precision=float(average_precision(gold[annotated], probabilities[annotated])[0]),
    )


def average_precision(gold: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Average precision of a ranking, as scikit-learn defines it, for many weightings of its rows at once.

    Args:
        gold: [N] booleans.
        probabilities: [N]; rows of the same probability share a rank.
        weights: [S, N], how often each row counts; None counts each row once.

    Returns:
        [S]; NaN if no row with a weight is positive.
    """
    weights = np.ones((1, len(gold))) if weights is None else weights
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], len(ranked) > 0))  # last row of each rank
    # Recall grows at the P positives only, so the arrays below are [S, P].
    positives = np.flatnonzero(gold[order])
    rank = np.searchsorted(ends, positives)
    ordered = weights[:, order]
    rows_so_far = np.cumsum(ordered, axis=1)[:, ends[rank]]
    positive_weights = ordered[:, positives]
    positives_so_far = np.cumsum(positive_weights, axis=1)[:, np.searchsorted(rank, rank, side="right") - 1]
    precision = np.divide(positives_so_far, rows_so_far, out=np.zeros_like(positive_weights), where=rows_so_far > 0)
    total = positive_weights.sum(axis=1)
    undefined = np.full(len(weights), np.nan)
    return np.divide((precision * positive_weights).sum(axis=1), total, out=undefined, where=total > 0)


def tune_thresholds(
    gold: np.ndarray,
    probabilities: np.ndarray,
    annotated: np.ndarray,
    *,
    minimum_positives: int = 10,
    shrinkage: float = 10.0,
) -> np.ndarray:
    """Choose for each label the threshold with the highest F1 on dev.

    Thresholds are midway between neighboring probabilities; of equally good ones, 0.5 included, the one nearest to 0.5
    is taken. A threshold tuned on few positives overfits, so a label with few of them gets the threshold that is best
    for all labels together (micro F1), and the thresholds of other labels are shrunk towards it. Without any positive
    it is 0.5.

    Args:
        gold: [N, K] booleans.
        probabilities: [N, K].
        annotated: [N, K] booleans.
        minimum_positives: annotated positives that a label needs for a threshold of its own.
        shrinkage: number of annotated positives at which a label's own threshold and the shared one have equal weight,
            in log odds; 0 for no shrinkage.

    Returns:
        [K]
    """
    gold, annotated = np.asarray(gold, bool), np.asarray(annotated, bool)
    probabilities = np.asarray(probabilities, np.float64)
    shared = _best_threshold(gold[annotated], probabilities[annotated])
    thresholds = np.full(gold.shape[1], shared)
    positives = (gold & annotated).sum(axis=0)
    for label in np.flatnonzero(positives >= max(minimum_positives, 1)):
        rows = annotated[:, label]
        own = _best_threshold(gold[rows, label], probabilities[rows, label])
        if own != shared and shrinkage > 0:
            odds = logit(np.clip([own, shared], 1e-9, 1 - 1e-9))
            own = float(expit(np.average(odds, weights=[positives[label], shrinkage])))
        thresholds[label] = own
    return thresholds


def _best_threshold(gold: np.ndarray, probabilities: np.ndarray) -> float:
    if not gold.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    below = np.append(ranked[1:], 0.0)
    cuts = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # the last row predicted, one for each rank
    middle = ranked[cuts] / 2 + below[cuts] / 2
    middle = np.where(middle <= below[cuts], ranked[cuts], middle)  # neighbors with no number between them
    half = probabilities >= 0.5
    correct = np.append(np.cumsum(gold[order])[cuts], (gold & half).sum())
    predicted = np.append(cuts + 1, half.sum())
    scores = 2 * correct / (predicted + gold.sum())  # F1, exact for equal fractions
    candidates = np.append(middle, 0.5)[scores == scores.max()]
    return float(candidates[np.argmin(np.abs(candidates - 0.5))])


def fit_temperature(logits: np.ndarray, gold: np.ndarray, annotated: np.ndarray) -> float:
    """The temperature with the highest likelihood of ``sigmoid(logits / T)`` on annotated cells (Guo et al. 2017).

    Args:
        logits: [N, K].
        gold: [N, K] booleans.
        annotated: [N, K] booleans.

    Returns:
        T within `TEMPERATURES`; 1 if nothing was annotated.

    Raises:
        ValueError: an annotated logit is not finite.
    """
    margins = np.where(gold, 1.0, -1.0) * logits
    margins = margins[np.asarray(annotated, bool)]
    return _minimize(lambda scale: np.logaddexp(0.0, -margins * scale).mean(), margins)


def fit_softmax_temperature(logits: np.ndarray, gold: np.ndarray) -> float:
    """The temperature with the highest likelihood of ``softmax(logits / T)``.

    Args:
        logits: [N, K].
        gold: [N], the right class of each row.

    Returns:
        T within `TEMPERATURES`; 1 without rows.

    Raises:
        ValueError: a logit is not finite.
    """
    margins = logits - logits[np.arange(len(gold)), gold][:, None]  # [N, K], against the right class
    return _minimize(lambda scale: logsumexp(margins * scale, axis=1).mean(), margins)


def _minimize(loss, margins: np.ndarray) -> float:
    """The temperature with the lowest loss. The loss is convex in 1/T, so it has one minimum in log T."""
    if not margins.size:
        return 1.0
    if not np.isfinite(margins).all():
        raise ValueError("a logit is not finite")
    minimum = minimize_scalar(lambda x: loss(np.exp(-x)), bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(minimum.x))


def expected_calibration_error(
    probabilities: np.ndarray, gold: np.ndarray, annotated: np.ndarray | None = None, *, bins: int = 15
) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015), for binary decisions.

    The mean distance of predicted probability and observed frequency in a bin, weighted by the cells in it.

    Args:
        probabilities: [...], from 0 to 1.
        gold: [...], booleans.
        annotated: [...], booleans; None for all.
        bins: number of bins.

    Returns:
        From 0 to 1; NaN if nothing was annotated.
    """
    annotated = np.ones(np.shape(gold), bool) if annotated is None else np.asarray(annotated, bool)
    predicted, observed = np.asarray(probabilities, np.float64)[annotated], np.asarray(gold, bool)[annotated]
    if not len(predicted):
        return float("nan")
    column = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(column, predicted - observed, minlength=bins)  # summed within each bin
    return float(np.abs(gaps).sum() / len(predicted))
