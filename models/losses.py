"""Losses of the heads as sums and counts, so that any split into batches gives the same gradient."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from .heads import LinearChain

IGNORED = -100


def counts(targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Number of items that each task's loss is a sum over: annotated words, labels of sentences, labels of articles."""
    owned_words = targets["owned"] & targets["triggers_annotated"].any(-1, keepdim=True)
    return {
        "entities": (targets["entities"] != IGNORED).sum(),
        "triggers": owned_words.sum(),
        "proclitics": (targets["proclitics"] != IGNORED).sum(),
        "sentence_types": (targets["sentence_types"] != IGNORED).sum(),
        "article_types": (targets["article_types"] != IGNORED).sum(),
    }


def entity_loss(
    logits: Tensor, tags: Tensor, unannotated_labels: Tensor, *, weights: Tensor | None, chain: LinearChain | None
) -> tuple[Tensor, Tensor]:
    """Negative log-likelihood of the tags; where labels were not annotated, of all tags that gold allows.

    Args:
        logits: [B, W, K] with K = 1 + 2L
        tags: `IGNORED` outside of what the window owns. [B, W]
        unannotated_labels: labels that were not annotated: outside (tag 0) may as well be one of them. [B, L] bool
        weights: of each tag, or None. [K]
        chain: the CRF, or None for independent words.

    Returns:
        (sum, count of words)
    """
    known = tags != IGNORED  # [B, W]
    count = known.sum()
    logits = logits.float()
    if chain is None and not unannotated_labels.any():
        total = F.cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            tags.reshape(-1),
            weight=weights,
            ignore_index=IGNORED,
            reduction="sum",
        )
        return total, count
    allowed = F.one_hot(tags.clamp(min=0), logits.shape[-1]).bool()  # [B, W, K]
    unannotated_tags = F.pad(unannotated_labels.repeat_interleave(2, dim=1), (1, 0))  # [B, K]
    allowed |= (tags == 0)[:, :, None] & unannotated_tags[:, None, :]
    if chain is not None:
        # What the window does not answer is a context of unknown tags, not a break in the chain.
        allowed |= ~known[:, :, None]
        real = known.flip(1).cumsum(1).flip(1) > 0  # up to the last known word
        # A window that owns its first word as inside, or not at all, begins in the middle of a text.
        continues = (tags[:, 0] != 0) & (tags[:, 0] % 2 == 0)
        return chain.negative_log_likelihood(logits, allowed, real, continues).sum(), count
    held = logits.masked_fill(~allowed, float("-inf"))
    loss = torch.logsumexp(logits, -1) - torch.logsumexp(held, -1)  # [B, W]
    if weights is not None:
        loss = loss * weights[tags.clamp(min=0)]
    return loss.masked_fill(~known, 0).sum(), count


def binary_loss(logits: Tensor, targets: Tensor, known: Tensor, positive_weight: float) -> Tensor:
    """Sum of binary cross-entropies where ``known``; all three arguments have one shape."""
    weight = torch.tensor(positive_weight, device=logits.device)
    loss = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), pos_weight=weight, reduction="none")
    return loss.masked_fill(~known, 0).sum()


def masked_binary_loss(logits: Tensor, targets: Tensor, positive_weight: float) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy where the target is not `IGNORED`: (sum, count of annotated labels)."""
    known = targets != IGNORED
    return binary_loss(logits, targets.clamp(min=0), known, positive_weight), known.sum()


def trigger_loss(
    logits: Tensor, marks: Tensor, owned: Tensor, annotated: Tensor, positive_weight: float
) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy of begin and inside marks of every type.

    Args:
        logits: [B, W, 2K]
        marks: [B, W, 2K] bool
        owned: words that the window owns. [B, W] bool
        annotated: types that were annotated. [B, K] bool
        positive_weight: weight of positive marks.

    Returns:
        (sum, count of words with a annotated type)
    """
    known = owned[:, :, None] & annotated.repeat_interleave(2, dim=1)[:, None, :]  # [B, W, 2K]
    return binary_loss(logits, marks, known, positive_weight), known.any(-1).sum()


def article_loss(
    logits: Tensor, valid: Tensor, article: Tensor, targets: Tensor, positive_weight: float
) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy of an article's labels, each read from its strongest sentence.

    Args:
        logits: per sentence. [B, S, K]
        valid: real sentences. [B, S] bool
        article: number of each window's article in the batch. [B]
        targets: [A, K], `IGNORED` where not annotated
        positive_weight: weight of positive labels.

    Returns:
        (sum, count of annotated labels)
    """
    lowest = torch.finfo(torch.float32).min
    strongest = logits.float().masked_fill(~valid[:, :, None], lowest).amax(1)  # [B, K]
    index = article[:, None].expand(-1, logits.shape[-1])
    pooled = torch.full(targets.shape, lowest, device=logits.device).scatter_reduce(
        0, index, strongest, "amax"
    )  # [A, K]
    read = pooled > lowest  # an article without a sentence says nothing
    return masked_binary_loss(pooled.clamp(min=-30), torch.where(read, targets, IGNORED), positive_weight)
