"""Checking the offsets of other tools against the surfaces that they store.

Label Studio, doccano and INCEpTION have all exported offsets in UTF-16 units. A byte order mark, CRLF line ends or bidi
marks that got lost shift offsets by one or two. Offsets are fixed where the surface confirms it; others are rejected.
"""

import re
import sys
from bisect import bisect_right
from dataclasses import dataclass, field

from ....errors import shown
from ...problems import ArticleLog
from ...text.words import trim

_REACH = 2  # largest shift, in characters
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# Characters that tools add or remove silently: byte order mark, carriage return, bidi marks and isolates.
_INVISIBLE = re.compile("[\ufeff\r\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class OffsetError(ValueError):
    """Offsets that the surface does not confirm; the message has the surface and the text at the offsets."""


@dataclass(frozen=True)
class Offsets:
    """Maps the offsets of another tool to a text.

    Attributes:
        text: the text that the result refers to.
        unseen: invisible characters were added or removed before the text was read, so a shift is accepted although the
            text has none.
    """

    text: str
    unseen: bool = False
    _astral: list[int] = field(init=False, repr=False, compare=False)
    _first_invisible: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find, once for all spans, where characters of two UTF-16 units end and where the first invisible one is."""
        ends = [count + found.start() + 1 for count, found in enumerate(_ASTRAL.finditer(self.text), 1)]
        found = _INVISIBLE.search(self.text)
        object.__setattr__(self, "_astral", ends)
        object.__setattr__(self, "_first_invisible", found.start() if found else sys.maxsize)

    def settle(self, start: int, end: int, surface: str | None) -> tuple[int, int, str]:
        """The range of a stored span in code points.

        Args:
            start: stored offset.
            end: stored offset, exclusive.
            surface: stored surface; with None or an empty one, offsets inside the text are accepted unchecked.

        Returns:
            start, end (exclusive), and the fix: ``""``, ``"UTF-16 units"`` or ``"shifted by N"``.

        Raises:
            OffsetError: the range is empty or outside the text. Or the surface is not at the offsets, not there in
                UTF-16 units, and not at exactly one place within two characters with an invisible character that
                explains the shift.
        """
        text = self.text
        if 0 <= start < end <= len(text) and (not surface or text[start:end] == surface):
            return start, end, ""
        if surface:
            if self._astral and (found := self.from_utf16(start, end)) and text[found[0] : found[1]] == surface:
                return *found, "UTF-16 units"
            length = len(surface)  # start and end may have different shifts
            near = range(max(0, start - _REACH), max(0, start + _REACH + 1))
            places = [at for at in near if abs(at + length - end) <= _REACH and text.startswith(surface, at)]
            explained = self.unseen or self._first_invisible < end + _REACH or _INVISIBLE.search(surface)
            if len(places) == 1 and explained:
                return places[0], places[0] + length, f"shifted by {places[0] - start}"
        raise OffsetError(self._complaint(start, end, surface))

    def from_utf16(self, start: int, end: int) -> tuple[int, int] | None:
        """A range in UTF-16 units as code points; None if it is empty, outside the text or splits a character."""
        if not 0 <= start < end <= len(self.text) + len(self._astral):
            return None
        low, high = self._code_point(start), self._code_point(end)
        return None if low is None or high is None else (low, high)

    def _code_point(self, units: int) -> int | None:
        passed = bisect_right(self._astral, units)
        inside = passed < len(self._astral) and self._astral[passed] - units == 1
        return None if inside else units - passed

    def _complaint(self, start: int, end: int, surface: str | None) -> str:
        length = len(self.text)
        if not 0 <= start <= end <= length:
            what = f" ({shown(surface)})" if surface else ""
            return f"{start}-{end}{what} is outside the text of {length} code points"
        if not surface:
            return f"{start}-{end} is empty; the end is exclusive"
        return (
            f"{start}-{end} has the surface {shown(surface)} but the text there is {shown(self.text[start:end])}, and "
            "neither UTF-16 units nor a lost byte order mark, CRLF or bidi mark explains it"
        )


def to_utf16(text: str, offset: int) -> int:
    """An offset in code points as UTF-16 units.

    >>> to_utf16("🙂غزة", 1)
    2
    """
    return offset + len(_ASTRAL.findall(text, 0, offset))


def trimmed(text: str, start: int, end: int, label: str, log: ArticleLog) -> tuple[int, int] | None:
    """A range without white space at its edges, which is logged; None if nothing is left.

    ``label`` names the span in messages.
    """
    if not (text[start].isspace() or text[end - 1].isspace()):
        return start, end
    first, last = trim(text, start, end)
    what = f"{label} {start}-{end} {shown(text[start:end])}"
    if first == last:
        log.drop("empty span", f"{what} covers only white space; mark a word")
        return None
    log.fix("white space at an edge", f"{what} is read as {first}-{last} {shown(text[first:last])}")
    return first, last
