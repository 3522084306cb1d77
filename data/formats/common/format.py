"""What an annotation format is to the rest of the library."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, wraps
from itertools import islice
from pathlib import Path
from typing import Any

from ...articles import Article
from ...problems import ProblemLog
from .lines import file_lines

Located = Iterator[tuple[int, Article]]
"""Articles, each with the line where it starts: from 1, or 0 where lines do not apply."""

METADATA = ("title", "date", "source")
"""Fields of an article that are text or None."""

_SAMPLED = 50  # lines that detection looks at
_HEAD = 64 << 10  # bytes that detection looks at


@dataclass(frozen=True)
class Sample:
    """A file whose format is to be detected. Its lines are read only when a format asks for them."""

    path: Path

    @property
    def suffix(self) -> str:
        """Its suffix in lower case."""
        return self.path.suffix.lower()

    @cached_property
    def head(self) -> bytes:
        """Its first bytes."""
        with open(self.path, "rb") as file:
            return file.read(_HEAD)

    @cached_property
    def lines(self) -> list[str]:
        """Its first lines that are not blank, without line ends."""
        return [line.rstrip("\r\n") for line in islice(file_lines(self.path), _SAMPLED) if line.strip()]

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects on its first lines; none if its suffix is not that of JSON Lines."""
        lines = self.lines if self.suffix == ".jsonl" else []
        return [value for line in lines if isinstance(value := _parsed(line), dict)]


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """How a format is recognized, read and written, and what it can hold.

    Attributes:
        read: (path, log, **options) → articles with the lines where they start. It never raises on bad content: what
            cannot be used is dropped and recorded. Its keyword-only parameters are the reading options.
        write: (articles, path, log) → None.
        suffixes: of its files; files are written with the first one.
        holds: which of `losses.CONTENT` it can hold.
        recognizes: whether a file is in this format.
        folder: it is written as a folder of files.
        takes_folder: whether a folder is read as a whole, and not file by file.
        annotators: path → names of the people whose annotations it has, which its reading option ``annotator`` takes.
        chunks: (articles, log) → the text of one file in pieces; None if it takes several files or is binary.
        writing: keyword-only parameters of ``write`` and ``chunks`` that are its writing options.
    """

    read: Callable[..., Located]
    write: Callable[..., None]
    suffixes: tuple[str, ...]
    holds: frozenset[str]
    recognizes: Callable[[Sample], bool]
    folder: bool = False
    takes_folder: Callable[[Path], bool] = lambda folder: False
    annotators: Callable[[Path], Collection[str]] = lambda path: ()
    chunks: Callable[..., Iterator[str]] | None = None
    writing: tuple[str, ...] = ()


def format_of_lines(
    read: Callable[..., Located],
    write: Callable[..., Iterator[str]],
    *,
    suffixes: tuple[str, ...],
    holds: frozenset[str],
    recognizes: Callable[[Sample], bool],
    writing: tuple[str, ...] = (),
) -> Format:
    """A format of text lines.

    Args:
        read: (lines, log, **options) → articles with the lines where they start.
        write: (articles, log) → the text in pieces.
        suffixes: as for `Format`.
        holds: as for `Format`.
        recognizes: as for `Format`.
        writing: as for `Format`.
    """

    @wraps(read)  # with the options of `read`
    def read_file(path: Path, log: ProblemLog, **options: Any) -> Located:
        yield from read(file_lines(path), log, **options)

    return Format(
        read=read_file,
        write=to_file(write),
        suffixes=suffixes,
        holds=holds,
        recognizes=recognizes,
        chunks=write,
        writing=writing,
    )


def to_file(write: Callable[..., Iterator[str]]) -> Callable[..., None]:
    """The function that writes the pieces of `write` to a file, with the options of `write`."""

    def write_file(articles: Iterable[Article], path: Path, log: ProblemLog, **options: Any) -> None:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(write(articles, log, **options))

    return write_file
