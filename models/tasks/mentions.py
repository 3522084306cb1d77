"""From predicted words to the offsets of a mention, with what no Arabic mention can be."""

import re

import numpy as np

from ...data.text.words import behind_proclitic, letters_of
from .task import Prediction

_FIRST, _SECOND = "وفأ", "بلكس"
PROCLITICS = frozenset(
    {*_FIRST, *_SECOND}
    | {first + second for first in _FIRST for second in (*_SECOND, *"وف")}
    | {before + "ال" for before in ("", *"وفبك")}
)
"""What may stand before a mention in its first word: conjunctions, prepositions, the future س, the article."""

_BLANK_LINE = re.compile("(?:\r?\n|[\r\x85\u2028\u2029])\\s*?(?:\r?\n|[\r\x85\u2028\u2029])|\u2029")
_HASHTAG = "#"
_CLOSING = {"»": "«", "”": "“", "’": "‘", ")": "(", "]": "[", "}": "{", '"': '"', "'": "'"}
_OPENING = {opening: closing for closing, opening in _CLOSING.items()}
_NEVER = -1e4  # as a logit


def without_crossing(prediction: Prediction, logits: np.ndarray, inside: slice) -> np.ndarray:
    """Logits with which no mention crosses a blank line: behind it, no word is inside a mention.

    Args:
        prediction: text and words.
        logits: of one head. [W, K]
        inside: the logits that continue a mention.
    """
    rows = _behind_blank_lines(prediction)
    if not len(rows):
        return logits
    logits = logits.copy()
    logits[rows, inside] = _NEVER
    return logits


def without_crossing_spans(prediction: Prediction, logits: np.ndarray, labels: int) -> np.ndarray:
    """As `without_crossing`, for the logits of a span head. [W, width * labels]"""
    rows = _behind_blank_lines(prediction)
    if not len(rows):
        return logits
    logits = logits.copy()
    for row in rows.tolist():
        for word in range(max(0, row - logits.shape[1] // labels + 1), row):
            logits[word, (row - word) * labels :] = _NEVER
    return logits


def _behind_blank_lines(prediction: Prediction) -> np.ndarray:
    """Words that follow a blank line."""
    ends = [match.end() for match in _BLANK_LINE.finditer(prediction.article.text)]
    words = prediction.encoded.words
    rows = np.unique(np.searchsorted(words[:, 0], ends))
    return rows[(rows > 0) & (rows < len(words))]


def mention_offsets(prediction: Prediction, first: int, end: int) -> tuple[int, int] | None:
    """Code points of a mention.

    The predicted proclitic of its first word is left out, if it is one that Arabic has. So are a hashtag sign at the
    start, and quotation marks and brackets at the edges that have no partner inside.

    Args:
        prediction: text, words and logits.
        first: first word.
        end: one past the last word.

    Returns:
        A half-open range; None if nothing is left.
    """
    text, words = prediction.article.text, prediction.encoded.words
    surfaces = [text[start:stop] for start, stop in words[first:end].tolist()]
    while surfaces and _is_alone_at_start(surfaces):
        surfaces, first = surfaces[1:], first + 1
    while surfaces and _is_alone_at_end(surfaces):
        surfaces, end = surfaces[:-1], end - 1
    if first == end:
        return None
    start, stop = int(words[first, 0]), int(words[end - 1, 1])
    if "proclitics" in prediction.logits:
        start = _behind_proclitic(text, start, int(words[first, 1]), prediction.logits["proclitics"][first])
    return start, stop


def _behind_proclitic(text: str, start: int, end: int, logits: np.ndarray) -> int:
    """The start of a mention behind the most likely proclitic that is one."""
    for letters in np.argsort(-logits, kind="stable").tolist():
        found = behind_proclitic(text, start, end, letters)
        if not letters or letters_of(text, start, found) in PROCLITICS:
            return found
    return start


def _is_alone_at_start(surfaces: list[str]) -> bool:
    sign = surfaces[0]
    partner = _OPENING.get(sign)
    return sign == _HASHTAG or (partner is not None and _unpaired(sign, partner, surfaces))


def _is_alone_at_end(surfaces: list[str]) -> bool:
    sign = surfaces[-1]
    partner = _CLOSING.get(sign)
    return partner is not None and _unpaired(partner, sign, surfaces)


def _unpaired(opening: str, closing: str, surfaces: list[str]) -> bool:
    if opening == closing:
        return surfaces.count(opening) % 2 == 1
    return surfaces.count(opening) != surfaces.count(closing)


def lines_of(text: str, starts: np.ndarray) -> np.ndarray:
    """Number of the line of each word.

    Args:
        text: of an article.
        starts: first code point of each word. [W]

    Returns:
        [W]
    """
    ends = [match.end() for match in re.finditer("[\r\n\x85\u2028\u2029]+", text)]
    return np.searchsorted(ends, starts, side="right")
