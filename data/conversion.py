"""Converting annotations from one format to another, article by article, with a report of what was lost."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from ..progress import track
from .articles import Article
from .formats import format_chunks, format_of, write_articles, writing_options
from .labels import LabelScheme
from .problems import DataError, Problem, ProblemLog, listed_notes
from .reading import corpus_splits, read

SHOWN = 3
"""Examples of each cause in a report."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        reading: articles read, and what the reader fixed and dropped; invalid articles are dropped.
        writing: articles written, and what the target format cannot hold.
    """

    reading: ProblemLog
    writing: ProblemLog

    @property
    def complete(self) -> bool:
        """Whether everything was read and every article was written."""
        return 0 < self.reading.articles == self.writing.articles and not self.reading.drop_counts


class _NothingWritten(Exception):
    """No article was written. Raised inside the writer, so that the target stays as it is."""


def convert(
    source: str | Path,
    target: str | Path | TextIO,
    *,
    read_as: str | None = None,
    write_as: str | None = None,
    scheme: LabelScheme | None = None,
    labels: Mapping[str, str | None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Conversion:
    """Convert a file, a folder or the built-in corpus.

    Args:
        source: as for `reading.read`.
        target: a path, which is written whole or not at all, and stays as it is if no article is written; or a stream,
            which takes the articles as they come and needs ``write_as``.
        read_as: format of the source; None detects it.
        write_as: format of the target; None goes by its suffix.
        scheme: articles with other labels are dropped; None accepts every label.
        labels: label of the source → label of the target; None drops a label.
        options: reading options of the source's format, and writing options of the target's; an option of both is taken
            for writing.

    Raises:
        DataError: there is no such source, a format or an option is unknown, or the target cannot be replaced.
        OSError: the target cannot be written.
    """
    into = write_as or (format_of(target) if isinstance(target, str | Path) else "")
    known = writing_options(into) if into else ()
    written = {name: value for name, value in (options or {}).items() if name in known}
    options = {name: value for name, value in (options or {}).items() if name not in known}
    reading, writing = (ProblemLog(source=name, examples=SHOWN) for name in (str(source), "output"))

    def articles() -> Iterator[Article]:
        how: dict[str, Any] = {"format": read_as, "scheme": scheme, "labels": labels, "options": options}
        found = False
        for _, article in read(source, policy="drop_article", log=reading, **how):
            found = True
            yield article
        if not found or (writing.drop_counts and not writing.articles):
            raise _NothingWritten

    try:
        if isinstance(target, str | Path):
            if not corpus_splits(source):
                _check_target(Path(source), Path(target))
            write_articles(track(articles(), "converting"), target, into, log=writing, options=written)
        else:
            target.writelines(format_chunks(articles(), into, writing, written))
    except _NothingWritten:
        pass
    return Conversion(reading=reading, writing=writing)


def _check_target(source: Path, target: Path) -> None:
    """Reject a target inside the folder that is read: the next conversion would read it too."""
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        message = f"is inside {source}, whose files are read; write it to another folder"
        raise DataError([Problem(source=str(target), cause="target in source", message=message)])


def describe(conversion: Conversion, target: str) -> str:
    """The loss report: counts by cause, with the first examples of each.

    Args:
        conversion: the result.
        target: name of the target's format.
    """
    reading, writing = conversion.reading, conversion.writing
    lines = [f"{reading.articles} articles read, {writing.articles} written as {target}"]
    lines += listed_notes(reading.notes)
    lines += _section("fixed in reading", reading.fix_counts, reading.fixed)
    lines += _section("dropped in reading", reading.drop_counts, reading.dropped)
    lines += _section(f"changed in writing {target}", writing.fix_counts, writing.fixed)
    lines += _section(f"lost, because {target} cannot hold it", writing.drop_counts, writing.dropped)
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
