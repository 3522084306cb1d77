"""Spans that lie badly: inside words, across sentences, over edges, over each other."""

import re
import unicodedata
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..data.text.words import extend_over_marks
from ..data.windows.alignment import LONGEST_PROCLITIC
from .findings import Finding, Location
from .views import View, finding, fold, shown

# Conjunction, preposition or future particle, article; لل is ل with the article, which loses its alef.
PROCLITIC = re.compile(r"(?=.)[وف]?(?:لل|[بلكس]?(?:ال)?)")

_OPENING = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”", "‹": "›", "﴾": "﴿"}
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_INITIAL = re.compile(r"(?:^|\s)\w\.$")
_OF_NUMBERS_AND_TAGS = frozenset("%٪‰#@_")  # punctuation to Unicode, part of what they stand beside


class Place(NamedTuple):
    """A mention and the word that holds an edge of it."""

    location: Location
    part: str


def spans_inside_words(views: Sequence[View]) -> Iterator[Finding]:
    """Spans that start or end inside a word."""
    behind, cut, ended = [], [], []
    untaught = False
    for view in views:
        text = view.article.text
        starts = [start for start, _ in view.words]
        for mention in view.mentions:
            start, end = _word_at(view, starts, mention.start)
            if start < mention.start < end and (part := fold(text[start : mention.start])):
                word = shown(text[start:end])
                if PROCLITIC.fullmatch(part):
                    longer = f"; a model finds at most {LONGEST_PROCLITIC}" if len(part) > LONGEST_PROCLITIC else ""
                    message = f"{shown(mention.text)} starts behind {part} of {word}{longer}"
                    behind.append(Place(view.at(mention, message), part))
                    untaught |= view.declared and mention.task in view.annotated and "proclitics" not in view.annotated
                else:
                    message = f"{shown(mention.text)} starts behind {part!r} of {word}, which is no proclitic"
                    cut.append(Place(view.at(mention, message), part))
            start, end = _word_at(view, starts, mention.end - 1)
            if extend_over_marks(text, mention.end) < end:
                part = fold(text[mention.end : end])
                message = f"{shown(mention.text)} ends before {part!r} of {shown(text[start:end])}"
                ended.append(Place(view.at(mention, message), part))
    told = (
        "The data sets do not supervise `proclitics`, so a model will start these at the word: add it to `annotated`."
        if untaught
        else "Names behind و ف ب ل ك س ال, as they should be; the task `proclitics` learns them."
    )
    yield from _of_words(
        "spans-behind-proclitics", "Spans that start behind a proclitic", behind, told, "proclitic", warn=untaught
    )
    yield from _of_words(
        "spans-cut-at-start",
        "Spans that start inside a word",
        cut,
        "What is cut off is no proclitic: an offset is wrong, or the annotator slipped. A model cannot predict these "
        f"where more than {LONGEST_PROCLITIC} letters are cut off.",
        "cut off",
    )
    yield from _of_words(
        "spans-cut-at-end",
        "Spans that end inside a word",
        ended,
        "A model ends its spans at words. Take the suffix into the span, or expect these to be missed.",
        "cut off",
    )


def _word_at(view: View, starts: Sequence[int], offset: int) -> tuple[int, int]:
    number = bisect_right(starts, offset) - 1
    return view.words[number] if number >= 0 and offset < view.words[number][1] else (offset, offset)


def _of_words(
    key: str, title: str, places: Sequence[Place], explanation: str, head: str, *, warn: bool = True
) -> Iterator[Finding]:
    parts = Counter(place.part for place in places)
    yield from finding(
        key,
        title,
        "warning" if warn else "note",
        explanation,
        [place.location for place in places],
        table=[(head, "count"), *((part, str(count)) for part, count in parts.most_common(30))],
    )


def spans_across_sentences(views: Sequence[View]) -> Iterator[Finding]:
    """Spans that start in one sentence and end in another."""
    locations = []
    for view in views:
        starts = [start for start, _ in view.sentences]
        for mention in view.mentions:
            number = bisect_right(starts, mention.start) - 1
            if number + 1 < len(starts) and starts[number + 1] < mention.end:
                locations.append(view.at(mention, f"{shown(mention.text)} goes on in the next sentence"))
    yield from finding(
        "spans-across-sentences",
        "Spans that cross sentences",
        "warning",
        "A mention ends with its sentence: the span is too long, or a full stop or line end stands inside a name.",
        locations,
    )


def bad_edges(views: Sequence[View]) -> Iterator[Finding]:
    """Spans with punctuation at an edge, or half of a pair of brackets or quotation marks."""
    locations = []
    for view in views:
        for mention in view.mentions:
            if problem := edge_problem(mention.text):
                locations.append(view.at(mention, f"{shown(mention.text)} {problem}"))
    yield from finding(
        "punctuation-at-edges",
        "Spans with punctuation at an edge",
        "warning",
        "Strict scores count an edge that is one character off as a miss, and annotators differ most in these.",
        locations,
    )


def edge_problem(surface: str) -> str:
    """What is wrong with the edges of a surface; empty where nothing is.

    >>> edge_problem("(حماس"), edge_problem("حركة (حماس)"), edge_problem("أ.ف.ب."), edge_problem("دمشق،")
    ("has a '(' that nothing closes", '', '', "ends with '،'")
    """
    if surface != surface.strip():
        return "has white space at an edge"
    open_marks: list[str] = []
    for sign in surface:
        if sign in _OPENING:
            open_marks.append(sign)
        elif sign in _CLOSING:
            if not open_marks or open_marks.pop() != _CLOSING[sign]:
                return f"has a {sign!r} that nothing opens"
    if open_marks:
        return f"has a {open_marks[-1]!r} that nothing closes"
    if surface.count('"') % 2:
        return "has half of a pair of quotation marks"
    first, last = surface[:1], surface[-1:]
    if first in _OPENING and last == _OPENING[first] or len(surface) > 1 and first == last == '"':
        return "stands whole between brackets or quotation marks"
    if _is_punctuation(first) and first not in _OPENING and first != '"':
        return f"starts with {first!r}"
    abbreviation = last == "." and ("." in surface[:-1] or bool(_INITIAL.search(surface)))
    if _is_punctuation(last) and last not in _CLOSING and last != '"' and not abbreviation:
        return f"ends with {last!r}"
    return ""


def _is_punctuation(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign)[0] == "P" and sign not in _OF_NUMBERS_AND_TAGS


def overlapping_spans(views: Sequence[View]) -> Iterator[Finding]:
    """Entities inside others, and entities that cross each other."""
    nested, crossing = [], []
    for view in views:
        entities = {(m.start, m.end): m for m in reversed(view.mentions) if m.task == "entities"}
        running: list[tuple[int, int]] = []  # (end, start) of the spans that are not over, by end
        for (start, end), mention in sorted(entities.items(), key=lambda item: (item[0][0], -item[0][1])):
            del running[: bisect_right(running, (start, end + len(view.article.text)))]
            if running and running[0][0] < end:
                other = entities[running[0][1], running[0][0]]
                message = f"{shown(mention.text)} and {other.label} {shown(other.text)} cross"
                crossing.append(view.at(mention, message))
            elif running:
                outer = entities[running[0][1], running[0][0]]
                nested.append(view.at(mention, f"{shown(mention.text)} lies in {outer.label} {shown(outer.text)}"))
            insort(running, (end, start))
    yield from finding(
        "nested-spans",
        "Entities inside other entities",
        "note",
        "The tagger is flat: it learns and predicts the outermost. Its strict score counts the inner ones as missed; "
        "the report has the outermost score beside it.",
        nested,
    )
    yield from finding(
        "crossing-spans",
        "Entities that cross each other",
        "warning",
        "No tagger can predict both, and most formats cannot hold them. Decide which of the two is meant.",
        crossing,
    )


def repeated_spans(views: Sequence[View]) -> Iterator[Finding]:
    """One span given twice, with one label or with two."""
    same, other = [], []
    for view in views:
        labels: dict[tuple[int, int], list[str]] = {}
        for entity in (mention for mention in view.mentions if mention.task == "entities"):
            known = labels.setdefault((entity.start, entity.end), [])
            if entity.label in known:
                same.append(view.at(entity, f"{shown(entity.text)} is {entity.label} twice"))
            elif known:
                other.append(view.at(entity, f"{shown(entity.text)} is {known[0]} and {entity.label}"))
            known.append(entity.label)
        events = set()
        for event in view.article.events:
            key = (event.trigger.start, event.trigger.end, event.types, frozenset(event.arguments))
            if key in events:
                message = f"event {shown(event.trigger.text)} is given twice, with the same arguments"
                label = event.types[0] if event.types else ""
                same.append(view.location(message, event.trigger.start, event.trigger.end, label))
            events.add(key)
    yield from finding(
        "duplicate-spans",
        "One span with one label, given twice",
        "error",
        "Scores would count it twice. It comes of merging files or of an annotation tool's double click: delete one.",
        same,
    )
    yield from finding(
        "spans-with-two-labels",
        "One span with two labels",
        "warning",
        "A flat tagger predicts one of them. Decide, or say in the guidelines which one goes before.",
        other,
    )
