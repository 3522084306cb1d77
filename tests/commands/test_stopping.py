"""Commands that are stopped, that meet another process, or whose paths cannot be used."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rasid.commands import _stopping
from rasid.commands._stopping import disk_error
from rasid.lock import locked

Run = Callable[..., Result]


def started(*arguments: object) -> "subprocess.Popen[str]":
    """A command in a process of its own."""
    command = [sys.executable, "-m", "rasid", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in the background
    )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_training_says_how_to_resume(config_file: Path, tmp_path: Path, number: int, code: int) -> None:
    process = started("train", config_file, f"output={tmp_path}", "training.epochs=9000")
    end = time.monotonic() + 100
    while not (tmp_path / "tiny" / "log.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.2)
    out = err = ""
    for _ in range(6):  # an exception that a signal raises inside a destructor is lost
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, err = process.communicate(timeout=15)
            break
    assert process.returncode == code, err
    assert "Traceback" not in out + err
    last = [line for line in err.splitlines() if line.startswith("stopped: ")]
    assert last == ["stopped: checkpoints are kept; repeat the command to resume"]


def test_a_stopped_command_says_that_no_file_was_written(rasid: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rasid.evaluate.comparison.compare_reports", interrupted)
    monkeypatch.setattr("rasid.commands.compare._report", interrupted)
    result = rasid("compare", "a.json", "b.json", code=130)
    assert result.stderr == f"stopped: {_stopping._NOTHING}\n"


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_a_second_process_on_one_folder_is_refused(rasid: Run, config_file: Path, tmp_path: Path, command: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text("قصف الجيش المدينة. " * 2000, encoding="utf-8")
    arguments: list[object] = [config_file, f"output={tmp_path}"]
    if command == "pretrain":
        arguments = ["pretrain-mini", f"output={tmp_path / 'tiny'}", f"data.files=[{text}]"]
    with locked(tmp_path / "tiny"):
        result = rasid(command, *arguments, code=1)
    assert f"is being written by process {os.getpid()}" in result.stderr


def test_a_run_that_is_being_trained_is_not_exported(rasid: Run, run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder, tmp_path / "copy")
    with locked(tmp_path / "copy"):
        assert "is being written by" in rasid("export", tmp_path / "copy", code=1).stderr


@pytest.mark.parametrize("name", ["below a file", "a name of 300 letters"])
@pytest.mark.parametrize("command", ["train", "pretrain", "init", "convert", "check", "evaluate", "tag"])
def test_an_output_that_cannot_be_written_is_an_error(
    rasid: Run, config_file: Path, bundle: Path, data_files: dict[str, Path], tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    target = tmp_path / "file" / "out" if name == "below a file" else tmp_path / ("x" * 300)
    text = tmp_path / "text.txt"
    text.write_text("قصف الجيش المدينة. " * 2000, encoding="utf-8")
    test = data_files["test"]
    arguments: dict[str, list[object]] = {
        "train": [config_file, f"output={target}", "training.max_steps=1"],
        "pretrain": ["pretrain-mini", f"output={target}", f"data.files=[{text}]"],
        "init": [target],
        "convert": [test, target, "--to", "jsonl"],
        "check": [test, "--html", target],
        "evaluate": [bundle, test, "-o", target],
        "tag": [bundle, text, "-o", target],
    }
    result = rasid(command, *arguments[command], code=1)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and str(tmp_path) in errors[0]
    assert "Not a directory" in errors[0] or "File exists" in errors[0] or "name too long" in errors[0]


FOLDER_OR_FILE = [
    ("train", "{folder}"),
    ("pretrain", "{folder}"),
    ("evaluate", "{file}", "{data}"),
    ("evaluate", "{folder}", "{data}"),
    ("tag", "{file}", "{data}"),
    ("tag", "{folder}", "{data}"),
    ("export", "{file}"),
    ("export", "{folder}"),
    ("compare", "{folder}", "{folder}"),
    ("check", "{folder}"),
    ("convert", "{folder}", "{folder}/out.jsonl"),
    ("init", "{file}"),
    *((command, "{missing}", "{missing}") for command in ("evaluate", "tag", "compare", "convert")),
    *((command, "{missing}") for command in ("train", "pretrain", "export", "check")),
]


@pytest.mark.parametrize("command", FOLDER_OR_FILE, ids=" ".join)
def test_a_path_of_the_wrong_kind_is_an_error(
    rasid: Run, data_files: dict[str, Path], tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    places = {name: str(tmp_path / name) for name in ("file", "folder", "missing")}
    name, *paths = (part.format(data=data_files["test"], **places) for part in command)
    result = rasid(name, *paths, code=1)
    assert any(line.startswith("error: ") for line in result.stderr.splitlines()), result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["tag", "convert", "check"])
def test_a_full_disk_is_an_error(
    rasid: Run, bundle: Path, data_files: dict[str, Path], command: str, tmp_path: Path
) -> None:
    inputs = tmp_path / "a.txt"
    inputs.write_text("قصف الجيش المدينة. " * 500, encoding="utf-8")
    arguments = {
        "tag": [bundle, inputs, "-o", "/dev/full"],
        "convert": [data_files["train"], "/dev/full", "--to", "jsonl"],
        "check": [data_files["train"], "--html", "/dev/full"],
    }
    assert "error: /dev/full: No space left on device" in rasid(command, *arguments[command], code=1).stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/b.12.part"), "/a/b: No space left on device; free some"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), "/a: Permission denied"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), "No space left on device"),
        (RuntimeError("SafetensorError: No space left on device (os error 28)"), "No space left on device"),
    ],
)
def test_errors_of_the_disk_are_told(error: Exception, message: str) -> None:
    assert str(disk_error(error)).startswith(message)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError("without a number")])
def test_other_errors_are_bugs(error: Exception) -> None:
    assert disk_error(error) is None
