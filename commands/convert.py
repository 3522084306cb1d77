"""The commands about files: converting annotations, starting a project, comparing reports."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._terminal import fail, label_mapping, piped, reading_options, say, stdin_or_path

if TYPE_CHECKING:
    from ..evaluate.report import Report


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="File or folder to read, corpus:train, or - for stdin.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="File or folder to write; - for stdout.")],
    read_as: Annotated[str | None, typer.Option("--from", help="Format of IN; looks at the files without it.")] = None,
    write_as: Annotated[str | None, typer.Option("--to", help="Format of OUT; by its suffix without it.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Reading option key=value, as in triggers=[Attack].")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="FILE=SCHEME renames a label, FILE= drops it.")
    ] = None,
    scheme: Annotated[
        str | None, typer.Option("--scheme", help="Leave out articles with labels that it lacks.")
    ] = None,
) -> None:
    """Convert annotations from one format to another; report what was fixed, dropped and lost.

    The exit code is 1 if a part of IN could not be read or an article was not written. What the format of OUT cannot
    hold is only reported.
    """
    from ..data import conversion
    from ..data.formats import format_of
    from ..data.labels import SchemeError, load_scheme
    from ..data.problems import DataError

    source = stdin_or_path(source, read_as, "--from")
    try:
        format = write_as or ("jsonl" if target == "-" else format_of(target))
        arguments: dict[str, Any] = {
            "read_as": read_as,
            "write_as": format,
            "scheme": load_scheme(scheme) if scheme else None,
            "labels": label_mapping(label or []),
            "options": reading_options(option or []),
        }
        if target == "-":
            with piped():
                done = conversion.convert(source, sys.stdout, **arguments)
        else:
            done = conversion.convert(source, Path(target), **arguments)
    except (DataError, SchemeError) as error:
        fail(error)
    except OSError as error:
        # A file is written beside its place and moved there.
        fail(f"{str(error.filename or target).removesuffix('.part')}: {error.strerror}")
    say(conversion.describe(done, format))
    if not done.complete:
        raise typer.Exit(1)


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="report.json, or the folder that holds it.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another, of the same data.")],
    every: Annotated[bool, typer.Option("--all", help="Every mode and averaging, not the headline alone.")] = False,
    samples: Annotated[int, typer.Option(min=100, help="Samples of the interval and of the test.")] = 10_000,
) -> None:
    """Compare two reports on the same articles: difference of F1 with its interval, and whether it could be chance."""
    from rich.console import Console
    from rich.table import Table

    from ..evaluate.comparison import compare_reports
    from ..evaluate.report import Bootstrap, ReportError

    one, other = _report(first), _report(second)
    bootstrap = Bootstrap(samples=samples, seed=one.bootstrap.seed, level=one.bootstrap.level)
    try:
        comparisons = compare_reports(one, other, bootstrap=bootstrap)
    except ReportError as error:
        fail(error)
    shown = [found for found in comparisons if every or _is_headline(found.name)] or list(comparisons)
    table = Table(title=f"F1 on {one.articles} articles\nA: {first}\nB: {second}", title_justify="left")
    table.add_column("task")
    for column in ("A", "B", "B - A", f"{100 * bootstrap.level:g} % interval", "p"):
        table.add_column(column, justify="right")
    for found in shown:
        name = found.name.removesuffix("/f1")
        interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
        row = (f"{100 * found.first:.2f}", f"{100 * found.second:.2f}", f"{100 * found.difference:+.2f}", interval)
        table.add_row(name if every else "/".join(name.split("/")[:2]), *row, _p_value(found.p_value, samples))
    Console().print(table)
    if len(shown) > 1:
        say("of twenty p-values one is below 0.05 by chance: choose beforehand which one counts")


def _is_headline(name: str) -> bool:
    parts = name.split("/")
    return parts[1] in ("strict", "decision", "iob2", "outermost") and parts[2] == "micro"


def _p_value(value: float, samples: int) -> str:
    smallest = 1 / samples
    return f"< {smallest:.4f}" if value < smallest else f"{value:.4f}"


def _report(place: Path) -> "Report":
    from ..evaluate.report import Report, ReportError

    file = place / "report.json" if place.is_dir() else place
    try:
        return Report.from_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except (ReportError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one without these files.")],
    scheme: Annotated[str, typer.Option(help="Labels to start from: news, anercorp or wojood.")] = "news",
    format: Annotated[str, typer.Option("--format", help="Format of the example articles.")] = "inline",
) -> None:
    """Start a project: a config with comments, a label scheme to edit, and a few annotated articles."""
    from ..data.problems import DataError
    from .init import InitError, initialize

    try:
        files = initialize(folder, scheme=scheme, format=format)
    except (InitError, DataError) as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}")
    for file in files:
        typer.echo(f"wrote {file}")
    config = next(file for file in files if file.suffix == ".yaml" and file.stem == "config")
    typer.echo("next:")
    for command in ("check", "train"):
        typer.echo(f"  rasid {command} {_quoted(config)}")


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
