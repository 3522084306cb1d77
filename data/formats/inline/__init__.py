r"""Inline annotation: brackets in the text, for annotating by hand and for reading in a diff; no offsets.

A file is a sequence of articles, each with its front matter::

    ---
    id: sahel-0001
    date: 2019-04-02
    event_types: [ASSAULT]
    ---
    [e1:GPE باماكو] - {v1:ASSAULT قتل} [e2:NUM سبعة] من [:ORG قوات [:GPE مالي]]
    @v1 Count=e2 Location=e1

``[id:LABEL surface]`` is an entity, ``{id:TYPE+TYPE surface}`` a trigger; the id may be omitted, and mentions may nest.
A line ``@id Role=id …`` below a line of text gives arguments and is not part of the text. ``[ ] { } \`` are escaped
with a backslash, and so are ``@`` and ``---`` at the start of a line. A mention may contain a line end but no blank
line. The title is the first line if the second one is blank, unless the front matter has ``title:``. Lines end with
``\n`` only; the last line end of an article is not part of its text.
"""

from ..common.format import Sample, format_of_lines
from .front_matter import FENCE
from .reader import read
from .writer import HOLDS, write

__all__ = ["FORMAT", "read", "write"]


def _recognizes(sample: Sample) -> bool:
    if sample.suffix in (".txt", ""):
        return sample.lines[:1] != [] and sample.lines[0].strip() == FENCE
    return sample.suffix == ".rasid"


FORMAT = format_of_lines(read, write, suffixes=(".rasid",), holds=HOLDS, recognizes=_recognizes)
