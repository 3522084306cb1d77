"""Losses as sums, to be divided by the tasks' counts, so that any split into batches gives the same gradient."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.windows.columns import IGNORED
from .heads import LinearChain


@dataclass(frozen=True, kw_only=True, slots=True)
class LossOptions:
    """What a loss depends on besides logits and targets.

    Attributes:
        positive_weight: weight of positive labels.
        tag_weights: weight of each entity tag, or None. [K]
        chain: the CRF of the entities, or None.
    """

    positive_weight: float
    tag_weights: Tensor | None
    chain: LinearChain | None


def entity_loss(
    logits: Tensor, tags: Tensor, unannotated_labels: Tensor, *, weights: Tensor | None, chain: LinearChain | None
) -> Tensor:
    """Negative log-likelihood of the tags; with partial annotation, of all tags that the gold allows.

    Args:
        logits: [B, W, K] with K = 1 + 2L
        tags: `IGNORED` for words that the window does not own. [B, W]
        unannotated_labels: a word with tag 0 may carry one of these labels. [B, L] bool
        weights: of each tag, or None. [K]
        chain: the CRF, or None for independent words.
    """
    known = tags != IGNORED  # [B, W]
    logits = logits.float()
    if chain is None and not unannotated_labels.any():
        flat = logits.reshape(-1, logits.shape[-1])
        return F.cross_entropy(flat, tags.reshape(-1), weight=weights, ignore_index=IGNORED, reduction="sum")
    # The gold tag is allowed, and for a word with tag 0 also begin and inside of every label that was not annotated.
    allowed = F.one_hot(tags.clamp(min=0), logits.shape[-1]).bool()  # [B, W, K]
    unannotated_tags = F.pad(unannotated_labels.repeat_interleave(2, dim=1), (1, 0))  # [B, K]
    allowed |= (tags == 0)[:, :, None] & unannotated_tags[:, None, :]
    if chain is not None:
        # Words that the window does not own are marginalized, not masked, so that the chain stays connected.
        allowed |= ~known[:, :, None]
        real = known.flip(1).cumsum(1).flip(1) > 0  # up to the last known word
        # A window that owns its first word as inside, or not at all, begins in the middle of a text.
        continues = (tags[:, 0] != 0) & (tags[:, 0] % 2 == 0)
        return chain.negative_log_likelihood(logits, allowed, real, continues).sum()
    allowed_logits = logits.masked_fill(~allowed, float("-inf"))
    loss = torch.logsumexp(logits, -1) - torch.logsumexp(allowed_logits, -1)  # [B, W]
    if weights is not None:
        loss = loss * weights[tags.clamp(min=0)]
    return loss.masked_fill(~known, 0).sum()


def binary_loss(logits: Tensor, targets: Tensor, known: Tensor, positive_weight: float) -> Tensor:
    """Sum of the binary cross-entropies where ``known``; all three tensors have the same shape."""
    weight = torch.tensor(positive_weight, device=logits.device)
    loss = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), pos_weight=weight, reduction="none")
    return loss.masked_fill(~known, 0).sum()


def label_loss(logits: Tensor, targets: Tensor, positive_weight: float) -> Tensor:
    """Binary cross-entropy where the target is not `IGNORED`."""
    return binary_loss(logits, targets.clamp(min=0), targets != IGNORED, positive_weight)


def trigger_loss(logits: Tensor, marks: Tensor, owned: Tensor, annotated: Tensor, positive_weight: float) -> Tensor:
    """Binary cross-entropy of begin and inside marks of every type.

    Args:
        logits: [B, W, 2K]
        marks: [B, W, 2K] bool
        owned: words that the window owns. [B, W] bool
        annotated: types that were annotated. [B, K] bool
        positive_weight: weight of positive marks.
    """
    known = owned[:, :, None] & annotated.repeat_interleave(2, dim=1)[:, None, :]  # [B, W, 2K]
    return binary_loss(logits, marks, known, positive_weight)


def article_loss(logits: Tensor, valid: Tensor, article: Tensor, targets: Tensor, positive_weight: float) -> Tensor:
    """Binary cross-entropy of an article's labels, each read from its strongest sentence.

    Args:
        logits: per sentence. [B, S, K]
        valid: real sentences. [B, S] bool
        article: number of each window's article in the batch. [B]
        targets: [A, K], `IGNORED` for labels that were not annotated
        positive_weight: weight of positive labels.
    """
    lowest = torch.finfo(torch.float32).min
    strongest = logits.float().masked_fill(~valid[:, :, None], lowest).amax(1)  # [B, K]
    index = article[:, None].expand(-1, logits.shape[-1])
    pooled = torch.full(targets.shape, lowest, device=logits.device).scatter_reduce(
        0, index, strongest, "amax"
    )  # [A, K]
    return label_loss(pooled.clamp(min=-30), readable_targets(valid, article, targets), positive_weight)


def readable_targets(valid: Tensor, article: Tensor, targets: Tensor) -> Tensor:
    """Targets of articles, `IGNORED` for an article without a sentence, which gives no logit. [A, K]

    Arguments are those of `article_loss`.
    """
    sentences = torch.zeros(len(targets), dtype=torch.int64, device=valid.device).index_add(0, article, valid.sum(1))
    return torch.where(sentences[:, None] > 0, targets, IGNORED)
