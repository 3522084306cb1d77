"""Read configs: for every error its file, line, column and key, what is wrong, and the nearest right key."""

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .renamed import new_path, with_new_names
from .tree import ConfigError, Dumper, Node, lay, merge, parse, shown

__all__ = ["BUILT_IN", "ConfigError", "did_you_mean", "dump_config", "load_config"]

M = TypeVar("M", bound=BaseModel)

BUILT_IN = Path(__file__).parent
"""The folder of the configs that can be named without a path."""


def load_config(source: str | Path, model: type[M], overrides: Sequence[str] = ()) -> M:
    """Read a config into a model.

    A config may say ``extends: other.yaml`` (a file beside it, or the name of a shipped config): mappings are merged
    key by key, everything else is replaced. Paths in values stay as written.

    Args:
        source: a file, or the name of a shipped config (``quickstart``).
        model: a pydantic model; keys that it does not know are errors if it says ``extra="forbid"``.
        overrides: ``training.epochs=3`` or ``data.train.0.path=x``, applied in order. Values are YAML: ``a=`` is
            null, ``a='3'`` is text, and a mapping is merged.

    Raises:
        ConfigError: with all problems, each ``file:line:column: key.path: message``.
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
    """Write a resolved config as YAML, keys in the order of the fields; `load_config` reads it back equal.

    Raises:
        OSError: the file cannot be written.
    """
    content = config.model_dump(mode="json", by_alias=True, round_trip=True)
    text = yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    file.write_text(text, encoding="utf-8", newline="\n")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` with the nearest known word, or an empty string where none is near.

    >>> did_you_mean("Batch-Siz", ["batch_size", "epochs"])
    "did you mean 'batch_size'?"
    """
    folded = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else ""


# ---- files ---------------------------------------------------------------------------------------------------------


def _find(name: str, child: Path | None, where: str) -> Path:
    """The file of a config: a path, relative to the child that extends it, or the name of a shipped one."""
    path = child.parent / name if child else Path(name)
    shipped = sorted(file.stem for file in BUILT_IN.glob("*.yaml"))
    is_path = path.suffix in (".yaml", ".yml", ".json") or len(Path(name).parts) > 1
    if not is_path and name in shipped:
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
        hint = did_you_mean(name, shipped) or "the name of a file ends in .yaml"
        there = f"there are {', '.join(shipped)}" if shipped else "there are none"
        raise ConfigError([f"{where}no config {shown(name)} ships ({there}); {hint}"])
    if path.stem in shipped:
        hint = f"a config that ships is named without its ending: {path.stem}"
    else:
        hint = did_you_mean(path.name, beside) or "check the path"
    raise ConfigError([f"{where}there is no file {str(path)!r}; {hint}"])


def _read(path: Path, chain: tuple[Path, ...], problems: list[str]) -> Node:
    """A file merged over what it extends; ``chain`` are the files that led to it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    tree = with_new_names(parse(text, str(path), problems))
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
    """The tree with one ``key.path=value`` laid over it."""
    key, equals, text = override.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError([f"{label}: {shown(override)} should be key.path=value, as in training.epochs=3"])
    keys = new_path(keys, label)
    return lay(tree, keys, with_new_names(parse(text, label, problems, located=False), tuple(keys)))


# ---- what pydantic found, told in the config's terms ---------------------------------------------------------------

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
    """One line for each place at which pydantic found something; the members of a union speak together."""
    found: dict[tuple[str, ...], tuple[str, list[str], bool]] = {}
    for detail in error.errors(include_url=False):
        node, path, loc, members = tree, (), detail["loc"], []
        for step in loc:  # pydantic's locations name members of unions too; those are no keys of the config
            match node.value:
                case dict() as entries if str(step) in entries:
                    node, path = entries[str(step)], (*path, str(step))
                case list() as items if isinstance(step, int) and step < len(items):
                    node, path = items[step], (*path, str(step))
                case _:
                    members.append(str(step))
        if detail["type"] == "missing":
            path, members = (*path, str(loc[-1])), members[:-1]
        _, messages, _ = found.setdefault(path, (node.place, [], bool(members)))
        owners = [_fields(owner) for owner in _models_at(model, path[:-1], members)]
        message = _message(detail, path, owners, model)
        if message not in messages:
            messages.append(message)
    # A member of a union that does not fit at all is noise where another one fits but for a key below.
    kept = {
        path: entry
        for path, entry in found.items()
        if not entry[2] or not any(other[: len(path)] == path and other != path for other in found)
    }
    return [
        f"{place}: {'.'.join(path)}: {', or '.join(messages)}" if path else f"{place}: {', or '.join(messages)}"
        for path, (place, messages, _) in kept.items()
    ]


def _message(error: ErrorDetails, path: tuple[str, ...], owners: list[dict[str, Any]], model: type) -> str:
    """What is wrong, with the value, and how to mend it; ``owners`` are the fields that may stand beside the key."""
    kind, said, value, ctx = error["type"], error["msg"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        fields = list(dict.fromkeys(name for fields in owners for name in fields))
        elsewhere = [dotted for dotted in _dotted(model) if dotted.split(".")[-1] == path[-1]]
        elsewhere = [f"did you mean {dotted!r}?" for dotted in elsewhere if dotted != ".".join(path)]
        hint = did_you_mean(path[-1], fields) or next(iter(elsewhere), "")
        return f"unknown key; {hint or 'the keys here are ' + ', '.join(fields)}"
    if kind == "missing":
        description = next((fields[path[-1]].description for fields in owners if path[-1] in fields), None)
        return f"is missing; {' '.join(description.split()) if description else 'give it a value'}"
    if kind in _EXPECTED:
        quote = "; put it in quotes" if kind == "string_type" and not isinstance(value, dict | list | None) else ""
        return f"{shown(value)} {_EXPECTED[kind]}{quote}"
    said = re.sub(r"^(Value error|Assertion failed), ", "", said)
    if said.startswith("Input "):
        said = f"{shown(value)} {said.removeprefix('Input ')}"
    elif not isinstance(value, dict | list) and shown(value) not in said:
        said = f"{said} (the value is {shown(value)})"
    choices = re.findall(r"'([^']+)'", str(ctx.get("expected") or ctx.get("expected_tags") or ""))
    hint = did_you_mean(str(ctx.get("tag", value)), choices)
    return f"{said}; {hint}" if hint else said


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union, with what annotates them taken off."""
    match get_origin(annotation):
        case origin if origin is Union or origin is UnionType:
            return [member for part in get_args(annotation) for member in _alternatives(part)]
        case origin if origin is Annotated:
            return _alternatives(get_args(annotation)[0])
    return [annotation]


def _literals(model: type[BaseModel]) -> list[Any]:
    """All values that are spelled out in the types of a model's fields."""
    types = [field.annotation for field in model.model_fields.values()]
    return [value for kind in types if get_origin(kind) is Literal for value in get_args(kind)]


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Field infos by the name that a config uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(model: type, path: Sequence[str], members: Sequence[str]) -> list[type[BaseModel]]:
    """The models that may stand at a path of keys and list indices; of a union, the member that pydantic chose."""
    here: list[Any] = [model]
    for step in path:
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                below += [_fields(kind)[step].annotation] if step in _fields(kind) else []
            else:  # list[X], tuple[X, ...], dict[str, X]
                below += [part for part in get_args(kind) if part is not Ellipsis][-1:]
        here = [member for annotation in below for member in _alternatives(annotation)]
    models = [kind for kind in here if isinstance(kind, type) and issubclass(kind, BaseModel)]
    # Pydantic names a member by its class, or by the value of the discriminating field.
    names = {kind: {kind.__name__, *map(str, _literals(kind))} for kind in models}
    return [kind for kind in models if names[kind].intersection(members)] or models


def _dotted(model: type, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted paths of all fields of a model and the models in it, lists left out."""
    for name, field in _fields(model).items() if len(prefix) < 5 else ():
        yield ".".join((*prefix, name))
        for member in _alternatives(field.annotation):
            if isinstance(member, type) and issubclass(member, BaseModel):
                yield from _dotted(member, (*prefix, name))
