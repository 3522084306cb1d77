"""Words that do not belong where they stand, by a masked language model: shuffled columns, lost or foreign edges.

A word of another sentence is no worse a word, so nothing that looks at words or labels alone can see it. Its sentence
can: a model that reads the sentence without the word gives a foreign one no more than any sentence would.

Whether the first (or last) words of a data set are foreign as a whole is a permutation test that needs no clean data.
Each word is put in the place of those of other sentences; that it is likelier in its own place than in another one has
the probability of one half if it belongs to none, and some nine tenths in edited news. First words are harder than
others, because nothing stands before them: the words beside them, annotated as if they were the first, say how much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .findings import Finding, Location
from .views import View, finding, shown

if TYPE_CHECKING:
    from .language_model import LanguageModel

TESTED = 500  # sentences whose edges are exchanged
WORDS = 25_000  # that are ranked in a data set; of more, whole sentences are drawn
LEAST_WORDS = 4  # of a sentence, for its edges to have a context
LEAST_SENTENCES = 60  # for a statement about all of them
_LONGEST_WORD = 4  # sub-words
_LEAST_ALIKE = 20  # words of as many sub-words that can be exchanged
LEAST_SHARE = 0.2  # of foreign words, beyond three standard errors; clean data gave estimates up to 0.19
LEAST_FIT = 0.6  # of inner words; below, the model says nothing about this text
AGAINST = 1.0  # nats per sub-word by which its context speaks against a word that is listed


@dataclass(frozen=True, kw_only=True, slots=True)
class _Passage:
    """A sentence, or a part of one that the model can read at once.

    Attributes:
        view: its article.
        ids: its sub-words.
        words: sub-words of each word that has a letter or digit. [W, 2]
        spans: code points of the same words. [W, 2]
        opens: what begins with it: nothing, a sentence, or a text (0, 1, 2).
        closes: what ends with it, likewise.
    """

    view: View
    ids: np.ndarray
    words: np.ndarray
    spans: np.ndarray
    opens: int
    closes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """What the test says of one position, as of sentence starts.

    Attributes:
        name: for people.
        count: words that were exchanged.
        own: share of other places in which a word is less likely than in its own, mean of all words: 0.5 is chance.
        beside: the same for the words beside them, with these taken out.
        error: standard error of ``own - beside``.
    """

    name: str
    count: int
    own: float
    beside: float
    error: float

    @property
    def foreign(self) -> float:
        """Estimated share of words that belong elsewhere: 0 where they fit as their neighbors do, 1 at chance."""
        return float(np.clip((self.beside - self.own) / max(self.beside - 0.5, 1e-9), 0.0, 1.0))

    @property
    def readable(self) -> bool:
        """Whether the words beside fit, so that something can be said."""
        return self.beside >= LEAST_FIT

    @property
    def damaged(self) -> bool:
        """Whether more words than chance allows belong elsewhere."""
        gap = self.beside - self.own - 3 * self.error
        return self.readable and gap > LEAST_SHARE * (self.beside - 0.5)


def misplaced_findings(views: Sequence[View], model: "LanguageModel", *, most: int) -> Iterator[Finding]:
    """Positions that are damaged as a whole, and the words that fit their sentences least.

    Args:
        views: the articles.
        model: of the language of the articles.
        most: words that are listed.
    """
    locations: list[Location] = []
    damaged: list[Location] = []
    rows: list[tuple[str, ...]] = []
    for split in dict.fromkeys(view.split for view in views):
        passages = _passages([view for view in views if view.split == split], model)
        for position in positions(passages, model):
            foreign = f"{100 * position.foreign:.0f} %" if position.damaged else ""
            fits = (f"{position.own:.2f}", f"{position.beside:.2f}")
            rows.append((split, position.name, str(position.count), *fits, foreign))
            if message := _verdict(position):
                damaged.append(Location(split=split, message=message, score=position.foreign))
        locations += _ranked(passages, model)
    table = [("data set", "position", "words", "fit", "beside", "foreign"), *rows] if rows else []
    meaning = (
        "Fit: how often a word is likelier in its own sentence than in another one; 0.5 is chance. Beside: the same "
        "for the words next to them, which says what to expect."
    )
    yield from finding(
        "misplaced-positions",
        "Positions whose words belong to other sentences",
        "warning",
        f"{meaning} Look for columns that were sorted or shifted, and for lines lost at sentence breaks; scores on "
        "such data are too low, and models learn wrong labels from it.",
        damaged,
        table=table,
    )
    ranked = sorted(locations, key=lambda location: -(location.score or 0.0))
    yield from finding(
        "misplaced-words",
        "Words that do not fit their sentences",
        "note",
        f"Ranked by how much less likely, in nats per sub-word, {model.name} finds a word in its sentence than in "
        f"others. Foreign words are among the first, and so are rare turns and misprints. {meaning}",
        ranked[:most],
        count=len(ranked),
        table=table,
    )


def _verdict(position: Position) -> str:
    """What is wrong with a position, in plain words; empty where nothing is."""
    if not position.readable and position.count >= LEAST_SENTENCES:
        return (
            f"{position.name}: neither these words ({position.own:.2f}) nor those beside them ({position.beside:.2f}) "
            "fit their sentences better than chance (0.5): the words are out of order, or the model does not know such "
            "text"
        )
    if position.damaged:
        return (
            f"{position.name}: about {100 * position.foreign:.0f} % of the words seem to belong elsewhere: they fit "
            f"their own sentence better than another one in {100 * position.own:.0f} % of comparisons, the words "
            f"beside them in {100 * position.beside:.0f} % (chance: 50 %)"
        )
    return ""


def positions(passages: Sequence[_Passage], model: "LanguageModel") -> Iterator[Position]:
    """The test at the starts and ends of sentences, and of texts where these have several sentences."""
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
    """A sentence without its word at an edge, and the place of the word beside it, which is now at the edge."""
    start, end = passage.words[side]
    ids = np.delete(passage.ids, np.s_[start:end])
    beside = passage.words[1] - (end - start) if side == 0 else passage.words[-2]
    return ids, beside


def _fits(model: "LanguageModel", blanks: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """For each word, the share of other places in which it is less likely than in its own; ties count half.

    Words are exchanged with those of as many sub-words; words of lengths that few have are left out.
    """
    sizes = np.array([end - start for _, (start, end) in blanks])
    shares = [np.empty(0)]
    for size in range(1, _LONGEST_WORD + 1):
        group = [blank for blank, length in zip(blanks, sizes, strict=True) if length == size]
        if len(group) < _LEAST_ALIKE:
            continue
        likely = model.exchange([ids for ids, _ in group], np.array([place for _, place in group]))
        own = np.diag(likely)
        less = (likely < own).sum(0) + 0.5 * ((likely == own).sum(0) - 1)
        shares.append(less / (len(group) - 1))
    return np.concatenate(shares)


def _ranked(passages: Sequence[_Passage], model: "LanguageModel") -> Iterator[Location]:
    """The words that their contexts speak against."""
    order = np.random.default_rng(0).permutation(len(passages))
    counts = np.cumsum([len(passages[i].words) for i in order])
    drawn = [passages[i] for i in np.sort(order[: np.searchsorted(counts, WORDS, side="right")])]
    values = model.association([p.ids for p in drawn], [p.words for p in drawn])
    for passage, gains in zip(drawn, values, strict=True):
        text = passage.view.article.text
        for number in np.flatnonzero(gains < -AGAINST).tolist():
            start, end = passage.spans[number].tolist()
            lo, hi = int(passage.spans[max(0, number - 2), 0]), int(passage.spans[number : number + 3, 1].max())
            said = f"{shown(text[start:end])} in {shown(text[lo:hi])}"
            yield passage.view.location(said, start, end, score=round(-float(gains[number]), 3))


def _passages(views: Sequence[View], model: "LanguageModel") -> list[_Passage]:
    texts = [view.article.text.encode("utf-8", "replace").decode() for view in views]
    found: list[_Passage] = []
    for view, encoding in zip(views, model.tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
        ids = np.array(encoding.ids, dtype=np.int64)
        starts = np.maximum.accumulate(np.array([start for start, _ in encoding.offsets], dtype=np.int64))
        worded = [span for span in view.words if any(map(str.isalnum, view.article.text[span[0] : span[1]]))]
        spans = np.array(worded, dtype=np.int64).reshape(-1, 2)
        pieces = np.searchsorted(starts, spans)
        seen = pieces[:, 0] < pieces[:, 1]  # a word may have no sub-word of its own
        spans, pieces = spans[seen], pieces[seen]
        whole: list[list[tuple[int, int]]] = []
        for start, end in view.sentences:
            lo, hi = np.searchsorted(starts, (start, end)).tolist()
            if parts := _parts(lo, hi, pieces, model.longest):
                whole.append(parts)
        for number, parts in enumerate(whole):
            for nth, (lo, hi) in enumerate(parts):
                inside = (pieces[:, 0] >= lo) & (pieces[:, 1] <= hi)
                found.append(
                    _Passage(
                        view=view,
                        ids=ids[lo:hi],
                        words=pieces[inside] - lo,
                        spans=spans[inside],
                        opens=(nth == 0) * (1 + (number == 0)),
                        closes=(nth == len(parts) - 1) * (1 + (number == len(whole) - 1)),
                    )
                )
    return found


def _parts(start: int, end: int, words: np.ndarray, longest: int) -> list[tuple[int, int]]:
    """A range of sub-words in parts that are short enough, cut before words where that is possible."""
    parts = []
    while end - start > longest:
        begins = words[(words[:, 0] > start) & (words[:, 0] <= start + longest), 0]
        cut = int(begins[-1]) if len(begins) else start + longest
        parts.append((start, cut))
        start = cut
    return [*parts, (start, end)] if end > start else parts
