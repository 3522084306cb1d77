"""Reading data sets for an audit: all that can be read, with the file and line of each article."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..configs.loader import load_config
from ..configs.schema import Config, DataSource
from ..data.articles import Article
from ..data.corpus import load_corpus
from ..data.datasets import DataSet, resolve_annotated
from ..data.formats import annotators_of
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem, ProblemLog
from ..data.reading import corpus_splits, read
from ..errors import RasidError
from .agreement import Versions

logger = logging.getLogger(__name__)

_SPLITS = ("train", "dev", "val", "valid", "validation", "test")
_MOST_ANNOTATORS = 20  # the data is read once for each


class AuditError(RasidError):
    """Options that do not go with the input."""


@dataclass(frozen=True, kw_only=True)
class AuditData:
    """What is audited.

    Attributes:
        name: name of the config or of the paths.
        scheme: scheme of the config or of the built-in corpus; None if there is none.
        config: the config; None if paths were given.
        datasets: name → data set; all problems of reading are in its log.
        files: name → file and line of each article; empty for the built-in corpus.
        versions: name → annotator → articles, for data sets that several people annotated.
    """

    name: str
    scheme: LabelScheme | None = None
    config: Config | None = None
    datasets: dict[str, DataSet] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, Versions] = field(default_factory=dict)


def read_file(
    path: str, name: str, *, format: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[DataSet, list[str]]:
    """Read a file, a folder or a split of the built-in corpus, without a declaration of what was annotated.

    Args:
        path: as for `data.reading.read`.
        name: name of the data set.
        format: format of the file; None detects it.
        options: reading options of the format.

    Returns:
        Valid articles, with all problems in the log; file and line of each article.
    """
    return _read(path, name, ProblemLog(source=path), {}, format=format, options=options)


def read_source(source: DataSource, name: str, scheme: LabelScheme) -> tuple[DataSet, list[str]]:
    """Read a data set of a config.

    Args:
        source: section of the config.
        name: name of the data set.
        scheme: scheme of the config; an invalid declaration of annotated labels is a problem in the log.

    Returns:
        As `read_file`.
    """
    log = ProblemLog(source=source.path or name)
    annotated: Any = {}
    try:
        annotated = resolve_annotated(source.annotated, scheme, name)  # type: ignore[arg-type]
    except DataError as error:
        log.dropped += error.problems
    return _read(source, name, log, annotated)


def _read(
    source: str | DataSource, name: str, log: ProblemLog, annotated: Mapping[Any, Any], **how: Any
) -> tuple[DataSet, list[str]]:
    dataset = DataSet(name=name, articles=[], annotated_labels=annotated, log=log)
    places: list[str] = []
    try:
        for line, article in read(source, policy="drop_annotation", log=log, **how):
            dataset.articles.append(article)
            places.append(f"{log.source}:{line}" if line else log.source)
    except DataError as error:
        log.dropped += error.problems
    except OSError as error:
        log.drop("cannot be read", f"{error.strerror or error}")
    return dataset, places


def read_versions(
    path: str,
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    labels: Mapping[str, str | None] | None = None,
) -> dict[str, list[Article]]:
    """The articles of a file or folder as each of its annotators annotated them.

    Args:
        path: as for `data.reading.read`.
        format: as for `data.reading.read`.
        options: reading options of the format; ``annotator`` is not used.
        labels: as for `data.reading.read`.

    Returns:
        annotator → valid articles; empty if fewer than two people annotated, or nothing can be read.
    """
    try:
        names = annotators_of(path, format)
        if not 1 < len(names) <= _MOST_ANNOTATORS:
            return {}
        how: dict[str, Any] = {"policy": "drop_annotation", "format": format, "labels": labels}
        return {
            name: [article for _, article in read(path, options={**(options or {}), "annotator": name}, **how)]
            for name in names
        }
    except (DataError, OSError):
        return {}  # the log of the data set says why it cannot be read


def read_for_audit(
    inputs: Sequence[str], format: str | None = None, options: Mapping[str, Any] | None = None
) -> AuditData:
    """Read the data sets of a config, or of files, folders and the built-in corpus.

    Args:
        inputs: a config and its overrides ``key=value``, or paths. A folder with files named train, dev (val, valid)
            and test is read as these data sets, any other path as one.
        format: format of the paths; None detects it.
        options: reading options of the paths.

    Raises:
        RasidError: the config is not valid, a format or options are given with a config, or there are no articles.
    """
    if not is_config(inputs[0]):
        return _read_paths(inputs, format, options)
    if format is not None:
        raise AuditError("--from is for files; a config names the format of each data set")
    if options:
        raise AuditError("--option is for files; a config names the options of each data set")
    return _read_config(load_config(inputs[0], Config, inputs[1:]), _title(inputs[:1]))


def is_config(source: str) -> bool:
    """Whether a name is that of a config, a YAML file or a built-in one, and not of data."""
    if Path(source).suffix in (".yaml", ".yml"):
        return True
    return not Path(source).exists() and (files("rasid.configs") / f"{source}.yaml").is_file()


def _read_config(config: Config, file: str) -> AuditData:
    scheme = load_scheme(config.scheme)
    name = file if config.name in file else f"{config.name} ({file})"
    data = AuditData(name=name, scheme=scheme, config=config)
    for part in ("train", "dev", "test"):
        sources = getattr(config.data, part)
        for source in sources:
            name = _unused(part if len(sources) == 1 else f"{part}/{source.title}", source.title, data.datasets)
            data.datasets[name], data.files[name] = read_source(source, name, scheme)
            if source.path:
                how: dict[str, Any] = {"format": source.format, "options": source.options, "labels": source.labels}
                data.versions[name] = read_versions(source.path, **how)
    return data


def _read_paths(paths: Sequence[str], format: str | None, options: Mapping[str, Any] | None) -> AuditData:
    scheme = load_scheme("news") if any(map(corpus_splits, paths)) else None
    data = AuditData(name=_title(paths), scheme=scheme)
    for path in paths:
        if splits := corpus_splits(path):
            for split in splits:
                dataset = load_corpus(split)  # type: ignore[arg-type]
                data.datasets[dataset.name] = dataset
            continue
        parts = _parts_of(Path(path))
        for part, file in parts:
            name = _unused(part, str(file), data.datasets)
            data.datasets[name], data.files[name] = read_file(str(file), name, format=format, options=options)
            data.versions[name] = read_versions(str(file), format=format, options=options)
        if skipped := _skipped_files(Path(path), [file for _, file in parts]):
            names = ", ".join(name for name, _ in parts)
            logger.info("%s is checked as %s; not read: %s", path, names, ", ".join(skipped))
    if not any(dataset.articles for dataset in data.datasets.values()):
        problems = [problem for dataset in data.datasets.values() for problem in dataset.log.dropped]
        raise DataError(problems or [Problem(source=paths[0], cause="no articles", message="holds no articles")])
    return data


def _parts_of(path: Path) -> list[tuple[str, Path]]:
    """Name and file of each data set of a path: files of a folder that are named as splits, else the path."""
    if path.is_dir():
        parts = [(file.stem, file) for file in sorted(path.iterdir()) if file.stem in _SPLITS and file.is_file()]
        if len({name for name, _ in parts}) == len(parts) > 1:
            return sorted(parts, key=lambda part: _SPLITS.index(part[0]))
    return [(path.stem or str(path), path)]


def _skipped_files(folder: Path, parts: Sequence[Path]) -> list[str]:
    """Files of a folder that are not among its splits, but have the same suffix."""
    if parts == [folder]:
        return []
    suffixes = {part.suffix for part in parts}
    candidates = sorted(file for file in folder.rglob("*") if file.suffix in suffixes and file.is_file())
    return [str(file.relative_to(folder)) for file in candidates if file not in parts]


def _title(paths: Sequence[str]) -> str:
    """The names of files and folders; names that occur twice get their folder."""
    absolute = [Path(path) if path.startswith("corpus:") else Path(path).absolute() for path in paths]
    names = [path.name for path in absolute]
    return ", ".join(
        str(Path(path.parent.name, name)) if names.count(name) > 1 else name
        for path, name in zip(absolute, names, strict=True)
    )


def _unused(name: str, place: str, taken: Mapping[str, Any]) -> str:
    """The name, with the place if it is taken."""
    if name not in taken:
        return name
    name = f"{name} ({place})"
    return name if name not in taken else _unused(f"{name}'", place, taken)
