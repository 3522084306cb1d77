"""The text of a document in a DocBin file, and its spans in code points."""

import struct
from typing import Any

import numpy as np

from ....errors import shown
from ...problems import ArticleLog
from .msgpack import unpack
from .names import Row
from .parts import ENT_ID, ENT_IOB, ENT_TYPE, ORTH, StoredDoc

_BEGIN, _INSIDE, _MISSING = 3, 1, 0
_SPAN = struct.Struct(">QQQllll")  # hashes of id, knowledge base id and label; first and last token; code points


class DocSpans:
    """The text and the spans of a document.

    Attributes:
        text: the tokens with the spaces between them.
        starts: offset of each token # [T]
        ends: end offset of each token, exclusive # [T]
    """

    def __init__(self, doc: StoredDoc, strings: Any, most: int) -> None:
        """Build the text.

        Args:
            doc: the document.
            strings: spaCy's string store with the strings of the file.
            most: limit on the length of the text, in code points.

        Raises:
            ValueError: the text is too long, or a token is not in the string store.
        """
        self.doc = doc
        self.strings = strings
        surfaces = [self._string(key, "a token") for key in doc.columns[ORTH].tolist()]
        widths = np.array([len(surface) for surface in surfaces], dtype=np.int64)
        stops = np.cumsum(widths + doc.spaces)
        if len(stops) and stops[-1] > most:
            raise ValueError(f"its text has {stops[-1]} characters, more than the limit of {most}")
        self.ends: list[int] = (stops - doc.spaces).tolist()
        self.starts: list[int] = (stops - doc.spaces - widths).tolist()
        pairs = zip(surfaces, doc.spaces.tolist(), strict=True)
        self.text = "".join(surface + " " * space for surface, space in pairs)

    def ents(self, log: ArticleLog) -> list[Row]:
        """The spans of ``Doc.ents``."""
        columns, length = self.doc.columns, len(self.starts)
        if ENT_IOB not in columns or ENT_TYPE not in columns:
            return []
        tags, labels = columns[ENT_IOB].tolist(), columns[ENT_TYPE].tolist()
        names = columns[ENT_ID].tolist() if ENT_ID in columns else [0] * length
        rows: list[Row | None] = []
        first = None
        for at in range(length + 1):
            continues = at < length and tags[at] == _INSIDE and first is not None and labels[at] == labels[first]
            if first is not None and not continues:
                rows.append(self._row(first, at, labels[first], names[first], log))
                first = None
            if at < length and first is None and tags[at] in (_BEGIN, _INSIDE) and labels[at]:
                first = at
        return [row for row in rows if row is not None]

    def missing_ents(self) -> tuple[int, int]:
        """The number of tokens that ``Doc.ents`` says nothing of, not even that they are outside; and of all tokens.

        White space does not count.
        """
        visible = [at for at in range(len(self.starts)) if not self.text[self.starts[at] : self.ends[at]].isspace()]
        if ENT_IOB not in self.doc.columns:
            return len(visible), len(visible)
        tags = self.doc.columns[ENT_IOB].tolist()
        return sum(tags[at] == _MISSING for at in visible), len(visible)

    def groups(self, log: ArticleLog) -> dict[str, list[list[Row]]]:
        """The span groups (``Doc.spans``) by key; several keys may share a group."""
        stored = self.doc.groups
        if not isinstance(stored, bytes) or not stored:
            return {}
        try:
            content = unpack(stored)
            pairs = list(content.items()) if isinstance(content, dict) else [(group, None) for group in content or ()]
            groups = [(unpack(group), keys) for group, keys in pairs]
        except (ValueError, TypeError) as error:
            log.drop("spans left out", f"the span groups of document {log.line} cannot be read: {error}")
            return {}
        found: dict[str, list[list[Row]]] = {}
        for group, keys in groups:
            if not isinstance(group, dict) or not isinstance(group.get("spans"), list):
                log.drop("spans left out", "a span group is not a map with spans")
                continue
            rows = [row for span in group["spans"] if (row := self._stored_row(span, log)) is not None]
            for key in dict.fromkeys(map(str, keys if isinstance(keys, list) else [group.get("name")])):
                found.setdefault(key, []).append(rows)
        return found

    def _stored_row(self, span: Any, log: ArticleLog) -> Row | None:
        """A span of a group; None, and logged, if its tokens are missing or at other offsets than it says."""
        if not isinstance(span, bytes) or len(span) != _SPAN.size:
            log.drop("spans left out", "a span has the wrong size")
            return None
        name, _, label, first, stop, start, end = _SPAN.unpack(span)
        if not 0 <= first < stop <= len(self.starts):
            message = f"tokens {first}-{stop} are empty or outside of {len(self.starts)} tokens; the end is exclusive"
            log.drop("span outside the text", message)
        elif (self.starts[first], self.ends[stop - 1]) != (start, end):
            place = f"{self.starts[first]}-{self.ends[stop - 1]}"
            log.drop("offsets disagree", f"tokens {first}-{stop} are at {place} but the span says {start}-{end}")
        else:
            return self._row(first, stop, label, name, log)
        return None

    def _row(self, first: int, stop: int, label: int, name: int, log: ArticleLog) -> Row | None:
        """A span of tokens; None, and logged, if its label is unknown. An unknown id becomes empty."""
        try:
            known = self._string(name, "an id")
        except ValueError as error:
            log.fix("id not known", str(error))
            known = ""
        try:
            return self.starts[first], self.ends[stop - 1], self._string(label, "a label"), known
        except ValueError as error:
            log.drop("no label", f"a span of tokens {first}-{stop}: {error}")
            return None

    def _string(self, key: int, what: str) -> str:
        try:
            return self.strings[key]
        except KeyError as error:
            raise ValueError(f"the string of {what} ({shown(key)}) is not in the file's table") from error
