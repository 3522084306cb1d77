"""Writes spaCy's DocBin; see `docbin` for what is where in it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...articles import Article, Entity, Event
from ...problems import DataError, Problem, ProblemLog
from ...text.words import split_words
from .. import jsonl
from ..common.flat_labels import trigger_label
from ..common.lines import has_surrogate

ENTITIES_KEY = "sc"  # what spaCy's span categoriser reads unless it is told otherwise
TRIGGERS_KEY = "rasid_triggers"
USER_KEY = "rasid"


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write a DocBin; the file is made when all articles are there, for its parts lie side by side in it.

    An article with lone surrogates in its text is left out, for spaCy cannot hold them. ``ents``, which may not
    overlap, has of overlapping entities the longest; all of them are under ``sc``.

    Raises:
        DataError: spaCy is not installed.
    """
    try:
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    except ImportError as error:
        message = 'DocBin files are written with spaCy: pip install "rasid[spacy]"'
        raise DataError([Problem(source=log.source, cause="missing extra", message=message)]) from error
    docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "ENT_ID"], store_user_data=True)
    vocab = Vocab()
    for article in articles:
        if has_surrogate(article.text):
            message = "the text holds a lone surrogate, which spaCy cannot hold; take it out"
            log.drop("article left out", message, article=article.id)
            continue
        docs.add(_doc(_holdable(article, log), vocab, log))
        log.articles += 1
    path.write_bytes(docs.to_bytes())


def span_rows(article: Article) -> list[tuple[int, int, str, str]]:
    """Start, end, label and id of the spans that stand for the entities."""
    return [(entity.start, entity.end, entity.label, entity.id) for entity in article.entities]


def trigger_rows(article: Article) -> list[tuple[int, int, str, str]]:
    """Start, end, label and id of the spans that stand for the triggers."""
    return [(e.trigger.start, e.trigger.end, trigger_row_label(e.types), e.id) for e in article.events]


def trigger_row_label(types: Sequence[str]) -> str:
    """As `trigger_label`, but one that does not come back is better than none: the user data have the types."""
    return trigger_label(types) or f"event:{'+'.join(types)}"


def token_pieces(
    text: str, tokens: Iterable[tuple[int, int]], spans: Iterable[tuple[int, int]]
) -> list[tuple[str, bool]]:
    """Cut a text into spaCy's tokens, each with whether a space follows that is not part of a token.

    Every span starts and ends where a token does, and the pieces with their spaces are the text.

    >>> token_pieces("وواشنطن  اليوم", [(0, 7), (9, 14)], [(1, 7)])
    [('و', False), ('واشنطن', True), (' ', False), ('اليوم', False)]
    """
    spans = list(spans)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    cuts = {0, len(text), *starts, *ends, *(offset for token in tokens for offset in token)}
    pieces: list[tuple[str, bool]] = []
    for start, end in pairwise(sorted(cuts)):
        # The space is part of no token only if no span starts with it or ends behind it.
        if pieces and text[start] == " " and not pieces[-1][1] and start not in starts and start + 1 not in ends:
            pieces[-1] = (pieces[-1][0], True)
            start += 1
        if start < end:
            pieces.append((text[start:end], False))
    return pieces


def _doc(article: Article, vocab: Any, log: ProblemLog) -> Any:
    from spacy.tokens import Doc, Span
    from spacy.util import filter_spans

    entities, triggers = span_rows(article), trigger_rows(article)
    borders = article.tokens or [(int(start), int(end)) for start, end in split_words(article.text)]
    pieces = token_pieces(article.text, borders, [(start, end) for start, end, _, _ in (*entities, *triggers)])
    doc = Doc(vocab, words=[piece for piece, _ in pieces], spaces=[space for _, space in pieces])
    starts = {token.idx: token.i for token in doc}
    ends = {token.idx + len(token): token.i + 1 for token in doc}

    def span(start: int, end: int, label: str, name: str) -> Span:
        return Span(doc, starts[start], ends[end], label=label, span_id=name)

    groups = {ENTITIES_KEY: [span(*row) for row in entities], TRIGGERS_KEY: [span(*row) for row in triggers]}
    for key, spans in groups.items():
        doc.spans[key] = spans
    doc.ents = filter_spans([found for found in groups[ENTITIES_KEY] if found.label_])
    doc.cats = dict.fromkeys(article.event_types, 1.0)
    doc.user_data[USER_KEY] = _kept(article, log)
    return doc


def _kept(article: Article, log: ProblemLog) -> str:
    """The article without its text as JSON; the id alone where it cannot be written so."""
    inner = ProblemLog()
    line = next(jsonl.write([article], inner), None)
    for problem in inner.dropped:
        log.drop("user data left out", problem.message, article=article.id)
    content = json.loads(line) if line else {"id": article.id}
    content.pop("text", None)
    return json.dumps(content)


def _holdable(article: Article, log: ProblemLog) -> Article:
    """The article without what spaCy cannot hold, which is recorded."""
    entities = tuple(entity for entity in article.entities if _fits(article, entity, log))
    names = {entity.id for entity in entities if entity.id}
    events = []
    for event in article.events:
        if not _fits(article, event, log):
            continue
        arguments = tuple(argument for argument in event.arguments if argument.entity in names)
        for argument in event.arguments:
            if argument not in arguments:
                message = f"{argument.role!a:.60} names the entity {argument.entity!a:.60}, which is not written"
                log.drop("argument left out", message, article=article.id)
        events.append(replace(event, arguments=arguments))
    types = tuple(label for label in article.event_types if not has_surrogate(label))
    for label in article.event_types:
        if label not in types:
            log.drop("event type left out", f"{label!a:.60} has lone surrogates", article=article.id)
    scores = article.type_scores if types == article.event_types else ()
    return replace(article, entities=entities, events=tuple(events), event_types=types, type_scores=scores)


def _fits(article: Article, item: Entity | Event, log: ProblemLog) -> bool:
    """Whether a span lies in the text and its label and id can be written; says so if not."""
    span, labels = (item, (item.label,)) if isinstance(item, Entity) else (item.trigger, item.types)
    what = f"{'+'.join(labels)!a:.60} {span.start}-{span.end}"
    if not 0 <= span.start < span.end <= len(article.text):
        message = f"{what} is empty or outside the text of {len(article.text)} code points"
    elif has_surrogate(item.id) or any(has_surrogate(label) for label in labels):
        message = f"{what} or its id {item.id!a:.60} has lone surrogates, which spaCy cannot hold"
    else:
        return True
    log.drop("span left out", message, article=article.id)
    return False
