"""The tasks of a Label Studio file, one after the other: however long the file or its lines, one task is in memory.

An export is an array of tasks in one line. Tasks one a line, and a file of one task, are read by the same rules.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...problems import ProblemLog
from ..common.lines import encoding_fault, parse_json

# A long book has two million characters and a region some two hundred; what is larger is no task but a broken file,
# and Python's objects may take thirty times its size.
_MOST_CHARACTERS = 8 * 2**20
# The log's entry for a task that cannot be used is a hundred times the shortest of them.
_MOST_UNUSABLE = 10_000
_CHUNK = 2**16

_GAP = re.compile(r"[ \t\r\n,]*")
_BRACKET = re.compile(r"[{}\[\]]")
_OUTSIDE = re.compile(r'"|[{\[]+|[}\]]+')
_INSIDE = re.compile(r'["\\]')
_FAULTS = {
    "between tasks": '{0!r} stands between tasks; a file is an array of tasks, [{{"data": …}}, …]',
    "too large": f"a task starting {{0!r}} is larger than {_MOST_CHARACTERS} characters; split the article",
    "cut off": "the file ends inside a task, which starts {0!r}; export it again",
    "no end": "the file ends before its closing bracket; tasks may be missing, export it again",
}


def read_tasks(path: Path, log: ProblemLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield tasks with the lines where they start; what is none is recorded.

    A file in which ten thousand pieces are no tasks is given up, with a word in the log.
    """
    unusable = 0
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for line, raw, fault in split_values(iter(lambda: file.read(_CHUNK), "")):
            cause, message, task = (fault, _FAULTS[fault].format(raw[:40]), None) if fault else _parsed(raw)
            if task is not None:
                yield line, task
                continue
            log.drop(cause, message, line=line)
            unusable += 1
            if cause == "JSON-MIN":
                return
            if unusable == _MOST_UNUSABLE:
                log.drop("given up", f"{unusable} pieces of the file are no tasks; the rest is not read", line=line)
                return


def _parsed(raw: str) -> tuple[str, str, dict[str, Any] | None]:
    """Cause and message, or a task."""
    if message := encoding_fault(raw):
        return "not UTF-8", message, None
    try:
        task = parse_json(raw)
    except ValueError as error:
        return "not JSON", f"{raw[:40]!r}: {error}", None
    if not isinstance(task, dict):
        return "wrong kind", f"{raw[:40]!r} is a list; a task is an object with 'data' and 'annotations'", None
    if isinstance(task.get("data"), dict):
        return "", "", task
    if task.keys() & {"annotation_id", "annotator", "lead_time"}:
        message = "this is the export JSON-MIN, which leaves out relations, ids and annotators; export as JSON"
        return "JSON-MIN", message, None
    return "missing key", f"{raw[:40]!r}: a task is an object with an object 'data'", None


def split_values(chunks: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Cut JSON text into the members of its outermost array, or into the values that follow each other.

    Memory is bounded by the limit on a task. What a value holds is not looked at, only its brackets and strings.

    Args:
        chunks: of the text, none empty.

    Yields:
        The line where the value starts, its text, and ``""``; or a fault, with the start of what it is about.
    """
    line, begun, depth = 1, 1, 0
    quoted = escaped = stray = array = seen = False
    parts: list[str] = []
    size = 0

    def add(piece: str) -> None:
        nonlocal size
        size += len(piece)
        if size <= _MOST_CHARACTERS:
            parts.append(piece)
        else:
            del parts[1:]  # the start is told

    for chunk in chunks:
        at, start, counted = int(escaped), 0, 0
        escaped = False
        while at < len(chunk):
            if depth:
                found = (_INSIDE if quoted else _OUTSIDE).search(chunk, at)
                if found is None:
                    break
                at, sign = found.end(), found.group()
                if sign == '"':
                    quoted = not quoted
                elif sign == "\\":
                    at += 1
                    escaped = at > len(chunk)
                elif sign[0] in "{[":
                    depth += len(sign)
                elif depth > len(sign):
                    depth -= len(sign)
                else:
                    at = found.start() + depth
                    depth = 0
                    add(chunk[start:at])
                    yield begun, "".join(parts), "too large" if size > _MOST_CHARACTERS else ""
                    parts, size = [], 0
                continue
            gap = _GAP.match(chunk, at)
            at = gap.end() if gap else at
            line, counted = line + chunk.count("\n", counted, at), at
            if at == len(chunk):
                break
            if chunk[at] == "[" and not seen:
                array = seen = True
                at += 1
            elif chunk[at] == "]" and array:
                array = False
                at += 1
            elif chunk[at] in "{[":
                seen, stray, depth, begun, start = True, False, 1, line, at
                at += 1
            else:
                if not stray:
                    yield line, chunk[at : at + 40], "between tasks"
                seen = stray = True
                bracket = _BRACKET.search(chunk, at + 1)
                at = bracket.start() if bracket else len(chunk)
        if depth:
            add(chunk[start:])
        line += chunk.count("\n", counted)
    if depth:
        yield begun, parts[0], "cut off"
    elif array:
        yield line, "", "no end"
