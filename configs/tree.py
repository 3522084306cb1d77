"""Parse YAML into a tree of nodes that keep their place in the file, merge trees, and override single values.

Configs and label schemes are read with it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import RasidError, shown

MOST_NODES = 20_000
"""Maximum number of values in a document after its aliases are expanded; nine lines of aliases can give a billion."""

MOST_LEVELS = 50
"""Maximum depth of nesting; an alias inside its own anchor would nest without end."""


class ConfigError(RasidError, ValueError):
    """A config that cannot be used; ``problems`` has a line for each error in it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A scalar, or a dict or list of nodes.

    Attributes:
        value: the scalar, dict or list.
        place: ``file:line:column`` of its key, or ``override N``.
    """

    value: Any
    place: str

    def plain(self) -> Any:
        """The tree as Python's dicts and lists."""
        match self.value:
            case dict() as entries:
                return {key: node.plain() for key, node in entries.items()}
            case list() as items:
                return [node.plain() for node in items]
        return self.value


_NUMBER = r"(?:0|[1-9][0-9]*(?:_[0-9]+)*)"
_FLOAT = rf"[-+]?(?:\.[0-9]+|{_NUMBER}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_SCALARS: dict[str, tuple[str, Callable[[str], Any]]] = {  # the first pattern that matches counts
    "null": ("~|null|Null|NULL|", lambda text: None),
    "bool": ("true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    "int": (rf"[-+]?{_NUMBER}", int),
    "float": (_FLOAT, lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))),
    "str": ("(?!)", str),
}
_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 with fewer implicit types: `no`, `12:30`, `2024-01-01` and `007` are text, `3e-5` is a number."""

    yaml_implicit_resolvers = {}


class Dumper(yaml.SafeDumper):
    """Quotes text that `parse` or another YAML reader would read as another type."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write no aliases."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Escape Unicode's line breaks; PyYAML would write U+0085 unescaped and read it back as a newline."""
        style = '"' if re.search("[\x85\u2028\u2029\ufeff]", data) else None
        return self.represent_scalar(f"{_TAG}str", data, style=style)


Dumper.add_representer(str, Dumper.represent_str)

for _name, (_pattern, _) in _SCALARS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), None)
    if _name in ("int", "float"):
        Dumper.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), None)


def parse_file(file: Path, problems: list[str]) -> Node:
    """Parse a YAML file; see `parse`.

    Raises:
        ConfigError: the file cannot be read, or is not UTF-8 or YAML.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{file}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from error
    return parse(text, str(file), problems)


def parse(text: str, label: str, problems: list[str], *, located: bool = True) -> Node:
    """Parse one YAML document.

    Args:
        text: the document.
        label: name of the file, for messages.
        problems: errors that do not end the parsing, such as duplicate keys and unknown tags, are appended to it.
        located: whether places have line and column.

    Raises:
        ConfigError: the text is not YAML, or has too many values or levels after its aliases are expanded.
    """

    def place(line: int, column: int) -> str:
        return f"{label}:{line + 1}:{column + 1}" if located else label

    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = place(mark.line, mark.column) if mark else label
        raise ConfigError([f"{where}: not YAML: {_advice(error.problem or error.context or 'unreadable')}"]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = place(before.count("\n"), len(before) - before.rfind("\n") - 1)
        raise ConfigError([f"{where}: not YAML: a control character; remove it"]) from error
    except RecursionError as error:
        raise ConfigError([f"{place(0, 0)}: nested more than {MOST_LEVELS} levels deep"]) from error
    except (ValueError, OverflowError, yaml.YAMLError) as error:  # PyYAML lets "\UFFFFFFFF" fall through to chr()
        raise ConfigError([f"{place(0, 0)}: not YAML: {error}"]) from error
    if root is None:
        return Node(value=None, place=place(0, 0))
    return _Builder(label, place, problems).node(root, root, ())


def _advice(problem: str) -> str:
    """PyYAML's message, with advice."""
    if r"'\t'" in problem:
        return f"{problem}; indent with spaces"
    if "cannot start any token" in problem or "mapping values are not allowed" in problem:
        return f"{problem}; put a value that holds ': ' or starts with a sign in quotes"
    return problem


class _Builder:
    """Converts PyYAML's nodes to `Node`, with aliases expanded."""

    def __init__(self, label: str, place: Callable[[int, int], str], problems: list[str]) -> None:
        self.label, self.place, self.problems = label, place, problems
        self.count = 0

    def node(self, node: yaml.Node, at: yaml.Node, path: tuple[str, ...]) -> Node:
        """Convert a node and all below it; ``at`` is its key, or in a list the node itself."""
        here = self.place(at.start_mark.line, at.start_mark.column)
        self.count += 1
        if self.count > MOST_NODES:
            raise ConfigError([f"{here}: more than {MOST_NODES} values after aliases are expanded"])
        if len(path) > MOST_LEVELS:
            raise ConfigError([f"{here}: more than {MOST_LEVELS} levels deep; is an alias inside its own anchor?"])
        tag = node.tag.removeprefix(_TAG)
        match node:
            case yaml.MappingNode():
                value, tags = self.mapping(node, path), ("map",)
            case yaml.SequenceNode():
                value = [self.node(item, item, (*path, str(index))) for index, item in enumerate(node.value)]
                tags = ("seq",)
            case _:
                value, tags = node.value, tuple(_SCALARS)
        said = f"{here}: {'.'.join(path)}: " if path else f"{here}: "
        if tag not in tags:
            self.problems.append(f"{said}the tag {shown(tag)} is not supported; remove it")
        elif tag in _SCALARS:
            try:
                value = _SCALARS[tag][1](node.value)
            except ValueError:  # `!!int x`, or more digits than Python reads
                self.problems.append(f"{said}{shown(node.value)} cannot be read as {tag}")
        return Node(value=value, place=here)

    def mapping(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Node]:
        """Convert the entries; keys are text as written, so `no:` is the key "no"."""
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            here = self.place(key.start_mark.line, key.start_mark.column)
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(f"{here}: {'.'.join((*path, ''))}?: a key must be text, not a list or mapping")
                continue
            dotted = ".".join((*path, key.value))
            if key.value == "<<" and key.style is None:
                self.problems.append(
                    f"{here}: {dotted}: merge keys are not supported; `extends: other.yaml` merges files"
                )
            elif key.value in entries:
                line = lines[key.value] + 1
                self.problems.append(f"{here}: {dotted}: the key is already on line {line}; remove one of the two")
            else:
                entries[key.value] = self.node(value, key, (*path, key.value))
                lines[key.value] = key.start_mark.line
        return entries


def merge(base: Node, over: Node) -> Node:
    """Merge two trees: mappings key by key; any other value of ``over`` replaces that of ``base``."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return Node(value=merged, place=over.place)


def lay(tree: Node, keys: Sequence[str], new: Node) -> Node:
    """Merge a node into a tree at a path of keys and list indices; missing mappings are created.

    Raises:
        ConfigError: the path leads through a scalar or past the end of a list.
    """

    def descend(node: Node, depth: int) -> Node:
        if depth == len(keys):
            return merge(node, new)
        step, dotted = keys[depth], ".".join(keys[: depth + 1])
        match node.value:
            case list() as items:
                if not step.isdecimal() or int(step) >= len(items):
                    there = f"its items are 0 to {len(items) - 1}" if items else "it is empty"
                    raise ConfigError([f"{new.place}: {dotted}: the list has no item {step!r}; {there}"])
                at = int(step)
                return replace(node, value=[*items[:at], descend(items[at], depth + 1), *items[at + 1 :]])
            case dict() | None as entries:
                entries = entries or {}
                below = entries.get(step, Node(value=None, place=new.place))
                return replace(node, value={**entries, step: descend(below, depth + 1)})
        raise ConfigError([f"{new.place}: {dotted}: {'.'.join(keys[:depth])} is {shown(node.value)}, without keys"])

    return descend(tree, 0)
