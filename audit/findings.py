"""What an audit found, in the form that terminal, JSON and page show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """One place that a finding is about.

    Attributes:
        split: name of the data set.
        article: id of the article; empty where the location is about the data set.
        start: first code point in the article's text; -1 where the location is about the article as a whole.
        end: one past the last code point; -1 with ``start``.
        label: label of the mention or trigger; empty where there is none.
        message: what is wrong there, with the value, in one line.
        source: file and line that the article was read from.
        score: for ranking, higher first; None where locations are not ranked.
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
    """A class of problems and where they are.

    Attributes:
        key: name for machines, as in ``"spans-inside-words"``.
        title: name for people.
        severity: ``error`` fails the check; ``warning`` costs quality; ``note`` is to know.
        explanation: why it matters and how it is mended, in one or two sentences.
        count: number of locations, those that are not listed included.
        locations: the places; the first of them where there are very many.
        table: column heads and rows of a summary, as in proclitic → count; empty where there is none.
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
    """The outcome of `rasid check`.

    Attributes:
        name: of the config or the path that was checked.
        splits: data set → sums (articles, words, sentences, mentions, triggers, arguments).
        labels: task → label → data set → count.
        findings: errors first, then warnings, then notes; none with a count of zero.
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
        """JSON-compatible form."""
        return asdict(self)
