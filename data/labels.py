"""Label schemes: the entity labels, event types and roles of a project, with their definitions."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..configs import BUILT_IN
from ..configs.tree import ConfigError, parse_file
from ..errors import RasidError, did_you_mean

logger = logging.getLogger(__name__)

KINDS = {
    "entities": "entities",
    "triggers": "events",
    "arguments": "roles",
    "sentence_types": "events",
    "article_types": "events",
}
"""Task → the labels of a scheme that it has. Proclitics have none."""


class SchemeError(RasidError, ValueError):
    """A label scheme that does not exist or is not valid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A label.

    Attributes:
        name: the label.
        definition: in English.
        arabic: definition in Arabic.
        examples: surfaces that have this label.
        color: background color for display, ``#rrggbb``.
    """

    name: str
    definition: str = ""
    arabic: str = ""
    examples: tuple[str, ...] = ()
    color: str = ""


@dataclass(frozen=True, kw_only=True)
class LabelScheme:
    """The labels of all tasks. Their order is that of a model's outputs."""

    name: str
    entities: Mapping[str, Label] = field(default_factory=dict)
    events: Mapping[str, Label] = field(default_factory=dict)
    roles: Mapping[str, Label] = field(default_factory=dict)

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of a task, in order.

        Raises:
            KeyError: the task has no labels.

        >>> LabelScheme(name="x", events={"AID": Label(name="AID")}).labels("triggers")
        ('AID',)
        """
        if task not in KINDS:
            raise KeyError(f"task {task!r} has no labels")
        return tuple(getattr(self, KINDS[task]))

    def hint(self, kind: str, label: str) -> str:
        """The scheme's name and the most similar label, for an error message; without one, all labels."""
        known = tuple(getattr(self, kind))
        near = did_you_mean(label, known)
        return f"{self.name!r}; {near}" if near else f"{self.name!r} ({', '.join(known) or 'none'})"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-compatible form; `from_dict` reads it."""
        kinds = {
            kind: {name: {key: getattr(label, key) for key in _KEYS} for name, label in getattr(self, kind).items()}
            for kind in _KINDS
        }
        return {"name": self.name, **kinds}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str = "scheme") -> "LabelScheme":
        """Read the content of a YAML file, or of a bundle.

        Args:
            content: ``name``, and for each of ``entities``, ``events`` and ``roles`` a mapping of labels.
            source: name of the file, for messages.

        Raises:
            SchemeError: with all errors, a line each.
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("name"), str) or not content["name"]:
            raise SchemeError(f"{source}: a scheme is a mapping with a name (text) and entities, events, roles")
        problems = [_unknown(key, ("name", *_KINDS)) for key in content if key not in ("name", *_KINDS)]
        labels = {kind: _labels(kind, content.get(kind), problems) for kind in _KINDS}
        if problems:
            raise SchemeError("\n".join(f"{source}: {problem}" for problem in problems))
        return cls(name=content["name"], **labels)


_KINDS = ("entities", "events", "roles")
_KEYS = ("definition", "arabic", "examples", "color")


def _unknown(key: Any, known: Sequence[str]) -> str:
    """The message about an unknown key."""
    return f"unknown key {key!r}; {did_you_mean(str(key), known) or 'the keys here are ' + ', '.join(known)}"


def _labels(kind: str, entries: Any, problems: list[str]) -> dict[str, Label]:
    """The labels of one kind; errors are appended to ``problems``."""
    if entries is not None and not isinstance(entries, Mapping):
        problems.append(f"{kind}: must map label names to their definitions, not be {entries!r}")
        return {}
    labels: dict[str, Label] = {}
    for name, entry in (entries or {}).items():
        where = f"{kind}: {name}"
        if not isinstance(name, str) or not name or "+" in name or any(c.isspace() for c in name):
            problems.append(f"{kind}: label {name!r} must be text without white space or '+'")
        elif entry is not None and not isinstance(entry, Mapping):
            problems.append(f"{where}: {entry!r} must be a mapping; write `definition: …` below the label")
        else:
            labels[name] = _label(name, entry or {}, where, problems)
    return labels


def _label(name: str, entry: Mapping[str, Any], where: str, problems: list[str]) -> Label:
    if "colour" in entry:  # version 0.1
        entry = {"color" if key == "colour" else key: value for key, value in entry.items()}
    problems += [f"{where}: {_unknown(key, _KEYS)}" for key in entry if key not in _KEYS]
    texts = {key: "" if entry.get(key) is None else entry[key] for key in ("definition", "arabic", "color")}
    examples = [] if entry.get("examples") is None else entry["examples"]
    if not isinstance(examples, list | tuple):  # a text would be split into its letters
        problems.append(f"{where}: examples: {examples!r} must be a list: [a, b]")
        examples = []
    for key, value in (*texts.items(), *(("examples", example) for example in examples)):
        if not isinstance(value, str):
            problems.append(f"{where}: {key}: {value!r} must be text; put it in quotes")
    if isinstance(texts["color"], str) and not re.fullmatch(r"(?:#[0-9a-fA-F]{6})?", texts["color"]):
        problems.append(f"{where}: color: {texts['color']!r} must be written as '#rrggbb', in quotes")
    return Label(name=name, **texts, examples=tuple(examples))


def load_scheme(name_or_path: str | Path) -> LabelScheme:
    """Load a built-in scheme (`news`, `anercorp`, `wojood`), or a YAML file.

    Raises:
        SchemeError: there is no such scheme, or the file is not valid.
    """
    file, folder = Path(name_or_path), BUILT_IN / "schemes"
    if file.suffix not in (".yaml", ".yml"):
        names = sorted(path.stem for path in folder.glob("*.yaml"))
        if str(name_or_path) not in names:
            hint = did_you_mean(str(name_or_path), names) or "to load a file, name one that ends in .yaml"
            raise SchemeError(f"no built-in scheme {str(name_or_path)!r} (there are {', '.join(names)}); {hint}")
        file = folder / f"{name_or_path}.yaml"
    elif not file.is_file():
        raise SchemeError(f"{file}: no such scheme file")
    problems: list[str] = []
    try:
        content = parse_file(file, problems).plain()
    except ConfigError as error:
        raise SchemeError("\n".join([*problems, *error.problems])) from error
    if problems:
        raise SchemeError("\n".join(problems))
    if '"colour":' in json.dumps(content):
        logger.warning("%s: colour is now called color", file)
    return LabelScheme.from_dict(content, str(file))
