"""Event types of the whole article: any number of labels, each read from the sentence in which it is strongest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Span
from ...data.windows.columns import IGNORED, article_column
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings
from ..probabilities import sigmoid
from .sentence_types import LOWEST
from .task import LabelRows, LossOptions, Prediction, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..heads import ArticleHead, HeadInputs
    from ..shape import RasidConfig

PLACES = 16
"""The head tells so many first sentences apart."""


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of the article.

    Returns:
        ``article_types``, 0 or 1, `IGNORED` for labels that were not annotated. [K] int8
    """
    numbers, annotated = gold.numbers("article_types"), gold.annotated.get("article_types", ())
    types = np.full(len(numbers), IGNORED, dtype=np.int8)
    types[gold.annotated_mask("article_types")] = 0
    types[[numbers[label] for label in gold.article.event_types if label in annotated]] = 1
    if not len(gold.encoded.sentences):
        gold.unpredictable["article_types", "no sub-word"] += int((types == 1).sum())
    return {"article_types": types}


def make_modules(config: "RasidConfig", hidden: int) -> "dict[str, nn.Module]":
    """Scale, bias and place of sentence logits."""
    from ..heads import ArticleHead

    return {"article_types": ArticleHead(len(config.events), PLACES)}


def initialize(head: "ArticleHead") -> None:
    """Title and lead count in full, later sentences less and less."""
    import torch

    place = torch.arange(PLACES, dtype=torch.float32)[:, None]
    head.place.weight.data = -(0.75 * (place - 1)).clamp(0, 4)


def forward(head: "ArticleHead", inputs: "HeadInputs", logits: "Mapping[str, Tensor]") -> "Tensor":
    """Logits of the article, one row for each sentence. [B, S, K]"""
    sentences = logits["sentence_types"]
    # Where sentences are annotated themselves, an article whose lead lacks a type must not unteach the sentence further
    # down that has it.
    if "sentence_types" in inputs.tasks:
        sentences = sentences.detach()
    return head(sentences, inputs.sentence_numbers)


def readable_targets(targets: "Mapping[str, Tensor]") -> "Tensor":
    """Targets of articles, `IGNORED` for an article without a sentence, which gives no logit. [A, K]"""
    import torch

    gold, article = targets["article_types"], targets["article"]
    empty = torch.zeros(len(gold), dtype=torch.int64, device=gold.device)
    sentences = empty.index_add(0, article, targets["sentence_valid"].sum(1))
    return torch.where(sentences[:, None] > 0, gold, IGNORED)


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Binary cross-entropy of the annotated labels, each read from the article's strongest sentence.

    Args:
        logits: [B, S, K]
        targets: labels [A, K], real sentences [B, S] bool, number of each window's article in the batch [B]
        options: weight of positive labels.
    """
    import torch

    from ..losses import label_loss

    gold, article = readable_targets(targets), targets["article"]
    lowest = torch.finfo(torch.float32).min
    strongest = logits.float().masked_fill(~targets["sentence_valid"][:, :, None], lowest).amax(1)  # [B, K]
    pooled = torch.full(gold.shape, lowest, device=logits.device)  # [A, K]
    pooled = pooled.scatter_reduce(0, article[:, None].expand_as(strongest), strongest, "amax")
    return label_loss(pooled.clamp(min=LOWEST), gold, options.positive_weight)


def decode(predictions: Sequence[Prediction], head: str, settings: Settings) -> list[dict[str, Any]]:
    """The types of each article, and for each type the sentences that reach its threshold."""
    labels = settings.scheme.labels("article_types")
    threshold, temperature = settings.threshold(head), settings.temperature(head)
    fields = []
    for prediction in predictions:
        if not len(prediction.encoded.sentences):
            fields.append({})
            continue
        probabilities = sigmoid(prediction.logits[head] / temperature)  # [S, K]
        strongest = probabilities.max(axis=0)
        on = np.flatnonzero(strongest >= threshold)
        evidence = {
            labels[label]: tuple(
                Span(start=start, end=end, text=prediction.article.text[start:end])
                for start, end in prediction.encoded.sentences[probabilities[:, label] >= threshold[label]].tolist()
            )
            for label in on
        }
        scores = tuple(strongest[on].tolist())
        fields.append({"event_types": tuple(evidence), "type_scores": scores, "evidence": evidence})
    return fields


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows:
    """One row: the strongest sentence of each label."""
    logits = prediction.logits[head]
    strongest = logits.max(axis=0, initial=LOWEST)[None]
    types = targets["article_types"][None]
    return LabelRows(logits=strongest, gold=types == 1, annotated=types != IGNORED)


TASK = Task(
    name="article_types",
    title="Event types of articles",
    unit="sentence",
    source="sentence_types",
    columns=lambda labels: {"article_types": article_column()},
    targets=make_targets,
    modules=make_modules,
    initialize=initialize,
    forward=forward,
    loss=loss,
    count=lambda targets: (readable_targets(targets) != IGNORED).sum(),  # annotated labels of articles with a sentence
    decode=decode,
    label_logits=lambda prediction, scheme: prediction.logits["article_types"],
    rows=rows,
    scores="labels",
)
