"""What the controls and objects of a Label Studio project are, as far as an export shows it.

An export has neither the labeling configuration nor the key of the data that an object shows. They are inferred from
all tasks of a file, and noted in the problem log.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....errors import shown
from ...problems import ProblemLog
from ..common.flat_labels import trigger_types
from ..common.format import METADATA
from ..common.offsets import Offsets
from .html_text import has_markup, parse_page
from .names import EVENT_TYPES, TRIGGERS
from .rows import FROM_ROW
from .versions import Item, annotator_names, id_text, versions_of

REGIONS = ("labels", "hypertextlabels")
"""Types of results that are regions with labels."""

_EVENT_NAMES = {"event", "events", "eventtype", "eventtypes"}
_MOST = 1000  # different controls, objects and keys that are counted
_MOST_KEYS = 20  # keys of the data that may be the text
_STRETCH = 8  # a region may be this many times longer than its surface with squeezed white space


@dataclass(kw_only=True)
class Survey:
    """What occurs in the tasks of a file.

    Attributes:
        keys: key of the data with a string → number of tasks.
        named: key that results name as ``source`` → number of results.
        objects: object → number of its regions.
        matches: (object, key) → number of the object's regions whose surface is in the data of that key.
        pages: key → number of regions that show that its text is HTML.
        choices: control of choices for the whole text → its choices.
        controls: control of regions → whether its regions are triggers.
        events: labels of triggers.
        annotators: name of an annotator → number of annotations.
        full: ids of texts with an annotation that is not empty, in exports of one row an annotation.
    """

    keys: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    matches: Counter[tuple[str, str]] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    choices: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    controls: dict[str, set[bool]] = field(default_factory=lambda: defaultdict(set))
    events: set[str] = field(default_factory=set)
    annotators: Counter[str] = field(default_factory=Counter)
    full: set[str] = field(default_factory=set)


def survey(tasks: Iterable[Item], kind: str, triggers: Collection[str]) -> Survey:
    """Count what occurs in tasks.

    Args:
        tasks: of a file.
        kind: ``annotations`` or ``predictions``.
        triggers: labels of regions that are event triggers.
    """
    found = Survey()
    for task in tasks:
        strings = {key: value for key, value in task["data"].items() if isinstance(value, str) and key != "id"}
        texts = dict(list(strings.items())[:_MOST_KEYS])
        found.keys.update(strings.keys() if len(found.keys) < _MOST else ())
        places: dict[str, Offsets] = {}
        for version in versions_of(task, kind):
            found.annotators.update(annotator_names(version) if len(found.annotators) < _MOST else ())
            results = version.get("result") if isinstance(version, dict) else None
            if results and FROM_ROW in task:
                found.full.add(id_text(task["data"].get("id")))
            for item in results if isinstance(results, list) else ():
                if isinstance(item, dict):
                    _count(item, found, texts, places, triggers)
    return found


def _count(
    item: Item, found: Survey, texts: Mapping[str, str], places: dict[str, Offsets], triggers: Collection[str]
) -> None:
    value: Item = stored if isinstance(stored := item.get("value"), dict) else {}
    control, name = str(item.get("from_name") or ""), item.get("to_name")
    source = stored[1:] if isinstance(stored := item.get("source"), str) and stored[1:] in texts else ""
    if source:
        found.named[source] += 1
    if item.get("type") == "choices" and "start" not in value and len(found.choices) < _MOST:
        found.choices[control].update(_strings(value.get("choices")))
    if item.get("type") not in REGIONS:
        return
    labels = [label for key in REGIONS for label in _strings(value.get(key))]
    types = [kind for label in labels for kind in trigger_types(label, triggers) or ()]
    own = control == TRIGGERS
    if len(found.controls) < _MOST and len(found.events) < _MOST:
        found.controls[control].add(own or bool(types))
        found.events.update(labels if own else types)
    name = name if isinstance(name, str) else ""
    if len(found.objects) < _MOST:
        found.objects[name] += 1
    html = is_of_page(item)
    for key, text in texts.items():
        is_page = html and has_markup(text)
        found.pages[key] += is_page
        if key not in places:
            places[key] = Offsets(parse_page(text).text if is_page else text)
        found.matches[name, key] += key == source if source else _is_at(value, places[key])


def _strings(labels: Any) -> list[str]:
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []


def is_of_page(item: Item) -> bool:
    """Whether a region is one of an HTML page: its offsets are paths."""
    value = item.get("value")
    start = value.get("start") if isinstance(value, dict) else None
    return item.get("type") == "hypertextlabels" or (isinstance(start, str) and start.startswith("/"))


def _is_at(value: Item, offsets: Offsets) -> bool:
    """Whether the surface of a region is at its offsets in a text, counted in code points or in UTF-16 units."""
    inner = value.get("globalOffsets")
    place = inner if isinstance(inner, dict) else value
    surface, start, end = value.get("text"), place.get("start"), place.get("end")
    if not isinstance(surface, str) or not surface.strip() or type(start) is not int or type(end) is not int:
        return False
    if end - start > _STRETCH * len(surface):
        return False
    wanted = "".join(surface.split())
    for found in ((start, end), offsets.from_utf16(start, end)):
        if found and 0 <= found[0] < found[1] and "".join(offsets.text[slice(*found)].split()) == wanted:
            return True
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How the tasks of a file are read.

    Attributes:
        default: key of the text where a task has it; empty if it is decided task by task.
        given: whether the key was given as an option, or by the results.
        pages: keys whose text is HTML.
        other: text key → objects that show another key.
        types: the controls whose choices are event types.
        no_spans: nobody marked spans: there are choices for texts, which `write` does not name so, and no regions.
    """

    default: str
    given: bool
    pages: frozenset[str]
    other: Mapping[str, frozenset[str]]
    types: frozenset[str]
    no_spans: bool


def layout_of(found: Survey, text_key: str | None, event_types_from: str | None, log: ProblemLog) -> Layout:
    """Decide how tasks are read, and note what the file leaves open.

    Args:
        found: what occurs in them.
        text_key: the option.
        event_types_from: the option.
        log: takes the notes.
    """
    default, given = _text_key(found, text_key, log)
    keys = {default, *(key for key, _ in found.keys.most_common(_MOST_KEYS))} & found.keys.keys()
    types = _types(found, event_types_from)
    for control in sorted(types & found.choices.keys()):
        log.note(f"Label Studio: choices of the control {shown(control)} are event types")
    for control, kinds in found.controls.items():
        what = " and ".join(word for kind, word in ((False, "entities"), (True, "triggers")) if kind in kinds)
        log.note(f"Label Studio: regions of the control {shown(control)} are {what}")
    no_spans = bool(found.choices) and not found.controls and EVENT_TYPES not in found.choices
    if no_spans:
        log.note("Label Studio: there are choices for texts and no regions; spans count as not annotated")
    return Layout(
        no_spans=no_spans,
        default=default,
        given=given,
        pages=frozenset(key for key, number in found.pages.items() if number),
        other={key: _other_objects(found, key) for key in keys},
        types=types,
    )


def _text_key(found: Survey, text_key: str | None, log: ProblemLog) -> tuple[str, bool]:
    if text_key is not None:
        return text_key, True
    if len(found.named) == 1:
        return next(iter(found.named)), True
    usual = [key for key in found.keys if key not in METADATA]
    first = "text" if "text" in found.keys else usual[0] if len(usual) == 1 else ""
    if len(found.keys) > 1 and not any(number for (_, key), number in found.matches.items() if key == first):
        by_key = Counter[str]()
        for (name, key), number in found.matches.items():
            by_key[key] += number if key not in METADATA or name == key else 0
        # No region is in the usual key. If most are in another one, that is the text.
        other, number = max(by_key.items(), key=lambda pair: pair[1], default=("", 0))
        if 2 * number > sum(found.objects.values()):
            log.note(f"Label Studio: the text is {shown(other)} of data, where the surfaces of the regions are")
            return other, True
    if first and found.keys.keys() != {"text"}:
        log.note(f"Label Studio: the text is {shown(first)} of data; the option text_key names another")
    return first, False


def _other_objects(found: Survey, key: str) -> frozenset[str]:
    """The objects that show another key than the text's."""
    sure: set[str] = set()
    other: set[str] = set()
    unsure: set[str] = set()
    for name, number in found.objects.items():
        here = found.matches[name, key]
        best = max((found.matches[name, one] for one in found.keys if one != key), default=0)
        if here != best and 2 * max(here, best) > number:
            (sure if here > best else other).add(name)
        elif name in found.keys:  # an object is mostly named after what it shows
            (sure if name == key else other).add(name)
        else:
            unsure.add(name)
    unsure.discard("")
    return frozenset(other | (unsure if sure else set()))


def _types(found: Survey, event_types_from: str | None) -> frozenset[str]:
    """The controls whose choices are event types."""
    if event_types_from is not None:
        return frozenset([event_types_from])
    if EVENT_TYPES in found.choices:
        return frozenset([EVENT_TYPES])
    speaking = [
        name
        for name, labels in found.choices.items()
        if re.sub(r"[\W_]", "", name.lower()) in _EVENT_NAMES or labels & found.events
    ]
    # Choices of a region may be of the usual control although no choices of a text are.
    return frozenset([EVENT_TYPES, *(speaking if len(speaking) == 1 else ())])
