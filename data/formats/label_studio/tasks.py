"""Reads the tasks of a Label Studio file one by one, so that only one task is in memory.

An export is an array of tasks on one line. One task a line, a single task, and an annotation with its task inside are
read as well.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TextIO

from ....errors import shown
from ...problems import ProblemLog
from ..common.lines import encoding_fault, parse_json
from .rows import is_row, read_table, to_task
from .storage import as_task, is_annotation, read_storage

# A long book has two million characters, a region some two hundred. Python objects take up to thirty times the size.
_MAX_CHARACTERS = 8 * 2**20
_MAX_UNUSABLE = 10_000
_CHUNK, _MAX_PIECE = 2**16, 2**20

_VERSIONS = {"annotations", "predictions", "completions"}
_NOT_GAP, _OBJECT = re.compile(r"[^ \t\r\n,]"), re.compile("{")
_DECODER = json.JSONDecoder()

TABLES = (".csv", ".tsv")
"""Suffixes of exports that are tables."""

Fault = tuple[str, str]
"""Cause and message."""


def read_tasks(path: Path, log: ProblemLog, controls: Collection[str] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield tasks with the lines where they start; other content is logged.

    Reading stops after ten thousand pieces that are not tasks.

    Args:
        path: an export as JSON, JSON-MIN, CSV or TSV; or a folder, a target storage.
        log: takes what is no task.
        controls: names of choices, for the exports in which only the name tells them from data.
    """
    if path.is_dir():
        return read_storage(path, log)
    if path.suffix.lower() in TABLES:
        return read_table(path, log, controls)
    return _read_json(path, log, controls)


def _read_json(path: Path, log: ProblemLog, controls: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    unusable, after_fault = 0, False
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for line, raw, fault in split_values(file):
            task = fault or _parsed(raw, after_fault, controls)
            if isinstance(task, dict):
                yield line, task
                after_fault = False
                continue
            # After a fault, what is read may be a part of the broken task; it is not logged again.
            unusable += fault is not None or not after_fault
            if not after_fault:
                log.drop(*task, line=line)
            after_fault |= fault is not None
            if unusable == _MAX_UNUSABLE:
                log.drop("given up", f"{unusable} pieces of the file are not tasks; the rest is not read", line=line)
                return


def _parsed(raw: str, after_fault: bool, controls: Collection[str]) -> dict[str, Any] | Fault:
    """A task, or why the value is not a task. After a fault, an object without annotations may be a part of a task."""
    if message := encoding_fault(raw):
        return "not UTF-8", message
    try:
        task = parse_json(raw)
    except ValueError as error:
        return "not JSON", f"{shown(raw)}: {error}"
    if not isinstance(task, dict):
        return "wrong kind", f"{shown(raw)} is a list; a task is an object with 'data' and 'annotations'"
    if isinstance(task.get("data"), dict) and (not after_fault or task.keys() & _VERSIONS):
        return task
    if is_annotation(task):
        return as_task(task)
    if is_row(task):
        return to_task(task, controls)
    return "missing key", f"{shown(raw)}: a task is an object with an object 'data'"


def split_values(file: TextIO, chunk: int = _CHUNK) -> Iterator[tuple[int, str, Fault | None]]:
    """Split JSON text into the members of its outermost array, or into values that follow each other.

    After a fault, the next object is searched.

    Args:
        file: is read in pieces.
        chunk: characters of a piece; pieces grow while a value is incomplete.

    Yields:
        line where the value starts, its text, and None; or the fault in place of None.
    """
    buffer = _Buffer(file, chunk)
    in_array, first = False, True
    while buffer.skip_gap():
        sign = buffer.text[buffer.at]
        if (sign == "[" and first) or (sign == "]" and in_array):
            in_array, first = sign == "[", False
            buffer.move(buffer.at + 1)
            continue
        first = False
        line = buffer.line
        raw, fault = buffer.value()
        yield line, raw, fault
        if fault:
            if fault[0] == "cut off":
                return
            buffer.skip_to_object()
    if in_array:
        message = "the file ends before its closing bracket; tasks may be missing, export it again"
        yield buffer.line, "", ("no end", message)


class _Buffer:
    """The part of a file that is in memory, and a position in it with its line."""

    def __init__(self, file: TextIO, chunk: int) -> None:
        self.file = file
        self.chunk = chunk
        self.text = ""
        self.at = 0
        self.line = 1

    def move(self, at: int) -> None:
        self.line += self.text.count("\n", self.at, at)
        self.at = at

    def fill(self) -> bool:
        """Read on; False at the end of the file or the limit on a task."""
        held = len(self.text) - self.at
        # Doubling keeps the total cost of decoding a long value linear.
        more = self.file.read(min(max(self.chunk, held), _MAX_PIECE, _MAX_CHARACTERS + 1 - held))
        self.text, self.at = self.text[self.at :] + more, 0
        return bool(more)

    def skip_gap(self) -> bool:
        """Move to the next value or bracket; False at the end of the file."""
        return self._skip(_NOT_GAP)

    def skip_to_object(self) -> None:
        """Move to the next opening brace after the position, or to the end of the file."""
        self.move(self.at + 1)
        self._skip(_OBJECT)

    def _skip(self, wanted: re.Pattern[str]) -> bool:
        while (found := wanted.search(self.text, self.at)) is None:
            self.move(len(self.text))
            if not self.fill():
                return False
        self.move(found.start())
        return True

    def value(self) -> tuple[str, Fault | None]:
        """Move past the value and return its text; for a fault, return the start of the value and the fault."""
        start = self.text[self.at : self.at + 40]
        if start[0] not in "{[":
            return start, ("between tasks", f"{shown(start)} is between tasks; a file is an array of tasks")
        while True:
            try:
                end = _DECODER.raw_decode(self.text, self.at)[1]
            except json.JSONDecodeError as error:
                unterminated = error.msg.startswith("Unterminated string")
                if (unterminated or error.pos >= len(self.text) - len("-Infinity")) and self.fill():
                    continue
                return start, self._fault(start, error, unterminated or error.pos >= len(self.text))
            except RecursionError:
                return start, ("not JSON", f"{shown(start)}: nested too deeply")
            except ValueError as error:
                return start, ("not JSON", f"{shown(start)}: {error}")
            raw = self.text[self.at : end]
            self.move(end)
            return raw, None

    def _fault(self, start: str, error: json.JSONDecodeError, incomplete: bool) -> Fault:
        """The fault of a value; a value that is too large leaves the memory."""
        if not incomplete:
            return "not JSON", f"{shown(start)}: not JSON: {error.msg} at column {error.pos - self.at + 1}"
        if len(self.text) - self.at > _MAX_CHARACTERS:
            self.move(len(self.text) - 1)
            message = f"a task that starts {shown(start)} has more than {_MAX_CHARACTERS} characters; split the article"
            return "too large", message
        return "cut off", f"the file ends inside a task that starts {shown(start)}; export it again"
