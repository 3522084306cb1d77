"""`rasid check --folds`: label issues by cross-validation, as a judge of an audit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..audit.article_views import ArticleView
from ..audit.findings import Finding
from ..audit.label_issues import label_issue_finding
from ..audit.reading import read_source
from ..configs.schema import Config
from ..data.articles import Article, Task
from ..data.datasets import DataSet, resolve_annotated
from ..data.labels import LabelScheme, load_scheme
from .cross_validation import FoldDataset, Part, held_out_label_issues
from .folds import FoldError


@dataclass(frozen=True, kw_only=True)
class FoldsJudge:
    """Finds label issues with taggers that were trained without the articles that they score.

    Attributes:
        config: what to train.
        folds: number of folds.
        of_bundle: the config is that of a bundle: the data sets to check are not those that it names. Its tasks that
            occur in them are trained, with the labels that its training data annotates. Its dev data choose checkpoints
            too.
    """

    config: Config
    folds: int
    of_bundle: bool = False

    def findings(self, datasets: Mapping[str, DataSet], views: Sequence[ArticleView]) -> Iterator[Finding]:
        """The finding of ranked label issues; see `audit.Judge` and `held_out_label_issues`.

        Raises:
            FoldError: the data sets cannot be cross-validated with the config.
        """
        make = _for_bundle if self.of_bundle else _for_config
        config, members = make(self.config, datasets)
        yield from label_issue_finding(held_out_label_issues(config, members, folds=self.folds), held_out=True)


def _for_config(config: Config, datasets: Mapping[str, DataSet]) -> tuple[Config, dict[str, FoldDataset]]:
    """The members of the cross-validation of a config, whose data sets are in the order train, dev, test."""
    parts: tuple[Part, ...] = ("train", "dev", "test")
    sources: list[tuple[Part, float]] = [
        (part, source.repeats) for part in parts for source in getattr(config.data, part)
    ]
    return config, {
        name: FoldDataset(dataset=dataset, part=part, repeats=repeats)
        for (name, dataset), (part, repeats) in zip(datasets.items(), sources, strict=True)
    }


def _for_bundle(config: Config, datasets: Mapping[str, DataSet]) -> tuple[Config, dict[str, FoldDataset]]:
    """The config with the tasks that occur in data sets without a declaration, and the members.

    Raises:
        FoldError: the config does not fit the data.
    """
    scheme = load_scheme(config.scheme)
    trained: dict[Task, tuple[str, ...]] = {}
    for source in config.data.train:
        for task, labels in resolve_annotated(source.annotated, scheme, source.title).items():  # type: ignore[arg-type]
            if task in config.tasks:
                trained[task] = tuple(dict.fromkeys((*trained.get(task, ()), *labels)))
    members: dict[str, FoldDataset] = {}
    for name, dataset in datasets.items():
        occurring = _occurring_tasks(dataset.articles, trained)
        if not occurring:
            raise FoldError(_no_annotation(name, trained, scheme))
        annotated = {task: labels for task, labels in trained.items() if task in occurring}
        members[name] = FoldDataset(dataset=replace(dataset, annotated_labels=annotated), part="train")
    tasks = {task for member in members.values() for task in member.dataset.annotated_labels}
    for number, source in enumerate(config.data.dev):
        dev, _ = read_source(source, source.title, scheme)
        name = f"dev.{number} of the bundle's config ({source.title})"
        members[name] = FoldDataset(dataset=dev, part="dev", annotated=False)
    return _with_tasks(config, tasks), members


def _occurring_tasks(articles: Sequence[Article], trained: Mapping[Task, Sequence[str]]) -> set[str]:
    """The trained tasks that a data set without a declaration is annotated for: those of which it has a label."""
    tasks: set[str] = {task for article in articles for task in article.annotated}
    labels = {task: set(names) for task, names in trained.items()}
    for article in articles:
        event_types = {label for event in article.events for label in event.types}
        sentence_types = {label for sentence in article.sentences for label in sentence.types}
        if labels.get("entities", set()).intersection(entity.label for entity in article.entities):
            tasks |= {"entities", "proclitics"}
        if labels.get("triggers", set()) & event_types:
            tasks |= {"triggers", "proclitics"}
        if labels.get("sentence_types", set()) & (sentence_types if article.sentences else event_types):
            tasks.add("sentence_types")
        if labels.get("article_types", set()).intersection(article.event_types):
            tasks.add("article_types")
    return tasks & set(trained)


def _no_annotation(name: str, trained: Mapping[Task, Sequence[str]], scheme: LabelScheme) -> str:
    labels = ", ".join(dict.fromkeys(label for names in trained.values() for label in names)) or "none"
    return (
        f"{name} has no annotation that the bundle's config trains (scheme {scheme.name}: {labels}); write a config "
        "for the data, with `labels` to rename its labels, and check that config with --folds"
    )


def _with_tasks(config: Config, tasks: set[str]) -> Config:
    """The config with these tasks only.

    Raises:
        FoldError: its dev data annotate none of them.
    """
    scored = {task for source in config.data.dev for task in source.annotated} & (tasks - {"proclitics"})
    if not scored:
        raise FoldError(
            f"the dev data of the bundle's config annotate none of {', '.join(sorted(tasks))}, so no checkpoint can be "
            "chosen; write a config with the data and suitable dev data"
        )
    training = config.training
    if training.metric.split(".")[0] not in scored:
        training = training.model_copy(update={"metric": "mean.f1"})
    kept = {task: options for task, options in config.tasks.items() if task in tasks}
    return config.model_copy(update={"tasks": kept, "training": training})
