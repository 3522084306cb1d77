"""The front matter of an inline article: ``key: value`` lines between two lines ``---``."""

import re
from typing import Any

from ...articles import Article
from ..common.lines import is_strings, parse_json, to_json
from ..common.losses import has_scores

PREDICTED_TYPES = "predicted_event_types"
KEYS = ("id", "title", "date", "source", "event_types", PREDICTED_TYPES, "annotated", "meta")
FENCE = "---"

_BARE = re.compile(r"[^\s,\[\]\"]+")  # a label that needs no quotes in a list


def write_front_matter(article: Article) -> str:
    """The front matter with its fences; event types of an article with scores are marked as predicted.

    Raises:
        ValueError: ``meta`` or ``annotated`` is not JSON.
    """
    lines = [FENCE]
    if article.id:
        lines.append(f"id: {_quoted(article.id)}")
    if article.title != first_line_title(article.text):
        lines.append("title:" if article.title is None else f"title: {_quoted(article.title)}")
    for key, value in (("date", article.date), ("source", article.source)):
        if value is not None:
            lines.append(f"{key}: {_quoted(value)}")
    if labels := article.event_types:
        bare = all(_BARE.fullmatch(label) for label in labels)
        key = PREDICTED_TYPES if has_scores(article) else "event_types"
        lines.append(f"{key}: [{', '.join(labels)}]" if bare else f"{key}: {to_json(list(labels))}")
    if article.annotated:
        lines.append(f"annotated: {to_json(dict(article.annotated))}")
    if article.meta:
        lines.append(f"meta: {to_json(dict(article.meta))}")
    return "\n".join([*lines, FENCE, ""])


def first_line_title(text: str) -> str | None:
    """The first line of a text if a blank line follows it."""
    first, _, rest = text.partition("\n")
    return first.removesuffix("\r") if first.strip() and rest.startswith(("\n", "\r\n")) else None


def read_value(key: str, value: str) -> Any:
    """The value of a front matter line, which is stripped; None for an empty string.

    Raises:
        ValueError: the value has the wrong form for the key.
    """
    match key:
        case "meta":
            if not isinstance(content := parse_json(value), dict):
                raise ValueError(f"{value[:40]!r} is not a JSON object on one line")
            return content
        case "annotated":
            content = parse_json(value)
            if not isinstance(content, dict) or not all(is_strings(labels) for labels in content.values()):
                raise ValueError(f'{value[:40]!r} is not a JSON object such as {{"entities": ["PER"]}}')
            return {task: tuple(labels) for task, labels in content.items()}
        case "event_types" | "predicted_event_types":
            if not (value.startswith("[") and value.endswith("]")):
                raise ValueError(f"{value[:40]!r} is not a list such as [ASSAULT, MOBILIZE]")
            try:
                if is_strings(content := parse_json(value)):
                    return tuple(content)
            except ValueError:
                pass  # a list without quotes
            labels = [label.strip() for label in value[1:-1].split(",")]
            if not all(_BARE.fullmatch(label) for label in labels):
                raise ValueError(f"{value[:40]!r} is not a list such as [ASSAULT, MOBILIZE]")
            return tuple(labels)
        case _:
            return _unquoted(value) if value else None


def _unquoted(value: str) -> str:
    """A value as a string; a JSON string is decoded."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(parse_json(value))
        except ValueError:
            return value  # a title that starts and ends with quotation marks
    return value


def _quoted(value: str) -> str:
    bare = value and value == value.strip() and "\n" not in value and _unquoted(value) == value
    return value if bare else to_json(value)
