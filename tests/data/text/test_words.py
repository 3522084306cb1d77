"""Words of a raw text, and positions inside a word."""

import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.text.words import behind_proclitic, extend_over_marks, offset_to_letters, split_words, trim

HOSTILE = (
    "ابوسA1٣۴ .،؟«»\n\t\0\x85\u00a0\u2028\u064b\u0651\u0640\u0670\u0301"
    "\u200b\u200c\u200d\u200f\ufeff\u00ad\ufe0f❤\U0001f600\U0001d400\U000e0020\ud800\udc00"
)
TEXTS = st.text(alphabet=st.sampled_from(HOSTILE), max_size=40) | st.text(max_size=20)


def is_space(character: str) -> bool:
    return character.isspace() or character == "\u200b" or unicodedata.category(character) == "Cc"


def is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf" and character != "\u200b"


def surfaces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\u200f", []),
        ("وصل الوزيرُ إلى دمشق.", ["وصل", "الوزيرُ", "إلى", "دمشق", "."]),
        ("«واشنطن»،", ["«", "واشنطن", "»", "،"]),
        ("3.5% و12كم", ["3", ".", "5", "%", "و12كم"]),
        ("العـــراق ـ", ["العـــراق", "ـ"]),
        ("می\u200cروم", ["می\u200cروم"]),
        ("\u202bغزة\u202c \u200fحلب\u200f.", ["غزة", "حلب", "."]),
        ("غزة\u200bحلب", ["غزة", "حلب"]),
        ("هٰذا مُحَمَّدٌ", ["هٰذا", "مُحَمَّدٌ"]),
        ("كلمة ً كلمة", ["كلمة", "ً", "كلمة"]),
        ("\u064bكلمة", ["\u064b", "كلمة"]),
        ("❤\ufe0f غزة😀", ["❤\ufe0f", "غزة", "😀"]),
        ("a\x00b", ["a", "b"]),
        ("x_y-z", ["x", "_", "y", "-", "z"]),
        ("كم² \U0001d400\U0001d401", ["كم²", "\U0001d400\U0001d401"]),
        ("ا\ud800ب", ["ا", "\ud800", "ب"]),
    ],
)
def test_examples(text: str, expected: list[str]) -> None:
    assert surfaces(text) == expected


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_every_visible_character_is_in_exactly_one_word(text: str) -> None:
    found = split_words(text)
    assert found.dtype == np.int64 and found.shape == (len(found), 2)
    covered = np.zeros(len(text), dtype=int)
    last = 0
    for start, end in found.tolist():
        assert last <= start < end
        covered[start:end] += 1
        last = end
    for character, times in zip(text, covered, strict=True):
        assert times == 0 if is_space(character) else times <= 1 if is_invisible(character) else times == 1


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_kinds_of_words(text: str) -> None:
    found = split_words(text).tolist()
    for start, end in found:
        word = text[start:end]
        assert not any(is_space(character) for character in word)
        assert not is_invisible(word[0]) and not is_invisible(word[-1])
        if unicodedata.category(word[0])[0] not in "LN":
            assert all(unicodedata.category(character)[0] in "MC" for character in word[1:])
    for (start, end), (following, _) in zip(found, found[1:], strict=False):
        between = text[end:following]
        if all(is_invisible(character) for character in between):
            # Two words that touch are not two runs of letters, or they would be one.
            assert not {unicodedata.category(text[at])[0] for at in (start, following)} <= {"L", "N"}


@given(TEXTS, TEXTS)
def test_words_do_not_depend_on_text_after_white_space(first: str, second: str) -> None:
    shifted = split_words(second) + len(first) + 1
    assert np.array_equal(split_words(f"{first}\n{second}"), np.concatenate([split_words(first), shifted]))


def test_a_long_text_is_fast() -> None:
    text = ("وصل الوزيرُ إلى «دمشق» اليوم، وقال: نعم. " * 2600)[:100_000]
    split_words(text)  # builds the table
    times = []
    for _ in range(5):
        begin = time.process_time()
        split_words(text)
        times.append(time.process_time() - begin)
    assert min(times) < 0.03  # some 3 ms


@pytest.mark.parametrize(
    ("text", "letters", "offset"),
    [
        ("وواشنطن", 0, 0),
        ("وواشنطن", 1, 1),
        ("وَواشنطن", 1, 2),
        ("وَبِـالقدس", 2, 5),
        ("و\u200dواشنطن", 1, 2),
        ("\u200fواشنطن", 1, 2),
    ],
)
def test_letters_and_offsets(text: str, letters: int, offset: int) -> None:
    for before in ("", "غزة "):
        start, end = len(before), len(before + text)
        assert behind_proclitic(before + text, start, end, letters) == start + offset
        assert offset_to_letters(before + text, start, start + offset) == letters


@given(TEXTS, st.integers(0, 5), st.data())
def test_letters_and_offsets_are_inverse(text: str, letters: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    offset = behind_proclitic(text, start, len(text), letters)
    if not 0 < letters < offset_to_letters(text, start, len(text)):
        assert offset == start
        return
    assert start < offset < len(text)
    assert offset_to_letters(text, start, offset) == letters
    assert offset_to_letters(text, start, offset + 1) == letters + 1  # no later offset has as many letters


@pytest.mark.parametrize(
    ("text", "end", "extended"),
    [
        ("الرئيسُ قال", 6, 7),
        ("شكراًـــ", 4, 8),
        ("غزة\u200f", 3, 3),
        ("غزة\u200f\u064b", 3, 5),
        ("غزة ً", 3, 3),
        ("غزة", 3, 3),
        ("غزة", 1, 1),
        ("", 0, 0),
    ],
)
def test_extend_over_marks(text: str, end: int, extended: int) -> None:
    assert extend_over_marks(text, end) == extended


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        (" غزة\n", "غزة"),
        ("\u200fغزة\u200b\u00a0", "غزة"),
        ("\ufeffا \u200c ب\0", "ا \u200c ب"),
        (" \u200f ", ""),
        ("", ""),
    ],
)
def test_trim(text: str, trimmed: str) -> None:
    start, end = trim(text, 0, len(text))
    assert text[start:end] == trimmed


@given(TEXTS)
def test_trim_keeps_every_word(text: str) -> None:
    found = split_words(text)
    start, end = trim(text, 0, len(text))
    assert (start, end) == ((found[0, 0], found[-1, 1]) if len(found) else (0, 0))
