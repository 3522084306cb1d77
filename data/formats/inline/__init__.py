r"""Inline markup: the form for annotating by hand and for reading in a diff; nothing is counted by hand.

A file holds articles, each behind its front matter::

    ---
    id: sahel-0001
    date: 2019-04-02
    event_types: [ASSAULT]
    ---
    [e1:GPE باماكو] - {v1:ASSAULT قتل} [e2:NUM سبعة] من [:ORG قوات [:GPE مالي]]
    @v1 Count=e2 Location=e1

``[id:LABEL surface]`` is an entity, ``{id:TYPE+TYPE surface}`` a trigger; the id may be left out, and marks nest. A
line ``@id Role=id …`` below a line of text gives arguments and is no part of the text. ``[ ] { } \`` are escaped by a
backslash, and so are ``@`` and ``---`` at the start of a line. A mark may run over a line end, never over a blank
line. The title is the first line of a text whose second line is blank, unless the front matter has ``title:``. Lines
end with ``\n`` alone; the last one of an article is not part of its text.
"""

from .reader import read, read_located
from .writer import write

__all__ = ["read", "read_located", "write"]
