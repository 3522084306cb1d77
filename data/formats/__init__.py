"""Annotation formats. Each is a module with a pair of functions, of one of two kinds.

A format of lines has `read_located(lines, ledger)` and `write(articles, ledger)`, which yields text. A format whose
files hold one document, or no lines at all, has `read_file(path, ledger)` and `write_files(articles, path, ledger)`.
Reading never raises on bad content: what cannot be used is left out and recorded in the ledger, with its line.
`load_articles` is the strict form: it returns articles that are all valid, or raises with every problem.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..articles import Article, check_article
from ..labels import LabelScheme
from ..ledger import DataError, Ledger, Problem
from . import ace, brat, classification, conll, docbin, doccano, inception, jsonl, label_studio, markup, prodigy
from .lines import file_lines, nearest
from .options import checked_options

Located = Iterator[tuple[int, Article]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Format:
    """How a format is read and written.

    Attributes:
        read: (path, ledger, **options) → articles with the lines where they start.
        write: (articles, path, ledger) → None.
        suffixes: of the files that hold it, the one for writing first.
        folder: it is written as a folder of files.
        reader: the module's reading function; its keyword-only parameters are the reading options.
        chunks: (articles, ledger) → the content of one file in pieces; None where it takes several files, or bytes.
    """

    read: Callable[..., Located]
    write: Callable[[Iterable[Article], Path, Ledger], None]
    suffixes: tuple[str, ...]
    reader: Callable[..., Any]
    folder: bool = False
    chunks: Callable[[Iterable[Article], Ledger], Iterator[str]] | None = None


def _of_lines(module: ModuleType, *suffixes: str) -> _Format:
    """A format of lines, as a format of files."""

    def read(path: Path, ledger: Ledger, **options: Any) -> Located:
        yield from module.read_located(file_lines(path), ledger, **options)

    def write(articles: Iterable[Article], path: Path, ledger: Ledger) -> None:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(module.write(articles, ledger))

    return _Format(read=read, write=write, suffixes=suffixes, reader=module.read_located, chunks=module.write)


def _of_files(module: ModuleType, *suffixes: str, folder: bool = False) -> _Format:
    return _Format(
        read=module.read_file,
        write=module.write_files,
        suffixes=suffixes,
        reader=module.read_file,
        folder=folder,
        chunks=None if folder else getattr(module, "write", None),
    )


_FORMATS = {
    "jsonl": _of_lines(jsonl, ".jsonl"),
    "markup": _of_lines(markup, ".rasid"),
    "conll": _of_lines(conll, ".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt"),
    "classification": _of_lines(classification, ".jsonl"),
    "doccano": _of_lines(doccano, ".jsonl"),
    "prodigy": _of_lines(prodigy, ".jsonl"),
    "ace": _of_files(ace, ".apf.xml", ".rich_ere.xml", ".ere.xml", folder=True),
    "label-studio": _of_files(label_studio, ".json"),
    "brat": _of_files(brat, ".ann", folder=True),
    "inception": _of_files(inception, ".xmi", ".json", folder=True),
    "spacy": _of_files(docbin, ".spacy"),
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
    if path.suffix.lower() == ".json" and label_studio.is_export(path):
        return "label-studio"
    lines = [line for line, _ in zip(file_lines(path), range(_LOOKED_AT), strict=False) if line.strip()]
    first = lines[0] if lines else ""
    match path.suffix.lower():
        case ".rasid":
            return "markup"
        case ".ann":
            return "brat"
        case ".txt" if path.with_suffix(".ann").is_file():
            return "brat"
        case ".spacy":
            return "spacy"
        case ".xmi":
            return "inception"
        case ".json" if inception.is_cas_json(path):
            return "inception"
        case ".xml" if path.name.lower().endswith(_FORMATS["ace"].suffixes) or ace.is_root("".join(lines)):
            return "ace"
        case ".jsonl":
            return _of_json(lines)
        case ".txt" | "" if first.strip() == "---":
            return "markup"
        case ".txt" | "" if lines and all(_TAGGED.fullmatch(line.removesuffix("\n")) for line in lines):
            return "conll"
        case suffix if suffix != ".txt" and suffix in _FORMATS["conll"].suffixes:
            return "conll"
        case _:
            shown = f"it starts with {first[:40]!r}" if first else "it is empty"
            raise _error(path, "unknown format", f"is in no format that is read ({shown}); name one of {_names()}")


def read_articles(
    path: str | Path, format: str | None = None, *, ledger: Ledger, options: Mapping[str, Any] | None = None
) -> Iterator[Article]:
    """Read a file, or the files of a folder one after the other, in the order of their paths.

    Args:
        path: a file, or a folder of which the files with a known suffix are read.
        format: one of `FORMATS`; None lets `detect` tell.
        ledger: takes the problems; its ``source`` names the file that is being read.
        options: keyword arguments of the format's reader, as in ``{"triggers": ["Attack"]}``.

    Raises:
        DataError: there is no such path, it holds no file to read, a file's format is not known, or its reader has no
            such option.
    """
    for _, article in located_articles(path, format, ledger=ledger, options=options):
        yield article


def located_articles(
    path: str | Path, format: str | None = None, *, ledger: Ledger, options: Mapping[str, Any] | None = None
) -> Located:
    """As `read_articles`, each article with the line where it starts, from 1."""
    path = _existing(path)
    if format is not None:
        _format(path, format)  # now, not at the first file
    for file in _files(path, format) if path.is_dir() else [path]:
        ledger.source = str(file)
        name = format or detect(file)
        try:
            checked = checked_options(_FORMATS[name].reader, options, name) if options else {}
        except ValueError as error:
            raise _error(file, "unknown option", str(error)) from error
        yield from _FORMATS[name].read(file, ledger, **checked)


def load_articles(
    path: str | Path,
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    ledger: Ledger | None = None,
    change: Callable[[Article], Article] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Article]:
    """Read and validate articles: all of them are right, or this raises.

    Args:
        path: a file or a folder, as for `read_articles`.
        format: one of `FORMATS`; None lets `detect` tell.
        scheme: labels to check against; None checks spans and ids only.
        ledger: takes what was repaired.
        change: what is done to each article before it is checked.
        options: as for `read_articles`.

    Raises:
        DataError: with every problem of every file, each with its line; that of the article where a problem has none.
    """
    ledger = Ledger() if ledger is None else ledger
    before = len(ledger.quarantined)
    articles: list[Article] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for line, article in located_articles(path, format, ledger=ledger, options=options):
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


def stream_articles(
    path: str | Path,
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    ledger: Ledger,
    change: Callable[[Article], Article] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Article]:
    """As `load_articles`, but one at a time, and an article that is not valid is left out and recorded.

    ``ledger.articles`` counts those as well. Ids that two articles share are not looked for.
    """
    for line, article in located_articles(path, format, ledger=ledger, options=options):
        article = change(article) if change else article
        problems = list(check_article(article, scheme))
        for cause, message in problems:
            ledger.refuse(cause, message, line=line, article=article.id)
        if not problems:
            yield article


def format_chunks(articles: Iterable[Article], format: str, ledger: Ledger) -> Iterator[str]:
    """The content of a file in a format, in pieces, for a stream such as stdout.

    Raises:
        DataError: the format is not known, or it is not text in one file.
    """
    path = Path("stdout")
    if (chunks := _format(path, format).chunks) is None:
        known = ", ".join(name for name, f in _FORMATS.items() if f.chunks)
        raise _error(path, "no stream", f"{format} is not text in one file; a stream takes {known}")
    return chunks(articles, ledger)


def suffix_of(format: str) -> str:
    """The suffix that a file of a format is written with; none for a folder.

    >>> suffix_of("markup")
    '.rasid'
    """
    known = _FORMATS[format]
    return "" if known.folder else known.suffixes[0]


def format_of(path: str | Path) -> str:
    """The format that a file is written in, by its suffix; ``.jsonl`` is the project's own.

    Raises:
        DataError: the suffix says nothing.
    """
    name = Path(path).name.lower()
    for format, known in _FORMATS.items():
        if name.endswith(tuple({*known.suffixes} - {".txt"})):
            return format
    raise _error(Path(path), "unknown format", f"its suffix is that of no format; name one of {_names()}")


def write_articles(
    articles: Iterable[Article], path: str | Path, format: str | None = None, *, ledger: Ledger | None = None
) -> Ledger:
    """Write a file, whole or not at all; parent folders are made.

    Args:
        articles: are streamed.
        path: the file, which is replaced where it exists; a folder for formats of one file an article.
        format: one of `FORMATS`; None tells by the suffix.
        ledger: takes what the format cannot hold; None makes one.

    Returns:
        The ledger.

    Raises:
        DataError: the format is not known, or it is written as a folder and there is one with files in it.
    """
    path = Path(path)
    format = format_of(path) if format is None else format
    known = _format(path, format)
    if known.folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise _error(path, "folder in use", f"{format} is written as a folder of files; name a new or an empty folder")
    ledger = Ledger() if ledger is None else ledger
    ledger.source = str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        if known.folder:
            part.mkdir(exist_ok=True)
        known.write(articles, part, ledger)
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)
    return ledger


def _files(folder: Path, format: str | None) -> list[Path]:
    """The files of a folder to be read; plain .txt and .json only where their format was named."""
    if format is None:
        suffixes = {suffix for known in _FORMATS.values() for suffix in known.suffixes} - {".txt", ".json"}
    else:
        suffixes = set(_FORMATS[format].suffixes)
    files = [path for path in folder.rglob("*") if path.name.lower().endswith(tuple(suffixes)) and path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not files:
        message = f"is a folder without a file of suffix {', '.join(sorted(suffixes))}"
        more = "; files of .txt and .json are read where their format is named" if format is None else ""
        raise _error(folder, "no files", message + more)
    return sorted(files, key=_in_order)


def _in_order(path: Path) -> list[tuple[list[list[str | int]], str]]:
    """Paths by their parts, numbers in them by value: a corpus that was written as a folder comes back in its order."""

    def pieces(name: str) -> list[str | int]:
        return [int(piece) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", name)]

    return [([pieces(name) for name in part.split(".")], part) for part in path.parts]


def _of_json(lines: Iterable[str]) -> str:
    """The format of JSON Lines, by the keys of the first ones; those that are not JSON tell nothing."""
    contents: list[Any] = []
    for line in lines:
        try:
            contents.append(json.loads(line))
        except (ValueError, RecursionError):
            contents.append(None)
    # An example without spans may look like a labelled text, so that later lines have a say.
    for name, tells in (("prodigy", prodigy.is_task), ("doccano", doccano.is_example)):
        if any(map(tells, contents)):
            return name
    return "classification" if contents and _is_classification(contents[0]) else "jsonl"


def _is_classification(content: Any) -> bool:
    """Whether a line of a JSONL file has labels of its text rather than annotations in it."""
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
