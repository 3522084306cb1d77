"""XML files of annotation tools as element trees, with limits on size, depth and number of elements.

A file may name a document type, as ACE does, but it is not fetched. Declarations inside the file are rejected: default
values of attributes can expand as far as entities can.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from ....errors import shown

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML 1.0 does not allow, not even as a reference."""
MAX_BYTES = 16 << 20  # the annotation of an article has some hundred kilobytes
_MAX_ELEMENTS = 200_000  # an element takes half a kilobyte of memory
_MAX_DEPTH = 64  # ACE nests seven deep
_DECLARES = "declares entities or attributes, which are not read; replace them by their values"


class XmlError(ValueError):
    """XML that cannot be read; ``line`` counts from 1, and is 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class XmlElement:
    """An element of an XML document.

    Attributes:
        tag: name, without namespace.
        line: line where it starts, from 1.
        attributes: values by name.
        children: child elements.
        pieces: its own text in pieces, without the text of its children.
    """

    tag: str
    line: int
    attributes: Mapping[str, str]
    children: list["XmlElement"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without the text of its children."""
        return "".join(self.pieces)

    def get(self, name: str) -> str:
        """The value of an attribute; empty if it is missing."""
        return self.attributes.get(name, "")

    def first(self, tag: str) -> "XmlElement | None":
        """The first child with a tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def all(self, *tags: str) -> Iterator["XmlElement"]:
        """Descendants with one of the tags, in order; elements inside a match are not searched."""
        stack = self.children[::-1]
        while stack:
            element = stack.pop()
            if element.tag in tags:
                yield element
            else:
                stack += element.children[::-1]


def is_xml(text: str) -> bool:
    """Whether XML 1.0 allows all characters of a text, if only as references."""
    return NOT_XML.search(text) is None


def parse_xml(content: bytes) -> XmlElement:
    """The root of an XML document of at most `MAX_BYTES`.

    Raises:
        XmlError: it is not well-formed, passes a limit, or declares entities or attributes.
    """
    builder = _TreeBuilder()
    parser = XMLParser(target=builder, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    builder.parser = parser.parser
    parser.parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.feed(content)
        parser.close()
        return builder.close()
    except ParseError as error:
        raise XmlError(f"not XML: {error}", error.position[0]) from error
    except DefusedXmlException as error:
        raise XmlError(f"{_DECLARES}: {error}", builder.line) from error
    except XmlError:
        raise
    except (LookupError, ValueError) as error:  # an unknown encoding, or text that is not in the encoding
        raise XmlError(f"not XML: {error}", builder.line) from error


class _TreeBuilder:
    """Target of the parser; builds the tree."""

    def __init__(self) -> None:
        self.parser: Any = None
        self.root: XmlElement | None = None
        self._open: list[XmlElement] = []
        self._count = 0

    @property
    def line(self) -> int:
        return self.parser.CurrentLineNumber

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if internal:
            raise XmlError(f"the document type of {shown(name)} {_DECLARES}", self.line)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise XmlError(f"the file has more than {_MAX_ELEMENTS} elements; split it", self.line)
        if len(self._open) == _MAX_DEPTH:
            raise XmlError(f"elements nest more than {_MAX_DEPTH} deep", self.line)
        element = XmlElement(tag.rpartition("}")[2], self.line, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def end(self, tag: str) -> None:
        self._open.pop()

    def close(self) -> XmlElement:
        if self.root is None:
            raise XmlError("not XML: no element")
        return self.root
