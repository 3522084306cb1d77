"""Offsets of other tools: confirmed by the surface, fixed, or rejected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.formats.common.offsets import OffsetError, Offsets, to_utf16

TEXTS = st.text(alphabet="واشنطن 🙂𐤀a\u200f\r\n", min_size=1, max_size=30)


@given(TEXTS, st.data())
def test_offsets_in_code_points_are_unchanged(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert Offsets(text).settle(start, end, text[start:end]) == (start, end, "")


@given(TEXTS, st.data())
def test_utf16_units_are_mapped_to_code_points(text, data):
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


def test_utf16_units_are_fixed():
    text = "🙂 وصل إلى غزة"
    at = text.index("غزة")
    assert Offsets(text).settle(at + 1, at + 4, "غزة") == (at, at + 3, "UTF-16 units")


@pytest.mark.parametrize("unseen", ["\ufeff", "\r", "\u200f", "\u2067", "\u061c"])
def test_a_shift_by_an_invisible_character_is_fixed(unseen):
    text = f"{unseen}وصل إلى غزة"
    at = text.index("غزة")
    assert Offsets(text).settle(at - 1, at + 2, "غزة") == (at, at + 3, "shifted by 1")


def test_a_shift_by_a_removed_character_is_fixed():
    text = "وصل إلى غزة"
    with pytest.raises(OffsetError):
        Offsets(text).settle(9, 12, "غزة")
    assert Offsets(text, unseen=True).settle(9, 12, "غزة") == (8, 11, "shifted by -1")


def test_an_ambiguous_shift_is_rejected():
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
def test_other_offsets_are_rejected_with_both_strings(start, end, surface, said):
    with pytest.raises(OffsetError, match=said):
        Offsets("وصل إلى غزة").settle(start, end, surface)
