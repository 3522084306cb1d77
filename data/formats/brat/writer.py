"""Writes articles as brat standoff: a text file and an annotation file each, and brat's configuration.

brat has no place for ids, scores, article metadata and events of several types. They are written as JSON in notes
(``#`` lines) of the type `NOTE`. What a model predicted is under the key `PREDICTED`, so that it is not read as gold.
brat shows a note on a mention or event as a comment, and deletes it together with the mention. The note on the article
has itself as target, which brat accepts and does not show. Line breaks and tabs split a mention into fragments, as in
brat, because an annotation must be on one line.
"""

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article, Entity, Event
from ...problems import ArticleLog, ProblemLog
from .. import jsonl
from ..common.file_names import free_name
from ..common.lines import escape_surrogates, has_surrogate, to_json
from .configuration import Configuration
from .names import (
    LINE_ID,
    META,
    NOTE,
    PREDICTED,
    decode_file_name,
    decode_name,
    encode_file_name,
    encode_name,
    encode_role,
    fragments,
    reference,
)
from .notes import split_predictions

_LONGEST_NAME = 120  # characters; file systems allow 255 bytes, an Arabic letter has two


def write_document(article: Article, log: ProblemLog, *, name: str | None = None) -> tuple[str, str]:
    """The text and the annotations of an article.

    Args:
        article: gold or predicted.
        log: records what brat cannot hold.
        name: id that the reader takes from the file name; None for the article's id.

    Returns:
        content of the text file and of the annotation file.
    """
    writer = _AnnotationWriter(article=article, log=ArticleLog(log=log, article=article.id))
    lines = [*_entity_lines(writer), *_event_lines(writer)]
    kept = _kept_lines(writer)
    content = _article_note(writer, article.id if name is None else name, bool(kept))
    notes = [("", content), *writer.notes] if content else writer.notes
    numbers = _free("#", {line.partition("\t")[0] for line in kept})
    lines += [
        f"{number}\t{NOTE} {target or number}\t{escape_surrogates(to_json(content))}"
        for (target, content), number in zip(notes, numbers, strict=False)
    ]
    return article.text, "".join(f"{line}\n" for line in [*lines, *kept])


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write a folder: ``ID.txt`` and ``ID.ann`` an article, and a configuration with the labels of the articles.

    Characters that are unsafe in file names are percent-encoded. If an id is empty, too long or taken, the file gets
    another name, and the id is written in a note. An article with a lone surrogate in its text is dropped.
    """
    path.mkdir(parents=True, exist_ok=True)
    taken: dict[str, int] = {}
    configuration = Configuration()
    for article in articles:
        if has_surrogate(article.text):
            message = "the text has a lone surrogate, which UTF-8 cannot encode; write it as jsonl"
            log.drop("lone surrogate", message, article=article.id)
            continue
        stem = encode_file_name(article.id)
        stem = free_name(stem if 0 < len(stem) <= _LONGEST_NAME else "article", taken)
        text, annotations = write_document(article, log, name=decode_file_name(stem))
        (path / f"{stem}.txt").write_bytes(text.encode())
        (path / f"{stem}.ann").write_bytes(annotations.encode())
        configuration.add(article)
        log.articles += 1
    configuration.write(path)


@dataclass(kw_only=True)
class _AnnotationWriter:
    """The state of writing an annotation file.

    Attributes:
        article: the article to write.
        log: records what brat cannot hold.
        numbers: id of an entity or event → the id of its line.
        notes: (id of a line, content of its note).
    """

    article: Article
    log: ArticleLog
    numbers: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @cached_property
    def unnamed(self) -> bool:
        """Whether a mention has no id. Then the id of a line is an id of the article only if a note says so."""
        return not all(mention.id for mention in (*self.article.entities, *self.article.events))

    def note(self, number: str, id: str, **content: Any) -> None:
        """Add a note with the id, unless it is the id of the line, and with the content that is not None."""
        named = {"id": id} if id and (self.unnamed or id != number) else {}
        if content := named | {key: value for key, value in content.items() if value is not None}:
            self.notes.append((number, content))
        if id:
            self.numbers.setdefault(id, number)

    def score(self, what: str, score: float | None) -> float | None:
        """The score; None, and logged, if JSON cannot hold it."""
        if score is None or math.isfinite(score):
            return score
        self.log.drop("scores left out", f"the score of {what} is {score}, which is not a JSON number")
        return None

    def span(self, what: str, start: int, end: int) -> str | None:
        """Offsets and surface as brat writes them; None, and logged, for a bad span."""
        text = self.article.text
        if not 0 <= start < end <= len(text) or not (parts := fragments(text, start, end)):
            self.log.drop("span left out", f"{what} {start}-{end} is outside the text or has only white space")
            return None
        places = ";".join(f"{low} {high}" for low, high in parts)
        return f"{places}\t{' '.join(text[low:high] for low, high in parts)}"


def _entity_lines(writer: _AnnotationWriter) -> Iterator[str]:
    entities = writer.article.entities
    for entity, number in zip(entities, _line_ids(entities, "T"), strict=True):
        if not entity.label:
            writer.log.drop("no label", f"{shown(entity.text)} at {entity.start} has an empty label")
        elif place := writer.span(f"entity {entity.label}", entity.start, entity.end):
            score = writer.score(f"{entity.label} {shown(entity.text)}", entity.score)
            writer.note(number, entity.id, predicted=_predicted(score))
            yield f"{number}\t{encode_name(entity.label)} {place}"


def _event_lines(writer: _AnnotationWriter) -> Iterator[str]:
    """Trigger and event lines.

    In brat, an event has one type, which is that of its trigger. Further types are written as further pairs of lines,
    and notes tell the reader to join them.
    """
    article = writer.article
    names = _line_ids(article.events, "E")
    triggers, more = _free("T", _line_ids(article.entities, "T")), _free("E", names)
    for event, number in zip(article.events, names, strict=True):
        what = f"trigger {shown(event.trigger.text)} at {event.trigger.start}"
        if not event.types or not all(event.types):
            writer.log.drop("no type", f"{what} has no event type, or an empty one, which brat cannot hold")
            continue
        if (place := writer.span("trigger", event.trigger.start, event.trigger.end)) is None:
            continue
        arguments, scores = _arguments(writer, event, what)
        aligned: Sequence[float | None] = event.scores
        if len(aligned) != len(event.types):
            aligned = [None] * len(event.types)
            if event.scores:
                message = f"{what} has {len(event.types)} types but {len(event.scores)} scores"
                writer.log.drop("scores left out", message)
        for position, (kind, score) in enumerate(zip(event.types, aligned, strict=True)):
            trigger, own = next(triggers), next(more) if position else number
            score = writer.score(what, score)
            yield f"{trigger}\t{encode_name(kind)} {place}"
            yield " ".join([f"{own}\t{encode_name(kind)}:{trigger}", *arguments])
            if position:
                writer.note(own, "", joins=number, predicted=_predicted(score))
            else:
                writer.note(own, event.id, predicted=_predicted(score, scores))


def _predicted(score: float | None, arguments: Mapping[str, float] | None = None) -> dict[str, Any] | None:
    """What a note says about the scores of a model; None if there are none."""
    scored = {} if score is None else {"score": score}
    return scored | ({"arguments": arguments} if arguments else {}) or None


def _arguments(writer: _AnnotationWriter, event: Event, what: str) -> tuple[list[str], dict[str, float]]:
    """Arguments as ``ROLE:ID``, with a number for a repeated role, and scores by argument."""
    written: list[str] = []
    scores: dict[str, float] = {}
    numbers: Counter[str] = Counter()
    for argument in event.arguments:
        role, target = argument.role, writer.numbers.get(argument.entity)
        if target is None or not role:
            message = f"{shown(role)} of {what} has no role, or its entity is not written"
            writer.log.drop("argument left out", message)
            continue
        numbers[role] += 1
        written.append(f"{encode_role(role)}{numbers[role] if numbers[role] > 1 else ''}:{target}")
        if (score := writer.score(f"{role} of {what}", argument.score)) is not None:
            scores[written[-1]] = score
    return written, scores


def _kept_lines(writer: _AnnotationWriter) -> list[str]:
    """The lines under `META` as lines of brat; empty if there are none, or if one would be read back differently."""
    lines = writer.article.meta.get(META)
    written: list[str] = []
    for line in lines if isinstance(lines, list) else ():
        found = reference(line) if isinstance(line, str) else None
        if found is None or line.splitlines() != [line] or has_surrogate(line):
            return []
        targets = [writer.numbers.get(decode_name(target), "") for target in found.targets]
        proper = LINE_ID.fullmatch(found.id) and (found.id[0] != "#" or found.type != NOTE)
        if not proper or not all(targets) or any(encode_name(decode_name(name)) != name for name in found.targets):
            return []
        written.append(found.line(targets))
    ids = [line.partition("\t")[0] for line in written if line[0] != "*"]
    return written if len(set(ids)) == len(ids) else []


def _article_note(writer: _AnnotationWriter, name: str, has_kept: bool) -> dict[str, Any]:
    """The note on the article: its JSON Lines form without text, entities, events and kept lines."""
    article = writer.article
    meta = {key: value for key, value in article.meta.items() if not (has_kept and key == META)}
    scratch = ProblemLog()
    content: dict[str, Any] = {}
    if line := next(jsonl.write([replace(article, text="", entities=(), events=(), meta=meta)], scratch), None):
        content = json.loads(line)
        del content["text"]
        if content["id"] == name:
            del content["id"]
        content, predicted = split_predictions(content)
        content |= {PREDICTED: predicted} if predicted else {}
    else:
        message = f"{scratch.dropped[0].message}; only text, entities and events are written"
        writer.log.drop("metadata left out", message)
    flags = {"unnamed": writer.unnamed, "bom": article.text.startswith("\ufeff")}
    if flags := {key: value for key, value in flags.items() if value}:
        content["brat"] = flags
    return content


def _line_ids(mentions: Sequence[Entity | Event], letter: str) -> list[str]:
    """An id of a line for each mention: its own id if that has the right form, else the next free one."""
    free = _free(letter, {mention.id for mention in mentions})
    seen: set[str] = set()
    ids = []
    for mention in mentions:
        own = mention.id[:1] == letter and LINE_ID.fullmatch(mention.id) and mention.id not in seen
        ids.append(mention.id if own else next(free))
        seen.add(mention.id)
    return ids


def _free(letter: str, taken: Collection[str]) -> Iterator[str]:
    """Ids of lines that are not taken, from 1 on."""
    taken = set(taken)
    return (id for number in count(1) if (id := f"{letter}{number}") not in taken)
