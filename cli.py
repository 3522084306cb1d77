"""The command line: registers the commands and reports errors.

Commands import the package inside their functions, so that ``rasid --help`` is fast.
"""

import functools
import io
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from .commands._stopping import disk_error, stoppable
from .commands._terminal import show, terminal
from .commands.check import check
from .commands.compare import compare
from .commands.convert import convert
from .commands.evaluate import evaluate
from .commands.export import export
from .commands.init import init
from .commands.pretrain import pretrain
from .commands.tag import tag
from .commands.train import train
from .errors import RasidError

app = typer.Typer(name="rasid", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"rasid {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")] = False,
) -> None:
    """Entities and events from Arabic news articles: train, evaluate, export, tag."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Arabic in any locale; a lone surrogate is written as \\ud800
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _reported(command: Callable[..., None]) -> Callable[..., None]:
    """The command; an error that the user can fix ends it with a message and exit code 1, without a traceback.

    Ctrl-C and SIGTERM end it with a message too, and with the exit codes of the shell.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            with stoppable(command.__name__), terminal():
                command(*arguments, **options)
        except RasidError as error:
            show(f"error: {error}", err=True)
            raise typer.Exit(1) from error
        except Exception as error:
            if (message := disk_error(error)) is None:
                raise
            show(f"error: {message}", err=True)
            raise typer.Exit(1) from error

    return run


for _command in (init, convert, check, train, evaluate, compare, export, tag, pretrain):  # the order of the help
    app.command()(_reported(_command))
