"""Problem logs: what reading and writing fixed and dropped."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import RasidError

PLACES = 3
"""Problems of a cause that are shown in full."""

_LONGEST = 600  # code points of a message that are shown
_LINES = 50  # of an error message
_NOTES = 10  # shown of a log


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A problem with its place. As text, a very long message is cut.

    Attributes:
        source: name of the file or stream.
        line: line in it, from 1; 0 where lines do not apply.
        article: id of the article; empty if unknown.
        cause: short name of the kind of problem, for counting (``"empty span"``).
        message: what is wrong, with the value, and how to fix it.
    """

    source: str
    cause: str
    message: str
    line: int = 0
    article: str = ""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        message = self.message if len(self.message) <= _LONGEST else f"{self.message[: _LONGEST - 1]}…"
        return f"{place}: [{self.article}] {message}" if self.article else f"{place}: {message}"


class DataError(RasidError, ValueError):
    """Invalid articles or annotations.

    Attributes:
        problems: all of them; the message groups them by cause.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = list(grouped(self.problems))
        if len(lines) > _LINES:
            lines[_LINES:] = [f"… and {len(lines) - _LINES} more lines"]
        super().__init__("\n".join(lines))


def grouped(problems: Iterable[Problem]) -> Iterator[str]:
    """Problems as lines of a message: one by one up to `PLACES` of a cause, else their number and the first ones."""
    by_cause: dict[str, list[Problem]] = {}
    for problem in problems:
        by_cause.setdefault(problem.cause, []).append(problem)
    for cause, found in by_cause.items():
        indent = ""
        if len(found) > PLACES:
            sources = len({problem.source for problem in found})
            where = f" in {sources:,} files" if sources > 1 else ""
            yield f"{cause}: {len(found):,} times{where}, the first {PLACES}:"
            indent = "  "
        yield from (f"{indent}{problem}" for problem in found[:PLACES])


def listed_notes(notes: Sequence[str]) -> Iterator[str]:
    """The notes of a log as lines, the first few of many."""
    yield from (f"note: {note}" for note in notes[:_NOTES])
    if len(notes) > _NOTES:
        yield f"note: … and {len(notes) - _NOTES} more; rasid check --json lists them all"


@dataclass(kw_only=True)
class ProblemLog:
    """What reading or writing fixed and dropped.

    Attributes:
        source: name of the file or stream.
        examples: problems that are kept of each cause, the same one once; None keeps all.
        articles: number of articles read or written.
        fixed: problems that were corrected.
        dropped: problems for which something was dropped.
        fix_counts: cause → how often something was fixed.
        drop_counts: cause → how often something was dropped.
        notes: how the file was read where its layout leaves a choice: which columns, controls or keys were taken as
            what. Each once.
    """

    source: str = "<memory>"
    examples: int | None = None
    articles: int = 0
    fixed: list[Problem] = field(default_factory=list)
    dropped: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    fix_counts: Counter[str] = field(default_factory=Counter)
    drop_counts: Counter[str] = field(default_factory=Counter)

    def note(self, message: str) -> None:
        """Record how the file was read."""
        if message not in self.notes:
            self.notes.append(message)

    def drop(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something that was dropped."""
        self.drop_counts[cause] += 1
        self._keep(self.dropped, cause, message, line, article)

    def fix(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something that was fixed."""
        self.fix_counts[cause] += 1
        self._keep(self.fixed, cause, message, line, article)

    def _keep(self, problems: list[Problem], cause: str, message: str, line: int, article: str) -> None:
        problem = Problem(source=self.source, line=line, article=article, cause=cause, message=message)
        if self.examples is not None:
            kept = [other for other in problems if other.cause == cause]
            if problem in kept or len(kept) >= self.examples:
                return
        problems.append(problem)

    def counts(self) -> dict[str, int]:
        """Sums by cause, prefixed with ``fixed:`` or ``dropped:``."""
        found = {f"fixed: {cause}": number for cause, number in self.fix_counts.items()}
        found |= {f"dropped: {cause}": number for cause, number in self.drop_counts.items()}
        return {"articles": self.articles, **found}


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleLog:
    """A problem log with the place that its entries are about: one article.

    Attributes:
        log: takes the problems.
        article: id of the article.
        line: where it starts, from 1; 0 where lines do not apply.
    """

    log: ProblemLog
    article: str
    line: int = 0

    def drop(self, cause: str, message: str) -> None:
        """Record something that was dropped."""
        self.log.drop(cause, message, line=self.line, article=self.article)

    def fix(self, cause: str, message: str) -> None:
        """Record something that was fixed."""
        self.log.fix(cause, message, line=self.line, article=self.article)
