"""What an article can contain, and what of it is lost in a format that does not hold it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from ...articles import Article
from ...problems import ArticleLog, ProblemLog

CONTENT = {
    "id": "id of the article",
    "title": "title",
    "date": "date",
    "source": "source",
    "meta": "other metadata",
    "spacing": "the text to the letter",
    "tokens": "tokens that the annotation was made on",
    "entities": "entities, which may nest",
    "crossing spans": "spans that overlap without nesting",
    "mention ids": "ids of entities and events",
    "events": "triggers with their event types",
    "arguments": "arguments of events",
    "event types": "event types of the article",
    "sentence labels": "event types of sentences",
    "label of the text": "event types of one sentence that is the whole text",
    "annotated": "which labels were annotated",
    "annotated article_types": "which event types of the article were annotated",
    "annotated sentence_types": "which event types of sentences were annotated",
    "scores": "scores of predictions",
    "evidence": "evidence of predicted event types",
}
"""What a format may hold. `Format.holds` is a subset of the keys."""

EVERYTHING = frozenset(CONTENT)


def write_each(
    articles: Iterable[Article], log: ProblemLog, holds: Set[str], write: Callable[[Article, ArticleLog], str | None]
) -> Iterator[str]:
    """Yield what `write` makes of each article; the losses are recorded, and the articles counted.

    Args:
        articles: are streamed.
        log: takes the losses and the count.
        holds: see `Format.holds`.
        write: (article, its log) → text; None for an article that it dropped.
    """
    for article in articles:
        article_log = ArticleLog(log=log, article=article.id)
        if (text := write(article, article_log)) is None:
            continue
        record_losses(article, holds, article_log)
        log.articles += 1
        yield text


def record_losses(
    article: Article, holds: Set[str], log: ArticleLog, *, further: Mapping[str, Any] | None = None
) -> None:
    """Record what an article contains and a format does not hold, once for each kind of content.

    Args:
        article: what is written.
        holds: see `Format.holds`.
        log: takes a drop for each loss.
        further: content → whether it is lost, for what only the writer knows.
    """
    contained = {**_content(article, holds), **(further or {})}
    for name, value in contained.items():
        if value and (name not in holds or name in (further or {})):
            log.drop(f"{name} left out", f"the format holds no {name}; write jsonl to keep them")


def _content(article: Article, holds: Set[str]) -> dict[str, Any]:
    return {
        "id": article.id,
        "title": article.title is not None,
        "date": article.date is not None,
        "source": article.source is not None,
        "entities": article.entities,
        "mention ids": any(mention.id for mention in (*article.entities, *article.events)),
        "events": article.events,
        "arguments": any(event.arguments for event in article.events),
        "event types": article.event_types,
        "sentence labels": article.sentences and "label of the text" not in holds,
        "tokens": article.tokens,
        "annotated": any(f"annotated {task}" not in holds for task in article.annotated),
        "scores": has_scores(article),
        "evidence": article.evidence,
        "meta": article.meta,
    }


def has_scores(article: Article) -> bool:
    """Whether anything in an article has a score, which makes it a prediction."""
    arguments = (argument for event in article.events for argument in event.arguments)
    return (
        bool(article.type_scores)
        or any(item.score is not None for item in (*article.entities, *article.events, *arguments))
        or any(sentence.scores for sentence in article.sentences)
    )
