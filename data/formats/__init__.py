"""Annotation formats: reading and writing files.

Each format is a module or package with a `FORMAT` (see `common.format.Format`) and one line in `registry`. Readers do
not raise on bad content: they drop what they cannot use and record it in the problem log. `data.reading` is the
interface for the rest of the library; it validates what the readers here return.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ... import renamed
from ...errors import shown
from ...files import whole
from ..articles import Article
from ..problems import ProblemLog
from .common.file_order import in_order
from .common.format import Located
from .common.options import checked_options
from .registry import FORMATS as FORMATS
from .registry import KNOWN, existing, format_named, names, refusal
from .registry import detect as detect

# Files of these suffixes are read from a folder only if their format is given: most of them are not annotations.
_AMBIGUOUS = {".txt", ".json", ".zip", ".csv", ".tsv"}


def read_files(
    path: str | Path, format: str | None = None, *, log: ProblemLog, options: Mapping[str, Any] | None = None
) -> Located:
    """Read a file, or the files of a folder in the order of their paths. The articles are not validated.

    Args:
        path: a file, or a folder, of which the files with a known suffix are read.
        format: one of `FORMATS`; None detects it for each file.
        log: takes the problems; its ``source`` is the file that is being read.
        options: keyword arguments of the format's reader, as in ``{"triggers": ["Attack"]}``.

    Raises:
        DataError: the path does not exist or has no file to read, or the format of a file or an option is unknown.
    """
    read: list[Path] = []
    for file, name in _located(existing(path), format):
        log.source = str(file)
        read.append(file)
        known = format_named(file, name)
        try:
            checked = checked_options(known.read, options, name) if options else {}
        except ValueError as error:
            raise refusal(file, "unknown option", str(error)) from error
        yield from known.read(file, log, **checked)
    if format is None and read != [Path(path)]:
        _note_unread(Path(path), read, log)


def annotators_of(path: str | Path, format: str | None = None) -> list[str]:
    """The people whose annotations a file or folder has, each once; empty for formats that do not name them.

    Args:
        path: as for `read_files`.
        format: as for `read_files`.

    Raises:
        DataError: as for `read_files`.
    """
    found = (format_named(file, name).annotators(file) for file, name in _located(existing(path), format))
    return list(dict.fromkeys(name for names in found for name in names))


def _located(path: Path, format: str | None) -> Iterator[tuple[Path, str]]:
    """The files that are read, or a folder that is read as a whole, each with its format."""
    if format is not None:
        format_named(path, format)  # raises before the first file is opened
        format = renamed.FORMATS.get(format, format)
    whole = _format_of_folder(path, format) if path.is_dir() else None
    for file in _files(path, format) if path.is_dir() and not whole else [path]:
        yield file, whole or format or detect(file)


def _note_unread(folder: Path, read: Sequence[Path], log: ProblemLog) -> None:
    """Note the files of a folder that may be annotations and are not read. Texts beside their annotation are none."""
    stems = {path.name.partition(".")[0] for path in read}
    others = [path for path in _visible(folder) if path.suffix.lower() in _AMBIGUOUS and path not in read]
    names = sorted(str(path.relative_to(folder)) for path in others if path.name.partition(".")[0] not in stems)
    if names:
        some = ", ".join(map(shown, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        log.note(f"not read in {folder}: {some}; files of such suffixes are read if they or their format are named")


def _visible(folder: Path) -> Iterator[Path]:
    """The files of a folder and its folders, without hidden ones."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _format_of_folder(folder: Path, format: str | None) -> str | None:
    """The format that reads a folder as a whole; None if its files are read one by one."""
    return next((name for name in ([format] if format else FORMATS) if KNOWN[name].takes_folder(folder)), None)


def _files(folder: Path, format: str | None) -> list[Path]:
    """The files of a folder that are read."""
    if format is None:
        suffixes = {suffix for known in KNOWN.values() for suffix in known.suffixes} - _AMBIGUOUS
    else:
        suffixes = set(format_named(folder, format).suffixes)
    files = [path for path in _visible(folder) if path.name.lower().endswith(tuple(suffixes))]
    if not files:
        message = f"is a folder without a file of suffix {', '.join(sorted(suffixes))}"
        more = "; files of .txt, .json, .csv, .tsv and .zip are read if their format is given" if format is None else ""
        raise refusal(folder, "no files", message + more)
    return sorted(files, key=in_order)


def write_articles(
    articles: Iterable[Article],
    path: str | Path,
    format: str | None = None,
    *,
    log: ProblemLog | None = None,
    options: Mapping[str, Any] | None = None,
) -> ProblemLog:
    """Write a file whole or not at all; parent folders are made.

    Args:
        articles: may be a stream.
        path: the file, which is replaced if it exists; a folder for formats of one file per article.
        format: one of `FORMATS`; None goes by the suffix.
        log: takes what the format cannot hold; None makes one.
        options: writing options of the format, as in ``{"columns": 1}`` for conll.

    Returns:
        The log.

    Raises:
        DataError: the format or an option is unknown, or it is written as a folder and the folder is not empty.
    """
    path = Path(path)
    format = format_of(path) if format is None else format
    known = format_named(path, format)
    if known.folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise refusal(path, "folder in use", f"{format} is written as a folder of files; name a new or an empty folder")
    checked = _writing_options(path, format, options)
    log = ProblemLog() if log is None else log
    log.source = str(path)
    with whole(path, folder=known.folder) as part:
        known.write(articles, part, log, **checked)
    return log


def writing_options(format: str) -> tuple[str, ...]:
    """The names of a format's writing options.

    >>> writing_options("conll")
    ('columns', 'scheme')

    Raises:
        DataError: the format is unknown.
    """
    return format_named(Path(format), format).writing


def _writing_options(path: Path, format: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options with values of the types that the writer declares; DataError, for the path, if they are wrong."""
    known = format_named(path, format)
    if unknown := [name for name in options or {} if name not in known.writing]:
        raise refusal(path, "unknown option", f"{format} has no writing option {unknown[0]!r}")
    try:
        return checked_options(known.chunks or known.write, options or {}, format)
    except ValueError as error:
        raise refusal(path, "unknown option", str(error)) from error


def format_chunks(
    articles: Iterable[Article], format: str, log: ProblemLog, options: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """The content of a file in pieces, for a stream such as stdout.

    Raises:
        DataError: the format or an option is unknown, or it is not text in one file.
    """
    path = Path("stdout")
    if (chunks := format_named(path, format).chunks) is None:
        streamed = ", ".join(name for name, known in KNOWN.items() if known.chunks)
        raise refusal(path, "no stream", f"{format} is not text in one file; a stream takes {streamed}")
    return chunks(articles, log, **_writing_options(path, format, options))


def suffix_of(format: str) -> str:
    """The suffix that a format is written with; empty for a folder.

    >>> suffix_of("inline")
    '.rasid'
    """
    known = format_named(Path(format), format)
    return "" if known.folder else known.suffixes[0]


def format_of(path: str | Path) -> str:
    """The format that a file is written in, by its suffix; ``.jsonl`` is the project's own.

    Raises:
        DataError: no format is written with the suffix.
    """
    name = Path(path).name.lower()
    for format, known in KNOWN.items():
        if name.endswith(tuple({*known.suffixes} - {".txt", ".zip", ".csv", ".tsv"})):
            return format
    raise refusal(Path(path), "unknown format", f"its suffix is that of no format; name one of {names()}")
