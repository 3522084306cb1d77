"""Writing CoNLL files: words or tokens with tags, sentence by sentence."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from ....errors import shown
from ...articles import Article
from ...problems import ArticleLog, DataError, Problem, ProblemLog
from ...text.words import split_words
from ..common.lines import has_surrogate
from ..common.losses import record_losses
from ..common.tags import TaggedSpan, TagScheme, columns_to_spans, spans_to_columns
from .cells import Cell, read_cell
from .lines import DOCUMENT_MARK, SENTINEL

HOLDS = frozenset({"entities", "crossing spans", "tokens"})


def write(
    articles: Iterable[Article], log: ProblemLog, *, scheme: TagScheme = "IOB2", columns: int | None = None
) -> Iterator[str]:
    """Yield one chunk per sentence, with tabs between columns; overlapping entities go to further columns.

    An article with ``tokens`` is one sentence; others are split into sentences and words, never inside an entity. An
    entity that starts or ends inside a token is extended to the whole token, which is recorded as a drop.

    Args:
        articles: may be a stream.
        log: takes the losses and the count.
        scheme: tag scheme.
        columns: number of tag columns of every line; entities that do not fit, the inner ones, are recorded as drops.
            None writes as many as a sentence needs.

    Raises:
        DataError: ``columns`` is less than 1.
    """
    if columns is not None and columns < 1:
        message = f"option columns is {columns}; a line has at least 1 column of tags"
        raise DataError([Problem(source=log.source, cause="wrong option", message=message)])
    stem, sentences = PurePath(log.source).stem, 0
    for article in articles:
        tokens = _tokens(article)
        surfaces = [article.text[start:end] for start, end in tokens]
        if bad := [word for word in surfaces if not _holds(word)]:
            why = "is empty, has white space or a lone surrogate, or has a meaning in the format"
            log.drop("token", f"token {shown(bad[0])} {why}", article=article.id)
            continue
        spans: list[TaggedSpan] = []
        for entity in article.entities:
            what = f"{entity.label} {entity.start}-{entity.end} {shown(entity.text)}"
            inside = [n for n, (start, end) in enumerate(tokens) if start < entity.end and entity.start < end]
            if not inside or not _is_label(entity.label):
                message = f"{what} covers no token, or its label is empty or has white space or a lone surrogate"
                log.drop("entity left out", message, article=article.id)
                continue
            start, end = tokens[inside[0]][0], tokens[inside[-1]][1]
            if (start, end) != (entity.start, entity.end):
                message = f"{what} is extended to whole tokens: {shown(article.text[start:end])}"
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
            tags = spans_to_columns(dict.fromkeys(inner), stop - first, scheme)
            if columns is not None:
                for lost in tags[columns:]:
                    for start, end, label in columns_to_spans([(tag,) for tag in lost])[0]:
                        message = f"{label} {shown(' '.join(surfaces[first + start : first + end]))} overlaps others"
                        log.drop("inner entity left out", f"{message}; more columns hold it", article=article.id)
                tags = [*tags[:columns], *[["O"] * (stop - first)] * (columns - len(tags))]
            rows = zip(surfaces[first:stop], *tags, strict=True)
            yield "".join("\t".join(row) + "\n" for row in rows) + "\n"


def _tokens(article: Article) -> list[tuple[int, int]]:
    if article.tokens:
        return list(article.tokens)
    return [(int(start), int(end)) for start, end in split_words(article.text)]


def _is_label(label: str) -> bool:
    """Whether a label can be read back."""
    plain = bool(label) and not any(sign.isspace() for sign in label) and not has_surrogate(label)
    return plain and read_cell(f"B-{label}") == Cell(tags=(f"B-{label}",))


def _holds(token: str) -> bool:
    """Whether a token can be read back."""
    plain = not any(sign in token for sign in "\t\n") and not has_surrogate(token)
    return plain and token == token.strip() and token not in (DOCUMENT_MARK, SENTINEL) and token != ""


def _cuts(article: Article, tokens: list[tuple[int, int]], spans: list[TaggedSpan]) -> Iterator[tuple[int, int]]:
    """Sentences as ranges of tokens, not inside an entity."""
    first = 0
    if not article.tokens:
        from ...text.sentences import split_sentences

        starts = [start for start, _ in split_sentences(article.text)]
        for stop in sorted({sum(end <= start for _, end in tokens) for start in starts} - {0, len(tokens)}):
            if not any(start < stop < end for start, end, _ in spans):
                yield first, stop
                first = stop
    if tokens:
        yield first, len(tokens)
