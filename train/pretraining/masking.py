"""Batches for masked language modelling: a pure function of stream, seed and step, so that resuming needs no state."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .shards import TokenStream


@dataclass(frozen=True, kw_only=True)
class SpecialIds:
    """Ids that masking needs: start and end of a sequence, the mask, and the size of the vocabulary."""

    start: int
    end: int
    mask: int
    vocabulary: int


@dataclass(frozen=True, kw_only=True)
class MaskedBatch:
    """What a step reads.

    Attributes:
        ids: [B, T] with masks in.
        positions: [M] indices of masked sub-words into the flattened ids.
        labels: [M] the ids that were there.
    """

    ids: Tensor
    positions: Tensor
    labels: Tensor


def steps_per_epoch(stream: TokenStream, *, batch: int, sequence: int) -> int:
    """Batches in one pass over a stream.

    Raises:
        ValueError: the stream is shorter than one batch.
    """
    steps = (len(stream) - (sequence - 2)) // (sequence - 2) // batch
    if steps < 1:
        raise ValueError(
            f"{len(stream)} sub-words are less than one batch of {batch} sequences of {sequence}; "
            "give more text or a smaller batch"
        )
    return steps


def sequences_at(
    stream: TokenStream, step: int, special: SpecialIds, *, batch: int, sequence: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The sequences of a step: ids and continuation flags, [B, T] each.

    Every epoch cuts the stream from another offset and in another order; nothing is padded.
    """
    inner = sequence - 2
    steps = steps_per_epoch(stream, batch=batch, sequence=sequence)
    order, offset = _epoch(seed, step // steps, inner, (len(stream) - inner) // inner)
    at = step % steps * batch
    columns = offset + order[at : at + batch, None] * inner + np.arange(inner)  # [B, T-2]
    ids = np.empty((batch, sequence), dtype=np.int64)
    ids[:, 0], ids[:, -1] = special.start, special.end
    ids[:, 1:-1] = stream.ids[columns]
    continues = np.zeros((batch, sequence), dtype=bool)
    # A sequence that starts inside a word starts a word of its own.
    continues[:, 2:-1] = stream.continues[columns[:, 1:]]
    return ids, continues


def mask_words(
    ids: np.ndarray,
    continues: np.ndarray,
    special: SpecialIds,
    *,
    share: float,
    generator: np.random.Generator,
    whole_words: bool = True,
) -> MaskedBatch:
    """Choose words to restore; of these 80 % become the mask, 10 % random sub-words, and 10 % stay as they are.

    Args:
        ids: [B, T].
        continues: [B, T], true where a sub-word continues a word.
        special: its ``start`` and ``end`` are never chosen.
        share: probability of a word to be chosen; one at least is.
        generator: source of chance.
        whole_words: all sub-words of a word share their fate; False lets each have its own.
    """
    fixed = (ids == special.start) | (ids == special.end)
    word = np.cumsum(~continues.ravel() if whole_words else np.ones(ids.size, dtype=bool)) - 1  # [B*T]
    words = int(word[-1]) + 1
    open_to_choice = ~fixed.ravel()
    draw = generator.random(words)
    chosen = (draw < share)[word] & open_to_choice
    if not chosen.any() and open_to_choice.any():
        chosen = (word == word[generator.choice(np.flatnonzero(open_to_choice))]) & open_to_choice
    fate = generator.random(words)[word]
    noise = generator.integers(special.vocabulary, size=ids.size)
    flat = ids.ravel()
    masked = np.where(chosen & (fate < 0.8), special.mask, np.where(chosen & (fate >= 0.9), noise, flat))
    positions = np.flatnonzero(chosen)
    return MaskedBatch(
        ids=torch.from_numpy(masked.reshape(ids.shape)),
        positions=torch.from_numpy(positions),
        labels=torch.from_numpy(flat[positions]),
    )


_cached_epoch: tuple[tuple[int, int, int, int], tuple[np.ndarray, int]] | None = None


def _epoch(seed: int, epoch: int, inner: int, chunks: int) -> tuple[np.ndarray, int]:
    """Order of the chunks and offset of the first; the last one is kept, since it takes a moment for a big corpus."""
    global _cached_epoch
    key = (seed, epoch, inner, chunks)
    if _cached_epoch is None or _cached_epoch[0] != key:
        generator = np.random.default_rng((seed, epoch))
        _cached_epoch = key, (generator.permutation(chunks), int(generator.integers(inner)))
    return _cached_epoch[1]
