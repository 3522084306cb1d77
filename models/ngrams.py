"""A linear model over word and character n-grams of a sentence. Its logits are added to those of the network.

With few labeled sentences, a linear model over n-grams ranks as well as a small encoder and makes other errors, so that
the sum of both logits ranks better than either (on the strength of such models: Wang & Manning 2012,
https://aclanthology.org/P12-2018). Features are hashed (Weinberger et al. 2009): the model needs no vocabulary, and its
size does not grow with the text.

Tagging needs NumPy and SciPy only; scikit-learn fits the model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from ..data.windows.columns import IGNORED
from ..errors import first_line
from .bundle import NGRAM_FILE

_OLD_FILE = "lexical.safetensors"  # of version 0.1
BITS = 16
"""Bits of a hash. 20 bits, with fewer collisions, gave no better scores."""
COLUMNS = 2 << BITS
"""Number of features: half for words and pairs of words, half for characters."""
ORDERS = range(2, 6)
"""Lengths of character n-grams, blanks at the edges of a word included."""
LEAST = 5
"""Positive, and negative, sentences that a label needs to have weights."""
STRENGTH = 10.0
"""Inverse strength of the L2 penalty: scikit-learn's C."""

_SPACE = ord(" ")
_NOT_WORD = re.compile(r"\W+")
_PRIME, _OTHER = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True)
class NgramModel:
    """Weights of hashed n-grams.

    Attributes:
        weights: of each n-gram, 0 for labels that had too few sentences. [COLUMNS, K] float32
        rarity: inverse document frequency of each n-gram. [COLUMNS] float32
        bias: of each label. [K] float32
    """

    weights: np.ndarray
    rarity: np.ndarray
    bias: np.ndarray

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits of sentences, without the prior of each label. [N, K]

        Args:
            texts: sentences, normalized as in `fit`.
        """
        return _weigh(count_ngrams(texts), self.rarity) @ self.weights + self.bias

    def save(self, folder: Path) -> None:
        """Write `NGRAM_FILE`, in half precision."""
        from safetensors.numpy import save_file

        tensors = {"weights": self.weights, "rarity": self.rarity, "bias": self.bias}
        save_file({name: values.astype(np.float16) for name, values in tensors.items()}, folder / NGRAM_FILE)

    @classmethod
    def load(cls, folder: Path, labels: int) -> "NgramModel":
        """Read `NGRAM_FILE`.

        Args:
            folder: a bundle.
            labels: K.

        Raises:
            ValueError: it is missing, broken, or has another shape.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            file = folder / NGRAM_FILE if (folder / NGRAM_FILE).is_file() else folder / _OLD_FILE
            tensors = {name: values.astype(np.float32) for name, values in load_file(file).items()}
        except (OSError, SafetensorError) as error:
            raise ValueError(f"{NGRAM_FILE} cannot be read: {first_line(error)}") from error
        shapes = {"weights": (COLUMNS, labels), "rarity": (COLUMNS,), "bias": (labels,)}
        for name, shape in shapes.items():
            actual = tensors[name].shape if name in tensors else None
            if actual != shape or not np.isfinite(tensors[name]).all():
                raise ValueError(f"{NGRAM_FILE}: {name} has shape {actual} and not {shape}, or is not finite")
        return cls(**{name: tensors[name] for name in shapes})


def fit(texts: Sequence[str], targets: np.ndarray) -> NgramModel:
    """Fit a logistic regression for each label, to the sentences that were annotated for it.

    Args:
        texts: normalized sentences. [N]
        targets: 1, 0, or `IGNORED` for labels that were not annotated. [N, K]

    Returns:
        The model. Its bias leaves out the frequency of a label, which is in the network's logits.
    """
    from sklearn.linear_model import LogisticRegression

    counts = count_ngrams(texts)
    seen = np.bincount(counts.indices, minlength=COLUMNS)
    rarity = _as_saved(np.log((1 + len(texts)) / (1 + seen)) + 1)
    features = _weigh(counts, rarity)
    labels = targets.shape[1]
    weights, bias = np.zeros((COLUMNS, labels), dtype=np.float32), np.zeros(labels, dtype=np.float32)
    for label in range(labels):
        rows = np.flatnonzero(targets[:, label] != IGNORED)
        gold = targets[rows, label] == 1
        positive, negative = int(gold.sum()), int((~gold).sum())
        if min(positive, negative) < LEAST:
            continue
        model = LogisticRegression(C=STRENGTH, max_iter=1000).fit(features[rows], gold)
        weights[:, label] = model.coef_[0]
        bias[label] = model.intercept_[0] - np.log(positive / negative)
    return NgramModel(weights=_as_saved(weights), rarity=rarity, bias=_as_saved(bias))


def _as_saved(values: np.ndarray) -> np.ndarray:
    """Rounded to half precision, as in a bundle."""
    return values.astype(np.float16).astype(np.float32)


def count_ngrams(texts: Sequence[str]) -> sparse.csr_array:
    """Counts of hashed n-grams: words and pairs of words, then characters within words.

    The hashes are polynomials over code points, computed for all texts at once. Unsigned 64-bit integers wrap around.
    scikit-learn's HashingVectorizer has other hashes, and would change the features of existing bundles.

    Args:
        texts: any; characters other than letters and digits separate words.

    Returns:
        [N, COLUMNS] float32
    """
    # All texts end to end, as one array of code points. Each text begins and ends with a blank, and so does each word.
    spaced = [f" {_NOT_WORD.sub(' ', text).strip()} " for text in texts]
    points = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in spaced], dtype=np.int64)
    owner = np.repeat(np.arange(len(texts)), lengths)
    blank = points == _SPACE
    if not texts:
        return sparse.csr_array((0, COLUMNS), dtype=np.float32)
    words, characters = _words(points, blank, owner), _characters(points, blank, owner)
    hashes, rows = (np.concatenate(parts) for parts in zip(words, characters, strict=True))

    # Hash to column: the upper bits of a product depend on all bits of the hash. Characters have the second half.
    columns = ((hashes * _OTHER) >> np.uint64(64 - BITS)).astype(np.int64)
    columns[len(words[0]) :] += 1 << BITS

    # The sparse matrix sums the ones of equal cells.
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(len(texts), COLUMNS))


def _words(points: np.ndarray, blank: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of words and of pairs of neighboring words, and the number of the text of each.

    Args:
        points: code points of all texts. [N]
        blank: where a code point is a blank. [N]
        owner: number of the text of each code point. [N]
    """
    # First code point of each word.
    first = np.flatnonzero(~blank & np.roll(blank, 1))
    if not len(first):
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    # The hash of a word is the sum of its code points times powers of a prime by their place in the word.
    inside = np.flatnonzero(~blank)
    begins = np.searchsorted(inside, first)
    place = np.arange(len(inside)) - np.repeat(begins, np.diff(begins, append=len(inside)))
    powers = np.cumprod(np.full(int(place.max()) + 1, _PRIME))
    words = np.add.reduceat(points[inside] * powers[place], begins)

    # Pairs of words that are neighbors in one text.
    texts = owner[first]
    near = np.flatnonzero(texts[1:] == texts[:-1])
    pairs = (words[near] ^ _OTHER) * _PRIME + words[near + 1]
    return np.concatenate([words, pairs]), np.concatenate([texts, texts[near]])


def _characters(points: np.ndarray, blank: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the n-grams of every word with a blank on either side, and the number of the text of each.

    Arguments are those of `_words`.
    """
    hashes, texts = [], []
    # ``rolling`` are the hashes of the n-grams that begin at each code point; ``solid`` tells which n-grams are inside
    # one word: they may begin or end with a blank, but hold none in between.
    rolling, solid = points, ~blank | ~np.roll(blank, -1)
    for order in ORDERS:
        last = len(points) - order + 1
        rolling = rolling[:last] * _PRIME + points[order - 1 :]
        solid = solid[:last] if order == 2 else solid[:last] & ~blank[order - 2 : len(points) - 1]
        hashes.append(rolling[solid] ^ np.uint64(order))
        texts.append(owner[:last][solid])
    return np.concatenate(hashes), np.concatenate(texts)


def _weigh(counts: sparse.csr_array, rarity: np.ndarray) -> sparse.csr_array:
    """TF-IDF with logarithmic counts; the word features and the character features of a text each have norm 1."""
    values = (1 + np.log(counts.data)) * rarity[counts.indices]
    # Norm of each half of each row.
    part = 2 * np.repeat(np.arange(len(counts.indptr) - 1), np.diff(counts.indptr)) + (counts.indices >> BITS)
    length = np.sqrt(np.bincount(part, weights=values**2))
    return sparse.csr_array((values / length[part], counts.indices, counts.indptr), shape=counts.shape)
