"""Finds the fragments of a text-bound annotation in the text, checked against its surface."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product

from ..common.offsets import OffsetError, Offsets
from .names import BREAKS

Range = tuple[int, int]
"""Start and end (exclusive)."""

_BLANKS = {ord(sign): " " for sign in BREAKS}


@dataclass(frozen=True, slots=True)
class TextVariant:
    """The text as another tool counts it, with line breaks and tabs replaced by spaces.

    Attributes:
        name: the difference to the text, as the log states it; empty if there is none.
        offsets: maps offsets to the variant.
        back: maps an offset in the variant to the text.
    """

    name: str
    offsets: Offsets
    back: Callable[[int], int]


def text_variants(text: str, bom: bool) -> list[TextVariant]:
    """The variants of a text that offsets may refer to, the most likely first.

    Args:
        text: the text without the byte order mark of its file.
        bom: the file has a byte order mark.
    """
    flat = text.translate(_BLANKS)
    found = [TextVariant("", Offsets(flat, unseen=bom or "\r" in text), lambda at: at)]
    if bom:
        found.append(TextVariant("byte order mark counted", Offsets(f"\ufeff{flat}"), lambda at: max(0, at - 1)))
    if "\r\n" in text:
        breaks = [found.start() - count for count, found in enumerate(re.finditer("\r\n", text))]
        short = Offsets(text.replace("\r\n", "\n").translate(_BLANKS), unseen=bom)
        found.append(TextVariant("CRLF counted as one", short, lambda at: at + bisect_left(breaks, at)))
    return found


def with_all(variants: list[TextVariant], stored: Iterable[tuple[list[Range], str | None]]) -> list[TextVariant]:
    """Variants that also know where all mentions of a file went if text was replaced after annotation.

    Args:
        variants: from `text_variants`.
        stored: ranges and surface of each mention.
    """
    spans = [
        (*place, piece)
        for places, surface in stored
        if all(start <= end for start, end in places)  # `settle` refuses the others
        for place, piece in zip(places, _pieces(places, surface)[0], strict=True)
        if piece
    ]
    first, *others = variants
    return [replace(first, offsets=first.offsets.with_all(spans)), *others]


def settle(places: list[Range], surface: str | None, variants: list[TextVariant]) -> tuple[list[Range], str]:
    """Find the fragments of a text-bound annotation.

    Args:
        places: stored ranges.
        surface: stored surface, fragments joined by one space; None or blank if the file has none.
        variants: from `text_variants`.

    Returns:
        ranges in code points, and the fix, ``""`` for none.

    Raises:
        OffsetError: the surface is at the ranges in no variant of the text.
    """
    if backwards := next((place for place in places if place[0] > place[1]), None):
        raise OffsetError(f"{backwards[0]}-{backwards[1]} ends before it starts")
    error = OffsetError("")
    proven: tuple[list[Range], str] | None = None  # by another difference than that of the variant
    for pieces, variant in product(_pieces(places, surface), variants):
        try:
            settled = [variant.offsets.settle(*place, piece) for place, piece in zip(places, pieces, strict=True)]
        except OffsetError as raised:
            error = error if str(error) else raised
            continue
        found = [(variant.back(start), variant.back(end)) for start, end, _ in settled]
        ends = [0, *(end for _, end in found)]
        if all(before <= start < end for before, (start, end) in zip(ends, found, strict=False)):
            done = next((done for _, _, done in settled if done), "")
            if not done:
                return found, variant.name
            proven = proven or (found, done)
    if proven:
        return proven
    raise error if str(error) else OffsetError(f"{places[0][0]}-{places[-1][1]} is empty, or its fragments overlap")


def _pieces(places: list[Range], surface: str | None) -> list[list[str | None]]:
    """The surface of each fragment, in the ways in which it may be stored.

    brat joins fragments by one space, and more text may follow the last.
    """
    surface = (surface or "").translate(_BLANKS)
    if not surface.strip():
        return [[None] * len(places)]
    lengths = [end - start for start, end in places]
    total = sum(lengths) + len(lengths) - 1
    whole = surface
    if len(surface) > total and surface[total].isspace():
        surface = surface[:total]
    if len(places) == 1:
        return [[found] for found in dict.fromkeys((surface, whole)) if found.strip()]
    inner = Offsets(surface)
    in_units = len(surface) < total
    pieces, at = [], 0
    for length in lengths:
        cut = inner.from_utf16(at, at + length) if in_units else (at, at + length)
        pieces.append(surface[slice(*cut)] if cut and cut[0] < len(surface) else surface)
        at += length + 1
    return [pieces]
