"""From one annotation format to another, one article at a time, with an account of what was lost on the way."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from ..data.articles import Article, check_article
from ..data.datasets import map_labels
from ..data.formats import format_chunks, stream_articles, write_articles
from ..data.labels import LabelScheme
from ..data.problems import DataError, Problem, ProblemLog
from .lenient import is_built_in, shipped

SHOWN = 3
"""Places that are named for each cause."""


@dataclass(kw_only=True)
class Tally(ProblemLog):
    """A log that counts every problem but keeps only the first few of each cause, however long the corpus is.

    Attributes:
        repairs: cause → how often something was mended.
        refusals: cause → how often something was left out.
    """

    repairs: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def drop(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something left out."""
        self.refusals[cause] += 1
        super().drop(cause, message, line=line, article=article)
        self._keep_few(self.dropped)

    def fix(self, cause: str, message: str, *, line: int = 0, article: str = "") -> None:
        """Record something mended."""
        self.repairs[cause] += 1
        super().fix(cause, message, line=line, article=article)
        self._keep_few(self.fixed)

    def _keep_few(self, problems: list[Problem]) -> None:
        """Drop the last problem if it tells nothing new, or if enough of its cause are there."""
        last, *_ = same = [problem for problem in reversed(problems) if problem.cause == problems[-1].cause]
        if last in same[1:] or len(same) > SHOWN:
            problems.pop()

    def counts(self) -> dict[str, int]:
        """Sums by cause, prefixed with ``fixed:`` or ``dropped:``."""
        found = {f"fixed: {cause}": number for cause, number in self.repairs.items()}
        found |= {f"dropped: {cause}": number for cause, number in self.refusals.items()}
        return {"articles": self.articles, **found}


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What became of the articles.

    Attributes:
        reading: what the reader gave, mended and left out; articles that are not valid count as left out.
        writing: what was written, and what the target cannot hold.
    """

    reading: Tally
    writing: Tally

    @property
    def complete(self) -> bool:
        """Whether all that was to be read was read, and every article of it written."""
        return 0 < self.reading.articles == self.writing.articles and not self.reading.refusals


class _Nothing(Exception):
    """No article came through; raised through the writer, so that it leaves the target as it is."""


def convert(
    source: str | Path,
    target: str | Path | TextIO,
    *,
    read_as: str | None = None,
    write_as: str | None = None,
    scheme: LabelScheme | None = None,
    labels: Mapping[str, str | None] | None = None,
    options: Mapping[str, Any] | None = None,
    watch: Callable[[Iterable[Article]], Iterable[Article]] = iter,
) -> Conversion:
    """Convert a file or a folder.

    Args:
        source: what to read; ``corpus:train`` is a split of the shipped corpus, ``corpus`` all of it.
        target: what to write, whole or not at all; it stays as it is where no article comes through. A stream takes
            the articles as they come, and needs ``write_as``.
        read_as: format of the source; None looks at the files.
        write_as: format of the target; None tells by its suffix.
        scheme: articles with other labels are left out; None takes every label.
        labels: label of the source → label of the target, None drops it.
        options: reading options of the source's format.
        watch: wraps the articles that are written, to show progress.

    Raises:
        DataError: there is no such source, a format or an option is not known, or the target cannot be replaced.
        OSError: the target cannot be written.
    """
    reading, writing = Tally(source=str(source)), Tally(source="output")
    conversion = Conversion(reading=reading, writing=writing)

    def change(article: Article) -> Article:
        return map_labels(article, labels, reading) if labels else article

    if is_built_in(source):
        incoming = _of_corpus(str(source), read_as, scheme, reading, change, options)
    else:
        incoming = stream_articles(source, read_as, scheme, log=reading, change=change, options=options)

    def articles() -> Iterator[Article]:
        none = True
        for article in incoming:
            none = False
            yield article
        if none or (writing.refusals and not writing.articles):
            raise _Nothing

    try:
        if isinstance(target, str | Path):
            if not is_built_in(source):
                _check_places(Path(source), Path(target))
            write_articles(watch(articles()), target, write_as, log=writing)
        else:
            target.writelines(format_chunks(watch(articles()), write_as or "", writing))
    except _Nothing:
        pass
    return conversion


def _of_corpus(
    name: str,
    read_as: str | None,
    scheme: LabelScheme | None,
    log: ProblemLog,
    change: Callable[[Article], Article],
    options: Mapping[str, Any] | None,
) -> Iterator[Article]:
    """Articles of the shipped corpus, as `stream_articles` gives those of files."""
    if read_as or options:
        message = "a format and reading options are for files; the shipped corpus has its own"
        raise DataError([Problem(source=name, cause="unknown option", message=message)])
    for found in shipped(name):
        for article in map(change, found.dataset.articles):
            log.articles += 1
            problems = list(check_article(article, scheme))
            for cause, message in problems:
                log.drop(cause, message, article=article.id)
            if not problems:
                yield article


def _check_places(source: Path, target: Path) -> None:
    """Drop a target among the files that are read: the next conversion would read it as well."""
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        message = f"lies in {source}, whose files are read; write it to another folder"
        raise DataError([Problem(source=str(target), cause="target in source", message=message)])


def describe(conversion: Conversion, target: str) -> str:
    """The loss report, for a person: sums by cause with the first places of each.

    Args:
        conversion: finished.
        target: name of the target's format.
    """
    reading, writing = conversion.reading, conversion.writing
    lines = [f"{reading.articles} articles read, {writing.articles} written as {target}"]
    lines += _section("fixed in reading", reading.repairs, reading.fixed)
    lines += _section("left out in reading", reading.refusals, reading.dropped)
    lines += _section(f"written otherwise than it was, for {target}", writing.repairs, writing.fixed)
    lines += _section(f"lost, because {target} cannot hold it", writing.refusals, writing.dropped)
    return "\n".join(lines)


def _section(title: str, counts: Counter[str], problems: list[Problem]) -> Iterator[str]:
    if counts:
        yield f"{title}:"
    for cause, number in counts.most_common():
        yield f"  {cause}: {number}"
        shown = [problem for problem in problems if problem.cause == cause]
        if len(shown) > 1 and len({(problem.source, problem.line, problem.message) for problem in shown}) == 1:
            more = ", …" if number > len(shown) else ""
            yield f"    {replace(shown[0], article='')} ({', '.join(problem.article for problem in shown)}{more})"
        else:
            yield from (f"    {problem}" for problem in shown)
