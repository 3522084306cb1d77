"""Configs of version 0.1: old keys, tasks and formats are replaced by the new ones, each with a warning."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from ..renamed import CONFIG_KEYS, FORMATS, TASKS
from .tree import Node

logger = logging.getLogger(__name__)
_FREE = {"labels", "options"}  # sections with keys of the user


def with_new_names(tree: Node, path: tuple[str, ...] = ()) -> Node:
    """Replace old names in a tree.

    Args:
        tree: a config, or a part of one.
        path: path of that part.
    """
    match tree.value:
        case dict() as entries if _FREE.isdisjoint(path[-1:]):
            renamed: dict[str, Node] = {}
            for key, node in entries.items():
                new = new_key(path, key, node.place)
                renamed[new] = with_new_names(node, (*path, new))
            return replace(tree, value=renamed)
        case list() as items:
            return replace(tree, value=[with_new_names(item, (*path, str(at))) for at, item in enumerate(items)])
        case str() as text:
            return replace(tree, value=_new_value(path, text, tree.place))
    return tree


def new_path(keys: Sequence[str], place: str) -> list[str]:
    """Replace old names in the key path of an override."""
    path: tuple[str, ...] = ()
    for key in keys:
        path = (*path, new_key(path, key, place) if _FREE.isdisjoint(path[-1:]) else key)
    return list(path)


def new_key(path: tuple[str, ...], key: str, place: str) -> str:
    """The new name of a key; other keys are returned unchanged. ``path`` is that of the mapping that has the key."""
    is_task = path == ("tasks",) or path[-1:] == ("annotated",)
    return _warned(place, key, TASKS.get(key, key) if is_task else CONFIG_KEYS.get(key, key))


def _new_value(path: tuple[str, ...], text: str, place: str) -> str:
    if path[-1:] == ("format",):
        return _warned(place, text, FORMATS.get(text, text))
    if path[-2:-1] == ("annotated",):
        return _warned(place, text, TASKS.get(text, text))
    if path[-1:] == ("metric",):
        task, dot, figure = text.partition(".")
        return _warned(place, text, TASKS.get(task, task) + dot + figure)
    return text


def _warned(place: str, old: str, new: str) -> str:
    if new != old:
        logger.warning("%s: %s is now called %s", place, old, new)
    return new
