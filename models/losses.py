"""Losses as sums, to be divided by the tasks' counts, so that any split into batches gives the same gradient."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.windows.columns import IGNORED


def binary_loss(logits: Tensor, targets: Tensor, known: Tensor, positive_weight: float) -> Tensor:
    """Sum of the binary cross-entropies where ``known``; all three tensors have the same shape."""
    weight = torch.tensor(positive_weight, device=logits.device)
    loss = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), pos_weight=weight, reduction="none")
    return loss.masked_fill(~known, 0).sum()


def label_loss(logits: Tensor, targets: Tensor, positive_weight: float) -> Tensor:
    """Binary cross-entropy where the target is not `IGNORED`."""
    return binary_loss(logits, targets.clamp(min=0), targets != IGNORED, positive_weight)
