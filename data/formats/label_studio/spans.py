"""Finds the range of a Label Studio region in the text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ....errors import shown
from ...problems import ArticleLog
from ..common.offsets import OffsetError, Offsets, trimmed
from .html_text import HtmlPage

_MAX_OFFSET = 2**31


@dataclass(frozen=True, slots=True)
class Places:
    """The places of regions in a text.

    Attributes:
        offsets: of the text.
        page: the text, if it is that of an HTML page.
    """

    offsets: Offsets
    page: HtmlPage | None

    @classmethod
    def of(cls, text: str | HtmlPage, regions: Iterable[Mapping[str, Any]]) -> "Places":
        """The places in a text, given all regions of it."""
        page = text if isinstance(text, HtmlPage) else None
        offsets = Offsets(text.text if isinstance(text, HtmlPage) else text)
        spans = [(*pairs[0], surface) for surface, pairs in (_stored(item, page) for item in regions) if pairs]
        return cls(offsets.with_all(spans), page)


def _stored(item: Mapping[str, Any], page: HtmlPage | None) -> tuple[str, list[tuple[int, int]]]:
    """The surface of a region, empty if it has none, and its offsets."""
    value = item.get("value")
    if not isinstance(value, dict):
        return "", []
    surface = stored if isinstance(stored := value.get("text"), str) else ""
    return surface, _pairs(value, page, bool(surface))


def find_span(item: Mapping[str, Any], places: Places, log: ArticleLog) -> tuple[int, int] | None:
    """The range of a region in the text; None, and logged, if its offsets cannot be used."""
    value = item.get("value")
    if not isinstance(value, dict):
        log.drop("wrong kind", f"the value of a region is {shown(value)}, not an object")
        return None
    offsets = places.offsets
    surface, pairs = _stored(item, places.page)
    if not pairs:
        log.drop("no offsets", f"region {shown(item.get('id'))} has no offsets in the text; HTML needs 'globalOffsets'")
        return None
    complaint = ""
    for bounds in pairs:
        try:
            start, end, done = _settled(offsets, *bounds, surface)
        except OffsetError as error:
            complaint = complaint or str(error)
            continue
        if done:
            log.fix(
                done.split(" by ")[0].split(":")[0],
                f"{bounds[0]}-{bounds[1]} {shown(surface)} is {start}-{end}: {done}",
            )
        return trimmed(offsets.text, start, end, "region", log)
    log.drop("offsets", f"region {shown(item.get('id'))}: {complaint}")
    return None


def _pairs(value: Mapping[str, Any], page: HtmlPage | None, has_surface: bool) -> list[tuple[int, int]]:
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


def _in_page(page: HtmlPage | None, path: Any, number: int | None) -> int | None:
    """The offset of a character in a page, given its text node and its number there."""
    start = page.offset_of(path) if page and isinstance(path, str) else None
    return None if start is None or number is None else start + number


def _number(stored: Any) -> int | None:
    """An offset; None if it is none."""
    if isinstance(stored, str) and re.fullmatch("[0-9]{1,9}", stored):
        return int(stored)
    return stored if type(stored) is int and abs(stored) < _MAX_OFFSET else None


def _settled(offsets: Offsets, start: int, end: int, surface: str) -> tuple[int, int, str]:
    r"""As `Offsets.settle`; also accepts ``\n`` for line ends in a surface, as older versions store it."""
    try:
        return offsets.settle(start, end, surface)
    except OffsetError:
        unescaped = surface.replace("\\n", "\n")
        if unescaped == surface:
            raise
        first, last, done = offsets.settle(start, end, unescaped)
        return first, last, done or "white space of the surface"
