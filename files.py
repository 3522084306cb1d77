"""Atomic writing of files and folders."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """A temporary path to write to; it is moved to ``path`` if the block ends without an error, else removed.

    The temporary path is in the same folder, so the move is atomic; its name has the number of the process, so several
    processes can write the same target. Parent folders are created. An existing file or folder is replaced; a device
    or a pipe is written directly, and of a link the file that it names.

    Args:
        path: the target.
        folder: the target is a folder; it is created empty.

    Raises:
        OSError: the target cannot be written.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    if path.is_symlink():
        path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    _remove(part)
    try:
        if folder:
            part.mkdir()
        yield part
        if folder:
            _remove(path)
        part.replace(path)
    finally:
        _remove(part)


def target_of(part: str | bytes | os.PathLike[str]) -> str:
    """The target of a temporary path of `whole`, for messages; any other path is returned unchanged.

    >>> target_of("out.jsonl.123.part"), target_of("out.jsonl")
    ('out.jsonl', 'out.jsonl')
    """
    return re.sub(r"\.\d+\.part$", "", os.fsdecode(part))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
