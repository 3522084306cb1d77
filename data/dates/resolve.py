"""Resolves a date expression: the rules in their order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from . import names
from .absolute import Anchor, absolute, direction_of
from .calendar import (
    DateValue,
    day,
    hijri_month,
    hijri_year,
    interval,
    moved,
    safe_date,
    unknown,
    weekday_after,
    weekday_before,
)
from .context import is_past, is_upcoming
from .numbers import cardinal, ordinal
from .periods import NEARLY, ago, counted, decade_or_century, relative_period, season

_LEADS = frozenset("في يوم يومي نهار بتاريخ تاريخ بحلول خلال حتي الي من عند اثناء عام ليوم و بين ما".split())
_LATE = (["وقت", "متاخر", "من"], ["وقت", "متاخر"], ["ساعه", "متاخره", "من"], ["الساعات", "الاولي", "من"])


def resolve_date(mention: str, published: date | None, *, before: str = "", after: str = "") -> DateValue:
    """The value of a date expression.

    Args:
        mention: the expression, as in the text.
        published: date of the article; without it only full dates have a value.
        before: text before the mention. Its clause may say that the date is past (``منذ``) or still to come (``اعتبارا
            من``, ``ستبدأ``).
        after: text behind the mention; ``من`` behind ``بعد يومين`` says that it does not count from the article.

    Returns:
        Its value, or no value with a rule that gives the reason.

    >>> resolve_date("مساء الثلاثاء", date(2018, 3, 22)).value
    '2018-03-20'
    >>> resolve_date("23 آذار/مارس", date(2018, 4, 2)).value
    '2018-03-23'
    """
    words = names.tokens(mention)
    if not words:
        return unknown("empty")
    past = words[0] == "منذ" or is_past(before)
    upcoming = not past and is_upcoming(words, before, after)
    anchor = Anchor(published=published, direction=-1 if past else 0, upcoming=upcoming)
    if words[0] in names.REPEATED:
        return unknown("repeated")
    if any(word in names.TEXT_RELATIVE for word in words):
        return unknown("relative to the text")
    if words[0] in ("بعد", "قبل") and names.tokens(after)[:1] in (["من"], ["علي"], ["عن"]):
        return unknown("relative to the text")
    rules: tuple[Callable[[list[str], Anchor], DateValue | None], ...] = (
        _anchored,
        _weekday,
        absolute,
        _feast,
        ago,
        relative_period,
        season,
        decade_or_century,
    )
    for form in _forms(words):
        for rule in rules:
            if value := rule(form, anchor):
                return value
    return _reason(words, published)


def _forms(words: list[str]) -> list[list[str]]:
    """The expression as it is, then without words that do not change its day: parts of the day, clock times, ``في``."""
    forms = [words]
    rest = words
    while rest:
        for late in _LATE:
            if rest[: len(late)] == late:
                rest = rest[len(late) :]
                break
        else:
            if rest[0] in _LEADS or rest[0] in names.EDGES or rest[0] in names.DAY_PARTS or rest[0] == "منذ":
                rest = rest[1:]
            elif rest[:2] in (["بعد", "ظهر"], ["قبل", "ظهر"], ["بعد", "منتصف"]):
                rest = rest[2:]
            elif "من" in rest and _is_clock(rest[: rest.index("من")]):
                rest = rest[rest.index("من") + 1 :]
            else:
                break
        forms.append(rest)
    if len(forms[-1]) > 1 and forms[-1][-1] in names.INDEFINITE_PARTS:  # "أمس مساء"
        forms.append(forms[-1][:-1])
    return [form for form in forms if form]


def _is_clock(words: Sequence[str]) -> bool:
    rest = [word for word in words if word not in ("الساعه", ":", "و")]
    return bool(rest) and all(
        word.isdecimal()
        or word in names.HOURS
        or word.removeprefix("و") in names.UNITS
        or cardinal([word.removeprefix("و")]) is not None
        for word in rest
    )


# ---- days around the publication date --------------------------------------------------------------------------------

_ANCHORS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("اول", "من", "امس"), -2),
    (("اول", "امس"), -2),
    (("امس", "الاول"), -2),
    (("قبل", "امس"), -2),
    (("الليله", "قبل", "الماضيه"), -2),
    (("ليله", "امس"), -1),
    (("الليله", "الماضيه"), -1),
    (("الليله", "الفائته"), -1),
    (("الامس",), -1),
    (("امس",), -1),
    (("البارحه",), -1),
    (("بعد", "الغد"), 2),
    (("بعد", "غد"), 2),
    (("غدا",), 1),
    (("الغد",), 1),
    (("غد",), 1),
    (("هذا", "اليوم"), 0),
    (("هذا", "الصباح"), 0),
    (("هذا", "المساء"), 0),
    (("هذه", "الليله"), 0),
    (("الليله",), 0),
    (("اليوم",), 0),
)


def _anchored(words: list[str], anchor: Anchor) -> DateValue | None:
    """``اليوم``, ``أمس الثلاثاء``, ``غدا 5 آذار``."""
    for phrase, shift in _ANCHORS:
        if tuple(words[: len(phrase)]) != phrase:
            continue
        rest = words[len(phrase) :]
        if anchor.published is None:
            return absolute(rest, anchor) if rest else None
        place = moved(anchor.published, "day", shift)
        if place is None:
            return None
        if not rest or rest[0] in names.INDEFINITE_PARTS:
            return day(place, "days from the publication date")
        weekday = names.WEEKDAYS.get(rest[0])
        if weekday is None:
            return absolute(rest, anchor)
        if len(rest) > 1 and (value := absolute(rest[1:], replace(anchor, weekday=weekday))):
            return value
        if len(rest) > 1 and rest[1] not in names.INDEFINITE_PARTS:
            return None
        if place.weekday() == weekday:
            return day(place, "days from the publication date, with its weekday")
        nearest = weekday_before(place + timedelta(days=3), weekday)
        return day(nearest, "weekday, which differs from the publication date")
    return None


def _weekday(words: list[str], anchor: Anchor) -> DateValue | None:
    """``الثلاثاء``, ``الثلاثاء الماضي``, ``ليل السبت الأحد``, ``الثلاثاء 5 آذار``."""
    weekday = names.WEEKDAYS.get(words[0])
    if weekday is None:
        return None
    rest = words[1:]
    if rest and (value := absolute(rest, replace(anchor, weekday=weekday))):
        return value
    if anchor.published is None:
        return None
    if not rest or rest[0] in names.INDEFINITE_PARTS:
        if anchor.upcoming:
            return day(weekday_after(anchor.published, weekday, strictly=False), "first such weekday")
        return day(weekday_before(anchor.published, weekday), "latest such weekday")
    following = names.WEEKDAYS.get(rest[-1].removeprefix("و"))
    if following is not None and following == (weekday + 1) % 7 and len(rest) <= 2:
        last = weekday_before(anchor.published, following)
        if anchor.upcoming:
            last = weekday_after(anchor.published, following, strictly=False)
        return interval(last - timedelta(days=1), last, "night between two weekdays")
    if rest == ["قبل", "الماضي"]:
        found = weekday_before(anchor.published, weekday, strictly=True) - timedelta(days=7)
        return day(found, "weekday before the last")
    if len(rest) > 1 or (direction := direction_of(rest[0])) is None:
        return None
    if direction > 0:
        return day(weekday_after(anchor.published, weekday), "next such weekday")
    return day(weekday_before(anchor.published, weekday, strictly=direction < 0), "latest such weekday")


def _feast(words: list[str], anchor: Anchor) -> DateValue | None:
    """``عيد الفطر``: the nearest one."""
    place = names.FEASTS.get(tuple(words))
    if place is None or anchor.published is None:
        return None
    calendar, month, number = place
    days: list[date | None] = []
    if calendar == "gregorian":
        days = [safe_date(anchor.published.year + shift, month, number) for shift in (-1, 0, 1)]
    elif (year := hijri_year(anchor.published)) is not None:
        months = [hijri_month(year + shift, month) for shift in (-1, 0, 1)]
        days = [found[0] + timedelta(days=number - 1) for found in months if found]
    published = anchor.published
    known = [found for found in days if found is not None and (found >= published or not anchor.upcoming)]
    return day(min(known, key=lambda found: abs((found - published).days)), "nearest feast") if known else None


def _reason(words: list[str], published: date | None) -> DateValue:
    """Why an expression has no value."""
    if counted([word for word in words if word not in (*NEARLY, *_LEADS, "نصف", "ربع", "ثلث")]) is not None:
        return unknown("duration")
    last = _forms(words)[-1]
    if all(word in names.DAY_PARTS or word in names.INDEFINITE_PARTS for word in last) or _is_clock(
        [word for word in last if word not in names.INDEFINITE_PARTS]
    ):
        return unknown("time of day")
    if last[0] in names.SEASONS:
        return unknown("season without a year")
    if (found := ordinal(last)) and found[1] == len(last):
        return unknown("number without a unit")
    if last[0].removeprefix("ال") in names.UNITS and ordinal(last, 1):
        return unknown("relative to the text")
    if published is None:
        return unknown("no publication date")
    return unknown("not recognized")
