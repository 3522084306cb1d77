"""Label issues by K-fold cross-validation: each article is checked by a tagger that was not trained on it."""

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ..audit import Location, label_issues
from ..configs.schema import Config, DataSource
from ..data.articles import Article, check_article
from ..data.datasets import DataSet
from ..data.formats import write_articles
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem
from ..inference import Tagger
from . import run
from .folds import FoldError, assign_folds

logger = logging.getLogger(__name__)

RANKED = ("entities", "triggers", "sentence_types")
"""Tasks that `audit.label_issues` can rank."""


Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, kw_only=True)
class FoldDataset:
    """A data set in a cross-validation.

    Attributes:
        dataset: articles and what was annotated in them; their labels may be others than the scheme's.
        part: train is learned from, dev chooses checkpoints and thresholds, test is annotated alone.
        repeats: how often each article is seen in an epoch.
        annotated: whether label_issues are looked for in it.
    """

    dataset: DataSet
    part: Part
    repeats: float = 1.0
    annotated: bool = True


def held_out_label_issues(config: Config, members: Mapping[str, FoldDataset], *, folds: int) -> Iterator[Location]:
    """Cut all data sets into folds, train a tagger without each fold, and let it judge the fold.

    All data sets are cut together, so that no tagger has seen a relative of what it judges (`data.folds.related`): it
    learned from train and was chosen by dev, both without its fold. The config's first seed counts, and nothing is
    exported. Runs lie in the system's folder for temporary files (``TMPDIR``), one at a time, and are removed.

    Args:
        config: what to train; its data sets are left aside.
        members: name → data set, in their place. What the scheme lacks is not learned.
        folds: how many, at least 2.

    Yields:
        Locations as of `label_issues`, fold by fold; ``split`` is the name of the data set.

    Raises:
        FoldError: too few articles for so many folds, or the config trains no task that can be ranked.
        DataError: a data set to learn from has no articles, or does not say rightly what it annotated.
        SchemeError, EncoderError, RunError, NonFiniteLossError: as of `run.train`.
    """
    if not set(RANKED).intersection(config.tasks):
        raise FoldError(f"label_issues are ranked in {', '.join(RANKED)}; config {config.name} trains none of these")
    scheme = load_scheme(config.scheme)
    _check(members)
    least = {name: folds if m.part == "train" else 2 for name, m in members.items() if m.part != "test"}
    articles = {name: member.dataset.articles for name, member in members.items()}
    where = assign_folds(articles, folds, seed=config.training.seeds[0], least=least)
    usable = {name: [_learnable(a, scheme, i) for i, a in enumerate(articles[name])] for name in least}
    with TemporaryDirectory(prefix="rasid-folds-") as temporary:
        for number in range(folds):
            outside = {
                name: [a for a, at in zip(usable[name], where[name], strict=True) if at != number and a is not None]
                for name in least
            }
            inside = {
                name: replace(
                    m.dataset, articles=[a for a, at in zip(articles[name], where[name], strict=True) if at == number]
                )
                for name, m in members.items()
                if m.annotated
            }
            learned = sum(len(outside[name]) for name in least if members[name].part == "train")
            annotated = sum(len(dataset.articles) for dataset in inside.values())
            logger.info(
                f"fold {number + 1} of {folds}: training on {learned:,} articles, then checking {annotated:,} others"
            )
            folder = Path(temporary) / f"fold-{number + 1}"
            tagger = _train(config, members, outside, folder)
            for name, dataset in inside.items():
                yield from label_issues(
                    tagger, dataset.articles, dataset.annotated_labels, split=name, source=dataset.log.source
                )
            shutil.rmtree(folder)


def _check(members: Mapping[str, FoldDataset]) -> None:
    """Make sure that every data set to learn from can be used.

    Raises:
        DataError: with every problem that leaves nothing.
    """
    problems: list[Problem] = []
    for name, member in members.items():
        if member.part != "test" and not (member.dataset.articles and member.dataset.annotated_labels):
            nothing = Problem(source=name, cause="no articles", message="holds no articles to learn from")
            problems += member.dataset.log.dropped or [nothing]
    if problems:
        raise DataError(problems)


def _learnable(article: Article, scheme: LabelScheme, number: int) -> Article | None:
    """An article as training takes it, under an id of its own and with labels of the scheme alone; None if it cannot.

    A check looks at data as they are; training refuses a data set for one wrong label.
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
    config: Config, members: Mapping[str, FoldDataset], outside: Mapping[str, list[Article]], folder: Path
) -> Tagger:
    """The tagger of one fold, trained on what lies outside of it."""
    sources: dict[str, list[DataSource]] = {"train": [], "dev": []}
    for name, found in outside.items():
        member, place = members[name], sources[members[name].part]
        file = folder / "data" / f"{member.part}-{len(place)}.jsonl"
        write_articles(found, file)
        annotated = {
            task: "all" if task == "proclitics" else list(labels)
            for task, labels in member.dataset.annotated_labels.items()
            if task != "arguments"
        }
        place.append(DataSource(path=str(file), format="jsonl", annotated=annotated, repeats=member.repeats))  # type: ignore[arg-type]
    result = run.train(
        config.model_copy(
            update={
                "name": folder.name,
                "output": folder,
                "data": config.data.model_copy(update={**sources, "test": []}),
                "training": config.training.model_copy(update={"seeds": config.training.seeds[:1], "report_to": []}),
                "export": config.export.model_copy(update={"onnx": False}),
            }
        ),
        say=lambda line: None,
    )
    return Tagger.from_pretrained(result.folder / "bundle")
