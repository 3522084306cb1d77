"""``rasid convert``."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Labels, ReadAs, label_mapping, reading_options, stdin_or_path
from ._terminal import piped, show, writing


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="File or folder to read, corpus:train, or - for stdin.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="File or folder to write; - for stdout.")],
    read_as: ReadAs = None,
    write_as: Annotated[str | None, typer.Option("--to", help="Format of OUT; by its suffix without it.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", help="Option of the format of IN or OUT: key=value, as in triggers=[Attack], columns=1."
        ),
    ] = None,
    label: Labels = None,
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
    from ..data.labels import load_scheme

    source = stdin_or_path(source, read_as, "--from")
    format = write_as or ("jsonl" if target == "-" else format_of(target))
    options: dict[str, Any] = {
        "read_as": read_as,
        "write_as": format,
        "scheme": load_scheme(scheme) if scheme else None,
        "labels": label_mapping(label),
        "options": reading_options(option),
    }
    if target == "-":
        with piped():
            done = conversion.convert(source, sys.stdout, **options)
    else:
        with writing(Path(target)):
            done = conversion.convert(source, Path(target), **options)
    show(conversion.describe(done, format), err=True)
    if not done.complete:
        raise typer.Exit(1)
