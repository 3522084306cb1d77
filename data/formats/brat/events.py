"""Reads the events of a brat file: E lines, and relations (R lines) that are arguments."""

from collections.abc import Collection

from ....errors import shown
from .document import BratDocument, Frame, FrameArgument, Line, TextBound
from .names import decode_name, decode_role, reference


def add_events(document: BratDocument, lines: list[Line], triggers: Collection[str]) -> None:
    """Read E lines, and T lines with a label in `triggers` that no E line refers to."""
    heads: list[tuple[Line, TextBound, str, list[str]]] = []
    for line in lines:
        head, *arguments = line.data.split() or [""]
        kind, _, trigger = head.rpartition(":")
        if not (kind and trigger):
            message = f"{shown(line.data)} is not an event; it must be TYPE:TRIGGER ROLE:ID …"
            document.drop(line, "not an event", message)
        elif trigger not in document.mentions:
            document.drop(line, "no trigger", f"its trigger {shown(trigger)} is not a mention that could be read")
        else:
            heads.append((line, document.mentions[trigger], decode_name(kind), arguments))
    document.triggers = {trigger.line.id for _, trigger, _, _ in heads}
    alone = [m for id, m in document.mentions.items() if m.label in triggers and id not in document.triggers]
    document.triggers |= {mention.line.id for mention in alone}
    for mention in alone:
        _add_frame(document, Frame(lines=[mention.line], trigger=mention, types=[mention.label], arguments=[]))
    events = {line.id for line in lines} | document.triggers
    for line, trigger, kind, written in heads:
        if trigger.label != kind:
            types = f"its trigger {trigger.line.id} has type {shown(trigger.label)}, the event {shown(kind)}"
            document.fix(line, "type of a trigger", f"{types}; the latter is read")
        found = [argument for item in written if (argument := _argument(document, line, item, events))]
        if frame := _shared_frame(document, line, trigger, kind):
            _add_type(document, frame, line, kind, found)
        else:
            _add_frame(document, Frame(lines=[line], trigger=trigger, types=[kind], arguments=found))


def _argument(document: BratDocument, line: Line, written: str, events: set[str]) -> FrameArgument | None:
    role, _, target = written.rpartition(":")
    if not (role and target):
        document.drop(line, "not an argument", f"{shown(written)} is not an argument; it must be ROLE:ID")
    elif target in events:
        message = f"{shown(written)} names an event; arguments are entities, so it is left out"
        document.fix(line, "event as an argument", message)
    elif target not in document.mentions:
        document.drop(line, "argument of nothing", f"{shown(written)} names no mention that could be read")
    else:
        return FrameArgument(written=written, role=decode_role(role), target=target)
    return None


def _shared_frame(document: BratDocument, line: Line, trigger: TextBound, kind: str) -> Frame | None:
    """The event that gets the type of a line; None if the line is an event of its own."""
    if joins := document.note_on(line.id).joins:
        frame = document.frames.get(joins)
        if frame and (frame.trigger.start, frame.trigger.end) == (trigger.start, trigger.end):
            return frame
        document.fix(line, "note", f"it joins {shown(joins)}, which has another trigger; they are two events")
    # Events that share a trigger line are one event if their types differ, else several.
    earlier = document.same[trigger.line.id, kind]
    document.same[trigger.line.id, kind] += 1
    shared = document.by_trigger[trigger.line.id]
    return shared[earlier] if earlier < len(shared) else None


def _add_type(document: BratDocument, frame: Frame, line: Line, kind: str, arguments: list[FrameArgument]) -> None:
    if frame.known != {argument.key for argument in arguments}:
        message = f"it shares a trigger with {frame.lines[0].id} but not all arguments; now both types have all"
        document.fix(line, "arguments of types merged", message)
    frame.lines.append(line)
    frame.types.append(kind)
    for argument in arguments:
        frame.add(argument)
    document.frames[line.id] = frame


def _add_frame(document: BratDocument, frame: Frame) -> None:
    document.frames[frame.lines[0].id] = frame
    document.by_trigger[frame.trigger.line.id].append(frame)


def add_relation(document: BratDocument, line: Line) -> bool:
    """Read an R line as an argument; False for one that is not from a trigger or event to an entity."""
    if (found := reference(f"{line.id}\t{line.data}")) is None:
        message = f"{shown(line.data)} is not a relation; it must be TYPE Arg1:ID Arg2:ID"
        document.drop(line, "not a relation", message)
        return True
    first, second = found.targets
    frames = [document.frames[first]] if first in document.frames else document.by_trigger.get(first, [])
    role = decode_name(found.type)
    for frame in frames if document.is_entity(second) else ():
        frame.add(FrameArgument(written=f"{role}:{second}", role=role, target=second))
    return bool(frames) and document.is_entity(second)
