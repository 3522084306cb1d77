"""Keys and rows of spans that the reader and the writer of DocBin files share."""

from ...problems import DataError, Problem

ENTITIES_KEY = "sc"  # the default key of spaCy's span categorizer
TRIGGERS_KEY = "rasid_triggers"
USER_KEY = "rasid"

Row = tuple[int, int, str, str]
"""Start, end, label and id of a span."""


def missing_spacy(source: str, done: str) -> DataError:
    """The error for a file that is ``read`` or ``written`` without spaCy."""
    message = f'DocBin files are {done} with spaCy: pip install "rasid[spacy]"'
    return DataError([Problem(source=source, cause="missing extra", message=message)])
