"""doccano: exports and import files of its projects with spans, with labels of the text, or with both.

An example has one of these layouts:

- plain: ``"label": [[start, end, "PER"]]``, also under ``labels``;
- relation: ``entities`` of ``{id, label, start_offset, end_offset}``, and ``relations`` of ``{id, from_id, to_id,
  type}``; a relation between a trigger and an entity is an argument;
- spans and labels of the text (project type IntentDetectionAndSlotFilling): ``entities`` of ``[start, end, "PER"]``,
  and ``cats``;
- labels of the text: strings under ``label``.

All other keys are metadata, as they are for doccano, and so are ``cats`` in the first two layouts, where nobody sees or
can change them. ``event_types`` are gold event types of the article, as `write` stores them, and
``predicted_event_types`` are predicted ones.

doccano counts offsets in UTF-16 units, or in grapheme clusters if the project says so, and stores no surfaces (its
issues 2290 and 2484), so offsets cannot be checked.

Source: `backend/data_import` and `backend/data_export` of https://github.com/doccano/doccano.
"""

from ..common.format import Format, to_file
from .files import annotators, read_file, recognizes
from .label_types import category_types, relation_types, span_types
from .reader import UNITS, read
from .writer import HOLDS, write

__all__ = ["FORMAT", "UNITS", "category_types", "read", "relation_types", "span_types", "write"]

FORMAT = Format(
    read=read_file,
    write=to_file(write),
    suffixes=(".jsonl", ".zip"),
    holds=HOLDS,
    recognizes=recognizes,
    annotators=annotators,
    chunks=write,
)
