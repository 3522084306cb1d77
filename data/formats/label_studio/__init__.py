"""Label Studio: its exports, its target storage, and import files with annotations or pre-annotations.

Regions are entities or triggers. Relations between a trigger and an entity, in either direction, are arguments. A
region is a trigger if its control is named ``trigger``, as in `labeling_config`, if its label is one of `triggers`, or
if the label starts with ``event:``. Triggers by label with the same span are one event. Choices of the control
``event_types`` are event types of the article, or of a trigger if they were made for its region. Other controls have
no place in an article.

Exports are read as JSON, JSON-MIN, CSV and TSV. None of them says which key of the data an object shows and what a
control is for. `layout` infers it from all tasks of a file, which is therefore read twice. Offsets count code points,
in older exports UTF-16 units; in HTML tasks they refer to the text without tags. The tool stores surfaces with
collapsed white space unless it is configured otherwise.

Tasks without annotations are skipped: as articles, they would say that the text has no entities and events.
Pre-annotations are read with ``predictions=True`` instead of annotations. Only pre-annotations have scores.

`labeling_config` returns the labeling configuration of a label scheme. Label Studio needs it to show the tasks that
`write` writes; ``rasid init --to label-studio`` and ``rasid tag --to label-studio`` write it to a file.
"""

from ..common.format import Format, to_file
from .reader import annotators, is_export, read_file
from .storage import is_storage
from .tasks import TABLES
from .writer import HOLDS, labeling_config, write

__all__ = ["FORMAT", "labeling_config", "read_file", "write"]

FORMAT = Format(
    read=read_file,
    write=to_file(write),
    suffixes=(".json", *TABLES),
    holds=HOLDS,
    recognizes=lambda sample: sample.suffix in (".json", "", *TABLES) and is_export(sample.path),
    chunks=write,
    takes_folder=is_storage,
    annotators=annotators,
)
