"""Checking the offsets of other tools against the surfaces that they store.

Label Studio, doccano and INCEpTION have all exported offsets in UTF-16 units. A byte order mark, CRLF line ends or bidi
marks that got lost shift offsets by one or two. Other tools count bytes or squeezed white space, store the surface in
another normal form, or widen the range to whole words. Offsets are fixed where the surface confirms one place; if it
confirms two or none, they are rejected.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from unicodedata import normalize

from ....errors import shown
from ...problems import ArticleLog
from ...text.words import trim
from .counting import Counting, countings, grapheme_clusters
from .moved_spans import FEWEST, Stored, moved_spans

_REACH = 2  # largest shift, in characters
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# Characters that tools add or remove silently: byte order mark, carriage return, bidi marks and isolates.
_INVISIBLE = re.compile("[\ufeff\r\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_JOINERS = re.compile(f"{_INVISIBLE.pattern}|[\u200b-\u200d\u2060\u00ad]")
_LONGEST_REST = 60  # code points of the words at the edges of a range that may lie outside the surface
_RIVAL = 10  # code points around stored offsets in which another place of the surface may be the right one
_STRETCH = 8  # a range may be this many times longer than its surface


class OffsetError(ValueError):
    """Offsets that the surface does not confirm; the message has the surface and the text at the offsets."""


@dataclass(frozen=True)
class Offsets:
    """Maps the offsets of another tool to a text.

    Attributes:
        text: the text that the result refers to.
        unseen: invisible characters were added or removed before the text was read, so a shift is accepted although the
            text has none.
        moved: where spans went when text was replaced after annotation; from `with_all`.
    """

    text: str
    unseen: bool = False
    moved: Mapping[Stored, int | None] = field(default_factory=dict, repr=False)
    _astral: list[int] = field(init=False, repr=False, compare=False)
    _first_invisible: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find, once for all spans, where characters of two UTF-16 units end and where the first invisible one is."""
        ends = [count + found.start() + 1 for count, found in enumerate(_ASTRAL.finditer(self.text), 1)]
        found = _INVISIBLE.search(self.text)
        object.__setattr__(self, "_astral", ends)
        object.__setattr__(self, "_first_invisible", found.start() if found else sys.maxsize)

    def with_all(self, spans: Iterable[Stored]) -> "Offsets":
        """Offsets that also know where the spans of the whole article went when text between them was replaced.

        They are unchanged unless two spans are not proven without that: offsets in UTF-16 units look like replaced text
        too, and one span alone shows no replacement.

        Args:
            spans: stored start, end and surface of every span of the article.
        """
        spans = list(spans)
        if sum(not (self._confirmed(*span) or self._is_proven(*span)) for span in spans) < FEWEST:
            return self
        return replace(self, moved=moved_spans(self.text, spans))

    def settle(self, start: int, end: int, surface: str | None) -> tuple[int, int, str]:
        """The range of a stored span in code points.

        Args:
            start: stored offset.
            end: stored offset, exclusive.
            surface: stored surface; with None or an empty one, offsets inside the text are accepted unchecked.

        Returns:
            start, end (exclusive), and the fix: ``""`` for none, else what was counted or changed, such as ``"UTF-16
            units"`` or ``"shifted by N"``.

        Raises:
            OffsetError: the range is empty or outside the text. Or the surface confirms no place, or several: it is not
                at the offsets in any way of counting or normal form, not at exactly one place within two characters
                with an invisible character that explains the shift, not the words at the offsets or a part of them,
                and not where the other spans of the article show that it went (see `with_all`).
        """
        text = self.text
        moved = self.moved.get((start, end, surface), start) if surface else start
        if moved == start and 0 <= start < end <= len(text) and (not surface or text[start:end] == surface):
            return start, end, ""
        if surface:
            if moved != start:
                if moved is not None:
                    return moved, moved + len(surface), f"text replaced before it: shifted by {moved - start}"
                raise OffsetError(self._complaint(start, end, surface))
            if found := self._at_offsets(start, end, surface) or self._near(start, end, surface):
                return found
            places: dict[tuple[int, int], tuple[int, int, str]] = {}
            for low, high, way in self._elsewhere(start, end, surface):
                places.setdefault(trim(text, low, high), (low, high, way))
            if len(places) == 1:
                return next(iter(places.values()))
            if places:
                listed = ", ".join(f"{low}-{high}" for low, high in sorted(places))
                raise OffsetError(f"{start}-{end} has the surface {shown(surface)}, which may be at {listed}")
        raise OffsetError(self._complaint(start, end, surface))

    def _is_proven(self, start: int, end: int, surface: str) -> bool:
        try:
            self.settle(start, end, surface)
        except OffsetError:
            return False
        return True

    def _confirmed(self, start: int, end: int, surface: str) -> bool:
        return start >= 0 and end - start == len(surface) and self.text.startswith(surface, start)

    def _at_offsets(self, start: int, end: int, surface: str) -> tuple[int, int, str] | None:
        """The stored range or that in UTF-16 units, if the text there is the surface or another form of it."""
        units = self.from_utf16(start, end) if self._astral else None
        if units and self.text[slice(*units)] == surface:
            return *units, "UTF-16 units"
        if difference := self._difference(start, end, surface):
            return start, end, difference
        return (*units, "UTF-16 units") if units and self._difference(*units, surface) else None

    def _difference(self, start: int, end: int, surface: str) -> str:
        """How the text of a range differs from the surface, if they are the same text otherwise; else empty."""
        if not 0 <= start < end <= len(self.text) or end - start > _STRETCH * len(surface):
            return ""
        one, two = self.text[start:end], surface
        if one == two:
            return "none"
        one, two = (" ".join(form.split()) for form in (one, two))
        if one == two and one:
            return "white space of the surface"
        one, two = normalize("NFKC", one), normalize("NFKC", two)
        if one == two and one:
            return "another normal form"
        one, two = _JOINERS.sub("", one), _JOINERS.sub("", two)
        return "invisible characters of the surface" if one == two and one else ""

    def _near(self, start: int, end: int, surface: str) -> tuple[int, int, str] | None:
        """The only place within two characters, if an invisible character explains the shift."""
        length = len(surface)  # start and end may have different shifts
        near = range(max(0, start - _REACH), max(0, start + _REACH + 1))
        places = [at for at in near if abs(at + length - end) <= _REACH and self.text.startswith(surface, at)]
        explained = self.unseen or self._first_invisible < end + _REACH or _INVISIBLE.search(surface)
        if len(places) == 1 and explained:
            return places[0], places[0] + length, f"shifted by {places[0] - start}"
        return None

    @cached_property
    def _countings(self) -> tuple[Counting, ...]:
        return countings(self.text)

    def _elsewhere(self, start: int, end: int, surface: str) -> Iterator[tuple[int, int, str]]:
        """The places of the surface in other ways of counting, and by whole words."""
        for counting in self._countings:
            place = counting.place(start, end)
            if place and self._same_edges(*place, surface) and self._difference(*place, surface):
                same = self.text[slice(*place)] if end - start == place[1] - place[0] else surface
                if not self._has_rival(start, place[0], same):
                    yield *place, counting.name
        if 0 <= start < end <= len(self.text):
            yield from self._in_words(start, end, surface)

    def _has_rival(self, stored: int, start: int, surface: str) -> bool:
        """Whether a surface also stands elsewhere, as near to the stored offset as its place or nearly so.

        A count that differs only before a span may fit by chance where a text repeats itself.
        """
        reach = max(_RIVAL, abs(start - stored))
        near = range(max(0, stored - reach), stored + reach + 1)
        return any(at != start and self.text.startswith(surface, at) for at in near)

    def _same_edges(self, start: int, end: int, surface: str) -> bool:
        first, last = self.text[start], self.text[end - 1]
        return first.isspace() == surface[0].isspace() and last.isspace() == surface[-1].isspace()

    def _in_words(self, start: int, end: int, surface: str) -> Iterator[tuple[int, int, str]]:
        """The surface inside a range of whole words, and the whole words around the range if they are the surface."""
        text, length = self.text, len(surface)
        if abs(end - start - length) > _LONGEST_REST:
            return
        wider = end - start > length
        first, last = (start, end) if wider else (max(0, end - length), start + length)
        at = text.find(surface, first, last)
        while at >= 0:
            stop = at + length
            if wider and not _has_space(text[start:at] + text[stop:end]):
                yield at, stop, "range of whole words"
            whole = not any(text[i - 1 : i + 1].isalnum() for i in (at, stop) if 0 < i < len(text))
            if not wider and whole and not _has_space(text[at:start] + text[end:stop]):
                yield at, stop, "range inside the words of the surface"
            at = text.find(surface, at + 1, last)

    def from_utf16(self, start: int, end: int) -> tuple[int, int] | None:
        """A range in UTF-16 units as code points; None if it is empty, outside the text or splits a character."""
        if not 0 <= start < end <= len(self.text) + len(self._astral):
            return None
        low, high = self._code_point(start), self._code_point(end)
        return None if low is None or high is None else (low, high)

    def from_graphemes(self, start: int, end: int) -> tuple[int, int] | None:
        """A range in grapheme clusters as code points; None if it is empty or outside the text."""
        return self._clusters.place(start, end)

    def is_inside_cluster(self, offset: int) -> bool:
        """Whether an offset in code points is inside a grapheme cluster, as before a diacritic or between CR and LF."""
        return not self._clusters.is_edge(offset)

    @cached_property
    def _clusters(self) -> Counting:
        return grapheme_clusters(self.text)

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
    """A range without white space and invisible characters at its edges, logged; None if nothing is left.

    ``label`` names the span in messages.
    """
    first, last = trim(text, start, end)
    if (first, last) == (start, end):
        return start, end
    what = f"{label} {start}-{end} {shown(text[start:end])}"
    if first == last:
        log.drop("empty span", f"{what} covers only white space or invisible characters; mark a word")
        return None
    edges = text[start:first] + text[last:end]
    cause = "white space at an edge" if _has_space(edges) else "invisible character at an edge"
    signs = ", ".join(f"U+{ord(sign):04X}" for sign in dict.fromkeys(edges) if not sign.isspace())
    without = f" without {signs}" if signs else ""
    log.fix(cause, f"{what} is read as {first}-{last} {shown(text[first:last])}{without}")
    return first, last


def _has_space(text: str) -> bool:
    return any(sign.isspace() for sign in text)
