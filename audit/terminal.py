"""An audit in the terminal: totals, label counts, and findings with their first locations."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..data.problems import listed_notes
from .findings import Audit, Finding, Severity

_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_TABLE_ROWS = 8


def render(audit: Audit, *, limit: int = 3) -> Iterator[RenderableType]:
    """An audit as parts to print on a console, for 80 columns.

    Args:
        audit: the audit.
        limit: locations per finding; tables have twice as many rows, and at least eight.
    """
    yield _totals(audit)
    for task in audit.labels:
        yield _labels(audit, task)
    yield from (Text(_clean(line), style="dim") for line in listed_notes(audit.notes))
    explained: set[str] = set()
    for finding in audit.findings:
        yield from _finding(finding, limit, explained=finding.explanation in explained)
        explained.add(finding.explanation)
    yield Text()
    counts = Counter(finding.severity for finding in audit.findings)
    kinds = (f"1 kind of {s}" if counts[s] == 1 else f"{counts[s]} kinds of {s}s" for s in _STYLES)
    yield Text(", ".join(kinds))


def _totals(audit: Audit) -> Table:
    # Empty columns are left out, to make room for the names of data sets.
    columns = list(dict.fromkeys(name for row in audit.splits.values() for name, count in row.items() if count))
    table = _table("data set", columns, audit.splits)
    table.title, table.title_justify = _plain(audit.name), "left"
    return table


def _labels(audit: Audit, task: str) -> Table:
    rows = sorted(audit.labels[task].items(), key=lambda row: -sum(row[1].values()))
    return _table(task, list(audit.splits), dict(rows))


def _table(name: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> Table:
    """A table of counts: name of a row → column → count."""
    table = Table()
    table.add_column(name, overflow="fold")
    for column in columns:
        table.add_column(_plain(column), justify="right", overflow="fold")
    for row, counts in rows.items():
        table.add_row(_plain(row), *(f"{counts.get(column, 0):,}" for column in columns))
    return table


def _finding(finding: Finding, limit: int, *, explained: bool) -> Iterator[RenderableType]:
    style = _STYLES[finding.severity]
    yield Text()
    yield Text.assemble((finding.severity, style), " ", (_clean(finding.title), "bold"), f": {finding.count:,}")
    if not explained:
        yield Text(f"  {_clean(finding.explanation)}", style="dim")
    if finding.table:
        yield _rows(finding, max(_TABLE_ROWS, 2 * limit))
    # Problems of reading are located by file and line, all others by data set and article.
    in_file = finding.key.startswith(("dropped-", "fixed-"))
    for location in finding.locations[:limit]:
        file_or_split = location.source if in_file and location.source else location.split
        place = " ".join(filter(None, (file_or_split, location.article)))
        at = f":{location.start}" if location.start >= 0 else ""
        parts = ((_clean(place) + at, "dim"), (_clean(location.label), ""), (_clean(location.message), ""))
        yield Text("  ") + Text(" ").join(Text(text, style=style) for text, style in parts if text)
    if limit and len(finding.locations) > limit:
        yield Text(f"  … and {finding.count - limit:,} more", style="dim")


def _rows(finding: Finding, most: int) -> Table:
    head, *rows = finding.table
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in head:
        table.add_column(_plain(name), overflow="fold")
    for row in rows[:most]:
        table.add_row(*map(_plain, row))
    if len(rows) > most:
        table.add_row(f"… {len(rows) - most} more")
    return table


def _plain(text: str) -> Text:
    """A text without console markup."""
    return Text(_clean(text))


def _clean(text: str) -> str:
    """A text in one line, with control characters and marks of direction as escape sequences."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in " ".join(text.split()))
