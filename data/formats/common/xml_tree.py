"""XML files of annotation tools as trees of plain nodes, within bounds that hostile files cannot pass.

A document type may be named, as ACE does, but it is not fetched, and it may declare nothing: a default value of an
attribute is as good a bomb as an entity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

LARGEST = 16 << 20  # bytes; the annotation of an article takes some hundred kilobytes
_ELEMENTS = 200_000  # a node takes half a kilobyte, so a file of nothing but elements stays at 100 MB
_DECLARES = "declares entities or attributes, which are not read; write out what they stand for"
_DEPTH = 64  # ACE nests seven deep


class XmlError(ValueError):
    """XML that is not read; ``line`` counts from 1, 0 where there is none."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class Node:
    """An element.

    Attributes:
        tag: name, without namespace.
        line: where it starts, from 1.
        attributes: by name.
        children: elements directly in it.
        pieces: its own text, without that of its children, in pieces.
    """

    tag: str
    line: int
    attributes: Mapping[str, str]
    children: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of its children."""
        return "".join(self.pieces)

    def get(self, name: str) -> str:
        """An attribute; empty where it is missing."""
        return self.attributes.get(name, "")

    def first(self, tag: str) -> "Node | None":
        """The first child of that name."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, *tags: str) -> Iterator["Node"]:
        """The elements of those names below it, in order; nothing is looked for inside of them."""
        waiting = self.children[::-1]
        while waiting:
            node = waiting.pop()
            if node.tag in tags:
                yield node
            else:
                waiting += node.children[::-1]


def parse_xml(data: bytes) -> Node:
    """The root of an XML document.

    Raises:
        XmlError: it is not XML; or too large, too deep, of too many elements, or with declarations of its own.
    """
    if len(data) > LARGEST:
        raise XmlError(f"{len(data)} bytes of XML are more than the {LARGEST} that are read; split the file")
    builder = _Builder()
    parser = XMLParser(target=builder, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    builder.place = parser.parser
    parser.parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.feed(data)
        parser.close()
        return builder.close()
    except ParseError as error:
        raise XmlError(f"not XML: {error}", error.position[0]) from error
    except DefusedXmlException as error:
        raise XmlError(f"{_DECLARES}: {error}", builder.line) from error
    except XmlError:
        raise
    except (LookupError, ValueError) as error:  # an encoding that is not known, or not kept to
        raise XmlError(f"not XML: {error}", builder.line) from error


class _Builder:
    """What the parser reports to."""

    def __init__(self) -> None:
        self.place: Any = None
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0

    @property
    def line(self) -> int:
        return self.place.CurrentLineNumber

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if internal:
            raise XmlError(f"the document type of {name[:40]!r} {_DECLARES}", self.line)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > _ELEMENTS:
            raise XmlError(f"more than the {_ELEMENTS} elements that are read; split the file", self.line)
        if len(self._open) == _DEPTH:
            raise XmlError(f"elements nest more than {_DEPTH} deep, which no annotation does", self.line)
        node = Node(tag.rpartition("}")[2], self.line, attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def end(self, tag: str) -> None:
        self._open.pop()

    def close(self) -> Node:
        if self.root is None:
            raise XmlError("not XML: no element")
        return self.root
