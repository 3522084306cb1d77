"""What the names of roles and labels mean: which are of dates, which of places."""

import re

_DATES = frozenset(("date", "time"))
_PLACES = frozenset(("location", "place"))
_PLACE_LABELS = frozenset(("gpe", "loc", "fac"))


def is_date_role(role: str) -> bool:
    """Whether a role says when: ``Date``, ``Time``, ``Time-Within``.

    >>> is_date_role("Time-Within"), is_date_role("Timer")
    (True, False)
    """
    return _first_word(role) in _DATES


def is_date(role: str, label: str) -> bool:
    """Whether a filler is a date, by its role or its entity label: ``DATE``, ``TIME``, ``timex2``."""
    return is_date_role(role) or is_date_role(label) or label.lower().startswith("timex")


def is_place_role(role: str) -> bool:
    """Whether a role says where: ``Location``, ``Place``."""
    return _first_word(role) in _PLACES


def is_place_label(label: str) -> bool:
    """Whether mentions with this entity label are places: ``GPE``, ``LOC``, ``FAC``."""
    return _first_word(label) in _PLACE_LABELS


def _first_word(name: str) -> str:
    return re.split(r"[\W_]", name, maxsplit=1)[0].lower()
