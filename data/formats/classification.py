"""Labeled texts: JSON Lines of ``{"text": …, "labels": […]}``, for classification by event type.

``labels`` are the event types of the text as one sentence, ``event_types`` those of the text as an article.
``annotated`` (a label or a list of labels) names the labels for which the row was annotated, if not for all. ``id``,
``title``, ``date`` and ``source`` belong to the article; all other keys go to ``meta``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ... import renamed
from ...errors import shown
from ..articles import Article, Sentence
from ..problems import ArticleLog, ProblemLog
from .common.format import METADATA, Located, Sample, format_of_lines
from .common.lines import is_strings, json_line, json_values
from .common.losses import record_losses

_STRINGS = ("id", *METADATA)
HOLDS = frozenset(
    {
        *("id", "title", "date", "source", "meta", "spacing", "event types", "label of the text"),
        *("annotated article_types", "annotated sentence_types"),
    }
)
_KEYS = ("text", "labels", "event_types", "annotated", *_STRINGS)


def read(lines: Iterable[str], log: ProblemLog) -> Located:
    """Read labeled texts with their line numbers; a line with a problem is dropped, and every problem is recorded.

    Consecutive rows with the same id and text, each annotated for other labels, are one article.

    Args:
        lines: the lines of a file, split at line feeds only; with or without their ends.
        log: takes the problems and the count.
    """
    previous: tuple[int, Article] | None = None
    for number, article in _rows(lines, log):
        if previous and (joined := _joined(previous[1], article)):
            labels = ", ".join(next(iter(article.annotated.values())))
            message = f"the annotation for {labels} is joined with line {previous[0]}, whose metadata is kept"
            log.fix("rows of one text joined", message, line=number, article=article.id)
            previous = previous[0], joined
            continue
        if previous:
            log.articles += 1
            yield previous
        previous = number, article
    if previous:
        log.articles += 1
        yield previous


def _joined(first: Article, second: Article) -> Article | None:
    """Two rows as one article; None if they are two articles."""
    one, two = first.annotated, second.annotated
    same = first.id and (first.id, first.text, one.keys()) == (second.id, second.text, two.keys())
    if not same or not one or any(set(one[task]) & set(two[task]) for task in one):
        return None
    return replace(
        first,
        event_types=first.event_types + second.event_types,
        sentences=tuple(
            replace(sentence, types=sentence.types + other.types)
            for sentence, other in zip(first.sentences, second.sentences, strict=True)
        ),
        annotated={task: labels + two[task] for task, labels in one.items()},
    )


def _rows(lines: Iterable[str], log: ProblemLog) -> Iterator[tuple[int, Article]]:
    for number, value in json_values(lines, log):
        content = renamed.with_new_keys(value)
        problems = list(_problems(content))
        for cause, message in problems:
            name = content.get("id", "") if isinstance(content, dict) else ""
            log.drop(cause, message, line=number, article=str(name))
        if not problems:
            yield number, _article(content)


def write(articles: Iterable[Article], log: ProblemLog) -> Iterator[str]:
    """Yield one line per labeled text.

    An article whose only sentence is the whole text is written with ``labels``, one without sentences with
    ``event_types``. Articles with other sentences are dropped, and so are predictions, which the format cannot mark.
    """
    for article in articles:
        article_log = ArticleLog(log=log, article=article.id)
        if article.type_scores or any(sentence.scores for sentence in article.sentences):
            message = "its labels have scores: they are a prediction, which would be read back as gold; write jsonl"
            article_log.drop("prediction", message)
            continue
        spans = [(sentence.start, sentence.end) for sentence in article.sentences]
        if spans and spans != [_stripped(article.text)]:
            message = f"{len(spans)} labeled sentences are not the whole text; write each sentence as an article"
            article_log.drop("sentences of an article", message)
            continue
        content: dict[str, Any] = {"text": article.text}
        if article.sentences:
            content["labels"] = list(article.sentences[0].types)
        if article.event_types or not article.sentences:
            content["event_types"] = list(article.event_types)
        task = "sentence_types" if article.sentences else "article_types"
        if task in article.annotated:
            content["annotated"] = list(article.annotated[task])
            if any(_problems(content)):  # a row that reading would drop
                del content["annotated"]
        content |= {key: value for key in _STRINGS if (value := getattr(article, key))}
        content |= {key: value for key, value in article.meta.items() if key not in _KEYS}
        if (line := json_line(content, article_log)) is None:
            continue
        written = {task} if "annotated" in content else set()
        further = {"annotated": article.annotated.keys() - written, "meta": set(article.meta) & set(_KEYS)}
        record_losses(article, HOLDS, article_log, further=further)
        log.articles += 1
        yield line


def _problems(content: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(content, dict):
        yield "wrong kind", f"{shown(content)} is not an object with text and labels"
        return
    text, annotated = content.get("text"), content.get("annotated", "")
    given = [key for key in ("labels", "event_types") if key in content]
    wrong = [key for key in given if not is_strings(content[key])]
    if not isinstance(text, str):
        yield "missing key", f"text is {shown(text)}; it must be a string"
    elif not text.strip():
        yield "no text", "text is empty"
    if not given:
        yield "missing key", "there are no labels; give labels (of a sentence) or event_types (of an article)"
    for key in wrong:
        yield "wrong kind", f"{key} is {shown(content[key])}; it must be a list of strings"
    for key in _STRINGS:
        if not isinstance(content.get(key, ""), str | None):
            yield "wrong kind", f"{key} is {shown(content[key])}; it must be a string"
    if "annotated" not in content:
        return
    if not isinstance(annotated, str) and not is_strings(annotated):
        yield "wrong kind", f"annotated is {shown(annotated)}; it must be a label or a list of labels"
    elif len(given) == 2:
        yield "annotated", "annotated belongs to labels or to event_types; give the two on lines of their own"
    elif given and not wrong:
        known = _labels(annotated)
        for label in content[given[0]]:
            if label not in known:
                yield "annotated", f"label {label!r} is not among annotated ({', '.join(known)}); add it"


def _labels(annotated: str | list[str]) -> tuple[str, ...]:
    return (annotated,) if isinstance(annotated, str) else tuple(annotated)


def _stripped(text: str) -> tuple[int, int]:
    """The span of a text without white space at its edges."""
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())


def _article(content: dict[str, Any]) -> Article:
    text = content["text"]
    start, end = _stripped(text)
    sentences = (Sentence(start=start, end=end, types=tuple(content["labels"])),) if "labels" in content else ()
    task = "sentence_types" if sentences else "article_types"
    return Article(
        text=text,
        id=content.get("id") or "",
        title=content.get("title") or None,
        date=content.get("date") or None,
        source=content.get("source") or None,
        event_types=tuple(content.get("event_types", ())),
        sentences=sentences,
        annotated={task: _labels(content["annotated"])} if "annotated" in content else {},
        meta={key: value for key, value in content.items() if key not in _KEYS},
    )


def _recognizes(sample: Sample) -> bool:
    """Whether the first line has labels of its text rather than mentions."""
    content = sample.objects[0] if sample.objects else {}
    return "labels" in content or isinstance(renamed.with_new_keys(content).get("annotated"), str | list)


FORMAT = format_of_lines(read, write, suffixes=(".jsonl",), holds=HOLDS, recognizes=_recognizes)
