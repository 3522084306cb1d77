"""Batches for masked language modeling. A batch depends on stream, seed and step only, so resuming needs no state."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .errors import PretrainingError
from .shards import TokenStream


@dataclass(frozen=True, kw_only=True)
class SpecialIds:
    """Ids of the special tokens, and the size of the vocabulary.

    Attributes:
        start: first token of a sequence.
        end: last token of a sequence.
        mask: the mask.
        vocabulary: number of entries.
    """

    start: int
    end: int
    mask: int
    vocabulary: int


@dataclass(frozen=True, kw_only=True)
class MaskedBatch:
    """Input and labels of one step.

    Attributes:
        ids: [B, T] after masking.
        positions: [M] indices of masked sub-words into the flattened ids.
        labels: [M] ids before masking.
    """

    ids: Tensor
    positions: Tensor
    labels: Tensor


def steps_per_epoch(stream: TokenStream, *, batch: int, sequence: int) -> int:
    """Number of batches in one pass over a stream.

    Args:
        stream: the text.
        batch: sequences in a batch.
        sequence: sub-words in a sequence, start and end included.

    Raises:
        PretrainingError: the stream is shorter than one batch.
    """
    steps = (len(stream) - (sequence - 2)) // (sequence - 2) // batch
    if steps < 1:
        raise PretrainingError(
            f"too little text: {len(stream):,} sub-words are less than one batch of {batch} sequences of {sequence} "
            "sub-words; add text to data.files, or lower optimization.batch or optimization.sequence"
        )
    return steps


def sequences_at(
    stream: TokenStream, step: int, special: SpecialIds, *, batch: int, sequence: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The sequences of a step: ids and continuation flags, both [B, T].

    Each epoch cuts the stream at another offset and shuffles the chunks. There is no padding.

    Args:
        stream: the text.
        step: number of the step, from 0.
        special: start and end of a sequence.
        batch: B.
        sequence: T.
        seed: of order and offset.
    """
    inner = sequence - 2
    steps = steps_per_epoch(stream, batch=batch, sequence=sequence)
    order, offset = _epoch(seed, step // steps, inner, (len(stream) - inner) // inner)
    first = step % steps * batch
    columns = offset + order[first : first + batch, None] * inner + np.arange(inner)  # [B, T-2]
    ids = np.empty((batch, sequence), dtype=np.int64)
    ids[:, 0], ids[:, -1] = special.start, special.end
    ids[:, 1:-1] = stream.ids[columns]
    continues = np.zeros((batch, sequence), dtype=bool)
    # The first sub-word of a sequence counts as the start of a word, even where the chunk begins inside one.
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
    """Select words to predict: 80 % become the mask, 10 % random sub-words, 10 % stay unchanged.

    Args:
        ids: [B, T].
        continues: [B, T], true where a sub-word continues a word.
        special: ``start`` and ``end`` are never selected.
        share: probability that a word is selected; at least one is.
        generator: random numbers.
        whole_words: treat all sub-words of a word alike; False treats each sub-word as a word.
    """
    fixed = (ids == special.start) | (ids == special.end)
    word = np.cumsum(~continues.ravel() if whole_words else np.ones(ids.size, dtype=bool)) - 1  # [B*T] word of each
    words = int(word[-1]) + 1
    maskable = ~fixed.ravel()
    draw = generator.random(words)
    selected = (draw < share)[word] & maskable
    if not selected.any() and maskable.any():
        selected = (word == word[generator.choice(np.flatnonzero(maskable))]) & maskable
    action = generator.random(words)[word]
    noise = generator.integers(special.vocabulary, size=ids.size)
    flat = ids.ravel()
    masked = np.where(selected & (action < 0.8), special.mask, np.where(selected & (action >= 0.9), noise, flat))
    positions = np.flatnonzero(selected)
    return MaskedBatch(
        ids=torch.from_numpy(masked.reshape(ids.shape)),
        positions=torch.from_numpy(positions),
        labels=torch.from_numpy(flat[positions]),
    )


@lru_cache(maxsize=2)  # a permutation of a large corpus takes a moment; one for training and one for held-out text
def _epoch(seed: int, epoch: int, inner: int, chunks: int) -> tuple[np.ndarray, int]:
    """Order of the chunks, and offset of the first."""
    generator = np.random.default_rng((seed, epoch))
    return generator.permutation(chunks), int(generator.integers(inner))
