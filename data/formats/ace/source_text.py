"""Texts with markup, and spans of them in the ways that the makers of ACE and ERE count.

ACE does not count tags; a reference such as ``&amp;`` counts as the five characters that stand in the file. ERE counts
every character of the file. The article's text is the same for both: without tags, with references decoded. Files that
went through other hands count decoded references, or the line ends of another system; that is told by which way of
counting finds most of the stored surfaces.
"""

import html.entities
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..common.offsets import OffsetError, Offsets

Stated = tuple[int, int, str]
"""First offset, one past the last, and the surface, as stored."""

# A tag that does not close takes nothing with it, and no character is looked at twice.
_TAG = "<[A-Za-z/!?][^<>]*>"
_REFERENCE = "&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_LINE_END = "\r\n"
# A surface may be stored with other white space than the text has; a carriage return is not made equal, it explains
# shifts.
_SPACES = str.maketrans(dict.fromkeys("\t\n\v\f\x85\xa0\u2028\u2029", " "))

_SHOWN = 60  # characters of a surface that a message shows

_Edit = tuple[int, int, str]


def unescape(text: str) -> str:
    """References decoded; what is none that HTML or XML know stays.

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
    """A text with pieces replaced, and offsets between the two."""

    def __init__(self, raw: str, edits: Sequence[_Edit]) -> None:
        pieces, at, length = [], 0, 0
        old, new = [], []
        for start, end, piece in edits:
            pieces += raw[at:start], piece
            length += start - at
            old.append((start, end))
            new.append((length, length + len(piece)))
            length, at = length + len(piece), end
        self.text = "".join([*pieces, raw[at:]])
        self._old, self._new = old, new

    def to_raw(self, offset: int, *, end: bool) -> int:
        """The offset in the raw text; inside a replaced piece its start, or its end if it is to end a span."""
        return _moved(self._new, self._old, offset, end)

    def from_raw(self, offset: int, *, end: bool) -> int:
        """As `to_raw`, the other way."""
        return _moved(self._old, self._new, offset, end)


def _moved(there: list[tuple[int, int]], here: list[tuple[int, int]], offset: int, end: bool) -> int:
    last = bisect_right(there, offset, key=lambda piece: piece[0]) - 1
    if last < 0:
        return offset
    (first, stop), (start, behind) = there[last], here[last]
    if offset >= stop:
        return behind + offset - stop
    return behind if end and offset > first else start


@dataclass(frozen=True, slots=True)
class _Counting:
    """A way of counting: what is replaced before characters are counted."""

    name: str
    edited: _Edited
    offsets: Offsets


class SourceText:
    """A text with inline.

    Attributes:
        raw: as it stands in the file.
        text: without tags, references decoded.
        usual: its offsets count in the way that the format documents; else ``counting`` says how.
        counting: how they count.
    """

    def __init__(self, raw: str, stated: Iterable[Stated], *, tags: bool, unseen: bool = False) -> None:
        """Find out how offsets count.

        Args:
            raw: the file's text.
            stated: the spans that are to be settled.
            tags: tags count.
            unseen: a byte order mark was there and is gone.
        """
        self.raw = raw
        self._whole = _edited(raw, _TAG, _REFERENCE)
        self.text = self._whole.text
        self._offsets = Offsets(_flat(self.text), unseen)
        ways = [_Counting(name, edited, Offsets(_flat(edited.text), unseen)) for name, edited in _ways(raw, tags)]
        usual = ways[0]
        if len(ways) > 1:
            spans = [(start, end, _flat(surface)) for start, end, surface in stated if surface]
            locations = {way.name: sum(self._exact(way, *span) is not None for span in spans) for way in ways}
            ways.sort(key=lambda way: -locations[way.name])
        self._ways = ways
        self.usual = ways[0] is usual
        self.counting = ways[0].name

    def settle(self, start: int, end: int, surface: str) -> tuple[int, int, str]:
        """The half-open range of ``text`` that a stored span means.

        Args:
            start: as stored.
            end: as stored, exclusive.
            surface: as stored; empty where there is none.

        Returns:
            start, end, and what was done: empty, a way of counting that is not that of the file, or what
            `Offsets.settle` says.

        Raises:
            OffsetError: no way of counting explains it.
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
        raise complaint or OffsetError(f"{start}-{end} is nowhere")

    def _exact(self, way: _Counting, start: int, end: int, surface: str) -> tuple[int, int] | None:
        """The range if the surface, decoded or as it stands in the file, is there without any shift."""
        counted = way.offsets.text
        if not 0 <= start < end <= len(counted):
            return None
        first, stop = self._moved(way, start, end)
        text, length = self._offsets.text, len(surface)  # texts of millions of characters are not cut for nothing
        decoded = stop - first == length and text[first:stop] == surface
        if first < stop and (decoded or (end - start == length and counted[start:end] == surface)):
            return first, stop
        return None

    def _check_length(self, start: int, end: int, surface: str) -> None:
        """Drop a range that neither UTF-16 units nor a shift can bring to the length of its surface."""
        text, length = self._ways[0].offsets.text, len(surface)
        if 0 <= start < end <= len(text) and not length - 2 <= end - start <= 2 * length + 2:
            said, there = surface[:_SHOWN], text[start : min(end, start + _SHOWN)]
            raise OffsetError(f"{start}-{end} is said to be {said!r} but the text there starts with {there!r}")

    def _place(self, way: _Counting, start: int, end: int) -> tuple[int, int]:
        first, stop = self._moved(way, start, end)
        if first >= stop:
            raise OffsetError(f"{start}-{end} covers tags only")
        return first, stop

    def _moved(self, way: _Counting, start: int, end: int) -> tuple[int, int]:
        first = self._whole.from_raw(way.edited.to_raw(start, end=False), end=False)
        return first, self._whole.from_raw(way.edited.to_raw(end, end=True), end=True)


def _edited(raw: str, *patterns: str) -> _Edited:
    """The text with what the patterns find replaced; a reference or line end in a tag goes with the tag."""
    edits: list[_Edit] = []
    for found in re.finditer("|".join(patterns), raw) if patterns else ():
        piece = found.group()
        new = _decoded(piece) if piece[0] == "&" else "\n" if piece[0] == "\r" else ""
        if new != piece:
            edits.append((found.start(), found.end(), new))
    return _Edited(raw, edits)


def _ways(raw: str, tags: bool) -> Iterator[tuple[str, _Edited]]:
    """The ways of counting that differ for this text, the documented one first."""
    removed = () if tags else (_TAG,)
    line_ends, references = "\r\n" in raw, re.search(_REFERENCE, raw) is not None
    yield "references as they stand", _edited(raw, *removed)
    if references:
        yield "references as one character", _edited(raw, *removed, _REFERENCE)
    if line_ends:
        yield "CRLF as one character", _edited(raw, *removed, _LINE_END)
    if references and line_ends:
        yield "references and CRLF as one character", _edited(raw, *removed, _REFERENCE, _LINE_END)


def _flat(text: str) -> str:
    return text.translate(_SPACES)
