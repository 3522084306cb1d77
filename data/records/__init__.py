"""Event records: one for each event and type of an article, with its arguments, dates as values, and sentence."""

from .record import EventRecord, Filler, event_records, publication_day
from .roles import is_date_role, is_place_role

__all__ = ["EventRecord", "Filler", "event_records", "is_date_role", "is_place_role", "publication_day"]
