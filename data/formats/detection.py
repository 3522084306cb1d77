"""Telling a file's format by its suffix and its first lines."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ... import renamed
from . import ace, doccano, inception, label_studio, prodigy
from .common.lines import file_lines
from .registry import KNOWN, existing, names, refusal

_LOOKED_AT = 50  # lines that `detect` reads
_TAGGED = re.compile(r"\S+[ \t]+(\S+[ \t]+)*(O|[BIMELSU]-\S+)\r?")


def detect(path: str | Path) -> str:
    """The name of a file's format, by its suffix and its first lines.

    Raises:
        DataError: there is no such file, or it looks like none of the formats.
    """
    path = existing(path)
    if path.is_dir():
        raise refusal(path, "no file", "is a folder; the format is told file by file")
    if path.suffix.lower() == ".json" and label_studio.is_export(path):
        return "label-studio"
    if path.suffix.lower() == ".zip":
        if inception.is_archive(path):
            return "inception"
        message = "is an archive without documents of INCEpTION; unpack it and name the folder"
        raise refusal(path, "unknown format", message)
    lines = [line for line, _ in zip(file_lines(path), range(_LOOKED_AT), strict=False) if line.strip()]
    first = lines[0] if lines else ""
    match path.suffix.lower():
        case ".rasid":
            return "inline"
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
        case ".xml" if path.name.lower().endswith(KNOWN["ace"].suffixes) or ace.is_root("".join(lines)):
            return "ace"
        case ".jsonl":
            return _of_json(lines)
        case ".txt" | "" if first.strip() == "---":
            return "inline"
        case ".txt" | "" if lines and all(_TAGGED.fullmatch(line.removesuffix("\n")) for line in lines):
            return "conll"
        case suffix if suffix != ".txt" and suffix in KNOWN["conll"].suffixes:
            return "conll"
        case _:
            shown = f"it starts with {first[:40]!r}" if first else "it is empty"
            raise refusal(path, "unknown format", f"is in no format that is read ({shown}); name one of {names()}")


def _of_json(lines: Iterable[str]) -> str:
    """The format of JSON Lines, by the keys of the first ones; those that are not JSON tell nothing."""
    contents: list[Any] = []
    for line in lines:
        try:
            contents.append(json.loads(line))
        except (ValueError, RecursionError):
            contents.append(None)
    # An example without spans may look like a labeled text, so that later lines have a say.
    for name, tells in (("prodigy", prodigy.is_task), ("doccano", doccano.is_example)):
        if any(map(tells, contents)):
            return name
    return "classification" if contents and _is_classification(contents[0]) else "jsonl"


def _is_classification(content: Any) -> bool:
    """Whether a line of a JSONL file has labels of its text rather than annotations in it."""
    return isinstance(content, dict) and (
        "labels" in content or isinstance(renamed.with_new_keys(content).get("annotated"), str | list)
    )
