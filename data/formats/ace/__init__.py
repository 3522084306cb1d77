"""ACE and ERE: standoff XML with entities, values and events, and a source text beside it (LDC2006T06 and others).

The text of ``NAME.apf.xml`` is in ``NAME.sgm``. The text of ``NAME.rich_ere.xml`` is in ``NAME.xml``, ``NAME.txt`` or
``NAME.cmp.txt``, in the same folder or in the folder ``source`` beside the folder ``ere``. An article's text is the
source without tags and with decoded references (``&amp;`` becomes ``&``). Offsets are mapped to this text
(`source_text`) and checked against the stored surfaces. The header (DOCID, DATETIME) stays in the text, because
annotators mark mentions there too.

Relations, coreference, and mentions that the options exclude have no place in an article. They are counted and logged
as fixed, one entry a kind.
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
    suffixes=_SUFFIXES,
    holds=HOLDS,
    recognizes=_recognizes,
    folder=True,
)
