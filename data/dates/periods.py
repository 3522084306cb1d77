"""Weeks, months, years, seasons, decades and spans of time, by their distance from the publication date."""

from collections.abc import Sequence
from datetime import date

from . import names
from .absolute import Anchor, direction_of
from .calendar import DateValue, century, day, decade, interval, moved, period, unknown
from .numbers import cardinal, ordinal

NEARLY = frozenset("نحو حوالي اكثر من اقل ما يقارب قرابه زهاء بضع قبل".split())
_DECADES = {
    name + ending: ten
    for ten, name in zip(range(20, 100, 10), "عشرين ثلاثين اربعين خمسين ستين سبعين ثمانين تسعين".split(), strict=True)
    for ending in ("يات", "ات")
}


def ago(words: list[str], anchor: Anchor) -> DateValue | None:
    """``قبل ثلاثة أيام``, ``منذ أسبوعين``, ``بعد شهر``."""
    if words[0] not in ("قبل", "منذ", "بعد") or anchor.published is None:
        return None
    amount = counted([word for word in words[1:] if word not in NEARLY])
    if amount is None:
        return None
    count, unit = amount
    if count is None:
        return unknown("indefinite")
    sign = 1 if words[0] == "بعد" else -1
    if unit == "hour":
        unit, count = "day", count // 24
    place = moved(anchor.published, "day" if unit == "minute" else unit, sign * count * (unit != "minute"))
    rule = "after the publication date" if sign > 0 else "before the publication date"
    if place is None:
        return unknown("out of range")
    if unit == "week" and count == 1:
        return day(place, rule)
    return period("year" if unit in ("decade", "century") else unit, place, rule)


def counted(words: Sequence[str]) -> tuple[int | None, str] | None:
    """A number of units, as ``ثلاثة أيام``, ``يومين``, ``يوم واحد``; the number is None for ``أيام``."""
    if not words:
        return None
    number = cardinal(words) if words[0] not in names.UNITS else None
    count, at = number or (None, 0)
    unit = names.UNITS.get(words[at]) if at < len(words) else None
    if unit is None:
        return None
    rest = list(words[at + 1 :])
    if rest and rest[0] in ("واحد", "واحده", "كامل", "كامله", "كاملا", "اثنين", "كاملين"):
        rest = rest[1:]
    if rest:
        return None
    if count is None:
        count = 2 if words[at] in names.DUALS else None if words[at] in names.PLURALS else 1
    return count, unit


def relative_period(words: list[str], anchor: Anchor) -> DateValue | None:
    """``الأسبوع الماضي``, ``نهاية العام``, ``هذا الشهر``, ``الأيام الثلاثة الماضية``."""
    if anchor.published is None:
        return None
    rest = list(words)
    shift: int | None = None
    if rest[0] in ("هذا", "هذه"):
        rest, shift = rest[1:], 0
    count = None
    if rest and (found := cardinal(rest)) and rest[0] not in names.UNITS:  # "24 ساعة الماضية"
        count, rest = found[0], rest[found[1] :]
    if not rest:
        return None
    unit = names.UNITS.get(rest[0].removeprefix("ال"))
    if unit is None or (count is None and not rest[0].startswith("ال")):
        return None
    dual, plural = rest[0].removeprefix("ال") in names.DUALS, rest[0].removeprefix("ال") in names.PLURALS
    tail = [word for word in rest[1:] if word not in ("الماليه", "الميلادي", "الدراسي")]
    inner = [word.removeprefix("ال") for word in tail]
    if inner and (found := cardinal(inner)):
        count, tail = found[0], tail[found[1] :]
    count = 2 if dual else count
    if tail == ["قبل", tail[-1]] and tail[-1] in names.PAST if tail else False:
        shift = -2
    elif tail == ["الجديد"] or tail == ["الجديده"]:
        shift = 1 if anchor.published.month > 6 else 0
    elif len(tail) == 1 and (direction := direction_of(tail[0])) is not None:
        shift = direction
    elif tail:
        return None
    if plural or dual or count is not None:
        return _several(unit, count, shift, anchor.published)
    if unit in ("minute", "hour", "day"):
        return None
    place = moved(anchor.published, unit, shift or 0)
    rule = "period from the publication date" if shift is not None else "period of the publication date"
    return period(unit, place, rule) if place else None


def _several(unit: str, count: int | None, shift: int | None, published: date) -> DateValue | None:
    """The last or the next days, months or years, up to the publication date or from it."""
    if shift is None or shift == 0:
        return None
    if count is None:
        return unknown("indefinite")
    if unit == "hour":
        unit, count = "day", max(1, count // 24)
    other = moved(published, unit, shift * count)
    return interval(min(other, published), max(other, published), "several units") if other else None


def season(words: list[str], anchor: Anchor) -> DateValue | None:
    """``صيف 2014``, ``الشتاء الماضي``, ``هذا الخريف``."""
    rest = [word for word in words if word not in ("عام", "سنه", "العام", "السنه", "موسم", "هذا", "فصل")]
    number = names.SEASONS.get(rest[0]) if rest else None
    if number is None or len(rest) > 2:
        return None
    if len(rest) == 2 and rest[1].isdecimal() and len(rest[1]) == 4:
        return DateValue(value=f"{rest[1]}-{number}", granularity="season", rule="season and year")
    direction = direction_of(rest[1]) if len(rest) == 2 else 0 if "هذا" in words else None
    if direction is None or anchor.published is None:
        return None
    # The month in the middle of a season: April, July, October, January.
    month = {21: 4, 22: 7, 23: 10, 24: 1}[number]
    year = anchor.published.year
    gaps = {y: 12 * (y - year) + month - anchor.published.month for y in (year - 1, year, year + 1)}
    if direction < 0:
        chosen = max(y for y, gap in gaps.items() if gap < -1)
    elif direction > 0:
        chosen = min(y for y, gap in gaps.items() if gap > 1)
    else:
        chosen = min(gaps, key=lambda y: abs(gaps[y]))
    return DateValue(value=f"{chosen}-{number}", granularity="season", rule="season from the publication date")


def decade_or_century(words: list[str], anchor: Anchor) -> DateValue | None:
    """``التسعينيات``, ``ستينيات القرن الماضي``, ``القرن التاسع عشر``."""
    ten = _DECADES.get(words[0].removeprefix("ال"))
    if ten is not None:
        rest = words[1:]
        hundred = 1900
        if rest[:2] == ["القرن", "التاسع"] or rest[:3] == ["من", "القرن", "التاسع"]:
            hundred = 1800
        elif rest and rest not in (["القرن", "الماضي"], ["القرن", "العشرين"], ["من", "القرن", "الماضي"]):
            return None
        return decade(hundred + ten, "decade")
    if words[0] != "القرن" or len(words) < 2 or (found := ordinal(words, 1)) is None:
        return None
    rest = words[found[1] :]
    return century(found[0], "century") if rest in ([], ["الميلادي"]) else None
