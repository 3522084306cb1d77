"""Reads a brat text file and its annotation file as an article."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from ....errors import shown
from ...articles import Article
from ...problems import ProblemLog
from ..common.lines import encoding_fault, limited_content
from ..common.offsets import OffsetError, trimmed
from .document import BratDocument, Line, TextBound, build_article, leave_out_predictions
from .events import add_events, add_relation
from .names import BREAKS, META, decode_file_name, decode_name, reference
from .notes import mention_note, read_article_note
from .spans import Range, TextVariant, settle, text_variants, with_all

Discontinuous = Literal["refuse", "join"]

_MAX_BYTES = 16 * 2**20  # articles have some kilobytes; lines take many times their size in memory
_EMPTY = (
    "brat: an empty .ann file is read as that of a document in which nothing was found; "
    "remove the files of documents that nobody annotated"
)
_LINE = re.compile(r"(?P<id>[TERAMN][^\s:]*|#[^\s:]*|\*)\t(?P<data>[^\t]*)(?:\t(?P<tail>.*))?", re.DOTALL)
_SPAN = re.compile(r"(?P<label>\S+) +(?P<places>[0-9]{1,18} +[0-9]{1,18}(?:;[0-9]{1,18} +[0-9]{1,18})*)")


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    discontinuous: Discontinuous = "refuse",
    triggers: Collection[str] = (),
    predictions: bool = False,
) -> Iterator[tuple[int, Article]]:
    """Read an annotation file and the text file beside it, or the other way round.

    Args:
        path: a ``.ann`` or ``.txt`` file.
        log: records problems with lines of the annotation file, and counts articles.
        discontinuous: as for `read_document`.
        triggers: as for `read_document`.
        predictions: as for `read_document`.

    Yields:
        1 and the article. Its id is the name of the file unless the document has one.
    """
    id = decode_file_name(path.stem)
    contents: list[str] = []
    for suffix in (".txt", ".ann"):
        file = path if path.suffix.lower() == suffix else path.with_suffix(suffix)
        if not file.is_file():
            message = f"there is no {file.name} beside {path.name}; a text and its annotations must be in one folder"
            log.drop("no file beside", message, article=id)
            return
        try:
            contents.append(limited_content(file, _MAX_BYTES).decode("utf-8", errors="surrogateescape"))
        except ValueError as error:
            log.drop("too large", f"{file.name}: {error}", article=id)
            return
    text, annotations = contents
    if not annotations.strip():
        log.note(_EMPTY)
    how: dict[str, Any] = {"discontinuous": discontinuous, "triggers": triggers, "predictions": predictions}
    article = read_document(text, annotations, log, id=id, **how)
    if article is not None:
        yield 1, article


def read_document(
    text: str,
    annotations: str,
    log: ProblemLog,
    *,
    id: str = "",
    discontinuous: Discontinuous = "refuse",
    triggers: Collection[str] = (),
    predictions: bool = False,
) -> Article | None:
    """Read a text and its annotations.

    Args:
        text: content of the text file, with its carriage returns; a byte order mark is removed.
        annotations: content of the annotation file.
        log: records problems and counts articles.
        id: id of the article if the annotations have none.
        discontinuous: ``refuse`` drops a mention that leaves words out, ``join`` includes these words.
        triggers: labels of mentions that are event triggers although no event refers to them.
        predictions: also read what a model predicted beside the spans: scores, event types of the article and of
            sentences, and evidence. Otherwise these are left out: nobody saw them in brat.

    Returns:
        the article with entities and events in the order of the text; None for a text that is not UTF-8.
    """
    if message := encoding_fault(text):
        log.drop("not UTF-8", f"the text: {message}", article=id)
        return None
    annotations = annotations.removeprefix("\ufeff")
    note, problems = read_article_note(annotations, text, id, predictions)
    bom = text.startswith("\ufeff") and not note.bom
    text = text[1:] if bom else text
    document = BratDocument(text=text, log=log, note=note)
    for number, cause, message in problems:
        log.drop(cause, message, line=number, article=note.fields.id)
    lines = list(_lines(document, annotations))
    stored = [found for line in lines if line.id[0] == "T" and (found := _stored(document, line))]
    variants = with_all(text_variants(text, bom), ((found.places, found.line.tail) for found in stored))
    for found in stored:
        if mention := _mention(document, found, variants, discontinuous == "join"):
            document.mentions[found.line.id] = mention
    for line in lines:
        if line.is_note:
            _note(document, line)
    if not predictions:
        leave_out_predictions(document)
    add_events(document, [line for line in lines if line.id[0] == "E"], triggers)
    known = {line.id for line in lines}
    for line in lines:
        if line.id[0] in "AMN#*" and not line.is_note or line.id[0] == "R" and not add_relation(document, line):
            _keep(document, line, known)
    log.articles += 1
    return build_article(document)


def _lines(document: BratDocument, annotations: str) -> Iterator[Line]:
    seen: set[str] = set()
    for number, raw in enumerate(annotations.split("\n"), 1):
        raw = raw.removesuffix("\r")
        if not raw.strip():
            continue
        found = _LINE.fullmatch(raw)
        line = Line(
            number=number,
            id=found["id"] if found else raw[:20],
            data=found["data"].strip(" ") if found else "",
            tail=found["tail"] if found else None,
            raw=raw,
        )
        if message := encoding_fault(raw):
            document.drop(line, "not UTF-8", message)
        elif not found:
            message = f"{shown(raw)} is not a line of brat: an id (T, E, R, A, M, N, # or *), a tab, and the annotation"
            document.drop(line, "not an annotation", message)
        elif line.id in seen:
            document.drop(line, "duplicate id", f"{shown(raw)} has the id of an earlier line; use another")
        else:
            seen.update({line.id} - {"*"})
            yield line


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    """A T line with its label and its ranges as stored."""

    line: Line
    label: str
    places: list[Range]


def _stored(document: BratDocument, line: Line) -> _Stored | None:
    """Parse a T line; None, and logged, if it is no mention."""
    if not (found := _SPAN.fullmatch(line.data)):
        message = f"{shown(line.data)} is not a mention; it must be LABEL START END, or LABEL START END;START END"
        document.drop(line, "not a mention", message)
        return None
    places = [(int(start), int(end)) for start, end in (place.split() for place in found["places"].split(";"))]
    label = decode_name(found["label"])
    if any(left[1] > right[0] for left, right in pairwise(places)):
        document.drop(line, "fragments", f"{label} {shown(found['places'])}: fragments overlap or are out of order")
        return None
    return _Stored(line=line, label=label, places=places)


def _mention(document: BratDocument, found: _Stored, variants: list[TextVariant], join: bool) -> TextBound | None:
    """The mention of a T line; None, and logged, if its place is not proven or it leaves words out."""
    line, label, places = found.line, found.label, found.places
    try:
        parts, done = settle(places, line.tail, variants)
    except OffsetError as error:
        document.drop(line, "span not proven", f"{label} {error}")
        return None
    start, end = parts[0][0], parts[-1][1]
    if done:
        document.fix(line, done, f"{label} {places[0][0]}-{places[-1][1]} is {start}-{end} {shown(line.tail)}")
    if not _contiguous(document, line, label, parts, join):
        return None
    inner = trimmed(document.text, start, end, f"{line.id}: {label}", document.log_of(line))
    return inner and TextBound(line=line, label=label, start=inner[0], end=inner[1])


def _contiguous(document: BratDocument, line: Line, label: str, parts: list[Range], join: bool) -> bool:
    """Whether fragments are one mention, or can be joined to one; fixes and drops are logged."""
    gaps = [document.text[left[1] : right[0]] for left, right in pairwise(parts)]
    if left_out := " … ".join(gap.strip() for gap in gaps if gap.strip()):
        what = f"{label} {shown(line.data)} ({shown(line.tail or '')}) leaves out {shown(left_out)}"
        if not join:
            message = f"{what}; a mention must be one range: mark its parts, or read with discontinuous=join"
            document.drop(line, "discontinuous", message)
            return False
        document.fix(line, "joined over a gap", f"{what}, which it includes now")
    elif not all(any(sign in BREAKS for sign in gap) for gap in gaps):
        document.fix(line, "fragments joined", f"{label} {shown(line.data)} leaves out only white space")
    return True


def _note(document: BratDocument, line: Line) -> None:
    """Read a note of the writer on an entity or event."""
    target = line.data.partition(" ")[2]
    if target == line.id:
        return  # the note on the article, which is read first
    note = mention_note(line.tail or "")
    if isinstance(note, str):
        document.drop(line, "note", f"the note on {shown(target)} cannot be used: {note}")
    elif target in document.notes:
        document.drop(line, "note", f"{shown(target)} has two notes; keep one")
    else:
        document.notes[target] = (line, note)


def _keep(document: BratDocument, line: Line, known: Collection[str]) -> None:
    """Keep a line that has no place in an article; ``known`` are the ids of all lines."""
    found = reference(line.raw.rstrip() if line.id[0] == "R" else line.raw)
    subjects = [document.subject(target) for target in found.targets] if found else []
    if found is None:
        document.drop(line, "not understood", f"{shown(line.raw)} must be ID, tab, TYPE and the id that it is about")
    elif unknown := [target for target, subject in zip(found.targets, subjects, strict=True) if subject is None]:
        message = f"{shown(line.raw)} is about {shown(unknown[0])}, which is not an entity or event"
        if unknown[0] in known and unknown[0][0] not in "TE":
            document.fix(line, "left out", f"{message}; it is left out")
        else:
            document.drop(line, "about nothing", f"{message} that could be read")
    elif not isinstance(document.note.fields.meta.get(META, []), list):
        document.fix(line, "left out", f"meta has another key {META!r}, so {shown(line.raw)} is left out")
    else:
        document.kept.append(replace(found, targets=tuple(filter(None, subjects))))
        message = f"{shown(line.raw)} has no place in an article; it is kept in meta[{META!r}]"
        document.fix(line, "kept in meta", message)
