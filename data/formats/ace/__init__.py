"""ACE and ERE: a source text and, in a file beside it, its entities, values and events (LDC2006T06 and the like).

``NAME.apf.xml`` has its text in ``NAME.sgm``; ``NAME.rich_ere.xml`` has it in ``NAME.xml``, ``NAME.txt`` or
``NAME.cmp.txt``, in the same folder or in the folder ``source`` beside the folder ``ere``. The article's text is the
source without its tags and with references such as ``&amp;`` decoded, for both: nobody wants to train on tags. Offsets
are mapped to it, whichever way the file counts (`source_text`), and are checked against the stored surfaces. The text
of the header (DOCID, DATETIME) stays in, as mentions lie there too.

What has no place in an article, as relations and coreference, and what the options leave out, is counted and recorded
as fixed, once for each kind.
"""

from ..common.format import Format, Sample
from .reader import is_root, read_file
from .writer import HOLDS, write_files

__all__ = ["FORMAT", "read_file", "write_files"]

_SUFFIXES = (".apf.xml", ".rich_ere.xml", ".ere.xml")


def _recognizes(sample: Sample) -> bool:
    named = sample.path.name.lower().endswith(_SUFFIXES)
    return named or (sample.suffix == ".xml" and is_root("\n".join(sample.lines)))


FORMAT = Format(
    read=read_file,
    write=write_files,
    reader=read_file,
    suffixes=_SUFFIXES,
    holds=HOLDS,
    recognizes=_recognizes,
    folder=True,
)
