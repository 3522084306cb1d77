"""Reading: see the package."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from ...articles import Article
from ...problems import ProblemLog
from ...text.words import trim
from ..common.lines import encoding_fault
from ..common.offsets import OffsetError
from .document import Document, Line, Mention, finish
from .events import add_events, add_relation
from .names import BREAKS, META, decode_file_name, decode_name, kept_targets
from .notes import mention_note, read_article_note
from .spans import Place, View, settle, views

Discontinuous = Literal["refuse", "join"]

_LARGEST_FILE = 16 * 2**20  # bytes; an article has some thousand, and its lines take many times that in memory
_LINE = re.compile(r"(?P<id>[TERAMN][^\s:]*|#[^\s:]*|\*)\t(?P<data>[^\t]*)(?:\t(?P<tail>.*))?", re.DOTALL)
_SPAN = re.compile(r"(?P<label>\S+) +(?P<places>[0-9]{1,18} +[0-9]{1,18}(?:;[0-9]{1,18} +[0-9]{1,18})*)")


def read_file(
    path: Path, log: ProblemLog, *, discontinuous: Discontinuous = "refuse", triggers: Collection[str] = ()
) -> Iterator[tuple[int, Article]]:
    """Read the document of an annotation file, or of a text file, with the other file beside it.

    Args:
        path: ends with ``.ann`` or ``.txt``.
        log: takes the problems, with lines of the annotation file, and the count.
        discontinuous: as for `read_document`.
        triggers: as for `read_document`.

    Yields:
        1 and the article, whose id is the name of the file where the document does not give another.
    """
    id = decode_file_name(path.stem)
    contents: list[str] = []
    for suffix in (".txt", ".ann"):
        file = path if path.suffix.lower() == suffix else path.with_suffix(suffix)
        if not file.is_file():
            message = f"there is no {file.name} beside {path.name}; brat keeps a text and its annotations side by side"
            log.drop("no file beside", message, article=id)
            return
        if (size := file.stat().st_size) > _LARGEST_FILE:
            message = f"{file.name} has {size} bytes; more than {_LARGEST_FILE} is no article, split it"
            log.drop("too large", message, article=id)
            return
        contents.append(file.read_bytes().decode("utf-8", errors="surrogateescape"))
    text, annotations = contents
    article = read_document(text, annotations, log, id=id, discontinuous=discontinuous, triggers=triggers)
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
) -> Article | None:
    """Read a text and its annotations.

    Args:
        text: as it lies on the disk, with its carriage returns; a byte order mark is dropped.
        annotations: the lines of the annotation file.
        log: takes the problems and the count.
        id: of the article, where the annotations do not give another.
        discontinuous: what to do with a mention that leaves words out: refuse it, or join it over its gaps.
        triggers: labels of mentions that are event triggers although no event names them.

    Returns:
        the article, entities and events in the order of the text; None for a text that is not UTF-8.
    """
    if message := encoding_fault(text):
        log.drop("not UTF-8", f"the text: {message}", article=id)
        return None
    annotations = annotations.removeprefix("\ufeff")
    note, problems = read_article_note(annotations, text, id)
    bom = text.startswith("\ufeff") and not note.bom
    text = text[1:] if bom else text
    document = Document(text=text, log=log, note=note)
    for number, cause, message in problems:
        log.drop(cause, message, line=number, article=document.id)
    lines = list(_lines(document, annotations))
    ways = views(text, bom)
    for line in lines:
        if line.id[0] == "T" and (mention := _mention(document, line, ways, discontinuous)):
            document.mentions[line.id] = mention
        elif line.is_note:
            _note(document, line)
    add_events(document, [line for line in lines if line.id[0] == "E"], triggers)
    for line in lines:
        if line.id[0] == "R":
            add_relation(document, line)
        elif line.id[0] in "AMN#*" and not line.is_note:
            _keep(document, line)
    log.articles += 1
    return finish(document)


def _lines(document: Document, annotations: str) -> Iterator[Line]:
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
            message = f"{raw[:40]!r} is no line of brat; it has an id (T, E, R, A, M, N, # or *), a tab, what it says"
            document.drop(line, "not an annotation", message)
        elif line.id in seen:
            document.drop(line, "duplicate id", f"{raw[:40]!r} has an id that was given before; give it its own")
        else:
            seen.update({line.id} - {"*"})
            yield line


def _mention(document: Document, line: Line, ways: list[View], discontinuous: Discontinuous) -> Mention | None:
    if not (found := _SPAN.fullmatch(line.data)):
        message = f"{line.data[:60]!r} is no mention; it must be LABEL START END, or LABEL START END;START END"
        document.drop(line, "not a mention", message)
        return None
    places = [(int(start), int(end)) for start, end in (place.split() for place in found["places"].split(";"))]
    label = decode_name(found["label"])
    if any(left[1] > right[0] for left, right in zip(places, places[1:], strict=False)):
        document.drop(line, "fragments", f"{label} {found['places']!r}: fragments overlap or are out of order")
        return None
    try:
        parts, done = settle(places, line.tail, ways)
    except OffsetError as error:
        document.drop(line, "span not proven", f"{label} {error}")
        return None
    if done:
        start, end = parts[0][0], parts[-1][1]
        document.fix(line, done, f"{label} {places[0][0]}-{places[-1][1]} is {start}-{end} {line.tail!r}")
    if not _contiguous(document, line, label, parts, discontinuous):
        return None
    start, end = parts[0][0], parts[-1][1]
    text = document.text
    if text[start].isspace() or text[end - 1].isspace():
        said = f"{label} {start}-{end} {text[start:end]!r} has white space at an edge"
        start, end = trim(text, start, end)
        if start == end:
            document.drop(line, "empty span", f"{said} and nothing else; mark a word")
            return None
        document.fix(line, "white space at an edge", f"{said}; it is {start}-{end} {text[start:end]!r}")
    return Mention(line=line, label=label, start=start, end=end)


def _contiguous(document: Document, line: Line, label: str, parts: list[Place], discontinuous: Discontinuous) -> bool:
    """Whether fragments are one mention, or are made one; what was done or refused is recorded."""
    gaps = [document.text[left[1] : right[0]] for left, right in zip(parts, parts[1:], strict=False)]
    if any(gap.strip() for gap in gaps):
        left_out = " … ".join(gap.strip() for gap in gaps if gap.strip())[:60]
        said = f"{label} {line.data[:60]!r} ({(line.tail or '')[:60]!r}) leaves out {left_out!r}"
        if discontinuous == "refuse":
            message = f"{said}; a mention is one range here: mark its parts, or read with discontinuous=join"
            document.drop(line, "discontinuous", message)
            return False
        document.fix(line, "joined over a gap", f"{said}, which now belongs to it")
    elif not all(any(sign in BREAKS for sign in gap) for gap in gaps):
        document.fix(line, "fragments joined", f"{label} {line.data[:60]!r} leaves out white space at most")
    return True


def _note(document: Document, line: Line) -> None:
    """What the writer noted on a mention or an event."""
    target = line.data.split(" ", 1)[1] if " " in line.data else ""
    if target == line.id:
        return  # that of the article, which is read first
    note = mention_note(line.tail or "")
    if isinstance(note, str):
        document.drop(line, "note", f"the note on {target[:20]!r} cannot be used: {note}")
    elif target in document.notes:
        document.drop(line, "note", f"{target[:20]!r} has a note already; keep one of the two")
    else:
        document.notes[target] = (line, note)


def _keep(document: Document, line: Line) -> None:
    parts = kept_targets(line.raw)
    if parts is None:
        document.drop(line, "not understood", f"{line.raw[:60]!r} must be ID, tab, TYPE and the id that it is about")
        return
    unknown = [target for target in parts[1] if not document.is_entity(target) and target not in document.frames]
    if unknown:
        message = f"{line.raw[:60]!r} is about {unknown[0][:20]!r}, which is no entity or event that could be read"
        document.drop(line, "about nothing", message)
        return
    document.kept.append(line)
    document.fix(line, "kept in meta", f"{line.raw[:60]!r} has no place in an article; it is kept in meta[{META!r}]")
