"""Reading data sets for an audit: all that can be read, with the file and line of each article."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..data.articles import Article
from ..data.datasets import DataSet, resolve_annotated
from ..data.labels import LabelScheme
from ..data.problems import DataError, ProblemLog
from ..data.reading import read

if TYPE_CHECKING:
    from ..configs.schema import DataSource


@dataclass(frozen=True, kw_only=True)
class LocatedDataSet:
    """A data set and where its articles are.

    Attributes:
        dataset: valid articles; all problems are in its log.
        files: file and line of each article.
    """

    dataset: DataSet
    files: list[str]


def read_file(
    path: str, name: str, *, format: str | None = None, options: Mapping[str, Any] | None = None
) -> LocatedDataSet:
    """Read a file, a folder or a split of the built-in corpus, without a declaration of what was annotated.

    Args:
        path: as for `data.reading.read`.
        name: name of the data set.
        format: format of the file; None detects it.
        options: reading options of the format.
    """
    return _read(path, name, ProblemLog(source=path), {}, format=format, options=options)


def read_source(source: "DataSource", name: str, scheme: LabelScheme) -> LocatedDataSet:
    """Read a data set of a config.

    Args:
        source: section of the config.
        name: name of the data set.
        scheme: scheme of the config; an invalid declaration of annotated labels is a problem in the log.
    """
    log = ProblemLog(source=source.path or name)
    annotated: Any = {}
    try:
        annotated = resolve_annotated(source.annotated, scheme, name)  # type: ignore[arg-type]
    except DataError as error:
        log.dropped += error.problems
    return _read(source, name, log, annotated)


def _read(
    source: "str | DataSource", name: str, log: ProblemLog, annotated: Mapping[Any, Any], **how: Any
) -> LocatedDataSet:
    articles: list[Article] = []
    files: list[str] = []
    try:
        for line, article in read(source, policy="drop_annotation", log=log, **how):
            articles.append(article)
            files.append(f"{log.source}:{line}" if line else log.source)
    except DataError as error:
        log.dropped += error.problems
    except OSError as error:
        log.drop("cannot be read", f"{error.strerror or error}")
    return LocatedDataSet(
        dataset=DataSet(name=name, articles=articles, annotated_labels=annotated, log=log), files=files
    )
