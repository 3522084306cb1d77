"""Legacy UIMA CAS JSON, as WebAnno and INCEpTION exported it until 2022.

``_views`` has the structures of each view by the short names of their types, ``_referenced_fss`` those that others
refer to, by id. A structure can also stand inside of another. ``_context`` has the full names of types.

Source: https://uima.apache.org/d/uimaj-2.10.4/references.html#ugr.ref.json.overview
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .names import METADATA_TYPE

HEAD = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"(_context|_views|_referenced_fss)"\s*:')
"""Start of a file."""

_TYPES = {"Sofa": "uima.cas.Sofa", "DocumentMetaData": METADATA_TYPE}  # that the context may lack
_DEEPEST = 20  # structures inside of structures


@dataclass(kw_only=True)
class LegacyCas:
    """The structures of a document.

    Attributes:
        structures: id, type and features of each structure.
        views: id of the text of a view → ids of the structures in its index.
    """

    structures: list[tuple[Any, Any, dict[str, Any]]] = field(default_factory=list)
    views: dict[int, frozenset[int]] = field(default_factory=dict)


def read_legacy(content: Mapping[str, Any]) -> LegacyCas:
    """The structures of a parsed file. What is no structure in it is passed over."""
    referenced = _mapping(content.get("_referenced_fss"))
    types = _mapping(_mapping(content.get("_context")).get("_types"))
    reader = _StructureReader(
        types={name: _mapping(entry).get("_id", name) for name, entry in types.items()},
        last=max((int(id) for id in referenced if _is_id(id)), default=0),
    )
    sofas: dict[Any, int] = {}
    for id, structure in referenced.items():
        features = reader.add(id, _mapping(structure), "", 0)
        if _is_id(id) and isinstance(name := features.get("sofaID"), str):
            sofas[name] = int(id)
    for view, by_type in _mapping(content.get("_views")).items():
        sofa = {"sofa": sofas[view]} if view in sofas else {}
        members = [
            item if type(item) is int else reader.nested(sofa | dict(_mapping(item)), name, 0)
            for name, items in _mapping(by_type).items()
            for item in (items if isinstance(items, list) else ())
        ]
        if sofa:
            reader.found.views[sofa["sofa"]] = frozenset(members)
    return reader.found


@dataclass(kw_only=True)
class _StructureReader:
    """Collects structures; those without an id get the next one.

    Attributes:
        types: short name → full name.
        last: the highest id so far.
        found: the result.
    """

    types: Mapping[str, Any]
    last: int
    found: LegacyCas = field(default_factory=LegacyCas)

    def nested(self, structure: Mapping[str, Any], name: str, depth: int) -> int:
        """Add a structure without an id, of the type ``name`` unless it has another; returns its new id."""
        self.last += 1
        id = self.last
        self.add(id, structure, name, depth)
        return id

    def add(self, id: Any, structure: Mapping[str, Any], name: str, depth: int) -> dict[str, Any]:
        """Add a structure and those inside of it; returns its features."""
        features = {key: self._value(value, depth) for key, value in structure.items() if not key.startswith("_")}
        if "_collection" in structure:  # an array that several structures refer to
            features["elements"] = self._value(structure["_collection"], depth)
        if "end" in features:
            features.setdefault("begin", 0)  # zeros may be left out
        short = structure.get("_type", name)
        full = self.types.get(short, _TYPES.get(short, short)) if isinstance(short, str) else short
        self.found.structures.append((id, full, features))
        return features

    def _value(self, value: Any, depth: int) -> Any:
        """A feature with ids in the place of structures."""
        if depth >= _DEEPEST:
            return None
        if isinstance(value, dict):
            return self.nested(value, "", depth + 1)
        return [self._value(item, depth + 1) for item in value] if isinstance(value, list) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_id(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) < 18
