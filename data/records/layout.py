"""Parts of a news article: title, lead, dateline."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..mentions import Entity
from .roles import is_place_label

# Behind the place of a dateline: "(وكالة) - ", "، 12 مايو (وكالة) - ", " / ", "/ 12 مايو", " 12-5-2019 وفا- ";
# or "-سانا", which ends the line.
_DATELINE = re.compile(
    r"(?:،[^\n.،؛()-]{1,30})?"
    r"(?:[ \t]*[(\[][^()\[\]\n]{1,60}[)\]])?"
    r"(?:[ \t]*[-–—]\s|[ \t]*/[ \t\d]|[ \t]+\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\b[^\n]{0,15}?[-–—]"
    r"|[ \t]*[-–—]\w{2,12}[ \t]*\n)"
)
_BLANK_LINE = re.compile(r"[ \t\r]*\n[ \t\r]*\n\s*\S")  # with text below


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsLayout:
    """Where the title and the lead of an article are.

    Attributes:
        title: as given, else the first line if a blank line follows and no full stop ends it; empty without one.
        title_end: end of the title in the text; 0 if the text does not begin with one.
        lead: start and end of the first paragraph below the title.
        dateline: place with which the lead begins.
    """

    title: str
    title_end: int
    lead: tuple[int, int]
    dateline: Entity | None


def layout_of(text: str, title: str, entities: Iterable[Entity]) -> NewsLayout:
    """The layout of an article. A line is a paragraph.

    Args:
        text: of the article.
        title: as given; may be empty.
        entities: of the article; the place of a dateline is one.
    """
    title_end = 0
    start, end = _line(text, 0)
    if _ends_like_a_sentence(text[start:end]):
        pass  # the article has no title, even if its format takes the first line for one
    elif title.strip() and text.startswith(title.strip(), start):
        title_end = start + len(title.strip())
    elif not title and _BLANK_LINE.match(text, end):
        title, title_end = text[start:end], end
    lead = _line(text, title_end)
    return NewsLayout(title=title, title_end=title_end, lead=lead, dateline=_dateline(text, entities, lead[0]))


def _line(text: str, start: int) -> tuple[int, int]:
    """The first line at or behind an offset that is not blank, without white space at its edges."""
    while start < len(text) and text[start].isspace():
        start += 1
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return start, start + len(text[start:end].rstrip())


def _ends_like_a_sentence(line: str) -> bool:
    return line.rstrip("\"'”»)").endswith((".", "…", ":", "،"))


def _dateline(text: str, entities: Iterable[Entity], start: int) -> Entity | None:
    for entity in entities:
        if entity.start == start and is_place_label(entity.label) and _DATELINE.match(text, entity.end):
            return entity
    return None
