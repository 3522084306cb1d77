"""Reads the tasks of a Label Studio export as articles."""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import METADATA, Located
from .regions import Item, annotations, id_text, scores
from .tasks import read_tasks

_STARTS = re.compile(
    rb'(\xef\xbb\xbf)?\s*\[?\s*\{.*"(data|annotations|predictions|completions|annotation_id)"\s*:', re.DOTALL
)
_LOOKED_AT = 2**16


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    predictions: bool = False,
    text_key: str | None = None,
) -> Located:
    """Read articles with the lines where their tasks start; what cannot be used is dropped and logged.

    Of several annotations of a task, the ground truth is read, else the one updated last; skipped ones are ignored.
    Keys of ``data`` other than text, id, title, date and source become ``meta``.

    Args:
        path: an export, either an array of tasks or one task a line.
        log: records problems and counts articles.
        triggers: labels of regions that are event triggers, not entities.
        predictions: read pre-annotations instead of annotations.
        text_key: the key of ``data`` with the text; None takes the key that the results name, else ``text``, else the
            only key with a string.
    """
    kind, other = ("predictions", "annotations") if predictions else ("annotations", "predictions")
    skipped = found = 0
    for number, (line, task) in enumerate(read_tasks(path, log), 1):
        task_log = ArticleLog(log=log, line=line, article=_name(task, f"{path.stem}-{number}"))
        chosen = _chosen(task, kind, task_log)
        if chosen is None:
            skipped += bool(_versions(task, other))
            continue
        found += 1
        article = _article(task["data"], chosen, task_log, triggers, predictions, text_key)
        if article is not None:
            log.articles += 1
            yield line, article
    if skipped and not found:
        hint = f"read them with the option predictions={not predictions}"
        log.drop(f"no {kind}", f"no task has {kind}, but {skipped} have {other}; {hint}")


def is_export(path: Path) -> bool:
    """Whether a JSON file starts like an export; true for JSON-MIN too, whose reading logs what is wrong."""
    with open(path, "rb") as file:
        return _STARTS.match(file.read(_LOOKED_AT)) is not None


def _name(task: Item, fallback: str) -> str:
    """The id of the article: from ``data``, else the id of the task, else the fallback."""
    for name in (task["data"].get("id"), task.get("id")):
        if isinstance(name, str) or type(name) is int:
            return id_text(name)
    return fallback


def _versions(task: Item, kind: str) -> list[Any]:
    """The annotations or predictions of a task; older exports call annotations completions."""
    keys = ("annotations", "completions") if kind == "annotations" else (kind,)
    versions = next((task[key] for key in keys if task.get(key) is not None), None)
    return versions if isinstance(versions, list) else []


def _chosen(task: Item, kind: str, log: ArticleLog) -> Item | None:
    """The annotation to read; None, and logged, if there is none."""
    usable: list[Item] = []
    versions = _versions(task, kind)
    for version in versions:
        if not isinstance(version, dict) or not isinstance(version.get("result"), list):
            log.drop("wrong kind", f"of the {kind}, {shown(version)} has no list 'result'; export as JSON")
        elif version.get("was_cancelled") is True or version.get("skipped") is True:
            log.fix("skipped", "an annotation that its annotator skipped is left out")
        else:
            usable.append(version)
    if isinstance(task.get("drafts"), list) and task["drafts"]:
        log.fix("draft", f"{len(task['drafts'])} drafts are left out; submit them in Label Studio")
    if not usable:
        if not versions:
            log.fix(f"no {kind}", f"the task has no {kind} and is left out")
        return None

    def age(version: Item) -> tuple[bool, str]:
        dates = (version.get(key) for key in ("updated_at", "created_at"))
        return version.get("ground_truth") is True, next((date for date in dates if isinstance(date, str)), "")

    best = max(age(version) for version in usable)
    chosen = [version for version in usable if age(version) == best][-1]
    if len(usable) > 1:
        why = "the ground truth" if best[0] else "the one updated last"
        log.fix("several versions", f"of {len(usable)} {kind}, {why} is read (id {shown(chosen.get('id'))})")
    return chosen


def _article(
    data: Item, version: Item, log: ArticleLog, triggers: Collection[str], scored: bool, text_key: str | None
) -> Article | None:
    results = [item for item in version["result"] if isinstance(item, dict)]
    if len(results) < len(version["result"]):
        log.drop("wrong kind", "a result is not an object")
    key = _text_key(data, results, log) if text_key is None else text_key
    if key is None:
        return None
    if not isinstance(data.get(key), str):
        log.drop(
            "no text", f"{shown(key)} of data is {shown(data.get(key))}, not a string; its keys are {_listed(data)}"
        )
        return None
    if not scored:  # scores in an annotation come from the pre-annotation that the annotator corrected
        results = [{name: item[name] for name in item if name not in ("score", "scores")} for item in results]
    entities, events, types = annotations(results, data[key], log, triggers)
    texts = {name: data[name] for name in METADATA if isinstance(data.get(name), str) and name != key}
    return Article(
        text=data[key],
        id=log.article,
        entities=entities,
        events=events,
        event_types=tuple(label for label, _ in types),
        type_scores=scores(types),
        meta=_meta(data, {key, *texts}, log),
        **texts,
    )


def _text_key(data: Item, results: Sequence[Item], log: ArticleLog) -> str | None:
    named = {item["source"][1:] for item in results if isinstance(item.get("source"), str)} & data.keys()
    if len(named) == 1:
        return named.pop()
    if "text" in data:
        return "text"
    strings = [key for key, value in data.items() if isinstance(value, str) and key not in ("id", *METADATA)]
    if len(strings) == 1:
        log.fix("text key", f"the text is {shown(strings[0])} of data, the only key with a string")
        return strings[0]
    message = f"several keys of data have strings ({_listed(strings)}); name the text with the option text_key"
    log.drop("no text", message)
    return None


def _meta(data: Item, taken: Collection[str], log: ArticleLog) -> dict[str, Any]:
    """The other keys of a task's data."""
    own = data.get("meta")
    meta = dict(own) if isinstance(own, dict) else {}
    for key, value in data.items():
        if key in taken or (key == "meta" and isinstance(own, dict)) or (key == "id" and id_text(value) == log.article):
            continue
        if key in meta:
            log.drop("meta", f"{shown(key)} of data is {shown(value)}, but meta has the same key; rename one")
        else:
            meta[key] = value
    return meta


def _listed(keys: Iterable[str]) -> str:
    return shown(", ".join(keys))
