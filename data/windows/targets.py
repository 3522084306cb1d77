"""Gold annotation to training targets. The tasks make the arrays (`models.tasks`); this is what they share."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..articles import AnnotatedLabels, Article, Task
from ..labels import LabelScheme
from .alignment import Proclitics
from .columns import Column
from .encoding import EncodedText


@dataclass(frozen=True, kw_only=True, slots=True)
class Gold:
    """An annotated article from which tasks make targets.

    Attributes:
        article: text and annotation.
        encoded: of the same text.
        scheme: numbers of the labels.
        annotated: labels that were annotated in this article.
        proclitics: shared by the tasks that have mentions.
        unpredictable: (task, cause) → number of gold items that no prediction can equal; tasks add to it.
    """

    article: Article
    encoded: EncodedText
    scheme: LabelScheme
    annotated: Mapping[Task, tuple[str, ...]]
    proclitics: Proclitics
    unpredictable: Counter[tuple[str, str]] = field(default_factory=Counter)

    def numbers(self, task: Task) -> dict[str, int]:
        """Label → its number."""
        return {label: number for number, label in enumerate(self.scheme.labels(task))}

    def annotated_mask(self, task: Task) -> np.ndarray:
        """Whether each label was annotated. [K] bool"""
        annotated = set(self.annotated.get(task, ()))
        return np.array([label in annotated for label in self.scheme.labels(task)], dtype=bool)


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """Targets of one article.

    Attributes:
        gold: what they were made from.
        arrays: name of a column → its array; the tasks document theirs. ``targets["entities"]`` is short for it.
        unpredictable: (task, cause) → number of gold items that no prediction can equal.
    """

    gold: Gold
    arrays: Mapping[str, np.ndarray]
    unpredictable: Counter[tuple[str, str]]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.arrays[column]


@dataclass(frozen=True, kw_only=True)
class TargetMaker:
    """Makes targets of articles under one label scheme.

    Attributes:
        scheme: the labels.
        functions: one per task; makes its arrays. Later tasks see the proclitics that earlier ones have set.
        columns: how the arrays are cut and padded.
    """

    scheme: LabelScheme
    functions: tuple[Callable[[Gold], dict[str, np.ndarray]], ...]
    columns: Mapping[str, Column]

    def make(self, article: Article, encoded: EncodedText, annotated_labels: AnnotatedLabels) -> Targets:
        """Targets of one article.

        Args:
            article: gold.
            encoded: the same text, encoded.
            annotated_labels: labels that its data set annotated; the article's ``annotated`` narrows them.
        """
        annotated = annotated_labels_of(article, annotated_labels)
        gold = Gold(
            article=article,
            encoded=encoded,
            scheme=self.scheme,
            annotated=annotated,
            proclitics=Proclitics(len(encoded.words), annotated="proclitics" in annotated),
        )
        arrays: dict[str, np.ndarray] = {}
        for make in self.functions:
            arrays |= make(gold)
        return Targets(gold=gold, arrays=arrays, unpredictable=+gold.unpredictable)


def annotated_labels_of(article: Article, declared: AnnotatedLabels) -> dict[Task, tuple[str, ...]]:
    """Labels that were annotated in an article: those of its data set, narrowed by the article's own ``annotated``."""
    annotated = dict(declared)
    for task in declared:
        if task in article.annotated:
            annotated[task] = tuple(label for label in declared[task] if label in article.annotated[task])
    return annotated


def sentence_types_of(article: Article, sentences: np.ndarray) -> list[tuple[str, ...]]:
    """Types of each sentence: those given for it, or those of the triggers that start in it.

    Args:
        article: gold.
        sentences: code-point offsets. [S, 2]
    """
    if article.sentences:
        given = {(sentence.start, sentence.end): sentence.types for sentence in article.sentences}
        return [given.get((int(start), int(end)), ()) for start, end in sentences]
    return [
        tuple(
            sorted({label for event in article.events if start <= event.trigger.start < end for label in event.types})
        )
        for start, end in sentences.tolist()
    ]
