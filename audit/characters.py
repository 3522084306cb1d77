"""Characters that an encoder's tokenizer deletes, makes unknown, or cuts words at, and the names that are location."""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .findings import Finding, Location
from .views import MOST_LOCATIONS, Mention, View, code_point, finding, shown

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

ROWS = 60
EXAMPLES = 3
# What tokenizers rewrite as a whole: addresses, mentions, HTML. Its characters are not lost, they are meant to go.
_REWRITTEN = re.compile(r"\S*(?:://|www\.|@|\.com)\S*|<[^<>]{1,999}>|&#?\w{2,9};?|http\S*")


@dataclass(slots=True)
class _Tally:
    """What became of one character."""

    deleted: int = 0
    unknown: int = 0
    cuts: int = 0
    names: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.deleted + self.unknown + self.cuts


class CharacterCheck:
    """Collects, article by article, which characters a tokenizer does not read.

    Args:
        tokenizer: of the encoder, its normalizer included.
        unknown_id: of its unknown token; None where it has none.
    """

    def __init__(self, tokenizer: "Tokenizer", unknown_id: int | None) -> None:
        self.tokenizer, self.unknown_id = tokenizer, unknown_id
        self._letters: dict[str, _Tally] = {}
        self._symbols: dict[str, _Tally] = {}
        self._in_names: list[Location] = []
        self._elsewhere: list[Location] = []
        self._symbol_locations: list[Location] = []
        self._words: Counter[str] = Counter()
        self._word_locations: list[Location] = []
        self._deletes: dict[str, bool] = {}
        self._unreadable: dict[str, bool] = {}

    def add(self, view: View, encoding: "Encoding") -> None:
        """Look at one article. The encoding is without special tokens."""
        text = view.article.text
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        covered = _cover(len(text), offsets)
        rewritten = _rewritten(text)
        lost: dict[int, str] = {}
        for at in np.flatnonzero(~covered).tolist():
            if not text[at].isspace() and not rewritten[at] and (fate := _fate(text, at, offsets, encoding, view)):
                lost[at] = fate
        lost |= {
            at: "deleted"
            for sign in set(text)
            if sign.isalnum() and sign != "ـ" and self._is_deleted(sign)
            for at in _places(text, sign)
            if not rewritten[at]
        }
        if self.unknown_id is not None:
            for number in np.flatnonzero(np.array(encoding.ids, dtype=np.int64) == self.unknown_id).tolist():
                lost |= self._unknown_word(view, *offsets[number].tolist())
        if lost:
            self._record(view, lost)

    def _is_deleted(self, sign: str) -> bool:
        """Whether the normalizer leaves nothing of a letter between two others."""
        if sign not in self._deletes:
            normalizer = self.tokenizer.normalizer
            self._deletes[sign] = (
                normalizer is not None and normalizer.normalize_str(f"ب{sign}ت").replace(" ", "") == "بت"
            )
        return self._deletes[sign]

    def _unknown_word(self, view: View, start: int, end: int) -> dict[int, str]:
        """Characters that make a word unknown; all of them where no single one does."""
        text = view.article.text
        word = text[start:end]
        self._words[word] += 1
        if len(self._word_locations) < MOST_LOCATIONS:
            self._word_locations.append(view.location(f"{shown(word)} is unknown to the encoder", start, end))
        blamed = {at: "unknown" for at in range(start, end) if self._is_unknown(text[at])}
        return blamed or {at: "unknown" for at in range(start, end) if text[at].isalnum()}

    def _is_unknown(self, sign: str) -> bool:
        if sign not in self._unreadable:
            alone, inside = ("\ufffd" if "\ud800" <= sign <= "\udfff" else sign), f"ا{sign}"
            forms = [alone] if alone != sign else [alone, inside]
            encodings = [self.tokenizer.encode(form, add_special_tokens=False) for form in forms]
            self._unreadable[sign] = any(self.unknown_id in encoding.ids for encoding in encodings)
        return self._unreadable[sign]

    def _record(self, view: View, lost: dict[int, str]) -> None:
        text = view.article.text
        mentions = sorted(view.mentions, key=lambda mention: mention.start)
        starts = [start for start, _ in view.words]
        hit_names: dict[Mention, str] = {}
        hit_words: dict[tuple[int, int], str] = {}
        for at, fate in sorted(lost.items()):
            sign = text[at]
            symbol = unicodedata.category(sign)[0] in "PSC" and fate != "cuts"
            tally = (self._symbols if symbol else self._letters).setdefault(sign, _Tally())
            setattr(tally, fate, getattr(tally, fate) + 1)
            number = bisect_right(starts, at) - 1
            word = view.words[number] if number >= 0 and at < view.words[number][1] else (at, at + 1)
            if symbol:
                if len(self._symbol_locations) < MOST_LOCATIONS:
                    self._symbol_locations.append(view.location(f"{code_point(sign)} is {fate}", at, at + 1))
                continue
            holding = [mention for mention in mentions if mention.start <= at < mention.end]
            for mention in holding:
                tally.names[mention.text] += 1
                hit_names[mention] = hit_names.get(mention, "") + sign
            if not holding:
                hit_words[word] = hit_words.get(word, "") + sign
        for mention, signs in hit_names.items():
            self._in_names.append(view.at(mention, _told(mention.text, signs)))
        for (start, end), signs in hit_words.items():
            if len(self._elsewhere) < MOST_LOCATIONS:
                self._elsewhere.append(view.location(_told(text[start:end], signs), start, end))

    def findings(self) -> Iterator[Finding]:
        """What was found in all articles; names first."""
        yield from finding(
            "lost-characters",
            "Letters that the encoder does not read",
            "warning",
            f"{len(self._in_names)} names are location. Deleted or unknown letters make different names look the same; a "
            "character that cuts a word makes two of it. `encoder.repair: true` mends most of it under AraBERT's "
            "preprocessing; else choose another encoder.",
            [*self._in_names, *self._elsewhere],
            table=_table(self._letters, names=True),
            count=sum(tally.total for tally in self._letters.values()),
        )
        yield from finding(
            "unread-symbols",
            "Symbols that the encoder does not read",
            "note",
            "Punctuation, signs and emoji that it deletes or does not know; no model can end a span in one.",
            self._symbol_locations,
            table=_table(self._symbols, names=False),
            count=sum(tally.total for tally in self._symbols.values()),
        )
        words = [(word, str(count)) for word, count in self._words.most_common(ROWS)]
        yield from finding(
            "unknown-words",
            "Words that are unknown to the encoder",
            "warning",
            "Each becomes the one token for what the vocabulary lacks, so they all look the same.",
            self._word_locations,
            table=[("word", "count"), *words],
            count=sum(self._words.values()),
        )


def _cover(length: int, offsets: np.ndarray) -> np.ndarray:
    """Which characters lie in a sub-word. [length] bool"""
    change = np.zeros(length + 1, dtype=np.int64)
    np.add.at(change, offsets[:, 0], 1)
    np.add.at(change, offsets[:, 1], -1)
    return np.cumsum(change)[:-1] > 0


def _rewritten(text: str) -> np.ndarray:
    """Which characters are of an address, a mention or HTML. [length] bool"""
    mask = np.zeros(len(text), dtype=bool)
    for match in _REWRITTEN.finditer(text):
        mask[match.start() : match.end()] = True
    return mask


def _fate(text: str, at: int, offsets: np.ndarray, encoding: "Encoding", view: View) -> str:
    """What a character in no sub-word comes to; empty where nothing is lost by it."""
    sign = text[at]
    category = unicodedata.category(sign)
    if category == "Cc" or text[at + 1 : at + 3] == 2 * sign:  # of three and more of a kind two are kept
        return ""
    if category[0] != "M" and category != "Cf" and sign != "ـ":
        return "deleted"
    # It hangs on a letter; nothing is lost unless the word falls apart there.
    before = int(np.searchsorted(offsets[:, 1], at, side="right")) - 1
    after = int(np.searchsorted(offsets[:, 0], at, side="right"))
    if before < 0 or after >= len(offsets):
        return ""
    number = bisect_right(view.words, (at, len(text) + 1)) - 1
    if number < 0:
        return ""
    start, end = view.words[number]
    apart = encoding.word_ids[before] != encoding.word_ids[after]
    # Letters and digits are apart whatever stands between them.
    letters = text[offsets[before, 1] - 1].isalpha() and text[offsets[after, 0]].isalpha()
    return "cuts" if apart and letters and start < offsets[before, 1] and offsets[after, 0] < end else ""


def _places(text: str, sign: str) -> Iterator[int]:
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


def _told(surface: str, signs: str) -> str:
    return f"{shown(surface)}: {', '.join(code_point(sign) for sign in dict.fromkeys(signs))}"


def _table(tallies: dict[str, _Tally], *, names: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("character", "deleted", "unknown", "cuts words", *(["names"] if names else []))]
    for sign, tally in sorted(tallies.items(), key=lambda item: (-item[1].total, item[0]))[:ROWS]:
        row = (f"{sign if sign.isprintable() else ''} {code_point(sign)}".strip(), str(tally.deleted))
        row += (str(tally.unknown), str(tally.cuts))
        if names:
            some = ", ".join(name for name, _ in tally.names.most_common(EXAMPLES))
            row += (f"{sum(tally.names.values())}: {some}" if some else "0",)
        rows.append(row)
    return rows
