"""Archives of INCEpTION: a document with its type system, or a whole project, also unpacked to a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ....errors import shown
from ...problems import ArticleLog, ProblemLog
from ..common.lines import limited_content, parse_json
from ..common.zip_archive import MAX_TOTAL, Archive, ArchiveError, open_archive
from .uima_cas import MAX_BYTES, is_cas_json_head
from .versions import (
    DOCUMENTS,
    States,
    chosen_members,
    few,
    in_name_order,
    is_of_project,
    people,
    project_file,
    states_of,
    suffix,
    unquoted,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CasFile:
    """A document that is not parsed yet.

    Attributes:
        name: name of the document, if its content has none.
        content: XMI or JSON.
        json: the content is JSON.
    """

    name: str
    content: bytes
    json: bool


@dataclass(kw_only=True)
class _Folder:
    """A folder with the files of an unpacked archive, read as an `Archive` is.

    Attributes:
        members: files by their path in the folder, with ``/`` between the parts.
        rejected: empty; see `Archive.rejected`.
        left: bytes that may be read from archives in the folder.
    """

    members: dict[str, Path]
    rejected: Sequence[tuple[str, str]] = ()
    left: int = MAX_TOTAL

    def read(self, member: str, largest: int) -> bytes:
        """The content of a file; ArchiveError if it cannot be read or is larger than ``largest`` bytes."""
        try:
            return limited_content(self.members[member], largest)
        except (ValueError, OSError) as error:
            raise ArchiveError(str(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[Archive | _Folder]:
    if not path.is_dir():
        with open_archive(path) as archive:
            yield archive
        return
    yield _Folder(members={file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()})


def is_archive(path: Path) -> bool:
    """Whether a zip file is an export of INCEpTION; also true if it cannot be opened, so that reading logs why."""
    try:
        with open_archive(path) as archive:
            files = _content_files(archive)
            if any(suffix(name) == ".xmi" or is_of_project(name) for name in files):
                return True
            first = next((name for name in files if suffix(name) == ".json"), None)
            return first is not None and is_cas_json_head(archive.read(first, MAX_BYTES)[:4096])
    except (ArchiveError, OSError):
        return True


def annotators(path: Path) -> list[str]:
    """The annotators of a project, without the curator; empty for a document and for what cannot be opened."""
    if path.suffix.lower() != ".zip" and not path.is_dir():
        return []
    try:
        with _opened(path) as archive:
            return people(_content_files(archive))
    except (ArchiveError, OSError):
        return []


def read_archive(path: Path, log: ProblemLog, annotator: str) -> Iterator[CasFile]:
    """The documents of an archive, one at a time.

    Args:
        path: zip file, or a folder with its content.
        log: records what is dropped; its source is ``ARCHIVE!MEMBER`` or ``FOLDER/FILE`` while a document is in use.
        annotator: annotator whose versions are read; empty for the curated version, or the only one.
    """
    try:
        with _opened(path) as archive:
            for cause, message in archive.rejected:
                log.drop(cause, message)
            files = _content_files(archive)
            for member, name in chosen_members(files, log, annotator, _states(archive, files)):
                with _inside(member, log, "/" if path.is_dir() else "!"):
                    yield from _documents(archive, member, name, log)
    except (ArchiveError, OSError) as error:
        log.drop("archive not read", f"the archive is dropped: {error}")


def _states(archive: Archive | _Folder, files: Sequence[str]) -> States:
    """The states of the versions of a project; empty if it does not say."""
    if (file := project_file(files)) is None:
        return {}
    try:
        return states_of(parse_json(archive.read(file, MAX_BYTES).decode("utf-8-sig")))
    except ValueError:  # also an `ArchiveError`
        return {}


@contextmanager
def _inside(member: str, log: ProblemLog, mark: str = "!") -> Iterator[None]:
    """Name a member in the source of the log while it is read."""
    source = log.source
    log.source = f"{source}{mark}{unquoted(member)}"
    try:
        yield
    finally:
        log.source = source


def _content_files(archive: Archive | _Folder) -> list[str]:
    """Members in the order of their names, without hidden files and those of macOS."""
    return sorted((name for name in archive.members if not _is_hidden(name)), key=in_name_order)


def _is_hidden(name: str) -> bool:
    *folders, file = name.split("/")
    return "__MACOSX" in folders or file.startswith(".")


def _documents(archive: Archive | _Folder, member: str, name: str, log: ProblemLog) -> Iterator[CasFile]:
    """The documents of a member: one, or all documents of a nested archive outside of projects."""
    try:
        content = archive.read(member, MAX_BYTES)
        if suffix(member) != ".zip":
            yield _document(content, member, name)
            return
        with open_archive(content, left=archive.left) as nested:
            archive.left = 0  # until it is known how much the nested archive reads
            try:
                yield from _nested(nested, name, log)
            finally:
                archive.left = nested.left
    except ArchiveError as error:
        article = name or PurePosixPath(member).stem
        log.drop("member not read", f"the member is dropped: {error}", article=article)


def _nested(archive: Archive, name: str, log: ProblemLog) -> Iterator[CasFile]:
    article_log = ArticleLog(log=log, article=name)
    for cause, message in archive.rejected:
        article_log.drop(cause, message)
    files = _content_files(archive)
    for deeper in (member for member in files if suffix(member) == ".zip"):
        message = f"{shown(deeper)} is an archive three levels deep, which is not read; unpack it"
        article_log.drop("nested too deeply", message)
    found = [member for member in files if suffix(member) in DOCUMENTS]
    if not found or (name and len(found) > 1):
        article_log.drop("no document", f"it must have one .xmi or .json file and has {few(found) or 'none'}")
        return
    for member in found:
        with _inside(member, log):
            try:
                yield _document(archive.read(member, MAX_BYTES), member, name)
            except ArchiveError as error:
                article_log.drop("member not read", f"the member is dropped: {error}")


def _document(content: bytes, member: str, name: str) -> CasFile:
    path = PurePosixPath(member)
    # A project names the folder of a document after its source file: news.txt or news.xmi.
    title = name.removesuffix(".xmi").removesuffix(".json") or path.stem
    return CasFile(name=title, content=content, json=path.suffix.lower() == ".json")
