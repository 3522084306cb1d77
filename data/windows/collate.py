"""Windows to padded arrays. NumPy only, without a Python step per token."""

from collections.abc import Sequence

import numpy as np

from .encoding import Window


def pad(flat: np.ndarray, lengths: np.ndarray, fill: int = 0) -> np.ndarray:
    """Rows of different lengths, laid end to end, to one padded array.

    Args:
        flat: all rows' items in turn; further axes are kept. [N, …]
        lengths: items of each row. [B]
        fill: what stands in the padding.

    Returns:
        [B, longest, …]; at least one column, so that no axis is empty.

    >>> pad(np.array([1, 2, 3]), np.array([1, 2]), fill=9).tolist()
    [[1, 9], [2, 3]]
    """
    longest = max(1, int(lengths.max(initial=0)))
    padded = np.full((len(lengths), longest, *flat.shape[1:]), fill, dtype=flat.dtype)
    padded[np.arange(longest) < lengths[:, None]] = flat
    return padded


def model_inputs(windows: Sequence[Window], pad_id: int) -> dict[str, np.ndarray]:
    """Inputs of the network for a batch of windows; `RasidModel.forward` gives names and shapes."""
    lengths = np.array([len(window.input_ids) for window in windows])
    word_counts = np.array([len(window.words) for window in windows])
    sentence_counts = np.array([len(window.sentences) for window in windows])
    ids = np.concatenate([window.input_ids for window in windows]).astype(np.int64)
    words = np.concatenate([window.words for window in windows]).astype(np.int64)
    sentences = np.concatenate([window.sentences for window in windows]).astype(np.int64)
    padded = pad(ids, lengths, pad_id)
    return {
        "input_ids": padded,
        "attention_mask": (np.arange(padded.shape[1]) < lengths[:, None]).astype(np.int64),
        "words": pad(words, word_counts),
        "sentences": pad(sentences[:, 1:], sentence_counts),
        "sentence_numbers": pad(sentences[:, 0], sentence_counts),
    }


def budget_batches(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Batches of like length for inference, longest first, so that memory is at its peak at once.

    A batch is cut short where its padding would be more than a sixteenth of the budget: what a small call to the
    network costs by itself is less than that.

    >>> [batch.tolist() for batch in budget_batches(np.array([2, 9, 3, 2]), 32)]
    [[1], [2, 0, 3]]
    """
    order = np.argsort(-lengths, kind="stable")
    falling = lengths[order]
    total = np.append(0, np.cumsum(falling))
    batches: list[np.ndarray] = []
    start = 0
    while start < len(order):
        longest = int(falling[start])
        most = min(max(1, budget // longest), len(order) - start)
        padding = longest * np.arange(1, most + 1) - (total[start + 1 : start + most + 1] - total[start])
        count = int(np.searchsorted(padding, budget // 16, side="right"))  # the first row needs none
        batches.append(order[start : start + count])
        start += count
    return batches
