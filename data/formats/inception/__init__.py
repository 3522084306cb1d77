"""INCEpTION: UIMA CAS documents as XMI or JSON, one document a file, and the archives and folders of the tool.

Offsets count UTF-16 units. The built-in layers of INCEpTION are read (named entities, generic spans and relations), and
the layers that `write_files` makes; the reading options name others. An event is a span with one or several types in a
string feature. Its arguments are links to entities with a role (slot features), or relations between event and entity.

Layers are named by their UIMA type and label feature, as in ``webanno.custom.Trigger:type``.
"""

from ..common.format import Format, Sample
from .archive import annotators, is_archive
from .reader import read_file
from .uima_cas import is_cas_json
from .versions import is_project
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
    suffixes=(".xmi", ".json", ".zip"),
    holds=HOLDS,
    recognizes=_recognizes,
    folder=True,
    takes_folder=is_project,
    annotators=annotators,
)
