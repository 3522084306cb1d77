"""Reading CoNLL files: sentences with their tokens, spans and documents."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ProblemLog
from ..common.format import Located
from ..common.lines import numbered
from ..common.tags import TaggedSpan, columns_to_spans
from .layout import ColumnLayout, LayoutError, survey
from .lines import Block, blocks, without_numbers
from .rows import Row, read_row

_LONGEST = 2000  # tokens of a sentence; with more, the file probably has no blank lines
_EXCEPTIONS = 0.01  # share of B- in an IOB1 file that start a span after a gap, which only IOB2 needs
_ENOUGH = 200  # spans that start with B- after a gap; with fewer I- that start one, the file is not IOB1


def read(
    lines: Iterable[str],
    log: ProblemLog,
    *,
    columns: int | None = None,
    tags: int | list[int] | None = None,
    triggers: Collection[str] = (),
    arguments: Mapping[str, str] | None = None,
) -> Located:
    """Read sentences with the numbers of their first lines.

    A line that cannot be used is left out, and the rest of its sentence stays unless most of its lines are bad. Which
    columns hold tags is decided from the whole file, which is kept in memory, and noted in the log. A document mark
    gives its sentences ``meta["doc"]``.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; ids are the stem of its source with a number.
        columns: the first column of tags (column 0 is the token); all that follow are read too.
        tags: the column of the tags, or several; negative numbers count from the last one.
        triggers: labels of spans that are event triggers, not entities.
        arguments: label of an entity → its role in the events of its sentence, for files that annotate one event a
            sentence. The entity keeps its label.
    """
    stem = PurePath(log.source).stem
    whole = list(numbered(lines))
    if (unnumbered := without_numbers(whole)) is not None:
        whole = unnumbered
        log.note("the first column numbers the tokens and is left out; columns are counted without it")
    try:
        layout = survey((line for _, line in whole), columns, tags)
    except LayoutError as error:
        log.drop("no column of names", str(error))
        return
    if whole:
        log.note(layout.note)
    for cause, message in layout.fixes:
        log.fix(cause, message)
    # In IOB1 every I- may start a span, which is stray in the other schemes.
    is_iob1 = _is_iob1(whole, layout)
    for count, block in enumerate(blocks(whole, log), 1):
        name = f"{stem}-{count}"
        rows = list(_good_rows(block, layout, name, log))
        if not rows:
            continue
        spans, strays = columns_to_spans([row.tags for row in rows])
        strays = [] if is_iob1 else strays
        for token in strays:
            message = (
                f"{shown(' '.join(rows[token].tags))} of {shown(rows[token].token)} continues no span; read as a start"
            )
            log.fix("stray I-", message, line=rows[token].line, article=name)
        if len(rows) > _LONGEST:
            log.note(f"{name} has {len(rows):,} tokens without a blank line between them, and is read as one sentence")
        log.articles += 1
        # Label Studio writes one mark at the top of the file, whatever the number of its tasks.
        marked = block.document and layout.known.get(1) != {"-X-"}
        meta = {"doc": block.name or f"{stem}-{block.document}"} if marked else {}
        article = _article(name, [row.token for row in rows], spans, triggers, set(strays), meta)
        yield rows[0].line, _with_arguments(article, arguments) if arguments else article


def _good_rows(block: Block, layout: ColumnLayout, name: str, log: ProblemLog) -> Iterator[Row]:
    """The rows of a sentence that can be used; what is wrong with the others, and what was corrected, is recorded."""
    rows = [read_row(number, line, layout) for number, line in block.lines]
    bad = sum(bool(row.fault) and row.lost for row in rows)
    usable = 2 * bad <= len(rows)
    unlabeled = False
    for row in rows:
        if row.fault:
            (log.drop if row.lost else log.fix)(*row.fault, line=row.line, article=name)
            continue
        for cause, message in row.fixes if usable else ():
            log.fix(cause, f"{message} (token {shown(row.token)})", line=row.line, article=name)
        if usable and row.unlabeled and (row.starts or not unlabeled):
            message = f"{shown(row.unlabeled)} of {shown(row.token)} is a mention without a label; it is left out"
            log.fix("no label", message, line=row.line, article=name)
        unlabeled = bool(row.unlabeled)
        if usable:
            yield row
    if not usable and bad < len(rows):
        message = f"{bad} of the {len(rows)} lines of the sentence cannot be read; it is left out"
        log.drop("sentence left out", message, line=rows[0].line, article=name)


def _is_iob1(lines: Sequence[tuple[int, str]], layout: ColumnLayout) -> bool:
    """Whether ``B-`` stands only between two neighbors of one label, and ``I-`` starts all other spans."""
    inside = begun = 0
    for block in blocks(lines, ProblemLog(examples=0)):
        rows = [row for number, line in block.lines if not (row := read_row(number, line, layout)).fault]
        before: set[str] = set()
        for row in rows:
            if any(tag[0] in "MELSU" for tag in row.tags):
                return False
            begun += sum(tag[0] == "B" and tag[2:] not in before for tag in row.tags)
            inside += sum(tag[0] == "I" and tag[2:] not in before for tag in row.tags)
            before = {tag[2:] for tag in row.tags if tag != "O"}
        if begun > _ENOUGH and inside < begun:
            return False
    return inside > 0 and begun <= _EXCEPTIONS * inside


def _with_arguments(article: Article, roles: Mapping[str, str]) -> Article:
    """The article with the entities of some labels as arguments of all its events."""
    if not article.events:
        return article
    entities = tuple(
        replace(entity, id=f"e{number}") if entity.label in roles else entity
        for number, entity in enumerate(article.entities, 1)
    )
    arguments = tuple(Argument(role=roles[e.label], entity=e.id) for e in entities if e.label in roles)
    events = tuple(replace(event, arguments=arguments) for event in article.events)
    return replace(article, entities=entities, events=events)


def _article(
    name: str,
    tokens: list[str],
    spans: list[TaggedSpan],
    triggers: Collection[str],
    strays: Collection[int],
    meta: dict[str, Any],
) -> Article:
    offsets: list[tuple[int, int]] = []
    at = 0
    for token in tokens:
        offsets.append((at, at + len(token)))
        at += len(token) + 1
    found = [(offsets[first][0], offsets[stop - 1][1], label) for first, stop, label in spans]
    # Strict IOB2 scoring does not count spans that start with I-, so they are noted.
    if stray := [list(place) for place, (first, _, _) in zip(found, spans, strict=True) if first in strays]:
        meta = {**meta, "stray": stray}
    return Article(
        text=" ".join(tokens),
        id=name,
        entities=tuple(Entity(start=s, end=e, label=label) for s, e, label in found if label not in triggers),
        events=tuple(Event(trigger=Span(start=s, end=e), types=(label,)) for s, e, label in found if label in triggers),
        tokens=tuple(offsets),
        meta=meta,
    )
