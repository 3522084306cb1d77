"""Source texts with tags and references, in all ways of counting."""

from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.formats.ace.source_text import SourceText, unescape
from rasid.data.formats.common.offsets import OffsetError

TEXTS = st.text('ابa \n\r\u2028\u200f\U0001f600<>&;"', max_size=25)


@pytest.mark.parametrize("piece", ["<a", "<!--", "&", "&amp;", "<a>&amp;\r\n", "&#1114112;"])
def test_sources_of_tags_and_references_alone_are_read_fast(piece: str) -> None:
    source = SourceText(piece * 50_000, [(0, 1, "x")] * 3, tags=False)
    assert len(source.text) <= len(source.raw)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.booleans())
def test_offsets_in_the_source_are_mapped_to_the_text(text: str, tags: bool) -> None:
    raw = "".join(f"<i>{escape(sign)}</i>" for sign in text) + "&x;"
    source = SourceText(raw, [], tags=tags)
    assert source.text == text + "&x;"
    at = 0
    for place, sign in enumerate(text):
        at += 3 * tags
        if sign != "\r":
            assert source.settle(at, at + len(escape(sign)), "")[:2] == (place, place + 1)
            assert source.settle(at, at + len(escape(sign)), sign) == (place, place + 1, "")
        at += len(escape(sign)) + 4 * tags


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
        ("&amp;amp;", "&amp;"),
        ("&#1594;&#x63a;&#X63A;", "غغغ"),
        ("&nbsp;&NotEqualTilde;", "\xa0\u2242\u0338"),
        ("&#0;&#xD800;&#9999999;&none;&amp &;", "&#0;&#xD800;&#9999999;&none;&amp &;"),
    ],
)
def test_known_references_are_decoded(text: str, decoded: str) -> None:
    assert unescape(text) == decoded


def test_ranges_that_cut_a_reference_or_tag_include_it() -> None:
    source = SourceText("<b>AT&amp;T</b> <i></i>X", [], tags=True)
    assert source.text == "AT&T X"
    assert source.settle(3, 6, "") == (0, 3, "")
    assert source.settle(6, 9, "") == (2, 3, "")
    assert source.settle(0, 15, "<b>AT&amp;T</b>") == (0, 4, "")
    assert source.settle(1, 14, "") == (0, 4, "")
    with pytest.raises(OffsetError, match="tags only"):
        source.settle(0, 3, "")
    with pytest.raises(OffsetError, match="outside"):
        source.settle(0, 99, "AT")
    with pytest.raises(OffsetError, match="starts with"):
        source.settle(0, 20, "AT")


def test_the_way_of_counting_is_the_one_that_finds_most() -> None:
    raw = "&amp; ب ب ب ت"
    usual = SourceText(raw, [(6, 7, "ب"), (12, 13, "ت")], tags=False)
    assert usual.usual and usual.settle(6, 7, "ب") == (2, 3, "")
    # The first surface is found either way, at another place.
    other = SourceText(raw, [(6, 7, "ب"), (8, 9, "ت")], tags=False)
    assert not other.usual and other.counting == "references as one character"
    assert other.settle(6, 7, "ب") == (6, 7, "")
    assert other.settle(12, 13, "ت") == (8, 9, "counted with references as written")
