"""The parity check: an exported model must make the decisions of the trained one."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..data.articles import Article
from ..errors import RasidError
from ..inference import Prediction
from ..models.tasks import TASKS

UNSEEN = 1e-2
"""Largest difference of two logits if no decision was made that could differ."""


class ParityError(RasidError, RuntimeError):
    """An exported model with more different decisions than the tolerance allows."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Agreement of two taggers on the same articles.

    Attributes:
        articles: number of articles.
        decisions: spans, arguments and labels that at least one of them predicted.
        differences: spans, arguments and labels that only one of them predicted.
        largest: largest absolute difference between two logits.
        tolerance: share of differences that was allowed.
    """

    articles: int
    decisions: int
    differences: int
    largest: float
    tolerance: float

    @property
    def share(self) -> float:
        """Differences among the decisions."""
        return self.differences / self.decisions if self.decisions else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "share": self.share}

    def describe(self) -> str:
        """One line for a person."""
        return (
            f"{self.differences} of {self.decisions} decisions differ in {self.articles} articles "
            f"(allowed {self.tolerance:.2%}), logits by {self.largest:.1e} at most"
        )


def check_parity(reference: Iterable[Prediction], exported: Iterable[Prediction], *, tolerance: float) -> Parity:
    """Compare all decisions of a trained model and of its export.

    Args:
        reference: predictions of the trained model, on held-out articles.
        exported: predictions of the exported model, on the same articles.
        tolerance: share of decisions that may differ.

    Raises:
        ParityError: more of them differ.
    """
    articles = decisions = differences = 0
    largest = 0.0
    for one, two in zip(reference, exported, strict=True):
        articles += 1
        first, second = _decisions(one.article), _decisions(two.article)
        decisions += len(first | second)
        differences += len(first ^ second)
        for task, logits in one.logits.items():
            largest = float(np.maximum(largest, np.abs(logits - two.logits[task]).max(initial=0.0)))
    parity = Parity(
        articles=articles, decisions=decisions, differences=differences, largest=largest, tolerance=tolerance
    )
    undecided = not decisions and parity.largest > UNSEEN
    if parity.share > tolerance or undecided or not np.isfinite(largest):
        raise ParityError(f"the exported model is refused: {parity.describe()}")
    return parity


def _decisions(article: Article) -> set[tuple[Any, ...]]:
    spans = {(task.name, *span) for task in TASKS if task.spans for span in task.spans(article)}
    sentences = {("sentence", s.start, s.end, label) for s in article.sentences for label in s.types}
    places = {entity.id: (entity.start, entity.end, entity.label) for entity in article.entities}
    roles = {
        ("argument", event.trigger.start, event.trigger.end, argument.role, *places[argument.entity])
        for event in article.events
        for argument in event.arguments
    }
    return spans | roles | sentences | {("article", label) for label in article.event_types}
