"""Manifests of folders."""

import json
from pathlib import Path

import pytest

from rasid.manifest import MANIFEST_FILE, manifest_problem, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "README.md").write_text("card")
    write_manifest(tmp_path, without=["README.md"])
    return tmp_path


def test_an_unchanged_folder_has_no_problem(folder: Path) -> None:
    (folder / "README.md").write_text("a longer card")
    (folder / "notes.txt").write_text("mine")
    assert manifest_problem(folder) is None


def test_a_file_that_was_added_is_found_if_it_is_needed(folder: Path) -> None:
    (folder / "model").write_text("another")
    assert manifest_problem(folder, ["weights", "absent"]) is None
    assert manifest_problem(folder, ["weights", "model"]) == "model is not in manifest.json"


def test_one_changed_bit_is_found(folder: Path) -> None:
    content = bytearray((folder / "weights").read_bytes())
    content[12_345] ^= 1
    (folder / "weights").write_bytes(content)
    assert manifest_problem(folder) == "weights was changed"


def test_sizes_alone_find_a_file_that_is_cut_off(folder: Path) -> None:
    write_manifest(folder, hashed=False)
    assert "sha256" not in (folder / MANIFEST_FILE).read_text()
    (folder / "weights").write_bytes(b"short")
    assert manifest_problem(folder) == "weights has 5 bytes, not 25,600"


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "settings.json").unlink()
    assert manifest_problem(folder) == "settings.json is missing"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"files": {"weights": {}}}', '{"files": {"weights": {"size": "x"}}}', "[" * 100_000]
)
def test_a_broken_manifest_is_a_problem(folder: Path, content: str) -> None:
    (folder / MANIFEST_FILE).write_text(content)
    assert "cannot be read" in str(manifest_problem(folder))


def test_a_folder_without_a_manifest_is_a_problem(tmp_path: Path) -> None:
    assert manifest_problem(tmp_path) == "there is no manifest.json"


def test_a_manifest_cannot_name_files_outside_the_folder(folder: Path) -> None:
    entry = {"size": 1}
    (folder / MANIFEST_FILE).write_text(json.dumps({"files": {"../a": entry}}))
    assert "not a file of the folder" in str(manifest_problem(folder))
