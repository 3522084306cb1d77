"""Findings from reading: what was dropped, what was fixed, and duplicate article ids."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ..data.datasets import DataSet
from ..data.problems import Problem
from .article_views import ArticleView
from .findings import Finding, Location, finding

# Fixes that lose nothing, or that the config asks for.
_HARMLESS = {
    "sentinel", "comment", "column of no names", "label dropped by the mapping", "argument of a dropped entity",
}  # fmt: skip


# What an annotator did on purpose, or a model predicted, and an article has no place for.
_ON_PURPOSE = {
    "prediction", "kept in meta", "left out", "event as an argument", "relation left out", "relations left out",
    "feature left out", "layer left out", "layer ignored", "not annotated", "document without a version",
    "versions left out", "events that are arguments left out", "attributes of events left out",
}  # fmt: skip


def reading_problems(datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """What reading dropped, then what it fixed, by cause."""
    for kind in ("dropped", "fixed"):
        for cause, problems in _by_cause(datasets, kind).items():
            yield from finding(
                f"{kind}-{_slug(cause)}",
                [_location(split, problem) for split, problem in problems],
                variant="fixed-harmless" if kind == "fixed" and cause in _HARMLESS | _ON_PURPOSE else kind,
                cause=cause,
            )


def reading_notes(datasets: Mapping[str, DataSet]) -> list[str]:
    """How the files were read, each note once: with the names of its data sets if there are several data sets."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, dataset in datasets.items():
        for note in dataset.log.notes:
            names[note].append(name)
    return [f"{', '.join(of_note)}: {note}" if len(datasets) > 1 else note for note, of_note in names.items()]


def duplicate_ids(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Articles of one data set with the same id."""
    seen: set[tuple[str, str]] = set()
    locations = []
    for view in views:
        name = (view.split, view.article.id)
        if view.article.id and name in seen:
            locations.append(view.location(f"article id {view.article.id!r} is not unique"))
        seen.add(name)
    yield from finding("duplicate-ids", locations)


def _by_cause(datasets: Mapping[str, DataSet], kind: str) -> dict[str, list[tuple[str, Problem]]]:
    causes: dict[str, list[tuple[str, Problem]]] = defaultdict(list)
    for name, dataset in datasets.items():
        for problem in getattr(dataset.log, kind):
            causes[problem.cause].append((name, problem))
    return dict(sorted(causes.items(), key=lambda item: -len(item[1])))


def _location(split: str, problem: Problem) -> Location:
    source = f"{problem.source}:{problem.line}" if problem.line else problem.source
    return Location(split=split, article=problem.article, message=problem.message, source=source)


def _slug(cause: str) -> str:
    return re.sub(r"\W+", "-", cause.lower()).strip("-")
