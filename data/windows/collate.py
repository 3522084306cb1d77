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


Rows = tuple[np.ndarray, np.ndarray]
"""Items of several windows end to end, and the number of items of each window."""


def model_inputs(windows: Sequence[Window], pad_id: int) -> dict[str, np.ndarray]:
    """Inputs of the network for a batch of windows; `RasidModel.forward` has names and shapes."""

    def rows(name: str) -> Rows:
        arrays = [getattr(window, name) for window in windows]
        return np.concatenate(arrays), np.array([len(array) for array in arrays])

    return padded_inputs(rows("input_ids"), rows("words"), rows("sentences"), pad_id)


def padded_inputs(ids: Rows, words: Rows, sentences: Rows, pad_id: int) -> dict[str, np.ndarray]:
    """Inputs of the network from the arrays of several windows.

    Args:
        ids: as `Window.input_ids`.
        words: as `Window.words`.
        sentences: as `Window.sentences`.
        pad_id: of the tokenizer.
    """
    input_ids = pad(ids[0].astype(np.int64), ids[1], pad_id)
    numbers, ranges = sentences[0][:, 0].astype(np.int64), sentences[0][:, 1:].astype(np.int64)
    return {
        "input_ids": input_ids,
        "attention_mask": (np.arange(input_ids.shape[1]) < ids[1][:, None]).astype(np.int64),
        "words": pad(words[0].astype(np.int64), words[1]),
        "sentences": pad(ranges, sentences[1]),
        "sentence_numbers": pad(numbers, sentences[1]),
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
