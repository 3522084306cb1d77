"""Checks of the texts: separated clitics, damaged characters, long sentences."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from .article_views import ArticleView, code_point, shown
from .findings import Finding, Location, count_table, finding, ranked

SPLIT_SHARE = 0.002  # share of separated clitics in segmented text, at least; edited news has a tenth of it
LONG_SENTENCE = 150  # words; in edited news the longest have about a hundred

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


def split_clitics(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Clitics that are separated from their words, as in treebanks."""
    table: Counter[tuple[str, str]] = Counter()
    locations: list[Location] = []
    total = 0
    for view in views:
        text, words = view.article.text, view.words
        total += len(words)
        for number, word in enumerate(view.stripped):
            if side := _host_of_clitic(view, number):
                table[word, side] += 1
                lo, hi = words[max(0, number - 1)][0], words[min(len(words) - 1, number + 1)][1]
                locations.append(view.location(f"{word} is separated in {shown(text[lo:hi])}", *words[number]))
    segmented = len(locations) > SPLIT_SHARE * total
    yield from finding(
        "split-clitics",
        locations,
        table=count_table(("clitic", "belongs to", "count"), table, 30),
        variant="split-clitics" if segmented else "split-clitics-few",
        rate=1000 * len(locations) / max(1, total),
    )


def _host_of_clitic(view: ArticleView, number: int) -> str:
    """The neighbor that a separated clitic belongs to; empty if the word is not a clitic."""
    word = view.stripped[number]
    if word in _PROCLITICS and number + 1 < len(view.words):
        following = view.stripped[number + 1]
        if _spaced(view, number) and following[:1].isalpha():
            return "the next word"
    if word in _ENCLITICS and number and _spaced(view, number - 1) and view.stripped[number - 1][-1:].isalpha():
        return "the word before"
    return ""


def _spaced(view: ArticleView, number: int) -> bool:
    """Whether exactly one space separates a word and the next."""
    return view.article.text[view.words[number][1] : view.words[number + 1][0]] == " "


def damaged_text(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Wrong encodings, lost bytes, control characters."""
    garbled, lost, control = [], [], []
    signs: Counter[str] = Counter()
    for view in views:
        text = view.article.text
        for start, end, original in mojibake(text):
            message = f"{shown(text[start:end])} is {shown(original)} in the wrong encoding"
            garbled.append(view.location(message, start, end))
        for match in _DAMAGED.finditer(text):
            name = "a lone surrogate" if "\ud800" <= match[0][0] <= "\udfff" else "U+FFFD"
            context = shown(text[max(0, match.start() - 15) : match.end() + 15])
            lost.append(view.location(f"{name} in {context}", match.start(), match.end()))
        for match in _CONTROL.finditer(text):
            name = code_point(match[0])
            signs[name] += 1
            control.append(view.location(name, match.start(), match.end()))
    yield from finding("mojibake", garbled)
    yield from finding("lost-bytes", lost)
    yield from finding("control-characters", control, table=count_table(("character", "count"), signs, 30))


def mojibake(text: str) -> Iterator[tuple[int, int, str]]:
    """Stretches of text in the wrong encoding.

    Yields:
        First code point, one past the last, and the original text.

    >>> list(mojibake("قال Ø§Ù„Ø³Ù„Ø§Ù… ثم"))
    [(4, 16, 'السلام')]
    """
    decodings = (
        (_AS_LATIN, ("cp1252", "latin-1"), "utf-8"),
        (_AS_1256, ("cp1256",), "utf-8"),
        (_LATIN_OF_1256, ("latin-1",), "cp1256"),
    )
    for pattern, wrong_encodings, encoding in decodings:
        for match in pattern.finditer(text):
            for wrong in wrong_encodings:
                try:
                    original = match[0].encode(wrong).decode(encoding)
                except UnicodeError:
                    continue
                if all("ARABIC" in unicodedata.name(sign, "") for sign in original):
                    yield match.start(), match.end(), original
                    break


def long_sentences(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Sentences of more than `LONG_SENTENCE` words, and the longest sentence of each data set."""
    long: list[Location] = []
    longest: dict[str, Location] = {}
    records: Counter[str] = Counter()
    for view in views:
        for start, end, count in sentence_lengths(view):
            if count <= min(records[view.split], LONG_SENTENCE):
                continue
            message = f"{count} words: {shown(view.article.text[start:end])}"
            location = view.location(message, start, end, score=float(count))
            if count > LONG_SENTENCE:
                long.append(location)
            if count > records[view.split]:
                records[view.split], longest[view.split] = count, location
    yield from finding("long-sentences", ranked(long), longest=LONG_SENTENCE)
    yield from finding("longest-sentence", longest.values())


def sentence_lengths(view: ArticleView) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of words of each sentence; of tokens if the article has tokens."""
    pieces = view.article.tokens or view.words
    number = 0
    for start, end in view.sentences:
        while number < len(pieces) and pieces[number][1] <= start:
            number += 1
        first = number
        while number < len(pieces) and pieces[number][0] < end:
            number += 1
        yield start, end, number - first
