"""Confidence intervals of scores and tests of differences, by resampling articles.

Sentences of one article are not independent: intervals from resampled sentences would be too narrow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .classification import average_precision
from .counts import Counts

Statistic: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From summed counts [..., K, 3] to values [...]."""

CELLS_AT_ONCE = 1 << 22  # resamples × articles held in memory: 32 MiB of weights


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A paired comparison of two systems.

    Attributes:
        value: second minus first.
        low, high: percentile interval of the difference.
        p_value: of the two-sided test that the two systems are exchangeable.
    """

    value: float
    low: float
    high: float
    p_value: float


def _resamples(articles: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each article is drawn, [S, A] a time; the sums of S are ``samples``."""
    generator = np.random.default_rng(seed)
    step = max(1, CELLS_AT_ONCE // max(articles, 1))
    for first in range(0, samples, step):
        rows = min(step, samples - first)
        drawn = generator.integers(articles, size=(rows, articles)) + articles * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * articles).reshape(rows, articles).astype(np.float64)


def resample(table: np.ndarray, *, samples: int = 1000, seed: int = 0) -> np.ndarray:
    """Summed counts of bootstrap resamples of the articles, drawn with replacement.

    Args:
        table: [A, K, 3] counts of articles.
        samples: number of resamples, S.
        seed: the same seed and number of articles draw the same articles.

    Returns:
        [S, K, 3]; S is 0 with fewer than two articles.
    """
    articles, *shape = table.shape
    if articles < 2:
        return np.empty((0, *shape))
    flat = table.reshape(articles, -1).astype(np.float64)
    return np.concatenate([weights @ flat for weights in _resamples(articles, samples, seed)]).reshape(-1, *shape)


def percentile_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The two ends of the middle ``level`` of resampled values, without undefined ones (NaN); NaN if there are none."""
    values = values[~np.isnan(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resample_average_precision(
    gold: np.ndarray,
    probabilities: np.ndarray,
    groups: np.ndarray,
    articles: int,
    *,
    samples: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """Average precision of bootstrap resamples of the articles.

    Args:
        gold: [N] booleans.
        probabilities: [N].
        groups: [N], index of each row's article, below ``articles``.
        articles: number of articles, also those without a row. The same number and seed draw the same articles, so that
            labels that were annotated in different rows can be averaged within a resample.
        samples: number of resamples, S.
        seed: of the resampling.

    Returns:
        [S], NaN if no drawn row is positive; empty with fewer than two articles.
    """
    if articles < 2:
        return np.empty(0)
    step = max(1, CELLS_AT_ONCE // max(len(gold), 1))
    return np.concatenate(
        [
            average_precision(gold, probabilities, weights[first : first + step, groups])
            for weights in _resamples(articles, samples, seed)
            for first in range(0, len(weights), step)
        ]
    )


def paired_difference(
    first: Counts, second: Counts, statistic: Statistic, *, samples: int = 10_000, seed: int = 0, level: float = 0.95
) -> Difference:
    """Compare two systems on the same articles.

    The interval is a paired bootstrap (both systems on the same resample); the p-value is from approximate
    randomization, which exchanges the two systems' counts of an article at random (Noreen 1989; Yeh 2000).

    Args:
        first: counts of one system.
        second: counts of the other, of the same articles in the same order.
        statistic: from summed counts [S, K, 3] to S values, such as
            ``partial(average, metric="f1", averaging="micro")``.
        samples: number of resamples, and of exchanges.
        seed: of both.
        level: of the interval.

    Raises:
        ValueError: the counts are not of the same labels and number of articles, or not of the same gold.
    """
    if first.labels != second.labels or first.table.shape != second.table.shape:
        raise ValueError("the two systems were not scored on the same labels and articles")
    if (first.table[..., [0, 2]].sum(axis=-1) != second.table[..., [0, 2]].sum(axis=-1)).any():
        raise ValueError("the two systems were not scored against the same gold: its counts differ in some article")
    value = float(statistic(second.total) - statistic(first.total))
    settings = {"samples": samples, "seed": seed}
    resampled = statistic(resample(second.table, **settings)) - statistic(resample(first.table, **settings))
    low, high = percentile_interval(resampled, level)

    change = (second.table - first.table).reshape(len(first.table), -1).astype(np.float64)  # [A, 3K]
    generator = np.random.default_rng(seed)
    step = max(1, CELLS_AT_ONCE // max(len(change), 1))
    as_large = 0
    for done in range(0, samples, step):
        swapped = generator.integers(2, size=(min(step, samples - done), len(change))) @ change
        swapped = swapped.reshape(-1, *first.total.shape)
        exchanged = statistic(second.total - swapped) - statistic(first.total + swapped)
        as_large += int((np.abs(exchanged) >= abs(value) - 1e-12).sum())  # ties count, despite rounding
    return Difference(value=value, low=low, high=high, p_value=(1 + as_large) / (1 + samples))
