"""Zip archives of INCEpTION: a document with its type system, or a whole project.

A project has the versions of each document as ``annotation/DOCUMENT/USER.zip`` and
``curation/DOCUMENT/CURATION_USER.zip``, each with TypeSystem.xml and one XMI file; formats of one file stand there
without a zip of their own (``USER.json``). ``annotation_ser`` and ``curation_ser`` hold the same in a binary form of
Java, and ``INITIAL_CAS`` the document as it was imported. The layout is that of the exporters in
https://github.com/inception-project/inception.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...problems import ProblemLog
from ..common.file_order import in_order
from ..common.zip_archive import Archive, ArchiveError, FoldDataset, open_archive
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
_NAMED = 5  # members or annotators that a message names
_SHOWN = 200  # characters of a name that it shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document out of an archive.

    Attributes:
        name: of the document, where it does not say so itself.
        content: of its XMI or JSON file.
        json: it is a JSON file.
    """

    name: str
    content: bytes
    json: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """What one person made of a document."""

    user: str
    curated: bool
    readable: bool
    member: FoldDataset

    def __str__(self) -> str:
        return self.user if self.readable else f"{self.user} (.{self.member.name.rpartition('.')[2]:.20})"


def is_archive(path: Path) -> bool:
    """Whether a zip file is of INCEpTION; one that cannot be opened may be, and reading it says what is wrong."""
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


def read_archive(path: Path, log: ProblemLog, annotator: str) -> Iterator[Document]:
    """The documents of an archive, one at a time; the log's source names the member while it is out.

    Args:
        path: of the zip file.
        log: takes what is left out.
        annotator: whose version of each document of a project is read; empty for the curated one, or the only one.
    """
    source = log.source
    try:
        with open_archive(path) as archive:
            for cause, message in archive.refused:
                log.drop(cause, message)
            files = _content_files(archive)
            for member, name in _chosen(files, log, annotator):
                log.source = f"{source}!{_shown(member.name)}"
                yield from _documents(archive, member, name, log)
                log.source = source
    except (ArchiveError, OSError) as error:
        log.source = source
        log.drop("archive not read", f"the archive is left out: {error}")
    finally:
        log.source = source


def _content_files(archive: Archive) -> list[FoldDataset]:
    """Members in the order of their names, without what desktops put beside them."""
    members = (member for name, member in archive.members.items() if not _is_litter(name))
    return sorted(members, key=lambda member: in_order(PurePosixPath(member.name)))


def _is_litter(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts[:-1] or parts[-1].startswith(".")


def _suffix(member: FoldDataset) -> str:
    return PurePosixPath(member.name).suffix.lower()


def _chosen(files: Sequence[FoldDataset], log: ProblemLog, annotator: str) -> Iterator[tuple[FoldDataset, str]]:
    """The members to be read, each with the name of its document; empty where the member has it."""
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
            message = f"annotator is {annotator!r:.60}, who is in no document; there are {_few(users)}"
            log.drop("unknown annotator", message)
            return
        for key in sorted(versions, key=lambda key: in_order(PurePosixPath(*key))):
            if (version := _choice(key[1], versions[key], annotator, log)) is not None:
                yield version.member, key[1]
    elif any(_PROJECT.fullmatch(member.name) for member in files):
        log.drop("no documents", "the project was exported without annotations; export it with a format, as XMI")
    else:
        yield from _plain(files, log)


def _plain(files: Sequence[FoldDataset], log: ProblemLog) -> Iterator[tuple[FoldDataset, str]]:
    """Every document of an archive that is no project; what else it holds is recorded."""
    taken = [member for member in files if _suffix(member) in (*_DOCUMENTS, ".zip")]
    if not taken:
        log.drop("no documents", "the archive holds no .xmi or .json file, nor a project of INCEpTION")
        return
    known = {member.name for member in taken}
    other = [m.name for m in files if m.name not in known and PurePosixPath(m.name).name != "TypeSystem.xml"]
    if other:
        log.fix("members left aside", f"{len(other)} members are no documents: {_few(other)}")
    yield from ((member, "") for member in taken)


def _choice(document: str, versions: Sequence[_Version], annotator: str, log: ProblemLog) -> _Version | None:
    """The version of a document that is read; what is left out is recorded."""
    readable = [version for version in versions if version.readable]
    known = {version.user for version in readable}
    binary = {version.user: version for version in versions if version.user not in known}
    people = [version for version in (*readable, *binary.values()) if version.user != INITIAL or annotator == INITIAL]
    curated = [version for version in readable if version.curated]
    what = f"document {document!r:.80}"
    if annotator:
        candidates = [version for version in people if version.user == annotator]
    elif curated:
        candidates = sorted(curated, key=lambda version: version.user != CURATOR)
    else:
        candidates = people
    if not candidates:
        why = f"it has no version of {annotator!r:.60}" if annotator else "nobody has annotated it"
        log.fix("document without a version", f"{what} is left out: {why}{_others(people)}", article=document)
        return None
    chosen = candidates[0]
    if not annotator and not curated and len({version.user for version in candidates}) > 1:
        message = f"{what} was annotated by {_few(dict.fromkeys(map(str, candidates)))} and is not curated"
        log.drop("several annotators", f"{message}; choose one with the reading option annotator", article=document)
        return None
    if not chosen.readable:
        message = (
            f"{what} is there as {_shown(str(chosen))}, which is not read; export it as UIMA CAS XMI or UIMA CAS JSON"
        )
        log.drop("format not read", message, article=document)
        return None
    if others := [version for version in people if version is not chosen]:
        message = f"{what} is read as {_shown(chosen.user)} has it; left out: {_few(dict.fromkeys(map(str, others)))}"
        log.fix("versions left out", message, article=document)
    return chosen


def _others(versions: Iterable[_Version]) -> str:
    users = dict.fromkeys(map(str, versions))
    return f"; there are {_few(users)}" if users else ""


def _few(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(_shown, names[:_NAMED])) + more


def _shown(name: str) -> str:
    """A name from an archive as it may stand in a message."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in name[:_SHOWN])


def _documents(archive: Archive, member: FoldDataset, name: str, log: ProblemLog) -> Iterator[Document]:
    """The document of a member; several of an archive in a plain archive, one in a project."""
    article = name or PurePosixPath(member.name).stem
    try:
        content = archive.read(member, MAX_BYTES)
        if _suffix(member) != ".zip":
            yield _document(content, member, name)
            return
        with open_archive(content, left=archive.left) as nested:
            archive.left = 0  # until the nested one has taken its part
            try:
                yield from _nested(nested, name, log)
            finally:
                archive.left = nested.left
    except ArchiveError as error:
        log.drop("member not read", f"the member is left out: {error}", article=article)


def _nested(archive: Archive, name: str, log: ProblemLog) -> Iterator[Document]:
    source = log.source
    for cause, message in archive.refused:
        log.drop(cause, message, article=name)
    files = _content_files(archive)
    for deeper in (member for member in files if _suffix(member) == ".zip"):
        message = f"{deeper.name!r:.80} is an archive in an archive in an archive, which no export has"
        log.drop("nested too deeply", f"{message}; unpack it", article=name)
    found = [member for member in files if _suffix(member) in _DOCUMENTS]
    if not found or (name and len(found) > 1):
        held = _few(member.name for member in found) or "none"
        log.drop("no document", f"it must hold one .xmi or .json file and holds {held}", article=name)
        return
    for member in found:
        log.source = f"{source}!{_shown(member.name)}"
        try:
            yield _document(archive.read(member, MAX_BYTES), member, name)
        except ArchiveError as error:
            log.drop("member not read", f"the member is left out: {error}", article=name)
        finally:
            log.source = source


def _document(content: bytes, member: FoldDataset, name: str) -> Document:
    path = PurePosixPath(member.name)
    # A project's folder is called as the source file was: news.txt or news.xmi.
    shown = name.removesuffix(".xmi").removesuffix(".json") or path.stem
    return Document(name=shown, content=content, json=path.suffix.lower() == ".json")
