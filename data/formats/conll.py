"""CoNLL files: a token and its tags a line, a blank line between sentences.

Columns are separated by tabs, or by spaces where a line has no tab. IOB1, IOB2, BIOES, BILOU and BMES are read without
being told apart, by the rules of seqeval's default mode (`tags_to_spans`). More tag columns mean nesting, as in Wojood
(Jarrar et al. 2022): a span may change its column on the way, and its column is not its depth. Each sentence becomes an
article whose text is its tokens with one space between, and whose ``tokens`` are their offsets.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from ..articles import Article, Entity, Event, Span
from ..problems import ArticleLog, ProblemLog
from ..text.words import split_words
from .common.format import Located, Sample, format_of_lines
from .common.lines import has_surrogate, numbered, spoilt
from .common.losses import record_losses

TaggedSpan = tuple[int, int, str]
TagScheme = Literal["IOB2", "BIOES", "BILOU", "BMES"]

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt")
HOLDS = frozenset({"entities", "crossing spans", "tokens"})

_TAG = re.compile(r"O|[BIMELSU]-.+", re.DOTALL)
_TAGGED = re.compile(r"\S+[ \t]+(\S+[ \t]+)*(O|[BIMELSU]-\S+)")
# Prefixes of the first token of a span, one inside, the last one, and the only one.
_PREFIXES: dict[TagScheme, str] = {"IOB2": "BIIB", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}
_COLUMNS = 500  # Wojood has six; a token is compared with every span that runs, so time grows with their square
_SENTINELS = {"$#$": "sentinel", "-DOCSTART-": "document mark"}  # Wojood's end of a sentence, CoNLL-2003's document


def tags_to_spans(tags: Sequence[str]) -> list[TaggedSpan]:
    """Spans of flat tags as (first token, one past the last, label), by the rules of seqeval's default mode.

    ``B-`` starts a span, ``I-`` (``M-``) goes on with the one of its label or, stray, starts one; ``E-`` (``L-``) ends
    it; ``S-`` (``U-``) is one by itself.

    >>> tags_to_spans(["I-PER", "I-PER", "B-PER", "I-ORG"])
    [(0, 2, 'PER'), (2, 3, 'PER'), (3, 4, 'ORG')]

    Raises:
        ValueError: something is not a tag.
    """
    if wrong := [tag for tag in tags if not _TAG.fullmatch(tag)]:
        raise ValueError(f"{wrong[0]!r} is not a tag; tags are O, B-LABEL, I-LABEL and the like")
    return _read_columns([(tag,) for tag in tags])[0]


def spans_to_tags(spans: Iterable[TaggedSpan], length: int, scheme: TagScheme = "IOB2") -> list[str]:
    """Tags of `length` tokens. Of spans that overlap the longest is kept, of equal ones the first.

    >>> spans_to_tags([(0, 3, "PER"), (3, 4, "GPE")], 4, "BIOES")
    ['B-PER', 'I-PER', 'E-PER', 'S-GPE']
    """
    return _columns(spans, length, scheme)[0]


def read(
    lines: Iterable[str], log: ProblemLog, *, columns: int | None = None, triggers: Collection[str] = ()
) -> Located:
    """Read sentences with the numbers of their first lines; one with a problem is dropped, every problem is recorded.

    Stray ``I-`` tags are kept as spans and recorded as fixed; dropped sentinel lines and white space at the edges of
    tokens too.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count; ids are made of the stem of its source.
        columns: the first column of tags, from 1 (0 is the token); None takes all columns at the end of a line that
            look like tags.
        triggers: labels of spans that are event triggers, not entities.
    """
    stem = PurePath(log.source).stem
    for count, rows in enumerate(_sentences(lines, log), 1):
        name = f"{stem}-{count}"
        if any(row.problem for row in rows):
            for row in rows:
                if row.problem:
                    log.drop(row.problem[0], row.problem[1], line=row.line, article=name)
            continue
        tagged = [_tags(row.fields, columns) for row in rows]
        wrong = [(row, tag) for row, tags in zip(rows, tagged, strict=True) for tag in tags if not _TAG.fullmatch(tag)]
        for row, tag in wrong:
            message = f"{tag!r} of {row.fields[0]!r} is not a tag; tags are O, B-LABEL, I-LABEL and the like"
            log.drop("not a tag", message, line=row.line, article=name)
        untagged = [row for row, tags in zip(rows, tagged, strict=True) if not tags]
        for row in untagged:
            message = f"{' '.join(row.fields)[:40]!r} has no tag; a line is a token and its tags"
            log.drop("no tag", message, line=row.line, article=name)
        if wrong or untagged:
            continue
        spans, strays = _read_columns(tagged)
        for token in strays:
            message = f"{' '.join(tagged[token])} of {rows[token].fields[0]!r} continues no span; read as its start"
            log.fix("stray I-", message, line=rows[token].line, article=name)
        log.articles += 1
        yield rows[0].line, _article(name, [row.fields[0] for row in rows], spans, triggers, set(strays))


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: list[str]
    problem: tuple[str, str] | None = None


def _sentences(lines: Iterable[str], log: ProblemLog) -> Iterator[list[_Row]]:
    rows: list[_Row] = []
    for number, line in numbered(lines):
        line = line.removesuffix("\r")
        if not line.strip(" \t"):
            if rows:
                yield rows
            rows = []
            continue
        # `str.split` would split at the no-break spaces and line separators that occur in tokens.
        fields = line.rstrip("\t ").split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        fields = [fields[0], *(field.strip(" ") for field in fields[1:] if field.strip(" "))]
        problem = None
        if fields[0] in _SENTINELS:
            log.fix(_SENTINELS[fields[0]], f"line {line[:40]!r} is dropped", line=number)
            continue
        if line.startswith("# ") and not rows and not _TAG.fullmatch(fields[-1]):  # a token may be "#"
            log.fix("comment", f"comment {line[:40]!r} is dropped", line=number)
            continue
        if message := spoilt(line):
            problem = ("not UTF-8", message)
        elif len(fields) > _COLUMNS:
            problem = ("too many columns", f"{line[:40]!r}… has {len(fields)} columns; {_COLUMNS} are read")
        elif not fields[0].strip():
            problem = ("no token", f"{line[:40]!r} has no token before its tag")
        elif fields[0] != fields[0].strip():
            message = f"token {fields[0][:40]!r} is read without the white space at its edges"
            log.fix("white space at an edge", message, line=number)
            fields[0] = fields[0].strip()
        rows.append(_Row(number, fields, problem))
    if rows:
        yield rows


def _tags(fields: list[str], columns: int | None) -> tuple[str, ...]:
    if columns is not None:
        return tuple(fields[columns:])
    first = len(fields)
    while first > 1 and _TAG.fullmatch(fields[first - 1]):
        first -= 1
    # The last field of a line is a tag or a mistake, never silently neither.
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
    # Strict IOB2 does not count what a stray I- began: evaluation must be able to tell.
    stray = [list(place) for place, (first, _, _) in zip(found, spans, strict=True) if first in strays]
    return Article(
        text=" ".join(tokens),
        id=name,
        entities=tuple(Entity(start=s, end=e, label=label) for s, e, label in found if label not in triggers),
        events=tuple(Event(trigger=Span(start=s, end=e), types=(label,)) for s, e, label in found if label in triggers),
        tokens=tuple(offsets),
        meta={"stray": stray} if stray else {},
    )


def _read_columns(rows: Sequence[Sequence[str]]) -> tuple[list[TaggedSpan], list[int]]:
    """Spans of tag columns in order of (start, -end, label), each once, and the tokens of stray tags."""
    spans: list[TaggedSpan] = []
    strays: list[int] = []
    running: list[tuple[int, str, int]] = []  # start, label, column
    for token, tags in enumerate(rows):
        left, running = running, []
        for column, tag in enumerate(tags):
            if tag == "O":
                continue
            prefix, _, label = tag.partition("-")
            goes_on = [span for span in left if span[1] == label] if prefix in "IMEL" else []
            start = token
            if goes_on:
                # The span of the same column if there is one, else the innermost: a column is a place, not a depth.
                chosen = max(goes_on, key=lambda span: (span[2] == column, span[0]))
                left.remove(chosen)
                start = chosen[0]
            elif prefix in "IMEL":
                strays.append(token)
            if prefix in "ELSU":
                spans.append((start, token + 1, label))
            else:
                running.append((start, label, column))
        spans += [(start, token, label) for start, label, _ in left]
    spans += [(start, len(rows), label) for start, label, _ in running]
    return sorted(set(spans), key=lambda span: (span[0], -span[1], span[2])), strays


def _columns(spans: Iterable[TaggedSpan], length: int, scheme: TagScheme) -> list[list[str]]:
    """Tags by column; longer spans stand further left. One column at least."""
    first, inside, last, only = _PREFIXES[scheme]
    columns: list[list[str]] = [["O"] * length]
    for start, stop, label in sorted(spans, key=lambda span: span[0] - span[1]):
        column = next((tags for tags in columns if all(tag == "O" for tag in tags[start:stop])), None)
        if column is None:
            columns.append(column := ["O"] * length)
        prefixes = only if stop - start == 1 else first + inside * (stop - start - 2) + last
        column[start:stop] = [f"{prefix}-{label}" for prefix in prefixes]
    return columns


def write(articles: Iterable[Article], log: ProblemLog, *, scheme: TagScheme = "IOB2") -> Iterator[str]:
    """Yield one chunk per sentence, separated by tabs; mentions that nest or cross go to further columns.

    An article with ``tokens`` is one sentence; another one is cut into sentences and words, never inside a mention. A
    mention that starts or ends inside a token is widened to it. That, and all that the format cannot hold, is recorded.

    Args:
        articles: are streamed.
        log: takes what is lost, and the count.
        scheme: of the tags.
    """
    stem, sentences = PurePath(log.source).stem, 0
    for article in articles:
        tokens = _tokens(article)
        surfaces = [article.text[start:end] for start, end in tokens]
        if bad := next((word for word in surfaces if not _holds(word)), None):
            message = f"token {bad!r} holds white space or a lone surrogate, or is a mark of the format itself"
            log.drop("token", message, article=article.id)
            continue
        spans: list[TaggedSpan] = []
        for entity in article.entities:
            what = f"{entity.label} {entity.start}-{entity.end} {entity.text!r}"
            inside = [n for n, (start, end) in enumerate(tokens) if start < entity.end and entity.start < end]
            if not inside or any(sign.isspace() for sign in entity.label) or not entity.label:
                log.drop("entity left out", f"{what} covers no token, or its label has white space", article=article.id)
                continue
            start, end = tokens[inside[0]][0], tokens[inside[-1]][1]
            if (start, end) != (entity.start, entity.end):
                message = f"{what} is widened to whole tokens: {article.text[start:end]!r}"
                log.drop("widened to tokens", message, article=article.id)
            spans.append((inside[0], inside[-1] + 1, entity.label))
        cuts = list(_cuts(article, tokens, spans))
        # What `read` names the sentence, where the article is one.
        name = f"{stem}-{sentences + 1}" if len(cuts) == 1 else ""
        sentences += len(cuts)
        further = {"id": article.id not in ("", name), "spacing": article.text != " ".join(surfaces)}
        record_losses(article, HOLDS, ArticleLog(log=log, article=article.id), further=further)
        log.articles += 1
        for first, stop in cuts:
            inner = [(start - first, end - first, label) for start, end, label in spans if first <= start < stop]
            columns = _columns(dict.fromkeys(inner), stop - first, scheme)
            yield (
                "".join(
                    "\t".join((surface, *tags)) + "\n"
                    for surface, *tags in zip(surfaces[first:stop], *columns, strict=True)
                )
                + "\n"
            )


def _tokens(article: Article) -> list[tuple[int, int]]:
    if article.tokens:
        return list(article.tokens)
    return [(int(start), int(end)) for start, end in split_words(article.text)]


def _holds(token: str) -> bool:
    """Whether reading gives the token back."""
    plain = not any(sign in token for sign in "\t\n") and not has_surrogate(token)
    return plain and token == token.strip() and token not in _SENTINELS and token != ""


def _cuts(article: Article, tokens: list[tuple[int, int]], spans: list[TaggedSpan]) -> Iterator[tuple[int, int]]:
    """Sentences as ranges of tokens."""
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
