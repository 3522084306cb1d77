"""Writes articles for INCEpTION with dkpro-cassis: a folder with one XMI file an article and TypeSystem.xml.

In INCEpTION, import TypeSystem.xml under Layers first, then the documents as "UIMA CAS XMI (XML 1.0)". Entities are in
the built-in layer of named entities; events, arguments and event types of the article are in custom layers.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article, Entity, Event, Span
from ...problems import ArticleLog, DataError, Problem, ProblemLog
from ..common.file_names import free_name
from ..common.losses import EVERYTHING, record_losses
from ..common.xml_tree import NOT_XML, is_xml
from .names import (
    ARGUMENTS_FEATURE,
    ARTICLE_TYPE,
    ENTITY_TYPE,
    EVENT_LABEL_TYPE,
    EVENT_TYPE,
    LINK_TYPE,
    METADATA_TYPE,
    PREDICTED_FEATURE,
)

HOLDS = EVERYTHING - {
    *("sentence labels", "label of the text", "tokens", "scores", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}

_STRING, _INTEGER, _BOOLEAN = "uima.cas.String", "uima.cas.Integer", "uima.cas.Boolean"
_ORDER = {"i7n_uiOrder": _INTEGER}  # INCEpTION requires it on document-level layers
_METADATA = ("documentTitle", "documentId", "documentUri", "collectionId", "documentBaseUri")
_TYPES: dict[str, tuple[str, dict[str, str]]] = {
    METADATA_TYPE: ("uima.tcas.DocumentAnnotation", {**dict.fromkeys(_METADATA, _STRING), "isLastSegment": _BOOLEAN}),
    ENTITY_TYPE: ("uima.tcas.Annotation", dict.fromkeys(("value", "identifier", "id"), _STRING)),
    LINK_TYPE: ("uima.cas.TOP", {"role": _STRING, "target": ENTITY_TYPE}),
    EVENT_TYPE: (
        "uima.tcas.Annotation",
        {"types": "uima.cas.StringArray", "id": _STRING, ARGUMENTS_FEATURE: "uima.cas.FSArray"},
    ),
    EVENT_LABEL_TYPE: ("uima.cas.AnnotationBase", {"value": _STRING, PREDICTED_FEATURE: _BOOLEAN, **_ORDER}),
    ARTICLE_TYPE: (
        "uima.cas.AnnotationBase",
        {**dict.fromkeys(("id", "title", "date", "source", "meta"), _STRING), **_ORDER},
    ),
}
_FILE_NAME = re.compile(r"\w[\w .-]{0,60}(?<![ .])")


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write TypeSystem.xml and one XMI file an article, named by its id if that is a safe file name.

    An article whose text has characters that XML 1.0 does not allow is dropped.

    Raises:
        DataError: dkpro-cassis is not installed.
    """
    try:
        import cassis
    except ImportError as error:
        message = 'INCEpTION files are written with dkpro-cassis: pip install "rasid[inception]"'
        raise DataError([Problem(source=log.source, cause="missing extra", message=message)]) from error
    types = cassis.TypeSystem()
    for name, (parent, _) in _TYPES.items():
        types.create_type(name, parent)
    for name, (_, features) in _TYPES.items():
        for feature, kind in features.items():
            element: Any = LINK_TYPE if feature == ARGUMENTS_FEATURE else None
            types.create_feature(name, feature, kind, elementType=element)
    types.to_xml(path / "TypeSystem.xml")
    taken = {"typesystem": 1}
    for number, article in enumerate(articles, 1):
        article_log = ArticleLog(log=log, article=article.id)
        if found := NOT_XML.search(article.text):
            message = f"the text has {shown(found.group())}, which XML 1.0 does not allow; remove it"
            article_log.drop("article left out", message)
            continue
        name = free_name(article.id if _FILE_NAME.fullmatch(article.id) else f"article-{number}", taken)
        cas = cassis.Cas(types)
        cas.sofa_string, cas.sofa_mime = article.text, "text/plain"
        _CasWriter(cas, article, article_log).annotate(name)
        record_losses(article, HOLDS, article_log)
        cas.to_xmi(path / f"{name}.xmi")
        log.articles += 1


class _CasWriter:
    """Adds the annotations of one article to a CAS."""

    def __init__(self, cas: Any, article: Article, log: ArticleLog) -> None:
        self.cas = cas
        self.article = article
        self.log = log
        self.targets: dict[str, Any] = {}  # id of an entity → its structure

    def annotate(self, name: str) -> None:
        article = self.article
        self._add(METADATA_TYPE, begin=0, end=len(article.text), documentTitle=name, documentId=name)
        self._about()
        for label in article.event_types:
            if self._can_write("event type", label):
                # Clearing the feature in INCEpTION confirms a prediction.
                predicted = {PREDICTED_FEATURE: True} if article.type_scores else {}
                self._add(EVENT_LABEL_TYPE, value=label, **predicted)
        for entity in article.entities:
            self._entity(entity)
        for event in article.events:
            self._event(event)

    def _new(self, kind: str, **features: Any) -> Any:
        return self.cas.typesystem.get_type(kind)(**features)

    def _add(self, kind: str, **features: Any) -> Any:
        structure = self._new(kind, **features)
        self.cas.add(structure)
        return structure

    def _allowed(self, what: str, text: str | None) -> str | None:
        """A text; None, and logged, if XML does not allow its characters."""
        if text is None or is_xml(text):
            return text
        self.log.drop("not XML", f"{what} {shown(text)} has characters that XML 1.0 does not allow")
        return None

    def _can_write(self, what: str, label: str) -> bool:
        """Whether a label can be written; one that cannot is logged."""
        if not label:
            self.log.drop("label missing", f"{what} has an empty label, which is not read back")
        return bool(label and self._allowed(f"{what}: label", label))

    def _about(self) -> None:
        """Id, title, date, source and meta, in a document-level annotation."""
        article = self.article
        given = {"id": article.id, "title": article.title, "date": article.date, "source": article.source}
        if article.meta:
            try:
                given["meta"] = json.dumps(dict(article.meta), allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                self.log.drop("meta left out", f"meta cannot be written as JSON: {error}")
        stored = {key: self._allowed(key, value) for key, value in given.items()}
        self._add(ARTICLE_TYPE, **{key: value for key, value in stored.items() if value is not None})

    def _entity(self, entity: Entity) -> None:
        what = f"{entity.label} {entity.start}-{entity.end} {shown(entity.text)}"
        if self._can_write(f"entity {what}", entity.label) and (span := self._span(what, entity, entity.id)):
            self.targets.setdefault(entity.id, self._add(ENTITY_TYPE, **span, value=entity.label))

    def _event(self, event: Event) -> None:
        trigger = event.trigger
        what = f"{'+'.join(event.types)} {trigger.start}-{trigger.end} {shown(trigger.text)}"
        types = [label for label in event.types if self._can_write(f"event {what}", label)]
        if not types:
            self.log.drop("event left out", f"{what} has no type that can be written")
        elif span := self._span(what, trigger, event.id):
            links = []
            for argument in event.arguments:
                if argument.entity not in self.targets:
                    message = f"{argument.role} of {what} refers to {shown(argument.entity)}, which is not written"
                    self.log.drop("argument left out", message)
                elif self._can_write(f"argument of {what}", argument.role):
                    links.append(self._new(LINK_TYPE, role=argument.role, target=self.targets[argument.entity]))
            arguments = {ARGUMENTS_FEATURE: self._new("uima.cas.FSArray", elements=links)} if links else {}
            self._add(EVENT_TYPE, **span, types=self._new("uima.cas.StringArray", elements=types), **arguments)

    def _span(self, what: str, span: Entity | Span, name: str) -> dict[str, Any] | None:
        """The features ``begin``, ``end`` and ``id`` of a span; None, and logged, if it is outside the text."""
        length = len(self.article.text)
        if 0 <= span.start < span.end <= length:
            return {"begin": span.start, "end": span.end, "id": self._allowed(f"id of {what}:", name) or None}
        self.log.drop("span outside the text", f"{what} is empty or outside the text of {length} code points")
        return None
