"""Starting a project: a config with comments, a scheme to edit, and example articles that train as they are."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from string import Template

from ..data.articles import Article, Entity
from ..data.formats import suffix_of, write_articles
from ..data.formats.common.lines import nearest
from ..data.labels import load_scheme
from ..data.problems import ProblemLog
from ..data.reading import load_articles, map_labels
from ..errors import RasidError

_TASKS = {
    "entities": "persons, organizations, places and so on",
    "triggers": "the words that say that an event happens, with its types",
    "proclitics": "where a name begins behind an attached و or ب",
    "sentence_types": "event types of each sentence",
    "article_types": "event types of the whole article",
}
_OF_EVENTS = ("triggers", "sentence_types", "article_types")
_OPTIONS = {"proclitics": "{weight: 0.5}"}
_NO_TEXT = ("null", "true", "false")  # to YAML
_TEMPLATES = files("rasid.configs") / "init"

# The examples are annotated in the labels of `news`; None drops a label, in the other schemes all events too.
_LABELS: dict[str, dict[str, str | None]] = {
    "news": {},
    "anercorp": {
        "PER": "PERS", "GPE": "LOC", "FAC": "LOC", "NORP": "MISC", "WEA": None, "VEH": None, "DATE": None, "NUM": None,
    },
    "wojood": {"PER": "PERS", "WEA": "PRODUCT", "VEH": "PRODUCT", "NUM": "CARDINAL"},
}  # fmt: skip


FORMATS = ("inline", "jsonl", "label-studio", "brat", "doccano", "prodigy")
"""Formats that hold all that the examples have."""


class InitError(RasidError, ValueError):
    """A project that cannot be started there; the message says why."""


def initialize(folder: str | Path, *, scheme: str = "news", format: str = "inline") -> list[Path]:
    """Write config.yaml, scheme.yaml, and articles under data/.

    Args:
        folder: is made where it is missing; a file of these names in it is not replaced.
        scheme: one that ships, to start from; one without events gives a config for entities alone.
        format: of the example articles, one of `FORMATS`.

    Returns:
        The files that were written, the config first.

    Raises:
        InitError: there is no such scheme or format, or a file is there already.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    if scheme not in _LABELS:
        raise InitError(f"no scheme {scheme!r} to start from; {nearest(scheme, _LABELS)}")
    if format not in FORMATS:
        raise InitError(f"the examples are not written as {format!r}; {nearest(format, FORMATS)}")
    config, labels = folder / "config.yaml", folder / "scheme.yaml"
    data = {part: folder / "data" / f"{part}{suffix_of(format)}" for part in ("train", "dev")}
    paths = [config, labels, *data.values()]
    if taken := [str(path) for path in paths if path.exists() or path.is_symlink()]:
        raise InitError(f"nothing is replaced, and there is {', '.join(taken)}; name another folder")
    for part, path in data.items():
        write_articles(_examples(part, scheme), path, format)
    labels.write_text(_scheme(scheme, folder), encoding="utf-8")
    config.write_text(_config(folder, scheme, format, data), encoding="utf-8")
    return paths


def _examples(part: str, scheme: str) -> list[Article]:
    """The example articles in the labels of a scheme."""
    news = load_scheme("news")
    with as_file(_TEMPLATES / f"{part}.rasid") as file:
        articles = load_articles(file, scheme=news)
    if scheme == "news":
        return articles
    labels = _LABELS[scheme] | dict.fromkeys(news.events)
    articles = [map_labels(article, labels, ProblemLog()) for article in articles]
    if scheme == "anercorp":  # which is flat
        articles = [replace(article, entities=tuple(_outermost(article.entities))) for article in articles]
    return articles


def _outermost(entities: Iterable[Entity]) -> Iterator[Entity]:
    reached = 0
    for entity in entities:  # in order of (start, -end)
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
    """A text as YAML has it: in quotes where it is more than a plain path."""
    plain = re.fullmatch(r"(?!-)[\w./-]*[^\W\d][\w./-]*", text)
    return text if plain and text.lower() not in _NO_TEXT else json.dumps(text, ensure_ascii=False)


def _name(folder: Path) -> str:
    """A name that a run may have, from that of the folder."""
    return re.sub(r"[^\w.-]+", "-", folder.resolve().name).lstrip("-.") or "run"
