"""Writes articles for INCEpTION: a folder with an XMI file for each and one TypeSystem.xml, through dkpro-cassis.

In INCEpTION, import TypeSystem.xml under Layers first, then the documents as "UIMA CAS XMI (XML 1.0)". Entities are in
its own layer of named entities; events, their arguments and the labels of the article are in layers made here.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...articles import Article
from ...problems import ArticleLog, DataError, Problem, ProblemLog
from ..common.losses import EVERYTHING, record_losses

HOLDS = EVERYTHING - {
    *("sentence labels", "label of the text", "tokens", "scores", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}
ENTITY_TYPE = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
METADATA_TYPE = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
EVENT_TYPE = "custom.Event"
LINK_TYPE = "custom.EventArgumentsLink"  # INCEpTION calls the links of a slot feature LAYER + FEATURE + Link
EVENT_LABEL_TYPE = "custom.EventType"
ARTICLE_TYPE = "custom.Article"
ARGUMENTS_FEATURE = "arguments"

_STRING, _INTEGER, _BOOLEAN = "uima.cas.String", "uima.cas.Integer", "uima.cas.Boolean"
_ORDER = {"i7n_uiOrder": _INTEGER}  # INCEpTION has it on every document-level layer
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
    """Write one XMI file an article, named by its id where that can be a file's name, and TypeSystem.xml.

    An article whose text has characters that XML 1.0 lacks is left out; every other loss costs what is lost. Scores,
    sentences, tokens, evidence and what was annotated are lost.

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
    used = {"typesystem"}
    for number, article in enumerate(articles, 1):
        if not _xml(article.text):
            message = (
                f"the text holds {_NOT_XML.search(article.text).group()!a}, which XML 1.0 cannot hold; take it out"  # type: ignore[union-attr]
            )
            log.drop("article left out", message, article=article.id)
            continue
        name = article.id if _FILE_NAME.fullmatch(article.id) else f"article-{number}"
        while name.casefold() in used:
            name += f"-{number}"
        used.add(name.casefold())
        cas = cassis.Cas(types)
        cas.sofa_string, cas.sofa_mime = article.text, "text/plain"
        _Writing(cas, article, log).annotate(name)
        cas.to_xmi(path / f"{name}.xmi")
        log.articles += 1


class _Writing:
    """One article on its way into a CAS."""

    def __init__(self, cas: Any, article: Article, log: ProblemLog) -> None:
        self.cas = cas
        self.article = article
        self.log = log

    def annotate(self, name: str) -> None:
        article = self.article
        self._add(METADATA_TYPE, begin=0, end=len(article.text), documentTitle=name, documentId=name)
        self._about()
        for label in article.event_types:
            if self._holds("event type", label):
                self._add(EVENT_LABEL_TYPE, value=label)
        targets = self._entities()
        self._events(targets)
        record_losses(article, HOLDS, ArticleLog(log=self.log, article=article.id))

    def _add(self, kind: str, **features: Any) -> Any:
        structure = self.cas.typesystem.get_type(kind)(**features)
        self.cas.add(structure)
        return structure

    def _drop(self, cause: str, message: str) -> None:
        self.log.drop(cause, message, article=self.article.id)

    def _holds(self, what: str, *strings: str) -> bool:
        """Whether labels or the like can be written; says so if not."""
        for string in strings:
            if not string:
                self._drop("label missing", f"{what} has an empty label, which would not come back")
            elif not _xml(string):
                self._drop("not XML", f"{what}: {string!a:.60} has characters that XML 1.0 cannot hold")
        return all(strings) and _xml(*strings)

    def _about(self) -> None:
        """Id, title, date, source and meta, in a document-level annotation."""
        article = self.article
        given = {"id": article.id, "title": article.title, "date": article.date, "source": article.source}
        stored = {}
        for key, value in given.items():
            if value is not None and not _xml(value):
                self._drop("not XML", f"{key} {value!a:.60} has characters that XML 1.0 cannot hold")
            elif value is not None:
                stored[key] = value
        if article.meta:
            try:
                stored["meta"] = json.dumps(dict(article.meta), allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                self._drop("meta left out", f"meta cannot be written as JSON: {error}")
        self._add(ARTICLE_TYPE, **stored)

    def _entities(self) -> dict[str, Any]:
        targets: dict[str, Any] = {}
        for entity in self.article.entities:
            what = f"{entity.label} {entity.start}-{entity.end} {entity.text!r:.60}"
            if self._holds(f"entity {what}", entity.label) and self._inside(what, entity.start, entity.end):
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
            what = f"{'+'.join(event.types)} {trigger.start}-{trigger.end} {trigger.text!r:.60}"
            types = [label for label in event.types if self._holds(f"event {what}", label)]
            if not types:
                self._drop("event left out", f"{what} has no type that can be written")
            elif self._inside(what, trigger.start, trigger.end):
                links = []
                for argument in event.arguments:
                    if argument.entity not in targets:
                        message = f"{argument.role} of {what} names {argument.entity!r:.60}, which is not written"
                        self._drop("argument left out", message)
                    elif self._holds(f"argument of {what}", argument.role):
                        links.append(link(role=argument.role, target=targets[argument.entity]))
                features = {ARGUMENTS_FEATURE: array(elements=links)} if links else {}
                name = self._id(what, event.id)
                span = {"begin": trigger.start, "end": trigger.end}
                self._add(EVENT_TYPE, **span, types=strings(elements=types), id=name, **features)

    def _inside(self, what: str, start: int, end: int) -> bool:
        if inside := 0 <= start < end <= len(self.article.text):
            return inside
        self._drop("span outside the text", f"{what} is empty or outside of {len(self.article.text)} code points")
        return False

    def _id(self, what: str, name: str) -> str | None:
        if name and not _xml(name):
            self._drop("not XML", f"id {name!a:.60} of {what} has characters that XML 1.0 cannot hold")
        return name if name and _xml(name) else None


def _xml(*strings: str) -> bool:
    return not any(_NOT_XML.search(string) for string in strings)
