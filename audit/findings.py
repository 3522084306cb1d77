"""Findings of an audit, as the terminal, the JSON report and the HTML page show them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Severity = Literal["error", "warning", "note"]

MOST_LOCATIONS = 1000  # listed of a finding; more than anyone reads


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """One location of a finding.

    Attributes:
        split: name of the data set.
        article: id of the article; empty if the location is a data set.
        start: first code point in the article's text; -1 if the location is the whole article.
        end: one past the last code point; -1 if the location is the whole article.
        label: label of the mention or trigger; empty if there is none.
        message: what is wrong, with the value, in one line.
        source: file and line of the article.
        score: rank, higher first; None if locations are not ranked.
    """

    split: str
    article: str = ""
    start: int = -1
    end: int = -1
    label: str = ""
    message: str = ""
    source: str = ""
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A kind of problem and its locations.

    Attributes:
        key: identifier, as in ``"spans-inside-words"``.
        title: short description.
        severity: an ``error`` makes the check fail; a ``warning`` lowers quality; a ``note`` is information.
        explanation: what the finding means for training and what to do, in a few sentences.
        count: number of locations, including those that are not listed.
        locations: at most `MOST_LOCATIONS`.
        table: header and rows of a summary, as in proclitic → count; empty if there is none.
    """

    key: str
    title: str
    severity: Severity
    explanation: str
    count: int
    locations: tuple[Location, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The result of `rasid check`.

    Attributes:
        name: config or path that was checked.
        splits: data set → counts of articles, words, sentences, mentions, triggers and arguments.
        labels: task → label → data set → count.
        findings: errors, then warnings, then notes; each has a count of at least 1.
        notes: how the files were read where their layout leaves a choice.
    """

    name: str
    splits: Mapping[str, Mapping[str, int]]
    labels: Mapping[str, Mapping[str, Mapping[str, int]]]
    findings: Sequence[Finding] = field(default=())
    notes: Sequence[str] = field(default=())

    @property
    def errors(self) -> int:
        """Number of locations of all errors."""
        return sum(finding.count for finding in self.findings if finding.severity == "error")

    def to_plain(self) -> dict[str, Any]:
        """The audit as JSON-compatible values."""
        return asdict(self)


@cache
def _texts() -> dict[str, dict[str, Any]]:
    """Severity, title and explanation of each kind of finding, by its key."""
    return yaml.safe_load((files("rasid.audit") / "findings.yaml").read_text(encoding="utf-8"))


def finding(
    key: str,
    locations: Iterable[Location],
    *,
    table: Sequence[tuple[str, ...]] = (),
    count: int | None = None,
    variant: str = "",
    **values: object,
) -> Iterator[Finding]:
    """One finding, or none if there are no locations. Its texts are in ``findings.yaml``.

    Args:
        key: as in `Finding`.
        locations: all of them; the first `MOST_LOCATIONS` are kept.
        table: as in `Finding`.
        count: number of locations; None counts ``locations``.
        variant: key of the texts, if they are not those of ``key``.
        values: for the names in braces in the texts.
    """
    listed = tuple(locations)
    count = len(listed) if count is None else count
    if count:
        texts = _texts()[variant or key]
        yield Finding(
            key=key,
            title=texts["title"].format(**values),
            severity=texts["severity"],
            explanation=texts["explanation"].format(**values),
            count=count,
            locations=listed[:MOST_LOCATIONS],
            table=tuple(table),
        )


def ranked(locations: Iterable[Location]) -> list[Location]:
    """Locations by score, highest first."""
    return sorted(locations, key=lambda location: -(location.score or 0))


def count_table(head: Sequence[str], counts: Counter[Any], limit: int | None = None) -> list[tuple[str, ...]]:
    """A table of counts, highest first.

    Args:
        head: titles of the columns.
        counts: what is counted, a text or a tuple of texts, → count.
        limit: maximum number of rows.
    """
    rows = ((item if isinstance(item, tuple) else (item,), count) for item, count in counts.most_common(limit))
    return [tuple(head), *((*cells, str(count)) for cells, count in rows)]
