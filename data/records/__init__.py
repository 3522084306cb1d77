"""Event records: one for each event and type, with its arguments, dates as values and sentence; and tables of them."""

from .record import EventRecord, Filler, event_records
from .tables import csv_lines, json_lines, record_format, write_events

__all__ = ["EventRecord", "Filler", "csv_lines", "event_records", "json_lines", "record_format", "write_events"]
