"""Parses UIMA CAS documents, XMI and JSON, into plain feature structures.

dkpro-cassis is not used for reading: it needs the type system, drops a whole document for one dangling reference, and
does not check offsets that split a character. Here features stay as stored, and are checked where they are used.

Formats: https://uima.apache.org/d/uimaj-current/ref.html (XMI) and
https://github.com/apache/uima-uimaj-io-jsoncas (JSON 0.4.0); for the JSON before that, see `legacy_json`.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from ....errors import shown
from ..common.lines import parse_json
from . import legacy_json

# A document of a million words with its tokens is smaller. Parsers take a multiple of it in memory.
MAX_BYTES = 64 << 20
# Code points that the spans of a document may cover together. Each span stores its surface, so that many long spans in
# a short file would fill the memory.
MAX_COVERED = 64 << 20
_HEAD = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"%(TYPES|FEATURE_STRUCTURES|VIEWS)"')
_XMI = "{http://www.omg.org/XMI}"
_TEXT = "uima.cas.Sofa"
_VIEW = "uima.cas.View"
_INITIAL_VIEW = "_InitialView"
_DEPTH = 3  # the root, feature structures, elements of string arrays
_DIGITS = re.compile("[0-9]{1,18}")


class CasError(ValueError):
    """A file that is not a CAS document or has no text; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """A feature structure.

    Attributes:
        id: unique in the document.
        type: full name of its type, as ``custom.Span``.
        features: name → a string, number or list as stored. References to other structures are ids: digits in XMI,
            numbers in JSON, where the ``@`` of the name is removed.
    """

    id: int
    type: str
    features: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.type.rpartition('.')[2]} with the id {self.id}"

    def number(self, feature: str) -> int | None:
        """A feature as a whole number; None if it is not one."""
        numbers = _numbers(self.features.get(feature))
        return numbers[0] if len(numbers) == 1 else None


@dataclass(kw_only=True, slots=True)
class Cas:
    """A document, of which one view is read.

    Attributes:
        structures: feature structures by id, in the order of the file.
        views: id of a view (subject of analysis) → ids of the structures in its index.
        problems: (cause, message) of each structure that could not be read.
        text: the text of the view that is read.
        sofa: id of that view.
        members: ids of the structures in its index; others were deleted, or are parts of structures.
    """

    structures: dict[int, Structure] = field(default_factory=dict)
    views: dict[int, frozenset[int]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    sofa: int = -1
    members: frozenset[int] = frozenset()

    def add(self, name: object, type: object, features: Mapping[str, Any]) -> None:
        """Add a structure; one without an id or a type, or with the id of another, is a problem."""
        number = _numbers(name)
        if len(number) != 1 or not isinstance(type, str) or not type:
            self.problems.append(("no id", f"{shown(type)} with the id {shown(name)}; a structure needs both"))
        elif number[0] in self.structures:
            message = f"id {number[0]} of a {shown(type)} is used by a {self.structures[number[0]].type}"
            self.problems.append(("duplicate id", message))
        else:
            self.structures[number[0]] = Structure(id=number[0], type=type, features=features)

    def choose_view(self) -> None:
        """Choose the initial view, or the only one.

        Raises:
            CasError: there is none, or it has no text.
        """
        texts = [structure for structure in self.structures.values() if structure.type == _TEXT]
        first = [structure for structure in texts if structure.features.get("sofaID") == _INITIAL_VIEW] or texts
        if len(first) != 1:
            raise CasError(f"it has {len(texts)} subjects of analysis (Sofa); exactly one must be {_INITIAL_VIEW}")
        text, self.sofa = first[0].features.get("sofaString"), first[0].id
        if not isinstance(text, str):
            raise CasError(f"its text (sofaString) is {shown(text)}; export the document with its text")
        self.text, self.members = text, self.views.get(self.sofa, frozenset())
        for other in texts:
            if other.id != self.sofa:
                message = f"the text of view {shown(other.features.get('sofaID'))} is not read"
                self.problems.append(("other view", message))

    def referred(self, structure: Structure, feature: str) -> tuple[list[Structure], list[int]]:
        """The structures that a feature refers to, directly or in an array, and the ids that the file lacks."""
        numbers = _numbers(structure.features.get(feature))
        array = self.structures.get(numbers[0]) if len(numbers) == 1 else None
        if array is not None and "elements" in array.features:
            numbers = _numbers(array.features["elements"])
        found = [self.structures[number] for number in numbers if number in self.structures]
        return found, [number for number in numbers if number not in self.structures]

    def strings(self, structure: Structure, feature: str) -> tuple[str, ...]:
        """The values of a string feature, single or an array; empty if there are none."""
        value = structure.features.get(feature)
        referred = self.structures.get(structure.number(feature) or 0)
        if referred is not None and referred.type in ("uima.cas.StringArray", "uima.cas.String[]"):
            value = referred.features.get("elements")
        values = value if isinstance(value, list) else [value]
        return tuple(item for item in values if isinstance(item, str) and item)


def is_cas_json(path: Path) -> bool:
    """Whether a file starts like CAS JSON."""
    with open(path, "rb") as file:
        return is_cas_json_head(file.read(4096))


def is_cas_json_head(head: bytes) -> bool:
    """Whether content starts like CAS JSON."""
    return (_HEAD.match(head) or legacy_json.HEAD.match(head)) is not None


def parse_cas(content: bytes, *, json: bool) -> Cas:
    """The initial view of a document, or its only one.

    Args:
        content: of its file.
        json: the content is JSON; other content is XMI unless it starts like CAS JSON.

    Raises:
        CasError: it is not XML or JSON, declares a document type or entities, or has no text.
    """
    if content.removeprefix(b"\xef\xbb\xbf").startswith(b"#FORMAT=WebAnno TSV"):
        raise CasError("it is WebAnno TSV; export it as UIMA CAS XMI or UIMA CAS JSON 0.4.0")
    cas = _of_json(content) if json or is_cas_json_head(content) else _of_xmi(content)
    cas.choose_view()
    return cas


def _of_xmi(content: bytes) -> Cas:
    parser = defusedxml.ElementTree.DefusedXMLParser(target=_XmiTarget(), forbid_dtd=True)
    try:
        parser.feed(content)
        return parser.close()  # pyright: ignore[reportReturnType]  (as the target's)
    except DefusedXmlException as error:
        raise CasError(f"it declares a document type or entities, which are not read: {error}") from error
    except CasError:
        raise
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise CasError(f"it is not XML that can be read: {error}; export it as UIMA CAS XMI (XML 1.0)") from error


class _XmiTarget:
    """Target of the XML parser: collects feature structures without a tree, and rejects deeper ones."""

    def __init__(self) -> None:
        self.document = Cas()
        self._open: list[str] = []
        self._features: dict[str, Any] = {}
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._open.append(tag)
        if len(self._open) > _DEPTH or self._open[0] != f"{_XMI}XMI":
            raise CasError(f"element {shown(tag)} is not of an XMI file: the root is xmi:XMI, elements nest two deep")
        if len(self._open) == 2:
            self._features = dict(attributes)
        self._text = []

    def data(self, text: str) -> None:
        if len(self._open) == _DEPTH:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if len(self._open) == _DEPTH:
            values = self._features.setdefault(tag, [])
            if isinstance(values, list):
                values.append("".join(self._text))
        elif len(self._open) == 2:
            self._structure(tag)
        self._open.pop()

    def _structure(self, tag: str) -> None:
        features, kind = self._features, _type_of(tag)
        if kind == _VIEW:
            members = frozenset(_numbers(features.get("members")))
            self.document.views.update(dict.fromkeys(_numbers(features.get("sofa")), members))
        elif kind != "uima.cas.NULL":
            self.document.add(features.pop(f"{_XMI}id", None), kind, features)

    def close(self) -> Cas:
        if not self.document.structures:
            raise CasError("it has no feature structures")
        # The parser is in a reference cycle, which is freed late.
        document, self.document = self.document, Cas()
        return document


def _type_of(tag: str) -> str:
    """The type of an element: ``{http:///custom.ecore}Span`` is ``custom.Span``."""
    space, _, name = tag.rpartition("}")
    package = space.removeprefix("{http:///").removesuffix(".ecore").replace("/", ".")
    return name if package == "uima.noNamespace" else f"{package}.{name}"


def _of_json(content: bytes) -> Cas:
    try:
        document = parse_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise CasError(f"it is not JSON that can be read: {error}") from error
    found = Cas()
    if isinstance(document, dict) and "_views" in document:
        legacy = legacy_json.read_legacy(document)
        for structure in legacy.structures:
            found.add(*structure)
        found.views = legacy.views
        return found
    structures = document.get("%FEATURE_STRUCTURES") if isinstance(document, dict) else None
    if isinstance(structures, dict):  # older versions
        structures = [{"%ID": key, **item} if isinstance(item, dict) else item for key, item in structures.items()]
    if not isinstance(structures, list):
        raise CasError('it is not CAS JSON, an object with a list "%FEATURE_STRUCTURES"')
    for item in structures:
        if isinstance(item, dict):
            features = {key.lstrip("@#^"): value for key, value in item.items() if not key.startswith("%")}
            if "%ELEMENTS" in item:
                features["elements"] = item["%ELEMENTS"]
            found.add(item.get("%ID"), item.get("%TYPE"), features)
        else:
            found.problems.append(("not a structure", f"{shown(item)} is not a feature structure, which is an object"))
    views = document.get("%VIEWS")
    for view in views.values() if isinstance(views, dict) else ():
        if isinstance(view, dict):
            members = frozenset(_numbers(view.get("%MEMBERS")))
            found.views.update(dict.fromkeys(_numbers(view.get("%SOFA")), members))
    return found


def _numbers(value: Any) -> list[int]:
    """The ids in a value: a number, digits separated by spaces, or a list of these; empty if any item is not an id."""
    if isinstance(value, str):
        items: Iterable[Any] = value.split()
    else:
        items = value if isinstance(value, list) else [value]
    found = []
    for item in items:
        if isinstance(item, str) and _DIGITS.fullmatch(item):
            found.append(int(item))
        elif type(item) is int and 0 <= item < 10**18:
            found.append(item)
        else:
            return []
    return found
