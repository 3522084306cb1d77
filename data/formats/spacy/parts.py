"""Unpacks a DocBin file and checks that its parts fit together."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .msgpack import unpack

# Limits on the uncompressed size: valid files compress 10 to 30 times.
_MAX_RATIO, _FREE_BYTES, _MAX_BYTES = 200, 16 << 20, 1 << 30
# Code points that the spans of a document may cover together. Each span stores its surface, so that many long spans in
# a short file would fill the memory.
MAX_COVERED = 64 << 20
_TOKEN_WIDTH = 64  # code points that a token and its space may have, however often it occurs
ORTH, ENT_IOB, ENT_TYPE, ENT_ID = 65, 77, 78, 454  # of spacy.attrs; the format fixes them


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDoc:
    """One document as stored.

    Attributes:
        columns: number of an attribute → its values, hashes or tags # [T]
        spaces: whether a space follows each token # [T]
        cats: categories as stored; None if there are none.
        groups: span groups as stored; None if there are none.
        user_data: as stored; None if there are none.
    """

    columns: dict[int, np.ndarray]
    spaces: np.ndarray
    cats: Any
    groups: Any
    user_data: Any


class StoredDocs:
    """The content of a file; iterating yields its documents.

    Attributes:
        strings: the strings that were hashed.
        most_text: limit on the code points of all documents; a short file can repeat a long token a million times.

    Raises:
        ValueError: the unpacked file is too large, a part is missing, or lengths disagree.
    """

    def __init__(self, path: Path) -> None:
        content = unpack(_inflated(path))
        if not isinstance(content, dict):
            raise ValueError("it is not a map of attrs, tokens, spaces, lengths and strings")
        attrs, strings = content.get("attrs"), content.get("strings")
        if not isinstance(attrs, list) or not all(type(attr) is int for attr in attrs) or ORTH not in attrs:
            raise ValueError("its attrs are not numbers, or lack the token text (ORTH)")
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
    limit = min(max(_FREE_BYTES, _MAX_RATIO * len(content)), _MAX_BYTES)
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(content, limit)
    except zlib.error as error:
        raise ValueError(f"it is not compressed like DocBin files ({error})") from error
    if not inflater.eof:
        full = len(inflated) == limit
        raise ValueError(f"it unpacks to more than {limit >> 20} MiB" if full else "it is truncated")
    return inflated


def _array(content: dict[str, Any], key: str, dtype: str) -> np.ndarray:
    value = content.get(key)
    if not isinstance(value, bytes) or len(value) % np.dtype(dtype).itemsize:
        raise ValueError(f"its {key} are not an array")
    return np.frombuffer(value, dtype=dtype)
