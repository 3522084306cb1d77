"""Source texts with tags, and offsets into them as ACE and ERE count.

ACE does not count tags, and counts a reference such as ``&amp;`` as the five characters in the file. ERE counts every
character of the file. The article's text is the same for both: without tags, with references decoded. Files that went
through other tools may count decoded references, or other line ends. The way of counting that finds most of the stored
surfaces is taken.
"""

import html.entities
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from ....errors import LONGEST, shown
from ..common.offsets import OffsetError, Offsets

Stored = tuple[int, int, str]
"""Stored start, end (exclusive) and surface."""

# The patterns match in linear time; an unclosed tag is text.
_TAG = "<[A-Za-z/!?][^<>]*>"
_REFERENCE = "&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_LINE_END = "\r\n"
_NOTHING = "(?!)"
_STRETCH = 8  # a range may be this many times longer than its surface
# Surfaces may be stored with other white space than the text has. Carriage returns stay: they explain shifts.
_SPACES = str.maketrans(dict.fromkeys("\t\n\v\f\x85\xa0\u2028\u2029", " "))


def unescape(text: str) -> str:
    """Decode references; unknown ones stay.

    >>> unescape("&lt;&#1594;&amp;&x;")
    '<غ&&x;'
    """
    return re.sub(_REFERENCE, lambda found: _decoded(found.group()), text)


def _decoded(reference: str) -> str:
    name = reference[1:-1]
    if name[0] != "#":
        return html.entities.html5.get(f"{name};", reference)
    code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else reference


class _Edited:
    """A text with replacements, and offsets between it and the raw text.

    Attributes:
        name: the way of counting of which this is the text.
        text: the text after the replacements.
        offsets: checks offsets in the text against surfaces.
    """

    def __init__(self, name: str, raw: str, patterns: Iterable[str], unseen: bool) -> None:
        """Remove the tags, decode the references and read CRLF as LF, as the patterns say."""
        self.name = name
        self._old: list[tuple[int, int]] = []
        self._new: list[tuple[int, int]] = []
        pieces, at, length = [], 0, 0
        for found in re.finditer("|".join(patterns) or _NOTHING, raw):
            piece, (start, end) = found.group(), found.span()
            new = _decoded(piece) if piece[0] == "&" else "\n" if piece[0] == "\r" else ""
            if new != piece:
                pieces += raw[at:start], new
                length += start - at
                self._old.append((start, end))
                self._new.append((length, length + len(new)))
                length, at = length + len(new), end
        self.text = "".join([*pieces, raw[at:]])
        self.offsets = Offsets(_flat(self.text), unseen)

    def to_raw(self, offset: int, *, end: bool) -> int:
        """The offset in the raw text; inside a replacement, the start of the raw piece, or its end for a span's end."""
        return _moved(self._new, self._old, offset, end)

    def from_raw(self, offset: int, *, end: bool) -> int:
        """The offset in the edited text, see `to_raw`."""
        return _moved(self._old, self._new, offset, end)


def _moved(there: list[tuple[int, int]], here: list[tuple[int, int]], offset: int, end: bool) -> int:
    last = bisect_right(there, offset, key=lambda piece: piece[0]) - 1
    if last < 0:
        return offset
    (first, stop), (start, behind) = there[last], here[last]
    if offset >= stop:
        return behind + offset - stop
    return behind if end and offset > first else start


class SourceText:
    """A source text with tags and references.

    Attributes:
        raw: content of the file.
        text: the raw text without tags, with references decoded.
        usual: the offsets count as the format documents.
        counting: how the offsets count.
    """

    def __init__(self, raw: str, stored: Iterable[Stored], *, tags: bool, unseen: bool = False) -> None:
        """Find out how the offsets count.

        Args:
            raw: content of the file.
            stored: the spans of the annotation file.
            tags: the format counts tags.
            unseen: a byte order mark was removed.
        """
        self.raw = raw
        self._whole = _Edited("", raw, (_TAG, _REFERENCE), unseen)
        self.text = self._whole.text
        self._ways = [_Edited(name, raw, patterns, unseen) for name, patterns in _ways(raw, tags)]
        usual = self._ways[0]
        spans = [(start, end, _flat(surface)) for start, end, surface in stored if surface]
        if len(self._ways) > 1:
            found = {way.name: sum(self._exact(way, *span) is not None for span in spans) for way in self._ways}
            self._ways.sort(key=lambda way: -found[way.name])
        self._ways[0].offsets = self._ways[0].offsets.with_all(spans)
        self.usual = self._ways[0] is usual
        self.counting = self._ways[0].name

    def settle(self, start: int, end: int, surface: str) -> tuple[int, int, str]:
        """The range in ``text`` of a stored span.

        Args:
            start: stored offset.
            end: stored offset, exclusive.
            surface: stored surface, empty if there is none.

        Returns:
            start, end (exclusive), and the fix: empty, another way of counting than the file's, or a fix of
            `Offsets.settle`.

        Raises:
            OffsetError: no way of counting confirms the surface.
        """
        surface = _flat(surface)
        if not surface:
            return *self._place(self._ways[0], *self._ways[0].offsets.settle(start, end, None)[:2]), ""
        for way in self._ways:
            if found := self._exact(way, start, end, surface):
                return *found, "" if way is self._ways[0] else f"counted with {way.name}"
        self._check_length(start, end, surface)
        complaint = None
        for way in self._ways:
            try:
                first, stop, done = way.offsets.settle(start, end, surface)
                return *self._place(way, first, stop), done
            except OffsetError as error:
                complaint = complaint or error
        raise complaint or OffsetError(f"{start}-{end} is not in the text")

    def _exact(self, way: _Edited, start: int, end: int, surface: str) -> tuple[int, int] | None:
        """The range if the surface, raw or decoded, is there without a shift; else None."""
        counted = way.offsets.text
        if not 0 <= start < end <= len(counted) or (start, end, surface) in way.offsets.moved:
            return None
        first, stop = self._moved(way, start, end)
        text, length = self._whole.offsets.text, len(surface)  # lengths first: slicing long texts is slow
        decoded = stop - first == length and text[first:stop] == surface
        if first < stop and (decoded or (end - start == length and counted[start:end] == surface)):
            return first, stop
        return None

    def _check_length(self, start: int, end: int, surface: str) -> None:
        """Raise for a range that is too long for its surface in any way of counting; showing it would be slow."""
        text, length = self._ways[0].offsets.text, len(surface)
        if 0 <= start < end <= len(text) and end - start > _STRETCH * length:
            there = shown(text[start : min(end, start + LONGEST + 1)])
            raise OffsetError(f"{start}-{end} has the surface {shown(surface)} but the text there starts with {there}")

    def _place(self, way: _Edited, start: int, end: int) -> tuple[int, int]:
        first, stop = self._moved(way, start, end)
        if first >= stop:
            raise OffsetError(f"{start}-{end} covers tags only")
        return first, stop

    def _moved(self, way: _Edited, start: int, end: int) -> tuple[int, int]:
        first = self._whole.from_raw(way.to_raw(start, end=False), end=False)
        return first, self._whole.from_raw(way.to_raw(end, end=True), end=True)


def _ways(raw: str, tags: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The ways of counting that differ for this text, that of the format first, with what is replaced."""
    removed = () if tags else (_TAG,)
    line_ends, references = "\r\n" in raw, re.search(_REFERENCE, raw) is not None
    yield "references as written", removed
    if references:
        yield "references as one character", (*removed, _REFERENCE)
    if line_ends:
        yield "CRLF as one character", (*removed, _LINE_END)
    if references and line_ends:
        yield "references and CRLF as one character", (*removed, _REFERENCE, _LINE_END)


def _flat(text: str) -> str:
    return text.translate(_SPACES)
