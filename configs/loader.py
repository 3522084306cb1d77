"""Load configs. Errors name file, line, column and key, what is wrong, and the nearest valid key."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ..errors import did_you_mean, shown
from . import BUILT_IN
from .renamed import new_path, with_new_names
from .tree import ConfigError, Dumper, Node, lay, merge, parse, parse_file

__all__ = ["BUILT_IN", "ConfigError", "dump_config", "load_config"]

M = TypeVar("M", bound=BaseModel)


def load_config(source: str | Path, model: type[M], overrides: Sequence[str] = ()) -> M:
    """Load and validate a config.

    A config may extend another one with ``extends: other.yaml`` (a path relative to its folder, or the name of a
    built-in config): mappings are merged key by key, all other values are replaced. Paths in values are not changed.

    Args:
        source: a file, or the name of a built-in config (``quickstart``).
        model: a pydantic model.
        overrides: ``training.epochs=3`` or ``data.train.0.path=x``, applied in order. Values are YAML: ``a=`` is
            null, ``a='3'`` is text, and a mapping is merged.

    Raises:
        ConfigError: with all errors, each as ``file:line:column: key.path: message``.
    """
    problems: list[str] = []
    try:
        tree = _read(_find(str(source), None, ""), (), problems)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from error
    for number, override in enumerate(overrides, 1):
        try:
            tree = _override(tree, override, f"override {number}", problems)
        except ConfigError as error:
            problems += error.problems
    try:
        config = model.model_validate(tree.plain())
    except ValidationError as error:
        raise ConfigError([*problems, *_explain(error, tree, model)]) from error
    if problems:
        raise ConfigError(problems)
    return config


def dump_config(config: BaseModel, file: Path) -> None:
    """Write a config with all its keys as YAML; `load_config` reads an equal one.

    Raises:
        OSError: the file cannot be written.
    """
    content = config.model_dump(mode="json", round_trip=True)
    text = yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    file.write_text(text, encoding="utf-8", newline="\n")


# ---- files ---------------------------------------------------------------------------------------------------------


def _find(name: str, child: Path | None, where: str) -> Path:
    """The file of a config.

    Args:
        name: a path, or the name of a built-in config.
        child: the config that extends it; the path is relative to its folder.
        where: start of the error messages.

    Raises:
        ConfigError: there is no such file.
    """
    path = child.parent / name if child else Path(name)
    built_in = sorted(file.stem for file in BUILT_IN.glob("*.yaml"))
    is_path = path.suffix in (".yaml", ".yml", ".json") or len(Path(name).parts) > 1
    if not is_path and name in built_in:
        return BUILT_IN / f"{name}.yaml"
    try:
        if path.is_file():
            return path
        is_folder = path.is_dir()
        beside = sorted({file.name for file in path.parent.glob("*.yaml")} - {child.name if child else ""})
    except (OSError, ValueError) as error:  # too long, or with a zero byte
        raise ConfigError([f"{where}{shown(name)} cannot be the name of a file"]) from error
    if is_folder:
        raise ConfigError([f"{where}{shown(name)} is a folder; name the config in it"])
    if not is_path:
        hint = did_you_mean(name, built_in) or "the name of a file ends in .yaml"
        raise ConfigError([f"{where}no built-in config {shown(name)} (there are {', '.join(built_in)}); {hint}"])
    if path.stem in built_in:
        hint = f"a built-in config is named without its ending: {path.stem}"
    else:
        hint = did_you_mean(path.name, beside) or "check the path"
    raise ConfigError([f"{where}there is no file {str(path)!r}; {hint}"])


def _read(path: Path, chain: tuple[Path, ...], problems: list[str]) -> Node:
    """Read a file and merge it over the one that it extends; ``chain`` are the files that extend this one."""
    tree = with_new_names(parse_file(path, problems))
    if not isinstance(tree.value, dict):
        found = "is empty" if tree.value is None else f"holds {shown(tree.plain())}"
        raise ConfigError([f"{tree.place}: the file {found}; a config is a mapping, lines of `key: value`"])
    extends = tree.value.pop("extends", None)
    if extends is None:
        return tree
    where, chain = f"{extends.place}: extends: ", (*chain, path)
    if not isinstance(extends.value, str) or not extends.value:
        raise ConfigError([f"{where}{shown(extends.plain())} should be the name of one config"])
    parent = _find(extends.value, path, where)
    if parent.resolve() in [file.resolve() for file in chain]:
        circle = " → ".join(file.name for file in (*chain, parent))
        raise ConfigError([f"{where}the configs extend each other in a circle: {circle}"])
    return merge(_read(parent, chain, problems), tree)


def _override(tree: Node, override: str, label: str, problems: list[str]) -> Node:
    """Apply an override ``key.path=value`` to the tree."""
    key, equals, text = override.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError([f"{label}: {shown(override)} should be key.path=value, as in training.epochs=3"])
    keys = new_path(keys, label)
    return lay(tree, keys, with_new_names(parse(text, label, problems, located=False), tuple(keys)))


# ---- pydantic's errors in terms of the config ------------------------------------------------------------------------

_EXPECTED = {
    "model_type": "should be a mapping: keys below it, indented",
    "dict_type": "should be a mapping: keys below it, indented",
    "list_type": "should be a list: [a, b], or a line '- a' for each",
    "tuple_type": "should be a list: [a, b], or a line '- a' for each",
    "string_type": "should be text",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "path_type": "should be a path",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
}


def _explain(error: ValidationError, tree: Node, model: type[BaseModel]) -> list[str]:
    """One line for each place with an error; where several types are allowed, their messages are joined."""
    found: dict[tuple[str, ...], tuple[str, list[str]]] = {}
    for detail in error.errors(include_url=False):
        node, path, loc = tree, (), detail["loc"]
        for step in loc:
            match node.value:
                case dict() as entries if str(step) in entries:
                    node, path = entries[str(step)], (*path, str(step))
                case list() as items if isinstance(step, int) and step < len(items):
                    node, path = items[step], (*path, str(step))
                # Any other step is not a key: pydantic names the alternatives of a union too.
        if detail["type"] == "missing":
            path = (*path, str(loc[-1]))
        _, messages = found.setdefault(path, (node.place, []))
        if (message := _message(detail, path, model)) not in messages:
            messages.append(message)
    # In a union, the alternative that fails at a key further below is the one that was meant.
    meant = [path for path in found if not any(other[: len(path)] == path != other for other in found)]
    return [": ".join(filter(None, (found[path][0], ".".join(path), ", or ".join(found[path][1])))) for path in meant]


def _message(error: Mapping[str, Any], path: tuple[str, ...], model: type[BaseModel]) -> str:
    """What is wrong at a path, with the value and how to fix it."""
    kind, message, value = error["type"], error["msg"], error["input"]
    if kind == "extra_forbidden":
        keys = _fields_at(model, path[:-1])
        elsewhere = [dotted for dotted in _dotted(model) if dotted.split(".")[-1] == path[-1]]
        hint = did_you_mean(path[-1], keys) or next((f"did you mean {dotted!r}?" for dotted in elsewhere), "")
        return f"unknown key; {hint or 'the keys here are ' + ', '.join(keys)}"
    if kind == "missing":
        description = _fields_at(model, path[:-1])[path[-1]].description
        return f"is missing; {' '.join(description.split()) if description else 'give it a value'}"
    if kind in _EXPECTED:
        quote = "; put it in quotes" if kind == "string_type" and not isinstance(value, dict | list | None) else ""
        return f"{shown(value)} {_EXPECTED[kind]}{quote}"
    message = re.sub(r"^(Value error|Assertion failed), ", "", message)
    if message.startswith("Input "):
        message = f"{shown(value)} {message.removeprefix('Input ')}"
    elif not isinstance(value, dict | list) and shown(value) not in message:
        message = f"{message} (the value is {shown(value)})"
    hint = did_you_mean(str(value), re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", ""))))
    return f"{message}; {hint}" if hint else message


def model_in(annotation: Any) -> Any:
    """The model of ``Model | None``, ``list[Model]`` or ``dict[str, Model]``; None for any other type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := model_in(part))), None)


def _fields_at(model: type[BaseModel], path: Sequence[str]) -> dict[str, FieldInfo]:
    """The fields of the model at a path of keys and list indices."""
    fields, at = model.model_fields, 0
    while at < len(path):
        annotation = fields[path[at]].annotation
        below = model_in(annotation)
        # A list or dict of models takes one more step: the index, or the key.
        at += 1 if below is annotation or type(None) in get_args(annotation) else 2
        fields = below.model_fields
    return fields


def _dotted(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted paths of all fields of a model and the models in it, without those in lists and dicts."""
    for name, field in model.model_fields.items():
        yield ".".join((*prefix, name))
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _dotted(kind, (*prefix, name))
