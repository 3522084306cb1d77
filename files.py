"""Files and folders that are written whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """A path to write to; it takes the place of ``path`` when the block ends without an error.

    The unfinished file or folder lies beside the target, so that replacing it is one step, and is removed after an
    error. Parent folders are made. A folder that exists is replaced.

    Args:
        path: the target.
        folder: the target is a folder; it is made empty.

    Raises:
        OSError: the target cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
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
