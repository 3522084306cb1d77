"""Reading: see the package."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...articles import Article
from ...problems import ProblemLog
from ..common.lines import encoding_fault, parse_json
from ..common.xml_tree import LARGEST, XmlError, parse_xml
from .apf import read_apf
from .ere import read_ere
from .source_text import SourceText, unescape
from .standoff import build_article

_LARGEST_SOURCE = 4 << 20  # bytes; articles take some kilobytes, and every way of counting keeps a copy
_ROOT = re.compile(r"<(?:source_file|deft_ere)[\s>]")
_ANNOTATION = re.compile(r"(\.apf|\.rich_ere|\.ere|\.light_ere)?\.xml\Z", re.IGNORECASE)
_SOURCES = {
    "source_file": (".sgm", ".sgml", ".SGM"),
    "deft_ere": (".xml", ".txt", ".cmp.txt", ".mpdf.xml", ".mp.txt", ".sgm"),
}
_HEADER = {
    "date": re.compile(r"<(?:DATETIME|DATE_TIME|DATE)>([^<]*)<", re.IGNORECASE),
    "title": re.compile(r"<HEADLINE>([^<]*)<", re.IGNORECASE),
}
_DOCUMENT = re.compile(r"<DOC(?:\s[^<>]*)?>")
_ATTRIBUTE = re.compile(r'\s(title|date|source|meta)="([^"<>]*)"')


def is_root(text: str) -> bool:
    """Whether the start of an XML file is that of ACE or ERE."""
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
    """Read the article of an annotation file; a span or argument that cannot be used is left out and recorded.

    Args:
        path: the .apf.xml or .rich_ere.xml file.
        log: takes the problems and the count.
        mentions: levels of the mentions that are entities: NAM, NOM, PRO.
        extent: what a mention covers: its head (a name without its titles) or the whole phrase.
        values: values (Numeric, Contact-Info …), time expressions (TIMEX2) and fillers are entities of that label.
        subtypes: labels of entities and values are TYPE.SUBTYPE, not TYPE.
        event_types: ``full`` for Conflict.Attack, ``subtype`` for Attack, ``type`` for Conflict.
    """
    try:
        root = parse_xml(_content(path, LARGEST))
    except XmlError as error:
        log.drop("not XML", f"{error}", line=error.line)
        return
    if root.tag not in _SOURCES:
        message = f"the root element is {root.tag[:40]!r}; ACE has source_file, ERE has deft_ere"
        log.drop("not ACE", message, line=root.line)
        return
    if root.tag == "source_file":
        stated = read_apf(root, extent=extent, subtypes=subtypes, event_types=event_types)
    else:
        stated = read_ere(root, extent=extent, subtypes=subtypes, event_types=event_types)
    if stated is None:
        log.drop("no document", "the file has no element document", line=root.line)
        return
    stem = _ANNOTATION.sub("", path.name)
    name = stated.id or stem
    if (found := _source(path, stem, root.tag, log, name)) is None:
        return
    raw, unseen = found
    source = SourceText(raw, stated.places(), tags=root.tag == "deft_ere", unseen=unseen)
    levels = {mentions} if isinstance(mentions, str) else {*mentions}
    article = build_article(stated, source, log, mentions=levels, values=values, name=name)
    article = replace(article, source=stated.source or None)
    log.articles += 1
    yield 1, _with_header(article, raw, log)


def _content(path: Path, largest: int) -> bytes:
    if (size := path.stat().st_size) > largest:
        raise XmlError(f"{size} bytes are more than the {largest} that are read; split the file")
    return path.read_bytes()


def _source(path: Path, stem: str, tag: str, log: ProblemLog, name: str) -> tuple[str, bool] | None:
    """The text beside an annotation file, and whether it had a byte order mark."""
    folders = [path.parent]
    if "ere" in (parts := path.parent.parts):
        last = len(parts) - 1 - parts[::-1].index("ere")
        folders.append(Path(*parts[:last], "source", *parts[last + 1 :]))
    files = (folder / f"{stem}{suffix}" for folder in folders for suffix in _SOURCES[tag])
    file = next((file for file in files if file.is_file() and file != path), None)
    if file is None:
        message = f"there is no source text {stem}{_SOURCES[tag][0]} beside it; put it into the same folder"
        log.drop("no source", message, article=name)
        return None
    try:
        content = _content(file, _LARGEST_SOURCE)
    except XmlError as error:
        log.drop("too large", f"source text {file.name}: {error}", article=name)
        return None
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if message := encoding_fault(text):
        log.drop("not UTF-8", f"source text {file.name}: {message}", article=name)
        return None
    return text, content.startswith(b"\xef\xbb\xbf")


def _with_header(article: Article, raw: str, log: ProblemLog) -> Article:
    """The article with what the source says of it: attributes of its first tag, else elements of its header."""
    fields: dict[str, str] = {}
    for field, pattern in _HEADER.items():
        if (found := pattern.search(raw)) and (said := " ".join(unescape(found.group(1)).split())):
            fields[field] = said
    if tag := _DOCUMENT.match(raw.lstrip()):
        fields |= {field: unescape(value) for field, value in _ATTRIBUTE.findall(tag.group())}
    meta: Mapping[str, object] = {}
    if "meta" in fields:
        try:
            meta = parse_json(fields.pop("meta"))
            if not isinstance(meta, dict):
                raise ValueError("it is not an object")
        except ValueError as error:
            meta = {}
            log.drop("meta", f"attribute meta of the source text is left out: {error}", article=article.id)
    return replace(article, **fields, meta=meta)
