"""Reads INCEpTION documents: XMI and JSON files, and zip archives of them."""

from collections.abc import Collection, Iterator
from pathlib import Path

from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.lines import limited_content
from .archive import CasFile, read_archive
from .build import Layers, build_article
from .names import ARTICLE_TYPE, ENTITY_TYPE, EVENT_LABEL_TYPE, EVENT_TYPE, METADATA_TYPE
from .uima_cas import MAX_BYTES, Cas, CasError, parse_cas


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    entity_layers: Collection[str] = (f"{ENTITY_TYPE}:value", "custom.Span:label"),
    event_layers: Collection[str] = (f"{EVENT_TYPE}:types",),
    relation_layers: Collection[str] = ("custom.Relation:label",),
    document_layers: Collection[str] = (f"{EVENT_LABEL_TYPE}:value",),
    ignored_layers: Collection[str] = (),
    triggers: Collection[str] = (),
    annotator: str = "",
    predictions: bool = False,
) -> Iterator[tuple[int, Article]]:
    """Read the document of a file, or the documents of a zip archive; what cannot be used is dropped and logged.

    Args:
        path: an XMI or JSON file, an archive of a document or a project, or the folder of an unpacked project; type
            systems are not needed.
        log: records problems and counts articles; its source is ``ARCHIVE!MEMBER`` for documents of an archive.
        entity_layers: span layers whose annotations are entities, as ``"custom.Span:label"``; without a feature, the
            first of value, label, types, type and category is the label.
        event_layers: span layers whose annotations are event triggers.
        relation_layers: relation layers; a relation between an event and an entity, in either direction, is an
            argument.
        document_layers: document-level layers whose labels are event types of the article.
        ignored_layers: layers that are not read and not reported.
        triggers: labels in entity layers that are event types.
        annotator: annotator whose versions of the documents of a project are read; empty for the curated version, or
            that of the only annotator. ``CURATION_USER`` is the curator, ``INITIAL_CAS`` the document as imported.
        predictions: also read event types of the article that a model predicted.

    Yields:
        0, because the files have no lines, and the article. Its id is the one that it was written with, else the
        document's name in INCEpTION, else the name of the file.
    """
    layers = Layers(
        entity=_features(entity_layers),
        event=_features(event_layers),
        relation=_features(relation_layers),
        document=_features(document_layers),
        ignored=frozenset(_features(ignored_layers)),
        triggers=frozenset(triggers),
        predictions=predictions,
    )
    is_archive = path.suffix.lower() == ".zip" or path.is_dir()
    documents = read_archive(path, log, annotator) if is_archive else _document(path, log)
    for document in documents:
        try:
            cas = parse_cas(document.content, json=document.json)
        except CasError as error:
            log.drop("not a CAS document", f"the document is dropped: {error}", article=document.name)
            continue
        log.articles += 1
        yield 0, build_article(cas, layers, ArticleLog(log=log, article=_name(cas) or document.name))


def _document(path: Path, log: ProblemLog) -> Iterator[CasFile]:
    """The document of a file, unless it cannot be read."""
    try:
        content = limited_content(path, MAX_BYTES)
    except (ValueError, OSError) as error:
        log.drop("not a CAS document", f"the document is dropped: {error}", article=path.stem)
        return
    yield CasFile(name=path.stem, content=content, json=path.suffix.lower() == ".json")


def _features(layers: Collection[str]) -> dict[str, str]:
    """Layer → its label feature, empty if none is named."""
    names = [layers] if isinstance(layers, str) else layers
    return {layer: feature for layer, _, feature in (name.partition(":") for name in names)}


def _name(cas: Cas) -> str:
    """The article's id as it was written, else the document's name; empty if there is neither."""
    for kind, feature in ((ARTICLE_TYPE, "id"), (METADATA_TYPE, "documentTitle"), (METADATA_TYPE, "documentId")):
        for structure in cas.structures.values():
            if structure.type == kind and isinstance(name := structure.features.get(feature), str) and name:
                return name if kind == ARTICLE_TYPE else name.removesuffix(".xmi").removesuffix(".json")
    return ""
