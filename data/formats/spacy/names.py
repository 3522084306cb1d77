"""Keys and rows of spans that the reader and the writer of DocBin files share."""

ENTITIES_KEY = "sc"  # the default key of spaCy's span categorizer
TRIGGERS_KEY = "rasid_triggers"
USER_KEY = "rasid"

Row = tuple[int, int, str, str]
"""Start, end, label and id of a span."""
