"""The best legal sequence of BIO tags. Tags are 0 outside, 1 + 2l begin and 2 + 2l inside label l."""

from collections.abc import Sequence

import numpy as np


def forbidden_transitions(tags: int) -> np.ndarray:
    """Transitions that BIO does not allow; the last row is the start of a text. [K + 1, K] bool

    >>> forbidden_transitions(3).astype(int).tolist()
    [[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    """
    inside = np.arange(2, tags, 2)
    forbidden = np.zeros((tags + 1, tags), dtype=bool)
    forbidden[:, inside] = True
    forbidden[inside, inside] = forbidden[inside - 1, inside] = False
    return forbidden


def best_tags(texts: Sequence[np.ndarray], transitions: np.ndarray | None = None) -> list[np.ndarray]:
    """The best legal tags of texts.

    Args:
        texts: logits of each text. [W, K] each, with one K
        transitions: CRF scores [K + 1, K]; None gives every legal transition the same score.

    Returns:
        Tags of each text. [W] each
    """
    if not texts or transitions is not None:
        return _viterbi(texts, transitions) if transitions is not None else []
    # Without transition scores the best tag of each word is the best sequence if it is legal. Most texts end here.
    forbidden = forbidden_transitions(texts[0].shape[1])
    tags = [logits.argmax(axis=1) for logits in texts]
    start = len(forbidden) - 1
    illegal = [at for at, found in enumerate(tags) if forbidden[np.append(start, found)[:-1], found].any()]
    decoded = _viterbi([texts[at] for at in illegal], np.where(forbidden, -np.inf, 0.0))
    for at, found in zip(illegal, decoded, strict=True):
        tags[at] = found
    return tags


def _viterbi(texts: Sequence[np.ndarray], transitions: np.ndarray) -> list[np.ndarray]:
    """Viterbi on many texts at once: the loop runs once per word of the longest text. See `best_tags`."""
    lengths = np.array([len(logits) for logits in texts], dtype=np.int64)
    if not lengths.any():
        return [np.zeros(0, dtype=np.int64) for _ in texts]
    # Texts are laid end to end, longest first, so that the texts that have a word t are the first `alive[t]`.
    order = np.argsort(-lengths, kind="stable")
    logits = np.concatenate([texts[number] for number in order])  # [sum of W, K]
    starts = np.append(0, np.cumsum(lengths[order]))[:-1]
    longest = int(lengths.max())
    alive = np.searchsorted(-lengths[order], -np.arange(longest), side="left")

    # Forward: the score of the best sequence that ends in each tag, and the tag before it.
    into = transitions[:-1].T  # [to, from]
    score = transitions[-1] + logits[starts[: alive[0]]]  # [B, K]; rows of finished texts stay
    previous: list[np.ndarray] = []
    for t in range(1, longest):
        count = alive[t]
        candidates = score[:count, None, :] + into  # [B, to, from]
        previous.append(candidates.argmax(axis=2).astype(np.int16))
        score[:count] = candidates.max(axis=2) + logits[starts[:count] + t]

    # Backward: from the best last tag of each text to its first word.
    tags = np.zeros(len(logits), dtype=np.int64)
    tags[starts[: alive[0]] + lengths[order][: alive[0]] - 1] = score.argmax(axis=1)
    for t in range(longest - 1, 0, -1):
        word = starts[: alive[t]] + t
        tags[word - 1] = previous[t - 1][np.arange(alive[t]), tags[word]]
    by_text = np.split(tags, starts[1:])
    return [by_text[place] for place in np.argsort(order)]
