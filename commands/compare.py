"""``rasid compare``."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import printable
from ._terminal import fail

if TYPE_CHECKING:
    from ..evaluate.report import Report

logger = logging.getLogger(__name__)


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="report.json, or the folder that holds it.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another report, on the same data.")],
    every: Annotated[bool, typer.Option("--all", help="All modes and averagings, not the headline only.")] = False,
    samples: Annotated[int, typer.Option(min=100, help="Samples of the bootstrap and of the test.")] = 10_000,
) -> None:
    """Compare two reports on the same data: difference of F1, its interval, and the p-value of a paired test."""
    from rich.console import Console
    from rich.table import Table

    from ..evaluate.comparison import compare_reports
    from ..evaluate.report import Bootstrap

    one, other = _report(first), _report(second)
    bootstrap = Bootstrap(samples=samples, seed=one.bootstrap.seed, level=one.bootstrap.level)
    comparisons = compare_reports(one, other, bootstrap=bootstrap)
    shown = [found for found in comparisons if every or _is_headline(found.name)] or list(comparisons)
    table = Table(title=printable(f"F1 on {one.articles} articles\nA: {first}\nB: {second}"), title_justify="left")
    table.add_column("task")
    for column in ("A", "B", "B - A", f"{100 * bootstrap.level:g} % interval", "p"):
        table.add_column(column, justify="right")
    for found in shown:
        name = found.name.removesuffix("/f1")
        interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
        row = (f"{100 * found.first:.2f}", f"{100 * found.second:.2f}", f"{100 * found.difference:+.2f}", interval)
        name = printable(name)
        table.add_row(name if every else "/".join(name.split("/")[:2]), *row, _p_value(found.p_value, samples))
    Console().print(table)
    if len(shown) > 1:
        logger.info("one p-value in twenty is below 0.05 by chance: choose the test before you look")


def _is_headline(name: str) -> bool:
    from ..evaluate.report import HEADLINE

    _, mode, averaging, metric = name.split("/")
    return averaging == "micro" and (mode, metric) in HEADLINE


def _p_value(value: float, samples: int) -> str:
    smallest = 1 / samples
    return f"< {smallest:.4f}" if value < smallest else f"{value:.4f}"


def _report(path: Path) -> "Report":
    from ..evaluate.report import Report, ReportError

    file = path / "report.json" if path.is_dir() else path
    try:
        return Report.from_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except (ReportError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")
