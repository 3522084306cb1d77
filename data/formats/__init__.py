"""Annotation formats. Each is a module with a pair of functions, of one of two kinds.

A format of lines has `read_located(lines, log)` and `write(articles, log)`, which yields text. A format whose
files hold one document, or no lines at all, has `read_file(path, log)` and `write_files(articles, path, log)`.
Reading never raises on bad content: what cannot be used is left out and recorded in the log, with its line.
`load_articles` is the strict form: it returns articles that are all valid, or raises with every problem.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..articles import Article, check_article
from ..labels import LabelScheme
from ..problems import DataError, Problem, ProblemLog
from .common.file_order import in_order
from .common.options import checked_options
from .detection import detect as detect
from .registry import FORMATS as FORMATS
from .registry import KNOWN, Located, existing, format_named, names, refusal


def read_articles(
    path: str | Path, format: str | None = None, *, log: ProblemLog, options: Mapping[str, Any] | None = None
) -> Iterator[Article]:
    """Read a file, or the files of a folder one after the other, in the order of their paths.

    Args:
        path: a file, or a folder of which the files with a known suffix are read.
        format: one of `FORMATS`; None lets `detect` tell.
        log: takes the problems; its ``source`` names the file that is being read.
        options: keyword arguments of the format's reader, as in ``{"triggers": ["Attack"]}``.

    Raises:
        DataError: there is no such path, it holds no file to read, a file's format is not known, or its reader has no
            such option.
    """
    for _, article in located_articles(path, format, log=log, options=options):
        yield article


def located_articles(
    path: str | Path, format: str | None = None, *, log: ProblemLog, options: Mapping[str, Any] | None = None
) -> Located:
    """As `read_articles`, each article with the line where it starts, from 1."""
    path = existing(path)
    if format is not None:
        format_named(path, format)  # now, not at the first file
    for file in _files(path, format) if path.is_dir() else [path]:
        log.source = str(file)
        name = format or detect(file)
        try:
            checked = checked_options(KNOWN[name].reader, options, name) if options else {}
        except ValueError as error:
            raise refusal(file, "unknown option", str(error)) from error
        yield from KNOWN[name].read(file, log, **checked)


def load_articles(
    path: str | Path,
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    log: ProblemLog | None = None,
    change: Callable[[Article], Article] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Article]:
    """Read and validate articles: all of them are right, or this raises.

    Args:
        path: a file or a folder, as for `read_articles`.
        format: one of `FORMATS`; None lets `detect` tell.
        scheme: labels to check against; None checks spans and ids only.
        log: takes what was fixed.
        change: what is done to each article before it is checked.
        options: as for `read_articles`.

    Raises:
        DataError: with every problem of every file, each with its line; that of the article where a problem has none.
    """
    log = ProblemLog() if log is None else log
    before = len(log.dropped)
    articles: list[Article] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for line, article in located_articles(path, format, log=log, options=options):
        place = f"{log.source}:{line}"
        article = change(article) if change else article
        found = list(check_article(article, scheme))
        if article.id and article.id in seen:
            found.append(("duplicate id", f"article id {article.id!r} was used at {seen[article.id]} already"))
        seen.setdefault(article.id, place)
        problems += [
            Problem(source=log.source, line=line, article=article.id, cause=cause, message=message)
            for cause, message in found
        ]
        articles.append(article)
    problems += log.dropped[before:]
    if problems:
        raise DataError(sorted(problems, key=lambda problem: (problem.source, problem.line)))
    if not articles:
        raise refusal(Path(path), "no articles", "holds no articles")
    return articles


def stream_articles(
    path: str | Path,
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    log: ProblemLog,
    change: Callable[[Article], Article] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Article]:
    """As `load_articles`, but one at a time, and an article that is not valid is left out and recorded.

    ``log.articles`` counts those as well. Ids that two articles share are not looked for.
    """
    for line, article in located_articles(path, format, log=log, options=options):
        article = change(article) if change else article
        problems = list(check_article(article, scheme))
        for cause, message in problems:
            log.drop(cause, message, line=line, article=article.id)
        if not problems:
            yield article


def format_chunks(articles: Iterable[Article], format: str, log: ProblemLog) -> Iterator[str]:
    """The content of a file in a format, in pieces, for a stream such as stdout.

    Raises:
        DataError: the format is not known, or it is not text in one file.
    """
    path = Path("stdout")
    if (chunks := format_named(path, format).chunks) is None:
        known = ", ".join(name for name, f in KNOWN.items() if f.chunks)
        raise refusal(path, "no stream", f"{format} is not text in one file; a stream takes {known}")
    return chunks(articles, log)


def suffix_of(format: str) -> str:
    """The suffix that a file of a format is written with; none for a folder.

    >>> suffix_of("inline")
    '.rasid'
    """
    known = KNOWN[format]
    return "" if known.folder else known.suffixes[0]


def format_of(path: str | Path) -> str:
    """The format that a file is written in, by its suffix; ``.jsonl`` is the project's own.

    Raises:
        DataError: the suffix says nothing.
    """
    name = Path(path).name.lower()
    for format, known in KNOWN.items():
        if name.endswith(tuple({*known.suffixes} - {".txt", ".zip"})):
            return format
    raise refusal(Path(path), "unknown format", f"its suffix is that of no format; name one of {names()}")


def write_articles(
    articles: Iterable[Article], path: str | Path, format: str | None = None, *, log: ProblemLog | None = None
) -> ProblemLog:
    """Write a file, whole or not at all; parent folders are made.

    Args:
        articles: are streamed.
        path: the file, which is replaced where it exists; a folder for formats of one file an article.
        format: one of `FORMATS`; None tells by the suffix.
        log: takes what the format cannot hold; None makes one.

    Returns:
        The log.

    Raises:
        DataError: the format is not known, or it is written as a folder and there is one with files in it.
    """
    path = Path(path)
    format = format_of(path) if format is None else format
    known = format_named(path, format)
    if known.folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise refusal(path, "folder in use", f"{format} is written as a folder of files; name a new or an empty folder")
    log = ProblemLog() if log is None else log
    log.source = str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        if known.folder:
            part.mkdir(exist_ok=True)
        known.write(articles, part, log)
        part.replace(path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)
    return log


def _files(folder: Path, format: str | None) -> list[Path]:
    """The files of a folder to be read; .txt, .json and .zip only where their format was named."""
    if format is None:
        suffixes = {suffix for known in KNOWN.values() for suffix in known.suffixes} - {".txt", ".json", ".zip"}
    else:
        suffixes = set(KNOWN[format].suffixes)
    files = [path for path in folder.rglob("*") if path.name.lower().endswith(tuple(suffixes)) and path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not files:
        message = f"is a folder without a file of suffix {', '.join(sorted(suffixes))}"
        more = "; files of .txt, .json and .zip are read where their format is named" if format is None else ""
        raise refusal(folder, "no files", message + more)
    return sorted(files, key=in_order)
