"""Atomic writing."""

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
