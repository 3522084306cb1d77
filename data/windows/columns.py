"""How target arrays are cut into windows, stored in Arrow and padded in a batch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .collate import pad
from .encoding import Window

IGNORED = -100
"""The target of what gives no loss; torch's cross-entropy uses the same number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The part of an article that a window is trained on.

    Attributes:
        window: the window.
        owned: words that the window owns. [W] bool
        first: whether the window is in the first batch group of its article, which has the labels of the article.
    """

    window: Window
    owned: np.ndarray
    first: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchShape:
    """Sizes of the windows in a batch.

    Attributes:
        words: number of words of each window. [B]
        sentences: number of sentences of each window. [B]
        articles: row of the first window of each article. [A]
    """

    words: np.ndarray
    sentences: np.ndarray
    articles: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One target array.

    Attributes:
        type: Arrow's name for the type of a stored value.
        cut: array of an article → the part of a window.
        collate: (values of all windows end to end, number of values of each window, sizes) → padded array.
    """

    type: str
    cut: Callable[[np.ndarray, Part], np.ndarray]
    collate: Callable[[np.ndarray, np.ndarray, BatchShape], np.ndarray]


def word_column(type: str) -> Column:
    """A value per word, [W]; `IGNORED` outside of the words that a window owns. In a batch [B, W] int64."""

    def cut(values: np.ndarray, part: Part) -> np.ndarray:
        first = part.window.first_word
        return np.where(part.owned, values[first : first + len(part.owned)], IGNORED)

    return Column(
        type=type, cut=cut, collate=lambda values, lengths, shape: pad(values.astype(np.int64), shape.words, IGNORED)
    )


def mark_column(width: int) -> Column:
    """Marks of the words that a window owns, as (word, mark) pairs, [N, 2]. In a batch [B, W, width] bool."""

    def cut(values: np.ndarray, part: Part) -> np.ndarray:
        start, end = part.window.owned
        return values[(values[:, 0] >= start) & (values[:, 0] < end)] - np.array([[part.window.first_word, 0]])

    def collate(values: np.ndarray, lengths: np.ndarray, shape: BatchShape) -> np.ndarray:
        marks = np.zeros((len(lengths), max(1, int(shape.words.max(initial=1))), width), dtype=bool)
        row = np.repeat(np.arange(len(lengths)), lengths // 2)
        word, mark = values.reshape(-1, 2).T
        marks[row, word, mark] = True
        return marks

    return Column(type="int32", cut=cut, collate=collate)


def sentence_column(width: int) -> Column:
    """Values per sentence, [S, width]. In a batch [B, S, width] int64, `IGNORED` in the padding."""

    def collate(values: np.ndarray, lengths: np.ndarray, shape: BatchShape) -> np.ndarray:
        rows = values.reshape(int(shape.sentences.sum()), width).astype(np.int64)
        return pad(rows, shape.sentences, IGNORED)

    return Column(type="int8", cut=lambda values, part: values[part.window.sentences[:, 0]], collate=collate)


def label_column() -> Column:
    """A flag per label, [K], the same for all windows of an article. In a batch [B, K] bool."""
    return Column(
        type="bool",
        cut=lambda values, part: values,
        collate=lambda values, lengths, shape: values.reshape(len(lengths), -1),
    )


def article_column() -> Column:
    """A value per label, [K]; `IGNORED` beyond the first batch group of an article. In a batch [A, K] int64."""
    return Column(
        type="int8",
        cut=lambda values, part: values if part.first else np.full_like(values, IGNORED),
        collate=lambda values, lengths, shape: values.reshape(len(lengths), -1)[shape.articles].astype(np.int64),
    )


def place_column(type: str) -> Column:
    """A value per word, [W], also of the words that a window does not own. In a batch [B, W] int64."""

    def cut(values: np.ndarray, part: Part) -> np.ndarray:
        first = part.window.first_word
        return values[first : first + len(part.owned)]

    return Column(type=type, cut=cut, collate=lambda values, lengths, shape: pad(values.astype(np.int64), shape.words))


def range_column(width: int, ranges: int = 1, *, owned: bool = False) -> Column:
    """Rows of numbers that begin with ranges of words, of those whose words are all in a window.

    In a batch [N, 1 + width] int64; before each row stands the number of its window.

    Args:
        width: numbers in a row, [N, width].
        ranges: how many ranges a row begins with: first word and one past the last.
        owned: only rows whose first word the window owns.
    """

    def cut(values: np.ndarray, part: Part) -> np.ndarray:
        words = values[:, : 2 * ranges] - part.window.first_word
        rows = np.flatnonzero(((words >= 0) & (words <= len(part.owned))).all(axis=1))
        if owned:
            rows = rows[part.owned[words[rows, 0]]]
        return np.concatenate([words, values[:, 2 * ranges :]], axis=1)[rows]

    def collate(values: np.ndarray, lengths: np.ndarray, shape: BatchShape) -> np.ndarray:
        window = np.repeat(np.arange(len(lengths)), lengths // width)
        return np.concatenate([window[:, None], values.reshape(-1, width)], axis=1).astype(np.int64)

    return Column(type="int32", cut=cut, collate=collate)
