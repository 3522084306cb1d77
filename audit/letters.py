"""Checks of letters: stored in visual order, separated from each other, or invisible at an edge of a span."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from ..data.text.words import trim
from ..errors import code_points
from .article_views import ArticleView, shown
from .findings import Finding, Location, count_table, finding

SINGLE_SHARE = 0.5  # of the words; where clitics are separated, one of seven words is a letter
SINGLE_WORDS = 30  # of a text that is judged by itself
_EVIDENCE = 3  # words of a text, at least, that are in visual order


def visual_order(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Texts whose letters are stored from left to right as they are seen, so that every word is reversed."""
    counts = [_order(view) for view in views]
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for view, count in zip(views, counts, strict=True):
        total[view.split].update(count)
    locations = []
    for view, count in zip(views, counts, strict=True):
        # Of a data set that is reversed as a whole, short texts are listed too.
        whole = total[view.split]["reversed"] > max(_EVIDENCE, total[view.split]["logical"])
        least = 1 if whole else _EVIDENCE
        if count["reversed"] >= least and count["reversed"] > 2 * count["logical"]:
            message = f"{count['reversed']} words are reversed, {count['logical']} are not: {shown(view.article.text)}"
            locations.append(view.location(message, score=float(count["reversed"])))
    yield from finding("visual-order", locations)


def _order(view: ArticleView) -> Counter[str]:
    """How many words show that the letters are in logical order, and how many that they are reversed.

    The article ال is at the start of words, and teh marbuta only at their end. A presentation form says where in its
    word a letter stands.
    """
    found: Counter[str] = Counter()
    for word in view.stripped:
        if len(word) < 3:
            continue
        first, last = _form(word[0]), _form(word[-1])
        if first or last:
            found["logical"] += (first == "<initial>") or (last == "<final>")
            found["reversed"] += (first == "<final>") or (last == "<initial>")
            continue
        found["logical"] += word.startswith("ال") or word.endswith("ة")
        found["reversed"] += (word.endswith("لا") and len(word) > 3) or word.startswith(("ة", "ى"))
    return found


@cache
def _form(sign: str) -> str:
    """The place in a word that a presentation form of an Arabic letter stands for; empty for other characters."""
    if not "\ufb50" <= sign <= "\ufefc":
        return ""
    kind = unicodedata.decomposition(sign).partition(" ")[0]
    return kind if kind in ("<initial>", "<final>") else ""


def single_letters(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Texts whose words are single letters, as if each letter were a token.

    A long text is judged by itself. A short one, which may be a formula or a list of initials, is listed if most words
    of its data set are single letters too.
    """
    counts: list[tuple[int, int]] = []  # words of one letter, words
    total: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for view in views:
        words = [word for word in view.stripped if word.isalpha()]
        counts.append((sum(len(word) == 1 for word in words), len(words)))
        total[view.split] = [sum(pair) for pair in zip(total[view.split], counts[-1], strict=True)]
    locations = []
    for view, (single, words) in zip(views, counts, strict=True):
        everywhere = total[view.split][0] > SINGLE_SHARE * total[view.split][1]
        if single > SINGLE_SHARE * words and words >= (1 if everywhere else SINGLE_WORDS):
            message = f"{single} of {words} words are one letter: {shown(view.article.text)}"
            locations.append(view.location(message))
    yield from finding("single-letters", locations)


def invisible_edges(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Spans that start or end with invisible characters, such as U+200C and marks of direction."""
    locations: list[Location] = []
    signs: Counter[str] = Counter()
    for view in views:
        text = view.article.text
        for mention in view.mentions:
            start, end = trim(text, mention.start, mention.end)
            outside = text[mention.start : start] + text[end : mention.end]
            if start == end or not outside:
                continue
            names = [code_points(sign) for sign in dict.fromkeys(outside)]
            signs.update(names)
            locations.append(view.at(mention, f"{shown(text[start:end])} has {', '.join(names)} at an edge"))
    yield from finding("invisible-at-edges", locations, table=count_table(("character", "spans"), signs, 30))
