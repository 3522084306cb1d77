"""Atomic writing of files and folders."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """A temporary path to write to; it is moved to ``path`` if the block ends without an error, else removed.

    The temporary path is in the same folder, so the move is atomic; its name has the number of the process, so several
    processes can write the same target. Parent folders are created. An existing file or folder is replaced.

    Args:
        path: the target.
        folder: the target is a folder; it is created empty.

    Raises:
        OSError: the target cannot be written.
    """
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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
