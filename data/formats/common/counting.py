"""Ways in which tools count offsets: grapheme clusters, bytes, squeezed white space, another normal form.

Source of grapheme clusters: Unicode Standard Annex 29, extended grapheme clusters, as the `regex` package finds them.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import category, normalize

import regex

_CLUSTER = regex.compile(r"\X", regex.DOTALL)
_SIGN = regex.compile(r".", regex.DOTALL)


@dataclass(frozen=True, slots=True)
class Counting:
    """A text in segments, each of which counts some units.

    Attributes:
        name: what is counted, as the log states it.
        ends: end of each segment in code points, after a first 0.
        units: units up to there.
    """

    name: str
    ends: "array[int]"
    units: "array[int]"

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """A range in units as code points; None if it is empty, outside the text or splits a segment.

        Segments that count nothing stay outside at both edges.
        """
        if not 0 <= start < end <= self.units[-1]:
            return None
        first, last = bisect_right(self.units, start) - 1, bisect_left(self.units, end)
        if self.units[first] != start or self.units[last] != end:
            return None
        return self.ends[first], self.ends[last]

    def is_edge(self, offset: int) -> bool:
        """Whether a segment ends at an offset in code points."""
        return self.ends[bisect_right(self.ends, offset) - 1] == offset

    def units_at(self, offset: int) -> int:
        """An offset in code points as units; that of the segment before if it is inside one."""
        return self.units[bisect_right(self.ends, offset) - 1]


def _counting(name: str, segments: "regex.Pattern[str]", count: Callable[[str, int], int]) -> Callable[[str], Counting]:
    """A function from a text to its `Counting`; ``count`` gets a segment and where it starts."""

    def counted(text: str) -> Counting:
        ends, units = array("q", [0]), array("q", [0])
        for found in segments.finditer(text):
            ends.append(found.end())
            units.append(units[-1] + count(found.group(), found.start()))
        return Counting(name, ends, units)

    return counted


grapheme_clusters = _counting("grapheme clusters counted", _CLUSTER, lambda segment, at: 1)

_SQUEEZED = regex.compile(r"\s+|\S")
_LINE_ENDS = regex.compile(r"\r\n|.", regex.DOTALL)
_LEADING = regex.compile(r"\A\s+|.", regex.DOTALL)

_WAYS = (
    _counting("CRLF counted as one", _LINE_ENDS, lambda segment, at: 1),
    grapheme_clusters,
    _counting("squeezed white space counted", _SQUEEZED, lambda segment, at: 1),
    _counting("squeezed white space counted", _SQUEEZED, lambda segment, at: int(at > 0 or not segment.isspace())),
    _counting(
        "white space at the start not counted", _LEADING, lambda segment, at: int(at > 0 or not segment.isspace())
    ),
    _counting("UTF-8 bytes counted", _SIGN, lambda sign, at: len(sign.encode("utf-8", "surrogatepass"))),
    _counting("another normal form counted", _CLUSTER, lambda cluster, at: len(normalize("NFD", cluster))),
    _counting("another normal form counted", _CLUSTER, lambda cluster, at: len(normalize("NFC", cluster))),
    _counting("invisible characters not counted", _SIGN, lambda sign, at: int(category(sign) != "Cf")),
)
_LONGEST = 200_000  # code points of a text that all ways are tried on


def countings(text: str) -> tuple[Counting, ...]:
    """All ways in which the offsets of a text may have been counted; none for a very long text."""
    return tuple(count(text) for count in _WAYS) if len(text) <= _LONGEST else ()
