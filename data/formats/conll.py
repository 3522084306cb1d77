"""CoNLL files: one token with its tags per line, a blank line between sentences.

Columns are separated by tabs, or by spaces if a line has no tab. Tags may be IOB1, IOB2, BIOES, BILOU or BMES; one set
of rules reads them all (`common.tags`). Several tag columns hold nested entities, as in Wojood (Jarrar et al. 2022): a
span may change its column, and its column is not its depth. Each sentence becomes an article: its text is the tokens
joined by single spaces, and ``tokens`` has their offsets.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ..articles import Article, Entity, Event, Span
from ..problems import ArticleLog, ProblemLog
from ..text.words import split_words
from .common.format import Located, Sample, format_of_lines
from .common.lines import encoding_fault, has_surrogate, numbered
from .common.losses import record_losses
from .common.tags import TAG, TaggedSpan, TagScheme, columns_to_spans, spans_to_columns

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt")
HOLDS = frozenset({"entities", "crossing spans", "tokens"})

_TAGGED = re.compile(r"\S+[ \t]+(\S+[ \t]+)*(O|[BIMELSU]-\S+)")
_MAX_COLUMNS = 500  # Wojood has six; the time grows with the square of their number
_SENTINELS = {"$#$": "sentinel", "-DOCSTART-": "document mark"}  # end of a sentence in Wojood, document in CoNLL-2003


def read(
    lines: Iterable[str], log: ProblemLog, *, columns: int | None = None, triggers: Collection[str] = ()
) -> Located:
    """Read sentences with the numbers of their first lines; a sentence with a problem is dropped.

    Recorded as fixed: ``I-`` tags that start a span, sentinel and comment lines, and white space at edges of tokens.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; ids are the stem of its source with a number.
        columns: the first column of tags (column 0 is the token); None takes the last columns of a line that look like
            tags.
        triggers: labels of spans that are event triggers, not entities.
    """
    stem = PurePath(log.source).stem
    for count, rows in enumerate(_sentences(lines, columns, log), 1):
        name = f"{stem}-{count}"
        wrong = [row for row in rows if row.problem]
        for row in wrong:
            log.drop(*row.problem, line=row.line, article=name)
        if wrong:
            continue
        spans, strays = columns_to_spans([row.tags for row in rows])
        for token in strays:
            message = f"{' '.join(rows[token].tags)} of {rows[token].token!r} continues no span; read as a start"
            log.fix("stray I-", message, line=rows[token].line, article=name)
        log.articles += 1
        yield rows[0].line, _article(name, [row.token for row in rows], spans, triggers, set(strays))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    token: str
    tags: tuple[str, ...]
    problem: tuple[str, ...] = ()


def _sentences(lines: Iterable[str], columns: int | None, log: ProblemLog) -> Iterator[list[_Row]]:
    rows: list[_Row] = []
    for number, line in numbered(lines):
        line = line.removesuffix("\r")
        if not line.strip(" \t"):
            if rows:
                yield rows
            rows = []
            continue
        # `str.split()` would split at no-break spaces and line separators, which occur in tokens.
        fields = line.rstrip("\t ").split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        fields = [fields[0], *(field.strip(" ") for field in fields[1:] if field.strip(" "))]
        if fields[0] in _SENTINELS:
            log.fix(_SENTINELS[fields[0]], f"line {line[:40]!r} is dropped", line=number)
        elif line.startswith("# ") and not rows and not TAG.fullmatch(fields[-1]):  # a token may be "#"
            log.fix("comment", f"comment {line[:40]!r} is dropped", line=number)
        else:
            rows.append(_row(number, line, fields, columns, log))
    if rows:
        yield rows


def _row(number: int, line: str, fields: list[str], columns: int | None, log: ProblemLog) -> _Row:
    token, tags = fields[0].strip(), _tags(fields, columns) if len(fields) <= _MAX_COLUMNS else ()
    problem: tuple[str, ...] = ()
    if message := encoding_fault(line):
        problem = ("not UTF-8", message)
    elif len(fields) > _MAX_COLUMNS:
        problem = ("too many columns", f"{line[:40]!r}… has {len(fields)} columns; at most {_MAX_COLUMNS} are read")
    elif not token:
        problem = ("no token", f"{line[:40]!r} has no token before its tag")
    elif wrong := next((tag for tag in tags if not TAG.fullmatch(tag)), ""):
        message = f"{wrong!r} of {token!r} is not a tag; tags are O, B-LABEL, I-LABEL and the like"
        problem = ("not a tag", message)
    elif not tags:
        problem = ("no tag", f"{' '.join(fields)[:40]!r} has no tag; a line is a token and its tags")
    elif token != fields[0]:
        message = f"token {fields[0][:40]!r} is read without the white space at its edges"
        log.fix("white space at an edge", message, line=number)
    return _Row(line=number, token=token, tags=tags, problem=problem)


def _tags(fields: list[str], columns: int | None) -> tuple[str, ...]:
    if columns is not None:
        return tuple(fields[columns:])
    first = len(fields)
    while first > 1 and TAG.fullmatch(fields[first - 1]):
        first -= 1
    # The last field is always taken as a tag, so that a wrong one is reported.
    return tuple(fields[min(first, max(1, len(fields) - 1)) :])


def _article(
    name: str, tokens: list[str], spans: list[TaggedSpan], triggers: Collection[str], strays: Collection[int] = ()
) -> Article:
    offsets: list[tuple[int, int]] = []
    at = 0
    for token in tokens:
        offsets.append((at, at + len(token)))
        at += len(token) + 1
    found = [(offsets[first][0], offsets[stop - 1][1], label) for first, stop, label in spans]
    # Strict IOB2 scoring does not count spans that start with I-, so they are noted.
    stray = [list(place) for place, (first, _, _) in zip(found, spans, strict=True) if first in strays]
    return Article(
        text=" ".join(tokens),
        id=name,
        entities=tuple(Entity(start=s, end=e, label=label) for s, e, label in found if label not in triggers),
        events=tuple(Event(trigger=Span(start=s, end=e), types=(label,)) for s, e, label in found if label in triggers),
        tokens=tuple(offsets),
        meta={"stray": stray} if stray else {},
    )


def write(articles: Iterable[Article], log: ProblemLog, *, scheme: TagScheme = "IOB2") -> Iterator[str]:
    """Yield one chunk per sentence, with tabs between columns; overlapping entities go to further columns.

    An article with ``tokens`` is one sentence; others are split into sentences and words, never inside an entity. An
    entity that starts or ends inside a token is extended to the whole token, which is recorded as a drop.

    Args:
        articles: may be a stream.
        log: takes the losses and the count.
        scheme: tag scheme.
    """
    stem, sentences = PurePath(log.source).stem, 0
    for article in articles:
        tokens = _tokens(article)
        surfaces = [article.text[start:end] for start, end in tokens]
        if bad := next((word for word in surfaces if not _holds(word)), None):
            message = f"token {bad!r} has white space or a lone surrogate, or has a meaning in the format"
            log.drop("token", message, article=article.id)
            continue
        spans: list[TaggedSpan] = []
        for entity in article.entities:
            what = f"{entity.label} {entity.start}-{entity.end} {entity.text!r}"
            inside = [n for n, (start, end) in enumerate(tokens) if start < entity.end and entity.start < end]
            if not inside or not _is_label(entity.label):
                message = f"{what} covers no token, or its label is empty or has white space or a lone surrogate"
                log.drop("entity left out", message, article=article.id)
                continue
            start, end = tokens[inside[0]][0], tokens[inside[-1]][1]
            if (start, end) != (entity.start, entity.end):
                message = f"{what} is extended to whole tokens: {article.text[start:end]!r}"
                log.drop("widened to tokens", message, article=article.id)
            spans.append((inside[0], inside[-1] + 1, entity.label))
        cuts = list(_cuts(article, tokens, spans))
        # The id that `read` gives to an article of one sentence.
        name = f"{stem}-{sentences + 1}" if len(cuts) == 1 else ""
        sentences += len(cuts)
        further = {"id": article.id not in ("", name), "spacing": article.text != " ".join(surfaces)}
        record_losses(article, HOLDS, ArticleLog(log=log, article=article.id), further=further)
        log.articles += 1
        for first, stop in cuts:
            inner = [(start - first, end - first, label) for start, end, label in spans if first <= start < stop]
            columns = spans_to_columns(dict.fromkeys(inner), stop - first, scheme)
            rows = zip(surfaces[first:stop], *columns, strict=True)
            yield "".join("\t".join(row) + "\n" for row in rows) + "\n"


def _tokens(article: Article) -> list[tuple[int, int]]:
    if article.tokens:
        return list(article.tokens)
    return [(int(start), int(end)) for start, end in split_words(article.text)]


def _is_label(label: str) -> bool:
    """Whether a label can be read back."""
    return bool(label) and not any(sign.isspace() for sign in label) and not has_surrogate(label)


def _holds(token: str) -> bool:
    """Whether a token can be read back."""
    plain = not any(sign in token for sign in "\t\n") and not has_surrogate(token)
    return plain and token == token.strip() and token not in _SENTINELS and token != ""


def _cuts(article: Article, tokens: list[tuple[int, int]], spans: list[TaggedSpan]) -> Iterator[tuple[int, int]]:
    """Sentences as ranges of tokens, not inside an entity."""
    first = 0
    if not article.tokens:
        from ..text.sentences import split_sentences

        starts = [start for start, _ in split_sentences(article.text)]
        for stop in sorted({sum(end <= start for _, end in tokens) for start in starts} - {0, len(tokens)}):
            if not any(start < stop < end for start, end, _ in spans):
                yield first, stop
                first = stop
    if tokens:
        yield first, len(tokens)


def _recognizes(sample: Sample) -> bool:
    if sample.suffix in (".txt", ""):
        return bool(sample.lines) and all(map(_TAGGED.fullmatch, sample.lines))
    return sample.suffix in SUFFIXES


FORMAT = format_of_lines(read, write, suffixes=SUFFIXES, holds=HOLDS, recognizes=_recognizes)
