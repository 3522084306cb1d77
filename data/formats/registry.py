"""The formats that there are, by name."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ... import renamed
from ..articles import Article
from ..problems import DataError, Problem, ProblemLog
from . import ace, brat, classification, conll, doccano, inception, inline, jsonl, label_studio, prodigy, spacy
from .common.lines import file_lines, nearest

Located = Iterator[tuple[int, Article]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """How a format is read and written.

    Attributes:
        read: (path, log, **options) → articles with the lines where they start.
        write: (articles, path, log) → None.
        suffixes: of the files that hold it, the one for writing first.
        folder: it is written as a folder of files.
        reader: the module's reading function; its keyword-only parameters are the reading options.
        chunks: (articles, log) → the content of one file in pieces; None where it takes several files, or bytes.
    """

    read: Callable[..., Located]
    write: Callable[[Iterable[Article], Path, ProblemLog], None]
    suffixes: tuple[str, ...]
    reader: Callable[..., Any]
    folder: bool = False
    chunks: Callable[[Iterable[Article], ProblemLog], Iterator[str]] | None = None


def _of_lines(module: ModuleType, *suffixes: str) -> Format:
    """A format of lines, as a format of files."""

    def read(path: Path, log: ProblemLog, **options: Any) -> Located:
        yield from module.read_located(file_lines(path), log, **options)

    def write(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(module.write(articles, log))

    return Format(read=read, write=write, suffixes=suffixes, reader=module.read_located, chunks=module.write)


def _of_files(module: ModuleType, *suffixes: str, folder: bool = False) -> Format:
    return Format(
        read=module.read_file,
        write=module.write_files,
        suffixes=suffixes,
        reader=module.read_file,
        folder=folder,
        chunks=None if folder else getattr(module, "write", None),
    )


KNOWN = {
    "jsonl": _of_lines(jsonl, ".jsonl"),
    "inline": _of_lines(inline, ".rasid"),
    "conll": _of_lines(conll, ".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt"),
    "classification": _of_lines(classification, ".jsonl"),
    "doccano": _of_lines(doccano, ".jsonl"),
    "prodigy": _of_lines(prodigy, ".jsonl"),
    "ace": _of_files(ace, ".apf.xml", ".rich_ere.xml", ".ere.xml", folder=True),
    "label-studio": _of_files(label_studio, ".json"),
    "brat": _of_files(brat, ".ann", folder=True),
    "inception": _of_files(inception, ".xmi", ".json", ".zip", folder=True),
    "spacy": _of_files(spacy, ".spacy"),
}
FORMATS = tuple(KNOWN)


def existing(path: str | Path) -> Path:
    """A path that there is; DataError for any other."""
    path = Path(path)
    if not path.exists():
        raise refusal(path, "no such file", "there is no such file or folder")
    return path


def format_named(path: Path, format: str) -> Format:
    """The format of a name; DataError, for the path, with the nearest one where there is none."""
    format = renamed.FORMATS.get(format, format)
    if format not in KNOWN:
        hint = nearest(format, FORMATS) if format else f"name one of {names()}"
        raise refusal(path, "unknown format", f"format {format!r} is not known; {hint}")
    return KNOWN[format]


def names() -> str:
    """All names, for messages."""
    return ", ".join(FORMATS)


def refusal(path: Path, cause: str, message: str) -> DataError:
    """An error of one problem."""
    return DataError([Problem(source=str(path), cause=cause, message=message)])
