"""Keys and rows of spans that the reader and the writer of DocBin files share."""

from collections.abc import Sequence

from ...articles import Article
from ..common.flat_labels import trigger_label

ENTITIES_KEY = "sc"  # the default key of spaCy's span categorizer
TRIGGERS_KEY = "rasid_triggers"
USER_KEY = "rasid"

Row = tuple[int, int, str, str]
"""Start, end, label and id of a span."""


def entity_rows(article: Article) -> list[Row]:
    """The spans of the entities."""
    return [(entity.start, entity.end, entity.label, entity.id) for entity in article.entities]


def trigger_rows(article: Article) -> list[Row]:
    """The spans of the triggers."""
    return [(e.trigger.start, e.trigger.end, trigger_row_label(e.types), e.id) for e in article.events]


def trigger_row_label(types: Sequence[str]) -> str:
    """As `trigger_label`, but never None; types that such a label cannot encode are in the user data."""
    return trigger_label(types) or f"event:{'+'.join(types)}"
