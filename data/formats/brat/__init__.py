r"""brat standoff (Stenetorp et al. 2012): a text file and an annotation file with the same name beside it.

A line of the annotation file is ``ID TAB ANNOTATION [TAB TEXT]``. Text-bound annotations (T), events (E) and relations
from a trigger to an entity (R) become entities, events and arguments. Other relations, attributes (A, M), notes (#),
normalizations (N) and equivalences (*) have no place in an article: they are kept as lines in ``meta["brat"]``, with
ids of the article, and written back. An event that is an argument is left out. Notes of the type ``Rasid``, written by
`writer`, hold ids, title, event types of the article and other content that brat has no place for. They are read back,
but for what a model predicted, which is marked and read on request.

Offsets count code points of the text file. brat splits a mention at line breaks and tabs, so fragments with only white
space between them are one mention.
"""

from ..common.format import Format, Sample
from ..common.losses import EVERYTHING
from .configuration import Configuration
from .reader import read_document, read_file
from .writer import write_document, write_files

__all__ = ["FORMAT", "Configuration", "read_document", "read_file", "write_document", "write_files"]


def _recognizes(sample: Sample) -> bool:
    return sample.suffix == ".ann" or (sample.suffix == ".txt" and sample.path.with_suffix(".ann").is_file())


FORMAT = Format(
    read=read_file,
    write=write_files,
    suffixes=(".ann",),
    holds=EVERYTHING,
    recognizes=_recognizes,
    folder=True,
)
