"""Starting a project: a config with comments, a label scheme, and example articles to train on."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from string import Template

from ..data.articles import Article, Entity
from ..data.formats import brat, suffix_of, write_articles
from ..data.formats.common.lines import nearest
from ..data.labels import load_scheme
from ..data.problems import ProblemLog
from ..data.reading import load_articles, map_labels
from ..errors import RasidError
from .tool_files import tool_files

_TASKS = {
    "entities": "persons, organizations, places and so on",
    "triggers": "the words that express an event, with its types",
    "proclitics": "where a name starts after an attached و or ب",
    "sentence_types": "event types of each sentence",
    "article_types": "event types of the whole article",
    "arguments": "who does it, to whom, where and when: the roles of entities in events",
}
_OF_EVENTS = ("triggers", "sentence_types", "article_types", "arguments")
_OPTIONS = {"proclitics": "{weight: 0.5}"}
_NO_TEXT = ("null", "true", "false")  # words that YAML does not read as text
_TEMPLATES = files("rasid.configs") / "init"

# The examples are annotated with the labels of `news`. None drops a label; the other schemes drop all events too.
_LABELS: dict[str, dict[str, str | None]] = {
    "news": {},
    "anercorp": {
        "PER": "PERS", "GPE": "LOC", "FAC": "LOC", "NORP": "MISC", "WEA": None, "VEH": None, "DATE": None, "NUM": None,
    },
    "wojood": {"PER": "PERS", "WEA": "PRODUCT", "VEH": "PRODUCT", "NUM": "CARDINAL"},
}  # fmt: skip


FORMATS = ("inline", "jsonl", "label-studio", "brat", "doccano", "prodigy")
"""Formats that can hold everything in the examples."""


class InitError(RasidError, ValueError):
    """A project cannot be started with these arguments, or in this folder."""


def initialize(folder: str | Path, *, scheme: str = "news", format: str = "inline") -> list[Path]:
    """Write config.yaml, scheme.yaml, and articles in data/.

    Args:
        folder: made if it does not exist; existing files are not replaced.
        scheme: a built-in scheme to start from; one without events gives a config for entities only.
        format: format of the example articles, one of `FORMATS`. What an annotation tool needs is written too, with all
            labels of the scheme.

    Returns:
        The written files, the config first.

    Raises:
        InitError: the scheme or format is not known, or a file exists already.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    if scheme not in _LABELS:
        raise InitError(f"no scheme {scheme!r} to start from; {nearest(scheme, _LABELS)}")
    if format not in FORMATS:
        raise InitError(f"the examples are not written as {format!r}; {nearest(format, FORMATS)}")
    config, labels = folder / "config.yaml", folder / "scheme.yaml"
    data = {part: folder / "data" / f"{part}{suffix_of(format)}" for part in ("train", "dev")}
    tool = [folder / name for name in tool_files(format, load_scheme(scheme))]
    paths = [config, labels, *data.values(), *tool]
    if taken := [str(path) for path in paths if path.exists() or path.is_symlink()]:
        raise InitError(f"no file is replaced, and these exist: {', '.join(taken)}; name another folder")
    for part, path in data.items():
        write_articles(_examples(part, scheme), path, format)
    labels.write_text(_scheme(scheme, folder), encoding="utf-8")
    for path in data.values() if format == "brat" else ():
        brat.Configuration.of_scheme(load_scheme(labels)).write(path)
    for name, content in tool_files(format, load_scheme(labels)).items():
        (folder / name).write_text(content, encoding="utf-8")
    config.write_text(_config(folder, scheme, format, data), encoding="utf-8")
    return paths


def _examples(part: str, scheme: str) -> list[Article]:
    """The example articles with the labels of a scheme."""
    news = load_scheme("news")
    with as_file(_TEMPLATES / f"{part}.rasid") as file:
        articles = load_articles(file, scheme=news)
    if scheme == "news":
        return articles
    labels = _LABELS[scheme] | dict.fromkeys(news.events)
    articles = [map_labels(article, labels, ProblemLog()) for article in articles]
    if scheme == "anercorp":  # its entities do not nest
        articles = [replace(article, entities=tuple(_outermost(article.entities))) for article in articles]
    return articles


def _outermost(entities: Iterable[Entity]) -> Iterator[Entity]:
    reached = 0
    for entity in entities:  # sorted by (start, -end)
        if entity.start >= reached:
            reached = entity.end
            yield entity


def _scheme(scheme: str, folder: Path) -> str:
    text = (files("rasid.configs") / "schemes" / f"{scheme}.yaml").read_text(encoding="utf-8")
    name = json.dumps(_name(folder), ensure_ascii=False)
    return re.sub(r"(?m)^name: .*$", lambda _: f"name: {name} # started from {scheme}", text, count=1)


def _config(folder: Path, scheme: str, format: str, data: Mapping[str, Path]) -> str:
    events = bool(load_scheme(scheme).events)
    tasks = [task for task in _TASKS if events or task not in _OF_EVENTS]
    lines = [f"  {task}: {_OPTIONS.get(task, '{}')} # {_TASKS[task]}" for task in tasks]
    places = {"output": folder / "runs", "scheme": folder / "scheme.yaml", **data}
    return Template((_TEMPLATES / "config.yaml").read_text(encoding="utf-8")).substitute(
        {key: _quoted(str(path)) for key, path in places.items()},
        name=_quoted(_name(folder)),
        format=format,
        tasks="\n".join(lines),
        annotated=f"[{', '.join(tasks)}]",
        config=" ".join(shlex.quote(str(folder / "config.yaml")).split("\n")),
    )


def _quoted(text: str) -> str:
    """The text as a YAML scalar, in quotes unless it is a plain path."""
    plain = re.fullmatch(r"(?!-)[\w./-]*[^\W\d][\w./-]*", text)
    return text if plain and text.lower() not in _NO_TEXT else json.dumps(text, ensure_ascii=False)


def _name(folder: Path) -> str:
    """The name of the folder with the characters that the name of a run may have."""
    return re.sub(r"[^\w.-]+", "-", folder.resolve().name).lstrip("-.") or "run"
