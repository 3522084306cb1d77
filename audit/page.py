"""An audit as one self-contained HTML page, without network or server.

Article text is untrusted: it is escaped, isolated from the direction of the page, and its invisible characters become
symbols. The content security policy allows the page's own script and style sheet by their hashes, so that no script in
an article can run.
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count, zip_longest
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..data.articles import Article
from ..data.labels import LabelScheme
from .findings import Audit, Finding, Location
from .highlights import (
    Palette,
    annotation_highlights,
    direction,
    highlighted,
    legend,
    message,
    ring_highlights,
    shown,
    snippet,
)
from .symbols import plain

LOCATIONS = 500  # listed of a finding; more would make the page too large
ROWS = 200  # of a finding's table
ARTICLE = 100_000  # code points of an article on the page; browsers are slow with longer texts
EMBEDDED = 10_000_000  # bytes of articles on the page, which then has some 20 MB at most

_TASKS = {
    "entities": "Entities",
    "triggers": "Event triggers",
    "arguments": "Arguments",
    "sentence_types": "Event types of sentences",
    "article_types": "Event types of articles",
}
_SECTIONS = {"entities": "entities", "arguments": "roles"}  # of the scheme; events for all other tasks
Key = tuple[str, str]  # split, article id
Numbered = tuple[int, Location]  # a location with its number on the page


def to_html(audit: Audit, articles: Iterable[tuple[str, Article]], *, scheme: LabelScheme | None = None) -> str:
    """The page of an audit.

    Args:
        audit: the audit.
        articles: split and article, as a stream; articles without a location are skipped. Of several articles with the
            same id in a split, the first is shown.
        scheme: colors and definitions of labels; other labels get a color of their own.

    Returns:
        HTML without lone surrogates, to be written as UTF-8. The page says what was left out because of its size.
    """
    numbers = count()
    numbered = [(f, [(next(numbers), location) for location in f.locations[:LOCATIONS]]) for f in audit.findings]
    by_article = _by_article([locations for _, locations in numbered])
    articles_by_key = _first_of_each(articles, by_article)
    palette = Palette(scheme)
    tables = _label_tables(audit, palette)
    embedded = _embedded(by_article, articles_by_key, palette)
    locations = [location for _, of_finding in numbered for _, location in of_finding]
    page = _Page(
        articles=articles_by_key,
        numbers={key: number for number, key in enumerate(embedded)},
        splits=list(dict.fromkeys([*audit.splits, *(location.split for location in locations)])),
        labels=sorted({location.label for location in locations if location.label}),
        palette=palette,
    )
    findings = [_finding(finding, [_location(page, *item) for item in of_finding]) for finding, of_finding in numbered]
    style, script = _template("page.css") + palette.css(), _template("page.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"shown": shown, "message": message, "plain": plain, "number": "{:,}".format}
    return environment.from_string(_template("page.html")).render(
        audit=audit,
        counts={kind: [f for f in audit.findings if f.severity == kind] for kind in ("error", "warning", "note")},
        totals=list(dict.fromkeys(name for totals in audit.splits.values() for name in totals)),
        tables=tables,
        findings=findings,
        splits=page.splits,
        labels=page.labels,
        articles=embedded,
        missing=len(articles_by_key) - len(embedded),
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """What a location on the page refers to.

    Attributes:
        articles: articles with a location.
        numbers: numbers of the articles that are embedded whole.
        splits: choices of the filter by split.
        labels: choices of the filter by label.
        palette: numbers and colors of labels.
    """

    articles: Mapping[Key, Article]
    numbers: Mapping[Key, int]
    splits: Sequence[str]
    labels: Sequence[str]
    palette: Palette


def _template(name: str) -> str:
    return (files("rasid.audit") / "templates" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """The source expression that allows an inline element in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _by_article(findings: list[list[Numbered]]) -> dict[Key, list[Numbered]]:
    """Locations by article. The first locations of all findings come first, so that each finding gets articles."""
    by_article: dict[Key, list[Numbered]] = defaultdict(list)
    for rank in zip_longest(*findings):
        for item in rank:
            if item is not None and item[1].article:
                by_article[item[1].split, item[1].article].append(item)
    return by_article


def _first_of_each(articles: Iterable[tuple[str, Article]], keys: Iterable[Key]) -> dict[Key, Article]:
    """The first article of each key, in the order of the keys."""
    first: dict[Key, Article | None] = dict.fromkeys(keys)
    for split, article in articles:
        if (split, article.id) in first and first[split, article.id] is None:
            first[split, article.id] = article
    return {key: article for key, article in first.items() if article is not None}


def _embedded(
    by_article: Mapping[Key, list[Numbered]], articles: Mapping[Key, Article], palette: Palette
) -> dict[Key, dict[str, Any]]:
    """Whole articles with all highlights, up to `EMBEDDED` bytes."""
    room, embedded = EMBEDDED, {}
    for key, article in articles.items():
        if len(article.text) > ARTICLE or room <= 0:
            continue
        rings: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, location in by_article[key]:
            rings[location.start, location.end].append(number)
        highlights = [*ring_highlights(rings, article.text), *annotation_highlights(article, palette)]
        body = highlighted(article.text, highlights)
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
    """A table per task: a row per label, a cell per split with count, share of the split, and width of the bar in %."""
    tables = []
    for task, labels in audit.labels.items():
        section = _SECTIONS.get(task, "events")
        splits = list(dict.fromkeys([*audit.splits, *(split for counts in labels.values() for split in counts)]))
        totals = {split: sum(counts.get(split, 0) for counts in labels.values()) or 1 for split in splits}
        shares = [counts.get(split, 0) / totals[split] for counts in labels.values() for split in splits]
        largest = max(shares, default=0) or 1
        rows = []
        for name, counts in labels.items():
            cells = [(n := counts.get(s, 0), n / totals[s], 100 * n / totals[s] / largest) for s in splits]
            label = palette.label(section, name)
            rows.append({"number": palette[section, name], "label": label, "name": name, "cells": cells})
        if rows and splits:
            style = "e" if section == "entities" else "t"
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
        # Columns of numbers are aligned at their end.
        "numeric": [
            all(re.fullmatch(r"[-+]?[\d.,]+ ?%?", row[n]) for row in rows if n < len(row)) for n in range(len(head))
        ],
    }


def _location(page: _Page, number: int, location: Location) -> dict[str, Any]:
    key = (location.split, location.article)
    article = page.articles.get(key)
    section = next((s for s in ("entities", "roles") if (s, location.label) in page.palette.numbers), "events")
    return {
        "number": number,
        "location": location,
        "split": page.splits.index(location.split),
        "label": page.labels.index(location.label) if location.label else -1,
        "color": page.palette[section, location.label] if location.label else -1,
        "style": "e" if section == "entities" or not location.label else "t",
        "page": page.numbers.get(key, -1),
        "snippet": snippet(article.text, location.start, location.end) if article else None,
        "direction": direction(article.text) if article else "",
    }
