"""Checks of spans: inside words, across sentences, with punctuation at an edge, overlapping, duplicate."""

import re
import unicodedata
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..data.text.words import extend_over_marks
from ..data.windows.alignment import LONGEST_PROCLITIC
from .article_views import ArticleView, shown, strip_diacritics
from .findings import Finding, Location, Severity, finding

# A conjunction, a preposition or the future particle, the article. لل is ل with the article, which loses its alef.
PROCLITIC = re.compile(r"(?=.)[وف]?(?:لل|[بلكس]?(?:ال)?)")

_OPENING = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”", "‹": "›", "﴾": "﴿"}
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_INITIAL = re.compile(r"(?:^|\s)\w\.$")
_OF_NUMBERS_AND_TAGS = frozenset("%٪‰#@_")  # punctuation in Unicode, but part of a number or tag


class CutWord(NamedTuple):
    """A span that starts or ends inside a word.

    Attributes:
        location: location of the span.
        part: the part of the word outside the span.
    """

    location: Location
    part: str


def spans_inside_words(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that start or end inside a word; those that start after a proclitic are correct."""
    after_proclitic, cut_start, cut_end = [], [], []
    unannotated = False
    for view in views:
        text = view.article.text
        starts = [start for start, _ in view.words]
        for mention in view.mentions:
            start, end = _word_at(view, starts, mention.start)
            if start < mention.start < end and (part := strip_diacritics(text[start : mention.start])):
                word = shown(text[start:end])
                if PROCLITIC.fullmatch(part):
                    too_long = len(part) > LONGEST_PROCLITIC
                    limit = f"; the model predicts at most {LONGEST_PROCLITIC} letters" if too_long else ""
                    message = f"{shown(mention.text)} starts after {part} in {word}{limit}"
                    after_proclitic.append(CutWord(view.at(mention, message), part))
                    declared = view.declared and mention.task in view.annotated
                    unannotated |= declared and "proclitics" not in view.annotated
                else:
                    message = f"{shown(mention.text)} starts after {part!r} in {word}, which is not a proclitic"
                    cut_start.append(CutWord(view.at(mention, message), part))
            start, end = _word_at(view, starts, mention.end - 1)
            if extend_over_marks(text, mention.end) < end:
                part = strip_diacritics(text[mention.end : end])
                message = f"{shown(mention.text)} ends before {part!r} in {shown(text[start:end])}"
                cut_end.append(CutWord(view.at(mention, message), part))
    yield from _cut_words(
        "spans-behind-proclitics",
        "Spans that start after a proclitic",
        "warning" if unannotated else "note",
        "The data sets do not annotate `proclitics`, so the model predicts these spans from the start of the word. Add "
        "`proclitics` to `annotated`."
        if unannotated
        else "Names after و ف ب ل ك س ال are annotated correctly; the task `proclitics` learns where they start.",
        after_proclitic,
    )
    yield from _cut_words(
        "spans-cut-at-start",
        "Spans that start inside a word",
        "warning",
        "The part before the span is not a proclitic: an offset is wrong, or the annotator slipped. The model cannot "
        f"predict a span that starts more than {LONGEST_PROCLITIC} letters into a word.",
        cut_start,
    )
    yield from _cut_words(
        "spans-cut-at-end",
        "Spans that end inside a word",
        "warning",
        "The model predicts spans that end with a word, so it misses these. Include the suffix in the span.",
        cut_end,
    )


def _word_at(view: ArticleView, starts: Sequence[int], offset: int) -> tuple[int, int]:
    number = bisect_right(starts, offset) - 1
    return view.words[number] if number >= 0 and offset < view.words[number][1] else (offset, offset)


def _cut_words(key: str, title: str, severity: Severity, explanation: str, cut: Sequence[CutWord]) -> Iterator[Finding]:
    parts = Counter(word.part for word in cut)
    table = [("outside the span", "count"), *((part, str(count)) for part, count in parts.most_common(30))]
    yield from finding(key, title, severity, explanation, [word.location for word in cut], table=table)


def spans_across_sentences(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that start in one sentence and end in another."""
    locations = []
    for view in views:
        starts = [start for start, _ in view.sentences]
        for mention in view.mentions:
            number = bisect_right(starts, mention.start) - 1
            if number + 1 < len(starts) and starts[number + 1] < mention.end:
                locations.append(view.at(mention, f"{shown(mention.text)} continues in the next sentence"))
    yield from finding(
        "spans-across-sentences",
        "Spans across sentences",
        "warning",
        "A span must not cross a sentence end. Either it is too long, or there is a full stop or line end inside a "
        "name.",
        locations,
    )


def bad_edges(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans with punctuation at an edge, or with an unpaired bracket or quotation mark."""
    locations = []
    for view in views:
        for mention in view.mentions:
            if problem := edge_problem(mention.text):
                locations.append(view.at(mention, f"{shown(mention.text)} {problem}"))
    yield from finding(
        "punctuation-at-edges",
        "Spans with punctuation at an edge",
        "warning",
        "A strict score counts a span that is one character off as wrong. Move the edge, and state a rule in the "
        "guidelines.",
        locations,
    )


def edge_problem(surface: str) -> str:
    """What is wrong with the edges of a surface; empty if nothing is.

    >>> edge_problem("(حماس"), edge_problem("حركة (حماس)"), edge_problem("أ.ف.ب."), edge_problem("دمشق،")
    ("has an unclosed '('", '', '', "ends with '،'")
    """
    if surface != surface.strip():
        return "has whitespace at an edge"
    open_marks: list[str] = []
    for sign in surface:
        if sign in _OPENING:
            open_marks.append(sign)
        elif sign in _CLOSING:
            if not open_marks or open_marks.pop() != _CLOSING[sign]:
                return f"has an unopened {sign!r}"
    if open_marks:
        return f"has an unclosed {open_marks[-1]!r}"
    if surface.count('"') % 2:
        return "has an unpaired quotation mark"
    first, last = surface[:1], surface[-1:]
    if first in _OPENING and last == _OPENING[first] or len(surface) > 1 and first == last == '"':
        return "includes the brackets or quotation marks around it"
    if _is_punctuation(first) and first not in _OPENING and first != '"':
        return f"starts with {first!r}"
    abbreviation = last == "." and ("." in surface[:-1] or bool(_INITIAL.search(surface)))
    if _is_punctuation(last) and last not in _CLOSING and last != '"' and not abbreviation:
        return f"ends with {last!r}"
    return ""


def _is_punctuation(sign: str) -> bool:
    return bool(sign) and unicodedata.category(sign)[0] == "P" and sign not in _OF_NUMBERS_AND_TAGS


def overlapping_spans(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Nested and crossing entities."""
    nested, crossing = [], []
    for view in views:
        entities = {(m.start, m.end): m for m in reversed(view.mentions) if m.task == "entities"}
        running: list[tuple[int, int]] = []  # (end, start) of the spans that have not ended, by end
        for (start, end), mention in sorted(entities.items(), key=lambda item: (item[0][0], -item[0][1])):
            del running[: bisect_right(running, (start, end + len(view.article.text)))]
            if running and running[0][0] < end:
                other = entities[running[0][1], running[0][0]]
                message = f"{shown(mention.text)} crosses {other.label} {shown(other.text)}"
                crossing.append(view.at(mention, message))
            elif running:
                outer = entities[running[0][1], running[0][0]]
                nested.append(view.at(mention, f"{shown(mention.text)} is inside {outer.label} {shown(outer.text)}"))
            insort(running, (end, start))
    yield from finding(
        "nested-spans",
        "Nested entities",
        "note",
        "The tagger is flat: it learns and predicts the outermost entity. The strict score counts inner entities as "
        "missed; the report also has a score for outermost entities.",
        nested,
    )
    yield from finding(
        "crossing-spans",
        "Crossing entities",
        "warning",
        "A tagger cannot predict both, and most formats cannot store them. Delete one of the two.",
        crossing,
    )


def duplicate_spans(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that are annotated twice, with the same label or with two."""
    duplicate, two_labels = [], []
    for view in views:
        labels: dict[tuple[int, int], list[str]] = {}
        for entity in (mention for mention in view.mentions if mention.task == "entities"):
            earlier = labels.setdefault((entity.start, entity.end), [])
            if entity.label in earlier:
                duplicate.append(view.at(entity, f"{shown(entity.text)} is {entity.label} twice"))
            elif earlier:
                two_labels.append(view.at(entity, f"{shown(entity.text)} is {earlier[0]} and {entity.label}"))
            earlier.append(entity.label)
        events = set()
        for event in view.article.events:
            key = (event.trigger.start, event.trigger.end, event.types, frozenset(event.arguments))
            if key in events:
                message = f"event {shown(event.trigger.text)} is annotated twice with the same arguments"
                label = event.types[0] if event.types else ""
                duplicate.append(view.location(message, event.trigger.start, event.trigger.end, label))
            events.add(key)
    yield from finding(
        "duplicate-spans",
        "Duplicate spans",
        "error",
        "Scores count them twice. Usual causes are merged files and a double click in an annotation tool. Delete one "
        "of each pair.",
        duplicate,
    )
    yield from finding(
        "spans-with-two-labels",
        "Spans with two labels",
        "warning",
        "A flat tagger predicts one label per span. Delete one, and state in the guidelines which label has priority.",
        two_labels,
    )
