"""Writes inline annotation."""

import re
from collections.abc import Iterable, Iterator

from ...articles import Article, Entity, Event
from ...problems import ArticleLog, ProblemLog
from ..common.lines import is_utf8
from ..common.losses import EVERYTHING, write_each
from .front_matter import FENCE, write_front_matter

HOLDS = EVERYTHING - {*("crossing spans", "sentence labels", "label of the text", "tokens", "scores", "evidence")}
CLOSES = {"[": "]", "{": "}"}
SPECIAL = re.compile(r"[\\\[\]{}]")

_ID = re.compile(r"[^\s:=\[\]{}\\]+")
_LABEL = re.compile(r"[^\s\[\]{}\\]+")
_ROLE = re.compile(r"[^\s=\[\]{}\\]+")


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield the text of one article at a time.

    Besides what `HOLDS` lacks, mentions with a blank line or with white space at an edge are dropped, and articles with
    a lone surrogate.
    """
    return write_each(articles, log, HOLDS, _chunk)


def _chunk(article: Article, log: ArticleLog) -> str | None:
    try:
        chunk = write_front_matter(article) + _body(article, log)
    except ValueError as error:
        log.drop("not JSON", f"meta or annotated {error}")
        return None
    return chunk if is_utf8(chunk, log) else None


def _body(article: Article, log: ArticleLog) -> str:
    text = article.text
    marks, arguments = _marks(article, log)
    parts: list[str] = []
    at = 0
    closing: list[tuple[int, str]] = []

    def copy(end: int) -> None:
        """Copy the text up to `end`, with the closing brackets of the mentions that end before it."""
        nonlocal at
        while closing and closing[-1][0] <= end:
            stop, sign = closing.pop()
            parts.extend((SPECIAL.sub(r"\\\g<0>", text[at:stop]), sign))
            at = stop
        parts.append(SPECIAL.sub(r"\\\g<0>", text[at:end]))
        at = end

    for start, end, bracket, header in marks:
        copy(start)
        parts.append(f"{bracket}{header} ")
        closing.append((end, CLOSES[bracket]))
    copy(len(text))
    lines: list[str] = []
    for number, line in enumerate("".join(parts).split("\n")):
        lines.append(f"\\{line}" if line.startswith(("@", FENCE)) else line)
        lines += arguments.get(number, ())
    return "\n".join([*lines, ""])


def _marks(article: Article, log: ArticleLog) -> tuple[list[tuple[int, int, str, str]], dict[int, list[str]]]:
    """Mentions to write as (start, end, bracket, header), and the argument lines below each line of text."""
    text = article.text
    # Outer mentions come first; of two with the same span the entity is the outer one.
    found: list[tuple[int, int, int, int, Entity | Event]] = [
        (e.start, -e.end, 0, n, e) for n, e in enumerate(article.entities)
    ]
    found += [(e.trigger.start, -e.trigger.end, 1, n, e) for n, e in enumerate(article.events)]
    marks: list[tuple[int, int, str, str]] = []
    events: list[Event] = []
    kinds: dict[str, str] = {}
    open_ends: list[int] = []
    for start, negative, _, _, mention in sorted(found, key=lambda item: item[:4]):
        end = -negative
        labels = mention.types if isinstance(mention, Event) else (mention.label,)
        what = f"{'+'.join(labels)} {start}-{end} {text[start:end]!r}"
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if not 0 <= start < end <= len(text) or text[start:end] != text[start:end].strip():
            log.drop("span", f"{what} is empty, outside the text, or has white space at an edge")
        elif "\n\n" in text[start:end]:
            log.drop("span over a blank line", f"{what} has a blank line, before which every mention must be closed")
        elif open_ends and open_ends[-1] < end:
            log.drop("crossing spans", f"{what} crosses another mention; inline mentions can only nest")
        elif not labels or not all(_LABEL.fullmatch(label) for label in labels):
            log.drop("label", f"{what} has no label, or one with white space, brackets or backslashes")
        elif isinstance(mention, Event) and any("+" in label for label in labels):
            log.drop("label", f"{what} has a type with '+', which joins types in inline")
        elif mention.id and (not _ID.fullmatch(mention.id) or mention.id in kinds):
            log.drop(
                "id", f"{what} has id {mention.id!r}, that is used already or has white space, brackets, ':' or '='"
            )
        else:
            open_ends.append(end)
            bracket = "{" if isinstance(mention, Event) else "["
            if mention.id:
                kinds[mention.id] = bracket
            if isinstance(mention, Event):
                events.append(mention)
            marks.append((start, end, bracket, f"{mention.id}:{'+'.join(labels)}"))
    return marks, _argument_lines(article, events, kinds, log)


def _argument_lines(
    article: Article, events: list[Event], kinds: dict[str, str], log: ArticleLog
) -> dict[int, list[str]]:
    below: dict[int, list[str]] = {}
    for event in events:
        held = [a for a in event.arguments if event.id and kinds.get(a.entity) == "[" and _ROLE.fullmatch(a.role)]
        for argument in event.arguments:
            if argument not in held:
                message = f"{argument.role}={argument.entity} of {event.trigger.text!r} is left out: the event or the "
                log.drop("argument", f"{message}entity has no id in the inline text")
        if held:
            pairs = " ".join(f"{argument.role}={argument.entity}" for argument in held)
            below.setdefault(article.text.count("\n", 0, event.trigger.end), []).append(f"@{event.id} {pairs}")
    return below
