"""What reading the files told: annotation left out, annotation mended, ids used twice."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ..data.datasets import DataSet
from ..data.problems import Problem
from .findings import Finding, Location
from .views import View, finding

# What is mended without loss, or because the reader of the config asked for it.
_HARMLESS = {
    "sentinel", "document mark", "comment", "label dropped by the mapping", "argument of a dropped entity",
}  # fmt: skip


def left_out(datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Annotation or articles that could not be used, by cause."""
    for cause, problems in _by_cause(datasets, "dropped").items():
        yield from finding(
            f"dropped-{_slug(cause)}",
            f"Left out: {cause}",
            "error",
            "What could not be used is neither trained on nor scored. Mend it in the file or in the tool behind it.",
            [_location(split, problem) for split, problem in problems],
        )


def mended(datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Annotation that was fixed in reading, by cause."""
    for cause, problems in _by_cause(datasets, "fixed").items():
        harmless = cause in _HARMLESS
        yield from finding(
            f"fixed-{_slug(cause)}",
            f"Repaired: {cause}",
            "note" if harmless else "warning",
            "Reading dropped it on purpose; nothing is wrong with it."
            if harmless
            else "Reading mended it by a rule. Look at some: other readers of the file may decide otherwise, and then "
            "their scores are not comparable.",
            [_location(split, problem) for split, problem in problems],
        )


def repeated_ids(views: Sequence[View]) -> Iterator[Finding]:
    """Articles of one data set with one id."""
    seen: set[tuple[str, str]] = set()
    locations = []
    for view in views:
        name = (view.split, view.article.id)
        if view.article.id and name in seen:
            locations.append(view.location(f"article id {view.article.id!r} is used again"))
        seen.add(name)
    yield from finding(
        "duplicate-ids",
        "Article ids used twice",
        "error",
        "Reports and annotation tools find an article by its id; training refuses a data set with one id twice.",
        locations,
    )


def _by_cause(datasets: Mapping[str, DataSet], kind: str) -> dict[str, list[tuple[str, Problem]]]:
    causes: dict[str, list[tuple[str, Problem]]] = defaultdict(list)
    for name, dataset in datasets.items():
        for problem in getattr(dataset.log, kind):
            causes[problem.cause].append((name, problem))
    return dict(sorted(causes.items(), key=lambda item: -len(item[1])))


def _location(split: str, problem: Problem) -> Location:
    place = f"{problem.source}:{problem.line}" if problem.line else problem.source
    return Location(split=split, article=problem.article, message=problem.message, source=place)


def _slug(cause: str) -> str:
    return re.sub(r"\W+", "-", cause.lower()).strip("-")
