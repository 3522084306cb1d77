"""What the commands share: errors of one line, notes on stderr, pairs of `name=value`."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

import typer


def fail(error: Exception | str) -> NoReturn:
    """End the command with an error and exit code 1."""
    typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1)


def say(line: str) -> None:
    """A line for the person, beside the output."""
    typer.echo(line, err=True)


def label_mapping(entries: Sequence[str]) -> dict[str, str | None]:
    """`FILE=SCHEME` renames a label, `FILE=` drops it."""
    pairs = [entry.partition("=") for entry in entries]
    for entry, (old, sign, _) in zip(entries, pairs, strict=True):
        if not old or not sign:
            fail(f"--label {entry!r}: write FILE=SCHEME, or FILE= to drop the label")
    return {old: new or None for old, _, new in pairs}


def reading_options(entries: Sequence[str]) -> dict[str, Any]:
    """`key=value` of `--option`, the value as in a config."""
    from ..configs.tree import ConfigError, parse

    found: dict[str, Any] = {}
    for entry in entries:
        key, sign, value = entry.partition("=")
        problems: list[str] = []
        if not key or not sign:
            fail(f"--option {entry!r}: write key=value, as in triggers=[Attack]")
        try:
            found[key] = parse(value, f"--option {key}", problems, located=False).plain()
        except ConfigError as error:
            problems += error.problems
        if problems:
            fail("\n".join(problems))
    return found


def stdin_or_path(name: str, format: str | None, option: str) -> str:
    """The path to read; ``-`` is stdin, which can be read only once, so that its format must be named."""
    if name == "-" and format is None:
        fail(f"- is stdin, whose format cannot be looked at: name it with {option}")
    return "/dev/stdin" if name == "-" else name


@contextmanager
def piped(code: int = 0) -> Iterator[None]:
    """Write to stdout; a reader that has seen enough ends the command with the code, without an error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # nothing is left for the interpreter to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(code) from None


@contextmanager
def replacing(output: Path) -> Iterator[TextIO]:
    """A stream that takes the file's place once it is whole: the output may be one of the inputs."""
    special = output.exists() and not output.is_file()
    part = output if special else output.with_name(f"{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream:
            yield stream
        if not special:
            part.replace(output)
    finally:
        if not special:
            with suppress(OSError):
                part.unlink()


def bar(items: Sequence[Any], label: str) -> Iterator[Any]:
    """The items, with a bar on a terminal as they pass."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, label, console=Console(stderr=True), transient=True)


def quiet(*, transformers: bool = True) -> None:
    """Keep the libraries' own chatter off the screen; warnings of ours stay."""
    import warnings

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    if transformers:
        from transformers.utils import logging

        logging.disable_progress_bar()
