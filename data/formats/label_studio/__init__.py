"""Label Studio: its JSON export (not JSON-MIN), and an import file of tasks with annotations or pre-annotations.

Regions are entities or triggers, relations between a trigger and an entity are arguments (in whichever direction they
were drawn), choices are event types of the article, or of the trigger's region that they were made for. A region is a
trigger if its control is named ``trigger``, as in the configuration that `labeling_config` gives, or if its label is
one of `triggers` or starts with ``event:``; flat labels of one span are then one event. Offsets count code points, in
older exports UTF-16 units; the tool stores surfaces with squeezed white space unless it is told otherwise.

Tasks that nobody annotated are no articles: they would teach that nothing is in them. Pre-annotations are read in
place of annotations with ``predictions=True`` and never else, and only they have scores.
"""

from ..common.format import Format
from .reader import is_export, read_file
from .writer import HOLDS, labeling_config, write, write_files

__all__ = ["FORMAT", "labeling_config", "read_file", "write", "write_files"]

FORMAT = Format(
    read=read_file,
    write=write_files,
    reader=read_file,
    suffixes=(".json",),
    holds=HOLDS,
    recognizes=lambda sample: sample.suffix == ".json" and is_export(sample.path),
    chunks=write,
)
