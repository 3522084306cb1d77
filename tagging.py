"""Reading what a person wants tagged, and writing it in the form that they asked for."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from .data.articles import Article
from .data.formats import conll, jsonl, markup
from .data.ledger import Ledger

FORMATS = ("jsonl", "markup", "conll", "csv", "text")
CSV_COLUMNS = ("article", "date", "source", "event", "type", "trigger", "start", "end", "score", "sentence")


class Inputs:
    """Articles of files, folders and stdin, one after the other.

    Args:
        names: files (.txt is one article, .jsonl one a line), folders of such files, or ``-`` for stdin.
        warn: takes a line for each input that cannot be read.

    Attributes:
        read: articles so far.
        broken: inputs, or lines of them, that could not be read.
    """

    def __init__(self, names: Iterable[str], *, warn: Callable[[str], None]) -> None:
        self.names, self.warn = list(names), warn
        self.read = self.broken = 0

    def __iter__(self) -> Iterator[Article]:
        for name in self.names:
            for article in self._articles(name):
                self.read += 1
                yield article

    def _articles(self, name: str) -> Iterator[Article]:
        if name == "-":
            yield from self._text("stdin", sys.stdin.buffer.read())
            return
        path = Path(name)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix in (".txt", ".jsonl") and file.is_file())
            if not files:
                self._refuse(f"{path}: a folder without .txt or .jsonl files")
        else:
            files = [path]
        for file in files:
            try:
                if file.suffix == ".jsonl":
                    yield from self._lines(file)
                else:
                    yield from self._text(str(file), file.read_bytes())
            except OSError as error:
                self._refuse(f"{file}: {error.strerror or error}")

    def _text(self, name: str, content: bytes) -> Iterator[Article]:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._refuse(
                f"{name}: not UTF-8 at byte {error.start}; convert it, for example with iconv -f WINDOWS-1256 -t UTF-8"
            )
            return
        if text.strip():
            yield Article(text=text, id=Path(name).stem if name != "stdin" else "stdin")
        else:
            self._refuse(f"{name}: empty")

    def _lines(self, file: Path) -> Iterator[Article]:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, 1):
                if not raw.strip():
                    continue
                try:
                    content = json.loads(raw)
                    text = content["text"]
                    if not isinstance(text, str):
                        raise TypeError("text is not a string")
                except (ValueError, KeyError, TypeError, RecursionError) as error:
                    self._refuse(f"{file}:{number}: not an object with a text: {error}")
                    continue
                given = {key: str(value) for key, value in content.items() if value is not None and key != "text"}
                yield Article(
                    text=text,
                    id=given.get("id") or f"{file.stem}-{number}",
                    title=given.get("title"),
                    date=given.get("date"),
                    source=given.get("source"),
                )

    def _refuse(self, message: str) -> None:
        self.broken += 1
        self.warn(f"left out: {message}")


def write_tagged(articles: Iterable[Article], stream: TextIO, format: str, *, warn: Callable[[str], None]) -> None:
    """Write tagged articles as they come.

    Args:
        articles: predictions.
        stream: where to.
        format: one of `FORMATS`: ``csv`` is a row for each event type of each trigger, ``text`` is for a person.
        warn: takes a line for what the format cannot hold.
    """
    ledger = Ledger(source="output")
    match format:
        case "jsonl":
            stream.writelines(jsonl.write(articles, ledger))
        case "markup":
            stream.writelines(markup.write(articles, ledger))
        case "conll":
            stream.writelines(conll.write(articles, ledger))
        case "csv":
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(CSV_COLUMNS)
            for article in articles:
                writer.writerows(_event_rows(article))
        case "text":
            for article in articles:
                stream.write(describe(article))
    for cause, number in ledger.counts().items():
        if cause != "articles":
            warn(f"{format}: {cause}: {number}")


def _event_rows(article: Article) -> Iterator[tuple[object, ...]]:
    for event in article.events:
        span = event.trigger
        around = next((s for s in article.sentences if s.start <= span.start < s.end), None)
        sentence = " ".join(article.text[around.start : around.end].split()) if around else ""
        for label, score in zip(event.types, event.scores or (None,) * len(event.types), strict=True):
            row = (article.id, article.date or "", article.source or "", event.id, label)
            yield (*row, span.text, span.start, span.end, "" if score is None else f"{score:.3f}", sentence)


def describe(article: Article) -> str:
    """An article's tags in lines for a person: event types with their evidence, events, entities."""
    lines = [f"# {article.id}" if article.id else "# article"]
    for label, score in zip(
        article.event_types, article.type_scores or (None,) * len(article.event_types), strict=True
    ):
        lines.append(f"{label}{_percent(score)}")
        for span in article.evidence.get(label, ())[:3]:
            lines.append(f"    {' '.join(article.text[span.start : span.end].split())[:160]}")
    for event in article.events:
        where = f"{event.trigger.start}-{event.trigger.end}"
        lines.append(f"event {'+'.join(event.types)}{_percent(event.score)} {where} {event.trigger.text}")
    for entity in article.entities:
        lines.append(f"{entity.label:<5}{_percent(entity.score)} {entity.start}-{entity.end} {entity.text}")
    return "\n".join(lines) + "\n"


def _percent(score: float | None) -> str:
    return "" if score is None else f" {100 * score:3.0f}%"
