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


PLAIN = "وصل إلى غزة"


@pytest.mark.parametrize(
    ("text", "unseen", "start", "fix"),
    [
        (f"🙂 {PLAIN}", False, 11, "UTF-16 units"),
        *((f"{sign}{PLAIN}", False, 8, "shifted by 1") for sign in "\ufeff\r\u200f\u2067\u061c"),
        (PLAIN, True, 9, "shifted by -1"),
    ],
)
def test_units_and_shifts_by_invisible_characters_are_fixed(text, unseen, start, fix):
    at = text.index("غزة")
    assert Offsets(text, unseen=unseen).settle(start, start + 3, "غزة") == (at, at + 3, fix)


@pytest.mark.parametrize(
    ("text", "start", "end", "surface", "said"),
    [
        (PLAIN, 7, 10, "غزة", "neither"),  # nothing explains the shift
        (PLAIN, 9, 12, "غزة", "outside"),
        ("\u200fلا لا", 2, 5, "لا", "neither"),  # two shifts are possible
        (PLAIN, 0, 3, "غزة", "'غزة' but the text there is 'وصل'"),
        (PLAIN, 9, 99, "غزة", "'غزة'.*outside the text of 11 code points"),
        (PLAIN, -1, 3, None, "outside"),
        (PLAIN, 4, 4, None, "empty"),
    ],
)
def test_other_offsets_are_rejected_with_both_strings(text, start, end, surface, said):
    with pytest.raises(OffsetError, match=said):
        Offsets(text).settle(start, end, surface)
