"""True positives, false positives and false negatives per article, which a bootstrap can resample."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Metric = Literal["precision", "recall", "f1"]
METRICS: tuple[Metric, ...] = get_args(Metric)

Averaging = Literal["micro", "macro", "macro-seen"]
"""How labels are averaged: ``micro`` sums the counts; ``macro`` is the mean over the labels in gold; ``macro-seen`` is
the mean over the labels in gold or prediction, which is seqeval's macro."""
AVERAGINGS: tuple[Averaging, ...] = get_args(Averaging)

TP, FP, FN = 0, 1, 2


def rate(table: np.ndarray, metric: Metric) -> np.ndarray:
    """Precision, recall or F1 of counts.

    Args:
        table: [..., 3], true positives, false positives, false negatives.
        metric: precision, recall or F1.

    Returns:
        [...], from 0 to 1. If the denominator is 0: 0 if there is gold or prediction (as in seqeval and scikit-learn),
        NaN if there is neither.
    """
    tp, fp, fn = (table[..., column].astype(np.float64) for column in (TP, FP, FN))
    match metric:
        case "precision":
            numerator, denominator = tp, tp + fp
        case "recall":
            numerator, denominator = tp, tp + fn
        case "f1":
            numerator, denominator = 2 * tp, 2 * tp + fp + fn
    measured = np.where(tp + fp + fn > 0, 0.0, np.nan)
    return np.divide(numerator, denominator, out=measured, where=denominator > 0)


def average(table: np.ndarray, metric: Metric, averaging: Averaging) -> np.ndarray:
    """One number from the counts of several labels.

    Args:
        table: [..., K, 3], counts of K labels.
        metric: precision, recall or F1.
        averaging: see `Averaging`.

    Returns:
        [...]; NaN without gold and prediction.
    """
    if averaging == "micro":
        return rate(table.sum(axis=-2), metric)
    occurs = table[..., TP] + table[..., FN] > 0 if averaging == "macro" else table.sum(axis=-1) > 0  # [..., K]
    total = np.where(occurs, rate(table, metric), 0.0).sum(axis=-1)
    labels = occurs.sum(axis=-1)
    return np.divide(total, labels, out=np.full(np.shape(total), np.nan), where=labels > 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Decisions of a data set.

    Attributes:
        labels: K names.
        table: [A, K, 3] integers: true positives, false positives, false negatives of each article and label.
    """

    labels: tuple[str, ...]
    table: np.ndarray

    def __post_init__(self) -> None:
        if self.table.ndim != 3 or self.table.shape[1:] != (len(self.labels), 3):
            raise ValueError(
                f"a table of {len(self.labels)} labels is [A, {len(self.labels)}, 3], not {self.table.shape}"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and self.labels == other.labels and np.array_equal(self.table, other.table)

    @property
    def total(self) -> np.ndarray:
        """[K, 3], summed over articles."""
        return self.table.sum(axis=0)

    def score(self, metric: Metric, *, averaging: Averaging = "micro", label: str | None = None) -> float:
        """A metric over all articles, of one label or averaged over all; NaN without gold and prediction.

        >>> counts = Counts(labels=("PER", "LOC"), table=np.array([[[1, 0, 1], [0, 0, 0]]]))
        >>> round(counts.score("f1"), 4), counts.score("recall", label="PER")
        (0.6667, 0.5)

        Raises:
            ValueError: there is no such label.
        """
        if label is not None:
            return float(rate(self.total[self.labels.index(label)], metric))
        return float(average(self.total, metric, averaging))
