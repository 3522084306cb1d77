"""Chooses which annotation of a task is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import shown
from ...problems import ArticleLog

Item = Mapping[str, Any]


def versions_of(task: Item, kind: str) -> list[Any]:
    """The ``annotations`` or ``predictions`` of a task; older exports call annotations completions."""
    keys = ("annotations", "completions") if kind == "annotations" else (kind,)
    versions = next((task[key] for key in keys if task.get(key) is not None), None)
    return versions if isinstance(versions, list) else []


def annotator_names(version: Any) -> list[str]:
    """The names that the option ``annotator`` accepts for an annotation: its annotator's id and email address."""
    who = version.get("completed_by") if isinstance(version, dict) else None
    found = [who.get("id"), who.get("email")] if isinstance(who, dict) else [who]
    return [name for name in map(id_text, found) if name]


def id_text(name: Any) -> str:
    """An id as text; empty if it is not an id."""
    if type(name) is int and abs(name) < 2**63:
        return str(name)
    return name if isinstance(name, str) else ""


def is_skipped(version: Item) -> bool:
    """Whether the annotator skipped the task."""
    return version.get("was_cancelled") is True or version.get("skipped") is True


def choose(task: Item, kind: str, annotator: str | None, log: ArticleLog) -> Item | None:
    """The annotation to read; None, and logged, if there is none.

    Of several, it is the ground truth, else the one updated last; an empty one is read only if all are empty.

    Args:
        task: with its annotations.
        kind: ``annotations`` or ``predictions``.
        annotator: id or email address of the annotator whose annotation is read; None for any.
        log: records what is left out.
    """
    usable: list[Item] = []
    versions = versions_of(task, kind)
    for version in versions:
        if not isinstance(version, dict) or not isinstance(version.get("result"), list):
            log.drop("wrong kind", f"of the {kind}, {shown(version)} has no list 'result'; export as JSON")
        elif is_skipped(version):
            log.fix("skipped", "an annotation that its annotator skipped is left out")
        elif annotator is None or annotator in annotator_names(version):
            usable.append(version)
    if isinstance(task.get("drafts"), list) and task["drafts"]:
        log.fix("draft", f"{len(task['drafts'])} drafts are left out; submit them in Label Studio")
    if usable:
        return _best(usable, kind, log)
    if not versions and kind == "annotations" and versions_of(task, "predictions"):
        log.fix("prediction", "the task has predictions alone, and is left out; submit it in Label Studio")
    elif not versions:
        log.fix(f"no {kind}", f"the task has no {kind} and is left out")
    elif annotator is not None:
        log.fix("other annotator", f"annotator {shown(annotator)} has not annotated the task, which is left out")
    return None


def _best(usable: Sequence[Item], kind: str, log: ArticleLog) -> Item:
    best = max(_rank(version) for version in usable)
    chosen = [version for version in usable if _rank(version) == best][-1]
    if len(usable) > 1:
        some_empty = best[1] and not all(version["result"] for version in usable)
        last = "the newest one that is not empty" if some_empty else "the one updated last"
        why = "the ground truth" if best[0] else last
        who = list(dict.fromkeys(name for version in usable for name in annotator_names(version)[-1:]))
        hint = f"; of annotators {shown(', '.join(who))}, choose with the option annotator" if len(who) > 1 else ""
        log.fix("several versions", f"of {len(usable)} {kind}, {why} is read (id {shown(chosen.get('id'))}){hint}")
    later = [version for version in usable if not version["result"] and _date(version) > _date(chosen)]
    if later and chosen["result"] and not best[0]:
        ids = ", ".join(str(version.get("id")) for version in later)
        log.fix("empty version", f"an empty annotation that is newer is not read (id {shown(ids)})")
    return chosen


def _rank(version: Item) -> tuple[bool, bool, str]:
    return version.get("ground_truth") is True, bool(version["result"]), _date(version)


def _date(version: Item) -> str:
    dates = (version.get(key) for key in ("updated_at", "created_at"))
    return next((date for date in dates if isinstance(date, str)), "")
