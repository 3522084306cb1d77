"""Label schemes: the entity labels, event types and roles of a project, with their definitions."""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
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
        entities: of a role, the entity labels that its arguments may have; empty for any.
        events: of a role, the event types that may have it; empty for any.
    """

    name: str
    definition: str = ""
    arabic: str = ""
    examples: tuple[str, ...] = ()
    color: str = ""
    entities: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


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

    def allows(self, event: str, role: str, entity: str) -> bool:
        """Whether an event of a type may have an entity with a label in a role; false for a role that is unknown.

        >>> date = Label(name="Date", entities=("DATE",))
        >>> scheme = LabelScheme(name="x", roles={"Date": date})
        >>> scheme.allows("AID", "Date", "DATE"), scheme.allows("AID", "Date", "PER")
        (True, False)
        """
        label = self.roles.get(role)
        if label is None:
            return False
        return (not label.entities or entity in label.entities) and (not label.events or event in label.events)

    def hint(self, kind: str, label: str) -> str:
        """The scheme's name and the most similar label, for an error message; without one, all labels."""
        known = tuple(getattr(self, kind))
        near = did_you_mean(label, known)
        return f"{self.name!r}; {near}" if near else f"{self.name!r} ({', '.join(known) or 'none'})"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-compatible form; `from_dict` reads it."""
        kinds = {kind: {name: _plain(label) for name, label in getattr(self, kind).items()} for kind in _KINDS}
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
        problems += _unknown_in_roles(labels)
        if problems:
            raise SchemeError("\n".join(f"{source}: {problem}" for problem in problems))
        return cls(name=content["name"], **labels)


_KINDS = ("entities", "events", "roles")
_KEYS = ("definition", "arabic", "examples", "color")
_LIMITS = ("entities", "events")  # further keys of roles


def _plain(label: Label) -> dict[str, Any]:
    """A label in a JSON-compatible form; limits of a role only where there are some."""
    limits = {key: getattr(label, key) for key in _LIMITS if getattr(label, key)}
    return {key: getattr(label, key) for key in _KEYS} | limits


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
            labels[name] = _label(kind, name, entry or {}, problems)
    return labels


def _label(kind: str, name: str, entry: Mapping[str, Any], problems: list[str]) -> Label:
    where = f"{kind}: {name}"
    if "colour" in entry:  # version 0.1
        entry = {"color" if key == "colour" else key: value for key, value in entry.items()}
    keys = (*_KEYS, *_LIMITS) if kind == "roles" else _KEYS
    for key in entry:
        if key in _LIMITS and key not in keys:
            problems.append(f"{where}: only roles have the key {key!r}")
        elif key not in keys:
            problems.append(f"{where}: {_unknown(key, keys)}")
    texts = {key: "" if entry.get(key) is None else entry[key] for key in ("definition", "arabic", "color")}
    examples, entities, events = (
        _list(entry.get(key), f"{where}: {key}", problems) for key in ("examples", "entities", "events")
    )
    for key, value in texts.items():
        if not isinstance(value, str):
            problems.append(f"{where}: {key}: {value!r} must be text; put it in quotes")
    if isinstance(texts["color"], str) and not re.fullmatch(r"(?:#[0-9a-fA-F]{6})?", texts["color"]):
        problems.append(f"{where}: color: {texts['color']!r} must be written as '#rrggbb', in quotes")
    return Label(name=name, **texts, examples=examples, entities=entities, events=events)


def _list(value: Any, where: str, problems: list[str]) -> tuple[str, ...]:
    """A list of texts; errors are appended to ``problems``."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):  # a text would be split into its letters
        problems.append(f"{where}: {value!r} must be a list: [a, b]")
        return ()
    problems += [f"{where}: {item!r} must be text; put it in quotes" for item in value if not isinstance(item, str)]
    return tuple(item for item in value if isinstance(item, str))


def _unknown_in_roles(labels: Mapping[str, Mapping[str, Label]]) -> Iterator[str]:
    """Messages about entity labels and event types that a role names and the scheme lacks."""
    for role in labels["roles"].values():
        for kind in _LIMITS:
            known = tuple(labels[kind])
            for name in getattr(role, kind):
                if name not in known:
                    hint = did_you_mean(name, known) or f"the scheme has {', '.join(known) or 'none'}"
                    yield f"roles: {role.name}: {kind}: {name!r} is not among the {kind}; {hint}"


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
