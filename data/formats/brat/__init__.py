r"""brat standoff (Stenetorp et al. 2012): a text file and, beside it, an annotation file of the same name.

A line of the annotation file is ``ID TAB ANNOTATION [TAB TEXT]``. Mentions (T), events (E) and relations from a trigger
to an entity (R) become entities, events and arguments. Attributes (A, M), notes (#), normalizations (N) and
equivalences (*) have no place in an article: they are kept as lines in ``meta["brat"]``, about the ids of the article,
and written back. What `brat_writer` noted for brat (ids, scores, title, event types of the article …) is read again.

Offsets count code points of the text file as it lies on the disk. brat replaces line breaks and tabs inside a mention
by a cut, so fragments with nothing but white space between them are one mention; other tools write a space instead.
"""

from ..common.format import Format, Sample
from ..common.losses import EVERYTHING
from .reader import read_document, read_file
from .writer import write_document, write_files

__all__ = ["FORMAT", "read_document", "read_file", "write_document", "write_files"]


def _recognizes(sample: Sample) -> bool:
    return sample.suffix == ".ann" or (sample.suffix == ".txt" and sample.path.with_suffix(".ann").is_file())


FORMAT = Format(
    read=read_file,
    write=write_files,
    reader=read_file,
    suffixes=(".ann",),
    holds=EVERYTHING,
    recognizes=_recognizes,
    folder=True,
)
