"""The command that audits data."""

from pathlib import Path
from typing import Annotated

import typer

from .terminal import fail, quiet, say


def check(
    inputs: Annotated[list[str], typer.Argument(help="Recipe with key=value; or files, folders, corpus:train.")],
    format: Annotated[str | None, typer.Option("--format", help="Format of the data.")] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder whose tokenizer is to read them.")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Bundle that ranks likely label noise.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="File for everything that was found.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="File for a page to browse.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Places shown of each finding.")] = 3,
) -> None:
    """Audit annotated articles: broken spans, leaks, rare labels, lost letters. The exit code is 1 on errors."""
    quiet()
    from rich.console import Console

    from ..data.audit.terminal import render
    from .checking import CheckError, check_inputs, write_reports

    try:
        checked = check_inputs(inputs, format=format, encoder=encoder, bundle=bundle, say=say)
    except CheckError as error:
        fail(error)
    console = Console()
    for part in render(checked.audit, limit=limit):
        console.print(part)
    try:
        write_reports(checked, json=json, html=html)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    for file in filter(None, (json, html)):
        typer.echo(f"written: {file}")
    if checked.audit.errors:
        raise typer.Exit(1)
