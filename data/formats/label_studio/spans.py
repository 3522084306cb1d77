"""Finds the range of a Label Studio region in the text."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from ....errors import shown
from ...problems import ArticleLog
from ..common.offsets import OffsetError, Offsets, trimmed
from .html_text import Page

_MAX_COLLAPSE = 8  # a region may be this many times longer than its surface with collapsed white space
_MAX_OFFSET = 2**31


def find_span(
    item: Mapping[str, Any], offsets: Offsets, page: Page | None, breaks: list[int], log: ArticleLog
) -> tuple[int, int] | None:
    """The range of a region in the text; None, and logged, if its offsets cannot be used.

    Args:
        item: the region.
        offsets: of the text.
        page: the text, if it is that of an HTML page.
        breaks: see `_settled`.
        log: records problems.
    """
    value = item.get("value")
    if not isinstance(value, dict):
        log.drop("wrong kind", f"the value of a region is {shown(value)}, not an object")
        return None
    stored = value.get("text")
    surface = stored if isinstance(stored, str) else ""
    pairs = _pairs(value, page, bool(surface))
    if not pairs:
        log.drop("no offsets", f"region {shown(item.get('id'))} has no offsets in the text; HTML needs 'globalOffsets'")
        return None
    complaint = ""
    for bounds in pairs:
        try:
            start, end, done = _settled(offsets, breaks, *bounds, surface)
        except OffsetError as error:
            complaint = complaint or str(error)
            continue
        if done:
            log.fix(done.split(" by ")[0], f"{bounds[0]}-{bounds[1]} {shown(surface)} is {start}-{end}: {done}")
        return trimmed(offsets.text, start, end, "region", log)
    log.drop("offsets", f"region {shown(item.get('id'))}: {complaint}")
    return None


def _pairs(value: Mapping[str, Any], page: Page | None, has_surface: bool) -> list[tuple[int, int]]:
    """The stored offsets, the surest first; offsets in a page only if there is a surface to check them."""
    pairs: list[tuple[Any, Any]] = [(value.get("start"), value.get("end"))]
    if has_surface or page:
        inner = value.get("globalOffsets")
        pairs += [(inner.get("start"), inner.get("end"))] if isinstance(inner, dict) else []
    if has_surface:
        bounds = [(value.get(key), _number(value.get(f"{key}Offset"))) for key in ("start", "end")]
        inside = [_in_page(page, path, number) for path, number in bounds]
        if None not in inside:
            pairs.append((inside[0], inside[1]))
        elif bounds[0][0] == bounds[1][0]:  # both in the same element of the page
            pairs.append((bounds[0][1], bounds[1][1]))
    numbers = [(_number(first), _number(last)) for first, last in pairs]
    return [(first, last) for first, last in numbers if first is not None and last is not None]


def _in_page(page: Page | None, path: Any, number: int | None) -> int | None:
    """The offset of a character in a page, given its text node and its number there."""
    start = page.offset_of(path) if page and isinstance(path, str) else None
    return None if start is None or number is None else start + number


def _number(stored: Any) -> int | None:
    """An offset; None if it is none."""
    if isinstance(stored, str) and re.fullmatch("[0-9]{1,9}", stored):
        return int(stored)
    return stored if type(stored) is int and abs(stored) < _MAX_OFFSET else None


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
