"""Comparison of two reports on the same data."""

from dataclasses import dataclass
from functools import partial

from .counts import AVERAGINGS, Averaging, average
from .report import Bootstrap, Report, ReportError
from .significance import paired_difference
from .spans import ANY_LABEL


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """F1 of two reports under the same task, mode and averaging.

    Attributes:
        name: ``"entities/strict/micro/f1"``.
        first, second: the two values.
        difference: second minus first.
        low, high: percentile interval of the difference.
        p_value: two-sided, from approximate randomization.
    """

    name: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float


def compare_reports(first: Report, second: Report, *, bootstrap: Bootstrap | None = None) -> tuple[Comparison, ...]:
    """Compare F1 in every task, mode and averaging that both reports have.

    Of twenty p-values one is below 0.05 by chance: choose beforehand which comparison counts.

    Args:
        first: report of one bundle.
        second: report of another.
        bootstrap: of the intervals and the test; None takes 10,000 samples, and seed and level of the first report.

    Raises:
        ReportError: the reports have different articles, gold, schemes or labels, or no task in common.
    """
    for name in ("data_hash", "scheme"):
        if getattr(first, name) != getattr(second, name):
            raise ReportError(
                f"the reports differ in {name}: {getattr(first, name)!r} and {getattr(second, name)!r}; "
                "their scores cannot be compared"
            )
    bootstrap = bootstrap or Bootstrap(samples=10_000, seed=first.bootstrap.seed, level=first.bootstrap.level)
    comparisons: list[Comparison] = []
    for key in (key for key in first.counts if key in second.counts):
        first_counts, second_counts = first.counts[key], second.counts[key]
        choices: tuple[Averaging, ...] = AVERAGINGS if first_counts.labels != (ANY_LABEL,) else ("micro",)
        for averaging in choices:
            try:
                difference = paired_difference(
                    first_counts,
                    second_counts,
                    partial(average, metric="f1", averaging=averaging),
                    samples=bootstrap.samples,
                    seed=bootstrap.seed,
                    level=bootstrap.level,
                )
            except ValueError as error:
                raise ReportError(f"{key}: {error}") from error
            comparisons.append(
                Comparison(
                    name=f"{key}/{averaging}/f1",
                    first=first_counts.score("f1", averaging=averaging),
                    second=second_counts.score("f1", averaging=averaging),
                    difference=difference.value,
                    low=difference.low,
                    high=difference.high,
                    p_value=difference.p_value,
                )
            )
    if not comparisons:
        raise ReportError("the reports have no task in common that was counted per article")
    return tuple(comparisons)
