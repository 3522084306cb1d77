"""Articles as brat standoff: a text file and an annotation file each, and the configuration that shows them.

brat has no place for ids, scores, article metadata or an event of several types. They travel in notes of the type
`NOTE`: JSON behind a ``#`` line. A note on a mention or an event shows in brat as a comment and is deleted with it; the
article's own note names itself as its target, which brat accepts and does not draw. Line breaks and tabs inside a
mention cut it into fragments, as brat itself does, because its annotation file has one line an annotation.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...articles import Article, Entity, Event
from ...problems import ProblemLog
from .. import jsonl
from ..common.lines import escape_surrogates, has_surrogate, to_json
from .names import (
    META,
    NOTE,
    decode_file_name,
    decode_name,
    encode_file_name,
    encode_name,
    encode_role,
    fragments,
    kept_targets,
)

_LONGEST_NAME = 120  # characters of a file name; file systems take 255 bytes, an Arabic letter is two
_ENTITY_ID, _EVENT_ID = re.compile(r"T[1-9][0-9]{0,8}"), re.compile(r"E[1-9][0-9]{0,8}")
_CONFIGURABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

_VISUAL = (
    "[labels]\n\n[drawing]\n"
    "SPAN_DEFAULT\tfgColor:black, bgColor:lightgreen, borderColor:darken\n"
    "ARC_DEFAULT\tcolor:black, arrowHead:triangle-5\n\n"
    "[options]\nText\tdirection:rtl\n"
)


def write_document(article: Article, log: ProblemLog, *, name: str | None = None) -> tuple[str, str]:
    """The text and the annotations of an article as brat has them.

    Args:
        article: gold or predicted.
        log: takes what brat cannot hold.
        name: the id that a reader gets from elsewhere, the file's name; None means the article's own.

    Returns:
        text, and lines with their ends.
    """
    writing = _Writing(article=article, log=log)
    writing.unnamed = not all(mention.id for mention in (*article.entities, *article.events))
    lines = [*_entity_lines(writing), *_event_lines(writing)]
    kept = _kept_lines(writing)
    notes = _article_note(writing, article.id if name is None else name, drop=kept is not None) + writing.notes
    taken = {line.partition("\t")[0] for line in kept or ()}
    numbers = (f"#{number}" for number in range(1, len(taken) + len(notes) + 1) if f"#{number}" not in taken)
    lines += [
        f"{number}\t{NOTE} {target or number}\t{_one_line(content)}"
        for number, (target, content) in zip(numbers, notes, strict=False)
    ]
    return article.text, "".join(f"{line}\n" for line in [*lines, *(kept or ())])


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write a folder: ``ID.txt`` and ``ID.ann`` per article, ``annotation.conf`` and ``visual.conf``.

    Characters of an id that no file name should have are percent-encoded. An id that is empty, too long or taken gets a
    name with a number, and comes back from a note. An article that UTF-8 cannot carry is left out.
    """
    path.mkdir(parents=True, exist_ok=True)
    taken: dict[str, int] = {}
    labels: set[str] = set()
    roles: dict[str, set[str]] = defaultdict(set)
    for article in articles:
        if has_surrogate(article.text):
            message = "the text holds a lone surrogate, which UTF-8 cannot carry; write it as jsonl"
            log.drop("lone surrogate", message, article=article.id)
            continue
        stem = _free_stem(article.id, taken)
        text, annotations = write_document(article, log, name=decode_file_name(stem))
        (path / f"{stem}.txt").write_bytes(text.encode())
        (path / f"{stem}.ann").write_bytes(annotations.encode())
        labels.update(encode_name(entity.label) for entity in article.entities)
        for event in article.events:
            for kind in event.types:
                roles[encode_name(kind)].update(encode_role(argument.role) for argument in event.arguments)
        log.articles += 1
    (path / "annotation.conf").write_bytes(_configuration(labels, roles).encode())
    (path / "visual.conf").write_bytes(_VISUAL.encode())


@dataclass(kw_only=True)
class _Writing:
    """An article on its way out.

    Attributes:
        numbers: id of an entity or event → its number in the file.
        notes: number → what brat has no place for.
        unnamed: some mention has no id, so a number is an id only where a note says so.
    """

    article: Article
    log: ProblemLog
    unnamed: bool = False
    numbers: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def drop(self, cause: str, message: str) -> None:
        self.log.drop(cause, message, article=self.article.id)

    def note(self, number: str, id: str, **content: Any) -> None:
        """Note an id that is not the number itself, and what else is not None."""
        named = {"id": id} if id and (self.unnamed or id != number) else {}
        if content := named | {key: value for key, value in content.items() if value is not None}:
            self.notes.append((number, content))

    def score(self, what: str, score: float | None) -> float | None:
        """A score that JSON can hold, else None, which is recorded."""
        if score is None or math.isfinite(score):
            return score
        self.drop("scores left out", f"the score of {what} is {score}, which is not a JSON number")
        return None

    def span(self, what: str, start: int, end: int) -> str | None:
        """Offsets and surface as brat writes them; None for a span that is none, which is recorded."""
        text = self.article.text
        if not 0 <= start < end <= len(text) or not (parts := fragments(text, start, end)):
            self.drop("span left out", f"{what} {start}-{end} lies outside the text or holds none; mend its offsets")
            return None
        places = ";".join(f"{low} {high}" for low, high in parts)
        return f"{places}\t{' '.join(text[low:high] for low, high in parts)}"


def _entity_lines(writing: _Writing) -> Iterator[str]:
    entities = writing.article.entities
    for entity, number in zip(entities, _numbers(entities, "T", _ENTITY_ID), strict=True):
        if not entity.label:
            writing.drop("no label", f"{entity.text!r} at {entity.start} has an empty label, which brat cannot hold")
        elif place := writing.span(f"entity {entity.label}", entity.start, entity.end):
            writing.numbers.setdefault(entity.id, number)
            score = writing.score(f"{entity.label} {entity.text!r}", entity.score)
            writing.note(number, entity.id, score=score)
            yield f"{number}\t{encode_name(entity.label)} {place}"


def _event_lines(writing: _Writing) -> Iterator[str]:
    """Trigger and event lines.

    In brat a trigger and its event must have one type: more types are more pairs of lines, joined again by their notes.
    """
    article = writing.article
    triggers = _free("T", {number for number in _numbers(article.entities, "T", _ENTITY_ID)})
    names = _numbers(article.events, "E", _EVENT_ID)
    more = _free("E", set(names))
    for event, number in zip(article.events, names, strict=True):
        what = f"trigger {event.trigger.text!r} at {event.trigger.start}"
        if not event.types or not all(event.types):
            writing.drop("no type", f"{what} has no event type, or an empty one, which brat cannot hold")
            continue
        if (place := writing.span("trigger", event.trigger.start, event.trigger.end)) is None:
            continue
        writing.numbers.setdefault(event.id, number)
        arguments, scores = _arguments(writing, event, what)
        if event.scores and len(event.scores) != len(event.types):
            writing.drop("scores left out", f"{what} has {len(event.types)} types but {len(event.scores)} scores")
        aligned = event.scores if len(event.scores) == len(event.types) else [None] * len(event.types)
        for position, (kind, score) in enumerate(zip(event.types, aligned, strict=True)):
            trigger, own = next(triggers), number if position == 0 else next(more)
            score = writing.score(what, score)
            yield f"{trigger}\t{encode_name(kind)} {place}"
            yield " ".join([f"{own}\t{encode_name(kind)}:{trigger}", *arguments])
            if position:
                writing.note(own, "", joins=number, score=score)
            else:
                writing.note(own, event.id, score=score, arguments=scores or None)


def _arguments(writing: _Writing, event: Event, what: str) -> tuple[list[str], dict[str, float]]:
    """``ROLE:ID`` in order, a role that occurs again with a number, and the scores of those that have one."""
    written: list[str] = []
    scores: dict[str, float] = {}
    count: dict[str, int] = defaultdict(int)
    for argument in event.arguments:
        target = writing.numbers.get(argument.entity) if argument.entity else None
        if target is None or not argument.role:
            message = f"{argument.role!r} of {what} names {argument.entity!r}: no entity that was written, or no role"
            writing.drop("argument left out", message)
            continue
        count[argument.role] += 1
        number = count[argument.role]
        written.append(f"{encode_role(argument.role)}{number if number > 1 else ''}:{target}")
        if (score := writing.score(f"{argument.role} of {what}", argument.score)) is not None:
            scores[written[-1]] = score
    return written, scores


def _kept_lines(writing: _Writing) -> list[str] | None:
    """The lines under `META` as brat's own; None where there are none or one of them would not come back the same."""
    lines = writing.article.meta.get(META)
    if not isinstance(lines, list) or not lines:
        return None
    written: list[str] = []
    for line in lines:
        parts = kept_targets(line) if isinstance(line, str) else None
        if parts is None or line.splitlines() != [line] or has_surrogate(line):
            return None
        before, targets, rest = parts
        own, kind = before.rstrip(" ").split("\t")
        named = [writing.numbers.get(decode_name(target)) for target in targets]
        proper = re.fullmatch(r"[AMN#][1-9][0-9]{0,8}|\*", own) and (own[0] != "#" or kind != NOTE)
        if not proper or not all(named) or any(encode_name(decode_name(target)) != target for target in targets):
            return None
        written.append(f"{before}{' '.join(name for name in named if name)}{rest}")
    names = [line.partition("\t")[0] for line in written if line[0] != "*"]
    return written if len(set(names)) == len(names) else None


def _article_note(writing: _Writing, name: str, drop: bool) -> list[tuple[str, dict[str, Any]]]:
    """The article's own note, if it has something to say: its JSON Lines form without text, entities and events."""
    article = writing.article
    meta = {key: value for key, value in article.meta.items() if not (drop and key == META)}
    scratch = ProblemLog()
    rest = replace(article, text="", entities=(), events=(), meta=meta)
    line = next(iter(list(jsonl.write([rest], scratch))), None)
    if line is None:
        message = f"{scratch.dropped[0].message}; all but text, entities and events is left out"
        writing.drop("metadata left out", message)
        line = next(jsonl.write([Article(text="")], scratch))
    content: dict[str, Any] = {
        key: value for key, value in json.loads(line).items() if key != "text" and not (key == "id" and value == name)
    }
    flags = {"unnamed": writing.unnamed, "bom": article.text.startswith("\ufeff")}
    if flags := {key: value for key, value in flags.items() if value}:
        content["brat"] = flags
    return [("", content)] if content else []


def _one_line(content: Mapping[str, Any]) -> str:
    """JSON without the characters that brat takes for line ends and those that UTF-8 cannot carry."""
    return escape_surrogates(to_json(content))


def _numbers(mentions: tuple[Entity, ...] | tuple[Event, ...], letter: str, own: re.Pattern[str]) -> list[str]:
    """A number for each: its id where that is one, else the next that is free."""
    ids = {mention.id for mention in mentions}
    free = _free(letter, ids)
    seen: set[str] = set()
    numbers = []
    for mention in mentions:
        claims = own.fullmatch(mention.id) and mention.id not in seen
        numbers.append(mention.id if claims else next(free))
        seen.add(mention.id)
    return numbers


def _free(letter: str, taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if f"{letter}{number}" not in taken:
            yield f"{letter}{number}"


def _free_stem(id: str, taken: dict[str, int]) -> str:
    """A stem for the files of an article. Case is not told apart, as on some file systems."""
    wanted = encode_file_name(id)
    if not 0 < len(wanted) <= _LONGEST_NAME:
        wanted = "article"
    stem = wanted
    while stem.casefold() in taken:
        taken[wanted.casefold()] += 1
        stem = f"{wanted}-{taken[wanted.casefold()]}"
    taken[stem.casefold()] = 1
    return stem


def _configuration(labels: set[str], roles: Mapping[str, set[str]]) -> str:
    """The annotation.conf; names that brat does not allow there are left to be shown by their plain form."""
    lines = ["[entities]", *sorted(filter(_CONFIGURABLE.fullmatch, labels)), "", "[relations]", "", "[events]"]
    for kind in sorted(filter(_CONFIGURABLE.fullmatch, roles)):
        known = sorted(filter(_CONFIGURABLE.fullmatch, roles[kind]))
        lines.append("\t".join([kind, *filter(None, [", ".join(f"{role}*:<ENTITY>" for role in known)])]))
    return "\n".join([*lines, "", "[attributes]", ""])
