"""What every task defines, and the data that passes between its parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data.articles import Article
from ...data.articles import Task as TaskName
from ...data.labels import LabelScheme
from ...data.windows.columns import Column
from ...data.windows.encoding import EncodedText
from ...data.windows.targets import Gold, Targets

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..bundle import Settings
    from ..heads import HeadInputs
    from ..losses import LossOptions
    from ..shape import RasidConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TaggedText:
    """A text with the logits of its words and sentences.

    Attributes:
        text: the article's text.
        encoded: its words and sentences.
        logits: head → logits, [W, …] for words and [S, …] for sentences.
    """

    text: str
    encoded: EncodedText
    logits: Mapping[str, np.ndarray]


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
class Task:
    """Everything that one task is: targets, head, loss, decoding, and what its evaluation needs.

    Functions that need torch import it when they are called: tagging with ONNX does without.

    Attributes:
        name: in configs, bundles and reports; also the name of its head and of its logits.
        title: in reports.
        section: labels of a scheme and of a network that it predicts; None without labels.
        unit: what its logits are of.
        options: keys of `TaskConfig` that it takes, besides ``weight``.
        source: task whose sentence logits its head reads. A network without this head takes its decisions from the
            source.
        width: number of labels → logits per word or sentence.
        columns: number of labels → its target arrays.
        targets: makes these arrays.
        modules: (config, hidden size) → parts of the network by name, drawn at random.
        initialize: sets the biases that a head begins with, after all random weights.
        forward: (its part of the network, inputs of the heads, logits of earlier heads) → logits. [B, W or S, …]
        loss: (logits, targets, options) → sum.
        count: number of items that the sum is over.
        decode: (texts, head, settings) → fields of each article.
        label_logits: the logits that decide about labels, for entropy and calibration. None without labels.
        exclusive: whether exactly one label holds (softmax), or any number of them (sigmoid).
        rows: (gold, targets, logits) → rows to calibrate on; None if their gold is not known.
        scores: ``spans`` are right or wrong as a whole; ``labels`` are scored by decision and by ranking; None for no
            scores.
        spans: (start, end, label) of an article, for ``spans``.
    """

    name: TaskName
    title: str
    section: Literal["entities", "events"] | None
    unit: Literal["word", "sentence"]
    options: frozenset[str] = frozenset()
    source: TaskName | None = None
    width: Callable[[int], int]
    columns: Callable[[int], Mapping[str, Column]]
    targets: Callable[[Gold], dict[str, np.ndarray]]
    modules: "Callable[[RasidConfig, int], dict[str, nn.Module]]"
    initialize: "Callable[[Any], None]" = lambda module: None
    forward: "Callable[[Any, HeadInputs, Mapping[str, Tensor]], Tensor]"
    loss: "Callable[[Tensor, Mapping[str, Tensor], LossOptions], Tensor]"
    count: "Callable[[Mapping[str, Tensor]], Tensor]"
    decode: "Callable[[Sequence[TaggedText], str, Settings], Sequence[dict[str, Any]]]"
    label_logits: Callable[[np.ndarray], np.ndarray] | None = None
    exclusive: bool = False
    rows: Callable[[Gold, Targets, np.ndarray], LabelRows | None] | None = None
    scores: Literal["spans", "labels"] | None = None
    spans: Callable[[Article], set[tuple[int, int, str]]] | None = None

    def labels(self, labels: "LabelScheme | RasidConfig") -> tuple[str, ...]:
        """Its labels in a scheme, or in the configuration of a network."""
        return tuple(getattr(labels, self.section)) if self.section else ()
