"""Reads an ACE or ERE annotation file together with its source text."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, ProblemLog
from ..common.lines import encoding_fault, limited_content, parse_object
from ..common.xml_tree import MAX_BYTES, XmlError, parse_xml
from .apf import read_apf
from .build import build_article
from .ere import read_ere
from .names import SOURCE_SUFFIX
from .source_text import SourceText, unescape

_MAX_SOURCE_BYTES = 4 << 20  # articles have some kilobytes, and each way of counting keeps a copy
_ROOT = re.compile(r"<(?:source_file|deft_ere)[\s>]")
_ANNOTATION = re.compile(r"(\.apf|\.rich_ere|\.ere|\.light_ere)?\.xml\Z", re.IGNORECASE)
_SOURCES = {
    "source_file": (SOURCE_SUFFIX, ".sgml", ".SGM"),
    "deft_ere": (".xml", ".txt", ".cmp.txt", ".mpdf.xml", ".mp.txt", ".sgm"),
}
_HEADER = {
    "date": re.compile(r"<(?:DATETIME|DATE_TIME|DATE)>([^<]*)<", re.IGNORECASE),
    "title": re.compile(r"<HEADLINE>([^<]*)<", re.IGNORECASE),
}
_DOCUMENT = re.compile(r"<DOC(?:\s[^<>]*)?>")
_ATTRIBUTE = re.compile(r'\s(title|date|source|meta)="([^"<>]*)"')


def is_root(text: str) -> bool:
    """Whether the start of an XML file has the root element of ACE or ERE."""
    return _ROOT.search(text) is not None


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    mentions: Collection[str] = ("NAM",),
    extent: Literal["head", "extent"] = "head",
    values: bool = True,
    subtypes: bool = False,
    event_types: Literal["full", "subtype", "type"] = "full",
) -> Iterator[tuple[int, Article]]:
    """Read the article of an annotation file; a span or argument that cannot be used is dropped and logged.

    Args:
        path: the .apf.xml or .rich_ere.xml file.
        log: records problems and counts articles.
        mentions: levels of the mentions to read as entities: NAM, NOM, PRO.
        extent: span of an entity: the head of the mention (a name without titles) or the whole phrase.
        values: read values (Numeric, Contact-Info …), time expressions (TIMEX2) and fillers as entities.
        subtypes: labels of entities and values are TYPE.SUBTYPE, not TYPE.
        event_types: ``full`` for Conflict.Attack, ``subtype`` for Attack, ``type`` for Conflict.
    """
    try:
        root = parse_xml(limited_content(path, MAX_BYTES))
    except ValueError as error:
        log.drop("not XML", str(error), line=error.line if isinstance(error, XmlError) else 0)
        return
    if root.tag not in _SOURCES:
        message = f"the root element is {shown(root.tag)}; it must be source_file (ACE) or deft_ere (ERE)"
        log.drop("not ACE", message, line=root.line)
        return
    is_ere = root.tag == "deft_ere"
    if is_ere:
        standoff = read_ere(root, extent=extent, event_types=event_types)
    else:
        standoff = read_apf(root, extent=extent, subtypes=subtypes, event_types=event_types)
    if standoff is None:
        log.drop("no document", "the file has no element document", line=root.line)
        return
    stem = _ANNOTATION.sub("", path.name)
    name = standoff.id or stem
    if (found := _source(path, stem, root.tag, ArticleLog(log=log, article=name))) is None:
        return
    raw, unseen = found
    source = SourceText(raw, standoff.ranges(), tags=is_ere, unseen=unseen)
    levels = {mentions} if isinstance(mentions, str) else {*mentions}
    article = build_article(standoff, source, log, mentions=levels, values=values, name=name)
    article = replace(article, source=standoff.source or None)
    log.articles += 1
    yield 1, _with_header(article, raw, log)


def _source(path: Path, stem: str, tag: str, log: ArticleLog) -> tuple[str, bool] | None:
    """The source text of an annotation file, and whether it had a byte order mark; None, and logged, without one."""
    folders = [path.parent]
    if "ere" in (parts := path.parent.parts):
        last = len(parts) - 1 - parts[::-1].index("ere")
        folders.append(Path(*parts[:last], "source", *parts[last + 1 :]))
    files = (folder / f"{stem}{suffix}" for folder in folders for suffix in _SOURCES[tag])
    file = next((file for file in files if file.is_file() and file != path), None)
    if file is None:
        log.drop("no source", f"the source text {stem}{_SOURCES[tag][0]} is missing; put it into the same folder")
        return None
    try:
        content = limited_content(file, _MAX_SOURCE_BYTES)
    except ValueError as error:
        log.drop("too large", f"source text {file.name}: {error}")
        return None
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if message := encoding_fault(text):
        log.drop("not UTF-8", f"source text {file.name}: {message}")
        return None
    return text, content.startswith(b"\xef\xbb\xbf")


def _with_header(article: Article, raw: str, log: ProblemLog) -> Article:
    """Add title, date, source and meta from the attributes of the first tag or the header of the source text."""
    fields: dict[str, str] = {}
    for field, pattern in _HEADER.items():
        if (found := pattern.search(raw)) and (value := " ".join(unescape(found.group(1)).split())):
            fields[field] = value
    if tag := _DOCUMENT.match(raw.lstrip()):
        fields |= {field: unescape(value) for field, value in _ATTRIBUTE.findall(tag.group())}
    meta: dict[str, Any] = {}
    try:
        meta = parse_object(fields.pop("meta", "{}"))
    except ValueError as error:
        log.drop("meta", f"attribute meta of the source text is dropped: {error}", article=article.id)
    return replace(article, **fields, meta=meta)
