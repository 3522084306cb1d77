"""Spans of a text in which something was replaced after annotation, such as three dots by an ellipsis."""

import sys
from collections.abc import Iterable

Stored = tuple[int, int, str]
"""Stored start, end (exclusive) and surface of a span."""

FEWEST = 2
"""Spans that must have moved: one alone may be a mistake."""
_LONGEST = 200_000  # code points of a text that is searched
_MOST = 1_000  # spans that are searched


def moved_spans(text: str, spans: Iterable[Stored]) -> dict[Stored, int | None]:
    """Where the spans of an article went when text between them was replaced.

    Each replacement moves what follows by the same number of characters. So along the text the shift only grows, or
    only shrinks, and the order of the spans stays the same. Surfaces that are in the text once give the shifts; a
    surface that is there several times is found if one of its places fits the shifts before and after it.

    Args:
        text: the text after the replacement.
        spans: all spans of the article, those at their stored offsets included.

    Returns:
        stored span → its start in the text; None if its stored offsets cannot be right and several places, or none,
        fit. Empty unless the shifts only grow or shrink and at least two spans moved.
    """
    ordered = sorted({(start, end, surface) for start, end, surface in spans if surface})
    if len(text) > _LONGEST or not FEWEST <= len(ordered) <= _MOST:
        return {}
    shifts = {span: only - span[0] for span in ordered if (only := _only_place(text, span[2])) is not None}
    known = list(shifts.values())
    if sum(shift != 0 for shift in known) < FEWEST:
        return {}
    sign = 1 if known[-1] > 0 else -1
    places = [span[0] + shift for span, shift in shifts.items()]
    growth = [0, *(sign * shift for shift in known)]
    if places != sorted(places) or growth != sorted(growth):
        return {}
    found: dict[Stored, int | None] = {}
    least = 0
    for position, span in enumerate(ordered):
        if span in shifts:
            least = sign * shifts[span]
            if shifts[span]:
                found[span] = span[0] + shifts[span]
            continue
        later = (sign * shifts[other] for other in ordered[position:] if other in shifts)
        fitting = _fitting(text, span, sign, least, next(later, sys.maxsize))
        if len(fitting) == 1 and fitting[0] != span[0]:
            found[span] = fitting[0]
        elif span[0] not in fitting:
            found[span] = None
    return found


def _only_place(text: str, surface: str) -> int | None:
    """Where a surface is in a text; None if it is not there, or several times."""
    first = text.find(surface)
    return first if first >= 0 and text.find(surface, first + 1) < 0 else None


def _fitting(text: str, span: Stored, sign: int, least: int, most: int) -> list[int]:
    """The places of a surface whose shift lies in a range; no more than two."""
    start, _, surface = span
    low, high = sorted((start + sign * least, start + sign * most))
    found: list[int] = []
    at = text.find(surface, max(0, low))
    while 0 <= at <= high and len(found) < 2:
        found.append(at)
        at = text.find(surface, at + 1)
    return found
