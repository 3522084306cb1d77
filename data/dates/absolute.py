"""Dates that name a day, a month or a year, Gregorian or Hijri."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from . import names
from .calendar import DateValue, day, hijri_month, hijri_year, interval, moved, period, safe_date
from .numbers import ordinal

_SOON = 60  # days: a date without a year is taken as past, unless the next one is that near
_YEAR_WORDS = ("عام", "سنه", "العام", "السنه")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """What a date is resolved against.

    Attributes:
        published: date of the article, or None.
        direction: -1 if the text says that the date is past, 1 future, 0 unknown.
        weekday: weekday that the expression names, or None.
        upcoming: the text says that the date is that of the article or a later one.
    """

    published: date | None
    direction: int = 0
    weekday: int | None = None
    upcoming: bool = False


def direction_of(word: str) -> int | None:
    """-1 for الماضي, 1 for المقبل, 0 for الجاري; None for another word."""
    if word in names.PAST:
        return -1
    if word in names.FUTURE:
        return 1
    return 0 if word in names.CURRENT else None


def named(words: Sequence[str], at: int, table: Mapping[tuple[str, ...], int]) -> tuple[int, int] | None:
    """The longest name of a table at a place: its number and the place behind it."""
    for length in (3, 2, 1):
        name = tuple(words[at : at + length])
        if len(name) == length and name in table:
            return table[name], at + length
    return None


def month_name(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """A Gregorian month, with or without its second name: ``آذار/مارس``."""
    if at < len(words) and words[at] == "شهر":
        at += 1
    found = named(words, at, names.MONTHS)
    if found is None:
        return None
    number, at = found
    for opening, closing in (("/", ""), ("-", ""), ("(", ")")):
        if at < len(words) and words[at] == opening and (second := named(words, at + 1, names.MONTHS)):
            at = second[1] + (closing != "" and words[second[1] : second[1] + 1] == [closing])
            break
    return number, at


def absolute(words: Sequence[str], anchor: Anchor) -> DateValue | None:
    """The value of an expression that is nothing but a date; None if it is not one."""
    if "الموافق" in words:  # Hijri and Gregorian; the Gregorian date needs no conversion
        cut = list(words).index("الموافق")
        sides = [words[cut + 1 :], words[:cut]]
        return next((value for side in sides if (value := absolute(side, anchor))), None)
    return _numeric(words) or _calendar(words, anchor) or _this_month(words, anchor) or _year(words)


def _numeric(words: Sequence[str]) -> DateValue | None:
    """``23/3/2018``, ``2018-03-23``, ``23.3.2018``: the day comes first unless the year does."""
    signs = {"/", "-", "."}
    if len(words) != 5 or words[1] not in signs or words[3] != words[1] or not all(w.isdecimal() for w in words[::2]):
        return None
    first, month, last = (int(word) for word in words[::2])
    year, number = (first, last) if first > 31 else (last, first)
    if year < 100:
        year += 2000 if year < 70 else 1900
    found = safe_date(year, month, number)
    return day(found, "numeric date") if found else None


def _days(words: Sequence[str], at: int) -> tuple[list[int], int] | None:
    """One or more days of a month: ``23``, ``السابع``, ``3 و5``, ``الثالث إلى الخامس``."""
    numbers: list[int] = []
    while at < len(words):
        if numbers:
            if words[at] in ("-", "–", "و", "الي", "حتي"):
                at += 1
            elif not words[at].startswith("و"):
                break
        word = words[at].removeprefix("و") if at < len(words) and numbers else "".join(words[at : at + 1])
        if word.isdecimal():
            found: tuple[int, int] | None = (int(word), at + 1)
        else:
            found = ordinal([word, *words[at + 1 :]])
            found = found and (found[0], at + found[1])
        if found is None or not 1 <= found[0] <= 31:
            return None
        numbers.append(found[0])
        at = found[1]
    return (numbers, at) if numbers else None


def _calendar(words: Sequence[str], anchor: Anchor) -> DateValue | None:
    """``[days من] month [year or الماضي]``, Gregorian or Hijri."""
    found = _days(words, 0)
    numbers, at = found or ([], 0)
    if numbers and words[at : at + 1] == ["من"]:
        at += 1
    gregorian = month_name(words, at)
    hijri = None if gregorian else named(words, at + (words[at : at + 1] == ["شهر"]), names.HIJRI_MONTHS)
    month = gregorian or hijri
    if month is None:
        return None
    end = _end(words, month[1])
    if end is None:
        return None
    year, direction = end
    if year is None and anchor.published is None:
        return None
    anchor = anchor if direction is None else Anchor(published=anchor.published, direction=direction or 2)
    if hijri:
        return _hijri(month[0], numbers, year, anchor)
    return _gregorian(month[0], numbers, year, anchor)


def _end(words: Sequence[str], at: int) -> tuple[int | None, int | None] | None:
    """Year and direction behind a month; None if something else follows."""
    while at < len(words) and words[at] in (*_YEAR_WORDS, "من", "هذا", "هذه"):
        at += 1
    rest = [word for word in words[at:] if word not in ("م", "ه", "هجري", "هجريه", "ميلادي", "ميلاديه")]
    if not rest:
        direction = 0 if at and words[at - 1] in (*_YEAR_WORDS, "هذا", "هذه") else None
        return None, direction
    if len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) == 4:
        return int(rest[0]), None
    if len(rest) == 1 and (direction := direction_of(rest[0])) is not None:
        return None, direction
    return None


def _gregorian(month: int, numbers: Sequence[int], year: int | None, anchor: Anchor) -> DateValue | None:
    years = [year] if year is not None else list(_years(month, numbers[:1], anchor))
    for candidate in years:
        days = [safe_date(candidate, month, number) for number in numbers]
        known = [value for value in days if value is not None]
        if len(known) < len(days):
            continue
        if anchor.weekday is not None and len(known) == 1 and known[0].weekday() != anchor.weekday and year is None:
            continue
        rule = "day, month and year" if year is not None else "day and month, year from the publication date"
        if len(known) > 1:
            return interval(min(known), max(known), rule)
        if known:
            return day(known[0], rule)
        rule = "month and year" if year is not None else "month, year from the publication date"
        return period("month", date(candidate, month, 1), rule)
    return None


def _years(month: int, numbers: Sequence[int], anchor: Anchor) -> Iterator[int]:
    """Years for a date without one, the most likely first."""
    published = anchor.published
    assert published is not None
    if anchor.direction == 2:
        yield published.year
        return
    places = {
        year: safe_date(year, month, numbers[0] if numbers else 1)
        for year in range(published.year - (4 if anchor.weekday is not None else 1), published.year + 2)
    }

    def distance(year: int, place: date) -> float:
        if numbers:
            return (place - published).days
        return 30 * (12 * (year - published.year) + month - published.month)

    far = {year: distance(year, place) for year, place in places.items() if place is not None}
    past = sorted((-gap, year) for year, gap in far.items() if gap < 0 or (gap == 0 and anchor.direction != -1))
    future = sorted((gap, year) for year, gap in far.items() if gap > 0)
    if anchor.direction == 1:
        yield from (year for _, year in future)
    elif anchor.upcoming:
        yield from (year for gap, year in past if gap == 0)
        yield from (year for _, year in (*future, *past))
    elif anchor.direction == 0 and future and future[0][0] <= _SOON < (past[0][0] if past else 999):
        yield from (year for _, year in (future[0], *past, *future[1:]))
    else:
        yield from (year for _, year in past)


def _hijri(month: int, numbers: Sequence[int], year: int | None, anchor: Anchor) -> DateValue | None:
    candidates: list[tuple[date, date]] = []
    if year is not None:
        candidates = [found] if (found := hijri_month(year, month)) else []
    elif anchor.published is not None and (current := hijri_year(anchor.published)) is not None:
        months = [found for shift in (-1, 0, 1) if (found := hijri_month(current + shift, month))]
        place = anchor.published
        match anchor.direction:
            case -1:
                months = [found for found in months if found[1] < place]
            case 1:
                months = [found for found in months if found[0] > place]
        if anchor.upcoming and anchor.direction == 0:
            months = [found for found in months if found[1] >= place] or months
        candidates = sorted(months, key=lambda found: min(abs((edge - place).days) for edge in found))
    if not candidates:
        return None
    first, last = candidates[0]
    rule = "Hijri date" if year is not None else "Hijri date, year from the publication date"
    days = [first + timedelta(days=number - 1) for number in numbers]
    if any(value > last for value in days):
        return None
    if len(days) == 1:
        return day(days[0], rule)
    return interval(min(days), max(days), rule) if days else interval(first, last, rule)


def _this_month(words: Sequence[str], anchor: Anchor) -> DateValue | None:
    """``السادس والعشرين من الشهر الجاري``."""
    found = _days(words, 0)
    if found is None or anchor.published is None:
        return None
    numbers, at = found
    rest = [word for word in words[at:] if word not in ("من", "هذا")]
    if len(numbers) != 1 or rest[:1] != ["الشهر"] or len(rest) > 2:
        return None
    direction = direction_of(rest[1]) if len(rest) == 2 else 0
    month = moved(anchor.published.replace(day=1), "month", direction) if direction is not None else None
    place = safe_date(month.year, month.month, numbers[0]) if month else None
    return day(place, "day of a month relative to the publication date") if place else None


def _year(words: Sequence[str]) -> DateValue | None:
    """``2019``, ``عام 2019``, ``السنة المالية 2017``."""
    rest = [word for word in words if word not in (*_YEAR_WORDS, "الماليه", "م", "ميلادي")]
    if len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) == 4 and 1000 <= int(rest[0]) <= 2200:
        return DateValue(value=rest[0], granularity="year", rule="year")
    if len(rest) == 3 and rest[1] in ("-", "/", "–") and all(w.isdecimal() and len(w) == 4 for w in rest[::2]):
        return DateValue(value=f"{rest[0]}/{rest[2]}", granularity="range", rule="range of years")
    return None
