"""Reads the documents of a DocBin file as articles."""

import itertools
import json
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article, Entity, Event, Span, check_article
from ...problems import ArticleLog, ProblemLog
from .. import jsonl
from ..common.flat_labels import trigger_label, trigger_types
from ..common.format import METADATA, Located
from ..common.lines import parse_json
from ..common.offsets import trimmed
from .msgpack import unpack
from .names import ENTITIES_KEY, TRIGGERS_KEY, USER_KEY, Row, missing_spacy
from .parts import MAX_COVERED, StoredDoc, StoredDocs
from .spans import DocSpans

_MAX_TEXT = 16 << 20  # code points of an article


def read_file(
    path: Path, log: ProblemLog, *, spans_keys: Collection[str] = (ENTITIES_KEY,), triggers: Collection[str] = ()
) -> Located:
    """Read the documents of a file; what cannot be used is dropped and logged.

    Args:
        path: a ``.spacy`` file.
        log: records problems and counts articles.
        spans_keys: span groups that hold entities, in addition to ``Doc.ents``.
        triggers: labels that are event types.

    Yields:
        number of the document in the file, from 1, and the article.

    Raises:
        DataError: spaCy is not installed.
    """
    try:
        from spacy.strings import StringStore
    except ImportError as error:
        raise missing_spacy(log.source, "read") from error
    try:
        docs = StoredDocs(path)
        strings = StringStore(docs.strings)
    except (ValueError, OSError) as error:
        log.drop("not a DocBin", f"the file is dropped: {error}")
        return
    left = docs.most_text
    for number, doc in enumerate(docs, 1):
        doc_log = ArticleLog(log=log, article=f"{path.stem}-{number}", line=number)
        try:
            spans = DocSpans(doc, strings, min(left, _MAX_TEXT))
        except ValueError as error:
            doc_log.drop("document left out", f"document {number}: {error}")
            continue
        left -= len(spans.text)
        log.articles += 1
        yield number, _article(doc, spans, spans_keys, triggers, doc_log)


def _article(
    doc: StoredDoc, spans: DocSpans, keys: Collection[str], triggers: Collection[str], log: ArticleLog
) -> Article:
    stored = _stored_article(doc, log)
    if stored is not None and isinstance(stored.get("id"), str):
        log = replace(log, article=stored["id"] or log.article)
    groups = spans.groups(log)
    annotated = _annotated(doc, spans, groups.keys(), keys, log)
    rows = [row for key in keys for group in groups.pop(key, ()) for row in group]
    known = {row[:3] for row in rows}
    entities = _limited(rows + [row for row in spans.ents(log) if row[:3] not in known], log)
    events = _limited([row for group in groups.pop(TRIGGERS_KEY, ()) for row in group], log)
    for key, unread in groups.items():
        count = sum(map(len, unread))
        log.drop("spans not read", f"{count} spans under {shown(key)} are not read; name it in spans_keys")
    types = _event_types(doc, log)
    metadata = Article(text=spans.text)
    if stored is not None:
        # Used only if it agrees with the spans in spaCy, which are checked and limited; the user data are not.
        same = _agrees(stored, entities, events, types)
        if not same:
            message = "spans or categories differ from those written: arguments and scores are dropped"
            log.fix("changed in spaCy", message)
        kept = {key: stored[key] for key in ("id", *METADATA, "meta", "annotated") if key in stored}
        metadata = _parsed(stored if same else kept, spans.text, log) or metadata
        annotated = metadata.annotated
        if same and _is_valid(metadata, log):
            return replace(metadata, id=log.article)
        if types and _is_scored(stored):
            log.fix("prediction", f"predicted event types {', '.join(map(shown, types))} are not read as gold")
            types = ()
    found_entities, found_events = _mentions(spans.text, entities, events, triggers, log)
    return Article(
        text=spans.text,
        id=log.article,
        title=metadata.title,
        date=metadata.date,
        source=metadata.source,
        meta=metadata.meta,
        entities=tuple(sorted(found_entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(found_events, key=lambda event: event.trigger.start)),
        event_types=types,
        annotated=annotated,
    )


def _annotated(
    doc: StoredDoc, spans: DocSpans, groups: Collection[str], keys: Collection[str], log: ArticleLog
) -> dict[str, tuple[str, ...]]:
    """The labels that a document of another program annotates: all its categories, and spans where none is missing."""
    cats = doc.cats if isinstance(doc.cats, dict) else {}
    annotated = {"article_types": tuple(label for label in cats if isinstance(label, str) and label)}
    if any(key in groups for key in keys):
        return annotated
    missing, tokens = spans.missing_ents()
    if missing:
        log.fix(
            "unannotated tokens",
            f"{missing} of {tokens} tokens have no entity annotation (a missing value of spaCy): "
            "the document counts as not annotated with entities",
        )
        annotated |= {"entities": (), "arguments": ()} | ({} if TRIGGERS_KEY in groups else {"triggers": ()})
    return annotated


def _is_scored(stored: dict[str, Any]) -> bool:
    """Whether the article of the user data is a prediction."""
    items = [stored, *(item for key in ("entities", "events", "sentences") for item in stored.get(key) or ())]
    return any(item.get(key) for item in items if isinstance(item, dict) for key in ("type_scores", "score", "scores"))


def _stored_article(doc: StoredDoc, log: ArticleLog) -> dict[str, Any] | None:
    """The article without its text, as `write_files` stores it in the user data; None if there is none."""
    if not isinstance(doc.user_data, bytes):
        return None
    try:
        user_data = unpack(doc.user_data)
        if not isinstance(user_data, dict) or USER_KEY not in user_data:
            return None
        content = parse_json(str(user_data[USER_KEY]))
    except ValueError as error:
        log.drop("user data", f"the user data cannot be read: {error}")
        return None
    if not isinstance(content, dict):
        log.drop("user data", f"the user data under {USER_KEY!r} are not an object")
        return None
    return content


def _parsed(content: dict[str, Any], text: str, log: ArticleLog) -> Article | None:
    """The article of the user data and the text; None, and logged, if they do not make one."""
    try:
        line = json.dumps({**content, "text": text})
    except RecursionError:
        log.drop("user data", f"the user data under {USER_KEY!r} are nested too deeply")
        return None
    inner = ProblemLog()
    _, article = next(jsonl.read([line], inner), (0, None))
    for problem in inner.dropped:
        log.drop(problem.cause, f"{problem.message} (in the user data)")
    return article


def _is_valid(article: Article, log: ArticleLog) -> bool:
    problems = list(check_article(article))
    for cause, message in problems:
        log.drop(cause, f"{message} (in the user data)")
    return not problems


def _agrees(stored: dict[str, Any], entities: list[Row], events: list[Row], types: tuple[str, ...]) -> bool:
    """Whether the spans and types in the user data are those that spaCy has."""
    try:
        spans = [(item["start"], item["end"], item["label"], item.get("id", "")) for item in stored.get("entities", ())]
        triggers = [
            (item["trigger"]["start"], item["trigger"]["end"], trigger_label(item["types"]), item.get("id", ""))
            for item in stored.get("events", ())
        ]
        known = tuple(dict.fromkeys(stored.get("event_types", ())))
        return sorted(spans) == sorted(entities) and sorted(triggers) == sorted(events) and known == types
    except (TypeError, KeyError, AttributeError):
        return False


def _limited(rows: list[Row], log: ArticleLog) -> list[Row]:
    """The spans up to the limit on the characters that they cover together, see `MAX_COVERED`."""
    covered = list(itertools.accumulate(end - start for start, end, _, _ in rows))
    stop = bisect_right(covered, MAX_COVERED)
    if stop < len(rows):
        dropped = f"{len(rows) - stop} of {len(rows)} spans are dropped"
        limit = f"{MAX_COVERED >> 20} million characters"
        log.drop("too many spans", f"{dropped}: the spans cover more than {limit} together")
    return rows[:stop]


def _event_types(doc: StoredDoc, log: ArticleLog) -> tuple[str, ...]:
    """The categories with a score of at least 0.5."""
    cats = doc.cats if isinstance(doc.cats, dict) else {}
    scores = {
        label: score for label, score in cats.items() if isinstance(label, str) and isinstance(score, int | float)
    }
    if len(scores) < len(cats):
        log.drop("category", f"{len(cats) - len(scores)} categories are not labels with a number")
    return tuple(label for label, score in scores.items() if label and score >= 0.5)


def _mentions(
    text: str, entities: Iterable[Row], events: Iterable[Row], triggers: Collection[str], log: ArticleLog
) -> tuple[list[Entity], list[Event]]:
    """Entities and events from spaCy's spans."""
    ids: set[str] = set()
    kept: list[Entity] = []
    found: list[Event] = []
    for row, is_event in [*((row, False) for row in entities), *((row, True) for row in events)]:
        if (trimmed := _trimmed(text, row, ids, log)) is None:
            continue
        start, end, label, name = trimmed
        if is_event or label in triggers:
            types = trigger_types(label, triggers) or (label,)
            found.append(Event(trigger=Span(start=start, end=end), types=types, id=name))
        else:
            kept.append(Entity(start=start, end=end, label=label, id=name))
    return kept, found


def _trimmed(text: str, row: Row, ids: set[str], log: ArticleLog) -> Row | None:
    """A span without white space at its edges, and without its id if that is used; None, and logged, if empty."""
    start, end, label, name = row
    what = f"{shown(label)} {start}-{end} {shown(text[start:end])}"
    if not label:
        log.drop("no label", f"{what} has no label")
        return None
    if (place := trimmed(text, start, end, shown(label), log)) is None:
        return None
    if name and name in ids:
        log.fix("duplicate id", f"id {shown(name)} of {what} is used twice; it is read without it")
        name = ""
    ids.add(name)
    return *place, label, name
