"""Label issues by K-fold cross-validation: each article is checked by a tagger that was not trained on it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ..audit import Location, label_issues
from ..configs.schema import Config
from ..data.articles import Article, check_article
from ..data.datasets import DataSet, resolve_annotated
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem
from ..inference import Tagger
from . import run
from .folds import FoldError, assign_folds
from .prepare import Data

logger = logging.getLogger(__name__)

RANKED = ("entities", "triggers", "sentence_types")
"""Tasks whose label issues `audit.label_issues` ranks."""

Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, kw_only=True)
class FoldDataset:
    """A data set in a cross-validation.

    Attributes:
        dataset: articles and annotated labels; labels outside the scheme are ignored in training.
        part: its articles outside the fold are used to train (train), to select a checkpoint (dev), or not (test).
        repeats: how often each article is seen per epoch.
        annotated: whether label issues are searched in it.
    """

    dataset: DataSet
    part: Part
    repeats: float = 1.0
    annotated: bool = True


def held_out_label_issues(config: Config, datasets: Mapping[str, FoldDataset], *, folds: int) -> Iterator[Location]:
    """Train a tagger without each fold, and search the fold for label issues.

    The folds cut all data sets together, so no tagger was trained or selected on an article related to those that it
    checks (see `folds.related`). The first seed of the config is used. The runs are in the system's folder for
    temporary files (``TMPDIR``), one at a time, and are deleted.

    Args:
        config: of the training; its data sets are not read.
        datasets: name → data set.
        folds: number of folds, at least 2.

    Yields:
        Locations as in `label_issues`, fold by fold; ``split`` is the name of the data set.

    Raises:
        FoldError: too few articles for so many folds, or the config trains no task that can be ranked.
        DataError: a data set for training has no articles, or its annotated labels are wrong.
        SchemeError, EncoderError, RunError, NonFiniteLossError: as in `run.train`.
    """
    if not set(RANKED).intersection(config.tasks):
        raise FoldError(f"label issues are ranked in {', '.join(RANKED)}; config {config.name} trains none of these")
    scheme = load_scheme(config.scheme)
    _check(datasets)
    least = {name: folds if d.part == "train" else 2 for name, d in datasets.items() if d.part != "test"}
    articles = {name: dataset.dataset.articles for name, dataset in datasets.items()}
    fold_of = assign_folds(articles, folds, seed=config.training.seeds[0], least=least)
    learnable = {name: [_learnable(a, scheme, i) for i, a in enumerate(articles[name])] for name in least}
    for fold in range(folds):
        outside = {
            name: [a for a, f in zip(learnable[name], fold_of[name], strict=True) if f != fold and a is not None]
            for name in least
        }
        inside = {
            name: [a for a, f in zip(articles[name], fold_of[name], strict=True) if f == fold]
            for name, dataset in datasets.items()
            if dataset.annotated
        }
        train = sum(len(outside[name]) for name in least if datasets[name].part == "train")
        check = sum(len(members) for members in inside.values())
        logger.info(f"fold {fold + 1} of {folds}: training on {train:,} articles, then checking {check:,} others")
        with TemporaryDirectory(prefix="rasid-fold-") as temporary:
            tagger = _train(config, scheme, datasets, outside, Path(temporary) / f"fold-{fold + 1}")
            for name, members in inside.items():
                dataset = datasets[name].dataset
                yield from label_issues(
                    tagger, members, dataset.annotated_labels, split=name, source=dataset.log.source
                )


def _check(datasets: Mapping[str, FoldDataset]) -> None:
    """Check that all data sets for training have articles and annotated labels.

    Raises:
        DataError: one has not.
    """
    problems: list[Problem] = []
    for name, member in datasets.items():
        if member.part != "test" and not (member.dataset.articles and member.dataset.annotated_labels):
            problems += member.dataset.log.dropped or [_no_articles(name)]
    if problems:
        raise DataError(problems)


def _no_articles(name: str) -> Problem:
    return Problem(source=name, cause="no articles", message="has no articles to train on")


def _learnable(article: Article, scheme: LabelScheme, number: int) -> Article | None:
    """The article as training accepts it: with a unique id, and without labels outside the scheme; None if invalid.

    `rasid check` reads data as they are, but training rejects a data set with one wrong label.
    """

    def known(types: Sequence[str]) -> tuple[str, ...]:
        return tuple(label for label in types if label in scheme.events)

    events = (replace(event, types=known(event.types), arguments=(), scores=()) for event in article.events)
    cleaned = replace(
        article,
        id=str(number),
        entities=tuple(e for e in article.entities if e.label in scheme.entities),
        events=tuple(event for event in events if event.types),
        event_types=known(article.event_types),
        type_scores=(),
        sentences=tuple(replace(s, types=known(s.types), scores=()) for s in article.sentences),
        annotated={
            task: tuple(label for label in labels if label in scheme.labels(task))  # type: ignore[arg-type]
            for task, labels in article.annotated.items()
            if task != "proclitics"
        },
        evidence={},
        meta={},
    )
    return None if any(check_article(cleaned, scheme)) else cleaned


def _train(
    config: Config,
    scheme: LabelScheme,
    datasets: Mapping[str, FoldDataset],
    outside: Mapping[str, list[Article]],
    folder: Path,
) -> Tagger:
    """The tagger of one fold, trained on the articles outside of it."""
    parts: dict[str, list[DataSet]] = {"train": [], "dev": []}
    for name, articles in outside.items():
        dataset = datasets[name]
        if not articles:
            raise DataError([_no_articles(name)])
        declared = dataset.dataset.annotated_labels.items()
        annotated = {
            task: "all" if task == "proclitics" else labels for task, labels in declared if task != "arguments"
        }
        part = parts[dataset.part]
        labels = resolve_annotated(annotated, scheme, name)
        title = f"{dataset.part}-{len(part)}"
        part.append(replace(dataset.dataset, name=title, articles=articles, annotated_labels=labels))
    repeats = [datasets[name].repeats for name in outside if datasets[name].part == "train"]
    training = config.training.model_copy(update={"seeds": config.training.seeds[:1], "report_to": []})
    export = config.export.model_copy(update={"onnx": False})
    # Folds judge mentions and types, and `_learnable` drops arguments.
    if training.metric == "arguments.f1":
        training = training.model_copy(update={"metric": "mean.f1"})
    tasks = {task: options for task, options in config.tasks.items() if task != "arguments"}
    fold_config = config.model_copy(
        update={"name": folder.name, "output": folder.parent, "tasks": tasks, "training": training, "export": export}
    )
    data = Data(scheme=scheme, train=parts["train"], dev=parts["dev"], test=[], repeats=repeats)
    return Tagger.from_pretrained(run.train(fold_config, data).folder / "bundle")
