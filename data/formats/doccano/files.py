"""Reads the files that doccano exports: JSON Lines, a JSON array, CSV, fastText, and the archive of a project."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ....errors import shown
from ...problems import ArticleLog, ProblemLog
from ..common.format import Located, Sample
from ..common.lines import encoding_fault, file_lines, limited_content, numbered, parse_json
from ..common.span_lines import as_text, json_objects
from ..common.zip_archive import Archive, ArchiveError, open_archive
from .reader import (
    Empty,
    Example,
    Units,
    annotated_only,
    check_units,
    has_annotation,
    has_label_ids,
    is_example,
    read,
    read_examples,
)

_LARGEST = 1 << 28  # bytes of a file that is parsed as a whole
_HEAD = 1 << 16  # bytes of a file that detection looks at
_LABEL = re.compile(r"__label__(\S+)(?:\s+|$)")  # of fastText
_SUFFIXES = (".jsonl", ".json", ".csv", ".txt")
_OF_LABEL_STUDIO = {"annotation_id", "annotator", "lead_time"}  # columns of its CSV and JSON-MIN


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    units: Units | None = None,
    annotator: int | str | None = None,
    empty: Empty = "skip",
    predictions: bool = False,
) -> Located:
    """Read a file of any kind that doccano exports.

    Args:
        path: a ``.jsonl``, ``.json``, ``.csv`` or ``.txt`` file, or a ``.zip`` with one of them for each member.
        log: takes the problems and the count.
        triggers: as for `read`.
        units: as for `read`.
        annotator: member of the project whose examples are read, by the name of the file in the archive; None for all.
            An example that several annotated is then an article for each, with the id ``EXAMPLE#MEMBER``.
        empty: as for `read`.
        predictions: as for `read`.

    Raises:
        DataError: the units are unknown.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip":
        check_units(units, log)
        for member, examples in _archived(path, log, None if annotator is None else str(annotator), empty):
            source, log.source = log.source, f"{log.source}!{member}"
            yield from read_examples(examples, log, triggers, units, predictions)
            log.source = source
        return
    if annotator is not None:
        log.drop("unknown annotator", f"annotator {shown(annotator)} is chosen in an archive (.zip); this is a file")
        return
    if suffix not in (".json", ".csv", ".txt"):
        options: dict[str, Any] = {"triggers": triggers, "units": units, "empty": empty, "predictions": predictions}
        yield from read(file_lines(path), log, **options)
        return
    check_units(units, log)
    try:
        content = limited_content(path, _LARGEST)
    except ValueError as error:
        log.drop("file not read", str(error))
        return
    examples = _examples(content, suffix, log)
    chosen = annotated_only(examples, log) if empty == "skip" else examples
    yield from read_examples(chosen, log, triggers, units, predictions)


def _examples(content: bytes, suffix: str, log: ProblemLog) -> Iterator[Example]:
    """The examples of a file by its suffix; labels of the text are a list under ``label``."""
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if suffix != ".jsonl" and (message := encoding_fault(text)):
        log.drop("not UTF-8", message)
        return
    match suffix:
        case ".json":
            yield from _in_array(text, log)
        case ".csv":
            yield from _rows(text, log)
        case ".txt":
            yield from _fasttext(text)
        case _:
            yield from json_objects(text.split("\n"), log)


def _in_array(text: str, log: ProblemLog) -> Iterator[Example]:
    try:
        values = parse_json(text)
    except ValueError as error:
        log.drop("not JSON", f"the file is left out: {error}")
        return
    for number, value in enumerate(values if isinstance(values, list) else [values], 1):
        if isinstance(value, dict):
            yield number, value
        else:
            log.drop("wrong kind", f"item {number} is {shown(value)}, not an object with a text")


def _rows(text: str, log: ProblemLog) -> Iterator[Example]:
    csv.field_size_limit(_LARGEST)
    rows = csv.DictReader(io.StringIO(text, newline=""), restval="")
    try:
        for row in rows:
            surplus: Any = row.pop(None, None)  # pyright: ignore[reportCallIssue, reportArgumentType]
            if surplus:
                log.drop("wrong kind", f"the row has {len(surplus)} cells more than the header", line=rows.line_num)
            labels = [label for label in (row.get("label") or "").split("#") if label]
            example = {key: value for key, value in row.items() if key != "Comments" or value}
            yield rows.line_num, {**example, "label": labels}
    except csv.Error as error:
        log.drop("not CSV", f"the rest of the file is left out: {error}", line=rows.line_num)


def _fasttext(text: str) -> Iterator[Example]:
    for number, line in numbered(text.split("\n")):
        labels, at = [], 0
        while found := _LABEL.match(line, at):
            labels.append(found[1])
            at = found.end()
        if line.strip():
            yield number, {"text": line[at:].strip(), "label": labels}


def _archived(path: Path, log: ProblemLog, annotator: str | None, empty: Empty) -> Iterator[tuple[str, list[Example]]]:
    """The files of an archive that are read, each with its examples."""
    source = log.source
    try:
        with open_archive(path) as archive:
            members = _members(archive)
            if annotator is not None and annotator not in members:
                message = f"annotator {shown(annotator)} has no file in the archive; there are {', '.join(members)}"
                log.drop("unknown annotator", message)
                return
            found = _of_members(archive, members, log)
    except (ArchiveError, OSError) as error:
        log.drop("archive not read", f"the archive is left out: {error}")
        return
    some = any(has_annotation(content) for examples in found.values() for _, content in examples)
    for member, examples in found.items():
        if annotator in (None, member):
            log.source = f"{source}!{members[member]}"
            if empty == "skip":
                found[member] = list(annotated_only(examples, log, some))
    log.source = source
    chosen = found if annotator is None else {annotator: found.get(annotator, [])}
    names = [(member, as_text(content.get("id"))) for member, examples in chosen.items() for _, content in examples]
    counts = Counter(name for _, name in names if name is not None)
    for name in (name for name, number in counts.items() if number > 1):
        people = ", ".join(member for member, other in names if other == name)
        message = f"several members annotated it ({people}); each annotation is an article, annotator=NAME chooses one"
        ArticleLog(log=log, article=name).fix("several annotators", message)
    for member, examples in chosen.items():
        several = len(found) > 1
        yield members[member], [(number, _named(content, member, counts, several)) for number, content in examples]


def _members(archive: Archive) -> dict[str, str]:
    """Name of each annotator → file in the archive."""
    files = [PurePosixPath(name) for name in sorted(archive.members) if "__MACOSX" not in name]
    kept = [file for file in files if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")]
    return {file.stem: str(file) for file in kept}


def annotators(path: Path) -> list[str]:
    """The members of an archive; empty for another file and for an archive that cannot be opened."""
    if path.suffix.lower() != ".zip":
        return []
    try:
        with open_archive(path) as archive:
            return list(_members(archive))
    except (ArchiveError, OSError):
        return []


def _of_members(archive: Archive, members: dict[str, str], log: ProblemLog) -> dict[str, list[Example]]:
    """The examples of each member; what cannot be read is logged."""
    source = log.source
    found: dict[str, list[Example]] = {}
    for cause, message in archive.rejected:
        log.drop(cause, message)
    for member, file in members.items():
        log.source = f"{source}!{file}"
        try:
            content = archive.read(file, _LARGEST)
        except ArchiveError as error:
            log.drop("member not read", f"the member is left out: {error}")
            continue
        found[member] = list(_examples(content, PurePosixPath(file).suffix.lower(), log))
    log.source = source
    return found


def _named(content: dict[str, Any], member: str, counts: Counter[str], several: bool) -> dict[str, Any]:
    """An example with its annotator, and an id of its own if several annotated it."""
    named = {"annotator": member, **content} if several else content
    name = as_text(content.get("id"))
    return {**named, "id": f"{name}#{member}"} if name is not None and counts[name] > 1 else named


def recognizes(sample: Sample) -> bool:
    """Whether a file is an export of doccano."""
    match sample.suffix:
        case ".zip":
            return _is_project(sample.path)
        case ".json":
            with open(sample.path, "rb") as file:
                return _is_array(file.read(_HEAD))
        case ".csv":
            return _is_table(sample.lines[0] if sample.lines else "")
        case ".txt":
            return any(line.startswith("__label__") for line in sample.lines)
    return any(map(is_example, sample.objects))


def _is_array(head: bytes) -> bool:
    """Whether a JSON file starts with an array whose first object is an example; a long first text is cut."""
    text = head.decode("utf-8-sig", errors="ignore").lstrip()
    if not text.startswith("["):
        return False
    try:
        first, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return False
    if not isinstance(first, dict):
        return False
    if has_label_ids(first) and isinstance(first.get("text"), str):
        return True
    values = first.get("label")
    plain = isinstance(values, list) and all(isinstance(value, str | list) for value in values)
    return plain and is_example(first) and not _OF_LABEL_STUDIO & first.keys()


def _is_table(line: str) -> bool:
    try:
        columns = set(next(csv.reader([line]), ()))
    except csv.Error:
        return False
    ours = {"text", "label"} <= columns and bool({"id", "Comments"} & columns)
    return ours and not _OF_LABEL_STUDIO & columns


def _is_project(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            for file in _members(archive).values():
                log = ProblemLog()
                suffix = PurePosixPath(file).suffix.lower()
                content = archive.read(file, _LARGEST)
                if suffix == ".txt":
                    return content.lstrip().startswith(b"__label__")
                examples = _examples(content, suffix, log)
                return any(is_example(content) for _, content in examples)
    except (ArchiveError, OSError):
        pass
    return False
