"""The learning rate: warm-up, constant, cooldown (WSD, Hu et al. 2024, https://arxiv.org/abs/2404.06395).

The cooldown starts only when the end is known, so a run without a token budget can be stopped and continued.
"""

import math

from ...configs.pretrain_schema import Optimization, PretrainConfig
from .errors import PretrainingError


def learning_rate(tokens: float, optimization: Optimization, start: float | None, end: float | None) -> float:
    """The learning rate after a number of tokens.

    Args:
        tokens: sub-words seen.
        optimization: peak, warm-up and shape of the cooldown.
        start: tokens at which the cooldown starts; None for no cooldown.
        end: tokens at which the rate reaches zero.
    """
    rate = optimization.learning_rate * min(1.0, (tokens + 1) / max(optimization.warmup_tokens, 1.0))
    if start is None or end is None or tokens <= start:
        return rate
    left = max(0.0, (end - tokens) / max(end - start, 1.0))
    return rate * (left if optimization.cooldown_shape == "linear" else 1.0 - math.sqrt(1.0 - left))


def cooldown_range(config: PretrainConfig, resumed_at: float | None) -> tuple[float | None, float | None]:
    """Tokens at which the cooldown starts and ends. The start is None without a cooldown, the end without a budget.

    Args:
        config: its cooldown and token budget are read.
        resumed_at: tokens at which a cooldown without a token budget starts.

    Raises:
        PretrainingError: config and checkpoint do not determine the start.
    """
    share, total = config.optimization.cooldown, config.budget.tokens
    if not share:
        return None, total
    if total is not None:
        return total * (1 - share), total
    if share == 1 or not resumed_at:
        raise PretrainingError("a cooldown needs budget.tokens, or a checkpoint to resume and a share below 1")
    return resumed_at, resumed_at / (1 - share)
