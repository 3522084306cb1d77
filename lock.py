"""A lock on a folder that one process writes at a time."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from .errors import RasidError

LOCK_FILE, OWNER_FILE = ".lock", ".owner.json"
LOCK_FILES = frozenset({LOCK_FILE, OWNER_FILE})


class LockedError(RasidError, RuntimeError):
    """Another process writes to the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is created if it does not exist.

    The operating system keeps the lock, so it ends with its process: a crash, a kill or a reboot leaves no stale lock.
    The lock file stays; a file that is deleted could be locked twice.

    Args:
        folder: the folder.

    Raises:
        LockedError: another process holds the lock. The message names the process.
        OSError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"{folder} is being written by {_owner(folder)}; wait for it, stop it, or choose another folder"
        ) from None
    try:
        owner = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().isoformat(" ", "seconds"),
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
        }
        (folder / OWNER_FILE).write_text(json.dumps(owner, ensure_ascii=False) + "\n", encoding="utf-8")
        yield
    finally:
        (folder / OWNER_FILE).unlink(missing_ok=True)
        lock.release()


def _owner(folder: Path) -> str:
    """The process that holds the lock, as far as it is known."""
    try:
        owner = json.loads((folder / OWNER_FILE).read_text(encoding="utf-8"))
        return f"process {owner['process']} on {owner['host']} since {owner['since']} ({owner['command']})"
    except (KeyError, OSError, TypeError, ValueError):
        return "another process"
