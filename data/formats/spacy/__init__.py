"""spaCy's DocBin (``.spacy``): many documents in one file, with spans of whole tokens.

Entities are ``Doc.ents`` and the span group ``sc``. Triggers are the span group ``rasid_triggers``, with labels as in
`flat_labels`. Ids are the ids of spans, event types of the article are ``Doc.cats``. What spaCy has no place for
(arguments, title, meta …) is stored as JSON in the user data.

Files are read without creating spaCy documents, because damaged token indices crash the interpreter there. The content
is MessagePack, which cannot run code (https://spacy.io/api/docbin); spaCy's string store resolves the hashes.
"""

from ..common.format import Format
from ..common.losses import EVERYTHING
from .reader import read_file
from .writer import write_files

__all__ = ["FORMAT", "read_file", "write_files"]

FORMAT = Format(
    read=read_file,
    write=write_files,
    suffixes=(".spacy",),
    holds=EVERYTHING,
    recognizes=lambda sample: sample.suffix == ".spacy",
)
