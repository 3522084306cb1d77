"""Offsets that somebody else counted: proven, mended, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.formats.common.offsets import OffsetError, Offsets, to_utf16

TEXTS = st.text(alphabet="واشنطن 🙂𐤀a\u200f\r\n", min_size=1, max_size=30)


@given(TEXTS, st.data())
def test_offsets_in_code_points_stay_as_they_are(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert Offsets(text).settle(start, end, text[start:end]) == (start, end, "")


@given(TEXTS, st.data())
def test_utf16_units_come_back_as_code_points(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert Offsets(text).from_utf16(to_utf16(text, start), to_utf16(text, end)) == (start, end)


@given(TEXTS, st.integers(-5, 70), st.integers(-5, 70))
def test_units_agree_with_the_codec(text, start, end):
    units = text.encode("utf-16-le")
    try:
        wanted = units[2 * start : 2 * end].decode("utf-16-le") if 0 <= start < end <= len(units) // 2 else None
    except UnicodeDecodeError:
        wanted = None
    found = Offsets(text).from_utf16(start, end)
    assert (text[found[0] : found[1]] if found else None) == wanted


def test_utf16_units_are_mended_and_said():
    text = "🙂 وصل إلى غزة"
    at = text.index("غزة")
    assert Offsets(text).settle(at + 1, at + 4, "غزة") == (at, at + 3, "UTF-16 units")


@pytest.mark.parametrize("unseen", ["\ufeff", "\r", "\u200f", "\u2067", "\u061c"])
def test_a_shift_that_something_unseen_explains_is_mended(unseen):
    text = f"{unseen}وصل إلى غزة"
    at = text.index("غزة")
    assert Offsets(text).settle(at - 1, at + 2, "غزة") == (at, at + 3, "shifted by 1")


def test_what_was_dropped_before_the_text_came_here_explains_a_shift():
    text = "وصل إلى غزة"
    with pytest.raises(OffsetError):
        Offsets(text).settle(9, 12, "غزة")
    assert Offsets(text, unseen=True).settle(9, 12, "غزة") == (8, 11, "shifted by -1")


def test_a_shift_with_two_places_is_refused():
    text = "\u200fلا لا"
    with pytest.raises(OffsetError, match="neither"):
        Offsets(text).settle(2, 5, "لا")


@pytest.mark.parametrize(
    ("start", "end", "surface", "said"),
    [
        (0, 3, "غزة", "'غزة' but the text there is 'وصل'"),
        (9, 99, "غزة", "'غزة'.*outside the text of 11 code points"),
        (-1, 3, None, "outside"),
        (4, 4, None, "empty"),
    ],
)
def test_what_cannot_be_proven_is_refused_with_both_strings(start, end, surface, said):
    with pytest.raises(OffsetError, match=said):
        Offsets("وصل إلى غزة").settle(start, end, surface)
