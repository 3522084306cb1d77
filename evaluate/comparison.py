"""Comparing two reports on the same data, article by article."""

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
        difference: second less first.
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

    Many comparisons at once: of twenty p-values one is below 0.05 by chance, so choose beforehand which one counts.

    Args:
        first: of one bundle.
        second: of another.
        bootstrap: of the intervals and the test; None takes 10,000 samples, and seed and level of the first report.

    Raises:
        ReportError: the reports are not of the same articles and gold, or of different schemes or labels, or have
            nothing in common.
    """
    for what in ("data_hash", "scheme"):
        if getattr(first, what) != getattr(second, what):
            raise ReportError(
                f"the reports differ in {what}: {getattr(first, what)!r} and {getattr(second, what)!r}; "
                "their scores are not of the same thing"
            )
    bootstrap = bootstrap or Bootstrap(samples=10_000, seed=first.bootstrap.seed, level=first.bootstrap.level)
    comparisons: list[Comparison] = []
    for key in (key for key in first.counts if key in second.counts):
        one, other = first.counts[key], second.counts[key]
        choices: tuple[Averaging, ...] = AVERAGINGS if one.labels != (ANY_LABEL,) else ("micro",)
        for averaging in choices:
            try:
                found = paired_difference(
                    one,
                    other,
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
                    first=one.score("f1", averaging=averaging),
                    second=other.score("f1", averaging=averaging),
                    difference=found.value,
                    low=found.low,
                    high=found.high,
                    p_value=found.p_value,
                )
            )
    if not comparisons:
        raise ReportError("the reports have no task in common that was counted per article")
    return tuple(comparisons)
