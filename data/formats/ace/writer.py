"""Writes articles as ACE: a source text ``NAME.sgm`` and annotations ``NAME.apf.xml`` each.

The source is the article's text inside tags on one line, so that it is read back unchanged. ACE requires ids of
entities, events and mentions; missing ones are made, and the reader removes them. An event of several types is written
as one event a type, with ids by which the reader joins them.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from xml.sax.saxutils import escape

from ....errors import shown
from ...articles import Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ..common.file_names import free_name
from ..common.lines import has_surrogate
from ..common.losses import EVERYTHING, record_losses
from ..common.xml_tree import is_xml
from .names import ANNOTATION_SUFFIX, AUTHOR, SOURCE_SUFFIX, first_id, further_id, joined

HOLDS = EVERYTHING - {
    *("event types", "sentence labels", "label of the text", "tokens", "scores", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}

_NAME_LENGTH = 60  # code points, of four bytes at most; file systems allow 255 bytes
_WIDTHS = {"&": 5, "<": 4, ">": 4}  # of the references, "&amp;" …
# XML parsers normalize line ends and tabs in attributes unless they are references.
_ATTRIBUTE = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;", '"': "&quot;"}


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write two files for each article.

    Args:
        articles: are streamed.
        path: a folder that exists.
        log: records what ACE cannot hold, and counts articles; an article with a lone surrogate in its text is dropped.
    """
    taken: dict[str, int] = {}
    for article in articles:
        article_log = ArticleLog(log=log, article=article.id)
        if has_surrogate(article.text):
            article_log.drop("lone surrogate", "the text has a lone surrogate, which UTF-8 cannot encode")
            continue
        name = free_name(re.sub(r"[^\w.-]", "_", article.id)[:_NAME_LENGTH].strip(".") or "article", taken)
        annotation = "".join(f"{line}\n" for line in _ApfWriter(article, name, article_log).lines())
        source = f"<DOC{_attributes(article, article_log)}><TEXT>{escape(article.text)}</TEXT></DOC>"
        (path / f"{name}{SOURCE_SUFFIX}").write_bytes(source.encode())
        (path / f"{name}{ANNOTATION_SUFFIX}").write_bytes(annotation.encode())
        record_losses(article, HOLDS, article_log)
        log.articles += 1


def _quoted(text: str) -> str:
    return escape(text, _ATTRIBUTE)


def _attributes(article: Article, log: ArticleLog) -> str:
    """Title, date, source and meta as attributes of the first tag, which ACE does not count."""
    fields = {"title": article.title, "date": article.date, "source": article.source}
    if article.meta:
        try:
            meta = json.dumps(dict(article.meta), ensure_ascii=False, allow_nan=False)
            if json.loads(meta) != article.meta:
                raise ValueError("JSON would change it")
            fields["meta"] = meta
        except (TypeError, ValueError, RecursionError) as error:
            log.drop("meta left out", f"meta is not JSON: {error}")
    for field in [field for field, value in fields.items() if value and has_surrogate(value)]:
        log.drop(f"{field} left out", f"{field} has a lone surrogate, which UTF-8 cannot encode")
        del fields[field]
    return "".join(f' {field}="{_quoted(value)}"' for field, value in fields.items() if value is not None)


class _ApfWriter:
    """Writes the annotation file of one article."""

    def __init__(self, article: Article, name: str, log: ArticleLog) -> None:
        self.article = article
        self.log = log
        self.name = name
        self.document = article.id or name
        if not is_xml(article.id):
            character = f"article id {shown(article.id)} has a character that XML does not allow"
            log.drop("article id changed", f"{character}; it is written as {name!r}")
            self.document = name
        self.ids = {item.id for item in (*article.entities, *article.events) if item.id}
        self.targets: dict[str, tuple[str, Entity]] = {}  # id of a mention → id of its entity, and the entity
        # Offsets count characters as written: & as the five of &amp;.
        self.offsets = [0, *accumulate(_WIDTHS.get(sign, 1) for sign in article.text)]

    def lines(self) -> Iterator[str]:
        """The lines of the APF file."""
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield '<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">'
        # Other programs require all of these attributes.
        uri = _quoted(f"{self.name}{SOURCE_SUFFIX}")
        yield f'<source_file URI="{uri}" SOURCE="unknown" TYPE="text" AUTHOR="{AUTHOR}" ENCODING="UTF-8">'
        yield f'<document DOCID="{_quoted(self.document)}">'
        for number, entity in enumerate(self.article.entities, 1):
            if self._holds(entity, "entity", entity.label, entity.id):
                yield from self._entity(entity, self._group(f"E{number}"))
        previous: Event | None = None
        for number, event in enumerate(self.article.events, 1):
            group = self._group(f"EV{number}", types=len(event.types))
            label = "+".join(event.types) if all(event.types) else ""
            if self._holds(event.trigger, "event", label, event.id):
                previous = self._writable(event, group, previous)
                yield from self._event(previous, group)
        yield "</document>"
        yield "</source_file>"

    def _group(self, suffix: str, types: int = 1) -> str:
        """A new id of an entity or event; no id in use equals an id that is made from it."""
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

    def _holds(self, span: Entity | Span, kind: str, label: str, name: str) -> bool:
        """Whether a span can be written; one that cannot is logged."""
        text, what = self.article.text, f"{kind} {label} {span.start}-{span.end} {shown(span.text)}"
        if not 0 <= span.start < span.end <= len(text) or text[span.start : span.end] != span.text:
            message = f"{what} is empty, outside the text, or differs from the text there"
        elif not label:
            message = f"{what} has no label"
        elif not all(map(is_xml, (span.text, label, name))):
            message = f"{what}, its label or its id has a control character, which XML does not allow"
        else:
            return True
        self.log.drop(f"{kind} left out", message)
        return False

    def _sequence(self, tag: str, span: Entity | Span) -> str:
        start, last = self.offsets[span.start], self.offsets[span.end] - 1
        # In text, carriage returns must be references, quotation marks need not.
        surface = escape(span.text, {"\r": "&#13;"})
        return f'<{tag}><charseq START="{start}" END="{last}">{surface}</charseq></{tag}>'

    def _entity(self, entity: Entity, group: str) -> Iterator[str]:
        mention = entity.id or first_id(group)
        self.targets[mention] = group, entity
        yield f'<entity ID="{_quoted(group)}" TYPE="{_quoted(entity.label)}" SUBTYPE="" CLASS="SPC">'
        yield f'<entity_mention ID="{_quoted(mention)}" TYPE="NAM" LDCTYPE="NAM">'
        yield self._sequence("extent", entity)
        yield self._sequence("head", entity)
        yield "</entity_mention>"
        yield "</entity>"

    def _writable(self, event: Event, group: str, previous: Event | None) -> Event:
        """The event as it can be written; what cannot be written is logged."""
        arguments = []
        for argument in event.arguments:
            if argument.role and argument.entity in self.targets and is_xml(argument.role):
                arguments.append(replace(argument, score=None))
            else:
                what = f"{shown(argument.role)} of {shown(event.trigger.text)}"
                message = f"{what} has no role, or refers to {shown(argument.entity)}, which is not written"
                self.log.drop("argument left out", message)
        kept = replace(event, arguments=tuple(arguments), id=event.id or first_id(group), scores=())
        if previous and joined(previous, kept):
            message = f"id {shown(kept.id)} would be read as a further type of the previous event; it is changed"
            self.log.drop("event id changed", message)
            kept = replace(kept, id=self._new_id(f"{group}-2"))
        return kept

    def _event(self, event: Event, group: str) -> Iterator[str]:
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
                target = _quoted(self.targets[argument.entity][0])
                yield f'<event_argument REFID="{target}" ROLE="{_quoted(argument.role)}"/>'
            yield f'<event_mention ID="{_quoted(mention)}">'
            for tag in ("extent", "ldc_scope", "anchor"):
                yield self._sequence(tag, event.trigger)
            for argument in event.arguments:
                name, role = _quoted(argument.entity), _quoted(argument.role)
                yield f'<event_mention_argument REFID="{name}" ROLE="{role}">'
                yield self._sequence("extent", self.targets[argument.entity][1])
                yield "</event_mention_argument>"
            yield "</event_mention>"
            yield "</event>"


def _made_of(group: str, types: int) -> list[str]:
    """The ids of an entity or event with a number of types, and the ids made for its mentions."""
    first = first_id(group)
    return [group, first, *(further_id(first, count) for count in range(2, types + 1))]
