"""Characters that a tokenizer deletes, maps to its unknown token, or splits words at, and the names they are in."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from .article_views import AnnotatedSpan, ArticleView, code_point, shown
from .findings import MOST_LOCATIONS, Finding, Location, count_table, finding

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

ROWS = 60
EXAMPLES = 3
# Links, user names and HTML, which normalizers replace as a whole on purpose.
_REPLACED = re.compile(r"\S*(?:://|www\.|@|\.com)\S*|<[^<>]{1,999}>|&#?\w{2,9};?|http\S*")


@dataclass(slots=True)
class _CharacterCounts:
    """How often one character was lost, by kind of loss, and the names it was lost in."""

    losses: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)


class CharacterCheck:
    """Collects, article by article, characters that a tokenizer loses.

    Args:
        tokenizer: tokenizer with its normalizer.
        unknown_id: id of its unknown token; None if it has none.
    """

    def __init__(self, tokenizer: "Tokenizer", unknown_id: int | None) -> None:
        self.unknown_id = unknown_id
        self._letters: dict[str, _CharacterCounts] = {}
        self._symbols: dict[str, _CharacterCounts] = {}
        self._in_names: list[Location] = []
        self._elsewhere: list[Location] = []
        self._symbol_locations: list[Location] = []
        self._words: Counter[str] = Counter()
        self._word_locations: list[Location] = []
        self._is_deleted = cache(partial(_is_deleted, tokenizer))
        self._is_unknown = cache(partial(_is_unknown, tokenizer, unknown_id))

    def add(self, view: ArticleView, encoding: "Encoding") -> None:
        """Collect the lost characters of one article, given its encoding without special tokens."""
        text = view.article.text
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        covered = _covered(len(text), offsets)
        replaced = _replaced(text)
        lost: dict[int, str] = {}
        for at in np.flatnonzero(~covered).tolist():
            if not text[at].isspace() and not replaced[at] and (loss := _loss(text, at, offsets, encoding, view)):
                lost[at] = loss
        lost |= {
            at: "deleted"
            for sign in set(text)
            if sign.isalnum() and sign != "ـ" and self._is_deleted(sign)
            for at in _positions(text, sign)
            if not replaced[at]
        }
        if self.unknown_id is not None:
            for number in np.flatnonzero(np.array(encoding.ids, dtype=np.int64) == self.unknown_id).tolist():
                lost |= self._unknown_word(view, *offsets[number].tolist())
        if lost:
            self._record(view, lost)

    def _unknown_word(self, view: ArticleView, start: int, end: int) -> dict[int, str]:
        """The characters that make a word unknown; all of its letters and digits if no single one does."""
        text = view.article.text
        word = text[start:end]
        self._words[word] += 1
        if len(self._word_locations) < MOST_LOCATIONS:
            self._word_locations.append(view.location(f"{shown(word)} is an unknown token", start, end))
        causes = {at: "unknown" for at in range(start, end) if self._is_unknown(text[at])}
        return causes or {at: "unknown" for at in range(start, end) if text[at].isalnum()}

    def _record(self, view: ArticleView, lost: dict[int, str]) -> None:
        text = view.article.text
        mentions = sorted(view.mentions, key=lambda mention: mention.start)
        lost_in_names: dict[AnnotatedSpan, str] = {}
        lost_in_words: dict[tuple[int, int], str] = {}
        for at, loss in sorted(lost.items()):
            sign = text[at]
            symbol = unicodedata.category(sign)[0] in "PSC" and loss != "cuts"
            counts = (self._symbols if symbol else self._letters).setdefault(sign, _CharacterCounts())
            counts.losses[loss] += 1
            if symbol:
                if len(self._symbol_locations) < MOST_LOCATIONS:
                    self._symbol_locations.append(view.location(f"{code_point(sign)} is {loss}", at, at + 1))
                continue
            around = [mention for mention in mentions if mention.start <= at < mention.end]
            for mention in around:
                counts.names[mention.text] += 1
                lost_in_names[mention] = lost_in_names.get(mention, "") + sign
            if not around:
                start, end = view.word_at(at)
                word = (start, max(end, at + 1))  # the character alone, if it is in no word
                lost_in_words[word] = lost_in_words.get(word, "") + sign
        for mention, signs in lost_in_names.items():
            self._in_names.append(view.at(mention, _message(mention.text, signs)))
        for (start, end), signs in lost_in_words.items():
            if len(self._elsewhere) < MOST_LOCATIONS:
                self._elsewhere.append(view.location(_message(text[start:end], signs), start, end))

    def findings(self) -> Iterator[Finding]:
        """Findings about all articles; locations in names come first."""
        yield from finding(
            "lost-characters",
            [*self._in_names, *self._elsewhere],
            table=_table(self._letters, names=True),
            count=sum(counts.losses.total() for counts in self._letters.values()),
            names=len(self._in_names),
        )
        yield from finding(
            "unread-symbols",
            self._symbol_locations,
            table=_table(self._symbols, names=False),
            count=sum(counts.losses.total() for counts in self._symbols.values()),
        )
        yield from finding(
            "unknown-words",
            self._word_locations,
            table=count_table(("word", "count"), self._words, ROWS),
            count=self._words.total(),
        )


def _is_deleted(tokenizer: "Tokenizer", sign: str) -> bool:
    """Whether the normalizer deletes a letter between two other letters."""
    normalizer = tokenizer.normalizer
    return normalizer is not None and normalizer.normalize_str(f"ب{sign}ت").replace(" ", "") == "بت"


def _is_unknown(tokenizer: "Tokenizer", unknown_id: int | None, sign: str) -> bool:
    """Whether a character, alone or after a letter, makes a word unknown."""
    forms = ["\ufffd"] if "\ud800" <= sign <= "\udfff" else [sign, f"ا{sign}"]
    return any(unknown_id in tokenizer.encode(form, add_special_tokens=False).ids for form in forms)


def _covered(length: int, offsets: np.ndarray) -> np.ndarray:
    """Which characters are inside a sub-word. [length] bool"""
    change = np.zeros(length + 1, dtype=np.int64)
    np.add.at(change, offsets[:, 0], 1)
    np.add.at(change, offsets[:, 1], -1)
    return np.cumsum(change)[:-1] > 0


def _replaced(text: str) -> np.ndarray:
    """Which characters are part of a link, a user name or HTML. [length] bool"""
    mask = np.zeros(len(text), dtype=bool)
    for match in _REPLACED.finditer(text):
        mask[match.start() : match.end()] = True
    return mask


def _loss(text: str, at: int, offsets: np.ndarray, encoding: "Encoding", view: ArticleView) -> str:
    """How a character in no sub-word is lost: it is ``deleted``, or it ``cuts`` a word; empty if nothing is lost."""
    sign = text[at]
    category = unicodedata.category(sign)
    if category == "Cc" or text[at + 1 : at + 3] == 2 * sign:  # of three and more of a kind two are kept
        return ""
    if category[0] != "M" and category != "Cf" and sign != "ـ":
        return "deleted"
    # A diacritic or format character: nothing is lost unless it splits the word.
    before = int(np.searchsorted(offsets[:, 1], at, side="right")) - 1
    after = int(np.searchsorted(offsets[:, 0], at, side="right"))
    if before < 0 or after >= len(offsets):
        return ""
    start, end = view.word_at(at)
    split = encoding.word_ids[before] != encoding.word_ids[after]
    # A word is always split between a letter and a digit.
    letters = text[offsets[before, 1] - 1].isalpha() and text[offsets[after, 0]].isalpha()
    return "cuts" if split and letters and start < offsets[before, 1] and offsets[after, 0] < end else ""


def _positions(text: str, sign: str) -> Iterator[int]:
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


def _message(surface: str, signs: str) -> str:
    return f"{shown(surface)}: {', '.join(code_point(sign) for sign in dict.fromkeys(signs))}"


def _table(characters: dict[str, _CharacterCounts], *, names: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("character", "deleted", "unknown", "splits words", *(["names"] if names else []))]
    for sign, counts in sorted(characters.items(), key=lambda item: (-item[1].losses.total(), item[0]))[:ROWS]:
        row = (f"{sign if sign.isprintable() else ''} {code_point(sign)}".strip(),)
        row += tuple(str(counts.losses[loss]) for loss in ("deleted", "unknown", "cuts"))
        if names:
            examples = ", ".join(name for name, _ in counts.names.most_common(EXAMPLES))
            row += (f"{sum(counts.names.values())}: {examples}" if examples else "0",)
        rows.append(row)
    return rows
