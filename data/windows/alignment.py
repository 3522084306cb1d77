"""Gold spans of code points as ranges of words, and the gold spans that no prediction can equal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..text.words import behind_proclitic, extend_over_marks, offset_to_letters
from .columns import IGNORED
from .encoding import EncodedText

LONGEST_PROCLITIC = 3
"""Letters of a word that may stand before a mention: و, ب, ل and so on."""


def word_range(encoded: EncodedText, start: int, end: int) -> tuple[int, int]:
    """Words that a span of code points touches, as a half-open range; empty if the encoder reads nothing of it."""
    first = int(np.searchsorted(encoded.words[:, 1], start, side="right"))
    last = int(np.searchsorted(encoded.words[:, 0], end, side="left"))
    return first, last


def outermost(spans: Sequence[tuple[int, int, str]]) -> tuple[list[tuple[int, int, str]], Counter[str]]:
    """The outermost of nested spans, and how many others were dropped, by cause.

    >>> outermost([(0, 3, "ORG"), (1, 2, "GPE"), (2, 4, "LOC")])
    ([(0, 3, 'ORG')], Counter({'nested inside another': 1, 'crosses another': 1}))
    """
    kept: list[tuple[int, int, str]] = []
    causes: Counter[str] = Counter()
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1], span[2])):
        if kept and start < kept[-1][1]:
            causes["nested inside another" if end <= kept[-1][1] else "crosses another"] += 1
        else:
            kept.append((start, end, label))
    return kept, causes


def nested_labels(spans: Iterable[tuple[int, int, str]]) -> set[tuple[str, str]]:
    """Pairs of labels (outer, inner) of which a span is inside another. Of equal spans, each is inside the other.

    >>> sorted(nested_labels([(0, 9, "ORG"), (2, 5, "GPE"), (9, 12, "DATE")]))
    [('ORG', 'GPE')]
    """
    found: set[tuple[str, str]] = set()
    open_spans: list[tuple[int, int, str]] = []
    for start, end, label in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        open_spans = [other for other in open_spans if other[1] > start]
        for other in open_spans:
            if end <= other[1]:
                found.add((other[2], label))
            if (start, end) == other[:2]:
                found.add((label, other[2]))
        open_spans.append((start, end, label))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class WordRange:
    """A gold span as words.

    Attributes:
        first, last: half-open range of words.
        letters: letters of the first word that belong to a proclitic.
        label: of the span.
        cause: why no prediction can equal the span; empty if one can.
    """

    first: int
    last: int
    letters: int
    label: str
    cause: str


class Proclitics:
    """Letters before the mention in the first word of each mention. A word has one proclitic, for all tasks.

    Attributes:
        letters: `IGNORED` in words that begin no mention. [W] int8
        annotated: whether mentions may begin inside a word at all.
    """

    def __init__(self, words: int, *, annotated: bool) -> None:
        self.letters = np.full(words, IGNORED, dtype=np.int8)
        self.annotated = annotated

    def claim(self, span: WordRange) -> bool:
        """Set the proclitic of a span's first word; False if another span has set a different one."""
        if self.letters[span.first] not in (IGNORED, span.letters):
            return False
        self.letters[span.first] = span.letters
        return True


def _align(text: str, encoded: EncodedText, start: int, end: int, label: str, proclitics: bool) -> WordRange:
    first, last = word_range(encoded, start, end)
    if first >= last:
        return WordRange(first=first, last=last, letters=0, label=label, cause="no sub-word")
    word_start, word_end = int(encoded.words[first, 0]), int(encoded.words[last - 1, 1])
    letters = offset_to_letters(text, word_start, start) if start > word_start else 0
    if start < word_start or end > word_end:
        cause = "edge that the encoder does not see"
    elif extend_over_marks(text, end) < word_end:
        cause = "ends inside a word"
    elif end < word_end:
        cause = "leaves out a diacritic or tatweel at its end"
    elif letters > LONGEST_PROCLITIC:
        cause = f"starts more than {LONGEST_PROCLITIC} letters inside a word"
    elif start != behind_proclitic(text, word_start, int(encoded.words[first, 1]), letters):
        cause = "starts at or behind a diacritic or tatweel"
    elif letters and not proclitics:
        cause = "starts inside a word, and proclitics are not annotated"
    else:
        cause = ""
    return WordRange(first=first, last=last, letters=letters, label=label, cause=cause)


def settle(
    text: str,
    encoded: EncodedText,
    spans: Iterable[tuple[int, int, str]],
    proclitics: Proclitics,
    *,
    shared: str,
    exclusive: Literal["words", "labels", "spans"],
) -> tuple[list[WordRange], list[WordRange]]:
    """Spans of code points as ranges of words: those that a prediction can equal, and the others.

    The others come second everywhere: a span that cannot be predicted takes neither a word nor a proclitic from one
    that can.

    Args:
        text: the article.
        encoded: of the same text.
        spans: (start, end, label) of one task.
        proclitics: of the article; the spans that can be predicted claim theirs.
        shared: cause of a span that shares a word with an earlier one.
        exclusive: what two spans cannot share: a word, a word under one label, or all their words under one label.

    Returns:
        (spans that can be predicted, the others, each with its cause)
    """
    predictable: list[WordRange] = []
    sharing: list[WordRange] = []
    disagreeing: list[WordRange] = []
    taken: set[tuple[tuple[int, int], str]] = set()
    aligned = [_align(text, encoded, *span, proclitics.annotated) for span in spans]
    for span in aligned:
        words = [(word, word + 1) for word in range(span.first, span.last)]
        if exclusive == "spans":
            words = [(span.first, span.last)]
        cells = {(word, "" if exclusive == "words" else span.label) for word in words}
        if span.cause:
            continue
        if not taken.isdisjoint(cells):
            sharing.append(replace(span, cause=shared))
        elif not proclitics.claim(span):
            disagreeing.append(replace(span, cause="two proclitics in one word"))
        else:
            predictable.append(span)
            taken |= cells
    return predictable, [*sharing, *(span for span in aligned if span.cause), *disagreeing]
