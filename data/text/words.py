"""Words of a raw text and positions inside a word, in code points. No character is changed, none is lost.

A word here is what a span may start or end at: it is cut from the raw text, whatever a tokenizer makes of it.
"""

import unicodedata
from functools import cache

import numpy as np

_SPACE, _INVISIBLE, _MARK, _SYMBOL, _LETTER = range(5)


def split_words(text: str) -> np.ndarray:
    """Words of a text, in order and without overlap.

    A run of letters and digits is one word, with the diacritics, tatweel and format characters (zero width joiners,
    bidi marks) between them and the diacritics after them. Every other visible character is a word of its own, with
    what combines with it: punctuation, symbols, emoji; so is a diacritic on nothing. White space, control and format
    characters are no words; the zero width space separates, as white space does.

    Args:
        text: raw; lone surrogates are symbols.

    Returns:
        half-open offsets in code points, int64 # [W, 2]

    >>> split_words("وصل إلى غزة.").tolist()
    [[0, 3], [4, 7], [8, 11], [11, 12]]
    """
    if not text:
        return np.empty((0, 2), dtype=np.int64)
    kinds = _kinds(text)
    index = np.arange(len(kinds))
    hangs = (kinds == _MARK) | (kinds == _INVISIBLE)
    # A mark or format character is what it hangs on: the kind of the last character before it that is neither.
    base = np.maximum.accumulate(np.where(hangs, -1, index))
    kind = np.where(base < 0, _SPACE, kinds[base])
    starts = kinds == _SYMBOL
    starts |= (kinds == _MARK) & (kind == _SPACE)
    in_run = kind == _LETTER
    starts |= (kinds == _LETTER) & ~np.concatenate([[False], in_run[:-1]])
    # A word ends behind its last visible character before the next word or space.
    visible = np.maximum.accumulate(np.where(kinds == _INVISIBLE, -1, index))
    bounds = np.append(index[starts | (kinds == _SPACE)], len(kinds))
    begin = index[starts]
    behind = bounds[np.searchsorted(bounds, begin, side="right")]
    return np.stack([begin, visible[behind - 1] + 1], axis=1)


def letters_to_offset(text: str, start: int, letters: int) -> int:
    """The offset behind a number of letters; marks, tatweel and format characters behind them belong to them.

    This is where the name behind a proclitic starts: one letter into وَواشنطن is its second و, behind the diacritic.

    Args:
        text: raw text.
        start: where counting starts.
        letters: characters to pass, diacritics, tatweel and format characters not counted.

    Raises:
        ValueError: the text has fewer letters.

    >>> letters_to_offset("وَواشنطن", 0, 1)
    2
    """
    if letters < 0:
        raise ValueError(f"letters must not be negative, got {letters}")
    if not letters:
        return start
    position, passed = start, 0
    while position < len(text):
        if not _hangs(text[position]):
            if passed == letters:
                return position
            passed += 1
        position += 1
    if passed < letters:
        raise ValueError(f"there are {passed} letters behind offset {start}, not {letters}")
    return position


def offset_to_letters(text: str, start: int, offset: int) -> int:
    """The number of letters from start to offset; `letters_to_offset` undoes it up to what hangs on the last one.

    >>> offset_to_letters("وَواشنطن", 0, 2)
    1
    """
    return sum(not _hangs(character) for character in text[start:offset])


def behind_proclitic(text: str, start: int, end: int, letters: int) -> int:
    """Where a mention starts whose first word has a proclitic of so many letters.

    A proclitic that is the whole word leaves nothing to mention: the word's start then.

    >>> behind_proclitic("وواشنطن", 0, 7, 1), behind_proclitic("و", 0, 1, 1)
    (1, 0)
    """
    if letters and letters < offset_to_letters(text, start, end):
        return letters_to_offset(text, start, letters)
    return start


def extend_over_marks(text: str, end: int) -> int:
    """A span's end, moved behind the diacritics and tatweel that follow it; no sub-word reaches over them.

    Format characters are passed where a diacritic or tatweel follows them, and left out at the very end.

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
    """A span without white space, control and format characters at its edges; (start, start) if nothing is left.

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
    return _LETTER if category[0] in "LN" else _SYMBOL  # tatweel is a letter to Unicode


@cache
def _table() -> np.ndarray:
    """Kinds of the basic plane, where all but emoji and rare scripts live # [65536]"""
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
