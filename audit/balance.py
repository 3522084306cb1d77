"""How often each label occurs, and where too seldom."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..data.articles import TASKS, Article
from ..data.datasets import DataSet
from ..data.labels import LabelScheme
from ..data.windows.targets import sentence_types_of
from .findings import Finding, Location
from .views import View, finding, role_of

_SUMS: tuple[str, ...] = ("articles", "words", "sentences", "mentions", "triggers", "arguments")
LabelCounts = Mapping[str, Mapping[str, Mapping[str, int]]]
_THRESHOLDS = ("triggers", "sentence_types", "article_types")  # the tasks that decide by a threshold for each label


def count_sums(views: Sequence[View], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Sums of each data set."""
    sums: dict[str, dict[str, int]] = {name: dict.fromkeys(_SUMS, 0) for name in names}
    for view in views:
        article, row = view.article, sums[view.split]
        row["articles"] += 1
        row["words"] += len(article.tokens) or len(view.words)
        row["sentences"] += len(view.sentences)
        row["mentions"] += len(article.entities)
        row["triggers"] += len(article.events)
        row["arguments"] += sum(len(event.arguments) for event in article.events)
    return sums


def count_labels(views: Sequence[View], datasets: Mapping[str, DataSet]) -> dict[str, dict[str, dict[str, int]]]:
    """Task → label → data set → how often; labels that a data set judges have a count even where it is zero."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for dataset in datasets.values():
        for task, labels in dataset.annotated_labels.items():
            for label in labels:
                counts.setdefault(task, {}).setdefault(label, Counter())
    for view in views:
        for task, label in _labels(view):
            counts.setdefault(task, {}).setdefault(label, Counter())[view.split] += 1
    return {
        task: {label: {name: counter[name] for name in datasets} for label, counter in counts[task].items()}
        for task in TASKS
        if counts.get(task)
    }


def _labels(view: View) -> Iterator[tuple[str, str]]:
    article = view.article
    for mention in view.mentions:
        yield mention.task, mention.label
    for event in article.events:
        for argument in event.arguments:
            yield "arguments", argument.role
    if article.sentences or "sentence_types" in view.annotated:
        for types in sentence_types_of(article, np.array(view.sentences, dtype=np.int64).reshape(-1, 2)):
            for label in types:
                yield "sentence_types", label
    for label in article.event_types:
        yield "article_types", label


def unknown_labels(views: Sequence[View], scheme: LabelScheme | None) -> Iterator[Finding]:
    """Labels that the scheme does not have."""
    if scheme is None:
        return
    locations, table = [], Counter()
    for view in views:
        for mention in view.mentions:
            if mention.label not in scheme.labels(mention.task):
                kind = "entities" if mention.task == "entities" else "events"
                locations.append(
                    view.at(mention, f"{mention.label!r} is not in scheme {scheme.hint(kind, mention.label)}")
                )
                table[mention.task, mention.label] += 1
        for kind, label in _plain_labels(view.article):
            if label not in getattr(scheme, kind):
                locations.append(view.location(f"{label!r} is not in scheme {scheme.hint(kind, label)}", label=label))
                table[kind, label] += 1
    rows = [(task, label, str(count)) for (task, label), count in table.most_common()]
    yield from finding(
        "unknown-labels",
        "Labels that the scheme does not have",
        "error",
        "Training refuses them. Rename or drop them with `labels:` in the config, or add them to the scheme.",
        locations,
        table=[("task", "label", "count"), *rows],
    )


def _plain_labels(article: Article) -> Iterator[tuple[str, str]]:
    """Labels that stand on no span."""
    for event in article.events:
        for argument in event.arguments:
            yield "roles", argument.role
    for label in article.event_types:
        yield "events", label
    for sentence in article.sentences:
        for label in sentence.types:
            yield "events", label


def rare_labels(labels: LabelCounts, datasets: Mapping[str, DataSet], *, minimum: int) -> Iterator[Finding]:
    """Labels with too few positives to learn from in train, or to set a threshold by in dev.

    Args:
        labels: task → label → data set → count.
        datasets: the data sets; what one does not supervise is not expected of it.
        minimum: positives in dev below which a label gets no threshold of its own.
    """
    locations = []
    for role in ("train", "dev"):
        names = [name for name in datasets if role_of(name) == role]
        for task, rows in labels.items():
            for label, counts in rows.items():
                judging = [name for name in names if _judges(datasets[name], task, label)]
                count = sum(counts[name] for name in judging)
                if judging and count < minimum and sum(counts.values()):
                    locations.append(Location(split=judging[0], label=label, message=_rarity(role, task, count)))
    yield from finding(
        "rare-labels",
        "Labels that are rare",
        "warning",
        f"With fewer than {minimum} positives in dev a label gets no threshold of its own and its score says little; "
        "with so few in train it is hardly learned. Annotate more of it, or map it to a broader label.",
        locations,
    )


def _judges(dataset: DataSet, task: str, label: str) -> bool:
    return not dataset.annotated_labels or label in dict(dataset.annotated_labels).get(task, ())  # type: ignore[call-overload]


def _rarity(role: str, task: str, count: int) -> str:
    if role == "train":
        outcome = "few to learn from"
    elif task in _THRESHOLDS:
        outcome = "it shares the threshold of the other labels"
    else:
        outcome = "its score will be coarse"
    return f"{task}: {count} in {role}, {outcome}"


def missing_labels(labels: LabelCounts, datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Labels that never occur, and labels that are scored but never trained."""
    never, untrained = [], []
    training = [name for name in datasets if role_of(name) == "train"]
    for task, rows in labels.items():
        for label, counts in rows.items():
            if not sum(counts.values()):
                never.append(Location(split="", label=label, message=f"{task}: annotated, and occurs nowhere"))
            elif training and not sum(counts[name] for name in training):
                where = [name for name, count in counts.items() if count and role_of(name) in ("dev", "test")]
                untrained += [
                    Location(split=name, label=label, message=f"{task}: {counts[name]} in {name}, none in train")
                    for name in where
                ]
    yield from finding(
        "labels-never-used",
        "Labels that never occur",
        "warning",
        "The scheme has them and the data sets say that they were annotated. Take them out of `annotated`, or the model "
        "learns that they never apply.",
        never,
    )
    yield from finding(
        "labels-not-in-train",
        "Labels in dev or test that train does not have",
        "warning",
        "Nothing can be learned of them, so each one is missed in every score.",
        untrained,
    )


def bare_articles(views: Sequence[View]) -> Iterator[Finding]:
    """Articles in which nothing is annotated."""
    locations = [
        view.location("nothing is annotated")
        for view in views
        if not view.mentions and not view.article.event_types and not any(s.types for s in view.article.sentences)
    ]
    yield from finding(
        "articles-without-annotation",
        "Articles in which nothing is annotated",
        "note",
        "They teach that nothing is there. Right for sentences without names; wrong where the annotator skipped them.",
        locations,
    )
