"""Reading: see the package."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from .regions import Item, annotated, id_text, scores, shown
from .tasks import read_tasks

_STARTS = re.compile(
    rb'(\xef\xbb\xbf)?\s*\[?\s*\{.*"(data|annotations|predictions|completions|annotation_id)"\s*:', re.DOTALL
)
_LOOKED_AT = 2**16
_KNOWN_DATA = ("id", "title", "date", "source")


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    predictions: bool = False,
    text_key: str | None = None,
) -> Iterator[tuple[int, Article]]:
    """Read articles with the lines where their tasks start; what cannot be used is left out and recorded.

    Of several annotations of a task the ground truth is read, else the one updated last; skipped ones are not. What
    ``data`` holds beside text, id, title, date and source becomes ``meta``.

    Args:
        path: the export, an array of tasks or a task a line.
        log: takes the problems and the count.
        triggers: labels of regions that are event triggers, not entities.
        predictions: read the pre-annotations in place of the annotations.
        text_key: the key of ``data`` with the text; None takes the one that the results name, else ``text``, else the
            only one that holds a string.
    """
    kind, other = ("predictions", "annotations") if predictions else ("annotations", "predictions")
    passed = found = 0
    for number, (line, task) in enumerate(read_tasks(path, log), 1):
        place = ArticleLog(log=log, line=line, article=_name(task, f"{path.stem}-{number}"))
        chosen = _chosen(task, kind, place)
        if chosen is None:
            passed += bool(_versions(task, other))
            continue
        found += 1
        article = _article(task["data"], chosen, place, triggers, predictions, text_key)
        if article is not None:
            log.articles += 1
            yield line, article
    if passed and not found:
        hint = f"the option predictions={not predictions} reads those"
        log.drop(f"no {kind}", f"no task has {kind}, but {passed} have {other}; {hint}")


def is_export(path: Path) -> bool:
    """Whether a JSON file starts as tasks do; JSON-MIN does too, and reading it says what is wrong with it."""
    with open(path, "rb") as file:
        return _STARTS.match(file.read(_LOOKED_AT)) is not None


def _name(task: Item, otherwise: str) -> str:
    """The article's id: its own, else the task's, else the place in the file."""
    for name in (task["data"].get("id"), task.get("id")):
        if isinstance(name, str) or type(name) is int:
            return id_text(name)
    return otherwise


def _versions(task: Item, kind: str) -> list[Any]:
    """What a task has of a kind; older exports call annotations completions."""
    versions = task.get(kind)
    if versions is None and kind == "annotations":
        versions = task.get("completions")
    return versions if isinstance(versions, list) else []


def _chosen(task: Item, kind: str, place: ArticleLog) -> Item | None:
    """The annotation that is read; None where there is none."""
    usable: list[Item] = []
    versions = _versions(task, kind)
    for version in versions:
        if not isinstance(version, dict) or not isinstance(version.get("result"), list):
            message = f"{shown(version)} has no list 'result'; an export as JSON has it"
            place.drop("wrong kind", message)
        elif version.get("was_cancelled") is True or version.get("skipped") is True:
            place.fix("skipped", "an annotation that was skipped by its annotator is left out")
        else:
            usable.append(version)
    if isinstance(task.get("drafts"), list) and task["drafts"]:
        place.fix("draft", f"{len(task['drafts'])} drafts are left out; submit them to have them read")
    if not usable:
        if not versions:
            place.fix(f"no {kind}", f"the task has no {kind} and is left out")
        return None

    def age(version: Item) -> tuple[bool, str]:
        dates = (version.get(key) for key in ("updated_at", "created_at"))
        return version.get("ground_truth") is True, next((date for date in dates if isinstance(date, str)), "")

    best = max(age(version) for version in usable)
    chosen = [version for version in usable if age(version) == best][-1]
    if len(usable) > 1:
        why = "the ground truth" if best[0] else "the one updated last"
        place.fix("several versions", f"of {len(usable)} {kind} {why} is read, {shown(chosen.get('id'))}")
    return chosen


def _article(
    data: Item, version: Item, place: ArticleLog, triggers: Collection[str], scored: bool, text_key: str | None
) -> Article | None:
    results = [item for item in version["result"] if isinstance(item, dict)]
    if len(results) < len(version["result"]):
        place.drop("wrong kind", "a result is not an object")
    key = _text_key(data, results, place) if text_key is None else text_key
    if key is None:
        return None
    if not isinstance(data.get(key), str):
        place.drop("no text", f"data has no string {key!r} but {shown(data.get(key))}; its keys are {shown([*data])}")
        return None
    entities, events, types = annotated(results, data[key], place, triggers, scored)
    texts = {name: data[name] for name in _KNOWN_DATA[1:] if isinstance(data.get(name), str) and name != key}
    return Article(
        text=data[key],
        id=place.article,
        entities=entities,
        events=events,
        event_types=tuple(label for label, _ in types),
        type_scores=scores(types),
        meta=_meta(data, {key, *texts}, place),
        **texts,
    )


def _text_key(data: Item, results: Sequence[Item], place: ArticleLog) -> str | None:
    named = {item["source"][1:] for item in results if isinstance(item.get("source"), str)} & data.keys()
    if len(named) == 1:
        return named.pop()
    if "text" in data:
        return "text"
    strings = [key for key, value in data.items() if isinstance(value, str) and key not in _KNOWN_DATA]
    if len(strings) == 1:
        place.fix("text key", f"the text was taken from {strings[0]!r} of data, the only string there")
        return strings[0]
    message = f"which of {shown(strings)} of data is the text is not told; name it with the option text_key"
    place.drop("no text", message)
    return None


def _meta(data: Item, taken: Collection[str], place: ArticleLog) -> dict[str, Any]:
    """What else a task's data holds."""
    own = data.get("meta")
    meta = dict(own) if isinstance(own, dict) else {}
    for key, value in data.items():
        if (
            key in taken
            or (key == "meta" and isinstance(own, dict))
            or (key == "id" and id_text(value) == place.article)
        ):
            continue
        if key in meta:
            place.drop("meta", f"{key!r} of data is {shown(value)}, but meta has a key of that name; rename one")
        else:
            meta[key] = value
    return meta
