"""Writes articles as a DocBin file of spaCy; the package describes the layout."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ....errors import shown
from ...articles import Article, Entity, Event
from ...problems import ArticleLog, ProblemLog
from ...text.words import split_words
from .. import jsonl
from ..common.flat_labels import trigger_label
from ..common.lines import has_surrogate
from .names import ENTITIES_KEY, TRIGGERS_KEY, USER_KEY, missing_spacy


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write a DocBin file, after all articles are in memory: the format stores all tokens together.

    An article with lone surrogates in its text is dropped, because spaCy does not accept them. ``Doc.ents`` must not
    overlap and has the longest of overlapping entities; the span group ``sc`` has all of them. ``Doc.cats`` has a
    number for each event type of the file, or for those that the article was annotated for.

    Raises:
        DataError: spaCy is not installed.
    """
    try:
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    except ImportError as error:
        raise missing_spacy(log.source, "written") from error
    articles = list(articles)
    labels = {label for article in articles for label in _labels(article)}
    docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "ENT_ID"], store_user_data=True)
    vocab = Vocab()
    for article in articles:
        article_log = ArticleLog(log=log, article=article.id)
        if has_surrogate(article.text):
            message = "the text has a lone surrogate, which spaCy does not accept; remove it"
            article_log.drop("article left out", message)
            continue
        docs.add(_doc(_without_surrogates(article, article_log), vocab, sorted(labels), article_log))
        log.articles += 1
    path.write_bytes(docs.to_bytes())


def token_pieces(
    text: str, tokens: Iterable[tuple[int, int]], spans: Iterable[tuple[int, int]]
) -> list[tuple[str, bool]]:
    """Split a text into spaCy's tokens, each with a flag whether a space follows it.

    Every span starts and ends at a token boundary. The tokens with their spaces are the text.

    >>> token_pieces("وواشنطن  اليوم", [(0, 7), (9, 14)], [(1, 7)])
    [('و', False), ('واشنطن', True), (' ', False), ('اليوم', False)]
    """
    spans = list(spans)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    cuts = {0, len(text), *starts, *ends, *(offset for token in tokens for offset in token)}
    pieces: list[tuple[str, bool]] = []
    for start, end in pairwise(sorted(cuts)):
        # A space is a token of its own if a span starts with it or ends after it.
        if pieces and text[start] == " " and not pieces[-1][1] and start not in starts and start + 1 not in ends:
            pieces[-1] = (pieces[-1][0], True)
            start += 1
        if start < end:
            pieces.append((text[start:end], False))
    return pieces


def _doc(article: Article, vocab: Any, labels: Sequence[str], log: ArticleLog) -> Any:
    from spacy.tokens import Doc, Span
    from spacy.util import filter_spans

    entities = [(entity.start, entity.end, entity.label, entity.id) for entity in article.entities]
    # Types that no label encodes are in the user data.
    triggers = [(e.trigger.start, e.trigger.end, trigger_label(e.types), e.id) for e in article.events]
    borders = article.tokens or [(int(start), int(end)) for start, end in split_words(article.text)]
    pieces = token_pieces(article.text, borders, [(start, end) for start, end, _, _ in (*entities, *triggers)])
    doc = Doc(vocab, words=[piece for piece, _ in pieces], spaces=[space for _, space in pieces])
    starts = {token.idx: token.i for token in doc}
    ends = {token.idx + len(token): token.i + 1 for token in doc}

    def span(start: int, end: int, label: str, name: str) -> Span:
        return Span(doc, starts[start], ends[end], label=label, span_id=name)

    doc.spans[ENTITIES_KEY] = [span(*row) for row in entities]
    doc.spans[TRIGGERS_KEY] = [span(*row) for row in triggers]
    doc.ents = filter_spans([found for found in doc.spans[ENTITIES_KEY] if found.label_])
    others = article.annotated.get("article_types", labels)
    # With a zero for each other type: spaCy scores only the categories that a document has.
    doc.cats = dict.fromkeys(article.event_types, 1.0)
    doc.cats |= {label: 0.0 for label in others if _is_category(label) and label not in doc.cats}
    doc.user_data[USER_KEY] = _user_data(article, log)
    return doc


def _labels(article: Article) -> Iterator[str]:
    """The event types of an article and those that it was annotated for."""
    yield from filter(_is_category, (*article.event_types, *article.annotated.get("article_types", ())))


def _is_category(label: str) -> bool:
    return bool(label) and not has_surrogate(label)


def _user_data(article: Article, log: ArticleLog) -> str:
    """The article without its text as JSON; only its id if it is not JSON."""
    inner = ProblemLog()
    line = next(jsonl.write([article], inner), None)
    for problem in inner.dropped:
        log.drop("user data left out", problem.message)
    content = json.loads(line) if line else {"id": article.id}
    content.pop("text", None)
    return json.dumps(content)


def _without_surrogates(article: Article, log: ArticleLog) -> Article:
    """The article without spans and labels that spaCy does not accept; these are logged."""
    entities = tuple(entity for entity in article.entities if _fits(article, entity, log))
    names = {entity.id for entity in entities if entity.id}
    events = []
    for event in article.events:
        if not _fits(article, event, log):
            continue
        arguments = tuple(argument for argument in event.arguments if argument.entity in names)
        for argument in event.arguments:
            if argument not in arguments:
                message = f"{shown(argument.role)} refers to {shown(argument.entity)}, which is not written"
                log.drop("argument left out", message)
        events.append(replace(event, arguments=arguments))
    types = tuple(label for label in article.event_types if not has_surrogate(label))
    for label in article.event_types:
        if label not in types:
            log.drop("event type left out", f"{shown(label)} has lone surrogates")
    scores = article.type_scores if types == article.event_types else ()
    return replace(article, entities=entities, events=tuple(events), event_types=types, type_scores=scores)


def _fits(article: Article, item: Entity | Event, log: ArticleLog) -> bool:
    """Whether a span is in the text and its label and id can be written; if not, it is logged."""
    span, labels = (item, (item.label,)) if isinstance(item, Entity) else (item.trigger, item.types)
    what = f"{shown('+'.join(labels))} {span.start}-{span.end}"
    if not 0 <= span.start < span.end <= len(article.text):
        message = f"{what} is empty or outside the text of {len(article.text)} code points"
    elif has_surrogate(item.id) or any(has_surrogate(label) for label in labels):
        message = f"{what} or its id {shown(item.id)} has lone surrogates, which spaCy does not accept"
    else:
        return True
    log.drop("span left out", message)
    return False
