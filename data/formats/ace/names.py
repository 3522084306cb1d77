"""Names and ids that the reader and the writer of ACE files share."""

from dataclasses import replace

from ...articles import Event

AUTHOR = "rasid"
"""AUTHOR attribute of the files that are written here; in these, an id made by `first_id` means that there is none."""

ANNOTATION_SUFFIX = ".apf.xml"
SOURCE_SUFFIX = ".sgm"


def first_id(group: str) -> str:
    """The id given to a mention that has none, from the id of its entity or event.

    >>> first_id("a-E1")
    'a-E1-1'
    """
    return f"{group}-1"


def further_id(first: str, count: int) -> str:
    """The id of the event mention with the second (or a further) type of an event.

    >>> further_id("E1", 2)
    'E1+2'
    """
    return f"{first}+{count}"


def joined(first: Event, second: Event) -> Event | None:
    """One event of both types if the id of the second marks it as a further type of the first, see `further_id`."""
    if not first.id or second.id != further_id(first.id, len(first.types) + 1):
        return None
    if (second.trigger, second.arguments) != (first.trigger, first.arguments):
        return None
    return replace(first, types=(*first.types, *second.types))
