"""Scores of a report, with their intervals, from counts and rankings."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .arguments import BREAKDOWNS, ArgumentMode
from .classification import LabelScores, expected_calibration_error
from .counts import AVERAGINGS, METRICS, Counts, average, rate
from .report import Bootstrap, Score
from .significance import percentile_interval, resample, resample_average_precision
from .spans import ANY_LABEL, Mode


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _filled(score: Score, value: float, drawn: np.ndarray, bootstrap: Bootstrap, outcome: np.ndarray) -> Score:
    """A score with its value, its interval from resampled values, and the counts [3] behind it."""
    low, high = percentile_interval(drawn, bootstrap.level)
    tp, fp, fn = (int(count) for count in outcome)
    return replace(
        score,
        value=_number(value),
        low=_number(low),
        high=_number(high),
        gold=tp + fn,
        predicted=tp + fp,
        correct=tp,
    )


def count_scores(counts: Counts, *, task: str, mode: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """Precision, recall and F1 of counts: micro, macro, and of each label; intervals from one set of resamples."""
    total = counts.total  # [K, 3]
    drawn = resample(counts.table, samples=bootstrap.samples, seed=bootstrap.seed)  # [S, K, 3]
    labeled = counts.labels != (ANY_LABEL,)
    averages = [
        _filled(
            Score(task=task, metric=metric, mode=mode, averaging=averaging),
            float(average(total, metric, averaging)),
            average(drawn, metric, averaging),
            bootstrap,
            total.sum(axis=0),
        )
        for averaging in (AVERAGINGS if labeled else AVERAGINGS[:1])
        for metric in METRICS
    ]
    by_label = [
        _filled(
            Score(task=task, metric=metric, mode=mode, label=label),
            float(rate(total[column], metric)),
            rate(drawn[:, column], metric),
            bootstrap,
            total[column],
        )
        for column, label in enumerate(counts.labels if labeled else ())
        for metric in METRICS
    ]
    return (*averages, *by_label)


def span_scores(counts: Mapping[Mode, Counts], *, task: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """Scores of spans in every mode."""
    return tuple(
        score
        for mode, of_mode in counts.items()
        for score in count_scores(of_mode, task=task, mode=mode, bootstrap=bootstrap)
    )


def argument_scores(
    counts: Mapping[ArgumentMode, Counts], *, bootstrap: Bootstrap, prefix: str = ""
) -> tuple[Score, ...]:
    """Scores of arguments in every mode, with a prefix before its name."""
    return tuple(
        score
        for mode, of_mode in counts.items()
        for score in count_scores(of_mode, task="arguments", mode=prefix + mode, bootstrap=bootstrap)
        if score.label or mode not in BREAKDOWNS  # whose averages say no more than those of arg_c+
    )


def label_scores(scores: LabelScores, *, task: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """Scores of a multi-label classifier: of its decisions, its ranking, and its probabilities."""
    labels, annotated, articles = scores.counts.labels, scores.annotated, len(scores.counts.table)

    def drawn(cells: np.ndarray) -> np.ndarray:
        return resample_average_precision(
            scores.gold[cells],
            scores.probabilities[cells],
            scores.groups[np.nonzero(cells)[0]],
            articles,
            samples=bootstrap.samples,
            seed=bootstrap.seed,
        )

    ranking = Score(task=task, metric="average_precision", mode="ranking")
    outcome = scores.counts.total  # [K, 3]
    columns = [drawn(annotated & (np.arange(len(labels)) == column)) for column in range(len(labels))]
    by_label = np.array(columns).reshape(len(labels), -1)  # [K, S]
    defined = (~np.isnan(by_label)).sum(axis=0)
    macro = np.divide(np.nansum(by_label, axis=0), defined, out=np.full(len(defined), np.nan), where=defined > 0)
    averages = (
        ("micro", scores.micro_average_precision, drawn(annotated)),
        ("macro", scores.macro_average_precision, macro),
    )
    ranked = [
        _filled(replace(ranking, averaging=averaging), value, resampled, bootstrap, outcome.sum(axis=0))
        for averaging, value, resampled in averages
    ]
    ranked += [
        _filled(replace(ranking, label=label), scores.average_precision[k], by_label[k], bootstrap, outcome[k])
        for k, label in enumerate(labels)
    ]
    calibration = _filled(
        Score(task=task, metric="expected_calibration_error", mode="probability", averaging="micro"),
        expected_calibration_error(scores.probabilities, scores.gold, annotated),
        np.empty(0),  # binned errors are biased upwards under resampling: no interval
        bootstrap,
        outcome.sum(axis=0),
    )
    return (*count_scores(scores.counts, task=task, mode="decision", bootstrap=bootstrap), *ranked, calibration)
