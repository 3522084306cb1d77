"""spaCy's DocBin (``.spacy``): many documents in one file, spans on whole tokens.

Entities are the documents' ``ents`` and their spans under ``sc``, triggers the spans under ``rasid_triggers`` with
labels as in `flat_labels`, ids the ids of spans, event types of the article its ``cats``. What spaCy has no place for
(arguments, title, meta …) is in the user data, as JSON.

A file is read without making spaCy documents of it: damaged token indices stop the interpreter there. What is read is
MessagePack, in which nothing can name code (https://spacy.io/api/docbin); spaCy's table of strings turns hashes back.
"""

from ..common.format import Format
from ..common.losses import EVERYTHING
from .reader import read_file
from .writer import write_files

__all__ = ["FORMAT", "read_file", "write_files"]

FORMAT = Format(
    read=read_file,
    write=write_files,
    reader=read_file,
    suffixes=(".spacy",),
    holds=EVERYTHING,
    recognizes=lambda sample: sample.suffix == ".spacy",
)
