"""An audit as one page of HTML that asks for nothing else: no network, no server, no second file.

Article text is foreign text: it is escaped, isolated from the direction of the page, and what cannot be seen in it is
shown as a symbol. The page's policy admits the one script and the one style sheet by their hashes, so that nothing in
an article would run even if it got through.
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import zip_longest
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..data.articles import Article
from ..data.labels import LabelScheme
from .findings import Audit, Finding, Location
from .marked import Palette, direction, gold_marks, hit_marks, legend, nested, said, shown, snippet
from .symbols import plain

LOCATIONS = 500  # of a finding; nobody reads more, and the findings of a large set would fill the page
ROWS = 200  # of a finding's table
ARTICLE = 100_000  # code points; browsers get slow on longer texts in one block
EMBEDDED = 10_000_000  # bytes of whole articles, so that the page stays below some 20 MB

_TASKS = {
    "entities": "Entities",
    "triggers": "Event triggers",
    "arguments": "Arguments",
    "sentence_types": "Event types of sentences",
    "article_types": "Event types of articles",
}
_KINDS = {"entities": "entities", "arguments": "roles"}  # of the scheme; events otherwise
Key = tuple[str, str]  # split, article id


def to_html(audit: Audit, articles: Iterable[tuple[str, Article]], *, scheme: LabelScheme | None = None) -> str:
    """The page of an audit.

    Args:
        audit: what was found.
        articles: split and article, may be streamed; those that no location names are left out. Ids are taken to be unique
            within a split: the first article of an id is shown.
        scheme: colors and definitions of labels; labels that it lacks get a color of their own.

    Returns:
        HTML without lone surrogates, to be written as UTF-8. What was left out for its size is said on the page.
    """
    listed = [(finding, finding.locations[:LOCATIONS]) for finding in audit.findings]
    numbers = iter(range(sum(len(locations) for _, locations in listed)))
    numbered = [(finding, [(next(numbers), location) for location in locations]) for finding, locations in listed]
    wanted = _wanted([locations for _, locations in numbered])
    found = _found(articles, wanted.keys())
    palette = Palette(scheme)
    tables = _label_tables(audit, palette)
    embedded = _embedded(wanted, found, palette)
    page = {key: n for n, key in enumerate(embedded)}
    splits = list(
        dict.fromkeys([*audit.splits, *(location.split for _, locations in listed for location in locations)])
    )
    labels = sorted({location.label for _, locations in listed for location in locations if location.label})
    views = [
        _finding(finding, [_location(n, location, found, page, splits, labels, palette) for n, location in locations])
        for finding, locations in numbered
    ]
    style, script = _template("page.css") + palette.css(), _template("page.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"shown": shown, "said": said, "plain": plain, "number": "{:,}".format}
    return environment.from_string(_template("page.html")).render(
        audit=audit,
        counts={kind: [f for f in audit.findings if f.severity == kind] for kind in ("error", "warning", "note")},
        sums=list(dict.fromkeys(name for sums in audit.splits.values() for name in sums)),
        tables=tables,
        findings=views,
        splits=splits,
        labels=labels,
        articles=embedded,
        missing=len(found) - len(embedded),
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )


def _template(name: str) -> str:
    return (files("rasid.audit") / "templates" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """The source expression by which a content security policy admits an inline element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _wanted(findings: list[list[tuple[int, Location]]]) -> dict[Key, list[tuple[int, Location]]]:
    """Locations by article; the first locations of all findings come before the second ones, so that each has its articles."""
    wanted: dict[Key, list[tuple[int, Location]]] = defaultdict(list)
    for rank in zip_longest(*findings):
        for entry in rank:
            if entry is not None and entry[1].article:
                wanted[entry[1].split, entry[1].article].append(entry)
    return wanted


def _found(articles: Iterable[tuple[str, Article]], wanted: Iterable[Key]) -> dict[Key, Article]:
    """The articles that locations name, in the order in which they are wanted."""
    first: dict[Key, Article | None] = dict.fromkeys(wanted)
    for split, article in articles:
        if (split, article.id) in first and first[split, article.id] is None:
            first[split, article.id] = article
    return {key: article for key, article in first.items() if article is not None}


def _embedded(
    wanted: Mapping[Key, list[tuple[int, Location]]], found: Mapping[Key, Article], palette: Palette
) -> dict[Key, dict[str, Any]]:
    """Whole articles with all marks, as many as there is room for."""
    room, embedded = EMBEDDED, {}
    for key, article in found.items():
        if len(article.text) > ARTICLE or room <= 0:
            continue
        body = nested(article.text, [*hit_marks(article, wanted[key]), *gold_marks(article, palette)])
        room -= len(body.encode())
        if room >= 0:
            embedded[key] = {
                "article": article,
                "split": key[0],
                "direction": direction(article.text),
                "body": body,
                "legend": legend(article, palette),
            }
    return embedded


def _label_tables(audit: Audit, palette: Palette) -> list[dict[str, Any]]:
    """Tasks with a row for each label and a cell for each split: the count, and its share of the split in percent."""
    tables = []
    for task, labels in audit.labels.items():
        kind = _KINDS.get(task, "events")
        splits = list(dict.fromkeys([*audit.splits, *(split for counts in labels.values() for split in counts)]))
        sums = {split: sum(counts.get(split, 0) for counts in labels.values()) or 1 for split in splits}
        shares = [counts.get(split, 0) / sums[split] for counts in labels.values() for split in splits]
        most = max(shares, default=0) or 1
        rows = []
        for name, counts in labels.items():
            cells = [(n := counts.get(split, 0), n / sums[split], 100 * n / sums[split] / most) for split in splits]
            rows.append(
                {"number": palette[kind, name], "label": palette.known(kind, name), "name": name, "cells": cells}
            )
        if rows and splits:
            style = "e" if kind == "entities" else "t"
            tables.append({"title": _TASKS.get(task, task), "splits": splits, "rows": rows, "style": style})
    return tables


def _finding(finding: Finding, locations: list[dict[str, Any]]) -> dict[str, Any]:
    head, *rows = finding.table or ((),)
    return {
        "finding": finding,
        "locations": locations,
        "head": head,
        "rows": rows[:ROWS],
        "more_rows": max(0, len(rows) - ROWS),
        # A column is set as numbers where every cell is one.
        "numeric": [
            all(re.fullmatch(r"[-+]?[\d.,]+ ?%?", row[n]) for row in rows if n < len(row)) for n in range(len(head))
        ],
    }


def _location(
    number: int,
    location: Location,
    found: Mapping[Key, Article],
    page: Mapping[Key, int],
    splits: list[str],
    labels: list[str],
    palette: Palette,
) -> dict[str, Any]:
    key = (location.split, location.article)
    article = found.get(key)
    kind = "entities" if ("entities", location.label) in palette.numbers or not location.label else "events"
    return {
        "number": number,
        "location": location,
        "split": splits.index(location.split),
        "label": labels.index(location.label) if location.label else -1,
        "color": palette[kind, location.label] if location.label else -1,
        "style": "e" if kind == "entities" else "t",
        "page": page.get(key, -1),
        "snippet": snippet(article.text, location.start, location.end) if article else None,
        "direction": direction(article.text) if article else "",
    }
