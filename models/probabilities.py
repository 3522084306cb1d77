"""Logits to probabilities. NumPy only, so that tagging with ONNX needs no torch."""

import numpy as np


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function that does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def marginals(logits: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Probability of each tag at each word under a linear-chain CRF, by forward-backward in logarithms.

    Args:
        logits: [W, K]
        transitions: scores from a tag (row) to a tag; the last row is the start of a text. [K + 1, K]

    Returns:
        [W, K]
    """
    emissions, step = logits.astype(np.float64), transitions[:-1]
    forward, backward = np.zeros_like(emissions), np.zeros_like(emissions)
    forward[0] = transitions[-1] + emissions[0]
    for t in range(1, len(emissions)):
        forward[t] = _log_sum(forward[t - 1] + step.T) + emissions[t]
    for t in range(len(emissions) - 2, -1, -1):
        backward[t] = _log_sum(step + emissions[t + 1] + backward[t + 1])
    return softmax(forward + backward)


def _log_sum(values: np.ndarray) -> np.ndarray:
    """Logarithm of the sum of exponentials over the last axis."""
    largest = values.max(axis=-1)
    return largest + np.log(np.exp(values - largest[..., None]).sum(axis=-1))
