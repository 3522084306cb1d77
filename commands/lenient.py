"""Reading what is to be audited: leniently, with the file of each article."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.articles import Article
from ..data.datasets import DataSet, resolve_annotated
from ..data.labels import LabelScheme
from ..data.problems import DataError, ProblemLog
from ..data.reading import corpus_splits, map_labels, read
from ..errors import RasidError

if TYPE_CHECKING:
    from ..configs.schema import DataSource

_SPLITS = ("train", "dev", "val", "valid", "validation", "test")


class CheckError(RasidError, ValueError):
    """What was named cannot be checked at all."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """A data set and the file of each article."""

    dataset: DataSet
    files: list[str]


def parts_of(path: Path) -> list[tuple[str, Path]]:
    """The data sets of a path: files of a folder that are named as splits, else the path itself."""
    if path.is_dir():
        parts = [(file.stem, file) for file in sorted(path.iterdir()) if file.stem in _SPLITS and file.is_file()]
        if len({name for name, _ in parts}) == len(parts) > 1:
            return sorted(parts, key=lambda part: _SPLITS.index(part[0]))
    return [(path.stem or str(path), path)]


def left_aside(folder: Path, parts: Sequence[Path]) -> list[str]:
    """Files of a folder that are none of its splits, but might be data as they are."""
    if parts == [folder]:
        return []
    suffixes = {part.suffix for part in parts}
    files = sorted(file for file in folder.rglob("*") if file.suffix in suffixes and file.is_file())
    return [str(file.relative_to(folder)) for file in files if file not in parts]


def shipped(name: str) -> Iterator[Read]:
    """The built-in corpus, or one split of it (``corpus:train``)."""
    from ..data.corpus import load_corpus

    for split in corpus_splits(name):
        dataset = load_corpus(split)  # type: ignore[arg-type]
        yield Read(dataset=dataset, files=[""] * len(dataset.articles))


def read_source(source: "DataSource", title: str, scheme: LabelScheme) -> Read:
    """A data set of a config under its mapping; what it annotated wrongly is in the log."""
    log = ProblemLog(source=source.path or title)
    annotated_labels: Any = {}
    try:
        annotated_labels = resolve_annotated(source.annotated, scheme, title)  # type: ignore[arg-type]
    except DataError as error:
        log.dropped += error.problems
    if source.path is not None:
        how: dict[str, Any] = {"format": source.format, "labels": source.labels, "options": source.options}
        found = read_leniently(source.path, name=title, log=log, **how)
    else:
        (found,) = shipped(f"corpus:{source.corpus}")
        articles = [map_labels(article, source.labels, log) for article in found.dataset.articles]
        found = replace(found, dataset=replace(found.dataset, name=title, articles=articles, log=log))
    return replace(found, dataset=replace(found.dataset, annotated_labels=annotated_labels))


def read_leniently(
    path: str,
    *,
    name: str,
    format: str | None = None,
    labels: dict[str, str | None] | None = None,
    options: Mapping[str, Any] | None = None,
    log: ProblemLog | None = None,
) -> Read:
    """Read what can be read; the rest is in the log, a path that cannot be read at all included."""
    log = log or ProblemLog(source=path)
    articles: list[Article] = []
    files: list[str] = []
    try:
        how: dict[str, Any] = {"labels": labels, "format": format, "options": options}
        for line, article in read(path, policy="drop_annotation", log=log, **how):
            articles.append(article)
            files.append(f"{log.source}:{line}" if line else log.source)
    except DataError as error:
        log.dropped += error.problems
    except OSError as error:
        log.drop("cannot be read", f"{error.strerror or error}")
    return Read(dataset=DataSet(name=name, articles=articles, annotated_labels={}, log=log), files=files)
