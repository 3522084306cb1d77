r"""JSON Lines: one article per line, with everything that an `Article` can hold; offsets in code points.

Only ``text`` is required. The writer omits empty fields and adds the surface of every mention. The reader drops an
article with a surface that differs from the text at its offsets and proves no other place. Lone surrogates, and
characters that other readers take for line ends, are written as ``\uXXXX``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from ... import renamed
from ...errors import shown
from ..articles import Argument, Article, Entity, Event, Sentence, Span
from ..problems import ArticleLog, ProblemLog
from .common.format import Located, format_of_lines
from .common.lines import escape_surrogates, is_strings, json_values, nearest, to_json
from .common.losses import EVERYTHING
from .common.offsets import OffsetError, Offsets

# The kind of each key's value (see `_KINDS`), in the order in which keys are written. The name of another table means a
# list of such objects; "one span" and "spans by label" are made of the objects of "span".
_SHAPES: dict[str, dict[str, str]] = {
    "article": {
        "id": "string",
        "text": "string",
        "title": "string or null",
        "date": "string or null",
        "source": "string or null",
        "entities": "entity",
        "events": "event",
        "event_types": "strings",
        "type_scores": "numbers",
        "sentences": "sentence",
        "tokens": "pairs",
        "annotated": "strings by task",
        "evidence": "spans by label",
        "meta": "object",
    },
    "entity": {
        "id": "string",
        "start": "offset",
        "end": "offset",
        "label": "string",
        "text": "string",
        "score": "number",
    },
    "event": {"id": "string", "trigger": "one span", "types": "strings", "arguments": "argument", "scores": "numbers"},
    "span": {"start": "offset", "end": "offset", "text": "string"},
    "argument": {"role": "string", "entity": "string", "score": "number"},
    "sentence": {"start": "offset", "end": "offset", "types": "strings", "scores": "numbers"},
}
_CLASSES: dict[str, Any] = {cls.__name__.lower(): cls for cls in (Article, Entity, Event, Span, Argument, Sentence)}
_REQUIRED = {
    name: tuple(field.name for field in fields(cls) if field.default is field.default_factory is MISSING)
    for name, cls in _CLASSES.items()
}
# Keys that are written even if they are empty.
_WRITTEN = _REQUIRED | {"article": ("id", "text"), "sentence": ("start", "end", "types")}
_EMPTY: tuple[Any, ...] = ("", (), [], {})
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def read(lines: Iterable[str], log: ProblemLog) -> Located:
    """Read articles with their line numbers; a line with a problem is dropped, and every problem of it is recorded.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count.
    """
    for number, value in json_values(lines, log):
        content = renamed.with_new_keys(value)
        problems = list(_shape_problems(content, "article", "the line"))
        if not problems:
            _fix_spans(content, ArticleLog(log=log, article=content.get("id", ""), line=number))
            problems = list(_span_problems(content))
        for cause, message in problems:
            name = content.get("id", "") if isinstance(content, dict) else ""
            log.drop(cause, message, line=number, article=name if isinstance(name, str) else "")
        if not problems:
            log.articles += 1
            yield number, _item(content, "article")


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per article; an article whose numbers or ``meta`` are not JSON is dropped."""
    for article in articles:
        try:
            line = to_json(_plain(article, "article"))
        except ValueError as error:
            log.drop("not JSON", f"the article {error}", article=article.id)
            continue
        if pair := _PAIR.search(line):
            # JSON reads the two escapes as one character, which would shift the offsets after it.
            message = f"the text has a surrogate pair as two code points ({pair.group()!a}), which JSON joins"
            log.drop("surrogate pair", message, article=article.id)
            continue
        log.articles += 1
        yield escape_surrogates(line) + "\n"


def _shape_problems(content: Any, name: str, where: str) -> Iterator[tuple[str, str]]:
    """Unknown and missing keys, and values of the wrong type."""
    if not isinstance(content, dict):
        yield "wrong kind", f"{where} is {shown(content)}; it must be an object: {{{', '.join(_SHAPES[name])}}}"
        return
    shape = _SHAPES[name]
    for key in _REQUIRED[name]:
        if key not in content:
            yield "missing key", f"{where} has no {key!r}"
    for key, value in content.items():
        kind = shape.get(key)
        if kind is None:
            yield "unknown key", f"{where} has the unknown key {key!r}; {nearest(key, shape)}"
        elif kind in _SHAPES:
            yield from _list_problems(value, kind, f"{where}: {key}")
        elif kind == "one span":
            yield from _shape_problems(value, "span", f"{where}: {key}")
        elif not _KINDS[kind][1](value):
            yield "wrong kind", f"{where}: {key} is {shown(value)}; it must be {_KINDS[kind][0]}"
        elif kind == "spans by label":
            for label, spans in value.items():
                yield from _list_problems(spans, "span", f"{where}: {key}: {label}")


def _list_problems(content: Any, name: str, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(content, list):
        yield "wrong kind", f"{where} is {shown(content)}; it must be a list of objects"
        return
    for position, item in enumerate(content):
        yield from _shape_problems(item, name, f"{where}[{position}]")


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_offset(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63 or type(value) is float


def _are(values: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(values, list) and all(map(fits, values))


# What a value must be, for the message, and the check.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", _is_string),
    "string or null": ("a string", lambda value: value is None or _is_string(value)),
    "offset": ("a whole number of code points from 0", _is_offset),
    "number": ("a number", _is_number),
    "strings": ("a list of strings", is_strings),
    "numbers": ("a list of numbers", lambda value: _are(value, _is_number)),
    "pairs": (
        "a list of pairs [start, end]",
        lambda value: _are(value, lambda pair: _are(pair, _is_offset) and len(pair) == 2),
    ),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "strings by task": (
        'an object such as {"entities": ["PER"]}',
        lambda value: isinstance(value, dict) and all(map(is_strings, value.values())),
    ),
    "spans by label": ("an object of lists of spans", lambda value: isinstance(value, dict)),
}


def _fix_spans(content: Mapping[str, Any], log: ArticleLog) -> None:
    """Correct the offsets of mentions, in place, where their surfaces prove another place."""
    text: str = content["text"]
    spans = [(e["label"], e) for e in content.get("entities", ())]
    spans += [("+".join(e["types"]), e["trigger"]) for e in content.get("events", ())]
    stored = [(what, span, (span["start"], span["end"], span["text"])) for what, span in spans if span.get("text")]
    if all(text[start:end] == surface for *_, (start, end, surface) in stored):
        return
    offsets = Offsets(text).with_all(triple for *_, triple in stored)
    for what, span, (start, end, surface) in stored:
        try:
            first, last, fix = offsets.settle(start, end, surface)
        except OffsetError:
            continue  # a problem of the article
        if fix:
            span |= {"start": first, "end": last, "text": text[first:last]}
            message = f"{shown(what)} {start}-{end} {shown(surface)} is at {first}-{last}: {fix}"
            log.fix(fix.partition(" by ")[0], message)


def _span_problems(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Spans outside the text, surfaces that differ from it, and scores that do not align with their types."""
    text: str = content["text"]
    spans = [(f"entity {e['label']}", e) for e in content.get("entities", ())]
    spans += [(f"trigger {'+'.join(e['types'])}", e["trigger"]) for e in content.get("events", ())]
    spans += [(f"evidence of {label}", s) for label, found in content.get("evidence", {}).items() for s in found]
    spans += [("sentence", s) for s in content.get("sentences", ())]
    spans += [("token", {"start": start, "end": end}) for start, end in content.get("tokens", ())]
    for what, span in spans:
        start, end, surface = span["start"], span["end"], span.get("text", "")
        if not start <= end <= len(text):
            message = f"{what} {start}-{end} ({surface!r}) is outside the text of {len(text)} code points"
            yield "span outside the text", f"{message}; offsets count code points from 0, the end is exclusive"
        elif surface and surface != text[start:end]:
            units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
            counted = units == surface.encode("utf-16-le", "surrogatepass")
            reason = "the offsets count UTF-16 units" if counted else "was the text changed after the annotation?"
            message = f"{what} {start}-{end} has the surface {surface!r} but the text there is {text[start:end]!r}"
            yield "surface differs", f"{message}; {reason}"
    scored = [("the article", content.get("event_types", ()), "type_scores", content)]
    for kind in ("events", "sentences"):
        items = enumerate(content.get(kind, ()))
        scored += [(f"{kind}[{position}]", item.get("types", ()), "scores", item) for position, item in items]
    for what, labels, key, item in scored:
        scores = item.get(key)
        if scores and len(scores) != len(labels):
            yield "scores", f"{what} has {len(labels)} types but {len(scores)} {key}; they align one to one"


def _item(content: Mapping[str, Any], name: str) -> Any:
    """The object of the data model for a JSON object of the right shape."""
    values = dict(content)
    shape = _SHAPES[name]
    for key, value in content.items():
        match shape[key]:
            case "string" | "offset" | "number":  # most values
                pass
            case "one span":
                values[key] = _item(value, "span")
            case "strings" | "numbers":
                values[key] = tuple(value)
            case "pairs":
                values[key] = tuple((start, end) for start, end in value)
            case "strings by task":
                values[key] = {task: tuple(labels) for task, labels in value.items()}
            case "spans by label":
                values[key] = {label: tuple(_item(span, "span") for span in spans) for label, spans in value.items()}
            case kind if kind in _CLASSES:
                values[key] = tuple(_item(item, kind) for item in value)
    return _CLASSES[name](**values)


def _plain(item: Any, name: str) -> dict[str, Any]:
    """The JSON object of an object of the data model, without empty values."""
    content: dict[str, Any] = {}
    for key, kind in _SHAPES[name].items():
        value: Any = getattr(item, key)
        if key not in _WRITTEN[name] and (value is None or (value in _EMPTY and kind != "string or null")):
            continue
        match kind:
            case "one span":
                value = _plain(value, "span")
            case "strings by task" | "object":
                value = dict(value)
            case "spans by label":
                value = {label: [_plain(span, "span") for span in spans] for label, spans in value.items()}
            case _ if kind in _CLASSES:
                value = [_plain(inner, kind) for inner in value]
        content[key] = value
    return content


FORMAT = format_of_lines(
    read, write, suffixes=(".jsonl",), holds=EVERYTHING, recognizes=lambda sample: sample.suffix == ".jsonl"
)
