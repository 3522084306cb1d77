"""The loss at masked positions. On a CPU it is computed in blocks, so that not all logits are in memory at once."""

from typing import Any

import torch
from torch import Tensor, nn

ROWS = 128  # logits of 128 rows and 20,000 entries are 10 MB, which fits the cache of a CPU


def masked_loss(hidden: Tensor, decoder: nn.Linear, labels: Tensor, *, fused: bool, dtype: torch.dtype) -> Tensor:
    """Mean cross-entropy at masked positions, in nats.

    Args:
        hidden: [M, D] transformed hidden states of masked positions.
        decoder: D → vocabulary.
        labels: [M].
        fused: compute loss and gradient together, in blocks of rows. Faster on a CPU, because logits and their
            gradient are never allocated as a whole.
        dtype: of the matrix products in the fused form.
    """
    if fused:
        bias = decoder.bias if decoder.bias is not None else hidden.new_zeros(len(decoder.weight))
        with torch.autocast(hidden.device.type, enabled=False):
            return _FusedCrossEntropy.apply(hidden.float(), decoder.weight, bias, labels, dtype)  # type: ignore
    return nn.functional.cross_entropy(decoder(hidden).float(), labels)


class _FusedCrossEntropy(torch.autograd.Function):
    """Softmax cross-entropy of a linear layer. The forward pass replaces the logits with their gradient."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, dtype: torch.dtype) -> Tensor:
        h, w = hidden.to(dtype), weight.to(dtype)
        gradient = torch.empty(len(h), len(w), dtype=dtype, device=h.device)  # [M, V]
        bias_gradient, loss = torch.zeros_like(bias), hidden.new_zeros(())
        for start in range(0, len(h), ROWS):
            rows = slice(start, start + ROWS)
            target = labels[rows, None]  # [R, 1]
            p = torch.mm(h[rows], w.t()).float().add_(bias)  # [R, V]
            highest = p.amax(1, keepdim=True)
            at_target = p.gather(1, target)
            p.sub_(highest).exp_()
            total = p.sum(1, keepdim=True)
            loss += (total.log() + highest - at_target).sum()
            p.div_(total).scatter_add_(1, target, torch.full_like(at_target, -1.0))  # softmax minus one-hot
            bias_gradient += p.sum(0)
            gradient[rows] = p
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(torch.mm(gradient, w), torch.mm(gradient.t(), h), bias_gradient)
        ctx.count = len(h)
        return loss / len(h)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = outputs[0] / ctx.count
        hidden, weight, bias = (g.float() * scale for g in ctx.saved_tensors)
        return hidden, weight, bias, None, None
