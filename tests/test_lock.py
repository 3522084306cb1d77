"""The lock of a folder."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rasid.lock import LockedError, locked

HOLD = """
import sys, time
from pathlib import Path
from rasid.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    process = holder(tmp_path)
    try:
        with pytest.raises(LockedError, match=f"process {process.pid} on .* since ") as caught, locked(tmp_path):
            pass
        assert str(tmp_path) in str(caught.value)
    finally:
        process.kill()
        process.wait()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.kill()
    process.wait()
    time.sleep(0.05)
    with locked(tmp_path):
        pass


def test_the_lock_ends_with_its_block_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path / "run"):
        raise KeyError
    with locked(tmp_path / "run"):
        assert os.getpid() > 0


def test_a_folder_below_a_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError), locked(tmp_path / "file" / "run"):  # noqa: B017
        pass
