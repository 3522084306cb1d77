"""What every task defines, and the data that passes between its parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.articles import Article
from ...data.articles import Task as TaskName
from ...data.labels import KINDS, LabelScheme
from ...data.windows.columns import Column
from ...data.windows.encoding import EncodedText
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings
from ..pairs import RoleWeights

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..heads import HeadInputs, LinearChain
    from ..shape import RasidConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """A tagged article, and what its decoding and evaluation need.

    Attributes:
        article: the text with everything that was predicted; before decoding, the article as it was given.
        encoded: its words, sentences and windows.
        logits: head → logits of all words [W, …] or sentences [S, …].
        roles: scores the pairs of triggers and entities; None if the network has no head for arguments.
    """

    article: Article
    encoded: EncodedText
    logits: Mapping[str, np.ndarray]
    roles: RoleWeights | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WordSpan:
    """A predicted mention: a half-open range of words, the number of its label, and its probability."""

    first: int
    end: int
    label: int
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRows:
    """Decisions of a task in one article, for calibration and scores.

    Attributes:
        logits: [N, K]
        gold: [N, K] bool
        annotated: which cells count. [N, K] bool
    """

    logits: np.ndarray
    gold: np.ndarray
    annotated: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class LossOptions:
    """What a loss depends on besides logits and targets.

    Attributes:
        positive_weight: weight of positive labels.
        tag_weights: weight of each entity tag, or None. [K]
        chain: the CRF of the entities, or None.
        head: the task's part of the network.
    """

    positive_weight: float = 1.0
    tag_weights: "Tensor | None" = None
    chain: "LinearChain | None" = None
    head: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Everything that one task is: targets, head, loss, decoding, and what its evaluation needs.

    Functions that need torch import it when they are called: tagging with ONNX does without.

    Attributes:
        name: in configs, bundles and reports; also the name of its head and of its logits.
        title: in reports.
        unit: what its logits are of.
        source: task whose sentence logits its head reads. A network without this head takes its decisions from the
            source.
        width: number of labels → logits per word or sentence.
        columns: number of labels → its target arrays.
        targets: makes these arrays.
        modules: (config, hidden size) → parts of the network by name, drawn at random; None for one linear layer.
        initialize: sets the biases that a head begins with, after all random weights.
        forward: (its part of the network, inputs of the heads, logits of earlier heads) → logits. [B, W or S, …]
        loss: (logits, targets, options) → sum.
        count: number of items that the sum is over.
        decode: (predictions, head, settings) → fields of each article; None for no fields.
        word_spans: (logits of a text, settings) → its mentions as words; None for tasks without mentions.
        reads_mentions: whether decoding needs the predicted entities and events, in the articles of the predictions.
        label_logits: (prediction, scheme) → the logits that decide about labels, for entropy. None without labels.
        exclusive: whether exactly one label holds (softmax), or any number of them (sigmoid).
        rows: (targets, prediction, head) → rows to calibrate on; None if their gold is not known.
        scores: ``spans`` are right or wrong as a whole; ``labels`` are scored by decision and by ranking; None for no
            scores.
        spans: (start, end, label) of an article, for ``spans``.
    """

    name: TaskName
    title: str
    unit: Literal["word", "sentence"]
    source: TaskName | None = None
    width: Callable[[int], int] = lambda labels: labels
    columns: Callable[[int], Mapping[str, Column]]
    targets: Callable[[Gold], dict[str, np.ndarray]]
    modules: "Callable[[RasidConfig, int], dict[str, nn.Module]] | None" = None
    initialize: "Callable[[Any], object]" = lambda head: None
    forward: "Callable[[Any, HeadInputs, Mapping[str, Tensor]], Tensor]" = lambda head, inputs, logits: head(
        inputs.words
    )
    loss: "Callable[[Tensor, Mapping[str, Tensor], LossOptions], Tensor]"
    count: "Callable[[Mapping[str, Tensor]], Tensor]"
    decode: Callable[[Sequence[Prediction], str, Settings], Sequence[dict[str, Any]]] | None = None
    word_spans: Callable[[np.ndarray, Settings], list[WordSpan]] | None = None
    reads_mentions: bool = False
    label_logits: Callable[[Prediction, LabelScheme], np.ndarray] | None
    exclusive: bool = False
    rows: Callable[[Targets, Prediction, str], LabelRows | None] | None = None
    scores: Literal["spans", "labels"] | None = None
    spans: Callable[[Article], set[tuple[int, int, str]]] | None = None

    def labels(self, labels: "LabelScheme | RasidConfig") -> tuple[str, ...]:
        """Its labels in a scheme, or in the configuration of a network; none for proclitics."""
        return tuple(getattr(labels, KINDS[self.name])) if self.name in KINDS else ()

    def make_modules(self, config: "RasidConfig", hidden: int) -> "dict[str, nn.Module]":
        """Its parts of the network by name, with random weights; ``hidden`` is the size of the states."""
        from torch import nn

        if self.modules is None:
            return {self.name: nn.Linear(hidden, self.width(len(self.labels(config))))}
        return self.modules(config, hidden)
