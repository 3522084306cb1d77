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
from ...articles import Article
from ...problems import ArticleLog, DataError, Problem, ProblemLog
from ..common.file_names import free_name
from ..common.losses import EVERYTHING, record_losses
from .names import (
    ARGUMENTS_FEATURE,
    ARTICLE_TYPE,
    ENTITY_TYPE,
    EVENT_LABEL_TYPE,
    EVENT_TYPE,
    LINK_TYPE,
    METADATA_TYPE,
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
    EVENT_LABEL_TYPE: ("uima.cas.AnnotationBase", {"value": _STRING, **_ORDER}),
    ARTICLE_TYPE: (
        "uima.cas.AnnotationBase",
        {**dict.fromkeys(("id", "title", "date", "source", "meta"), _STRING), **_ORDER},
    ),
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
        if found := _NOT_XML.search(article.text):
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

    def annotate(self, name: str) -> None:
        article = self.article
        self._add(METADATA_TYPE, begin=0, end=len(article.text), documentTitle=name, documentId=name)
        self._about()
        for label in article.event_types:
            if self._can_write("event type", label):
                self._add(EVENT_LABEL_TYPE, value=label)
        self._events(self._entities())

    def _add(self, kind: str, **features: Any) -> Any:
        structure = self.cas.typesystem.get_type(kind)(**features)
        self.cas.add(structure)
        return structure

    def _can_write(self, what: str, label: str) -> bool:
        """Whether a label can be written; one that cannot is logged."""
        if not label:
            self.log.drop("label missing", f"{what} has an empty label, which is not read back")
        elif not _is_xml(label):
            self.log.drop("not XML", f"{what}: {shown(label)} has characters that XML 1.0 does not allow")
        return bool(label) and _is_xml(label)

    def _about(self) -> None:
        """Id, title, date, source and meta, in a document-level annotation."""
        article = self.article
        given = {"id": article.id, "title": article.title, "date": article.date, "source": article.source}
        stored = {}
        for key, value in given.items():
            if value is not None and not _is_xml(value):
                self.log.drop("not XML", f"{key} {shown(value)} has characters that XML 1.0 does not allow")
            elif value is not None:
                stored[key] = value
        if article.meta:
            try:
                stored["meta"] = json.dumps(dict(article.meta), allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                self.log.drop("meta left out", f"meta cannot be written as JSON: {error}")
        self._add(ARTICLE_TYPE, **stored)

    def _entities(self) -> dict[str, Any]:
        targets: dict[str, Any] = {}
        for entity in self.article.entities:
            what = f"{entity.label} {entity.start}-{entity.end} {shown(entity.text)}"
            if self._can_write(f"entity {what}", entity.label) and self._inside(what, entity.start, entity.end):
                name = self._id(what, entity.id)
                span = self._add(ENTITY_TYPE, begin=entity.start, end=entity.end, value=entity.label, id=name)
                targets.setdefault(entity.id, span)
        return targets

    def _events(self, targets: dict[str, Any]) -> None:
        link, strings, array = (
            self.cas.typesystem.get_type(kind) for kind in (LINK_TYPE, "uima.cas.StringArray", "uima.cas.FSArray")
        )
        for event in self.article.events:
            trigger = event.trigger
            what = f"{'+'.join(event.types)} {trigger.start}-{trigger.end} {shown(trigger.text)}"
            types = [label for label in event.types if self._can_write(f"event {what}", label)]
            if not types:
                self.log.drop("event left out", f"{what} has no type that can be written")
            elif self._inside(what, trigger.start, trigger.end):
                links = []
                for argument in event.arguments:
                    if argument.entity not in targets:
                        message = f"{argument.role} of {what} refers to {shown(argument.entity)}, which is not written"
                        self.log.drop("argument left out", message)
                    elif self._can_write(f"argument of {what}", argument.role):
                        links.append(link(role=argument.role, target=targets[argument.entity]))
                features = {ARGUMENTS_FEATURE: array(elements=links)} if links else {}
                name = self._id(what, event.id)
                span = {"begin": trigger.start, "end": trigger.end}
                self._add(EVENT_TYPE, **span, types=strings(elements=types), id=name, **features)

    def _inside(self, what: str, start: int, end: int) -> bool:
        if inside := 0 <= start < end <= len(self.article.text):
            return inside
        self.log.drop(
            "span outside the text", f"{what} is empty or outside the text of {len(self.article.text)} code points"
        )
        return False

    def _id(self, what: str, name: str) -> str | None:
        if name and not _is_xml(name):
            self.log.drop("not XML", f"id {shown(name)} of {what} has characters that XML 1.0 does not allow")
        return name if name and _is_xml(name) else None


def _is_xml(text: str) -> bool:
    return _NOT_XML.search(text) is None
