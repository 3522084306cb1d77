"""Label counts, and labels that are rare, missing or not in the scheme."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..data.articles import TASKS, Article
from ..data.datasets import DataSet
from ..data.labels import LabelScheme
from ..data.windows.targets import sentence_types_of
from .article_views import ArticleView, role_of
from .findings import Finding, Location, count_table, finding

_COUNTED = ("articles", "words", "sentences", "mentions", "triggers", "arguments")
LabelCounts = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Task → label → data set → count."""

MINIMUM_POSITIVES = 10  # in dev, for a threshold of its own; the default of `tune_thresholds`
_SECTIONS = {"entities": "entities", "triggers": "events"}  # of the scheme
_THRESHOLDS = ("triggers", "arguments", "sentence_types", "article_types")  # tasks with a threshold per label


def count_totals(views: Sequence[ArticleView], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Data set → number of articles, words, sentences, mentions, triggers and arguments."""
    totals: dict[str, dict[str, int]] = {name: dict.fromkeys(_COUNTED, 0) for name in names}
    for view in views:
        article, row = view.article, totals[view.split]
        row["articles"] += 1
        row["words"] += len(article.tokens) or len(view.words)
        row["sentences"] += len(view.sentences)
        row["mentions"] += len(article.entities)
        row["triggers"] += len(article.events)
        row["arguments"] += sum(len(event.arguments) for event in article.events)
    return totals


def count_labels(views: Sequence[ArticleView], datasets: Mapping[str, DataSet]) -> dict[str, dict[str, dict[str, int]]]:
    """Task → label → data set → count. Annotated labels without an example have a count of zero."""
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


def _labels(view: ArticleView) -> Iterator[tuple[str, str]]:
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


def unknown_labels(views: Sequence[ArticleView], scheme: LabelScheme | None) -> Iterator[Finding]:
    """Labels that are not in the scheme."""
    if scheme is None:
        return
    locations, counts = [], Counter()
    for view in views:
        spans = ((m.task, _SECTIONS[m.task], m.label, (m.start, m.end)) for m in view.mentions)
        others = ((section, section, label, ()) for section, label in _labels_without_span(view.article))
        for task, section, label, span in (*spans, *others):
            if label not in getattr(scheme, section):
                message = f"{label!r} is not in scheme {scheme.hint(section, label)}"
                locations.append(view.location(message, *span, label=label))
                counts[task, label] += 1
    yield from finding("unknown-labels", locations, table=count_table(("task", "label", "count"), counts))


def _labels_without_span(article: Article) -> Iterator[tuple[str, str]]:
    """Section of the scheme and label of each argument, article and sentence."""
    for event in article.events:
        for argument in event.arguments:
            yield "roles", argument.role
    for label in article.event_types:
        yield "events", label
    for sentence in article.sentences:
        for label in sentence.types:
            yield "events", label


def rare_labels(labels: LabelCounts, datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Labels with fewer than `MINIMUM_POSITIVES` examples in train or dev.

    Args:
        labels: counts of `count_labels`.
        datasets: name → data set; labels that none of a role annotates are skipped.
    """
    locations = []
    for role in ("train", "dev"):
        names = [name for name in datasets if role_of(name) == role]
        for task, rows in labels.items():
            for label, counts in rows.items():
                annotated = [name for name in names if _annotates(datasets[name], task, label)]
                count = sum(counts[name] for name in annotated)
                if annotated and count < MINIMUM_POSITIVES and sum(counts.values()):
                    message = f"{task}: {count} in {role}, {_consequence(role, task)}"
                    locations.append(Location(split=annotated[0], label=label, message=message))
    yield from finding("rare-labels", locations, minimum=MINIMUM_POSITIVES)


def _annotates(dataset: DataSet, task: str, label: str) -> bool:
    return not dataset.annotated_labels or label in dict(dataset.annotated_labels).get(task, ())  # type: ignore[call-overload]


def _consequence(role: str, task: str) -> str:
    if role == "train":
        return "too few to learn from"
    return "no threshold of its own" if task in _THRESHOLDS else "its score is unreliable"


def missing_labels(labels: LabelCounts, datasets: Mapping[str, DataSet]) -> Iterator[Finding]:
    """Annotated labels without examples, and labels with examples in dev or test but not in train."""
    unused, untrained = [], []
    training = [name for name in datasets if role_of(name) == "train"]
    for task, rows in labels.items():
        for label, counts in rows.items():
            if not sum(counts.values()):
                unused.append(Location(split="", label=label, message=f"{task}: annotated, but no examples"))
            elif training and not sum(counts[name] for name in training):
                untrained += [
                    Location(split=name, label=label, message=f"{task}: {count} in {name}, none in train")
                    for name, count in counts.items()
                    if count and role_of(name) in ("dev", "test")
                ]
    yield from finding("labels-never-used", unused)
    yield from finding("labels-not-in-train", untrained)


def articles_without_annotation(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Articles without any annotation."""
    locations = [
        view.location("no annotation")
        for view in views
        if not view.mentions and not view.article.event_types and not any(s.types for s in view.article.sentences)
    ]
    yield from finding("articles-without-annotation", locations)
