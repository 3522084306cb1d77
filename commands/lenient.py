"""Reading what is to be audited: leniently, with the file of each article."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.articles import Article, check_article
from ..data.datasets import DataSet, map_labels, resolve_annotated
from ..data.formats import located_articles
from ..data.labels import LabelScheme
from ..data.problems import DataError, Problem, ProblemLog
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


def is_built_in(name: str | Path) -> bool:
    """Whether a path names the shipped corpus, or a split of it, rather than files."""
    return str(name) == "corpus" or str(name).startswith("corpus:")


def shipped(name: str) -> Iterator[Read]:
    """The shipped corpus, or one split of it (``corpus:train``)."""
    from ..data.corpus import load_corpus

    split = name.removeprefix("corpus").removeprefix(":")
    if split not in ("", "train", "dev", "test"):
        message = f"the shipped corpus has the splits train, dev and test, not {split!r}"
        raise DataError([Problem(source=name, cause="no such split", message=message)])
    for part in ("train", "dev", "test"):
        if split in ("", part):
            dataset = load_corpus(part)
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
        for line, article in located_articles(path, format, log=log, options=options):
            valid = without_bad_spans(article, log, line=line)
            articles.append(map_labels(valid, labels, log) if labels else valid)
            files.append(f"{log.source}:{line}" if line else log.source)
    except DataError as error:
        log.dropped += error.problems
    except OSError as error:
        log.drop("cannot be read", f"{error.strerror or error}")
    return Read(dataset=DataSet(name=name, articles=articles, annotated_labels={}, log=log), files=files)


def without_bad_spans(article: Article, log: ProblemLog, *, line: int = 0) -> Article:
    """An article without the annotation that `check_article` refuses; each piece left out is in the log."""
    if not any(check_article(article)):
        return article
    ids: set[str] = set()

    def is_good(alone: Article, identity: str, known: tuple = ()) -> bool:
        problems = list(check_article(replace(alone, entities=(*alone.entities, *known))))
        if identity and identity in ids:
            problems.append(("duplicate id", f"id {identity!r} is used twice in the article"))
        for cause, message in problems:
            log.drop(cause, message, line=line, article=article.id)
        ids.update({identity} - {""})
        return not problems

    bare = Article(text=article.text, id=article.id)
    entities = tuple(e for e in article.entities if is_good(replace(bare, entities=(e,)), e.id))
    events = tuple(v for v in article.events if is_good(replace(bare, events=(v,)), v.id, entities))
    sentences = tuple(s for s in article.sentences if is_good(replace(bare, sentences=(s,)), ""))
    annotated = {t: names for t, names in article.annotated.items() if is_good(replace(bare, annotated={t: names}), "")}
    return replace(article, entities=entities, events=events, sentences=sentences, annotated=annotated)
