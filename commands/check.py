"""The command that audits data."""

from pathlib import Path
from typing import Annotated

import typer

from ._terminal import bar, fail, piped, quiet, reading_options, say, stdin_or_path


def check(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA|CONFIG", help="Files, folders, corpus:train, - for stdin; or a config with key=value."
        ),
    ],
    format: Annotated[str | None, typer.Option("--format", help="Format of the data.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Reading option key=value, as in triggers=[Attack].")
    ] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder whose tokenizer is to read them.")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Bundle that ranks likely label noise.")] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", min=2, help="Rank it by taggers trained without one of N folds each."),
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option(
            "--language-model", help="Encoder, such as rasid-mini, that looks for words in the wrong sentence; slow."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="File for everything that was found.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="File for a page to browse.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Places shown of each finding.")] = 3,
) -> None:
    """Audit annotated articles: broken spans, leaks, rare labels, lost letters. The exit code is 1 on errors."""
    quiet()
    from rich.console import Console

    from ..audit.terminal import render
    from .checking import check_inputs, write_reports
    from .lenient import CheckError

    try:
        paths = [stdin_or_path(name, format, "--format") for name in inputs]
        options = reading_options(option or [])
        checked = check_inputs(
            paths,
            format=format,
            options=options,
            encoder=encoder,
            bundle=bundle,
            folds=folds,
            language_model=language_model,
            progress=bar,
            say=say,
        )
    except CheckError as error:
        fail(error)
    code = 1 if checked.audit.errors else 0
    console = Console()
    with console.capture() as shown:  # the console would end the command at a closed pipe
        for part in render(checked.audit, limit=limit):
            console.print(part)
    written, failed = filter(None, (json, html)), None
    try:
        write_reports(checked, json=json, html=html)
    except OSError as error:
        written, failed = (), f"{error.filename}: {error.strerror}"
    with piped(code):
        typer.echo(shown.get(), nl=False)
        for file in written:
            typer.echo(f"written: {file}")
    if failed:
        fail(failed)
    if code:
        raise typer.Exit(code)
