"""Finds the range of a Label Studio region in the text."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from ....errors import shown
from ...problems import ArticleLog
from ..common.offsets import OffsetError, Offsets, trimmed

_MAX_COLLAPSE = 8  # a region may be this many times longer than its surface with collapsed white space
_MAX_OFFSET = 2**31


def find_span(item: Mapping[str, Any], offsets: Offsets, breaks: list[int], log: ArticleLog) -> tuple[int, int] | None:
    """The range of a region in the text; None, and logged, if its offsets cannot be used."""
    value = item.get("value")
    if not isinstance(value, dict):
        log.drop("wrong kind", f"the value of a region is {shown(value)}, not an object")
        return None
    stored = value.get("text")
    surface = stored if isinstance(stored, str) else ""
    bounds = _bounds(value, bool(surface))
    if bounds is None:
        log.drop("no offsets", f"region {shown(item.get('id'))} has no offsets in the text; HTML needs 'globalOffsets'")
        return None
    try:
        start, end, done = _settled(offsets, breaks, *bounds, surface)
    except OffsetError as error:
        log.drop("offsets", f"region {shown(item.get('id'))}: {error}")
        return None
    if done:
        log.fix(done.split(" by ")[0], f"{bounds[0]}-{bounds[1]} {shown(surface)} is {start}-{end}: {done}")
    return trimmed(offsets.text, start, end, "region", log)


def _bounds(value: Mapping[str, Any], has_surface: bool) -> tuple[int, int] | None:
    """The stored offsets; offsets in a rendered page only if there is a surface to check them."""
    pairs: list[tuple[Any, Any]] = [(value.get("start"), value.get("end"))]
    if has_surface:
        inner = value.get("globalOffsets")
        pairs += [(inner.get("start"), inner.get("end"))] if isinstance(inner, dict) else []
        if value.get("start") == value.get("end"):  # both in the same element of the page
            pairs.append((value.get("startOffset"), value.get("endOffset")))
    for pair in pairs:
        first, last = (int(n) if isinstance(n, str) and re.fullmatch("[0-9]{1,9}", n) else n for n in pair)
        if type(first) is int and type(last) is int and max(abs(first), abs(last)) < _MAX_OFFSET:
            return first, last
    return None


def _settled(offsets: Offsets, breaks: list[int], start: int, end: int, surface: str) -> tuple[int, int, str]:
    """As `Offsets.settle`; also accepts surfaces and line ends as the tool changes them."""
    try:
        return offsets.settle(start, end, surface)
    except OffsetError:
        length, collapsed = len(offsets.text), _collapsed(surface)
        guesses = [((start, end), "white space of the surface"), (offsets.from_utf16(start, end), "UTF-16 units")]
        if breaks:  # browsers may count each line end as one character
            both = [at + bisect_left(breaks, at) for at in (start, end)]
            guesses.append(((both[0], both[1]), "CRLF counted as one"))
        for found, done in guesses:
            if not collapsed or found is None or not 0 <= found[0] < found[1] <= length:
                continue
            wide = found[1] - found[0] > _MAX_COLLAPSE * len(surface)
            if not wide and _collapsed(offsets.text[slice(*found)]) == collapsed:
                return *found, done
        raise


def _collapsed(surface: str) -> str:
    r"""A surface as the tool stores it: line ends as ``\n``, runs of white space as one space."""
    return " ".join(surface.replace("\\n", " ").split())
