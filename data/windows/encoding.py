"""Text to model input: sub-words, words, and overlapping windows that cover the whole article.

Only words in which a sub-word begins are used. Every sub-word belongs to one word; if the tokenizer keeps white space,
a space belongs to the next word, and long runs of spaces are dropped. Every word is in one or more windows and is owned
by one: the window where it is furthest from the edge. Nothing is truncated.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..articles import Article, Sentence
from ..text.sentences import split_sentences
from ..text.special_tokens import padding_id
from ..text.words import split_words

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

LONGEST_WORD = 32
"""Sub-words after which a word is cut, so that every word fits into a window."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A part of an article that is encoded at once.

    Attributes:
        input_ids: sub-words with the special tokens at both ends. [T] int32
        words: first and one-past-last position in ``input_ids`` of each word. [W, 2] int32
        first_word: number of the window's first word in the article.
        owned: range of words of the article that this window owns.
        sentences: sentences that this window owns: number in the article, first and one-past-last word of the window. A
            sentence is owned by the window that holds it whole and furthest from an edge. If no window holds it whole,
            all that hold a part of it own it. [S, 3] int32
    """

    input_ids: np.ndarray
    words: np.ndarray
    first_word: int
    owned: tuple[int, int]
    sentences: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedText:
    """An article as words, sentences and windows.

    Attributes:
        words: code-point offsets of each word. [W, 2] int64
        unread: words in which no sub-word begins: the tokenizer deletes all their characters, or their first characters
            are in the last sub-word of the word before (``...``). [N, 2] int64
        sentences: code-point offsets of each sentence with at least one word. [S, 2] int64
        sentence_words: range of words of each sentence. [S, 2] int64
        windows: in order; their ``owned`` ranges tile the words.
        unknown: number of unknown tokens.
    """

    words: np.ndarray
    unread: np.ndarray
    sentences: np.ndarray
    sentence_words: np.ndarray
    windows: tuple[Window, ...]
    unknown: int


class TextEncoder:
    """Encodes texts with a tokenizer into words and windows.

    Args:
        tokenizer: a fast tokenizer; its truncation and padding are switched off.
        window: sub-words in a window, special tokens included.
        overlap: sub-words that two neighboring windows share.
    """

    def __init__(self, tokenizer: "Tokenizer", *, window: int = 512, overlap: int = 128) -> None:
        # "[SEP]" in an article is text, not the end of a segment.
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        # Special tokens before and after a text. Every vocabulary has one of these characters.
        probe = tokenizer.encode("ا a 1 .")
        special = np.flatnonzero(np.array(probe.special_tokens_mask) == 0)
        middle = (int(special[0]), int(special[-1]) + 1) if len(special) else (len(probe.ids), len(probe.ids))
        self.prefix, self.suffix = probe.ids[: middle[0]], probe.ids[middle[1] :]
        self.room = window - len(self.prefix) - len(self.suffix)
        if self.room < 2 * LONGEST_WORD or not 0 <= overlap <= self.room // 2:
            raise ValueError(
                f"a window of {window} sub-words with an overlap of {overlap} does not work: the window must hold at "
                f"least {2 * LONGEST_WORD} sub-words beside its special tokens, and the overlap at most half of it"
            )
        self.window, self.overlap = window, overlap
        self.unknown_id = _unknown_id(tokenizer)
        self.pad_id = padding_id(tokenizer)
        marked = [number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]
        self._special = np.array(sorted({*marked, *self.prefix, *self.suffix} - {self.unknown_id}), dtype=np.int32)

    def encode(self, texts: Sequence[str | Article]) -> list[EncodedText]:
        """Encode texts of any length. The sentences of an article are kept; other texts are split into sentences."""
        surfaces = [text if isinstance(text, str) else text.text for text in texts]
        encodings = self.tokenizer.encode_batch(list(map(_readable, surfaces)), add_special_tokens=False)
        return [
            self._encode(surface, encoding, () if isinstance(text, str) else text.sentences)
            for text, surface, encoding in zip(texts, surfaces, encodings, strict=True)
        ]

    def normalized_sentences(self, text: str, encoded: EncodedText) -> list[str]:
        """The sentences of a text after the tokenizer's normalizer."""
        normalize = self.tokenizer.normalizer.normalize_str if self.tokenizer.normalizer else str
        return [normalize(_readable(text[start:end])) for start, end in encoded.sentences.tolist()]

    def _encode(self, text: str, encoding: "Encoding", sentences: Sequence[Sentence]) -> EncodedText:
        ids = np.array(encoding.ids, dtype=np.int32)  # [N]
        # Unigram tokenizers turn a literal "</s>" into the special token.
        if self.unknown_id is not None:
            ids[np.isin(ids, self._special)] = self.unknown_id
        all_words = split_words(text)  # [W, 2]
        if len(ids) and len(all_words):
            starts, ends = np.array(encoding.offsets, dtype=np.int64).T  # [N]
            # A sub-word belongs to the first word that ends after the sub-word's start; a lone space to the next word.
            word_of = np.searchsorted(all_words[:, 1], starts, side="right").clip(max=len(all_words) - 1)
            word_of = np.maximum.accumulate(word_of)  # [N]
            # Long runs of white space are dropped: they would fill a window, and the word could not be cut.
            space = (ends <= all_words[word_of, 0]) | (starts >= all_words[word_of, 1])
            kept = ~space | (np.bincount(word_of)[word_of] <= LONGEST_WORD)
            ids, starts, word_of = ids[kept], starts[kept], word_of[kept]
        else:
            ids, starts, word_of = ids[:0], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if not len(ids):
            none = np.zeros((0, 2), dtype=np.int64)
            return EncodedText(words=none, unread=all_words, sentences=none, sentence_words=none, windows=(), unknown=0)
        # Words by their first sub-word; words without any are unread.
        word_start = np.flatnonzero(np.diff(word_of, prepend=-1))
        read = word_of[word_start]
        unread = np.delete(all_words, read, axis=0)
        words = all_words[read]
        counts = np.diff(word_start, append=len(ids))
        if counts.max() > LONGEST_WORD:
            words, word_start = _cut_long_words(words, word_start, counts, starts)
        bounds = np.append(word_start, len(ids))  # [W + 1], first sub-word of each word, and the end

        given = [(sentence.start, sentence.end) for sentence in sentences]
        spans = np.array(given or split_sentences(text), dtype=np.int64).reshape(-1, 2)
        # Sentences as ranges of words; those without a word are dropped.
        first = np.searchsorted(words[:, 1], spans[:, 0], side="right")
        last = np.searchsorted(words[:, 0], spans[:, 1], side="left")
        seen = first < last
        sentence_words = np.stack([first, last], axis=1)[seen]
        plan = self._plan(bounds)
        owned = _owning_windows(sentence_words, plan, len(words))
        return EncodedText(
            words=words,
            unread=unread,
            sentences=spans[seen],
            sentence_words=sentence_words,
            windows=tuple(
                self._window(ids, bounds, span, sentence_words, owned[:, number]) for number, span in enumerate(plan)
            ),
            unknown=int((ids == self.unknown_id).sum()) if self.unknown_id is not None else 0,
        )

    def _plan(self, bounds: np.ndarray) -> list[tuple[int, int, int, int]]:
        """Choose windows as (first word, end word, first owned word, end of owned words)."""
        total, count = int(bounds[-1]), len(bounds) - 1
        size = self.room
        if total > self.room:
            # Windows of similar lengths: a full window and a short rest share a batch, and the rest would be mostly
            # padding. The slack allows for cuts between words.
            needed = -(-(total - self.overlap) // (self.room - self.overlap))
            size = min(size, -(-(total + (needed - 1) * self.overlap) // needed) + LONGEST_WORD // 4)
        spans: list[tuple[int, int]] = []
        first = 0
        while True:
            end = int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1
            spans.append((first, end))
            if end == count:
                break
            # The next window begins at the word that leaves `overlap` sub-words shared, at least one word later.
            first = max(first + 1, int(np.searchsorted(bounds, bounds[end] - self.overlap, side="left")))
        # In an overlap, a word is owned by the window whose edge is further from the word's center.
        edges = [0]
        for (_, end), (following, _) in zip(spans, spans[1:], strict=False):
            middle = (bounds[end] + bounds[following]) / 2
            centers = (bounds[following:end] + bounds[following + 1 : end + 1]) / 2
            edges.append(following + int(np.searchsorted(centers, middle, side="left")))
        edges.append(count)
        return [(a, b, edges[i], edges[i + 1]) for i, (a, b) in enumerate(spans)]

    def _window(
        self,
        ids: np.ndarray,
        bounds: np.ndarray,
        span: tuple[int, int, int, int],
        sentence_words: np.ndarray,
        owned: np.ndarray,
    ) -> Window:
        """The window that `_plan` gave as ``span``; ``owned`` are the sentences that it owns. [S] bool"""
        first, end, own, own_end = span
        piece = ids[bounds[first] : bounds[end]]
        inside = bounds[first : end + 1] - bounds[first] + len(self.prefix)
        numbers = np.flatnonzero(owned)
        local = (sentence_words[numbers] - first).clip(0, end - first)
        return Window(
            input_ids=np.concatenate([self.prefix, piece, self.suffix]).astype(np.int32),
            words=np.stack([inside[:-1], inside[1:]], axis=1).astype(np.int32),
            first_word=first,
            owned=(own, own_end),
            sentences=np.column_stack([numbers, local]).astype(np.int32),
        )


def _readable(text: str) -> str:
    """The text without lone surrogates, which the tokenizer does not take; every offset stays."""
    return _SURROGATE.sub("\ufffd", text)


def _unknown_id(tokenizer: "Tokenizer") -> int | None:
    """Id of the unknown token; None if the tokenizer has none."""
    name = getattr(tokenizer.model, "unk_token", None)
    if name is not None:
        return tokenizer.token_to_id(name)
    return json.loads(tokenizer.model.__getstate__()).get("unk_id")  # Unigram does not show it otherwise


def _owning_windows(sentence_words: np.ndarray, plan: list[tuple[int, int, int, int]], count: int) -> np.ndarray:
    """Windows that own each sentence. [S, N] bool

    Args:
        sentence_words: range of words of each sentence. [S, 2]
        plan: N windows, from `TextEncoder._plan`.
        count: number of words of the article.
    """
    # The start and end of the article do not count as edges of a window, so they are moved far away.
    bounds = np.array(plan, dtype=np.int64)[:, :2]
    starts = np.where(bounds[:, 0] == 0, -count, bounds[:, 0])
    ends = np.where(bounds[:, 1] == count, 2 * count, bounds[:, 1])

    # Words between a sentence and the nearer edge of a window; negative if the window cuts the sentence.
    first, last = sentence_words[:, :1], sentence_words[:, 1:]  # [S, 1]
    margin = np.minimum(first - starts, ends - last)  # [S, N]

    # The window with the largest margin owns the sentence, the first of equal ones.
    best = margin == margin.max(axis=1, keepdims=True, initial=-(4 * count))
    best &= best.cumsum(axis=1) == 1

    # If every window cuts the sentence, all that hold a part of it own it.
    touched = (first < bounds[:, 1]) & (last > bounds[:, 0])
    return np.where((margin >= 0).any(axis=1, keepdims=True), best, touched)


def _cut_long_words(
    words: np.ndarray, word_start: np.ndarray, counts: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cut words of more than `LONGEST_WORD` sub-words; the pieces tile the word's characters.

    A cut is at a sub-word that begins a new character: byte-level pieces of one character share its offset. So only a
    piece of a single character can be longer (``ﷺ`` after NFKC has 33 bytes, the most of all).

    Args:
        words: code-point offsets. [W, 2]
        word_start: first sub-word of each word. [W]
        counts: number of sub-words of each word. [W]
        starts: code-point offset of each sub-word. [T]

    Returns:
        New ``words`` and ``word_start``.
    """
    new_words: list[tuple[int, int]] = []
    new_start: list[int] = []
    for (start, end), at, count in zip(words.tolist(), word_start.tolist(), counts.tolist(), strict=True):
        cuts = [at]
        if count > LONGEST_WORD:
            # Sub-words that begin a new character. Offsets of a normalizer may step back, so the highest so far counts.
            reached = np.maximum.accumulate(starts[at : at + count].clip(min=start))
            possible = at + 1 + np.flatnonzero((np.diff(reached) > 0) & (reached[1:] < end))
            # Cut as late as a piece stays short enough, else at the next possible sub-word.
            while at + count - cuts[-1] > LONGEST_WORD:
                within = int(np.searchsorted(possible, cuts[-1] + LONGEST_WORD, side="right"))
                beyond = int(np.searchsorted(possible, cuts[-1], side="right"))
                choice = max(within - 1, beyond)
                if choice >= len(possible):
                    break
                cuts.append(int(possible[choice]))
        edges = [start, *(int(starts[cut]) for cut in cuts[1:]), end]
        new_start += cuts
        new_words += list(zip(edges[:-1], edges[1:], strict=True))
    return np.array(new_words, dtype=np.int64), np.array(new_start, dtype=np.int64)
