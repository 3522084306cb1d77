"""Reads the tasks of a Label Studio export as articles."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.format import METADATA, Located
from ..common.lines import file_lines, nearest
from .html_text import HtmlPage, has_markup, parse_page
from .layout import Layout, Survey, is_of_page, layout_of, survey
from .regions import Reading, annotations, scores
from .rows import FROM_ROW, is_row
from .tasks import TABLES, read_tasks
from .versions import Item, annotator_names, choose, id_text, versions_of

_STARTS = re.compile(
    rb'(\xef\xbb\xbf)?\s*\[?\s*\{.*("data"\s*:\s*\{|"(annotations|predictions|completions)"\s*:\s*\[\s*(\{|\])'
    rb'|"annotation_id"\s*:|"result"\s*:\s*\[)',
    re.DOTALL,
)
_LOOKED_AT = 2**16
_LINK = re.compile(r"(?:https?|s3|gs|azure-blob)://\S+|/data/(?:upload|local-files)/\S+")


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    triggers: Collection[str] = (),
    predictions: bool = False,
    text_key: str | None = None,
    event_types_from: str | None = None,
    annotator: int | str | None = None,
) -> Located:
    """Read articles with the lines where their tasks start; what cannot be used is dropped and logged.

    Of several annotations of a task, the ground truth is read, else the one updated last that is not empty; skipped
    ones are ignored. Keys of ``data`` other than text, id, title, date and source become ``meta``.

    Args:
        path: an export as JSON, JSON-MIN, CSV or TSV; or a folder that is a target storage.
        log: records problems and counts articles.
        triggers: labels of regions that are event triggers, not entities.
        predictions: read pre-annotations instead of annotations.
        text_key: the key of ``data`` with the text; None takes the key that the results name, else ``text``, else the
            only key with a string.
        event_types_from: the control whose choices are event types; None takes ``event_types``, else the only control
            that is called events or event types, or has a label of a trigger.
        annotator: id or email address of the annotator whose annotations are read; None for any.
    """
    kind, other = ("predictions", "annotations") if predictions else ("annotations", "predictions")
    controls = () if event_types_from is None else (event_types_from,)
    wanted = None if annotator is None else str(annotator)
    found = survey((task for _, task in read_tasks(path, ProblemLog(examples=0), controls)), kind, triggers)
    layout = layout_of(found, text_key, event_types_from, log)
    reading = Reading(triggers=frozenset(triggers), scored=predictions, layout=layout)
    skipped = read = 0
    names: set[str] = set()
    for number, (line, task) in enumerate(read_tasks(path, log, controls), 1):
        task_log = ArticleLog(log=log, line=line, article=_name(task, f"{path.stem}-{number}"))
        chosen = choose(task, kind, wanted, task_log)
        if chosen is None:
            skipped += bool(versions_of(task, other))
            continue
        read += 1
        if FROM_ROW in task:  # each annotation is an article
            if wanted is None and not chosen["result"] and task_log.article in found.full:
                task_log.fix("empty version", "the text has another annotation, and this empty one is not read")
                continue
            task_log = _row_log(task_log, chosen, names)
        article = _article(task["data"], chosen, task_log, reading, text_key)
        if article is not None:
            log.articles += 1
            yield line, article
    if skipped and not read:
        hint = f"read them with the option predictions={not predictions}"
        log.drop(f"no {kind}", f"no task has {kind}, but {skipped} have {other}; {hint}")
    _check_options(found, wanted, event_types_from, log)


def annotators(path: Path) -> list[str]:
    """The annotators of a file or target storage, by email address if the file has it, else by id."""
    tasks = (task for _, task in read_tasks(path, ProblemLog(examples=0), ()))
    named = (annotator_names(version) for task in tasks for version in versions_of(task, "annotations"))
    return list(dict.fromkeys(names[-1] for names in named if names))


def _check_options(found: Survey, annotator: str | None, event_types_from: str | None, log: ProblemLog) -> None:
    """Log options that name nothing in the file."""
    if annotator is not None and found.annotators and annotator not in found.annotators:
        message = f"nothing is annotated by {shown(annotator)}; {nearest(annotator, found.annotators)}"
        log.drop("no annotator", message)
    if event_types_from is not None and found.choices and event_types_from not in found.choices:
        message = f"no text has choices of the control {shown(event_types_from)}"
        log.drop("no control", f"{message}; {nearest(event_types_from, found.choices)}")


def is_export(path: Path) -> bool:
    """Whether a file starts like an export of any kind."""
    if path.suffix.lower() in TABLES:
        header = next(iter(file_lines(path)), "").strip().replace('"', "")
        return is_row(dict.fromkeys(re.split("[,\t]", header)))
    with open(path, "rb") as file:
        return _STARTS.match(file.read(_LOOKED_AT)) is not None


def _name(task: Item, fallback: str) -> str:
    """The id of the article: from ``data``, else the id of the task, else the fallback."""
    for name in (task["data"].get("id"), task.get("id")):
        if isinstance(name, str) or type(name) is int:
            return id_text(name)
    return fallback


def _row_log(log: ArticleLog, version: Item, names: set[str]) -> ArticleLog:
    """The log of a row's article, whose id is unique: further annotations of a text have the annotation's id in it."""
    name = log.article
    if name in names:
        name = f"{name}#{id_text(version.get('id')) or len(names)}"
        who = ", ".join(annotator_names(version)) or "unknown"
        message = f"the text has several annotations; this one (annotator {shown(who)}) is article {shown(name)}"
        log.fix("several versions", f"{message}; choose with the option annotator")
    names.add(name)
    return ArticleLog(log=log.log, article=name, line=log.line)


def _article(data: Item, version: Item, log: ArticleLog, reading: Reading, text_key: str | None) -> Article | None:
    results = [item for item in version["result"] if isinstance(item, dict)]
    if len(results) < len(version["result"]):
        log.drop("wrong kind", "a result is not an object")
    key = _text_key(data, reading.layout, log) if text_key is None else text_key
    if key is None:
        return None
    text = data.get(key)
    keys = f"its keys are {shown(', '.join(data))}"
    if not isinstance(text, str):
        log.drop("no text", f"{shown(key)} of data is {shown(text)}, not a string; {keys}")
        return None
    if _LINK.fullmatch(text.strip()):
        log.drop("no text", f"{shown(key)} of data is the link {shown(text)}; import tasks that hold the text itself")
        return None
    page = _page(key, text, results, reading.layout, log)
    entities, events, types = annotations(results, key, page or text, log, reading)
    texts = {name: data[name] for name in METADATA if isinstance(data.get(name), str) and name != key}
    return Article(
        text=page.text if page else text,
        id=log.article,
        entities=entities,
        events=events,
        event_types=tuple(label for label, _ in types),
        type_scores=scores(types),
        meta=_meta(data, {key, *texts}, log),
        annotated={"entities": (), "triggers": (), "arguments": ()} if reading.layout.no_spans else {},
        **texts,
    )


def _page(key: str, text: str, results: Sequence[Item], layout: Layout, log: ArticleLog) -> HtmlPage | None:
    """The text of an HTML task; None if it is not HTML."""
    if not has_markup(text):
        return None
    plain = any(item.get("type") == "labels" and not is_of_page(item) for item in results)
    if not any(map(is_of_page, results)) and (plain or key not in layout.pages):
        return None
    log.log.note(
        f"Label Studio: {shown(key)} of data is HTML; the text of the article is that of its body, without tags"
    )
    return parse_page(text)


def _text_key(data: Item, layout: Layout, log: ArticleLog) -> str | None:
    if layout.default in data and (layout.given or layout.default == "text"):
        return layout.default
    if "text" in data:
        return "text"
    strings = [key for key, value in data.items() if isinstance(value, str) and key not in ("id", *METADATA)]
    if len(strings) == 1:
        if strings[0] != layout.default:
            log.log.note(f"Label Studio: the text is {shown(strings[0])} of data, the only key with a string")
        return strings[0]
    listed = shown(", ".join(strings))
    log.drop("no text", f"several keys of data have strings ({listed}); name the text with the option text_key")
    return None


def _meta(data: Item, taken: Collection[str], log: ArticleLog) -> dict[str, Any]:
    """The other keys of a task's data."""
    own = data.get("meta")
    meta = dict(own) if isinstance(own, dict) else {}
    for key, value in data.items():
        named = key == "id" and (log.article == id_text(value) or log.article.startswith(f"{id_text(value)}#"))
        if key in taken or named or (key == "meta" and isinstance(own, dict)):
            continue
        if key in meta:
            log.drop("meta", f"{shown(key)} of data is {shown(value)}, but meta has the same key; rename one")
        else:
            meta[key] = value
    return meta
