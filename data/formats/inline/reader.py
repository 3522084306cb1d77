"""Reads inline annotation."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .... import renamed
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ..common.format import Located
from ..common.lines import encoding_fault, nearest, numbered
from ..common.offsets import trimmed
from .front_matter import FENCE, KEYS, PREDICTED_TYPES, first_line_title, read_value
from .writer import CLOSES, SPECIAL

_KEY = re.compile(r"([^\s:]+):(.*)", re.DOTALL)
_HEADER = re.compile(r"([^\s:=\[\]{}\\]*):([^\s\[\]{}\\]+) ")  # id:LABEL, then one space


def read(lines: Iterable[str], log: ProblemLog, *, predictions: bool = False) -> Located:
    """Read articles with the lines on which they start; one with a problem is dropped, every problem is recorded.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count.
        predictions: read predicted event types of the article too.
    """
    for front, body in _split(numbered(lines), log):
        reader = _ArticleReader(front, body, predictions)
        article = reader.article()
        for line, cause, message in sorted(reader.problems):
            log.drop(cause, message, line=line, article=reader.id)
        for line, cause, message in reader.fixed:
            log.fix(cause, message, line=line, article=reader.id)
        if article is not None:
            log.articles += 1
            yield front[0][0], article


Lines = list[tuple[int, str]]


def _split(lines: Iterable[tuple[int, str]], log: ProblemLog) -> Iterator[tuple[Lines, Lines]]:
    """The lines of each article: front matter with the opening fence, and body."""
    front: Lines = []
    body: Lines = []
    # After a front matter that is never closed, the fences of the next articles would change their roles. So after an
    # invalid line in a front matter, a fence opens an article only if a known key follows it.
    state = "outside"
    for number, line in lines:
        fence = line.removesuffix("\r") == FENCE
        if state == "fence after a problem":
            key = _KEY.match(line)
            state = "front" if key and renamed.ARTICLE_KEYS.get(key.group(1), key.group(1)) in KEYS else "lost"
            if state == "front":
                front = [(number - 1, FENCE)]
        match state:
            case "outside" | "body" if fence:
                if front:
                    yield front, body
                front, body, state = [(number, line)], [], "front"
            case "front" if fence:
                state = "body"
            case "front" if not _KEY.match(line):
                place = f"front matter opened at line {front[0][0]}"
                message = f"{line[:40]!r} in the {place} is not 'key: value'; close the front matter with a line ---"
                log.drop("front matter", message, line=number)
                front, state = [], "lost"
            case "front":
                front.append((number, line))
            case "body":
                body.append((number, line))
            case "lost" if fence:
                state = "fence after a problem"
            case "outside" if line.strip():
                message = f"{line[:40]!r} is before any front matter; an article starts with a line ---"
                log.drop("front matter", message, line=number)
                state = "lost"
    if state == "front":
        log.drop("front matter", "front matter is never closed; end it with a line ---", line=front[0][0])
    elif front:
        yield front, body


@dataclass(slots=True)
class _Mark:
    """A mention; `end` is -1 until it is closed."""

    bracket: str
    start: int
    line: int
    id: str = ""
    label: str = ""
    end: int = -1

    def __str__(self) -> str:
        return f"{self.bracket}{self.id}:{self.label}"


class _ArticleReader:
    """State of reading one article: open mentions, results and problems."""

    def __init__(self, front: Lines, body: Lines, predictions: bool) -> None:
        self.front, self.body, self.predictions = front, body, predictions
        self.id = ""
        self.problems: list[tuple[int, str, str]] = []
        self.fixed: list[tuple[int, str, str]] = []
        self.text: list[str] = []
        self.length = 0
        self.marks: list[_Mark] = []  # in order of their starts
        self.open: list[_Mark] = []
        self.ids: dict[str, str] = {}  # id → bracket
        self.arguments: dict[str, list[Argument]] = {}
        self.argument_lines: list[tuple[int, str, list[Argument]]] = []

    def article(self) -> Article | None:
        """The article; None if there are problems."""
        fields = self._front()
        for line, content in (*self.front, *self.body):
            if message := encoding_fault(content):
                self._problem(line, "not UTF-8", message)
        if not self.body:
            self._problem(self.front[0][0], "no text", "the article has no text below its front matter")
        first = True
        for line, content in self.body:
            if content.startswith("@"):
                self._argument_line(line, content)
                continue
            if not first:
                self._add("\n")
            first = False
            if not content:
                self._close_paragraph()
            self._line(line, content)
        self._close_paragraph()
        text = "".join(self.text)
        self._check_marks(text)
        for line, event, arguments in self.argument_lines:
            if self.ids.get(event) != "{":
                self._problem(line, "unknown id", f"@{event}: no trigger of the article has the id {event!r}")
            for argument in arguments:
                if self.ids.get(argument.entity) != "[":
                    message = f"{argument.role}={argument.entity}: no entity has the id {argument.entity!r}"
                    self._problem(line, "unknown id", message)
        if self.problems:
            return None
        if "title" not in fields:
            fields["title"] = first_line_title(text)
        entities = [Entity(start=m.start, end=m.end, label=m.label, id=m.id) for m in self.marks if m.bracket == "["]
        events = [
            Event(
                trigger=Span(start=m.start, end=m.end),
                types=tuple(m.label.split("+")),
                arguments=tuple(self.arguments.get(m.id, ())),
                id=m.id,
            )
            for m in self.marks
            if m.bracket == "{"
        ]
        return Article(
            text=text,
            entities=tuple(sorted(entities, key=lambda e: (e.start, -e.end, e.label))),
            events=tuple(sorted(events, key=lambda e: (e.trigger.start, e.trigger.end))),
            **fields,
        )

    def _problem(self, line: int, cause: str, message: str) -> None:
        self.problems.append((line, cause, message))

    def _front(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for line, content in self.front[1:]:
            key, value = content.split(":", 1)
            key, value = renamed.ARTICLE_KEYS.get(key, key), value.strip()
            if key not in KEYS:
                self._problem(line, "unknown key", f"{key!r} is no key of the front matter; {nearest(key, KEYS)}")
                continue
            if key in fields:
                self._problem(line, "key given twice", f"{key!r} is given twice in the front matter")
            try:
                fields[key] = read_value(key, value)
            except ValueError as error:
                self._problem(line, "front matter", f"{key}: {error}")
        predicted = fields.pop(PREDICTED_TYPES, ())
        if predicted and self.predictions:
            fields["event_types"] = tuple(dict.fromkeys((*fields.get("event_types", ()), *predicted)))
        elif predicted:
            line = next(line for line, content in self.front if content.startswith(PREDICTED_TYPES))
            message = (
                f"predicted event types {', '.join(predicted)} are not read as gold; the key of gold is event_types"
            )
            self.fixed.append((line, "prediction", message))
        fields["id"] = self.id = fields.get("id") or ""
        return fields

    def _add(self, text: str) -> None:
        self.text.append(text)
        self.length += len(text)

    def _line(self, line: int, content: str) -> None:
        """Add one line of text, without its brackets."""
        at = 0
        if content.startswith(("\\@", "\\---")):  # escapes at the start of a line
            self._add(content[1])
            at = 2
        while found := SPECIAL.search(content, at):
            self._add(content[at : found.start()])
            at, sign = found.end(), found.group()
            if sign in CLOSES:
                at = self._open(line, content, sign, at)
            elif sign in CLOSES.values():
                self._close(line, sign, content[at : at + 20])
            elif content[at : at + 1] and content[at] in "[]{}\\":
                self._add(content[at])
                at += 1
            else:
                message = f"{content[at - 1 : at + 20]!r}: a backslash in the text is written as \\\\"
                self._problem(line, "escape", message)
        self._add(content[at:])

    def _open(self, line: int, content: str, sign: str, at: int) -> int:
        """Open the mention whose bracket is before `at`; returns where its surface starts."""
        shown = content[at - 1 : at + 24]
        mark = _Mark(bracket=sign, start=self.length, line=line)
        if header := _HEADER.match(content, at):
            mark.id, mark.label = header.groups()
            at = header.end()
            if mark.id in self.ids:
                message = f"{shown!r}: the id {mark.id!r} is used already in the article"
                self._problem(line, "duplicate id", message)
            elif mark.id:
                self.ids[mark.id] = sign
        else:
            form = "[id:LABEL surface]" if sign == "[" else "{id:TYPE surface}"
            message = f"{shown!r}: a mark is written {form}, a bracket of the text \\{sign}"
            self._problem(line, "label missing", message)
        self.marks.append(mark)
        self.open.append(mark)
        return at

    def _close(self, line: int, sign: str, behind: str) -> None:
        if not self.open:
            self._problem(line, "bracket", f"{sign!r} before {behind!r} closes nothing; write \\{sign}")
            return
        mark = self.open.pop()
        mark.end = self.length
        if CLOSES[mark.bracket] != sign:
            message = f"{mark} of line {mark.line} is closed by {sign!r}; close it by {CLOSES[mark.bracket]!r}"
            self._problem(line, "bracket", f"{message}; mentions can nest, not cross")

    def _close_paragraph(self) -> None:
        """Report mentions that are open at a blank line or at the end."""
        for mark in self.open:
            if mark.label:  # a missing label was reported at the opening bracket
                surface = "".join(self.text)[mark.start : mark.start + 25]
                message = f"{mark} {surface!r} is opened here and not closed in its paragraph"
                self._problem(mark.line, "bracket", f"{message}; write {CLOSES[mark.bracket]} where it ends")
        self.open.clear()

    def _argument_line(self, line: int, content: str) -> None:
        name, *pairs = content[1:].split() or [""]
        split = [pair.partition("=") for pair in pairs]
        if content[1:2].isspace() or not name or not split or not all(role and entity for role, _, entity in split):
            message = f"{content[:40]!r}: arguments are written @id Role=id Role=id, an @ of the text \\@"
            self._problem(line, "argument line", message)
            return
        arguments = [Argument(role=role, entity=entity) for role, _, entity in split]
        self.arguments.setdefault(name, []).extend(arguments)
        self.argument_lines.append((line, name, arguments))

    def _check_marks(self, text: str) -> None:
        """Check surfaces and types, which are known once a mention is closed."""
        for mark in self.marks:
            if mark.end < 0:
                continue
            line, surface = mark.line, text[mark.start : mark.end]
            shown = f"{mark} {surface}{CLOSES[mark.bracket]}"
            if not surface:
                self._problem(line, "empty span", f"{shown!r} is empty; put the mention inside, or remove the brackets")
            elif surface != surface.strip():
                message = f"{shown!r} starts or ends with white space; the mention is {surface.strip()!r}"
                self._problem(line, "white space at an edge", message)
            else:
                self._trim(mark, text)
            if mark.bracket == "{" and mark.label and not all(mark.label.split("+")):
                self._problem(line, "label missing", f"{shown!r}: types are written TYPE or TYPE+TYPE")

    def _trim(self, mark: _Mark, text: str) -> None:
        """Leave invisible characters at the edges of a mention out of it."""
        log = ProblemLog()
        place = trimmed(text, mark.start, mark.end, str(mark), ArticleLog(log=log, article=self.id))
        self.fixed += [(mark.line, problem.cause, problem.message) for problem in log.fixed]
        for problem in log.dropped:
            self._problem(mark.line, problem.cause, problem.message)
        mark.start, mark.end = place or (mark.start, mark.end)
