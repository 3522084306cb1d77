"""Annotation formats. Each is a module with a pure pair `read(lines, ledger)` and `write(articles, ledger)`.

Reading never raises on bad content: what cannot be used is left out and recorded in the ledger, with its line.
`load_articles` is the strict form: it returns articles that are all valid, or raises with every problem.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..articles import Article, check_article
from ..labels import LabelScheme
from ..ledger import DataError, Ledger, Problem
from . import classification, conll, jsonl, markup
from .lines import file_lines, nearest

Located = Iterator[tuple[int, Article]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Format:
    read: Callable[[Iterable[str], Ledger], Located]
    write: Callable[[Iterable[Article], Ledger], Iterator[str]]
    suffixes: tuple[str, ...]


_FORMATS = {
    "jsonl": _Format(read=jsonl.read_located, write=jsonl.write, suffixes=(".jsonl",)),
    "markup": _Format(read=markup.read_located, write=markup.write, suffixes=(".rasid",)),
    "conll": _Format(
        read=conll.read_located, write=conll.write, suffixes=(".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt")
    ),
    "classification": _Format(read=classification.read_located, write=classification.write, suffixes=(".jsonl",)),
}
FORMATS = tuple(_FORMATS)

_LOOKED_AT = 50  # lines that `detect` reads
_TAGGED = re.compile(r"\S+[ \t]+(\S+[ \t]+)*(O|[BIMELSU]-\S+)\r?")


def detect(path: str | Path) -> str:
    """The name of a file's format, by its suffix and its first lines.

    Raises:
        DataError: there is no such file, or it looks like none of the formats.
    """
    path = _existing(path)
    if path.is_dir():
        raise _error(path, "no file", "is a folder; the format is told file by file")
    lines = [line for line, _ in zip(file_lines(path), range(_LOOKED_AT), strict=False) if line.strip()]
    first = lines[0] if lines else ""
    match path.suffix.lower():
        case ".rasid":
            return "markup"
        case ".jsonl":
            return "classification" if _is_classification(first) else "jsonl"
        case ".txt" | "" if first.strip() == "---":
            return "markup"
        case ".txt" | "" if lines and all(_TAGGED.fullmatch(line.removesuffix("\n")) for line in lines):
            return "conll"
        case suffix if suffix != ".txt" and suffix in _FORMATS["conll"].suffixes:
            return "conll"
        case _:
            shown = f"it starts with {first[:40]!r}" if first else "it is empty"
            raise _error(path, "unknown format", f"is in no format that is read ({shown}); name one of {_names()}")


def read_articles(path: str | Path, format: str | None = None, *, ledger: Ledger) -> Iterator[Article]:
    """Read a file, or the files of a folder one after the other, in the order of their paths.

    Args:
        path: a file, or a folder of which the files with a known suffix are read.
        format: one of `FORMATS`; None lets `detect` tell.
        ledger: takes the problems; its ``source`` names the file that is being read.

    Raises:
        DataError: there is no such path, it holds no file to read, or a file's format is not known.
    """
    for _, article in _located(path, format, ledger):
        yield article


def load_articles(
    path: str | Path,
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    ledger: Ledger | None = None,
    change: Callable[[Article], Article] | None = None,
) -> list[Article]:
    """Read and validate articles: all of them are right, or this raises.

    Args:
        path: a file or a folder, as for `read_articles`.
        format: one of `FORMATS`; None lets `detect` tell.
        scheme: labels to check against; None checks spans and ids only.
        ledger: takes what was repaired.
        change: what is done to each article before it is checked.

    Raises:
        DataError: with every problem of every file, each with its line; that of the article where a problem has none.
    """
    ledger = Ledger() if ledger is None else ledger
    before = len(ledger.quarantined)
    articles: list[Article] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for line, article in _located(path, format, ledger):
        place = f"{ledger.source}:{line}"
        article = change(article) if change else article
        found = list(check_article(article, scheme))
        if article.id and article.id in seen:
            found.append(("duplicate id", f"article id {article.id!r} was used at {seen[article.id]} already"))
        seen.setdefault(article.id, place)
        problems += [
            Problem(source=ledger.source, line=line, article=article.id, cause=cause, message=message)
            for cause, message in found
        ]
        articles.append(article)
    problems += ledger.quarantined[before:]
    if problems:
        raise DataError(sorted(problems, key=lambda problem: (problem.source, problem.line)))
    if not articles:
        raise _error(Path(path), "no articles", "holds no articles")
    return articles


def write_articles(articles: Iterable[Article], path: str | Path, format: str | None = None) -> Ledger:
    """Write a file, whole or not at all; parent folders are made.

    Args:
        articles: are streamed.
        path: the file; one that exists is replaced.
        format: one of `FORMATS`; None tells by the suffix.

    Returns:
        What the format could not hold.

    Raises:
        DataError: the format is not known.
    """
    path = Path(path)
    if format is None:
        format = next(
            (name for name, known in _FORMATS.items() if path.suffix.lower() in {*known.suffixes} - {".txt"}), ""
        )
    write = _format(path, format).write
    ledger = Ledger(source=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "w", encoding="utf-8", newline="") as file:
            file.writelines(write(articles, ledger))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return ledger


def _located(path: str | Path, format: str | None, ledger: Ledger) -> Located:
    path = _existing(path)
    if format is not None:
        _format(path, format)
    for file in _files(path, format) if path.is_dir() else [path]:
        ledger.source = str(file)
        yield from _FORMATS[format or detect(file)].read(file_lines(file), ledger)


def _files(folder: Path, format: str | None) -> list[Path]:
    """The files of a folder to be read; plain .txt only where its format was named."""
    if format is None:
        suffixes = {suffix for known in _FORMATS.values() for suffix in known.suffixes} - {".txt"}
    else:
        suffixes = set(_FORMATS[format].suffixes)
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes and path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not files:
        raise _error(folder, "no files", f"is a folder without a file of suffix {', '.join(sorted(suffixes))}")
    return files


def _is_classification(line: str) -> bool:
    """Whether the first line of a JSONL file has labels of its text rather than annotations in it."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and ("labels" in content or isinstance(content.get("judged"), str | list))


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise _error(path, "no such file", "there is no such file or folder")
    return path


def _format(path: Path, format: str) -> _Format:
    if format not in _FORMATS:
        hint = nearest(format, FORMATS) if format else f"name one of {_names()}"
        raise _error(path, "unknown format", f"format {format!r} is not known; {hint}")
    return _FORMATS[format]


def _names() -> str:
    return ", ".join(FORMATS)


def _error(path: Path, cause: str, message: str) -> DataError:
    return DataError([Problem(source=str(path), cause=cause, message=message)])
