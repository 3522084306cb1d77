"""The text of an HTML task as Label Studio counts it: the text nodes of the body, joined, with a line end for ``<br>``.

Source: `findGlobalOffset` in `libs/editor/src/utils/selection-tools.js` of https://github.com/HumanSignal/label-studio.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_MARKUP = re.compile(r"<[a-zA-Z!/]|&#?\w+;")
_OUTER = re.compile(r"^(?:/html\[1\])?(?:/body\[1\])?")
_MAX_DEPTH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class HtmlPage:
    """The text of an HTML page.

    Attributes:
        text: its text nodes, joined; character references are decoded.
        nodes: XPath of a text node, from the body → offset where it starts in the text.
    """

    text: str
    nodes: Mapping[str, int]

    def offset_of(self, path: str) -> int | None:
        """Where a text node starts; None if there is none at the path."""
        return self.nodes.get(_OUTER.sub("", path))


def has_markup(text: str) -> bool:
    """Whether a text has a tag or a character reference."""
    return _MARKUP.search(text) is not None


def parse_page(source: str) -> HtmlPage:
    """The text of an HTML page, or of a part of one. Broken HTML gives what can be read of it."""
    parser = _TextNodes()
    parser.feed(source.replace("\r\n", "\n").replace("\r", "\n"))
    parser.close()
    return HtmlPage(text="".join(parser.pieces), nodes=parser.nodes)


class _TextNodes(HTMLParser):
    """Collects text nodes with their paths."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.nodes: dict[str, int] = {}
        self._length = 0
        # Open elements: name, path, number of children of each name.
        self._open: list[tuple[str, str, Counter[str]]] = [("", "", Counter())]
        self._in_head = self._in_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self._in_text = False
        if tag in ("html", "head", "body"):
            if tag == "body":  # what stands before it, such as white space, is no part of it
                self.pieces, self.nodes, self._length = [], {}, 0
                self._open = [("", "", Counter())]
            self._in_head = tag == "head"
            return
        _, path, children = self._open[-1]
        children[tag] += 1
        if tag == "br" and not self._in_head:
            self._add("\n")
        if tag not in _VOID and len(self._open) < _MAX_DEPTH:
            self._open.append((tag, f"{path}/{tag}[{children[tag]}]", Counter()))

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and those in it that were left open."""
        self._in_text = False
        if tag == "head":
            self._in_head = False
        depth = next((at for at in range(len(self._open) - 1, 0, -1) if self._open[at][0] == tag), None)
        if depth is not None:
            del self._open[depth:]

    def handle_data(self, data: str) -> None:
        """Take a text node, or the next part of one."""
        if self._in_head:
            return
        if not self._in_text:
            _, path, children = self._open[-1]
            children["text()"] += 1
            self.nodes[f"{path}/text()[{children['text()']}]"] = self._length
            self._in_text = True
        self._add(data)

    def _add(self, data: str) -> None:
        self.pieces.append(data)
        self._length += len(data)
