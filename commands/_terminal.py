"""What the commands share: messages and progress on stderr, output streams, the table of scores."""

import logging
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from ..errors import RasidError, printable
from ..files import target_of, whole
from ..progress import reported

if TYPE_CHECKING:
    from ..evaluate.report import Report

logger = logging.getLogger(__name__)


class CommandError(RasidError):
    """A command that cannot be run as it was given."""


def fail(error: Exception | str) -> NoReturn:
    """End the command with a message.

    Raises:
        CommandError: always.
    """
    raise CommandError(str(error))


# ---- messages and progress -------------------------------------------------------------------------------------------


def show(text: str, *, err: bool = False) -> None:
    """Print a text. In messages and on a terminal, control characters are shown as escapes; files get them as they are.

    A progress bar puts another stream in the place of stderr, so messages cannot know whether they reach a terminal.
    """
    typer.echo(printable(text) if err or sys.stdout.isatty() else text, err=err)


class PrintableStream:
    """A text stream to a terminal in which control characters are shown as escapes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.stream.write(printable(line))


@contextmanager
def terminal() -> Iterator[None]:
    """Show messages of rasid on stderr, progress too if it is a terminal; silence the libraries below."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers reads it too
    rasid = logging.getLogger("rasid")
    level = rasid.level
    handler = logging.Handler(logging.INFO)
    # Looked up for each message: a progress bar replaces sys.stderr while it is shown.
    handler.emit = lambda record: show(handler.format(record), err=True)
    rasid.addHandler(handler)
    rasid.setLevel(logging.INFO)
    try:
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", category=UserWarning, module="torch")
            if sys.stderr.isatty():
                stack.enter_context(_bars())
            yield
    finally:
        rasid.removeHandler(handler)
        rasid.setLevel(level)


@contextmanager
def _bars() -> Iterator[None]:
    """Show all `progress.track` inside the block as bars on stderr; nested ones are shown together."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # stdout is left alone: rich would print it on the console of the bar, which is stderr.
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)

    def bar(items: Iterable[Any], label: str, total: float | None) -> Iterator[Any]:
        task = progress.add_task(label, total=total)
        progress.start()
        try:
            for item in items:
                yield item
                progress.advance(task)
        finally:
            progress.remove_task(task)
            if not progress.tasks:
                progress.stop()

    with reported(bar):
        try:
            yield
        finally:
            progress.stop()


# ---- output ----------------------------------------------------------------------------------------------------------


@contextmanager
def piped(code: int = 0) -> Iterator[None]:
    """Write to stdout; if its reader closes the pipe, the command ends with the exit code and no message."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # the interpreter flushes stdout at exit, and would fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(code) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Report an error of the operating system inside the block as a file that cannot be written.

    Raises:
        CommandError: there was such an error; the message names the file of the error, or the path.
    """
    try:
        yield
    except OSError as error:
        fail(f"{target_of(error.filename or path)}: {error.strerror or error}")


@contextmanager
def replacing(output: Path) -> Iterator[TextIO]:
    """A text stream; the file is replaced when the block ends without an error, so it may be one of the inputs."""
    with whole(output) as part, part.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream:
        yield stream


def show_scores(reports: "Mapping[str, Report]") -> None:
    """Print the headline scores, a table for each data set, 80 columns wide."""
    from rich.console import Console
    from rich.table import Table

    for name, report in reports.items():
        table = Table(title=f"{printable(name)}, {report.articles} articles: micro averages", title_justify="left")
        for column in ("task", "mode", "metric"):
            table.add_column(column)
        for column in ("value", f"{100 * report.bootstrap.level:g} % interval", "gold"):
            table.add_column(column, justify="right")
        for score in report.headline("micro"):
            interval = "" if score.low is None else f"{100 * score.low:.1f}–{100 * (score.high or 0):.1f}"
            metric = {"f1": "F1", "average_precision": "AP"}[score.metric]
            table.add_row(score.task, score.mode, metric, f"{100 * (score.value or 0):.2f}", interval, str(score.gold))
        Console().print(table)
