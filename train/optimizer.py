"""AdamW with different learning rates for encoder and heads, and layer-wise learning-rate decay."""

import re

import torch

from ..models.network import RasidModel

_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def layer_of(name: str, layers: int) -> int:
    """Depth of an encoder parameter: 0 for embeddings, 1 … n for layers, n + 1 for parameters after the layers.

    >>> [layer_of(f"encoder.{name}", 12) for name in ("embeddings.word", "encoder.layer.0.x", "layers.11.y", "norm")]
    [0, 1, 12, 13]
    """
    if match := _LAYER.search(name):
        return int(match[1]) + 1
    return 0 if "embedding" in name else layers + 1


def parameter_groups(
    model: RasidModel, *, learning_rate: float, head_learning_rate: float, layer_decay: float, weight_decay: float
) -> list[dict[str, object]]:
    """Parameters grouped by learning rate and weight decay. Biases, norms and transitions have no weight decay.

    Args:
        model: encoder and heads.
        learning_rate: of the last encoder layer.
        head_learning_rate: of all parameters outside the encoder.
        layer_decay: ratio of a layer's learning rate to that of the layer above it (Howard and Ruder 2018).
        weight_decay: of matrices.
    """
    layers = int(getattr(model.encoder.config, "num_hidden_layers", 0))
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder."):
            below = max(0, layers - layer_of(name, layers))
            rate = learning_rate * layer_decay**below
        else:
            rate = head_learning_rate
        matrix = parameter.ndim >= 2 and not name.startswith("chain.")
        groups.setdefault((rate, weight_decay if matrix else 0.0), []).append(parameter)
    return [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()]


def make_optimizer(groups: list[dict[str, object]], *, fused: bool) -> torch.optim.Optimizer:
    """AdamW over parameter groups."""
    return torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, fused=fused)
