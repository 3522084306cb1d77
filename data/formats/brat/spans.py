"""Where the mentions of a brat file lie in the text, proven by their surfaces."""

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from ..common.offsets import OffsetError, Offsets
from .names import BREAKS

Place = tuple[int, int]

_BLANKS = {ord(sign): " " for sign in BREAKS}


@dataclass(frozen=True, slots=True)
class View:
    """A way in which other tools count the text, with every line break and tab a space."""

    name: str
    offsets: Offsets
    back: Callable[[int], int]


def views(text: str, bom: bool) -> list[View]:
    """The ways in which a text may have been counted, the likeliest first.

    Args:
        text: without the byte order mark of its file.
        bom: its file had one.
    """
    flat = text.translate(_BLANKS)
    found = [View("", Offsets(flat, unseen=bom or "\r" in text), lambda at: at)]
    if bom:
        found.append(View("byte order mark counted", Offsets(f"\ufeff{flat}"), lambda at: max(0, at - 1)))
    if "\r\n" in text:
        breaks = [found.start() - count for count, found in enumerate(re.finditer("\r\n", text))]
        short = Offsets(text.replace("\r\n", "\n").translate(_BLANKS), unseen=bom)
        found.append(View("CRLF counted as one", short, lambda at: at + bisect_left(breaks, at)))
    return found


def settle(places: list[Place], surface: str | None, ways: list[View]) -> tuple[list[Place], str]:
    """Find the fragments of a mention.

    Args:
        places: half-open ranges as stored.
        surface: as stored, fragments joined by one space; None or blank where the file has none.
        ways: of counting, from `views`.

    Returns:
        half-open ranges of code points, and what was done to get them, ``""`` for nothing.

    Raises:
        OffsetError: no way of counting proves them.
    """
    if backwards := next((place for place in places if place[0] > place[1]), None):
        raise OffsetError(f"{backwards[0]}-{backwards[1]} ends before it starts")
    pieces = _pieces(places, surface)
    error = OffsetError("")
    for view in ways:
        try:
            settled = [view.offsets.settle(*place, piece) for place, piece in zip(places, pieces, strict=True)]
        except OffsetError as raised:
            error = error if str(error) else raised
            continue
        found = [(view.back(start), view.back(end)) for start, end, _ in settled]
        ends = [0, *(end for _, end in found)]
        if all(before <= start < end for before, (start, end) in zip(ends, found, strict=False)):
            return found, next((said for _, _, said in settled if said), view.name)
    raise error if str(error) else OffsetError(f"{places[0][0]}-{places[-1][1]} holds nothing, or its parts overlap")


def _pieces(places: list[Place], surface: str | None) -> list[str | None]:
    """The surface of each fragment; brat puts one space between them, and more may follow behind the last."""
    surface = (surface or "").translate(_BLANKS)
    if not surface.strip():
        return [None] * len(places)
    lengths = [end - start for start, end in places]
    total = sum(lengths) + len(lengths) - 1
    if len(surface) > total and surface[total].isspace():
        surface = surface[:total]
    if len(places) == 1:
        return [surface]
    inner = Offsets(surface)
    in_units = len(surface) < total
    pieces, at = [], 0
    for length in lengths:
        cut = inner.from_utf16(at, at + length) if in_units else (at, at + length)
        pieces.append(surface[slice(*cut)] if cut and cut[0] < len(surface) else surface)
        at += length + 1
    return pieces
