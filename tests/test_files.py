"""Atomic writing."""

import os
from collections.abc import Callable
from pathlib import Path

from rasid.files import whole


def test_two_processes_can_write_the_same_folder(tmp_path: Path, python: Callable) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom rasid.files import whole\n"
        "with whole(Path(sys.argv[1]), folder=True) as part:\n    (part / 'other').touch()"
    )
    target = tmp_path / "target"
    with whole(target, folder=True) as part:
        (part / "one").touch()
        done = python(program, str(target))
        assert done.returncode == 0, done.stderr
        assert [path.name for path in target.iterdir()] == ["other"]
    assert [path.name for path in target.iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_device_is_written_and_not_replaced() -> None:
    device = Path("/dev/null")
    before = device.stat()
    with whole(device) as part:
        part.write_text("x")
    assert (device.stat().st_rdev, device.stat().st_ino) == (before.st_rdev, before.st_ino)


def test_the_file_of_a_link_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with whole(tmp_path / "link") as part:
        part.write_text("x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "x"


def test_a_pipe_is_written(tmp_path: Path) -> None:
    read, write = os.pipe()
    with whole(Path(f"/dev/fd/{write}")) as part:
        part.write_text("x")
    os.close(write)
    assert os.read(read, 10) == b"x"
    os.close(read)
