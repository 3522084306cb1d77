"""What is wrong with the texts themselves: clitics split off, damaged characters, sentences without end."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from .findings import Finding, Location
from .views import View, code_point, finding, shown

SPLIT_SHARE = 0.002  # of words that are bare clitics; edited news has a tenth of that, split text ten times as much
LONG_SENTENCE = 150  # words; the longest in edited news have about a hundred

_PROCLITICS = frozenset("و ف ب ل ك س ال وال فال بال لل ول وب وس فل فب".split())
_ENCLITICS = frozenset("ها ه نا هما".split())
# Two bytes of UTF-8 for an Arabic letter, read as Latin-1 or windows-1252.
_TRAIL = (
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2022"
    "\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_AS_LATIN = re.compile(rf"(?:[ØÙÚÛ][{_TRAIL}]){{2,}}")
# The same read as windows-1256, and windows-1256 read as Latin-1.
_AS_1256 = re.compile("(?:[طظ][^\\s\\w]|[طظ][ءآأؤإئابةپ€ƒ]){3,}")
_LATIN_OF_1256 = re.compile("[\u00c0-\u00d6\u00d8-\u00ff]{5,}")
_DAMAGED = re.compile("[\ufffd\ud800-\udfff]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff]")


def split_clitics(views: Sequence[View]) -> Iterator[Finding]:
    """Clitics that stand as words of their own, as treebanks write them."""
    table: Counter[tuple[str, str]] = Counter()
    locations: list[Location] = []
    total = 0
    for view in views:
        text, words = view.article.text, view.words
        total += len(words)
        for number, word in enumerate(view.folded):
            side = _bare_clitic(view, number)
            if not side:
                continue
            table[word, side] += 1
            start, end = words[number]
            lo, hi = words[max(0, number - 1)][0], words[min(len(words) - 1, number + 1)][1]
            locations.append(view.location(f"{word} stands alone in {shown(text[lo:hi])}", start, end))
    often = len(locations) > SPLIT_SHARE * total
    rows = [(word, side, str(count)) for (word, side), count in table.most_common(30)]
    yield from finding(
        "split-clitics",
        "Clitics split off their words",
        "warning" if often else "note",
        f"{1000 * len(locations) / max(1, total):.1f} of 1,000 words. "
        + (
            "The text is segmented: a model trained on it sees other words than raw articles have, and will do worse "
            "on them. Join the clitics and move the offsets, or get the raw text."
            if often
            else "Few enough to be the writers' own spacing."
        ),
        locations,
        table=[("clitic", "belongs to", "count"), *rows],
    )


def _bare_clitic(view: View, number: int) -> str:
    """Which neighbor a bare clitic belongs to; empty where the word is none."""
    word = view.folded[number]
    if word in _PROCLITICS and number + 1 < len(view.words):
        following = view.folded[number + 1]
        if _spaced(view, number) and following[:1].isalpha():
            return "the next word"
    if word in _ENCLITICS and number and _spaced(view, number - 1) and view.folded[number - 1][-1:].isalpha():
        return "the word before"
    return ""


def _spaced(view: View, number: int) -> bool:
    """Whether a word and the next have just a space between them."""
    return view.article.text[view.words[number][1] : view.words[number + 1][0]] == " "


def damaged_text(views: Sequence[View]) -> Iterator[Finding]:
    """Characters that are not what was written: wrong encodings, lost bytes, control characters."""
    garbled, lost, control = [], [], []
    signs: Counter[str] = Counter()
    for view in views:
        text = view.article.text
        for start, end, meant in mojibake(text):
            garbled.append(
                view.location(f"{shown(text[start:end])} was {shown(meant)} before a wrong decoding", start, end)
            )
        for match in _DAMAGED.finditer(text):
            surrogate = "\ud800" <= match[0][0] <= "\udfff"
            what = "half of a surrogate pair" if surrogate else "U+FFFD"
            around = shown(text[max(0, match.start() - 15) : match.end() + 15])
            lost.append(view.location(f"{what} in {around}", match.start(), match.end()))
        for match in _CONTROL.finditer(text):
            signs[match[0]] += 1
            control.append(view.location(f"{code_point(match[0])}", match.start(), match.end()))
    yield from finding(
        "mojibake",
        "Text that was decoded wrongly",
        "error",
        "Arabic bytes read in the wrong encoding. No encoder can read it: decode the original again, as UTF-8 or "
        "windows-1256.",
        garbled,
    )
    yield from finding(
        "lost-bytes",
        "Characters that an earlier decoding lost",
        "warning",
        "Something was replaced because it could not be decoded. Only the original file can restore it.",
        lost,
    )
    yield from finding(
        "control-characters",
        "Control and private characters",
        "warning",
        "They show as nothing and may split words. Delete them before annotating; later, offsets move.",
        control,
        table=[("character", "count"), *((code_point(sign), str(count)) for sign, count in signs.most_common(30))],
    )


def mojibake(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs that were decoded wrongly, with what they were.

    >>> list(mojibake("قال Ø§Ù„Ø³Ù„Ø§Ù… ثم"))
    [(4, 16, 'السلام')]
    """
    roads = (
        (_AS_LATIN, ("cp1252", "latin-1"), "utf-8"),
        (_AS_1256, ("cp1256",), "utf-8"),
        (_LATIN_OF_1256, ("latin-1",), "cp1256"),
    )
    for pattern, readings, right in roads:
        for match in pattern.finditer(text):
            for reading in readings:
                try:
                    meant = match[0].encode(reading).decode(right)
                except UnicodeError:
                    continue
                if all("ARABIC" in unicodedata.name(sign, "") for sign in meant):
                    yield match.start(), match.end(), meant
                    break


def long_sentences(views: Sequence[View]) -> Iterator[Finding]:
    """The longest sentence of each data set, and all that are longer than sentences are."""
    locations: list[tuple[int, Location]] = []
    longest: dict[str, tuple[int, Location]] = {}
    for view in views:
        for start, end, count in sentence_lengths(view):
            if count <= max(longest[view.split][0] if view.split in longest else 0, 0) and count <= LONG_SENTENCE:
                continue
            location = view.location(
                f"{count} words: {shown(view.article.text[start:end])}", start, end, score=float(count)
            )
            if count > LONG_SENTENCE:
                locations.append((count, location))
            if view.split not in longest or count > longest[view.split][0]:
                longest[view.split] = count, location
    yield from finding(
        "long-sentences",
        f"Sentences of more than {LONG_SENTENCE} words",
        "warning",
        "Mostly a sentence end that is missing. They crowd batches and, beyond the window, lose their context.",
        [location for _, location in sorted(locations, key=lambda item: -item[0])],
    )
    yield from finding(
        "longest-sentence",
        "The longest sentence of each data set",
        "note",
        "In words, or in tokens where the file gives them.",
        [location for _, location in longest.values()],
    )


def sentence_lengths(view: View) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of words of each sentence; tokens where the article has them."""
    pieces = view.article.tokens or view.words
    number = 0
    for start, end in view.sentences:
        while number < len(pieces) and pieces[number][1] <= start:
            number += 1
        first = number
        while number < len(pieces) and pieces[number][0] < end:
            number += 1
        yield start, end, number - first
