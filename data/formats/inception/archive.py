"""Zip archives of INCEpTION: a document with its type system, or a whole project.

A project has the versions of each document in ``annotation/DOCUMENT/USER.zip`` and
``curation/DOCUMENT/CURATION_USER.zip``, each with TypeSystem.xml and one XMI file. Formats without a type system have
no inner zip (``USER.json``). ``annotation_ser`` and ``curation_ser`` have the same versions serialized by Java.
``INITIAL_CAS`` is the document as imported. Source: the exporters in https://github.com/inception-project/inception.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ....errors import shown
from ...problems import ArticleLog, ProblemLog
from ..common.file_order import in_order
from ..common.zip_archive import Archive, ArchiveError, open_archive
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
_READABLE = (*_DOCUMENTS, ".zip")
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
    """One annotator's version of a document, in a member of the archive."""

    user: str
    curated: bool
    readable: bool
    member: str

    def __str__(self) -> str:
        return self.user if self.readable else f"{self.user} (.{self.member.rpartition('.')[2]:.20})"


def is_archive(path: Path) -> bool:
    """Whether a zip file is an export of INCEpTION; also true if it cannot be opened, so that reading logs why."""
    try:
        with open_archive(path) as archive:
            files = _content_files(archive)
            if any(_suffix(name) == ".xmi" or _VERSION.fullmatch(name) or _PROJECT.fullmatch(name) for name in files):
                return True
            first = next((name for name in files if _suffix(name) == ".json"), None)
            return first is not None and is_cas_json_head(archive.read(first, MAX_BYTES)[:4096])
    except (ArchiveError, OSError):
        return True


def read_archive(path: Path, log: ProblemLog, annotator: str) -> Iterator[CasFile]:
    """The documents of an archive, one at a time.

    Args:
        path: zip file.
        log: records what is dropped; its source is ``ARCHIVE!MEMBER`` while a document is in use.
        annotator: annotator whose versions are read; empty for the curated version, or the only one.
    """
    try:
        with open_archive(path) as archive:
            for cause, message in archive.rejected:
                log.drop(cause, message)
            for member, name in _chosen(_content_files(archive), log, annotator):
                with _inside(member, log):
                    yield from _documents(archive, member, name, log)
    except (ArchiveError, OSError) as error:
        log.drop("archive not read", f"the archive is dropped: {error}")


@contextmanager
def _inside(member: str, log: ProblemLog) -> Iterator[None]:
    """Name a member in the source of the log while it is read."""
    source = log.source
    log.source = f"{source}!{_unquoted(member)}"
    try:
        yield
    finally:
        log.source = source


def _content_files(archive: Archive) -> list[str]:
    """Members in the order of their names, without hidden files and those of macOS."""
    return sorted((name for name in archive.members if not _is_hidden(name)), key=_order)


def _is_hidden(name: str) -> bool:
    *folders, file = name.split("/")
    return "__MACOSX" in folders or file.startswith(".")


def _order(*names: str) -> list[Any]:
    return in_order(PurePosixPath(*names))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _chosen(files: Sequence[str], log: ProblemLog, annotator: str) -> Iterator[tuple[str, str]]:
    """The members to read, each with the name of its document; the name is empty outside of projects."""
    versions: dict[tuple[str, str], list[_Version]] = defaultdict(list)
    for member in files:
        if found := _VERSION.fullmatch(member):
            version = _Version(
                user=found["user"],
                curated=found["kind"] == "curation" or found["user"] == CURATOR,
                readable=not found["binary"] and _suffix(member) in _READABLE,
                member=member,
            )
            versions[found["root"], found["document"]].append(version)
    if versions:
        users = {version.user: None for group in versions.values() for version in group}
        if annotator and annotator not in users:
            message = f"annotator {shown(annotator)} has annotated no document; there are {_few(users)}"
            log.drop("unknown annotator", message)
            return
        for root, document in sorted(versions, key=lambda key: _order(*key)):
            if (version := _choice(document, versions[root, document], annotator, log)) is not None:
                yield version.member, document
    elif any(map(_PROJECT.fullmatch, files)):
        message = "the project was exported without annotations; choose a format at export, as UIMA CAS XMI"
        log.drop("no documents", message)
    elif documents := [member for member in files if _suffix(member) in _READABLE]:
        others = [m for m in files if _suffix(m) not in _READABLE and PurePosixPath(m).name != "TypeSystem.xml"]
        if others:
            log.fix("members ignored", f"{len(others)} members are not documents: {_few(others)}")
        yield from ((member, "") for member in documents)
    else:
        log.drop("no documents", "the archive has no .xmi or .json file and is no project of INCEpTION")


def _choice(document: str, versions: Sequence[_Version], annotator: str, log: ProblemLog) -> _Version | None:
    """The version of a document to read; None, and logged, if there is none."""
    article_log = ArticleLog(log=log, article=document)
    what = f"document {shown(document)}"
    readable = [version for version in versions if version.readable]
    known = {version.user for version in readable}
    binary = {version.user: version for version in versions if version.user not in known}
    people = [version for version in (*readable, *binary.values()) if version.user != INITIAL or annotator == INITIAL]
    curated = sorted((version for version in readable if version.curated), key=lambda version: version.user != CURATOR)
    candidates = curated or people
    if annotator:
        candidates = [version for version in people if version.user == annotator]
    if not candidates:
        why = f"it has no version of {shown(annotator)}" if annotator else "nobody has annotated it"
        others = f"; there are {_few(map(str, people))}" if people else ""
        article_log.fix("document without a version", f"{what} is left out: {why}{others}")
        return None
    chosen = candidates[0]
    if not annotator and not curated and len({version.user for version in candidates}) > 1:
        message = f"{what} was annotated by {_few(map(str, candidates))} and is not curated"
        article_log.drop("several annotators", f"{message}; choose one with the reading option annotator")
        return None
    if not chosen.readable:
        message = f"{what} has only {_unquoted(str(chosen))}, which is not read"
        article_log.drop("format not read", f"{message}; export it as UIMA CAS XMI or UIMA CAS JSON")
        return None
    if others := [str(version) for version in people if version is not chosen]:
        message = f"{what}: the version of {_unquoted(chosen.user)} is read, not of {_few(others)}"
        article_log.fix("versions left out", message)
    return chosen


def _few(names: Iterable[str]) -> str:
    """The first different names, and the number of the others."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(_unquoted, names[:_LISTED])) + more


def _unquoted(name: str) -> str:
    return shown(name, 200)[1:-1]


def _documents(archive: Archive, member: str, name: str, log: ProblemLog) -> Iterator[CasFile]:
    """The documents of a member: one, or all documents of a nested archive outside of projects."""
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
        article = name or PurePosixPath(member).stem
        log.drop("member not read", f"the member is dropped: {error}", article=article)


def _nested(archive: Archive, name: str, log: ProblemLog) -> Iterator[CasFile]:
    article_log = ArticleLog(log=log, article=name)
    for cause, message in archive.rejected:
        article_log.drop(cause, message)
    files = _content_files(archive)
    for deeper in (member for member in files if _suffix(member) == ".zip"):
        message = f"{shown(deeper)} is an archive three levels deep, which is not read; unpack it"
        article_log.drop("nested too deeply", message)
    found = [member for member in files if _suffix(member) in _DOCUMENTS]
    if not found or (name and len(found) > 1):
        article_log.drop("no document", f"it must have one .xmi or .json file and has {_few(found) or 'none'}")
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
