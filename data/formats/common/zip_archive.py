"""Zip archives that anyone may have made: members are read one by one into memory, nothing is written to disk."""

import io
import re
import reprlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MAX_DIRECTORY = 16 << 20
"""Bytes of the list of members, which is in memory as a whole."""
MAX_MEMBERS = 100_000
MAX_TOTAL = 4 << 30
"""Bytes that are read out of an archive and the archives in it, together."""
MAX_RATIO = 200
"""Bytes that a byte of the archive may stand for; XMI packs to a tenth or a thirtieth of its size."""
FREE = 1 << 20
"""Bytes of a member to which the ratio does not apply."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound
_ENCRYPTED = 0x1
_DRIVE = re.compile("[A-Za-z]:")
_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)  # 0 where the archive comes from Windows
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, KeyError,
)  # fmt: skip
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80


class ArchiveError(ValueError):
    """An archive, or a member of it, that is not read; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldDataset:
    """A file in an archive.

    Attributes:
        name: its path, with ``/`` between the parts; relative, without ``..``.
        info: where it lies.
    """

    name: str
    info: zipfile.ZipInfo


@dataclass(kw_only=True)
class Archive:
    """An open archive.

    Attributes:
        members: files by name, folders left out.
        refused: (cause, message) for members that are not read whatever they hold.
        left: bytes that may still be read; less after each `read`.
    """

    file: zipfile.ZipFile
    members: dict[str, FoldDataset] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    left: int = MAX_TOTAL

    def read(self, member: FoldDataset, largest: int) -> bytes:
        """The content of a member of at most `largest` bytes.

        Raises:
            ArchiveError: it is larger, packed tighter than `MAX_RATIO`, encrypted, damaged, or the archive has given
                `MAX_TOTAL` bytes.
        """
        info = member.info
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError("it is encrypted; pack the archive again without a password")
        if info.compress_type not in _METHODS:
            raise ArchiveError(
                f"it is packed by method {info.compress_type}; stored and deflated members are read, pack it so"
            )
        for limit, what in (
            (largest, f"{largest >> 20} MiB are read of a member at most"),
            (self.left, f"{MAX_TOTAL >> 20} MiB are read of an archive at most; split it"),
            (max(FREE, MAX_RATIO * info.compress_size), f"a packed byte stands for {MAX_RATIO} at most"),
        ):
            if info.file_size > limit:
                raise ArchiveError(f"it has {info.file_size:,} bytes, packed into {info.compress_size:,}: {what}")
        try:
            with self.file.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _DAMAGE as error:
            reason = str(error) or type(error).__name__
            raise ArchiveError(f"it is damaged ({reason:.200}); fetch or export the archive again") from error
        if len(content) != info.file_size:
            raise ArchiveError(
                f"it has {len(content):,} bytes where the archive says {info.file_size:,}; export it again"
            )
        self.left -= len(content)
        return content


class _Bounded(io.BufferedReader):
    """A file of which no more than `most` bytes are read at once: zipfile reads the list of members as one piece."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            raise ArchiveError(
                f"the list of its members has {size:,} bytes; {self.most >> 20} MiB are read at most, split the archive"
            )
        return super().read(size)


@contextmanager
def open_archive(source: Path | bytes, *, left: int | None = None) -> Iterator[Archive]:
    """Open an archive and look at the names in it; no member is read yet.

    Args:
        source: a file, or the content of one.
        left: bytes that may be read of its members; None for `MAX_TOTAL`.

    Raises:
        ArchiveError: it is no archive, truncated, or has too many members.
        OSError: the file cannot be opened.
    """
    raw = io.BytesIO(source) if isinstance(source, bytes) else io.FileIO(source)
    with _Bounded(raw) as stream:  # type: ignore[arg-type]
        stream.most = MAX_DIRECTORY
        try:
            file = zipfile.ZipFile(stream)
        except ArchiveError:
            raise
        except _DAMAGE as error:
            reason = str(error) or type(error).__name__
            raise ArchiveError(
                f"it is no zip archive, or a truncated one ({reason:.200}); fetch or export it again"
            ) from error
        stream.most = None
        with file:
            archive = Archive(file=file, left=MAX_TOTAL if left is None else left)
            _list(archive)
            yield archive


def _list(archive: Archive) -> None:
    """Tell files from folders and from names that lead out of the archive."""
    infos = archive.file.infolist()
    first = min((info.header_offset for info in infos), default=archive.file.start_dir)
    if first:
        # The list that was found may be that of an archive in a truncated one.
        raise ArchiveError(f"{first:,} bytes come before its first member: it is truncated, or no plain zip archive")
    if len(infos) > MAX_MEMBERS:
        raise ArchiveError(f"it has {len(infos):,} members; {MAX_MEMBERS:,} are read at most, split it")
    for info in infos:
        name = info.orig_filename.replace("\\", "/")
        if reason := _unsafe(name, info):
            archive.refused.append(("unsafe member", f"member {_SHOWN.repr(info.orig_filename)} is not read: {reason}"))
        elif name.endswith("/"):
            continue
        elif name in archive.members:
            message = f"member {_SHOWN.repr(name)} is there twice; the first is read"
            archive.refused.append(("duplicate member", message))
        else:
            archive.members[name] = FoldDataset(name=name, info=info)


def _unsafe(name: str, info: zipfile.ZipInfo) -> str:
    """Why a member could be meant to harm; empty where it could not."""
    if "\0" in name:
        return "its name holds a null character"
    if name.startswith("/"):
        return "its name is absolute"
    if _DRIVE.match(name):
        return "its name begins with a drive letter"
    if ".." in name.split("/"):
        return "its name leads out of the archive (..)"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in _KINDS:
        return "it is a link" if kind == stat.S_IFLNK else "it is neither a file nor a folder"
    return ""
