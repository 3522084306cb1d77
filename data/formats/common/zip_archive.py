"""Reading zip archives from untrusted sources: members are read one by one into memory, nothing is unpacked to disk."""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ....errors import shown

MAX_DIRECTORY = 16 << 20
"""Bytes of the central directory, which zipfile reads into memory as a whole."""
MAX_MEMBERS = 100_000
MAX_TOTAL = 4 << 30
"""Bytes read from an archive and the archives nested in it, together."""
MAX_RATIO = 200
"""Uncompressed bytes per compressed byte of a member; XMI compresses 10 to 30 times."""
FREE = 1 << 20
"""Bytes of a member to which the ratio does not apply."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks the other methods without a limit
_ENCRYPTED = 0x1
_DRIVE = re.compile("[A-Za-z]:")
_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)  # 0 in archives made on Windows
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, KeyError,
)  # fmt: skip


class ArchiveError(ValueError):
    """An archive, or a member of it, that cannot be read; the message says why."""


@dataclass(kw_only=True)
class Archive:
    """An open archive.

    Attributes:
        file: the archive.
        members: files by name, a relative path with ``/`` between the parts and without ``..``; folders are left out.
        rejected: (cause, message) of each member that is unsafe or a duplicate.
        left: bytes that may still be read; `read` lowers it.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    left: int = MAX_TOTAL

    def read(self, member: str, largest: int) -> bytes:
        """The content of a member.

        Args:
            member: its name.
            largest: limit on its uncompressed size, in bytes.

        Raises:
            ArchiveError: it is too large, compressed beyond `MAX_RATIO`, encrypted or damaged, or `MAX_TOTAL` bytes
                have been read.
        """
        info = self.members[member]
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError("it is encrypted; pack the archive again without a password")
        if info.compress_type not in _METHODS:
            raise ArchiveError(f"it is packed by method {info.compress_type}; pack it as stored or deflated")
        for limit, what in (
            (largest, f"a member may have {largest >> 20} MiB at most"),
            (self.left, f"{MAX_TOTAL >> 20} MiB are read of an archive at most; split it"),
            (max(FREE, MAX_RATIO * info.compress_size), f"a compressed byte may hold {MAX_RATIO} bytes at most"),
        ):
            if info.file_size > limit:
                raise ArchiveError(f"it has {info.file_size:,} bytes, compressed to {info.compress_size:,}: {what}")
        try:
            with self.file.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _DAMAGE as error:
            raise ArchiveError(f"it is damaged ({_reason(error)}); export the archive again") from error
        if len(content) != info.file_size:
            declared = f"the archive declares {info.file_size:,}; export it again"
            raise ArchiveError(f"it has {len(content):,} bytes, but {declared}")
        self.left -= len(content)
        return content


class _LimitedReader(io.BufferedReader):
    """A file that rejects reads of more than `most` bytes: zipfile reads the central directory in one piece."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            limit = f"more than {self.most >> 20} MiB; split the archive"
            raise ArchiveError(f"its list of members has {size:,} bytes, {limit}")
        return super().read(size)


@contextmanager
def open_archive(source: Path | bytes, *, left: int | None = None) -> Iterator[Archive]:
    """Open an archive and list its members; none is read yet.

    Args:
        source: a file, or the content of one.
        left: bytes that may be read from its members; None for `MAX_TOTAL`.

    Raises:
        ArchiveError: it is no zip archive, truncated, or has too many members.
        OSError: the file cannot be opened.
    """
    raw = io.BytesIO(source) if isinstance(source, bytes) else io.FileIO(source)
    with _LimitedReader(raw) as stream:  # type: ignore[arg-type]
        stream.most = MAX_DIRECTORY
        try:
            file = zipfile.ZipFile(stream)
        except ArchiveError:
            raise
        except _DAMAGE as error:
            raise ArchiveError(f"it is not a zip archive, or truncated ({_reason(error)}); export it again") from error
        stream.most = None
        with file:
            archive = Archive(file=file, left=MAX_TOTAL if left is None else left)
            _list_members(archive)
            yield archive


def _reason(error: Exception) -> str:
    return f"{str(error) or type(error).__name__:.200}"


def _list_members(archive: Archive) -> None:
    """Fill `Archive.members` and `Archive.rejected`."""
    infos = archive.file.infolist()
    first = min((info.header_offset for info in infos), default=archive.file.start_dir)
    if first:
        # In a truncated archive, the directory that was found may belong to an archive nested in it.
        raise ArchiveError(f"{first:,} bytes precede its first member: it is truncated, or not a plain zip archive")
    if len(infos) > MAX_MEMBERS:
        raise ArchiveError(f"it has {len(infos):,} members, more than {MAX_MEMBERS:,}; split it")
    for info in infos:
        name = info.orig_filename.replace("\\", "/")
        if reason := _unsafe(name, info):
            archive.rejected.append(("unsafe member", f"member {shown(info.orig_filename)} is not read: {reason}"))
        elif name in archive.members:
            archive.rejected.append(("duplicate member", f"member {shown(name)} occurs twice; the first is read"))
        elif not name.endswith("/"):
            archive.members[name] = info


def _unsafe(name: str, info: zipfile.ZipInfo) -> str:
    """Why a member is not read; empty for a safe one."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    faults = {
        "its name has a null character": "\0" in name,
        "its name is absolute": name.startswith("/"),
        "its name starts with a drive letter": _DRIVE.match(name),
        "its name leads out of the archive (..)": ".." in name.split("/"),
        "it is a link": kind == stat.S_IFLNK,
        "it is neither a file nor a folder": kind not in _KINDS,
    }
    return next((reason for reason, is_unsafe in faults.items() if is_unsafe), "")
