"""Manifests: the size and SHA-256 of every file of a folder, to find files that are missing, cut off or changed."""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from .errors import shown
from .files import whole

MANIFEST_FILE = "manifest.json"
_CHUNK = 1 << 20


def write_manifest(folder: Path, *, hashed: bool = True, without: Collection[str] = ()) -> None:
    """Write `MANIFEST_FILE`, the last file of a folder: one that lacks it was not finished.

    Args:
        folder: its files, not those of folders inside it, are listed.
        hashed: store the SHA-256 too; False stores sizes only, which finds files that are cut off.
        without: names of files that may change later.
    """
    files = {
        path.name: {"size": path.stat().st_size} | ({"sha256": _sha256(path)} if hashed else {})
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST_FILE and path.name not in without
    }
    with whole(folder / MANIFEST_FILE) as part:
        part.write_text(json.dumps({"files": files}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def manifest_problem(folder: Path, needed: Collection[str] = ()) -> str | None:
    """What is wrong with a folder by its manifest; None if every file of it is as it was written.

    Args:
        folder: with a manifest.
        needed: names of files that the manifest must list if the folder has them. Other files that it does not list
            are ignored.
    """
    path = folder / MANIFEST_FILE
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        wanted = {name: (int(entry["size"]), entry.get("sha256")) for name, entry in files.items()}
    except FileNotFoundError:
        return f"there is no {MANIFEST_FILE}"
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        return f"{MANIFEST_FILE} cannot be read: {type(error).__name__}"
    for name in needed:
        if name not in wanted and (folder / name).exists():
            return f"{name} is not in {MANIFEST_FILE}"
    for name, (size, digest) in wanted.items():
        file = folder / name
        if Path(name).name != name:
            return f"{MANIFEST_FILE} lists {shown(name)}, which is not a file of the folder"
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != size:
            return f"{name} has {file.stat().st_size:,} bytes, not {size:,}"
        if digest is not None and _sha256(file) != digest:
            return f"{name} was changed"
    return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
