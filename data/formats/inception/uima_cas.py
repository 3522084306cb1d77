"""UIMA CAS documents, as INCEpTION exports them: XMI and JSON, read into plain feature structures.

dkpro-cassis is not used for reading: it needs the type system beside the file, gives a whole document up for one
dangling reference, and hands offsets that cut a character on as they are. Here a feature structure is what the file
says of it, and what is wrong with it is found where it is used.

The formats: https://uima.apache.org/d/uimaj-current/ref.html (XMI) and
https://github.com/apache/uima-uimaj-io-jsoncas (JSON 0.4.0).
"""

import re
import reprlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from ..common.lines import parse_json

# A document of a million words with its tokens is smaller; more is an attack or a file of another kind, and a parser
# takes a multiple of it in memory.
MAX_BYTES = 64 << 20
# Code points that the spans of a document cover together: an article holds a copy of what each one covers, so that
# many long spans in a short file would fill the memory.
MAX_COVERED = 64 << 20
_HEAD = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"%(TYPES|FEATURE_STRUCTURES|VIEWS)"')
_XMI = "{http://www.omg.org/XMI}"
_TEXT = "uima.cas.Sofa"
_VIEW = "uima.cas.View"
_INITIAL_VIEW = "_InitialView"
_DEPTH = 3  # the root, its feature structures, and the elements of their string arrays
_DIGITS = re.compile("[0-9]{1,18}")


class CasError(ValueError):
    """A file that is no CAS document, or whose text cannot be had; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """A feature structure.

    Attributes:
        id: unique in the document.
        type: full name of its type, ``custom.Span``.
        features: name → a string, number or list as stored. What refers to other structures holds their ids: digits
            in XMI, and in JSON numbers under the name without its ``@``.
    """

    id: int
    type: str
    features: Mapping[str, Any]

    def number(self, feature: str) -> int | None:
        """A feature as a whole number; None where it is none."""
        numbers = _numbers(self.features.get(feature))
        return numbers[0] if len(numbers) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cas:
    """One view of a document.

    Attributes:
        text: as annotated.
        sofa: the id under which structures name this view.
        structures: by id, in the order of the file.
        members: ids of what is indexed in the view; the rest was deleted, or is part of something.
        problems: (cause, message) for structures that could not be read.
    """

    text: str
    sofa: int
    structures: Mapping[int, Structure]
    members: frozenset[int]
    problems: tuple[tuple[str, str], ...] = ()

    def referred(self, structure: Structure, feature: str) -> tuple[list[Structure], list[int]]:
        """What a feature refers to, through an array where it does, and the ids of it that are not in the file."""
        numbers = _numbers(structure.features.get(feature))
        array = self.structures.get(numbers[0]) if len(numbers) == 1 else None
        if array is not None and "elements" in array.features:
            numbers = _numbers(array.features["elements"])
        found = [self.structures[number] for number in numbers if number in self.structures]
        return found, [number for number in numbers if number not in self.structures]

    def strings(self, structure: Structure, feature: str) -> tuple[str, ...]:
        """The values of a string feature, of one or of many; empty where there is none."""
        value = structure.features.get(feature)
        referred = self.structures.get(structure.number(feature) or 0)
        if referred is not None and referred.type in ("uima.cas.StringArray", "uima.cas.String[]"):
            value = referred.features.get("elements")
        values = value if isinstance(value, list) else [value]
        return tuple(item for item in values if isinstance(item, str) and item)


def is_cas_json(path: Path) -> bool:
    """Whether a file starts as a CAS in JSON does."""
    with open(path, "rb") as file:
        return is_cas_json_head(file.read(4096))


def is_cas_json_head(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a CAS in JSON."""
    return _HEAD.match(head) is not None


def read_content(path: Path) -> bytes:
    """The content of a document's file.

    Raises:
        CasError: it is too large, and not read.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise CasError(f"the file has {size >> 20} MiB; a document of more than {MAX_BYTES >> 20} MiB is not read")
    return path.read_bytes()


def parse_cas(content: bytes, *, json: bool) -> Cas:
    """The initial view of a document, or its only one.

    Args:
        content: of its file.
        json: read it as JSON however it starts; else it is XMI, unless it starts as JSON does.

    Raises:
        CasError: it is not XML or JSON, has a document type or entities, or holds no text.
    """
    return _initial_view(_of_json(content) if json or is_cas_json_head(content) else _of_xmi(content))


@dataclass(kw_only=True)
class _Found:
    """What a file holds, views not told apart yet."""

    structures: dict[int, Structure] = field(default_factory=dict)
    views: dict[int, frozenset[int]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: object, type: object, features: Mapping[str, Any]) -> None:
        number = _numbers(name)
        if len(number) != 1 or not isinstance(type, str) or not type:
            self.problems.append(("no id", f"{_short(type)} with the id {_short(name)}; both must be there"))
        elif number[0] in self.structures:
            message = f"id {number[0]} of a {_short(type)} is that of a {self.structures[number[0]].type} already"
            self.problems.append(("duplicate id", message))
        else:
            self.structures[number[0]] = Structure(id=number[0], type=type, features=features)


def _initial_view(found: _Found) -> Cas:
    texts = [structure for structure in found.structures.values() if structure.type == _TEXT]
    first = [structure for structure in texts if structure.features.get("sofaID") == _INITIAL_VIEW] or texts
    if len(first) != 1:
        raise CasError(f"it has {len(texts)} subjects of analysis (Sofa), of which one must be {_INITIAL_VIEW}")
    (sofa,) = first
    text = sofa.features.get("sofaString")
    if not isinstance(text, str):
        raise CasError(f"its text (sofaString) is {_short(text)}; export the document with its text in it")
    problems = [
        ("other view", f"the text of view {_short(other.features.get('sofaID'))} is not read")
        for other in texts
        if other is not sofa
    ]
    return Cas(
        text=text,
        sofa=sofa.id,
        structures=found.structures,
        members=found.views.get(sofa.id, frozenset()),
        problems=(*found.problems, *problems),
    )


def _of_xmi(content: bytes) -> _Found:
    collector = _Collector()
    parser = defusedxml.ElementTree.DefusedXMLParser(target=collector, forbid_dtd=True)
    try:
        parser.feed(content)
        parser.close()
    except DefusedXmlException as error:
        raise CasError(
            f"it has a document type or entities, which no export has and which are not read: {error}"
        ) from error
    except CasError:
        raise
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise CasError(
            f"it is not XML that can be read: {error}; INCEpTION exports it as UIMA CAS XMI (XML 1.0)"
        ) from error
    return collector.found


class _Collector:
    """Takes what the XML parser meets; no tree is built, and what nests deeper than XMI does stops it."""

    def __init__(self) -> None:
        self.found = _Found()
        self._open: list[str] = []
        self._features: dict[str, Any] = {}
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._open.append(tag)
        if len(self._open) > _DEPTH or self._open[0] != f"{_XMI}XMI":
            raise CasError(f"element {_short(tag)} is not of an XMI file: the root is xmi:XMI, with elements two deep")
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
            self.found.views.update(dict.fromkeys(_numbers(features.get("sofa")), members))
        elif kind != "uima.cas.NULL":
            self.found.add(features.pop(f"{_XMI}id", None), kind, features)

    def close(self) -> None:
        if not self.found.structures:
            raise CasError("it holds no feature structures")


def _type_of(tag: str) -> str:
    """The type that a namespace and a name stand for: ``{http:///custom.ecore}Span`` is ``custom.Span``."""
    space, _, name = tag.rpartition("}")
    package = space.removeprefix("{http:///").removesuffix(".ecore").replace("/", ".")
    return name if package == "uima.noNamespace" else f"{package}.{name}"


def _of_json(content: bytes) -> _Found:
    try:
        document = parse_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise CasError(f"it is not JSON that can be read: {error}") from error
    structures = document.get("%FEATURE_STRUCTURES") if isinstance(document, dict) else None
    if isinstance(structures, dict):  # as older versions write them
        structures = [{"%ID": key, **item} if isinstance(item, dict) else item for key, item in structures.items()]
    if not isinstance(structures, list):
        raise CasError('it is not CAS JSON: that is an object with a list "%FEATURE_STRUCTURES"')
    found = _Found()
    for item in structures:
        if isinstance(item, dict):
            features = {key.lstrip("@#^"): value for key, value in item.items() if not key.startswith("%")}
            if "%ELEMENTS" in item:
                features["elements"] = item["%ELEMENTS"]
            found.add(item.get("%ID"), item.get("%TYPE"), features)
        else:
            found.problems.append(
                ("not a structure", f"{_short(item)} among the feature structures; it must be an object")
            )
    views = document.get("%VIEWS")
    for view in views.values() if isinstance(views, dict) else ():
        if isinstance(view, dict):
            members = frozenset(_numbers(view.get("%MEMBERS")))
            found.views.update(dict.fromkeys(_numbers(view.get("%SOFA")), members))
    return found


def _numbers(value: Any) -> list[int]:
    """The ids that a value holds: a number, digits between spaces, or a list of either; empty where any is none."""
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


_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 60


def _short(value: object) -> str:
    return _SHOWN.repr(value)
