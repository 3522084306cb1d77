"""Reading validated articles from files, folders, the built-in corpus or a data set of a config."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import shown
from .articles import Argument, Article, Event, check_article, valid_part
from .formats import read_files
from .formats.common.format import Located
from .formats.common.offsets import trimmed
from .labels import LabelScheme, load_scheme
from .problems import ArticleLog, DataError, Problem, ProblemLog

if TYPE_CHECKING:
    from ..configs.schema import DataSource

Policy = Literal["raise", "drop_article", "drop_annotation"]
"""What happens to problems: all of them are raised at the end; articles with a problem are dropped, and recorded; or
only the mention, event, sentence or task with the problem is."""

SPLITS = ("train", "dev", "test")

# An address, or the path of a file that was uploaded to Label Studio.
_LINK = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.|/?data/(?:upload|local-files)/)\S+\s*")


def read(
    source: "str | Path | DataSource",
    *,
    policy: Policy = "raise",
    scheme: LabelScheme | None = None,
    labels: Mapping[str, str | None] | None = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    log: ProblemLog | None = None,
) -> Located:
    """Read and validate articles.

    Args:
        source: a file, a folder, ``corpus`` (the built-in corpus), ``corpus:train`` (a split of it), or a data set of a
            config, which brings its own labels, format and options.
        policy: see `Policy`. ``raise`` reads everything before it yields the first article, and finds ids that two
            articles share; the other policies stream. ``drop_annotation`` does not check labels.
        scheme: labels to check against; None checks spans and ids only.
        labels: label of the source → label of the scheme; None drops a label.
        format: one of `formats.FORMATS`; None detects it.
        options: reading options of the format, as in ``{"triggers": ["Attack"]}``.
        log: takes what was fixed and dropped; its ``source`` is the file that is being read.

    Yields:
        Articles, each with the line where it starts: from 1, or 0 where lines do not apply.

    Raises:
        DataError: the source does not exist or has no files, or the format or an option is unknown. With ``raise`` also
            for every problem of every file, and if there are no articles.
        OSError: a file cannot be read.
    """
    if not isinstance(source, str | Path):
        labels, format, options = source.labels, source.format, source.options
        source = source.path or f"corpus:{source.corpus}"
    log = ProblemLog(source=str(source)) if log is None else log
    located = _located(source, format, options, log)
    if policy == "raise":
        yield from _all_valid(located, str(source), scheme, labels, log)
        return
    for line, article in located:
        if policy == "drop_article":
            article = map_labels(article, labels, log)
            faults = list(check_article(article, scheme))
        else:
            article, faults = valid_part(article)
            article = map_labels(article, labels, log)
        for cause, message in faults:
            log.drop(cause, message, line=line, article=article.id)
        if not faults or policy == "drop_annotation":
            yield line, article


def load_articles(
    source: "str | Path | DataSource",
    format: str | None = None,
    scheme: LabelScheme | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    log: ProblemLog | None = None,
) -> list[Article]:
    """All articles of a source, valid; arguments and errors as for `read`."""
    return [article for _, article in read(source, format=format, scheme=scheme, options=options, log=log)]


def corpus_splits(source: str | Path) -> tuple[str, ...]:
    """The splits of the built-in corpus that a source names; empty for a path.

    >>> corpus_splits("corpus:dev"), corpus_splits("articles.jsonl")
    (('dev',), ())

    Raises:
        DataError: there is no such split.
    """
    name, _, split = str(source).partition(":")
    if name != "corpus":
        return ()
    if split and split not in SPLITS:
        message = f"the built-in corpus has the splits train, dev and test, not {split!r}"
        raise DataError([Problem(source=str(source), cause="no such split", message=message)])
    return (split,) if split else SPLITS


def _located(source: str | Path, format: str | None, options: Mapping[str, Any] | None, log: ProblemLog) -> Located:
    splits = corpus_splits(source)
    if not splits:
        for line, article in read_files(source, format, log=log, options=options):
            if not _is_link(line, article, log):
                yield line, _trimmed(article, line, log)
        return
    if format or options:
        message = "a format and reading options are for files; the built-in corpus has its own"
        raise DataError([Problem(source=str(source), cause="unknown option", message=message)])
    for article in _corpus(splits):
        log.articles += 1
        yield 0, article


def _trimmed(article: Article, line: int, log: ProblemLog) -> Article:
    """The article with mentions that neither start nor end with an invisible character.

    Most readers have trimmed them. White space at an edge is a fault that validation finds. Mentions on whole tokens
    stay as they are.
    """
    article_log = ArticleLog(log=log, article=article.id, line=line)
    text = article.text

    def inner(span: Any, label: str) -> Any:
        """The span, trimmed; None if nothing is left."""
        start, end = span.start, span.end
        if not 0 <= start < end <= len(text) or text[start].isspace() or text[end - 1].isspace():
            return span
        place = trimmed(text, start, end, shown(label), article_log)
        return span if place == (start, end) else place and replace(span, start=place[0], end=place[1], text="")

    if article.tokens:
        return article
    entities = tuple(new for entity in article.entities if (new := inner(entity, entity.label)))
    events = tuple(
        event if new is event.trigger else replace(event, trigger=new)
        for event in article.events
        if (new := inner(event.trigger, "+".join(event.types)))
    )
    if entities == article.entities and events == article.events:
        return article
    return replace(article, entities=entities, events=events)


def _is_link(line: int, article: Article, log: ProblemLog) -> bool:
    """Whether the text of an article is only a link to a text, which is recorded."""
    if not _LINK.fullmatch(article.text):
        return False
    message = f"the text is the link {shown(article.text)}; export the text itself, the article is left out"
    annotated = article.entities or article.events or article.event_types or article.sentences
    (log.drop if annotated else log.fix)("link in place of a text", message, line=line, article=article.id)
    log.articles -= 1
    return True


def _corpus(splits: tuple[str, ...]) -> Iterator[Article]:
    """Articles of the built-in corpus, in the order of splits.json."""
    with as_file(files("rasid.data.corpus")) as folder:
        names = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
        articles = {article.id: article for article in load_articles(folder, "inline", load_scheme("news"))}
    wanted = [(split, name) for split in splits for name in names[split]]
    if missing := [(split, name) for split, name in wanted if name not in articles]:
        raise DataError(
            Problem(
                source=str(folder / "splits.json"),
                cause="no such article",
                message=f"article {name!r} of the {split} split is not among the files of the corpus",
            )
            for split, name in missing
        )
    yield from (articles[name] for _, name in wanted)


def _all_valid(
    located: Located, source: str, scheme: LabelScheme | None, labels: Mapping[str, str | None] | None, log: ProblemLog
) -> Located:
    """All articles, or a `DataError` with all problems, sorted by place."""
    before = len(log.dropped)
    found: list[tuple[int, Article]] = []
    foreign: Counter[str] = Counter()  # labels that the scheme lacks
    places: dict[str, str] = {}  # of articles by their ids
    for line, article in located:
        article = map_labels(article, labels, log)
        faults = list(check_article(article, scheme))
        if article.id and article.id in places:
            faults.append(("duplicate id", f"article id {article.id!r} was used at {places[article.id]} already"))
        places.setdefault(article.id, f"{log.source}:{line}" if line else log.source)
        if any(cause == "unknown label" for cause, _ in faults):
            foreign.update(labels_outside(article, scheme))
        for cause, message in faults:
            log.drop(cause, message, line=line, article=article.id)
        found.append((line, article))
    problems = log.dropped[before:]
    if not found and not problems:
        problems = [Problem(source=source, cause="no articles", message="holds no articles")]
    if foreign and scheme is not None:
        problems.append(_foreign_labels(source, foreign, scheme))
    if problems:
        raise DataError(sorted(problems, key=lambda problem: (problem.source, problem.line)))
    yield from found


def labels_outside(article: Article, scheme: LabelScheme | None) -> Iterator[str]:
    """The entity labels, event types and roles of an article that a scheme lacks, once for each occurrence."""
    if scheme is None:
        return
    types = [*(event.types for event in article.events), *(sentence.types for sentence in article.sentences)]
    types.append(article.event_types)
    yield from (entity.label for entity in article.entities if entity.label not in scheme.entities)
    yield from (name for names in types for name in names if name not in scheme.events)
    yield from (a.role for event in article.events for a in event.arguments if a.role not in scheme.roles)


def _foreign_labels(source: str, counts: Counter[str], scheme: LabelScheme) -> Problem:
    """The problem that labels are not in the scheme, with what to do about it."""
    listed = ", ".join(f"{label} ({number:,})" for label, number in counts.most_common(20))
    more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
    first = counts.most_common(1)[0][0]
    advice = f"`labels` in a config; --label {first}=NAME renames a label, --label {first}= drops it"
    message = f"labels that scheme {scheme.name!r} lacks: {listed}{more}; rename or drop them: {advice}"
    return Problem(source=source, cause="labels outside the scheme", message=message)


def map_labels(article: Article, labels: Mapping[str, str | None] | None, log: ProblemLog) -> Article:
    """Rename and drop labels everywhere in an article, roles included; what is dropped is counted in the log."""
    if not labels:
        return article

    def renamed(names: Sequence[str]) -> tuple[str, ...]:
        for name in names:
            if labels.get(name, name) is None:
                log.fix("label dropped by the mapping", f"label {name!r} dropped", article=article.id)
        return new_names(names)

    def new_names(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(new for name in names if (new := labels.get(name, name)) is not None))

    def remaining(event: Event) -> Iterator[Argument]:
        for argument in event.arguments:
            if argument.entity in dropped:
                message = f"{argument.role} of {shown(event.trigger.text)} dropped with its entity {argument.entity!r}"
                log.fix("argument of a dropped entity", message, article=article.id)
            elif role := renamed([argument.role]):
                yield replace(argument, role=role[0])

    entities = tuple(replace(entity, label=new[0]) for entity in article.entities if (new := renamed([entity.label])))
    # An argument that names an entity which never was stays, for validation to find.
    dropped = {entity.id for entity in article.entities} - {entity.id for entity in entities}
    return replace(
        article,
        entities=entities,
        events=tuple(
            replace(event, types=types, arguments=tuple(remaining(event)))
            for event in article.events
            if (types := renamed(event.types)) or not event.types
        ),
        event_types=renamed(article.event_types),
        sentences=tuple(replace(sentence, types=renamed(sentence.types)) for sentence in article.sentences),
        annotated={task: new_names(names) for task, names in article.annotated.items()},
    )
