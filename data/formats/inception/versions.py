"""Projects of INCEpTION: the versions of each document by annotators and a curator, and which of them is read.

A project has the versions of each document in ``annotation/DOCUMENT/USER.zip`` and
``curation/DOCUMENT/CURATION_USER.zip``, each with TypeSystem.xml and one XMI file. Formats without a type system have
no inner zip (``USER.json``). ``annotation_ser`` and ``curation_ser`` have the same versions serialized by Java.
``INITIAL_CAS`` is the document as imported. ``exportedproject….json`` has the state of each version.

Source: the exporters in https://github.com/inception-project/inception.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ....errors import shown
from ...problems import ArticleLog, ProblemLog
from ..common.file_order import in_order

CURATOR = "CURATION_USER"
INITIAL = "INITIAL_CAS"
_VERSION = re.compile(
    r"(?P<root>(?:.*/)?)(?P<kind>annotation|curation)(?P<binary>_ser)?/(?P<document>[^/]+)/"
    r"(?P<user>[^/]+)\.(?P<suffix>[^./]+)",
    re.DOTALL,
)
_PROJECT = re.compile(r"(?:.*/)?exportedproject[^/]*\.json", re.DOTALL)
DOCUMENTS = (".xmi", ".json")
_READABLE = (*DOCUMENTS, ".zip")
_NOT_ANNOTATED = {"NEW": "nobody has opened it", "IGNORE": "it was set aside"}
_LISTED = 5  # members or annotators listed in a message


States = Mapping[tuple[str, str], str]
"""(Document, annotator) → NEW, IN_PROGRESS, FINISHED or IGNORE."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """One annotator's version of a document, in a member of the archive."""

    user: str
    curated: bool
    readable: bool
    member: str

    def __str__(self) -> str:
        return self.user if self.readable else f"{self.user} (.{self.member.rpartition('.')[2]:.20})"


def is_project(folder: Path) -> bool:
    """Whether a folder is an unpacked project: it has the project's JSON, or versions of annotators in archives."""
    names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.suffix in _READABLE]
    if not (versions := [found for found in map(_VERSION.fullmatch, names) if found and not found["binary"]]):
        return False
    return any(map(_PROJECT.fullmatch, names)) or any(
        version["suffix"] == "zip" or version["user"] in (CURATOR, INITIAL) for version in versions
    )


def project_file(files: Sequence[str]) -> str | None:
    """The JSON with the settings of a project; None if it is missing."""
    return next(filter(_PROJECT.fullmatch, files), None)


def states_of(project: object) -> States:
    """The state of each annotator's version of a document, from the parsed JSON of a project."""
    listed = project.get("annotation_documents") if isinstance(project, dict) else None
    found: dict[tuple[str, str], str] = {}
    for item in listed if isinstance(listed, list) else ():
        values = [item.get(key) for key in ("name", "user", "state")] if isinstance(item, dict) else [None]
        if all(isinstance(value, str) for value in values):
            name, user, state = map(str, values)
            found[name, user] = state
    return found


def is_of_project(member: str) -> bool:
    """Whether a member of an archive has the name of a version of a document, or of a project's JSON."""
    return (_VERSION.fullmatch(member) or _PROJECT.fullmatch(member)) is not None


def people(files: Sequence[str]) -> list[str]:
    """The annotators who have versions that can be read, without the curator."""
    versions = (version for group in _versions(files).values() for version in group)
    users = (version.user for version in versions if version.readable and not version.curated)
    return list(dict.fromkeys(user for user in users if user != INITIAL))


def in_name_order(*names: str) -> list[Any]:
    """A key that sorts names, joined to a path, as `in_order` does."""
    return in_order(PurePosixPath(*names))


def suffix(name: str) -> str:
    """The suffix of a member's name, in lower case."""
    return PurePosixPath(name).suffix.lower()


def chosen_members(files: Sequence[str], log: ProblemLog, annotator: str, states: States) -> Iterator[tuple[str, str]]:
    """The members to read, each with the name of its document; the name is empty outside of projects."""
    if versions := _versions(files):
        users = {version.user: None for group in versions.values() for version in group}
        if annotator and annotator not in users:
            message = f"annotator {shown(annotator)} has annotated no document; there are {few(users)}"
            log.drop("unknown annotator", message)
            return
        for root, document in sorted(versions, key=lambda key: in_name_order(*key)):
            group = _annotated(document, versions[root, document], log, states)
            if (version := _choice(document, group, annotator, log)) is not None:
                yield version.member, document
    elif any(map(_PROJECT.fullmatch, files)):
        message = "the project was exported without annotations; choose a format at export, as UIMA CAS XMI"
        log.drop("no documents", message)
    elif documents := [member for member in files if suffix(member) in _READABLE]:
        others = [m for m in files if suffix(m) not in _READABLE and PurePosixPath(m).name != "TypeSystem.xml"]
        if others:
            log.fix("members ignored", f"{len(others)} members are not documents: {few(others)}")
        yield from ((member, "") for member in documents)
    else:
        log.drop("no documents", "the archive has no .xmi or .json file and is no project of INCEpTION")


def _versions(files: Sequence[str]) -> dict[tuple[str, str], list[_Version]]:
    """Folder of the project and name of a document → its versions; empty outside of projects."""
    versions: dict[tuple[str, str], list[_Version]] = defaultdict(list)
    for member in files:
        if found := _VERSION.fullmatch(member):
            version = _Version(
                user=found["user"],
                curated=found["kind"] == "curation" or found["user"] == CURATOR,
                readable=not found["binary"] and suffix(member) in _READABLE,
                member=member,
            )
            versions[found["root"], found["document"]].append(version)
    return versions


def _annotated(document: str, versions: Sequence[_Version], log: ProblemLog, states: States) -> list[_Version]:
    """The versions without those that nobody annotated, and without unfinished ones if others were marked finished."""
    finishing = "FINISHED" in states.values()
    kept = []
    for version in versions:
        state = "" if version.curated else states.get((document, version.user), "")
        why = _NOT_ANNOTATED.get(state, "it was not marked as finished" if state == "IN_PROGRESS" else "")
        if not why or (state == "IN_PROGRESS" and not finishing):
            kept.append(version)
            if why:
                log.note("INCEpTION: no document was marked as finished; documents in progress are read as complete")
        elif version.readable:
            message = f"document {shown(document)}: the version of {unquoted(version.user)} is left out: {why}"
            log.fix("not annotated", message, article=document)
    return kept


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
        others = f"; there are {few(map(str, people))}" if people else ""
        article_log.fix("document without a version", f"{what} is left out: {why}{others}")
        return None
    chosen = candidates[0]
    if not annotator and not curated and len({version.user for version in candidates}) > 1:
        message = f"{what} was annotated by {few(map(str, candidates))} and is not curated"
        article_log.drop("several annotators", f"{message}; choose one with the reading option annotator")
        return None
    if not chosen.readable:
        message = f"{what} has only {unquoted(str(chosen))}, which is not read"
        article_log.drop("format not read", f"{message}; export it as UIMA CAS XMI or UIMA CAS JSON")
        return None
    if others := [str(version) for version in people if version is not chosen]:
        message = f"{what}: the version of {unquoted(chosen.user)} is read, not of {few(others)}"
        article_log.fix("versions left out", message)
    return chosen


def few(names: Iterable[str]) -> str:
    """The first different names, and the number of the others."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(unquoted, names[:_LISTED])) + more


def unquoted(name: str) -> str:
    """A name for messages, cut and with escape sequences."""
    return shown(name, 200)[1:-1]
