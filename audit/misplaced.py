"""Misplaced words: words that do not fit their sentence under a masked language model.

Sorted or shifted columns and lost line breaks put words into other sentences. No check of single words or labels can
see that; the probability of a word in its sentence can.

Whether the first (or last) words of a data set are misplaced as a whole is a permutation test. Each word is swapped
with words from other sentences. A word that belongs to none of them is more likely in its own sentence in half of the
comparisons; in edited news it is in about nine of ten. First words have less context than others, so they are compared
with the words next to them, scored as if these were the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.datasets import DataSet
from .article_views import ArticleView, shown
from .findings import Finding, Location, finding, ranked

if TYPE_CHECKING:
    from .language_model import LanguageModel

MOST = 200  # misplaced words in a report
TESTED = 500  # sentences of a data set in the permutation test
WORDS = 25_000  # words of a data set that are scored; above that, a sample of sentences
LEAST_WORDS = 4  # words of a sentence in the permutation test
LEAST_SENTENCES = 60  # sentences for a permutation test
_LONGEST_WORD = 4  # sub-words
_LEAST_ALIKE = 20  # words with the same number of sub-words that are swapped
LEAST_SHARE = 0.2  # misplaced words, beyond three standard errors; clean data gave estimates up to 0.19
LEAST_FIT = 0.6  # of the words next to the tested ones; below, the model does not fit the text
AGAINST = 1.0  # nats per sub-word by which the context makes a listed word less likely


@dataclass(frozen=True, kw_only=True, slots=True)
class _Passage:
    """A sentence, or a part of one that fits into a context of the model.

    Attributes:
        view: its article.
        ids: its sub-words. [N]
        words: sub-words of each word that has a letter or digit. [W, 2]
        spans: code points of the same words. [W, 2]
        opens: what starts with it: nothing, a sentence, or a text (0, 1, 2).
        closes: what ends with it, as for ``opens``.
    """

    view: ArticleView
    ids: np.ndarray
    words: np.ndarray
    spans: np.ndarray
    opens: int
    closes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Result of the permutation test for one position, such as sentence starts.

    Attributes:
        name: name of the position.
        count: number of words that were swapped.
        own: fit of the words: share of comparisons in which a word is more likely in its own sentence; 0.5 is chance.
        beside: fit of the words next to them.
        error: standard error of ``own - beside``.
    """

    name: str
    count: int
    own: float
    beside: float
    error: float

    @property
    def misplaced(self) -> float:
        """Estimated share of misplaced words: 0 if they fit as well as their neighbors, 1 if they fit by chance."""
        return float(np.clip((self.beside - self.own) / max(self.beside - 0.5, 1e-9), 0.0, 1.0))

    @property
    def readable(self) -> bool:
        """Whether the neighbors fit, which the test needs."""
        return self.beside >= LEAST_FIT

    @property
    def damaged(self) -> bool:
        """Whether significantly many words are misplaced."""
        gap = self.beside - self.own - 3 * self.error
        return self.readable and gap > LEAST_SHARE * (self.beside - 0.5)


@dataclass(frozen=True, kw_only=True)
class LanguageModelJudge:
    """Finds misplaced words with a masked language model.

    Attributes:
        model: a language model of the language of the articles.
    """

    model: "LanguageModel"

    def findings(self, datasets: Mapping[str, DataSet], views: Sequence[ArticleView]) -> Iterator[Finding]:
        """Positions with many misplaced words, then the words that fit least; see `Judge`."""
        words: list[Location] = []
        damaged: list[Location] = []
        rows: list[tuple[str, ...]] = []
        for split in dict.fromkeys(view.split for view in views):
            passages = _passages([view for view in views if view.split == split], self.model)
            for position in positions(passages, self.model):
                share = f"{100 * position.misplaced:.0f} %" if position.damaged else ""
                fits = (f"{position.own:.2f}", f"{position.beside:.2f}")
                rows.append((split, position.name, str(position.count), *fits, share))
                if message := _verdict(position):
                    damaged.append(Location(split=split, message=message, score=position.misplaced))
            words += _unlikely_words(passages, self.model)
        table = [("data set", "position", "words", "fit", "neighbors", "misplaced"), *rows] if rows else []
        meaning = (
            "Fit is the share of comparisons in which a word is more likely in its own sentence than in another; 0.5 "
            "is chance. Neighbors are the words next to them, for comparison."
        )
        yield from finding("misplaced-positions", damaged, table=table, meaning=meaning)
        listed = ranked(words)
        yield from finding(
            "misplaced-words", listed[:MOST], count=len(listed), table=table, model=self.model.name, meaning=meaning
        )


def _verdict(position: Position) -> str:
    """What is wrong with a position; empty if nothing is."""
    if not position.readable and position.count >= LEAST_SENTENCES:
        return (
            f"{position.name}: neither these words ({position.own:.2f}) nor their neighbors ({position.beside:.2f}) "
            "fit their sentences better than chance (0.5): the words are out of order, or the model does not know such "
            "text"
        )
    if position.damaged:
        return (
            f"{position.name}: about {100 * position.misplaced:.0f} % of the words seem to belong to other sentences: "
            f"they are more likely in their own sentence in {100 * position.own:.0f} % of comparisons, their neighbors "
            f"in {100 * position.beside:.0f} % (chance: 50 %)"
        )
    return ""


def positions(passages: Sequence[_Passage], model: "LanguageModel") -> Iterator[Position]:
    """The permutation test at starts and ends of sentences, and of texts if these have several sentences."""
    generator = np.random.default_rng(0)
    several = any(passage.opens == 1 for passage in passages)
    for name, side, level in (
        ("sentence starts", 0, 1),
        ("sentence ends", -1, 1),
        *([("text starts", 0, 2), ("text ends", -1, 2)] if several else []),
    ):
        edges = [p for p in passages if (p.closes if side else p.opens) >= level and len(p.words) >= LEAST_WORDS]
        if len(edges) < LEAST_SENTENCES:
            continue
        drawn = [edges[i] for i in np.sort(generator.permutation(len(edges))[:TESTED])]
        own = _fits(model, [(p.ids, p.words[side]) for p in drawn])
        beside = _fits(model, [_without(p, side) for p in drawn])
        if len(own) < LEAST_SENTENCES or len(beside) < LEAST_SENTENCES:
            continue
        error = float(np.hypot(own.std() / len(own) ** 0.5, beside.std() / len(beside) ** 0.5))
        yield Position(name=name, count=len(own), own=float(own.mean()), beside=float(beside.mean()), error=error)


def _without(passage: _Passage, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Sub-words of a sentence without its first (or last) word, and the range of the word next to it."""
    start, end = passage.words[side]
    ids = np.delete(passage.ids, np.s_[start:end])
    beside = passage.words[1] - (end - start) if side == 0 else passage.words[-2]
    return ids, beside


def _fits(model: "LanguageModel", blanks: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Fit of each word: the share of other sentences in which it is less likely than in its own; ties count half.

    A word is swapped only with words of the same number of sub-words, and skipped if there are few of them.

    Args:
        model: the language model.
        blanks: sub-words of a sentence, and the range of its word.
    """
    sizes = np.array([end - start for _, (start, end) in blanks])
    shares = [np.empty(0)]
    for size in range(1, _LONGEST_WORD + 1):
        group = [blank for blank, length in zip(blanks, sizes, strict=True) if length == size]
        if len(group) < _LEAST_ALIKE:
            continue
        scores = model.exchange([ids for ids, _ in group], np.array([place for _, place in group]))
        own = np.diag(scores)
        less = (scores < own).sum(0) + 0.5 * ((scores == own).sum(0) - 1)
        shares.append(less / (len(group) - 1))
    return np.concatenate(shares)


def _unlikely_words(passages: Sequence[_Passage], model: "LanguageModel") -> Iterator[Location]:
    """The words that are less likely in their context."""
    order = np.random.default_rng(0).permutation(len(passages))
    counts = np.cumsum([len(passages[i].words) for i in order])
    drawn = [passages[i] for i in np.sort(order[: np.searchsorted(counts, WORDS, side="right")])]
    values = model.association([p.ids for p in drawn], [p.words for p in drawn])
    for passage, gains in zip(drawn, values, strict=True):
        text = passage.view.article.text
        for number in np.flatnonzero(gains < -AGAINST).tolist():
            start, end = passage.spans[number].tolist()
            lo, hi = int(passage.spans[max(0, number - 2), 0]), int(passage.spans[number : number + 3, 1].max())
            message = f"{shown(text[start:end])} in {shown(text[lo:hi])}"
            yield passage.view.location(message, start, end, score=round(-float(gains[number]), 3))


def _passages(views: Sequence[ArticleView], model: "LanguageModel") -> list[_Passage]:
    """Sentences as contexts of the model."""
    texts = [view.article.text.encode("utf-8", "replace").decode() for view in views]
    passages: list[_Passage] = []
    for view, encoding in zip(views, model.tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
        ids = np.array(encoding.ids, dtype=np.int64)
        starts = np.maximum.accumulate(np.array([start for start, _ in encoding.offsets], dtype=np.int64))
        with_letters = [span for span in view.words if any(map(str.isalnum, view.article.text[span[0] : span[1]]))]
        spans = np.array(with_letters, dtype=np.int64).reshape(-1, 2)
        pieces = np.searchsorted(starts, spans)
        own = pieces[:, 0] < pieces[:, 1]  # a word may have no sub-word of its own
        spans, pieces = spans[own], pieces[own]
        sentences: list[list[tuple[int, int]]] = []
        for start, end in view.sentences:
            lo, hi = np.searchsorted(starts, (start, end)).tolist()
            if parts := _parts(lo, hi, pieces, model.longest):
                sentences.append(parts)
        for number, parts in enumerate(sentences):
            for nth, (lo, hi) in enumerate(parts):
                inside = (pieces[:, 0] >= lo) & (pieces[:, 1] <= hi)
                passages.append(
                    _Passage(
                        view=view,
                        ids=ids[lo:hi],
                        words=pieces[inside] - lo,
                        spans=spans[inside],
                        opens=(nth == 0) * (1 + (number == 0)),
                        closes=(nth == len(parts) - 1) * (1 + (number == len(sentences) - 1)),
                    )
                )
    return passages


def _parts(start: int, end: int, words: np.ndarray, longest: int) -> list[tuple[int, int]]:
    """A range of sub-words split into parts of at most ``longest``, before a word if possible."""
    parts = []
    while end - start > longest:
        begins = words[(words[:, 0] > start) & (words[:, 0] <= start + longest), 0]
        cut = int(begins[-1]) if len(begins) else start + longest
        parts.append((start, cut))
        start = cut
    return [*parts, (start, end)] if end > start else parts
