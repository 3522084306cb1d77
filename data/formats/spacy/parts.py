"""The parts of a DocBin file, checked; nothing is made of them here that spaCy would trust."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .msgpack import unpack

# A token has 24 to 104 bytes, mostly zeros and repeated hashes: good files shrink 10 to 30 times.
_RATIO, _FREE_BYTES, _MAX_BYTES = 200, 16 << 20, 1 << 30
# Code points that the spans of a document cover together: an article holds a copy of what each one covers, so that
# many long spans in a short file would fill the memory.
MAX_COVERED = 64 << 20
_TOKEN_WIDTH = 64  # code points of a token and its space that are not suspicious, however often it comes
ORTH, ENT_IOB, ENT_TYPE, ENT_ID = 65, 77, 78, 454  # spacy.attrs, fixed by the format


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDoc:
    """One document as stored.

    Attributes:
        columns: number of an attribute → its values, hashes or tags # [T]
        spaces: whether a space follows each token # [T]
        cats, groups, user_data: as stored, None where they are not.
    """

    columns: dict[int, np.ndarray]
    spaces: np.ndarray
    cats: Any
    groups: Any
    user_data: Any


class StoredDocs:
    """The parts of a file, checked against each other; iterated over, its documents.

    Attributes:
        strings: what the hashes stand for.
        most_text: code points that the documents may have together; a short file can name a long token a million times.

    Raises:
        ValueError: it unpacks to too much, a part is missing, or their lengths disagree.
    """

    def __init__(self, path: Path) -> None:
        content = unpack(_inflated(path))
        if not isinstance(content, dict):
            raise ValueError("it is not a map of attrs, tokens, spaces, lengths and strings")
        attrs, strings = content.get("attrs"), content.get("strings")
        if not isinstance(attrs, list) or not all(type(attr) is int for attr in attrs) or ORTH not in attrs:
            raise ValueError("its attrs are not numbers with that of the token's text among them")
        if not isinstance(strings, list) or not all(isinstance(string, str) for string in strings):
            raise ValueError("its strings are not a list of strings")
        tokens, spaces, lengths = (
            _array(content, key, dtype) for key, dtype in (("tokens", "<u8"), ("spaces", "u1"), ("lengths", "<i4"))
        )
        count = int(lengths.sum(dtype=np.int64))
        if (lengths < 0).any() or count * len(attrs) != len(tokens) or count != len(spaces):
            raise ValueError("the numbers of its tokens, spaces and lengths disagree")
        self.strings: list[str] = strings
        self.most_text = sum(map(len, strings)) + _TOKEN_WIDTH * count
        self._attrs = attrs
        self._tokens = tokens.reshape(count, len(attrs))
        self._spaces = spaces
        self._lengths = lengths
        self._parts = content

    def __iter__(self) -> Iterator[StoredDoc]:
        first = 0
        for number, length in enumerate(self._lengths.tolist()):
            rows = slice(first, first + length)
            first += length
            flags = self._part("flags", number)
            unknown = isinstance(flags, dict) and flags.get("has_unknown_spaces")
            yield StoredDoc(
                columns={attr: self._tokens[rows, column] for column, attr in enumerate(self._attrs)},
                spaces=np.ones(length, dtype=bool) if unknown else self._spaces[rows].astype(bool),
                cats=self._part("cats", number),
                groups=self._part("span_groups", number),
                user_data=self._part("user_data", number),
            )

    def _part(self, key: str, number: int) -> Any:
        part = self._parts.get(key)
        return part[number] if isinstance(part, list) and number < len(part) else None


def _inflated(path: Path) -> bytes:
    content = path.read_bytes()
    limit = min(max(_FREE_BYTES, _RATIO * len(content)), _MAX_BYTES)
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(content, limit)
    except zlib.error as error:
        raise ValueError(f"it is not compressed as DocBin files are ({error})") from error
    if not inflater.eof:
        full = len(inflated) == limit
        raise ValueError(f"it unpacks to more than {limit >> 20} MiB" if full else "it ends in the middle")
    return inflated


def _array(content: dict[str, Any], key: str, dtype: str) -> np.ndarray:
    value = content.get(key)
    if not isinstance(value, bytes) or len(value) % np.dtype(dtype).itemsize:
        raise ValueError(f"its {key} are not an array")
    return np.frombuffer(value, dtype=dtype)
