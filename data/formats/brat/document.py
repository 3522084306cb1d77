"""An annotation file of brat on its way in, and the article that it makes."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ProblemLog
from .names import META, NOTE, encode_name, kept_targets
from .notes import ArticleNote, MentionNote


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of an annotation file: its number from 1, its id, what it says, the text behind the second tab, all."""

    number: int
    id: str
    data: str
    tail: str | None
    raw: str

    @property
    def is_note(self) -> bool:
        """Whether it was written for what brat has no place for."""
        return self.id[0] == "#" and self.data.split(" ", 1)[0] == NOTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A T line whose place is proven."""

    line: Line
    label: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameArgument:
    """``Location2:T5`` as written, its role, and the T line."""

    written: str
    role: str
    target: str


@dataclass(kw_only=True, slots=True)
class Frame:
    """An event in the making; ``lines`` align with ``types``, ``known`` holds (role, target) of its arguments."""

    lines: list[Line]
    trigger: Mention
    types: list[str]
    arguments: list[FrameArgument]
    known: set[tuple[str, str]]

    def add(self, argument: FrameArgument) -> None:
        """Give the event an argument, unless it has that entity in that role."""
        if (key := (argument.role, argument.target)) not in self.known:
            self.known.add(key)
            self.arguments.append(argument)


@dataclass(kw_only=True)
class Document:
    """An annotation file on its way in; dictionaries are by the ids of its lines.

    Attributes:
        triggers: T lines that are the trigger of an event.
        frames: E lines, and T lines that are triggers by their label; several may stand for one event.
        by_trigger: T lines → the events that they trigger.
        same: (T line, type) → how many of its events have that type.
        kept: lines for ``meta``.
    """

    text: str
    log: ProblemLog
    note: ArticleNote
    mentions: dict[str, Mention] = field(default_factory=dict)
    notes: dict[str, tuple[Line, MentionNote]] = field(default_factory=dict)
    triggers: set[str] = field(default_factory=set)
    frames: dict[str, Frame] = field(default_factory=dict)
    by_trigger: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    same: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: list[Line] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Of the article."""
        return self.note.fields.id

    def drop(self, line: Line, cause: str, message: str) -> None:
        """Record a line, or a part of it, that is left out."""
        self.log.drop(cause, f"{line.id}: {message}", line=line.number, article=self.id)

    def fix(self, line: Line, cause: str, message: str) -> None:
        """Record a line that was mended."""
        self.log.fix(cause, f"{line.id}: {message}", line=line.number, article=self.id)

    def is_entity(self, id: str) -> bool:
        """Whether it is a T line that no event takes for its trigger."""
        return id in self.mentions and id not in self.triggers


def finish(document: Document) -> Article:
    """The article that the lines make: ids, scores, arguments by ids, kept lines in ``meta``."""
    names = _names(document)
    entities = []
    for id, mention in document.mentions.items():
        if document.is_entity(id):
            score = document.notes[id][1].score if id in document.notes else None
            entities.append(
                Entity(start=mention.start, end=mention.end, label=mention.label, id=names[id], score=score)
            )
    events = [_finished(document, frame, names) for frame in _distinct(document)]
    for target, (line, _) in document.notes.items():
        if not document.is_entity(target) and target not in document.frames:
            document.drop(line, "about nothing", f"the note is about {target[:20]!r}, which could not be read")
    return replace(
        document.note.fields,
        text=document.text,
        entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(events, key=lambda event: event.trigger.start)),
        meta=_meta(document, names),
    )


def _names(document: Document) -> dict[str, str]:
    """Ids in the article by the ids of lines, each once."""
    needed = {argument.target for frame in document.frames.values() for argument in frame.arguments}
    needed.update(target for line in document.kept for target in (kept_targets(line.raw) or ("", [], ""))[1])
    lines = {id: mention.line for id, mention in document.mentions.items() if document.is_entity(id)}
    lines |= {frame.lines[0].id: frame.lines[0] for frame in _distinct(document)}
    names: dict[str, str] = {}
    taken: dict[str, int] = {}
    aliases = {number: frame.lines[0].id for number, frame in document.frames.items()}
    needed |= {aliases[number] for number in needed if number in aliases}
    for number, line in lines.items():
        note = document.notes[number][1] if number in document.notes else MentionNote()
        wanted = note.id if note.id else "" if document.note.unnamed and number not in needed else number
        name = wanted
        while name and name in taken:
            taken[wanted] += 1
            name = f"{wanted}-{taken[wanted]}"
        if name != wanted:
            document.fix(line, "duplicate id", f"another mention has the id {wanted[:40]!r}; it is {name[:40]!r} now")
        taken[name] = 1
        names[number] = name
    return names | {number: names[first] for number, first in aliases.items()}


def _distinct(document: Document) -> list[Frame]:
    return list({id(frame): frame for frame in document.frames.values()}.values())


def _finished(document: Document, frame: Frame, names: dict[str, str]) -> Event:
    notes = [document.notes[line.id][1] if line.id in document.notes else MentionNote() for line in frame.lines]
    scores = [note.score for note in notes if note.score is not None]
    if scores and len(scores) < len(notes):
        document.drop(frame.lines[0], "scores", "not every type of the event has a score; none is kept")
        scores = []
    written = {argument.written for argument in frame.arguments}
    if stray := [key for note in notes for key in note.arguments if key not in written]:
        document.drop(frame.lines[0], "scores", f"the note scores {stray[0][:40]!r}, which is no argument any more")
    return Event(
        trigger=Span(start=frame.trigger.start, end=frame.trigger.end),
        types=tuple(frame.types),
        arguments=tuple(
            Argument(role=a.role, entity=names[a.target], score=notes[0].arguments.get(a.written))
            for a in frame.arguments
        ),
        id=names[frame.lines[0].id],
        scores=tuple(scores),
    )


def _meta(document: Document, names: dict[str, str]) -> dict[str, Any]:
    """The article's, with the kept lines about ids of the article instead of ids of lines."""
    meta = dict(document.note.fields.meta)
    known = meta.get(META, [])
    if document.kept and not isinstance(known, list):
        for line in document.kept:
            document.drop(line, "meta in use", f"meta has another {META!r}, so the line has no place")
        return meta
    lines = []
    for line in document.kept:
        before, targets, rest = kept_targets(line.raw) or ("", [], "")
        lines.append(f"{before}{' '.join(encode_name(names[target]) for target in targets)}{rest}")
    return meta | ({META: [*known, *lines]} if lines else {})
