"""Dates as values: Arabic date expressions in news, resolved against the date of the article."""

from .calendar import DateValue, Granularity
from .resolve import resolve_date

__all__ = ["DateValue", "Granularity", "resolve_date"]
