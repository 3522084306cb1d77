"""The dev and test sets of a run, tagged: each of them once, for thresholds, scores, reports and the parity check."""

from dataclasses import dataclass

from ..evaluate import offline
from ..inference import Tagger
from ..models.bundle import Settings
from .prepare import Data


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """The dev and test sets of a run with predictions and logits, in the order of the config."""

    dev: list[offline.Evaluation]
    test: list[offline.Evaluation]

    def rescored(self, settings: Settings) -> "Tagged":
        """The same logits, decoded with other settings."""
        return Tagged(
            dev=[offline.rescore(evaluation, settings) for evaluation in self.dev],
            test=[offline.rescore(evaluation, settings) for evaluation in self.test],
        )


def tag(tagger: Tagger, data: Data) -> Tagged:
    """Tag the dev and test sets."""
    dev, test = (
        [offline.run(tagger, d.articles, d.annotated_labels, keep_logits=True) for d in datasets]
        for datasets in (data.dev, data.test)
    )
    return Tagged(dev=dev, test=test)
