"""Checks of spans: inside words, across sentences, with punctuation at an edge, overlapping, duplicate."""

import re
import unicodedata
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence

from ..data.text.words import extend_over_marks
from ..data.windows.alignment import LONGEST_PROCLITIC
from .article_views import ArticleView, shown, strip_diacritics
from .findings import Finding, Location, count_table, finding

# A conjunction, a preposition or the future particle, the article. لل is ل with the article, which loses its alef.
PROCLITIC = re.compile(r"(?=.)[وف]?(?:لل|[بلكس]?(?:ال)?)")

_OPENING = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”", "‹": "›", "﴾": "﴿"}
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_INITIAL = re.compile(r"(?:^|\s)\w\.$")
_OF_NUMBERS_AND_TAGS = frozenset("%٪‰#@_")  # punctuation in Unicode, but part of a number or tag


def spans_inside_words(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that start or end inside a word; those that start after a proclitic are correct."""
    # Location, and the part of the word outside the span.
    cut: dict[str, list[tuple[Location, str]]] = {
        "spans-behind-proclitics": [], "spans-cut-at-start": [], "spans-cut-at-end": [],
    }  # fmt: skip
    unannotated = False
    for view in views:
        text = view.article.text
        for mention in view.mentions:
            start, end = view.word_at(mention.start)
            if start < mention.start < end and (part := strip_diacritics(text[start : mention.start])):
                word = shown(text[start:end])
                if PROCLITIC.fullmatch(part):
                    too_long = len(part) > LONGEST_PROCLITIC
                    limit = f"; the model predicts at most {LONGEST_PROCLITIC} letters" if too_long else ""
                    message = f"{shown(mention.text)} starts after {part} in {word}{limit}"
                    cut["spans-behind-proclitics"].append((view.at(mention, message), part))
                    declared = view.declared and mention.task in view.annotated
                    unannotated |= declared and "proclitics" not in view.annotated
                else:
                    message = f"{shown(mention.text)} starts after {part!r} in {word}, which is not a proclitic"
                    cut["spans-cut-at-start"].append((view.at(mention, message), part))
            start, end = view.word_at(mention.end - 1)
            if extend_over_marks(text, mention.end) < end:
                part = strip_diacritics(text[mention.end : end])
                message = f"{shown(mention.text)} ends before {part!r} in {shown(text[start:end])}"
                cut["spans-cut-at-end"].append((view.at(mention, message), part))
    for key, words in cut.items():
        yield from finding(
            key,
            [location for location, _ in words],
            table=count_table(("outside the span", "count"), Counter(part for _, part in words), 30),
            variant="spans-behind-proclitics-unannotated" if unannotated and key == "spans-behind-proclitics" else "",
            longest=LONGEST_PROCLITIC,
        )


def spans_across_sentences(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that start in one sentence and end in another."""
    locations = []
    for view in views:
        starts = [start for start, _ in view.sentences]
        for mention in view.mentions:
            number = bisect_right(starts, mention.start) - 1
            if number + 1 < len(starts) and starts[number + 1] < mention.end:
                locations.append(view.at(mention, f"{shown(mention.text)} continues in the next sentence"))
    yield from finding("spans-across-sentences", locations)


def bad_edges(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans with punctuation at an edge, or with an unpaired bracket or quotation mark."""
    locations = []
    for view in views:
        for mention in view.mentions:
            if problem := edge_problem(mention.text):
                locations.append(view.at(mention, f"{shown(mention.text)} {problem}"))
    yield from finding("punctuation-at-edges", locations)


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
    yield from finding("nested-spans", nested)
    yield from finding("crossing-spans", crossing)


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
    yield from finding("duplicate-spans", duplicate)
    yield from finding("spans-with-two-labels", two_labels)
