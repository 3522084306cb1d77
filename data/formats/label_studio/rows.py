"""Tasks from the exports of one row an annotation: JSON-MIN, CSV and TSV. They have no relations and no ids of regions.

Keys of the task's data, controls, and keys of the annotation stand side by side. A control is recognized by its value.
"""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ....errors import shown
from ...problems import ProblemLog
from ..common.lines import encoding_fault, is_strings
from .names import EVENT_TYPES

_OF_THE_ANNOTATION = {
    "annotator": "completed_by",
    "annotation_id": "id",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "lead_time": "lead_time",
    "agreement": "agreement",
}
FROM_ROW = "from_row"
"""Key of the tasks that `to_task` makes."""

_MARKS = {"annotation_id", "annotator", "lead_time"}
_MAX_CELL = 8 * 2**20
_LABELS = ("labels", "hypertextlabels", "choices")


def is_row(content: Mapping[str, Any]) -> bool:
    """Whether an object, or a header, has the keys of a JSON-MIN, CSV or TSV export."""
    return len(content.keys() & _MARKS) > 1 and "data" not in content


def read_table(path: Path, log: ProblemLog, controls: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV export as tasks, with the lines where they end; faults are logged.

    Args:
        path: ends in ``.tsv`` if tabs separate the cells.
        log: takes what cannot be read.
        controls: as for `to_task`.
    """
    before = csv.field_size_limit(_MAX_CELL)
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            while True:
                try:
                    row = next(rows, None)
                except csv.Error as error:
                    log.drop("not CSV", f"the rest of the file is not read: {error}", line=rows.line_num)
                    return
                if row is None:
                    return
                if None in row or None in row.values():
                    message = f"a row has another number of cells than the header: {shown(next(iter(row.values())))}"
                    log.drop("wrong kind", message, line=rows.line_num)
                elif fault := next(filter(None, map(encoding_fault, row.values())), None):
                    log.drop("not UTF-8", fault, line=rows.line_num)
                else:
                    yield rows.line_num, to_task({key: _cell(key, cell) for key, cell in row.items() if cell}, controls)
    finally:
        csv.field_size_limit(before)


def to_task(row: Mapping[str, Any], controls: Collection[str]) -> dict[str, Any]:
    """A row as a task with one annotation.

    Args:
        row: keys and values of JSON-MIN.
        controls: names of choices; a single choice is stored as a string, which only its name tells from data.
    """
    results: list[dict[str, Any]] = []
    data: dict[str, Any] = {}
    for key, value in row.items():
        if key in _OF_THE_ANNOTATION:
            continue
        if regions := _regions(key, value):
            results += regions
        elif (key == EVENT_TYPES or key in controls) and value and is_strings(value):
            # Choices of several regions, which do not say for which one each of them was made.
            results.append({"from_name": key, "type": "choices of regions", "value": {"text": value}})
        elif (choices := _choices(value)) and (key == EVENT_TYPES or key in controls or not isinstance(value, str)):
            results.append({"from_name": key, "type": "choices", "value": {"choices": choices}})
        else:
            data[key] = value
    version = {name: row[key] for key, name in _OF_THE_ANNOTATION.items() if key in row}
    annotated = row.get("annotation_id") not in (None, "")
    return {"data": data, "annotations": [{**version, "result": results}] if annotated else [], FROM_ROW: True}


def _regions(control: str, value: Any) -> list[dict[str, Any]]:
    """The regions of a control; none if the value is something else."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and "start" in item for item in value):
        return []
    regions: list[dict[str, Any]] = []
    for item in value:
        kind = next((key for key in _LABELS if key in item), "labels" if isinstance(item.get("text"), str) else "other")
        # The object is not in a row; a control belongs to one object, so its name stands for it.
        regions.append({"from_name": control, "to_name": control, "type": kind, "value": item})
    return regions


def _choices(value: Any) -> list[str]:
    """The choices of a control; none if the value is something else."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, dict):
        listed = value.get("choices") if value.keys() == {"choices"} else None
        return listed if isinstance(listed, list) else []
    if isinstance(value, list) and all(isinstance(item, dict) and item.keys() == {"choices"} for item in value):
        return [label for item in value for label in _choices(item)]
    return []


def _cell(key: str, cell: str) -> Any:
    """The value of a cell: the JSON of a control or of ``meta``, else the text itself."""
    if cell[0] not in "[{":
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    return value if key == "meta" or _regions(key, value) or _choices(value) else cell
