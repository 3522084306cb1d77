"""Zip archives of INCEpTION: a document with its type system, or a whole project.

A project has the versions of each document in ``annotation/DOCUMENT/USER.zip`` and
``curation/DOCUMENT/CURATION_USER.zip``, each with TypeSystem.xml and one XMI file. Formats without a type system have
no inner zip (``USER.json``). ``annotation_ser`` and ``curation_ser`` have the same versions serialized by Java.
``INITIAL_CAS`` is the document as imported. Source: the exporters in https://github.com/inception-project/inception.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ....errors import shown
from ...problems import ProblemLog
from ..common.file_order import in_order
from ..common.zip_archive import Archive, ArchiveError, ArchiveMember, open_archive
from .uima_cas import MAX_BYTES, is_cas_json_head

CURATOR = "CURATION_USER"
INITIAL = "INITIAL_CAS"
_VERSION = re.compile(
    r"(?P<root>(?:.*/)?)(?P<kind>annotation|curation)(?P<binary>_ser)?/(?P<document>[^/]+)/"
    r"(?P<user>[^/]+)\.(?P<suffix>[^./]+)",
    re.DOTALL,
)
_PROJECT = re.compile(r"(?:.*/)?exportedproject[^/]*\.json", re.DOTALL)
_DOCUMENTS = (".xmi", ".json")
_LISTED = 5  # members or annotators listed in a message


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """One annotator's version of a document."""

    user: str
    curated: bool
    readable: bool
    member: ArchiveMember

    def __str__(self) -> str:
        return self.user if self.readable else f"{self.user} (.{self.member.name.rpartition('.')[2]:.20})"


def is_archive(path: Path) -> bool:
    """Whether a zip file is an export of INCEpTION; also true if it cannot be opened, so that reading logs why."""
    try:
        with open_archive(path) as archive:
            files = _content_files(archive)
            if any(_VERSION.fullmatch(m.name) or _PROJECT.fullmatch(m.name) for m in files):
                return True
            first = next((m for m in files if _suffix(m) == ".json"), None)
            if any(_suffix(m) == ".xmi" for m in files) or first is None:
                return any(_suffix(m) == ".xmi" for m in files)
            return is_cas_json_head(archive.read(first, MAX_BYTES)[:4096])
    except (ArchiveError, OSError):
        return True


def read_archive(path: Path, log: ProblemLog, annotator: str) -> Iterator[CasFile]:
    """The documents of an archive, one at a time.

    Args:
        path: zip file.
        log: records what is dropped; its source is ``ARCHIVE!MEMBER`` while a document is in use.
        annotator: annotator whose versions are read; empty for the curated version, or the only one.
    """
    source = log.source
    try:
        with open_archive(path) as archive:
            for cause, message in archive.rejected:
                log.drop(cause, message)
            files = _content_files(archive)
            for member, name in _chosen(files, log, annotator):
                log.source = f"{source}!{_unquoted(member.name)}"
                yield from _documents(archive, member, name, log)
                log.source = source
    except (ArchiveError, OSError) as error:
        log.source = source
        log.drop("archive not read", f"the archive is dropped: {error}")
    finally:
        log.source = source


def _content_files(archive: Archive) -> list[ArchiveMember]:
    """Members in the order of their names, without hidden files and those of macOS."""
    members = (member for name, member in archive.members.items() if not _is_hidden(name))
    return sorted(members, key=lambda member: in_order(PurePosixPath(member.name)))


def _is_hidden(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts[:-1] or parts[-1].startswith(".")


def _suffix(member: ArchiveMember) -> str:
    return PurePosixPath(member.name).suffix.lower()


def _chosen(files: Sequence[ArchiveMember], log: ProblemLog, annotator: str) -> Iterator[tuple[ArchiveMember, str]]:
    """The members to read, each with the name of its document; the name is empty outside of projects."""
    versions: dict[tuple[str, str], list[_Version]] = {}
    for member in files:
        if found := _VERSION.fullmatch(member.name):
            version = _Version(
                user=found["user"],
                curated=found["kind"] == "curation" or found["user"] == CURATOR,
                readable=not found["binary"] and _suffix(member) in (*_DOCUMENTS, ".zip"),
                member=member,
            )
            versions.setdefault((found["root"], found["document"]), []).append(version)
    if versions:
        users = {version.user: None for group in versions.values() for version in group}
        if annotator and annotator not in users:
            message = f"annotator {shown(annotator)} has annotated no document; there are {_few(users)}"
            log.drop("unknown annotator", message)
            return
        for key in sorted(versions, key=lambda key: in_order(PurePosixPath(*key))):
            if (version := _choice(key[1], versions[key], annotator, log)) is not None:
                yield version.member, key[1]
    elif any(_PROJECT.fullmatch(member.name) for member in files):
        log.drop(
            "no documents", "the project was exported without annotations; choose a format at export, as UIMA CAS XMI"
        )
    else:
        yield from _plain(files, log)


def _plain(files: Sequence[ArchiveMember], log: ProblemLog) -> Iterator[tuple[ArchiveMember, str]]:
    """The documents of an archive that is no project; other members are logged."""
    taken = [member for member in files if _suffix(member) in (*_DOCUMENTS, ".zip")]
    if not taken:
        log.drop("no documents", "the archive has no .xmi or .json file and is no project of INCEpTION")
        return
    known = {member.name for member in taken}
    other = [m.name for m in files if m.name not in known and PurePosixPath(m.name).name != "TypeSystem.xml"]
    if other:
        log.fix("members ignored", f"{len(other)} members are not documents: {_few(other)}")
    yield from ((member, "") for member in taken)


def _choice(document: str, versions: Sequence[_Version], annotator: str, log: ProblemLog) -> _Version | None:
    """The version of a document to read; None, and logged, if there is none."""
    readable = [version for version in versions if version.readable]
    known = {version.user for version in readable}
    binary = {version.user: version for version in versions if version.user not in known}
    people = [version for version in (*readable, *binary.values()) if version.user != INITIAL or annotator == INITIAL]
    curated = [version for version in readable if version.curated]
    what = f"document {shown(document)}"
    if annotator:
        candidates = [version for version in people if version.user == annotator]
    elif curated:
        candidates = sorted(curated, key=lambda version: version.user != CURATOR)
    else:
        candidates = people
    if not candidates:
        why = f"it has no version of {shown(annotator)}" if annotator else "nobody has annotated it"
        log.fix("document without a version", f"{what} is left out: {why}{_others(people)}", article=document)
        return None
    chosen = candidates[0]
    if not annotator and not curated and len({version.user for version in candidates}) > 1:
        message = f"{what} was annotated by {_few(dict.fromkeys(map(str, candidates)))} and is not curated"
        log.drop("several annotators", f"{message}; choose one with the reading option annotator", article=document)
        return None
    if not chosen.readable:
        message = (
            f"{what} has only {_unquoted(str(chosen))}, which is not read; export it as UIMA CAS XMI or UIMA CAS JSON"
        )
        log.drop("format not read", message, article=document)
        return None
    if others := [version for version in people if version is not chosen]:
        message = (
            f"{what}: the version of {_unquoted(chosen.user)} is read, not of {_few(dict.fromkeys(map(str, others)))}"
        )
        log.fix("versions left out", message, article=document)
    return chosen


def _others(versions: Iterable[_Version]) -> str:
    users = dict.fromkeys(map(str, versions))
    return f"; there are {_few(users)}" if users else ""


def _few(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(_unquoted, names[:_LISTED])) + more


def _unquoted(name: str) -> str:
    return shown(name, 200)[1:-1]


def _documents(archive: Archive, member: ArchiveMember, name: str, log: ProblemLog) -> Iterator[CasFile]:
    """The documents of a member: one, or all documents of a nested archive outside of projects."""
    article = name or PurePosixPath(member.name).stem
    try:
        content = archive.read(member, MAX_BYTES)
        if _suffix(member) != ".zip":
            yield _document(content, member, name)
            return
        with open_archive(content, left=archive.left) as nested:
            archive.left = 0  # until it is known how much the nested archive reads
            try:
                yield from _nested(nested, name, log)
            finally:
                archive.left = nested.left
    except ArchiveError as error:
        log.drop("member not read", f"the member is dropped: {error}", article=article)


def _nested(archive: Archive, name: str, log: ProblemLog) -> Iterator[CasFile]:
    source = log.source
    for cause, message in archive.rejected:
        log.drop(cause, message, article=name)
    files = _content_files(archive)
    for deeper in (member for member in files if _suffix(member) == ".zip"):
        message = f"{shown(deeper.name)} is an archive three levels deep, which is not read; unpack it"
        log.drop("nested too deeply", message, article=name)
    found = [member for member in files if _suffix(member) in _DOCUMENTS]
    if not found or (name and len(found) > 1):
        held = _few(member.name for member in found) or "none"
        log.drop("no document", f"it must have one .xmi or .json file and has {held}", article=name)
        return
    for member in found:
        log.source = f"{source}!{_unquoted(member.name)}"
        try:
            yield _document(archive.read(member, MAX_BYTES), member, name)
        except ArchiveError as error:
            log.drop("member not read", f"the member is dropped: {error}", article=name)
        finally:
            log.source = source


def _document(content: bytes, member: ArchiveMember, name: str) -> CasFile:
    path = PurePosixPath(member.name)
    # A project names the folder of a document after its source file: news.txt or news.xmi.
    title = name.removesuffix(".xmi").removesuffix(".json") or path.stem
    return CasFile(name=title, content=content, json=path.suffix.lower() == ".json")
