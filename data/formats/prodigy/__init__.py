"""Prodigy JSONL: input tasks and exports of ``db-out``, one task per line.

The reader uses ``spans``, which may overlap; ``relations`` between a trigger and an entity, as arguments; and labels
of the text, if the task's view showed them: ``accept`` of a choice, ``label`` of a classification, ``cats``. Only
accepted tasks are read, and tasks without an ``answer``, which are predictions with scores; the binary questions of
``ner.teach`` and other recipes say nothing of the whole text. ``meta``, which annotators see, has id, title, date and
source of the article, and its event types where no view shows them.

Offsets are code points. ``token_end``, ``head`` and ``child`` are token indices, from 0 and inclusive: a relation names
the last token of each span, and ``head_span`` and ``child_span`` identify the spans.

Source: https://prodi.gy/docs/api-interfaces and the relation extraction project of explosion/projects.
"""

from dataclasses import replace
from pathlib import Path

from ...problems import ProblemLog
from ..common.format import format_of_lines
from ..common.lines import file_lines
from ..common.span_lines import json_objects
from .answers import annotator_of
from .reader import is_task, read
from .writer import HOLDS, label_list, write

__all__ = ["FORMAT", "label_list", "read", "write"]


def _annotators(path: Path) -> list[str]:
    """Who answered the tasks of a file."""
    names = {annotator_of(content) for _, content in json_objects(file_lines(path), ProblemLog())}
    return sorted(names - {""})


FORMAT = replace(
    format_of_lines(
        read, write, suffixes=(".jsonl",), holds=HOLDS, recognizes=lambda sample: any(map(is_task, sample.objects))
    ),
    annotators=_annotators,
)
