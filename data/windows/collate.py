"""Windows to padded arrays, and batches of windows for inference. NumPy only."""

from collections.abc import Sequence

import numpy as np

from .encoding import Window


def pad(flat: np.ndarray, lengths: np.ndarray, fill: int = 0) -> np.ndarray:
    """Pad rows of different lengths.

    Args:
        flat: the items of all rows, end to end; further axes are kept. [sum of lengths, …]
        lengths: items of each row. [B]
        fill: value of the padding.

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
    """Inputs of the network for a batch of windows; `RasidModel.forward` has names and shapes."""
    return padded_inputs(
        np.concatenate([window.input_ids for window in windows]),
        np.array([len(window.input_ids) for window in windows]),
        np.concatenate([window.words for window in windows]),
        np.array([len(window.words) for window in windows]),
        np.concatenate([window.sentences for window in windows]),
        np.array([len(window.sentences) for window in windows]),
        pad_id,
    )


def padded_inputs(
    ids: np.ndarray,
    lengths: np.ndarray,
    words: np.ndarray,
    word_counts: np.ndarray,
    sentences: np.ndarray,
    sentence_counts: np.ndarray,
    pad_id: int,
) -> dict[str, np.ndarray]:
    """Inputs of the network from the arrays of several windows, end to end.

    Args:
        ids: sub-words. [sum of T]
        lengths: sub-words of each window. [B]
        words: as `Window.words`. [sum of W, 2]
        word_counts: words of each window. [B]
        sentences: as `Window.sentences`. [sum of S, 3]
        sentence_counts: sentences of each window. [B]
        pad_id: of the tokenizer.
    """
    input_ids = pad(ids.astype(np.int64), lengths, pad_id)
    sentences = sentences.astype(np.int64)
    return {
        "input_ids": input_ids,
        "attention_mask": (np.arange(input_ids.shape[1]) < lengths[:, None]).astype(np.int64),
        "words": pad(words.astype(np.int64), word_counts),
        "sentences": pad(sentences[:, 1:], sentence_counts),
        "sentence_numbers": pad(sentences[:, 0], sentence_counts),
    }


def budget_batches(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Batches of similar lengths for inference, longest first, so that memory peaks in the first batch.

    A batch ends where its padding would be more than a sixteenth of the budget: the overhead of one more call to the
    network costs less.

    Args:
        lengths: sub-words of each window. [N]
        budget: sub-words in a batch, padding included.

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
