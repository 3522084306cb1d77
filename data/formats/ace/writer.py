"""Articles as ACE: a source ``NAME.sgm`` and its annotation ``NAME.apf.xml`` for each.

The source is the article's text in one line of tags, so that reading gives it back to the letter. ACE wants an id of
every entity, event and mention: those that have none get one, by which reading knows that there was none. An event of
several types is one event for each, with ids that reading joins again.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from xml.sax.saxutils import escape

from ...articles import Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ..common.lines import has_surrogate
from ..common.losses import EVERYTHING, record_losses
from .standoff import AUTHOR, first_id, further_id, joined

HOLDS = EVERYTHING - {
    *("event types", "sentence labels", "label of the text", "tokens", "scores", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}

# What XML 1.0 cannot hold, not even as a reference.
_FOREIGN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME_LENGTH = 60  # code points; with an ending and four bytes each they stay below the 255 bytes of a file name
_WRITTEN = {"&": 5, "<": 4, ">": 4}
# Attributes and text in which line ends and tabs are to survive the normalization of XML.
_KEPT = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;", '"': "&quot;"}


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write two files for each article; what ACE cannot hold is recorded, an article without a text is left out.

    Args:
        articles: are streamed.
        path: a folder that exists.
        log: takes what is lost, and the count.
    """
    taken: set[str] = set()
    for article in articles:
        if has_surrogate(article.text):
            message = "the text holds a lone surrogate, which UTF-8 cannot carry"
            log.drop("lone surrogate", message, article=article.id)
            continue
        name = _file_name(article.id, taken)
        writer = _Writer(article, name, log)
        annotation = "".join(line + "\n" for line in writer.lines())
        source = f"<DOC{_attributes(article, log)}><TEXT>{escape(article.text)}</TEXT></DOC>"
        (path / f"{name}.sgm").write_bytes(source.encode())
        (path / f"{name}.apf.xml").write_bytes(annotation.encode())
        record_losses(article, HOLDS, ArticleLog(log=log, article=article.id))
        log.articles += 1


def _file_name(name: str, taken: set[str]) -> str:
    """A file name that no other article has, on file systems too that ignore case and composition."""
    base = re.sub(r"[^\w.-]", "_", name)[:_NAME_LENGTH].strip(".") or "article"
    count, chosen = 1, base
    while (folded := unicodedata.normalize("NFKC", chosen).casefold()) in taken:
        count += 1
        chosen = f"{base}_{count}"
    taken.add(folded)
    return chosen


def _quoted(text: str) -> str:
    return escape(text, _KEPT)


def _attributes(article: Article, log: ProblemLog) -> str:
    """What is known of the article, as attributes of the first tag, which ACE does not count."""
    fields = {"title": article.title, "date": article.date, "source": article.source}
    if article.meta:
        try:
            meta = json.dumps(dict(article.meta), ensure_ascii=False, allow_nan=False)
            if json.loads(meta) != article.meta:
                raise ValueError("it would not come back as it is")
            fields["meta"] = meta
        except (TypeError, ValueError, RecursionError) as error:
            log.drop("meta left out", f"meta is not JSON: {error}", article=article.id)
    written = ""
    for field, value in fields.items():
        if value is None:
            continue
        if has_surrogate(value):
            message = f"{field} holds a lone surrogate, which UTF-8 cannot carry"
            log.drop(f"{field} left out", message, article=article.id)
        else:
            written += f' {field}="{_quoted(value)}"'
    return written


class _Writer:
    """The annotation of one article."""

    def __init__(self, article: Article, name: str, log: ProblemLog) -> None:
        self.article = article
        self.log = log
        self.name = name
        self.document = self._document_id(article.id, name)
        self.ids = {item.id for item in (*article.entities, *article.events) if item.id}
        # A character counts as what it is written as: & as the five of &amp;.
        self.places = [0, *accumulate(_WRITTEN.get(sign, 1) for sign in article.text)]

    def _document_id(self, wanted: str, name: str) -> str:
        if _FOREIGN.search(wanted):
            message = f"article id {wanted!r} holds a character that XML cannot hold; it is written as {name!r}"
            self.log.drop("article id changed", message, article=wanted)
            return name
        return wanted or name

    def lines(self) -> Iterator[str]:
        """The lines of the APF file."""
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield '<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">'
        # No attribute can be left away, as other programs look for all of them.
        uri = _quoted(f"{self.name}.sgm")
        yield f'<source_file URI="{uri}" SOURCE="unknown" TYPE="text" AUTHOR="{AUTHOR}" ENCODING="UTF-8">'
        yield f'<document DOCID="{_quoted(self.document)}">'
        written: dict[str, tuple[str, Entity]] = {}  # mention id → id of the entity, and the mention
        for number, entity in enumerate(self.article.entities, 1):
            if not self._holds(entity, "entity", entity.label, entity.label, entity.id):
                continue
            group = self._group(f"E{number}")
            mention = entity.id or first_id(group)
            written[mention] = group, entity
            yield from self._entity(entity, group, mention)
        previous: Event | None = None
        for number, event in enumerate(self.article.events, 1):
            group = self._group(f"EV{number}", types=len(event.types))
            kept = self._event(event, group, previous, written)
            if kept is not None:
                yield from self._events(kept, group, written)
                previous = kept
        yield "</document>"
        yield "</source_file>"

    def _group(self, suffix: str, types: int = 1) -> str:
        """A new id of an entity or event, such that no mention has an id made of it but those without one."""
        group = f"{self.document}-{suffix}"
        while not self.ids.isdisjoint(made := _made_of(group, types)):
            group += "_"
        self.ids.update(made)
        return group

    def _new_id(self, name: str) -> str:
        while name in self.ids:
            name += "_"
        self.ids.add(name)
        return name

    def _holds(self, span: Entity | Span, kind: str, label: str, *texts: str) -> bool:
        """Whether XML holds a span; one that it does not hold is recorded."""
        text, what = self.article.text, f"{kind} {label} {span.start}-{span.end} {span.text!r}"
        if not 0 <= span.start < span.end <= len(text) or text[span.start : span.end] != span.text:
            message = f"{what} is empty, lies outside the text, or is not what the text has there"
        elif not label:
            message = f"{what} has no label"
        elif any(map(_FOREIGN.search, (span.text, *texts))):
            message = f"{what}, or its label or id, holds a control character, which XML cannot hold"
        else:
            return True
        self.log.drop(f"{kind} left out", message, article=self.article.id)
        return False

    def _sequence(self, tag: str, span: Entity | Span) -> str:
        start, last = self.places[span.start], self.places[span.end] - 1
        # Quotation marks need no reference in text; line ends do.
        surface = escape(span.text, {"\r": "&#13;"})
        return f'<{tag}><charseq START="{start}" END="{last}">{surface}</charseq></{tag}>'

    def _entity(self, entity: Entity, group: str, mention: str) -> Iterator[str]:
        yield f'<entity ID="{_quoted(group)}" TYPE="{_quoted(entity.label)}" SUBTYPE="" CLASS="SPC">'
        yield f'<entity_mention ID="{_quoted(mention)}" TYPE="NAM" LDCTYPE="NAM">'
        yield self._sequence("extent", entity)
        yield self._sequence("head", entity)
        yield "</entity_mention>"
        yield "</entity>"

    def _event(
        self, event: Event, group: str, previous: Event | None, written: dict[str, tuple[str, Entity]]
    ) -> Event | None:
        """The event as it can be written; what is lost of it is recorded."""
        label = "+".join(event.types)
        if not all(event.types):
            label = ""
        if not self._holds(event.trigger, "event", label, label, event.id):
            return None
        arguments = []
        for argument in event.arguments:
            if not argument.role or argument.entity not in written or _FOREIGN.search(argument.role):
                message = f"{argument.role!r} of {event.trigger.text!r} names {argument.entity!r}, which is not written"
                self.log.drop("argument left out", message, article=self.article.id)
            else:
                arguments.append(replace(argument, score=None))
        name = event.id or first_id(group)
        kept = replace(event, arguments=tuple(arguments), id=name, scores=())
        if previous and joined(previous, kept):
            message = f"id {name!r} would make the event a further type of the one before it; it gets another"
            self.log.drop("event id changed", message, article=self.article.id)
            kept = replace(kept, id=self._new_id(f"{group}-2"))
        return kept

    def _events(self, event: Event, group: str, written: dict[str, tuple[str, Entity]]) -> Iterator[str]:
        for count, label in enumerate(event.types, 1):
            mention = event.id if count == 1 else further_id(event.id, count)
            kind, dot, subtype = label.partition(".")
            if not (kind and dot and subtype):
                kind, subtype = label, ""
            yield (
                f'<event ID="{_quoted(group if count == 1 else self._new_id(group))}" TYPE="{_quoted(kind)}" '
                f'SUBTYPE="{_quoted(subtype)}" MODALITY="Asserted" POLARITY="Positive" GENERICITY="Specific" '
                'TENSE="Unspecified">'
            )
            for argument in event.arguments:
                target = _quoted(written[argument.entity][0])
                yield f'<event_argument REFID="{target}" ROLE="{_quoted(argument.role)}"/>'
            yield f'<event_mention ID="{_quoted(mention)}">'
            for tag in ("extent", "ldc_scope", "anchor"):
                yield self._sequence(tag, event.trigger)
            for argument in event.arguments:
                name, role = _quoted(argument.entity), _quoted(argument.role)
                yield f'<event_mention_argument REFID="{name}" ROLE="{role}">'
                yield self._sequence("extent", written[argument.entity][1])
                yield "</event_mention_argument>"
            yield "</event_mention>"
            yield "</event>"


def _made_of(group: str, types: int) -> list[str]:
    """The ids of an entity or event of so many types, and of its mentions where they have none."""
    first = first_id(group)
    return [group, first, *(further_id(first, count) for count in range(2, types + 1))]
