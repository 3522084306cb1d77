"""The content of a brat annotation file, and the article built from it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ..common.file_names import free_name
from .names import META, NOTE, Reference, encode_name
from .notes import ArticleNote, MentionNote


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of an annotation file.

    Attributes:
        number: line number, from 1.
        id: text before the first tab.
        data: text between the tabs.
        tail: text after the second tab; None if there is none.
        raw: the whole line.
    """

    number: int
    id: str
    data: str
    tail: str | None
    raw: str

    @property
    def is_note(self) -> bool:
        """Whether it is a note of the writer."""
        return self.id[0] == "#" and self.data.split(" ", 1)[0] == NOTE


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBound:
    """A text-bound annotation (T line) with its range in the text."""

    line: Line
    label: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameArgument:
    """An argument as written (``Location2:T5``), its role, and the id of the T line."""

    written: str
    role: str
    target: str

    @property
    def key(self) -> tuple[str, str]:
        """Role and target; an event has them once."""
        return self.role, self.target


@dataclass(kw_only=True, slots=True)
class Frame:
    """An event: ``lines`` align with ``types``."""

    lines: list[Line]
    trigger: TextBound
    types: list[str]
    arguments: list[FrameArgument]
    known: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Find role and target of the arguments."""
        self.known = {argument.key for argument in self.arguments}

    def add(self, argument: FrameArgument) -> None:
        """Add an argument, unless the event has the same entity in the same role."""
        if argument.key not in self.known:
            self.known.add(argument.key)
            self.arguments.append(argument)


@dataclass(kw_only=True)
class BratDocument:
    """The content of an annotation file; all dictionaries have ids of lines as keys.

    Attributes:
        text: the text of the article.
        log: records problems.
        note: the note on the article.
        mentions: T lines.
        notes: notes on entities and events, by their target.
        triggers: ids of T lines that are triggers.
        frames: events by E line, or by T line for triggers by label; several lines may make one event.
        by_trigger: id of a T line → the events that it triggers.
        same: (id of a T line, type) → number of its events with that type.
        kept: what is kept of R, A, M, N, ``#`` and ``*`` lines; their targets are lines that `subject` gives.
    """

    text: str
    log: ProblemLog
    note: ArticleNote
    mentions: dict[str, TextBound] = field(default_factory=dict)
    notes: dict[str, tuple[Line, MentionNote]] = field(default_factory=dict)
    triggers: set[str] = field(default_factory=set)
    frames: dict[str, Frame] = field(default_factory=dict)
    by_trigger: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    same: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: list[Reference] = field(default_factory=list)

    def log_of(self, line: Line) -> ArticleLog:
        """The log for problems of a line."""
        return ArticleLog(log=self.log, article=self.note.fields.id, line=line.number)

    def drop(self, line: Line, cause: str, message: str) -> None:
        """Record a line, or a part of it, as dropped."""
        self.log_of(line).drop(cause, f"{line.id}: {message}")

    def fix(self, line: Line, cause: str, message: str) -> None:
        """Record a line as fixed."""
        self.log_of(line).fix(cause, f"{line.id}: {message}")

    def note_on(self, id: str) -> MentionNote:
        """The note on an entity or event; one without content if there is none."""
        return self.notes[id][1] if id in self.notes else MentionNote()

    def is_entity(self, id: str) -> bool:
        """Whether a T line is an entity, not a trigger."""
        return id in self.mentions and id not in self.triggers

    def subject(self, id: str) -> str | None:
        """The id of the line that an entity is, or of the first line of an event or of a trigger's first event."""
        if self.is_entity(id):
            return id
        frames = [self.frames[id]] if id in self.frames else self.by_trigger.get(id, [])
        return frames[0].lines[0].id if frames else None

    def events(self) -> dict[str, Frame]:
        """Id of the first line of an event → the event."""
        return {frame.lines[0].id: frame for frame in self.frames.values()}


def leave_out_predictions(document: BratDocument) -> None:
    """Forget the scores of a model, and record what the note on the article predicted."""
    note = document.note
    if note.left_out:
        message = f"{', '.join(note.left_out)} in the note on the article were predicted by a model"
        log = ArticleLog(log=document.log, article=note.fields.id, line=note.line)
        log.fix("prediction", f"{message}; they are left out, and read with predictions=true")
    scored = [id for id, (_, note) in document.notes.items() if note.score is not None or note.arguments]
    for id in scored:
        line, mention = document.notes[id]
        document.notes[id] = line, replace(mention, score=None, arguments={})
    if scored:
        message = f"the scores of a model on {len(scored)} predicted mentions are left out"
        document.fix(document.notes[scored[0]][0], "prediction", f"{message}; they are read with predictions=true")


def build_article(document: BratDocument) -> Article:
    """Build the article, with ids, scores, arguments, and kept lines in ``meta``."""
    names = _names(document)
    entities = [
        Entity(start=m.start, end=m.end, label=m.label, id=names[id], score=document.note_on(id).score)
        for id, m in document.mentions.items()
        if document.is_entity(id)
    ]
    events = [_event(document, frame, names) for frame in document.events().values()]
    for target, (line, _) in document.notes.items():
        if not document.is_entity(target) and target not in document.frames:
            # It holds no annotation: the mention was deleted or made a trigger, or is dropped itself.
            document.fix(line, "note left over", f"the note is about {shown(target)}, which is not an entity or event")
    return replace(
        document.note.fields,
        text=document.text,
        entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(events, key=lambda event: event.trigger.start)),
        meta=_meta(document, names),
    )


def _names(document: BratDocument) -> dict[str, str]:
    """Id of a line → its id in the article; all differ."""
    events = document.events()
    lines = {id: mention.line for id, mention in document.mentions.items() if document.is_entity(id)}
    lines |= {id: frame.lines[0] for id, frame in events.items()}
    referred = {argument.target for frame in events.values() for argument in frame.arguments}
    referred |= {target for kept in document.kept for target in kept.targets}
    names: dict[str, str] = {}
    taken: dict[str, int] = {}
    for id, line in lines.items():
        wanted = document.note_on(id).id or ("" if document.note.unnamed and id not in referred else id)
        names[id] = free_name(wanted, taken, key=str) if wanted else ""
        if names[id] != wanted:
            message = f"another mention has the id {shown(wanted)}; it is {shown(names[id])} now"
            document.fix(line, "duplicate id", message)
    return names


def _event(document: BratDocument, frame: Frame, names: dict[str, str]) -> Event:
    first, notes = frame.lines[0], [document.note_on(line.id) for line in frame.lines]
    scores = [note.score for note in notes if note.score is not None]
    if scores and len(scores) < len(notes):
        document.drop(first, "scores", "some types of the event have no score; all scores are dropped")
        scores = []
    written = {argument.written for argument in frame.arguments}
    if stray := [key for note in notes for key in note.arguments if key not in written]:
        document.drop(first, "scores", f"the note has a score of {shown(stray[0])}, which is no argument")
    return Event(
        trigger=Span(start=frame.trigger.start, end=frame.trigger.end),
        types=tuple(frame.types),
        arguments=tuple(
            Argument(role=a.role, entity=names[a.target], score=notes[0].arguments.get(a.written))
            for a in frame.arguments
        ),
        id=names[first.id],
        scores=tuple(scores),
    )


def _meta(document: BratDocument, names: dict[str, str]) -> dict[str, Any]:
    """The metadata with the kept lines, in which ids of the article replace ids of lines."""
    meta = document.note.fields.meta
    if not document.kept:
        return dict(meta)
    lines = [kept.line(encode_name(names[target]) for target in kept.targets) for kept in document.kept]
    return {**meta, META: [*meta.get(META, []), *lines]}
