"""The formats by name, and which of them a file is in."""

from pathlib import Path

from ... import renamed
from ..problems import DataError, Problem
from . import ace, brat, classification, conll, doccano, inception, inline, jsonl, label_studio, prodigy, spacy
from .common.format import Format, Sample
from .common.lines import nearest
from .foreign import foreign_file, unknown_table

# Detection asks the last format first: the later ones are the more specific ones, any .jsonl file may be jsonl.
KNOWN: dict[str, Format] = {
    "jsonl": jsonl.FORMAT,
    "inline": inline.FORMAT,
    "conll": conll.FORMAT,
    "classification": classification.FORMAT,
    "doccano": doccano.FORMAT,
    "prodigy": prodigy.FORMAT,
    "ace": ace.FORMAT,
    "label-studio": label_studio.FORMAT,
    "brat": brat.FORMAT,
    "inception": inception.FORMAT,
    "spacy": spacy.FORMAT,
}
FORMATS = tuple(KNOWN)


def detect(path: str | Path) -> str:
    """The name of a file's format, by its suffix and its first lines.

    Raises:
        DataError: there is no such file, or it looks like none of the formats.
    """
    path = existing(path)
    if path.is_dir():
        raise refusal(path, "no file", "is a folder; the format is detected file by file")
    sample = Sample(path)
    if message := foreign_file(sample):
        raise refusal(path, "foreign format", message)
    for name in reversed(FORMATS):
        if KNOWN[name].recognizes(sample):
            return name
    if message := unknown_table(sample):
        raise refusal(path, "foreign format", message)
    if sample.suffix == ".zip":
        message = "is an archive without documents of INCEpTION or doccano; unpack it and name the folder"
    else:
        start = f"it starts with {sample.lines[0][:40]!r}" if sample.lines else "it is empty"
        message = f"is in no known format ({start}); name one of {names()}"
    raise refusal(path, "unknown format", message)


def existing(path: str | Path) -> Path:
    """A path that exists; DataError for any other."""
    path = Path(path)
    if not path.exists():
        raise refusal(path, "no such file", "there is no such file or folder")
    return path


def format_named(path: Path, format: str) -> Format:
    """The format of a name; DataError, for the path, with the nearest name if it is unknown."""
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
