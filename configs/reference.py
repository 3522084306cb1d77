"""Generate docs/config.md from the schema: ``python -m rasid.configs.reference > docs/config.md``."""

import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .loader import model_in
from .pretrain_schema import PretrainConfig
from .schema import TASK_OPTIONS, Config, TaskConfig

_HEAD = """\
# Configs

<!-- Generated from configs/schema.py and configs/pretrain_schema.py by `make docs`. Do not edit. -->

A config is a YAML file. Keys without a default are required. Paths are relative to the working directory.

- `rasid train quickstart` runs a built-in config, `rasid train my.yaml` a file.
- `key=value` on the command line overrides a key: `rasid train my.yaml training.epochs=3 data.train.0.path=new.jsonl`.
- `extends: other.yaml` in a config starts from another one: mappings are merged key by key, all other values are
  replaced. The name is a path relative to the config, or the name of a built-in config.
- `rasid train my.yaml --dry-run` checks the config, loads the data, runs one batch, and warns of too few
  steps, too low a head rate, and labels with too few examples.
"""


def reference() -> str:
    """The text of docs/config.md."""
    sections = [_HEAD]
    for command, model in (("train", Config), ("pretrain", PretrainConfig)):
        sections.append(f"## `rasid {command}`\n")
        sections += _sections(model, "", set())
    return "\n".join(sections)


def _sections(model: type[BaseModel], path: str, seen: set[type[BaseModel]]) -> Iterator[str]:
    """The table of a model, then the tables of the models in it, each model once."""
    seen.add(model)
    if path:
        yield f"### `{path}`\n\n{_text(model.__doc__)}\n"
    rows = ["| key | type | default | explanation |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        explanation = _text(field.description)
        if model is TaskConfig and name in TASK_OPTIONS:
            explanation = f"({', '.join(TASK_OPTIONS[name])}) {explanation}"
        rows.append(f"| `{name}` | {_cell(_type(field))} | {_cell(_default(field))} | {_cell(explanation)} |")
    yield "\n".join(rows) + "\n"
    for name, field in model.model_fields.items():
        if (below := model_in(field.annotation)) is not None and below not in seen:
            step = {list: "N", dict: "TASK"}.get(get_origin(field.annotation))  # type: ignore[call-overload]
            yield from _sections(below, ".".join(filter(None, (path, name, step))), seen)


def _text(docstring: str | None) -> str:
    return " ".join((docstring or "").split()).replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(field: FieldInfo) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    limits = [(sign, getattr(limit, name, None)) for limit in field.metadata for name, sign in signs.items()]
    name, null, _ = _name(field.annotation).partition(" or null")
    return " ".join([name, *(f"{sign} {value}" for sign, value in limits if value is not None)]) + null


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _name(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join("null" if part is NoneType else _name(part) for part in arguments)
    if origin in (list, tuple):
        return f"list of {_name(arguments[0])}"
    if origin is dict:
        return f"mapping to {_name(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any"}.get(annotation, "path")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.default:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[field.default]
        case BaseModel():
            return ""
        case list() | tuple() as items:
            return f"`[{', '.join(map(str, items))}]`"
    return f"`{field.default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
