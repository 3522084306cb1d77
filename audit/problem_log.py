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
    "sentinel", "document mark", "comment", "label dropped by the mapping", "argument of a dropped entity",
}  # fmt: skip


def dropped(datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Annotations and articles that reading dropped, by cause."""
    for cause, problems in _by_cause(datasets, "dropped").items():
        yield from finding(
            f"dropped-{_slug(cause)}",
            [_location(split, problem) for split, problem in problems],
            variant="dropped",
            cause=cause,
        )


def fixed(datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Annotations that reading fixed, by cause."""
    for cause, problems in _by_cause(datasets, "fixed").items():
        yield from finding(
            f"fixed-{_slug(cause)}",
            [_location(split, problem) for split, problem in problems],
            variant="fixed-harmless" if cause in _HARMLESS else "fixed",
            cause=cause,
        )


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
