"""Prodigy JSONL: tasks as they stream in and as ``db-out`` exports them, one a line.

Read are ``spans``, which may overlap, ``relations`` between a trigger and an entity as arguments, and labels of the
whole text: ``accept`` of a choice, ``label`` of a classification, ``cats``. Only tasks that were accepted count, and
those without an ``answer``, which are still to be annotated: predictions, with their scores. ``meta`` is shown to the
annotator; id, title, date and source of an article stand in it.

Offsets are code points. ``token_end``, ``head`` and ``child`` are indices of tokens, from 0 and inclusive: a relation
names the last token of its spans, and ``head_span`` and ``child_span`` say which spans these are.

Source: https://prodi.gy/docs/api-interfaces and the relation extraction project of explosion/projects.
"""

from ..common.format import format_of_lines
from .reader import read, recognizes
from .writer import HOLDS, write

__all__ = ["FORMAT", "read", "write"]

FORMAT = format_of_lines(read, write, suffixes=(".jsonl",), holds=HOLDS, recognizes=recognizes)
