"""Checks of the texts against an encoder's tokenizer: dropped characters, and texts longer than a window."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.datasets import DataSet
from ..data.windows.encoding import TextEncoder
from .article_views import ArticleView, shown
from .characters import CharacterCheck
from .findings import Finding, Location, finding, ranked

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_SURROGATE = re.compile("[\ud800-\udfff]")
_BATCH = 256  # texts


@dataclass(frozen=True, kw_only=True)
class EncoderJudge:
    """Checks the texts against an encoder's tokenizer.

    Attributes:
        tokenizer: tokenizer with its normalizer; it is not changed.
        window: sub-words in a window.
        overlap: sub-words that neighboring windows share.
    """

    tokenizer: "Tokenizer"
    window: int = 512
    overlap: int = 128

    def findings(self, datasets: Mapping[str, DataSet], views: Sequence[ArticleView]) -> Iterator[Finding]:
        """Findings about characters, then about lengths; see `Judge`.

        Raises:
            ValueError: window and overlap do not go together.
        """
        tokenizer = type(self.tokenizer).from_str(self.tokenizer.to_str())
        windows = TextEncoder(tokenizer, window=self.window, overlap=self.overlap)
        characters = CharacterCheck(tokenizer, windows.unknown_id)
        lengths = _LengthCheck(windows)
        for first in range(0, len(views), _BATCH):
            batch = views[first : first + _BATCH]
            texts = [_SURROGATE.sub("\ufffd", view.article.text) for view in batch]
            for view, encoding in zip(batch, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
                characters.add(view, encoding)
                lengths.add(view, encoding)
        yield from characters.findings()
        yield from lengths.findings()


class _LengthCheck:
    """Collects, article by article, lengths in windows and sub-words."""

    def __init__(self, windows: TextEncoder) -> None:
        self._encoder = windows
        self._windows: Counter[int] = Counter()
        self._long_articles: list[Location] = []
        self._long_sentences: list[Location] = []
        self._longest: dict[str, Location] = {}
        self._records: Counter[str] = Counter()

    def add(self, view: ArticleView, encoding: "Encoding") -> None:
        text, room = view.article.text, self._encoder.room
        starts = np.maximum.accumulate(np.array([start for start, _ in encoding.offsets], dtype=np.int64))
        count = 1
        if len(starts) > room:
            (encoded,) = self._encoder.encode([text])
            count = len(encoded.windows)
            if count > 1:
                message = f"{len(starts)} sub-words, {count} windows"
                self._long_articles.append(view.location(message, score=float(len(starts))))
        self._windows[count] += 1
        bounds = np.array(view.sentences, dtype=np.int64).reshape(-1, 2)
        sizes = np.searchsorted(starts, bounds[:, 1]) - np.searchsorted(starts, bounds[:, 0])
        if not len(sizes):
            return
        for number in {*np.flatnonzero(sizes > room).tolist(), int(sizes.argmax())}:
            start, end, size = *view.sentences[number], int(sizes[number])
            location = view.location(f"{size} sub-words: {shown(text[start:end])}", start, end, score=float(size))
            if size > room:
                self._long_sentences.append(location)
            if size > self._records[view.split]:
                self._records[view.split], self._longest[view.split] = size, location

    def findings(self) -> Iterator[Finding]:
        window = self._encoder.window
        yield from finding("sentences-beyond-window", ranked(self._long_sentences), window=window)
        yield from finding(
            "long-articles",
            ranked(self._long_articles),
            table=[("windows", "articles"), *((str(n), str(count)) for n, count in sorted(self._windows.items()))],
            window=window,
        )
        yield from finding("longest-in-subwords", self._longest.values(), room=self._encoder.room)
