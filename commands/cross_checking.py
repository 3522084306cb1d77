"""The part of `rasid check --folds` that trains: from what was read to the finding of ranked label_issues."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..audit import MOST_LABEL_ISSUES, Finding
from ..audit.label_issues import label_issue_finding
from ..configs.loader import load_config
from ..configs.schema import Config
from ..data.articles import Article, Task
from ..data.datasets import DataSet, resolve_annotated
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError
from ..models.bundle import config_file
from .lenient import CheckError, read_source

if TYPE_CHECKING:
    from ..configs.schema import DataSource
    from ..train.cross_validation import FoldDataset, Part


def label_issues_of_config(
    config: Config, datasets: Mapping[str, DataSet], *, folds: int, say: Callable[[str], None]
) -> list[Finding]:
    """Label issues in all data sets of a config.

    Args:
        config: the config.
        datasets: its data sets, as they were read leniently: those of train, then dev, then test.
        folds: how many.
        say: takes a line for each fold.

    Raises:
        CheckError: the folds cannot be made or trained.
        DataError, SchemeError, EncoderError: as of `held_out_label_issues`.
    """
    from ..train.cross_validation import FoldDataset

    parts: tuple[Part, ...] = ("train", "dev", "test")
    sources: list[tuple[Part, DataSource]] = [(part, source) for part in parts for source in getattr(config.data, part)]
    members = {
        name: FoldDataset(dataset=dataset, part=part, repeats=source.repeats)
        for (name, dataset), (part, source) in zip(datasets.items(), sources, strict=True)
    }
    return _finding(config, members, folds, say)


def label_issues_of_data(
    bundle: Path, datasets: Mapping[str, DataSet], *, encoder: str | None = None, folds: int, say: Callable[[str], None]
) -> list[Finding]:
    """Label issues in data sets that no config names: they are learned and annotated as the config of a bundle says.

    Of that config's tasks those count that occur in the data, with the labels that its training data annotated.

    Args:
        bundle: its ``config.yaml`` is taken, with the dev data that it names.
        datasets: name → data set without annotated_labels.
        encoder: in place of the config's.
        folds: as for `label_issues_of_config`.
        say: likewise.

    Raises:
        ConfigError: there is no such config, or it cannot be read.
        CheckError: the config does not go with the data; or as of `label_issues_of_config`.
        DataError, SchemeError, EncoderError: as of `label_issues_of_config`.
    """
    from ..train.cross_validation import FoldDataset

    config = load_config(config_file(bundle), Config)
    scheme = load_scheme(config.scheme)
    known: dict[Task, tuple[str, ...]] = {}
    for source in config.data.train:
        for task, labels in resolve_annotated(source.annotated, scheme, source.title).items():  # type: ignore[arg-type]
            if task in config.tasks:
                known[task] = tuple(dict.fromkeys((*known.get(task, ()), *labels)))
    members: dict[str, FoldDataset] = {}
    for name, dataset in datasets.items():
        occurring = _occurring(dataset.articles, known)
        if not occurring:
            raise CheckError(_nothing_known(name, known, scheme))
        annotated = {task: labels for task, labels in known.items() if task in occurring}
        members[name] = FoldDataset(dataset=replace(dataset, annotated_labels=annotated), part="train")
    tasks = {task for member in members.values() for task in member.dataset.annotated_labels}
    for number, source in enumerate(config.data.dev):
        read = read_source(source, source.title, scheme)
        members[f"dev.{number} of the bundle's config ({source.title})"] = FoldDataset(
            dataset=read.dataset, part="dev", annotated=False
        )
    config = _narrowed(config, tasks)
    if encoder is not None:
        config = config.model_copy(
            update={"encoder": config.encoder.model_copy(update={"name": encoder, "scratch": None})}
        )
    return _finding(config, members, folds, say)


def _occurring(articles: Sequence[Article], known: Mapping[Task, Sequence[str]]) -> set[str]:
    """Tasks that a file without annotated_labels was annotated for: those of which it has something."""
    found = {task for article in articles for task in article.annotated}
    types = {task: set(labels) for task, labels in known.items()}
    for article in articles:
        marked = {label for event in article.events for label in event.types}
        told = {label for sentence in article.sentences for label in sentence.types}
        if types.get("entities", set()).intersection(entity.label for entity in article.entities):
            found |= {"entities", "proclitics"}
        if types.get("triggers", set()) & marked:
            found |= {"triggers", "proclitics"}
        if types.get("sentence_types", set()) & (told if article.sentences else marked):
            found.add("sentence_types")
        if types.get("article_types", set()).intersection(article.event_types):
            found.add("article_types")
    return found & set(known)


def _nothing_known(name: str, known: Mapping[Task, Sequence[str]], scheme: LabelScheme) -> str:
    labels = ", ".join(dict.fromkeys(label for names in known.values() for label in names)) or "none"
    return (
        f"{name} has no annotation that the bundle's config learns (scheme {scheme.name}: {labels}); write a config "
        "that names the data, with `labels` to rename theirs, and check that with --folds"
    )


def _narrowed(config: Config, tasks: set[str]) -> Config:
    """The config for these tasks alone."""
    scored = {task for source in config.data.dev for task in source.annotated} & (tasks - {"proclitics"})
    if not scored:
        raise CheckError(
            f"the dev data of the bundle's config judge none of {', '.join(sorted(tasks))}: nothing is left to choose "
            "a checkpoint by; write a config that names the data and dev data like them"
        )
    training = config.training
    if training.metric.split(".")[0] not in scored:
        training = training.model_copy(update={"metric": "mean.f1"})
    kept = {task: options for task, options in config.tasks.items() if task in tasks}
    return config.model_copy(update={"tasks": kept, "training": training})


def _finding(
    config: Config, members: "Mapping[str, FoldDataset]", folds: int, say: Callable[[str], None]
) -> list[Finding]:
    from ..train.cross_validation import held_out_label_issues
    from ..train.folds import FoldError
    from ..train.run import RunError
    from ..train.trainer import NonFiniteLossError

    try:
        locations = list(held_out_label_issues(config, members, folds=folds))
    except DataError as error:
        raise CheckError(f"--folds trains on the data, which cannot be used as they are:\n{error}") from error
    except (FoldError, RunError, NonFiniteLossError) as error:
        raise CheckError(f"--folds {folds}: {error}") from error
    return list(label_issue_finding(locations, limit=MOST_LABEL_ISSUES, held_out=True))
