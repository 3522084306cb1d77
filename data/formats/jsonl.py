r"""JSON Lines: one article per line, with everything that an `Article` can hold; offsets in code points.

Only ``text`` is required. The writer omits empty fields and adds the surface of every mention; the reader drops an
article with a surface that differs from the text at its offsets. Lone surrogates, and characters that other readers
take for line ends, are written as ``\uXXXX``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ... import renamed
from ...errors import shown
from ..articles import Argument, Article, Entity, Event, Sentence, Span
from ..problems import ProblemLog
from .common.format import Located, format_of_lines
from .common.lines import encoding_fault, escape_surrogates, nearest, numbered, parse_json, to_json
from .common.losses import EVERYTHING

# Type of each key's value; the name of another table means a list of such objects.
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
        "annotated": "object of strings",
        "evidence": "object of spans",
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
    "event": {"id": "string", "trigger": "span", "types": "strings", "arguments": "argument", "scores": "numbers"},
    "span": {"start": "offset", "end": "offset", "text": "string"},
    "argument": {"role": "string", "entity": "string", "score": "number"},
    "sentence": {"start": "offset", "end": "offset", "types": "strings", "scores": "numbers"},
}
_REQUIRED = {
    "article": ("text",),
    "entity": ("start", "end", "label"),
    "event": ("trigger", "types"),
    "span": ("start", "end"),
    "argument": ("role", "entity"),
    "sentence": ("start", "end"),
}
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def read(lines: Iterable[str], log: ProblemLog) -> Located:
    """Read articles with their line numbers; a line with a problem is dropped, and every problem of it is recorded.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count.
    """
    for number, line in numbered(lines):
        if not line.strip():
            continue
        if message := encoding_fault(line):
            log.drop("not UTF-8", message, line=number)
            continue
        try:
            content = renamed.with_new_keys(parse_json(line))
        except ValueError as error:
            log.drop("not JSON", f"{line[:40]!r}: {error}", line=number)
            continue
        problems = list(_shape_problems(content, "article", "the line"))
        if not problems:
            problems = list(_span_problems(content))
        for cause, message in problems:
            name = content.get("id", "") if isinstance(content, dict) else ""
            log.drop(cause, message, line=number, article=name if isinstance(name, str) else "")
        if not problems:
            log.articles += 1
            yield number, _article(content)


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per article; an article whose numbers or ``meta`` are not JSON is dropped."""
    for article in articles:
        try:
            line = to_json(_plain(article))
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
        inner = f"{where}: {key}"
        if key not in shape:
            yield "unknown key", f"{where} has the unknown key {key!r}; {nearest(key, shape)}"
        elif shape[key] == "span":
            yield from _shape_problems(value, "span", inner)
        elif shape[key] == "object of spans" and isinstance(value, dict):
            for label, spans in value.items():
                yield from _list_problems(spans, "span", f"{inner}: {label}")
        elif shape[key] in _SHAPES:
            yield from _list_problems(value, shape[key], inner)
        elif not _is(value, shape[key]):
            yield "wrong kind", f"{inner} is {shown(value)}; it must be {_KINDS.get(shape[key], shape[key])}"


def _list_problems(content: Any, name: str, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(content, list):
        yield "wrong kind", f"{where} is {shown(content)}; it must be a list of objects"
        return
    for position, item in enumerate(content):
        yield from _shape_problems(item, name, f"{where}[{position}]")


_KINDS = {
    "string": "a string",
    "string or null": "a string",
    "offset": "a whole number of code points from 0",
    "number": "a number",
    "strings": "a list of strings",
    "numbers": "a list of numbers",
    "pairs": "a list of pairs [start, end]",
    "object": "an object",
    "object of strings": 'an object such as {"entities": ["PER"]}',
    "object of spans": "an object of lists of spans",
}


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "string or null":
            return value is None or isinstance(value, str)
        case "offset":
            return type(value) is int and value >= 0
        case "number":
            return type(value) is int and abs(value) < 2**63 or type(value) is float
        case "strings":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "numbers":
            return isinstance(value, list) and all(_is(item, "number") for item in value)
        case "pairs":
            pairs = isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value)
            return pairs and all(_is(offset, "offset") for pair in value for offset in pair)
        case "object of strings":
            return isinstance(value, dict) and all(_is(item, "strings") for item in value.values())
        case _:
            return kind == "object" and isinstance(value, dict)


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
    for key, what, labels, scores in _scored(content):
        if scores and len(scores) != len(labels):
            yield "scores", f"{what} has {len(labels)} types but {len(scores)} {key}; they align one to one"


def _scored(content: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str], list[float]]]:
    yield "type_scores", "the article", content.get("event_types", []), content.get("type_scores", [])
    for kind in ("events", "sentences"):
        for position, item in enumerate(content.get(kind, ())):
            yield "scores", f"{kind}[{position}]", item.get("types", []), item.get("scores", [])


def _article(content: dict[str, Any]) -> Article:
    fields = {**content}
    for key in ("event_types", "type_scores"):
        fields[key] = tuple(content.get(key, ()))
    fields["entities"] = tuple(Entity(**entity) for entity in content.get("entities", ()))
    fields["events"] = tuple(
        Event(
            id=event.get("id", ""),
            trigger=Span(**event["trigger"]),
            types=tuple(event["types"]),
            arguments=tuple(Argument(**argument) for argument in event.get("arguments", ())),
            scores=tuple(event.get("scores", ())),
        )
        for event in content.get("events", ())
    )
    fields["sentences"] = tuple(
        Sentence(start=s["start"], end=s["end"], types=tuple(s.get("types", ())), scores=tuple(s.get("scores", ())))
        for s in content.get("sentences", ())
    )
    fields["tokens"] = tuple((start, end) for start, end in content.get("tokens", ()))
    fields["annotated"] = {task: tuple(labels) for task, labels in content.get("annotated", {}).items()}
    fields["evidence"] = {
        label: tuple(Span(**span) for span in spans) for label, spans in content.get("evidence", {}).items()
    }
    return Article(**fields)


def _plain(article: Article) -> dict[str, Any]:
    """The JSON form, without empty fields."""
    entities = [
        _filled(id=e.id, start=e.start, end=e.end, label=e.label, text=e.text, score=e.score) for e in article.entities
    ]
    events = [
        _filled(
            id=e.id,
            trigger=_span(e.trigger),
            types=list(e.types),
            arguments=[_filled(role=a.role, entity=a.entity, score=a.score) for a in e.arguments],
            scores=list(e.scores),
        )
        for e in article.events
    ]
    rest = {
        "title": article.title,
        "date": article.date,
        "source": article.source,
        "entities": entities or None,
        "events": events or None,
        "event_types": list(article.event_types) or None,
        "type_scores": list(article.type_scores) or None,
        "sentences": [
            _filled(start=s.start, end=s.end, types=list(s.types), scores=list(s.scores)) for s in article.sentences
        ]
        or None,
        "tokens": [list(token) for token in article.tokens] or None,
        "annotated": {task: list(labels) for task, labels in article.annotated.items()} or None,
        "evidence": {label: [_span(span) for span in spans] for label, spans in article.evidence.items()} or None,
        "meta": dict(article.meta) or None,
    }
    return {"id": article.id, "text": article.text, **{key: value for key, value in rest.items() if value is not None}}


def _filled(**fields: Any) -> dict[str, Any]:
    """The fields that are not empty; label, types, role and entity are always included."""
    always = ("label", "types", "role", "entity")
    return {key: value for key, value in fields.items() if key in always or value not in ("", None, [])}


def _span(span: Span) -> dict[str, Any]:
    return _filled(start=span.start, end=span.end, text=span.text)


FORMAT = format_of_lines(
    read, write, suffixes=(".jsonl",), holds=EVERYTHING, recognizes=lambda sample: sample.suffix == ".jsonl"
)
