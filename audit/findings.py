"""Findings of an audit, as the terminal, the JSON report and the HTML page show them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

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
    """

    name: str
    splits: Mapping[str, Mapping[str, int]]
    labels: Mapping[str, Mapping[str, Mapping[str, int]]]
    findings: Sequence[Finding] = field(default=())

    @property
    def errors(self) -> int:
        """Number of locations of all errors."""
        return sum(finding.count for finding in self.findings if finding.severity == "error")

    def to_plain(self) -> dict[str, Any]:
        """The audit as JSON-compatible values."""
        return asdict(self)


def finding(
    key: str,
    title: str,
    severity: Severity,
    explanation: str,
    locations: Iterable[Location],
    *,
    table: Sequence[tuple[str, ...]] = (),
    count: int | None = None,
) -> Iterator[Finding]:
    """One finding, or none if there are no locations.

    Args:
        key: as in `Finding`.
        title: as in `Finding`.
        severity: as in `Finding`.
        explanation: as in `Finding`.
        locations: all of them; the first `MOST_LOCATIONS` are kept.
        table: as in `Finding`.
        count: number of locations; None counts ``locations``.
    """
    listed = tuple(locations)
    count = len(listed) if count is None else count
    if count:
        yield Finding(
            key=key,
            title=title,
            severity=severity,
            explanation=explanation,
            count=count,
            locations=listed[:MOST_LOCATIONS],
            table=tuple(table),
        )
