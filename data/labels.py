"""Label schemes: which entity labels, event types and roles there are, and what they mean: data, not code."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ..errors import RasidError


class SchemeError(RasidError, ValueError):
    """A label scheme that cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One label: its definition in English and Arabic, examples, and a color for display."""

    name: str
    definition: str = ""
    arabic: str = ""
    examples: tuple[str, ...] = ()
    color: str = ""


@dataclass(frozen=True, kw_only=True)
class LabelScheme:
    """The labels of every task, in a fixed order that a trained model depends on."""

    name: str
    entities: Mapping[str, Label] = field(default_factory=dict)
    events: Mapping[str, Label] = field(default_factory=dict)
    roles: Mapping[str, Label] = field(default_factory=dict)

    def labels(self, task: str) -> tuple[str, ...]:
        """Label names of a task, in order.

        >>> LabelScheme(name="x", events={"AID": Label(name="AID")}).labels("triggers")
        ('AID',)
        """
        match task:
            case "entities":
                return tuple(self.entities)
            case "triggers" | "sentence_types" | "article_types":
                return tuple(self.events)
            case "arguments":
                return tuple(self.roles)
            case _:
                raise KeyError(f"task {task!r} has no labels")

    def hint(self, kind: str, label: str) -> str:
        """The scheme's name and the nearest label, for an error message."""
        known = tuple(getattr(self, kind))
        near = difflib.get_close_matches(label.upper() if kind != "roles" else label, known, n=1)
        return f"{self.name!r}; did you mean {near[0]!r}?" if near else f"{self.name!r} ({', '.join(known) or 'none'})"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-compatible form; `from_dict` reads it back."""

        def plain(labels: Mapping[str, Label]) -> dict[str, Any]:
            return {
                name: {
                    "definition": label.definition,
                    "arabic": label.arabic,
                    "examples": list(label.examples),
                    "color": label.color,
                }
                for name, label in labels.items()
            }

        return {
            "name": self.name,
            "entities": plain(self.entities),
            "events": plain(self.events),
            "roles": plain(self.roles),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str = "scheme") -> "LabelScheme":
        """Read the form that YAML schemes and bundles share.

        Raises:
            SchemeError: with everything that is not as a scheme should be, a line each.
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("name"), str) or not content["name"]:
            raise SchemeError(f"{source}: a scheme is a mapping with a name (text) and entities, events, roles")
        kinds = ("entities", "events", "roles")
        problems = [_unknown(key, ("name", *kinds)) for key in content if key not in ("name", *kinds)]
        read = {kind: _labels(kind, content.get(kind), problems) for kind in kinds}
        if problems:
            raise SchemeError("\n".join(f"{source}: {problem}" for problem in problems))
        return cls(name=content["name"], **read)


def _unknown(key: Any, known: Sequence[str]) -> str:
    """The message about a key that does not belong."""
    near = difflib.get_close_matches(str(key).lower(), known, n=1)
    return f"unknown key {key!r}; " + (
        f"did you mean {near[0]!r}?" if near else f"the keys here are {', '.join(known)}"
    )


def _labels(kind: str, entries: Any, problems: list[str]) -> dict[str, Label]:
    """The labels of one kind; what is wrong with them is added to ``problems``."""
    if entries is not None and not isinstance(entries, Mapping):
        problems.append(f"{kind}: must map label names to their definitions, not be {entries!r}")
        return {}
    read: dict[str, Label] = {}
    for name, entry in (entries or {}).items():
        if not isinstance(name, str) or not name or "+" in name or any(c.isspace() for c in name):
            problems.append(f"{kind}: label {name!r} must be a quoted string without white space or '+'")
            continue
        entry, known = {} if entry is None else entry, ("definition", "arabic", "examples", "color")
        where = f"{kind}: {name}"
        if not isinstance(entry, Mapping):
            problems.append(f"{where}: {entry!r} must be a mapping; write `definition: …` below the label")
            continue
        if "colour" in entry:  # version 0.1
            entry = {"color" if key == "colour" else key: value for key, value in entry.items()}
        problems += [f"{where}: {_unknown(key, known)}" for key in entry if key not in known]
        texts = {key: "" if entry.get(key) is None else entry[key] for key in ("definition", "arabic", "color")}
        examples = [] if entry.get("examples") is None else entry["examples"]
        for key, value in texts.items():
            if not isinstance(value, str):
                problems.append(f"{where}: {key}: {value!r} must be text; put it in quotes")
        if not isinstance(examples, list | tuple):  # a bare string would fall apart into its letters
            problems.append(f"{where}: examples: {examples!r} must be a list: [a, b]")
            examples = []
        problems += [
            f"{where}: examples: {example!r} must be text; put it in quotes"
            for example in examples
            if not isinstance(example, str)
        ]
        if isinstance(texts["color"], str) and not re.fullmatch(r"(?:#[0-9a-fA-F]{6})?", texts["color"]):
            problems.append(f"{where}: color: {texts['color']!r} must be written as '#rrggbb', in quotes")
        read[name] = Label(name=name, **texts, examples=tuple(examples))
    return read


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: the second label would replace the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Drop duplicates, then read on."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode):
                if key.value in lines:
                    raise SchemeError(f"line {line}: {key.value!r} was given on line {lines[key.value]} already")
                lines[key.value] = line
        return super().construct_mapping(node, deep)


def load_scheme(name_or_path: str | Path) -> LabelScheme:
    """Load a scheme that ships (`news`, `anercorp`, `wojood`) or a YAML file.

    Raises:
        SchemeError: there is no such scheme, or the file is not one.
    """
    path, shipped = Path(name_or_path), files("rasid.configs") / "schemes"
    if path.suffix in (".yaml", ".yml"):
        file, source = path, str(path)
        if not path.is_file():
            raise SchemeError(f"{path}: no such scheme file")
    else:
        file, source = shipped / f"{name_or_path}.yaml", f"{name_or_path}.yaml"
        names = sorted(Path(entry.name).stem for entry in shipped.iterdir() if entry.name.endswith(".yaml"))
        if str(name_or_path) not in names:
            near = difflib.get_close_matches(str(name_or_path).lower(), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name a .yaml file for one of your own"
            raise SchemeError(f"no scheme {str(name_or_path)!r} ships (there are {', '.join(names)}); {hint}")
    try:
        content = yaml.load(file.read_bytes().decode("utf-8-sig"), Loader=_Loader)
    except SchemeError as error:
        raise SchemeError(f"{source}: {error}") from error
    except UnicodeDecodeError as error:
        raise SchemeError(f"{source}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise SchemeError(f"{source}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SchemeError(f"{source}:{line}: not YAML: {error.problem or error.context}") from error
    except Exception as error:  # PyYAML lets many kinds through: KeyError of `!!bool x`, ValueError of 2024-99-99
        raise SchemeError(f"{source}: not YAML: {error}") from error
    return LabelScheme.from_dict(content, source)
