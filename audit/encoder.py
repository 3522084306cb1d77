"""What an encoder would make of the texts: windows, sub-words, characters that it does not read."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.windows.encoding import TextEncoder
from .characters import CharacterCheck
from .findings import Finding, Location
from .views import View, finding, shown

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_SURROGATE = re.compile("[\ud800-\udfff]")
_AT_ONCE = 256  # texts


def encoder_findings(views: Sequence[View], tokenizer: "Tokenizer", *, window: int, overlap: int) -> Iterator[Finding]:
    """Everything that depends on the encoder's tokenizer.

    Args:
        views: the articles.
        tokenizer: of the encoder, its normalizer included; it is left as it is.
        window: sub-words that the encoder reads at once.
        overlap: sub-words that neighboring windows share.

    Raises:
        ValueError: window and overlap do not go together.
    """
    copy = type(tokenizer).from_str(tokenizer.to_str())
    reader = TextEncoder(copy, window=window, overlap=overlap)
    characters = CharacterCheck(copy, reader.unknown_id)
    lengths = _Lengths(reader)
    for first in range(0, len(views), _AT_ONCE):
        some = views[first : first + _AT_ONCE]
        texts = [_SURROGATE.sub("\ufffd", view.article.text) for view in some]
        for view, encoding in zip(some, copy.encode_batch(texts, add_special_tokens=False), strict=True):
            characters.add(view, encoding)
            lengths.add(view, encoding)
    yield from characters.findings()
    yield from lengths.findings()


class _Lengths:
    """Articles in windows and sentences in sub-words."""

    def __init__(self, reader: TextEncoder) -> None:
        self.reader = reader
        self._windows: Counter[int] = Counter()
        self._long: list[Location] = []
        self._cut: list[Location] = []
        self._longest: dict[str, tuple[int, Location]] = {}

    def add(self, view: View, encoding: "Encoding") -> None:
        text = view.article.text
        starts = np.maximum.accumulate(np.array([start for start, _ in encoding.offsets], dtype=np.int64))
        count = 1
        if len(starts) > self.reader.room:
            (encoded,) = self.reader.encode([text])
            count = len(encoded.windows)
            if count > 1:
                self._long.append(view.location(f"{len(starts)} sub-words, {count} windows", score=float(len(starts))))
        self._windows[count] += 1
        bounds = np.array(view.sentences, dtype=np.int64).reshape(-1, 2)
        sizes = np.searchsorted(starts, bounds[:, 1]) - np.searchsorted(starts, bounds[:, 0])
        if not len(sizes):
            return
        for number in {*np.flatnonzero(sizes > self.reader.room).tolist(), int(sizes.argmax())}:
            start, end, size = *view.sentences[number], int(sizes[number])
            location = view.location(f"{size} sub-words: {shown(text[start:end])}", start, end, score=float(size))
            if size > self.reader.room:
                self._cut.append(location)
            if size > self._longest.get(view.split, (0, location))[0]:
                self._longest[view.split] = size, location

    def findings(self) -> Iterator[Finding]:
        window = self.reader.window
        yield from finding(
            "sentences-beyond-window",
            "Sentences longer than a window",
            "warning",
            f"No window of {window} sub-words holds one whole, so its parts are read apart. Raise `encoder.window`, or "
            "see whether a sentence end is missing.",
            sorted(self._cut, key=lambda location: -(location.score or 0)),
        )
        yield from finding(
            "long-articles",
            "Articles of several windows",
            "note",
            f"Read in windows of {window} sub-words that overlap; nothing is cut off.",
            sorted(self._long, key=lambda location: -(location.score or 0)),
            table=[("windows", "articles"), *((str(n), str(count)) for n, count in sorted(self._windows.items()))],
        )
        yield from finding(
            "longest-in-subwords",
            "The longest sentence of each data set in sub-words",
            "note",
            f"A window holds {self.reader.room} beside the special tokens.",
            [location for _, location in self._longest.values()],
        )
