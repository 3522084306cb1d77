"""Event types of sentences: any number of labels for each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Sentence
from ...data.windows.columns import IGNORED, sentence_column
from ...data.windows.targets import Gold, Targets, sentence_types_of
from ..bundle import Settings
from ..probabilities import sigmoid
from .task import LabelRows, LossOptions, Prediction, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..shape import RasidConfig

LOWEST = -30.0
"""The logit of a sentence without a word that the encoder can read."""
FIRST_BIAS = -2.5
"""Most sentences lack most types; see `triggers.FIRST_BIAS`."""


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of all sentences that have a word.

    Returns:
        ``sentence_types``, 0 or 1, `IGNORED` for labels that were not annotated. [S, K] int8
    """
    numbers, annotated = gold.numbers("sentence_types"), gold.annotated.get("sentence_types", ())
    types = np.full((len(gold.encoded.sentences), len(numbers)), IGNORED, dtype=np.int8)
    types[:, gold.annotated_mask("sentence_types")] = 0
    for row, labels in enumerate(sentence_types_of(gold.article, gold.encoded.sentences)):
        types[row, [numbers[label] for label in labels if label in annotated]] = 1
    with_words = set(map(tuple, gold.encoded.sentences.tolist()))
    for sentence in gold.article.sentences:
        if (sentence.start, sentence.end) not in with_words:
            gold.unpredictable["sentence_types", "no sub-word"] += len(set(sentence.types).intersection(annotated))
    return {"sentence_types": types}


def make_modules(config: "RasidConfig", hidden: int) -> "dict[str, nn.Module]":
    """Attention of each label over the words of a sentence."""
    from ..heads import SentenceHead

    return {"sentence_types": SentenceHead(hidden, len(config.events))}


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Binary cross-entropy of the annotated labels."""
    from ..losses import label_loss

    return label_loss(logits, targets["sentence_types"], options.positive_weight)


def decode(predictions: Sequence[Prediction], head: str, settings: Settings) -> list[dict[str, Any]]:
    """The sentences of each text with their types."""
    names = np.array(settings.scheme.labels("sentence_types"), dtype=object)
    threshold, temperature = settings.threshold(head), settings.temperature(head)
    fields = []
    for prediction in predictions:
        probabilities = sigmoid(prediction.logits[head] / temperature)  # [S, K]
        sentences = tuple(
            Sentence(start=start, end=end, types=tuple(names[on]), scores=tuple(row[on].tolist()))
            for (start, end), row, on in zip(
                prediction.encoded.sentences.tolist(), probabilities, probabilities >= threshold, strict=True
            )
        )
        fields.append({"sentences": sentences})
    return fields


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows:
    """A row for each sentence of the article, also for those without a word that the encoder can read."""
    logits = prediction.logits[head]
    gold = targets.gold
    row_of = {span: row for row, span in enumerate(map(tuple, gold.encoded.sentences.tolist()))}
    spans = [(sentence.start, sentence.end) for sentence in gold.article.sentences] or list(row_of)
    sentences = np.array(spans, dtype=np.int64).reshape(-1, 2)
    source = np.array([row_of.get(span, -1) for span in spans], dtype=np.int64)  # row of the logits, or -1
    numbers = gold.numbers("sentence_types")
    values = np.full((len(sentences), len(numbers)), LOWEST, dtype=np.float32)
    values[source >= 0] = np.maximum(logits[source[source >= 0]], LOWEST)
    right = np.zeros(values.shape, dtype=bool)
    for row, types in enumerate(sentence_types_of(gold.article, sentences)):
        right[row, [numbers[label] for label in types]] = True
    annotated = np.broadcast_to(gold.annotated_mask("sentence_types"), right.shape)
    return LabelRows(logits=values, gold=right & annotated, annotated=annotated)


TASK = Task(
    name="sentence_types",
    title="Event types of sentences",
    unit="sentence",
    columns=lambda labels: {"sentence_types": sentence_column(labels)},
    targets=make_targets,
    modules=make_modules,
    initialize=lambda head: head.value.bias.data.fill_(FIRST_BIAS),
    forward=lambda head, inputs, logits: head(inputs.words, inputs.sentences),
    loss=loss,
    count=lambda targets: (targets["sentence_types"] != IGNORED).sum(),  # annotated labels, over all sentences
    decode=decode,
    label_logits=lambda prediction, scheme: prediction.logits["sentence_types"],
    rows=rows,
    scores="labels",
)
