"""Reading the inputs of ``rasid tag``, and writing tagged articles in each of its formats."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TextIO

from ..data.articles import Article
from ..data.event_files import csv_lines, json_lines, write_events
from ..data.formats import format_chunks, label_studio, prodigy, write_articles
from ..data.problems import PLACES, ProblemLog
from ._terminal import PrintableStream

logger = logging.getLogger(__name__)
_SUFFIXES = (".txt", ".jsonl")
_STRINGS = ("id", "title", "date", "source")
_OWN_KEYS = {own.name for own in fields(Article)}


class Inputs:
    """The articles of files, folders and stdin, read as they are needed. Inputs that cannot be read are logged.

    Args:
        names: files (a .jsonl file holds one article a line, any other file is one article), folders of .txt and
            .jsonl files, or ``-`` for stdin. Stdin is JSONL if its first line is a JSON object with a text.

    Attributes:
        read: number of articles so far.
        broken: number of inputs, or lines of them, that could not be read.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        self.read = self.broken = 0
        self._ids: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Article]:
        for name in self.names:
            for article in self._stdin() if name == "-" else self._files(Path(name)):
                self.read += 1
                yield article

    def _stdin(self) -> Iterator[Article]:
        lines = iter(sys.stdin.buffer)
        first = next((line for line in lines if line.strip()), b"")
        read = self._lines if _has_text(first) else self._text
        yield from read("stdin", "stdin", chain([first], lines))

    def _files(self, path: Path) -> Iterator[Article]:
        files = [(path, path.stem)]
        if path.is_dir():
            # The id of an article is its path in the folder: subfolders may hold files of the same name.
            files = [(file, file.relative_to(path).with_suffix("").as_posix()) for file in _files_of(path)]
            if not files:
                self._drop(f"{path}: a folder without .txt or .jsonl files")
        for file, identity in files:
            read = self._lines if file.suffix.lower() == ".jsonl" else self._text
            try:
                with file.open("rb") as stream:
                    yield from read(str(file), identity, stream)
            except OSError as error:
                self._drop(f"{file}: {error.strerror or error}")

    def _text(self, name: str, identity: str, lines: Iterable[bytes]) -> Iterator[Article]:
        try:
            text = b"".join(lines).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._drop(
                f"{name}: not UTF-8 at byte {error.start}; convert it, for example with iconv -f WINDOWS-1256 -t UTF-8"
            )
            return
        if text.strip():
            yield Article(text=text, id=self._unused(identity))
        else:
            self._drop(f"{name}: empty")

    def _lines(self, name: str, identity: str, lines: Iterable[bytes]) -> Iterator[Article]:
        found, wrong = False, 0
        for number, raw in enumerate(lines, 1):
            if not raw.strip():
                continue
            found = True
            try:
                content = _read_line(raw)
            except ValueError as error:
                wrong += 1
                self._drop(f"{name}:{number}: not an object with a text: {error}", logged=wrong <= PLACES)
                continue
            given: dict[str, Any] = {key: str(content[key]) for key in _STRINGS if content.get(key) is not None}
            given["id"] = given.get("id") or self._unused(f"{identity}-{number}")
            # Keys that rasid does not know are kept as metadata.
            meta = {key: value for key, value in content.items() if key not in _OWN_KEYS}
            if isinstance(content.get("meta"), dict):
                meta |= content["meta"]
            yield Article(text=content["text"], meta=meta, **given)
        if wrong > PLACES:
            logger.warning("dropped: %s: %d more lines that are not objects with a text", name, wrong - PLACES)
        if not found:
            self._drop(f"{name}: empty")

    def _unused(self, identity: str) -> str:
        """The id, with a number appended if an earlier article has the same."""
        self._ids[identity] += 1
        return identity if self._ids[identity] == 1 else self._unused(f"{identity}-{self._ids[identity]}")

    def _drop(self, message: str, *, logged: bool = True) -> None:
        self.broken += 1
        if logged:
            logger.warning("dropped: %s", message)


def _files_of(folder: Path) -> list[Path]:
    """The .txt and .jsonl files of a folder and its subfolders, without hidden ones."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def _read_line(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object with a text.

    Raises:
        ValueError: the line is anything else.
    """
    try:
        content = json.loads(raw.decode("utf-8-sig"), parse_constant=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise ValueError("the key 'text' must be a string")
    return content


def _has_text(raw: bytes) -> bool:
    try:
        return bool(_read_line(raw))
    except ValueError:
        return False


def write_tagged(
    articles: Iterable[Article], target: TextIO | PrintableStream | Path, format: str, *, roles: Iterable[str] = ()
) -> int:
    """Write predictions one by one. Articles that the format cannot hold are logged at once; what it cannot hold of the
    others is logged at the end, by cause.

    Args:
        articles: predictions.
        target: a stream; for `FOLDERS` a new or empty folder, for `RECORDS` also a file.
        format: one of `FORMATS` or `FOLDERS`. ``events`` are event records, in a file by its suffix and on a stream as
            JSON Lines; ``csv`` are the same records as CSV; ``text`` is for reading.
        roles: of the scheme; records of events have all of them.

    Returns:
        The number of articles that were dropped because the format cannot hold them.

    Raises:
        DataError: the folder has files in it.
    """
    log = ProblemLog(source="output")
    lost: Counter[str] = Counter()
    dropped = 0

    def watched() -> Iterator[Article]:
        nonlocal dropped
        for article in articles:
            before = log.articles
            yield article
            # The writer asks for the next article, so it has counted this one, or dropped it.
            if log.articles > before:
                lost.update(problem.cause for problem in log.dropped)
            else:
                dropped += 1
                logger.warning("dropped: %s: %s", article.id or "an article", log.dropped[-1].message)
            log.dropped.clear()
            log.fixed.clear()

    if isinstance(target, Path) and format in RECORDS:
        write_events(watched(), target, log, format=None if format == "events" else format, roles=roles)
    elif isinstance(target, Path):
        write_articles(watched(), target, format, log=log)
    elif format in RECORDS:
        target.writelines(RECORDS[format](watched(), log, roles=roles))
    else:
        target.writelines(_WRITERS.get(format, partial(format_chunks, format=format))(watched(), log=log))
    for cause, number in lost.items():
        logger.warning("%s: %s: %d", format, cause, number)
    return dropped


def _text(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    for article in articles:
        log.articles += 1
        yield describe(article)


def _prodigy(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Tasks without an answer, with and without spans: no person has annotated them."""
    answer = ', "answer": "accept"}\n'
    for line in prodigy.write(articles, log):
        yield line.removesuffix(answer) + "}\n" if line.endswith(answer) else line


_WRITERS: dict[str, Callable[..., Iterator[str]]] = {
    "text": _text,
    # Predictions, not annotations: Label Studio counts a task with an annotation as done.
    "label-studio": partial(label_studio.write, predictions=True),
    "prodigy": _prodigy,
}
RECORDS = {"events": json_lines, "csv": csv_lines}
"""Formats of event records, with their writers to a stream."""
FORMATS = ("jsonl", "inline", "conll", "text", *RECORDS, "label-studio", "doccano", "prodigy")
"""Formats that are written to a stream."""
FOLDERS = ("brat",)
"""Formats that are written as a folder of files."""


def describe(article: Article) -> str:
    """The annotations of an article as readable lines: event types with their evidence, events, entities."""
    lines = [f"# {article.id}" if article.id else "# article"]
    for label, score in zip_longest(article.event_types, article.type_scores):
        lines.append(f"{label}{_percent(score)}")
        for span in article.evidence.get(label, ())[:3]:
            lines.append(f"    {_one_line(article.text[span.start : span.end])[:160]}")
    spans = [(f"event {'+'.join(event.types)}", event.score, event.trigger) for event in article.events]
    spans += [(f"{entity.label:<5}", entity.score, entity) for entity in article.entities]
    for label, score, span in spans:
        lines.append(f"{label}{_percent(score)} {span.start}-{span.end} {_one_line(span.text)}")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _percent(score: float | None) -> str:
    return "" if score is None else f" {100 * score:3.0f}%"
