"""Reading: see the package."""

import itertools
import json
import struct
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...articles import Article, Entity, Event, Span, check_article
from ...problems import DataError, Problem, ProblemLog
from ...text.words import trim
from .. import jsonl
from ..common.flat_labels import trigger_types
from ..common.lines import parse_json
from .msgpack import unpack
from .parts import ENT_ID, ENT_IOB, ENT_TYPE, MAX_COVERED, ORTH, StoredDoc, StoredDocs
from .writer import ENTITIES_KEY, TRIGGERS_KEY, USER_KEY, trigger_row_label

_MAX_TEXT = 16 << 20  # code points of an article
_ABOUT = ("id", "title", "date", "source", "meta")
_BEGIN, _INSIDE = 3, 1
_SPAN = struct.Struct(">QQQllll")  # hashes of id, knowledge base id and label; tokens; code points
Row = tuple[int, int, str, str]  # start, end, label, id


def read_file(
    path: Path, log: ProblemLog, *, spans_keys: Collection[str] = (ENTITIES_KEY,), triggers: Collection[str] = ()
) -> Iterator[tuple[int, Article]]:
    """Read the documents of a file; what cannot be used is left out and recorded.

    Args:
        path: a ``.spacy`` file.
        log: takes the problems and the count.
        spans_keys: span groups that hold entities, beside the documents' ``ents``.
        triggers: labels that are event types.

    Yields:
        The number of the document in the file, from 1, and the article.

    Raises:
        DataError: spaCy is not installed.
    """
    try:
        from spacy.strings import StringStore
    except ImportError as error:
        message = 'DocBin files are read with spaCy: pip install "rasid[spacy]"'
        raise DataError([Problem(source=log.source, cause="missing extra", message=message)]) from error
    try:
        docs = StoredDocs(path)
        strings = StringStore(docs.strings)
    except (ValueError, OSError) as error:
        log.drop("not a DocBin", f"the file is left out: {error}")
        return
    left = docs.most_text
    for number, doc in enumerate(docs, 1):
        name = f"{path.stem}-{number}"
        try:
            reading = _Reading(doc, strings, log, name, number, min(left, _MAX_TEXT))
        except ValueError as error:
            log.drop("document left out", f"document {number}: {error}", line=number, article=name)
            continue
        left -= len(reading.text)
        log.articles += 1
        yield number, reading.article(spans_keys, triggers)


class _Reading:
    """One document on its way to an article.

    Raises:
        ValueError: its text cannot be had.
    """

    def __init__(self, doc: StoredDoc, strings: Any, log: ProblemLog, name: str, number: int, most: int) -> None:
        self.doc = doc
        self.strings = strings
        self.log = log
        self.name = name
        self.number = number
        surfaces = [self._string(key, "a token") for key in doc.columns[ORTH].tolist()]
        widths = np.array([len(surface) for surface in surfaces], dtype=np.int64)
        behind = np.cumsum(widths + doc.spaces)
        if len(behind) and behind[-1] > most:
            raise ValueError(f"its text has {behind[-1]} characters, of which no more than {most} are read")
        self.ends: list[int] = (behind - doc.spaces).tolist()
        self.starts: list[int] = (behind - doc.spaces - widths).tolist()
        pairs = zip(surfaces, doc.spaces.tolist(), strict=True)
        self.text = "".join(surface + " " * space for surface, space in pairs)

    def drop(self, cause: str, message: str) -> None:
        self.log.drop(cause, message, line=self.number, article=self.name)

    def fix(self, cause: str, message: str) -> None:
        self.log.fix(cause, message, line=self.number, article=self.name)

    def article(self, spans_keys: Collection[str], triggers: Collection[str]) -> Article:
        kept = self._kept()
        if kept is not None and isinstance(kept.get("id"), str):
            self.name = kept["id"] or self.name
        groups = self._groups()
        keys = [spans_keys] if isinstance(spans_keys, str) else spans_keys
        rows = [row for key in keys for group in groups.pop(key, ()) for row in group]
        known = {row[:3] for row in rows}
        entities = rows + [row for row in self._ents() if row[:3] not in known]
        events = [row for group in groups.pop(TRIGGERS_KEY, ()) for row in group]
        for key, left in groups.items():
            count = sum(map(len, left))
            self.drop("spans not read", f"{count} spans under {key[:60]!r} are not read; name it in spans_keys")
        entities, events = self._bounded(entities), self._bounded(events)
        types = self._types()
        about = Article(text=self.text)
        if kept is not None:
            # Compared before it is believed: spaCy's own spans are checked and bounded, the user data are not.
            same = _agrees(kept, entities, events, types)
            if not same:
                message = "spans or categories are not those that were written: arguments and scores are gone"
                self.fix("changed in spaCy", message)
            about = self._built(kept if same else {key: kept[key] for key in _ABOUT if key in kept}) or about
            if same and self._is_valid(about):
                return replace(about, id=self.name)
        return self._assembled(entities, events, types, about, triggers)

    def _bounded(self, rows: list[Row]) -> list[Row]:
        """The spans up to a bound of what they cover together; an article holds a copy of what each one covers."""
        covered = list(itertools.accumulate(end - start for start, end, _, _ in rows))
        stop = bisect_right(covered, MAX_COVERED)
        if stop < len(rows):
            left = f"{len(rows) - stop} of {len(rows)} spans are left out"
            self.drop("too many spans", f"{left}: together they cover over {MAX_COVERED >> 20} million characters")
        return rows[:stop]

    def _is_valid(self, article: Article) -> bool:
        problems = list(check_article(article))
        for cause, message in problems:
            self.drop(cause, f"{message} (in the user data)")
        return not problems

    def _string(self, key: int, what: str) -> str:
        try:
            return self.strings[key]
        except KeyError as error:
            raise ValueError(f"the string of {what} ({key}) is not in the file's table") from error

    def _row(self, first: int, stop: int, label: int, name: int) -> Row:
        """A span of tokens by its hashes; its id is empty where it is not in the table."""
        try:
            known = self._string(name, "an id")
        except ValueError as error:
            self.fix("id not known", str(error))
            known = ""
        return self.starts[first], self.ends[stop - 1], self._string(label, "a label"), known

    def _ents(self) -> list[Row]:
        columns, length = self.doc.columns, len(self.starts)
        if ENT_IOB not in columns or ENT_TYPE not in columns:
            return []
        tags, labels = columns[ENT_IOB].tolist(), columns[ENT_TYPE].tolist()
        names = columns[ENT_ID].tolist() if ENT_ID in columns else [0] * length
        found, first = [], None
        for at in range(length + 1):
            continues = at < length and tags[at] == _INSIDE and first is not None and labels[at] == labels[first]
            if first is not None and not continues:
                found.append((first, at, labels[first], names[first]))
                first = None
            if at < length and first is None and tags[at] in (_BEGIN, _INSIDE) and labels[at]:
                first = at
        rows = []
        for span in found:
            try:
                rows.append(self._row(*span))
            except ValueError as error:
                self.drop("no label", f"an entity of tokens {span[0]}-{span[1]}: {error}")
        return rows

    def _groups(self) -> dict[str, list[list[Row]]]:
        """The groups of spans under each key; one group may be under many."""
        stored = self.doc.groups
        if not isinstance(stored, bytes) or not stored:
            return {}
        try:
            content = unpack(stored)
            pairs = list(content.items()) if isinstance(content, dict) else [(group, None) for group in content or ()]
            groups = [(unpack(group), keys) for group, keys in pairs]
        except (ValueError, TypeError) as error:
            self.drop("spans left out", f"the spans of document {self.number} cannot be read: {error}")
            return {}
        found: dict[str, list[list[Row]]] = {}
        for group, keys in groups:
            if not isinstance(group, dict) or not isinstance(group.get("spans"), list):
                self.drop("spans left out", "a group of spans is not a map with spans")
                continue
            rows = [row for span in group["spans"] if (row := self._settled(span)) is not None]
            for key in dict.fromkeys(map(str, keys if isinstance(keys, list) else [group.get("name")])):
                found.setdefault(key, []).append(rows)
        return found

    def _settled(self, span: Any) -> Row | None:
        """The row of a stored span, if its tokens are there and lie where it says."""
        if not isinstance(span, bytes) or len(span) != _SPAN.size:
            self.drop("spans left out", "a span is not stored as spans are")
            return None
        name, _, label, first, stop, start, end = _SPAN.unpack(span)
        if not 0 <= first < stop <= len(self.starts):
            message = f"tokens {first}-{stop} are empty or outside of {len(self.starts)} tokens; the end is exclusive"
            self.drop("span outside the text", message)
        elif (self.starts[first], self.ends[stop - 1]) != (start, end):
            place = f"{self.starts[first]}-{self.ends[stop - 1]}"
            self.drop("offsets disagree", f"tokens {first}-{stop} lie at {place} but the span says {start}-{end}")
        else:
            try:
                return self._row(first, stop, label, name)
            except ValueError as error:
                self.drop("no label", f"a span of tokens {first}-{stop}: {error}")
        return None

    def _types(self) -> tuple[str, ...]:
        cats = self.doc.cats if isinstance(self.doc.cats, dict) else {}
        given = {
            label: score for label, score in cats.items() if isinstance(label, str) and isinstance(score, int | float)
        }
        if len(given) < len(cats):
            self.drop("category", f"{len(cats) - len(given)} of the categories are not names with a number")
        return tuple(label for label, score in given.items() if label and score >= 0.5)

    def _kept(self) -> dict[str, Any] | None:
        """The article without its text, as `write_files` put it in the user data."""
        if not isinstance(self.doc.user_data, bytes):
            return None
        try:
            user_data = unpack(self.doc.user_data)
            if not isinstance(user_data, dict) or USER_KEY not in user_data:
                return None
            content = parse_json(str(user_data[USER_KEY]))
        except ValueError as error:
            self.drop("user data", f"the user data cannot be read: {error}")
            return None
        if not isinstance(content, dict):
            self.drop("user data", f"the user data under {USER_KEY!r} are not an object")
            return None
        return content

    def _built(self, content: dict[str, Any]) -> Article | None:
        """The article that the user data and the text make, if they do."""
        try:
            line = json.dumps({**content, "text": self.text})
        except RecursionError:
            self.drop("user data", f"the user data under {USER_KEY!r} are nested too deeply")
            return None
        inner = ProblemLog()
        _, article = next(jsonl.read([line], inner), (0, None))
        for problem in inner.dropped:
            self.drop(problem.cause, f"{problem.message} (in the user data)")
        return article

    def _assembled(
        self,
        entities: Iterable[Row],
        events: Iterable[Row],
        types: tuple[str, ...],
        about: Article,
        triggers: Collection[str],
    ) -> Article:
        """An article from spaCy's own spans; only what is said of the whole article is taken from `about`."""
        used: set[str] = set()
        kept: list[Entity] = []
        found: list[Event] = []
        for row, is_event in [*((row, False) for row in entities), *((row, True) for row in events)]:
            if (trimmed := self._trimmed(row, used)) is None:
                continue
            start, end, label, name = trimmed
            if is_event or label in triggers:
                kinds = trigger_types(label, triggers) or (label,)
                found.append(Event(trigger=Span(start=start, end=end), types=kinds, id=name))
            else:
                kept.append(Entity(start=start, end=end, label=label, id=name))
        return Article(
            text=self.text,
            id=self.name,
            title=about.title,
            date=about.date,
            source=about.source,
            meta=about.meta,
            entities=tuple(sorted(kept, key=lambda entity: (entity.start, -entity.end))),
            events=tuple(sorted(found, key=lambda event: event.trigger.start)),
            event_types=types,
        )

    def _trimmed(self, row: Row, used: set[str]) -> Row | None:
        start, end, label, name = row
        surface = self.text[start:end]
        what = f"{label[:60]!r} {start}-{end} {surface[:60]!r}"
        first, last = trim(self.text, start, end) if surface != surface.strip() else (start, end)
        if first == last or not label:
            self.drop("empty span", f"{what} covers nothing that is seen, or has no label")
            return None
        if (first, last) != (start, end):
            self.fix("white space at an edge", f"{what} is taken without it: {self.text[first:last][:60]!r}")
        if name and name in used:
            self.fix("duplicate id", f"id {name[:60]!r} of {what} is used twice; it is read without it")
            name = ""
        used.add(name)
        return first, last, label, name


def _agrees(kept: dict[str, Any], entities: list[Row], events: list[Row], types: tuple[str, ...]) -> bool:
    """Whether the spans and types in the user data are those that spaCy has."""
    try:
        spans = [(item["start"], item["end"], item["label"], item.get("id", "")) for item in kept.get("entities", ())]
        triggers = [
            (item["trigger"]["start"], item["trigger"]["end"], trigger_row_label(item["types"]), item.get("id", ""))
            for item in kept.get("events", ())
        ]
        known = tuple(dict.fromkeys(kept.get("event_types", ())))
        return sorted(spans) == sorted(entities) and sorted(triggers) == sorted(events) and known == types
    except (TypeError, KeyError, AttributeError):
        return False
