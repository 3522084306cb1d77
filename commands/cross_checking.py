"""The part of `rasid check --folds` that trains: from what was read to the finding of ranked suspects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..audit import MOST_SUSPECTS, Finding
from ..audit.label_issues import suspect_finding
from ..configs.loader import load_config
from ..configs.schema import Recipe
from ..data.articles import Article, Task
from ..data.datasets import DataSet, resolve_supervision
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError
from .lenient import CheckError, read_source

if TYPE_CHECKING:
    from ..configs.schema import DataSource
    from ..train.cross_validation import Member, Part


def suspects_of_recipe(
    recipe: Recipe, datasets: Mapping[str, DataSet], *, folds: int, say: Callable[[str], None]
) -> list[Finding]:
    """Suspects in all data sets of a recipe.

    Args:
        recipe: the recipe.
        datasets: its data sets, as they were read leniently: those of train, then dev, then test.
        folds: how many.
        say: takes a line for each fold.

    Raises:
        CheckError: the folds cannot be made or trained.
        DataError, SchemeError, EncoderError: as of `held_out_suspects`.
    """
    from ..train.cross_validation import Member

    parts: tuple[Part, ...] = ("train", "dev", "test")
    sources: list[tuple[Part, DataSource]] = [(part, source) for part in parts for source in getattr(recipe.data, part)]
    members = {
        name: Member(dataset=dataset, part=part, repeats=source.repeats)
        for (name, dataset), (part, source) in zip(datasets.items(), sources, strict=True)
    }
    return _finding(recipe, members, folds, say)


def suspects_of_data(
    bundle: Path, datasets: Mapping[str, DataSet], *, encoder: str | None = None, folds: int, say: Callable[[str], None]
) -> list[Finding]:
    """Suspects in data sets that no recipe names: they are learned and judged as the recipe of a bundle says.

    Of that recipe's tasks those count that occur in the data, with the labels that its training data judged.

    Args:
        bundle: its ``recipe.yaml`` is taken, with the dev data that it names.
        datasets: name → data set without supervision.
        encoder: in place of the recipe's.
        folds: as for `suspects_of_recipe`.
        say: likewise.

    Raises:
        ConfigError: there is no such recipe, or it cannot be read.
        CheckError: the recipe does not go with the data; or as of `suspects_of_recipe`.
        DataError, SchemeError, EncoderError: as of `suspects_of_recipe`.
    """
    from ..train.cross_validation import Member

    recipe = load_config(bundle / "recipe.yaml", Recipe)
    scheme = load_scheme(recipe.scheme)
    known: dict[Task, tuple[str, ...]] = {}
    for source in recipe.data.train:
        for task, labels in resolve_supervision(source.supervises, scheme, source.title).items():  # type: ignore[arg-type]
            if task in recipe.tasks:
                known[task] = tuple(dict.fromkeys((*known.get(task, ()), *labels)))
    members: dict[str, Member] = {}
    for name, dataset in datasets.items():
        occurring = _occurring(dataset.articles, known)
        if not occurring:
            raise CheckError(_nothing_known(name, known, scheme))
        judged = {task: labels for task, labels in known.items() if task in occurring}
        members[name] = Member(dataset=replace(dataset, supervision=judged), part="train")
    tasks = {task for member in members.values() for task in member.dataset.supervision}
    for number, source in enumerate(recipe.data.dev):
        read = read_source(source, source.title, scheme)
        members[f"dev.{number} of the bundle's recipe ({source.title})"] = Member(
            dataset=read.dataset, part="dev", judged=False
        )
    recipe = _narrowed(recipe, tasks)
    if encoder is not None:
        recipe = recipe.model_copy(
            update={"encoder": recipe.encoder.model_copy(update={"name": encoder, "scratch": None})}
        )
    return _finding(recipe, members, folds, say)


def _occurring(articles: Sequence[Article], known: Mapping[Task, Sequence[str]]) -> set[str]:
    """Tasks that a file without supervision was annotated for: those of which it has something."""
    found = {task for article in articles for task in article.judged}
    types = {task: set(labels) for task, labels in known.items()}
    for article in articles:
        marked = {label for event in article.events for label in event.types}
        told = {label for sentence in article.sentences for label in sentence.types}
        if types.get("entities", set()).intersection(entity.label for entity in article.entities):
            found |= {"entities", "boundaries"}
        if types.get("triggers", set()) & marked:
            found |= {"triggers", "boundaries"}
        if types.get("sentence_types", set()) & (told if article.sentences else marked):
            found.add("sentence_types")
        if types.get("event_types", set()).intersection(article.event_types):
            found.add("event_types")
    return found & set(known)


def _nothing_known(name: str, known: Mapping[Task, Sequence[str]], scheme: LabelScheme) -> str:
    labels = ", ".join(dict.fromkeys(label for names in known.values() for label in names)) or "none"
    return (
        f"{name} has no annotation that the bundle's recipe learns (scheme {scheme.name}: {labels}); write a recipe "
        "that names the data, with `labels` to rename theirs, and check that with --folds"
    )


def _narrowed(recipe: Recipe, tasks: set[str]) -> Recipe:
    """The recipe for these tasks alone."""
    scored = {task for source in recipe.data.dev for task in source.supervises} & (tasks - {"boundaries"})
    if not scored:
        raise CheckError(
            f"the dev data of the bundle's recipe judge none of {', '.join(sorted(tasks))}: nothing is left to choose "
            "a checkpoint by; write a recipe that names the data and dev data like them"
        )
    training = recipe.training
    if training.metric.split(".")[0] not in scored:
        training = training.model_copy(update={"metric": "mean.f1"})
    kept = {task: options for task, options in recipe.tasks.items() if task in tasks}
    return recipe.model_copy(update={"tasks": kept, "training": training})


def _finding(recipe: Recipe, members: "Mapping[str, Member]", folds: int, say: Callable[[str], None]) -> list[Finding]:
    from ..train.cross_validation import held_out_suspects
    from ..train.folds import FoldError
    from ..train.run import RunError
    from ..train.trainer import NonFiniteLossError

    try:
        hits = list(held_out_suspects(recipe, members, folds=folds, say=say))
    except DataError as error:
        raise CheckError(f"--folds trains on the data, which cannot be used as they are:\n{error}") from error
    except (FoldError, RunError, NonFiniteLossError) as error:
        raise CheckError(f"--folds {folds}: {error}") from error
    return list(suspect_finding(hits, limit=MOST_SUSPECTS, held_out=True))
