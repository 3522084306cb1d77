"""One rule for offsets that come from elsewhere: they are checked against the stored surface, never trusted.

Label Studio, doccano and INCEpTION have all exported UTF-16 units, and a byte order mark, CRLF line ends or bidi marks
that were dropped on the way shift offsets by one or two. What can be proven is mended and said; the rest is refused.
"""

import re
import sys
from bisect import bisect_right
from dataclasses import dataclass, field

_REACH = 2  # characters that a span may be off
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# What is lost or gained on the way without being seen: byte order mark, carriage return, bidi marks and isolates.
_UNSEEN = re.compile("[\ufeff\r\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class OffsetError(ValueError):
    """A span whose place in the text cannot be proven; the message names both strings."""


@dataclass(frozen=True)
class Offsets:
    """A text, and where spans of it lie that somebody else counted.

    Attributes:
        text: as it is read here.
        unseen: the text is known to have lost or gained byte order mark, carriage returns or bidi marks before it came
            here, so a shift is believed although none of them is left in it.
    """

    text: str
    unseen: bool = False
    _astral: list[int] = field(init=False, repr=False, compare=False)
    _first_unseen: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look at the text once for all spans: UTF-16 offsets behind characters of two units, the first unseen mark."""
        ends = [count + found.start() + 1 for count, found in enumerate(_ASTRAL.finditer(self.text), 1)]
        found = _UNSEEN.search(self.text)
        object.__setattr__(self, "_astral", ends)
        object.__setattr__(self, "_first_unseen", found.start() if found else sys.maxsize)

    def settle(self, start: int, end: int, surface: str | None) -> tuple[int, int, str]:
        """The half-open range in code points that a span means.

        Args:
            start: as stored.
            end: as stored, exclusive.
            surface: as stored; None or empty where the format stores none, then offsets inside the text are taken.

        Returns:
            start, end, and what was done: ``""``, ``"UTF-16 units"`` or ``"shifted by N"``.

        Raises:
            OffsetError: outside of the text or empty; or the surface is neither there, nor there in UTF-16 units, nor
                at exactly one place within two characters with a byte order mark, carriage return or bidi mark to
                explain it.
        """
        text = self.text
        if 0 <= start < end <= len(text) and (not surface or text[start:end] == surface):
            return start, end, ""
        if surface:
            if self._astral and (found := self.from_utf16(start, end)) and text[found[0] : found[1]] == surface:
                return *found, "UTF-16 units"
            length = len(surface)  # the end may be off by one alone
            near = range(max(0, start - _REACH), max(0, start + _REACH + 1))
            places = [at for at in near if abs(at + length - end) <= _REACH and text.startswith(surface, at)]
            explained = self.unseen or self._first_unseen < end + _REACH or _UNSEEN.search(surface)
            if len(places) == 1 and explained:
                return places[0], places[0] + length, f"shifted by {places[0] - start}"
        raise OffsetError(self._complaint(start, end, surface))

    def from_utf16(self, start: int, end: int) -> tuple[int, int] | None:
        """A range of UTF-16 units in code points; None if it lies outside of the text or cuts a character."""
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
            said = f" ({_short(surface)})" if surface else ""
            return f"{start}-{end}{said} lies outside the text of {length} code points"
        if not surface:
            return f"{start}-{end} is empty; the end is exclusive"
        return (
            f"{start}-{end} is said to be {_short(surface)} but the text there is {_short(self.text[start:end])}, and "
            "neither UTF-16 units nor a lost byte order mark, CRLF or bidi mark explains it"
        )


def to_utf16(text: str, offset: int) -> int:
    """An offset in code points, in UTF-16 units.

    >>> to_utf16("🙂غزة", 1)
    2
    """
    return offset + len(_ASTRAL.findall(text, 0, offset))


def _short(surface: str) -> str:
    return repr(surface) if len(surface) <= 60 else f"{surface[:60]!r}…"
