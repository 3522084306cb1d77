"""What Label Studio writes to a target storage: an annotation a file, with its task inside and without a suffix."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ....errors import shown
from ...problems import ProblemLog
from ..common.file_order import in_order
from ..common.lines import limited_content, parse_json

_MAX_BYTES = 64 * 2**20
_SUFFIXES = ("", ".json")


def is_storage(folder: Path) -> bool:
    """Whether a folder holds such files and no others."""
    files = _files(folder)
    if not files or any(file.suffix.lower() not in _SUFFIXES for file in files):
        return False
    first = _content(files[0], ProblemLog(examples=0))
    return first is not None and is_annotation(first)


def read_storage(folder: Path, log: ProblemLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the tasks of a folder with all their annotations; what is none is logged.

    Args:
        folder: its files are read twice, so that one task at a time is in memory.
        log: its source is the first file of the task.
    """
    by_task: dict[str, list[Path]] = {}
    for file in _files(folder):
        log.source = str(file)
        if (content := _content(file, log)) is not None:
            task = content["task"] if is_annotation(content) else content
            by_task.setdefault(f"{task.get('id', file)}", []).append(file)
    for files in by_task.values():
        log.source = str(files[0])
        found = [content for file in files if (content := _content(file, ProblemLog(examples=0))) is not None]
        tasks = [as_task(content) if is_annotation(content) else content for content in found]
        annotations = [version for task in tasks for version in task.get("annotations") or ()]
        yield 1, tasks[0] | {"annotations": annotations}
    log.source = str(folder)


def is_annotation(content: Mapping[str, Any]) -> bool:
    """Whether an object is an annotation with its task inside."""
    task = content.get("task")
    return isinstance(content.get("result"), list) and isinstance(task, dict) and isinstance(task.get("data"), dict)


def as_task(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """The task of an annotation, with the annotation inside."""
    version = {key: value for key, value in annotation.items() if key != "task"}
    return {**annotation["task"], "annotations": [version]}


def _files(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(files, key=in_order)


def _content(file: Path, log: ProblemLog) -> dict[str, Any] | None:
    """An annotation with its task, or a task with its annotations."""
    try:
        content = parse_json(limited_content(file, _MAX_BYTES).decode("utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        log.drop("not JSON", f"the file is left out: {error}")
        return None
    if isinstance(content, dict):
        if is_annotation(content):
            return content
        if isinstance(content.get("data"), dict) and isinstance(content.get("annotations"), list):
            return content
    log.drop("wrong kind", f"{shown(content)} is not an annotation with its task")
    return None
