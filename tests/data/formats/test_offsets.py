"""Offsets of other tools: confirmed by the surface, fixed, or rejected."""

import re
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.formats.common.counting import grapheme_clusters
from rasid.data.formats.common.offsets import OffsetError, Offsets, to_utf16, trimmed
from rasid.data.problems import ArticleLog, ProblemLog

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


PLAIN = "وصل الى غزة"


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


def counted(text: str, at: int, unit: str) -> int:
    """An offset as another tool counts it."""
    before = text[:at]
    match unit:
        case "bytes":
            return len(before.encode())
        case "squeezed":
            return len(re.sub(r"\s+", " ", before))
        case "NFD" | "NFC":
            return len(unicodedata.normalize(unit, before))
        case "visible":
            return sum(unicodedata.category(sign) != "Cf" for sign in before)
        case "no CR":
            return len(before.replace("\r\n", "\n"))
        case _:
            return grapheme_clusters(text).units_at(at)


@pytest.mark.parametrize(
    ("unit", "fix"),
    [
        ("bytes", "UTF-8 bytes counted"),
        ("squeezed", "squeezed white space counted"),
        ("NFD", "another normal form counted"),
        ("visible", "invisible characters not counted"),
        ("no CR", "CRLF counted as one"),
        ("graphemes", "grapheme clusters counted"),
    ],
)
def test_other_ways_of_counting_are_proven_by_the_surface(unit: str, fix: str) -> None:
    text = "قَالَ\r\n\r\n\r\n  \t إنّ\u200c\u200c\u200cأمس أو إلى  في\r\nغزة هدوء"
    at = text.index("غزة")
    start, end = counted(text, at, unit), counted(text, at + 3, unit)
    assert Offsets(text).settle(start, end, "غزة") == (at, at + 3, fix)


@pytest.mark.parametrize(
    ("text", "surface", "fix"),
    [
        ("في الأردن اليوم", unicodedata.normalize("NFD", "الأردن"), "another normal form"),
        (unicodedata.normalize("NFD", "في الأردن اليوم"), "الأردن", "another normal form"),
        ("في بني\n\n وليد اليوم", "بني وليد", "white space of the surface"),
        ("في بني\u200cوليد اليوم", "بنيوليد", "invisible characters of the surface"),
    ],
)
def test_another_form_of_the_surface_proves_the_place(text: str, surface: str, fix: str) -> None:
    end = text.index(" اليوم")
    assert Offsets(text).settle(3, end, surface) == (3, end, fix)


def test_ranges_and_surfaces_of_whole_words_are_proven() -> None:
    offsets = Offsets("قال إن ووواشنطن، ترفض")
    assert offsets.settle(7, 16, "واشنطن") == (9, 15, "range of whole words")
    assert offsets.settle(9, 14, "ووواشنطن") == (7, 15, "range inside the words of the surface")
    for start, end, surface in [(4, 16, "واشنطن"), (7, 15, "و"), (9, 14, "وواشنطن")]:
        with pytest.raises(OffsetError):
            offsets.settle(start, end, surface)


def test_two_places_that_are_possible_prove_none() -> None:
    text = "\u0650ا في  غزة غزة"  # one place in bytes, another by squeezed white space
    with pytest.raises(OffsetError):
        Offsets("قال قالقال قال").settle(4, 10, "قال")
    with pytest.raises(OffsetError):
        Offsets(text).settle(3, 9, "غزة")


@given(
    st.text(alphabet="اب لأ\u064e\u200c 1🙂\n", min_size=1, max_size=6),
    st.integers(2, 12),
    st.integers(-10, 10),
    st.data(),
)
def test_wrong_offsets_in_a_text_that_repeats_itself_prove_no_wrong_place(
    part: str, times: int, wrong: int, data
) -> None:
    text = part * times
    start = data.draw(st.integers(0, len(text) - 1))
    surface = text[start : start + data.draw(st.integers(1, 8))]
    stored = start + wrong
    try:
        found, _, fix = Offsets(text).settle(stored, stored + len(surface), surface)
    except OffsetError:
        return
    assert found == start or fix in ("", "UTF-16 units") or "counted" not in fix


@given(st.text(alphabet="ابل ", min_size=1, max_size=60), st.integers(0, 120), st.integers(1, 12), st.data())
def test_no_count_proves_a_place_in_a_text_that_all_count_alike(text: str, start: int, length: int, data) -> None:
    text = " ".join(text.split()) or "ا"
    first = data.draw(st.integers(0, len(text) - 1))
    surface = text[first : first + length]
    try:
        assert Offsets(text).settle(start, start + len(surface), surface) == (start, start + len(surface), "")
    except OffsetError:
        assert text[start : start + len(surface)] != surface


REPLACED = "قال … إن وفد بغداد … وصل في المساء … إلى حلب في الليل … ثم إلى دمشق"


def before(text: str, surface: str, nth: int = 0) -> tuple[int, int, str]:
    """A span of the text in which each ellipsis was three dots."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(surface, at + 1)
    start = at + 2 * text[:at].count("…")
    return start, start + len(surface), surface


def test_spans_moved_by_a_replacement_are_found_by_the_shift_that_grows() -> None:
    spans = [before(REPLACED, name) for name in ("قال", "بغداد", "المساء", "حلب", "دمشق")]
    spans += [before(REPLACED, "في"), before(REPLACED, "في", 1)]
    offsets = Offsets(REPLACED).with_all(spans)
    found = [offsets.settle(*span) for span in spans]
    assert [REPLACED[start:end] for start, end, _ in found] == [surface for *_, surface in spans]
    assert [start for start, *_ in found[-2:]] == [REPLACED.index("في"), REPLACED.rindex("في")]
    assert found[0][2] == "" and found[1][2].startswith("text replaced before it: shifted by -2")


def test_utf16_units_are_no_replacement() -> None:
    text = "🙂 قال إن 🙂 قال إن حلب 🙂 حلب"
    places = [(9, "🙂"), (11, "قال"), (18, "حلب"), (24, "حلب")]
    spans = [(to_utf16(text, at), to_utf16(text, at + len(surface)), surface) for at, surface in places]
    offsets = Offsets(text).with_all(spans)
    assert not offsets.moved and [offsets.settle(*span)[0] for span in spans] == [9, 11, 18, 24]


def test_shifts_that_do_not_only_grow_or_one_alone_prove_nothing() -> None:
    good = before(REPLACED, "بغداد")
    for spans in ([good], [good, (2, 5, "حلب")], [good, (good[0] + 9, good[1] + 9, "دمشق"), (90, 93, "حلب")]):
        with pytest.raises(OffsetError):
            Offsets(REPLACED).with_all(spans).settle(*good)


@pytest.mark.parametrize("sign", "\u200c\u200b\u200d\ufeff\u200f\u061c\u2067\u00ad")
def test_invisible_characters_at_edges_are_trimmed(sign: str) -> None:
    log = ProblemLog()
    assert trimmed(f"في {sign}غزة{sign} اليوم", 3, 8, "GPE", ArticleLog(log=log, article="a")) == (4, 7)
    [fixed] = log.fixed
    assert fixed.cause == "invisible character at an edge" and f"U+{ord(sign):04X}" in fixed.message


@given(TEXTS, st.integers(-5, 70), st.integers(-5, 70))
def test_grapheme_clusters_are_counted_as_regex_splits_them(text: str, start: int, end: int) -> None:
    bounds = [0, *(found.end() for found in regex.finditer(r"\X", text))]
    wanted = (bounds[start], bounds[end]) if 0 <= start < end < len(bounds) else None
    assert grapheme_clusters(text).place(start, end) == wanted


def test_one_wrong_span_does_not_make_utf16_units_a_replacement() -> None:
    text = "🙂 في غزة 🙂 وفي حلب 🙂 في غزة"
    spans = [(to_utf16(text, at), to_utf16(text, at + 3), "غزة") for at in (text.index("غزة"), text.rindex("غزة"))]
    offsets = Offsets(text).with_all([*spans, (0, 4, "دمشق")])
    assert [offsets.settle(*span)[2] for span in spans] == ["UTF-16 units"] * 2
    with pytest.raises(OffsetError):
        offsets.settle(0, 4, "دمشق")
