"""What happened to annotations on their way in or out: nothing is dropped in silence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import RasidError


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One located problem.

    Attributes:
        source: name of the file or stream.
        line: line in it, from 1; 0 where lines do not apply.
        article: id of the article, empty where it is not known.
        cause: short name of the class of problem, for counting (``"empty span"``).
        message: what is wrong, with the offending value, and how to mend it.
    """

    source: str
    cause: str
    message: str
    line: int = 0
    article: str = ""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: [{self.article}] {self.message}" if self.article else f"{place}: {self.message}"


class DataError(RasidError, ValueError):
    """Annotations or articles that cannot be used; carries every problem, not the first one."""

    SHOWN = 50

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"… and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))


@dataclass(kw_only=True)
class ProblemLog:
    """The account of one reading or writing.

    Attributes:
        source: name of the file or stream.
        articles: number of articles that went through.
        fixed: problems that were mended, with what was done.
        dropped: problems for which something was left out.
    """

    source: str = "<memory>"
    articles: int = 0
    fixed: list[Problem] = field(default_factory=list)
    dropped: list[Problem] = field(default_factory=list)

    def drop(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something left out."""
        self.dropped.append(Problem(source=self.source, line=line, article=article, cause=cause, message=message))

    def fix(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something mended."""
        self.fixed.append(Problem(source=self.source, line=line, article=article, cause=cause, message=message))

    def counts(self) -> dict[str, int]:
        """Sums by cause, prefixed with ``fixed:`` or ``dropped:``."""
        counter = Counter(f"fixed: {problem.cause}" for problem in self.fixed)
        counter.update(f"dropped: {problem.cause}" for problem in self.dropped)
        return {"articles": self.articles, **counter}


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
        """Record something left out."""
        self.log.drop(cause, message, line=self.line, article=self.article)

    def fix(self, cause: str, message: str) -> None:
        """Record something mended."""
        self.log.fix(cause, message, line=self.line, article=self.article)
