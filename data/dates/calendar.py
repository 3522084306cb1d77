"""Values of dates in ISO 8601, and calendar arithmetic."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Granularity = Literal["", "day", "week", "month", "season", "year", "decade", "century", "range"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DateValue:
    """The value of a date expression.

    Attributes:
        value: ISO 8601: ``2018-03-23``, a week ``2018-W12``, ``2018-03``, ``2018``, or an interval
            ``2018-03-20/2018-03-23``; a season is ``2018-21`` as in ISO 8601-2. Empty if it cannot be known.
        granularity: unit of the value; ``range`` for an interval; empty without a value.
        rule: name of the rule that applied, for counting and for review.
    """

    value: str
    granularity: Granularity
    rule: str


def unknown(rule: str) -> DateValue:
    """No value, and the reason."""
    return DateValue(value="", granularity="", rule=rule)


def day(value: date, rule: str) -> DateValue:
    """A day."""
    return DateValue(value=value.isoformat(), granularity="day", rule=rule)


def interval(first: date, last: date, rule: str) -> DateValue:
    """All days from the first to the last."""
    return DateValue(value=f"{first.isoformat()}/{last.isoformat()}", granularity="range", rule=rule)


def period(unit: str, within: date, rule: str) -> DateValue:
    """The week, month, year, decade or century that a day is in."""
    match unit:
        case "week":
            year, week, _ = within.isocalendar()
            return DateValue(value=f"{year:04}-W{week:02}", granularity="week", rule=rule)
        case "month":
            return DateValue(value=f"{within.year:04}-{within.month:02}", granularity="month", rule=rule)
        case "year":
            return DateValue(value=f"{within.year:04}", granularity="year", rule=rule)
        case "decade":
            return decade(within.year // 10 * 10, rule)
        case "century":
            return century((within.year - 1) // 100 + 1, rule)
    return day(within, rule)


def decade(first: int, rule: str) -> DateValue:
    """The ten years from the first."""
    return DateValue(value=f"{first:04}/{first + 9:04}", granularity="decade", rule=rule)


def century(number: int, rule: str) -> DateValue:
    """A century; the 19th is 1801 to 1900."""
    return DateValue(value=f"{100 * number - 99:04}/{100 * number:04}", granularity="century", rule=rule)


def moved(start: date, unit: str, count: int) -> date | None:
    """The day that is a number of units later, or earlier if negative; None outside of the years 1 to 9999.

    A day that its month does not have becomes the last day of the month.
    """
    try:
        match unit:
            case "minute" | "hour":
                return start
            case "day":
                return start + timedelta(days=count)
            case "week":
                return start + timedelta(weeks=count)
            case "month":
                months = 12 * start.year + start.month - 1 + count
                year, month = divmod(months, 12)
                return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
            case "decade" | "century":
                return moved(start, "year", count * (10 if unit == "decade" else 100))
        return date(start.year + count, start.month, min(start.day, monthrange(start.year + count, start.month)[1]))
    except (ValueError, OverflowError):
        return None


def weekday_before(limit: date, weekday: int, *, strictly: bool = False) -> date:
    """The latest such weekday on or before a day."""
    back = (limit.weekday() - weekday) % 7
    return limit - timedelta(days=back or (7 if strictly else 0))


def weekday_after(limit: date, weekday: int, *, strictly: bool = True) -> date:
    """The first such weekday after a day; not strictly, the day itself may be it."""
    return limit + timedelta(days=(weekday - limit.weekday()) % 7 or (7 if strictly else 0))


def safe_date(year: int, month: int, number: int) -> date | None:
    """A date, or None if there is no such day."""
    try:
        return date(year, month, number)
    except (ValueError, OverflowError):
        return None


def hijri_month(year: int, month: int) -> tuple[date, date] | None:
    """First and last day of a month of the Umm al-Qura calendar, which covers 1343 to 1500 AH; None outside."""
    from hijridate import Hijri

    try:
        first = Hijri(year, month, 1)
    except (ValueError, OverflowError):
        return None
    start = first.to_gregorian()
    begin = date(start.year, start.month, start.day)
    return begin, begin + timedelta(days=first.month_length() - 1)


def hijri_year(within: date) -> int | None:
    """The Hijri year of a day; None outside of the calendar."""
    from hijridate import Gregorian

    try:
        return Gregorian(within.year, within.month, within.day).to_hijri().year
    except (ValueError, OverflowError):
        return None
