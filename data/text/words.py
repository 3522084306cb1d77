"""Word segmentation of raw text, and positions inside words, in code points.

Spans start and end at words (or after a proclitic). Words do not depend on a tokenizer.
"""

import unicodedata
from functools import cache

import numpy as np

_SPACE, _INVISIBLE, _MARK, _SYMBOL, _LETTER = range(5)


def split_words(text: str) -> np.ndarray:
    """Split a text into words.

    A run of letters and digits is one word, with the diacritics, tatweel and format characters (zero width joiners,
    bidi marks) inside it and the diacritics after it. Every other visible character (punctuation, symbols, emoji, a
    diacritic without a letter) is a word of its own, with its combining marks. White space, control characters and
    format characters are not words. The zero width space separates words, as white space does.

    Args:
        text: raw; lone surrogates count as symbols.

    Returns:
        Start and end of each word in code points, in order and without overlap; int64. [W, 2]

    >>> split_words("وصل إلى غزة.").tolist()
    [[0, 3], [4, 7], [8, 11], [11, 12]]
    """
    if not text:
        return np.empty((0, 2), dtype=np.int64)
    kinds = _kinds(text)
    index = np.arange(len(kinds))
    hangs = (kinds == _MARK) | (kinds == _INVISIBLE)
    # A mark or format character has the kind of its base: the last character before it that is neither.
    base = np.maximum.accumulate(np.where(hangs, -1, index))
    kind = np.where(base < 0, _SPACE, kinds[base])
    starts = kinds == _SYMBOL
    starts |= (kinds == _MARK) & (kind == _SPACE)
    in_run = kind == _LETTER
    starts |= (kinds == _LETTER) & ~np.concatenate([[False], in_run[:-1]])
    # A word ends after its last visible character before the next word or space.
    visible = np.maximum.accumulate(np.where(kinds == _INVISIBLE, -1, index))
    bounds = np.append(index[starts | (kinds == _SPACE)], len(kinds))
    begin = index[starts]
    behind = bounds[np.searchsorted(bounds, begin, side="right")]
    return np.stack([begin, visible[behind - 1] + 1], axis=1)


def offset_to_letters(text: str, start: int, offset: int) -> int:
    """The number of letters from ``start`` to ``offset``, without diacritics, tatweel and format characters.

    >>> offset_to_letters("وَواشنطن", 0, 2)
    1
    """
    return sum(not _hangs(character) for character in text[start:offset])


def behind_proclitic(text: str, start: int, end: int, letters: int) -> int:
    """The start of a mention whose first word has a proclitic.

    The mention starts behind the marks, tatweel and format characters that follow the proclitic: after one letter of
    وَواشنطن comes its second و.

    Args:
        text: raw text.
        start: start of the word.
        end: end of the word.
        letters: length of the proclitic. If it is the whole word, the mention starts at the word's start.

    >>> behind_proclitic("وَواشنطن", 0, 8, 1), behind_proclitic("و", 0, 1, 1)
    (2, 0)
    """
    passed = 0
    for position in range(start, end) if letters else ():
        if not _hangs(text[position]):
            if passed == letters:
                return position
            passed += 1
    return start


def letters_of(text: str, start: int, end: int) -> str:
    """A part of a text without marks, tatweel and format characters.

    >>> letters_of("وَلـ", 0, 4)
    'ول'
    """
    return "".join(sign for sign in text[start:end] if not _hangs(sign))


def extend_over_marks(text: str, end: int) -> int:
    """Move the end of a span over the diacritics and tatweel that follow it, which sub-words do not cover.

    Format characters are included if a diacritic or tatweel follows them.

    >>> extend_over_marks("الرئيسُ قال", 6)
    7
    """
    for position in range(end, len(text)):
        if not _hangs(text[position]):
            break
        if _kind(text[position]) != _INVISIBLE:
            end = position + 1
    return end


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Remove white space, control and format characters at the edges of a span; (start, start) if nothing is left.

    >>> trim(" غزة ", 0, 5)
    (1, 4)
    """
    first = start
    while first < end and _kind(text[first]) in (_SPACE, _INVISIBLE):
        first += 1
    if first == end:
        return start, start
    while _kind(text[end - 1]) in (_SPACE, _INVISIBLE):
        end -= 1
    return first, end


def _hangs(character: str) -> bool:
    return character == "ـ" or _kind(character) in (_MARK, _INVISIBLE)


@cache
def _kind(character: str) -> int:
    category = unicodedata.category(character)
    if character.isspace() or character == "\u200b" or category == "Cc":
        return _SPACE
    if category == "Cf":
        return _INVISIBLE
    if category[0] == "M":
        return _MARK
    return _LETTER if category[0] in "LN" else _SYMBOL  # tatweel is a letter in Unicode


@cache
def _table() -> np.ndarray:
    """Kinds of the characters of the basic multilingual plane. [65536]"""
    return np.array([_kind.__wrapped__(chr(codepoint)) for codepoint in range(0x10000)], dtype=np.int8)


def _kinds(text: str) -> np.ndarray:
    codepoints = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    table = _table()
    astral = codepoints >= len(table)
    if not astral.any():
        return table[codepoints]
    kinds = table[np.where(astral, 0, codepoints)]
    values, inverse = np.unique(codepoints[astral], return_inverse=True)
    kinds[astral] = np.array([_kind(chr(value)) for value in values], dtype=np.int8)[inverse]
    return kinds
