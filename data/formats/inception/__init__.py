"""INCEpTION: one document a file, as UIMA CAS XMI or UIMA CAS JSON, offsets in UTF-16 units; or its zip archives.

Read are the layers that INCEpTION brings along (named entities, the generic spans and relations) and those that
`write_files` makes; others are named by options. An event is a span whose types are a string feature, of one or many
values; its arguments are links (slot features) to entities with a role, or relations between the two.

Layer names are those of types (``webanno.custom.Trigger``), with the feature that holds the label behind a colon.
"""

from ..common.format import Format, Sample
from .archive import is_archive
from .reader import read_file
from .uima_cas import is_cas_json
from .writer import HOLDS, write_files

__all__ = ["FORMAT", "read_file", "write_files"]


def _recognizes(sample: Sample) -> bool:
    match sample.suffix:
        case ".json":
            return is_cas_json(sample.path)
        case ".zip":
            return is_archive(sample.path)
    return sample.suffix == ".xmi"


FORMAT = Format(
    read=read_file,
    write=write_files,
    reader=read_file,
    suffixes=(".xmi", ".json", ".zip"),
    holds=HOLDS,
    recognizes=_recognizes,
    folder=True,
)
