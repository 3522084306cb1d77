"""Articles as the checks read them: with words, sentences and labeled spans."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..data.articles import AnnotatedLabels, Article, Task
from ..data.datasets import DataSet
from ..data.text.sentences import split_sentences
from ..data.text.words import split_words
from ..data.windows.targets import annotated_labels_of
from .findings import Location

SHOWN = 40  # code points of a surface in a message
TASKS_OF_SPANS = ("entities", "triggers")

# Tatweel, diacritics, Quranic signs, joiners, marks of direction.
_DIACRITICS = re.compile(
    "[\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u200c-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
_ROLE = re.compile(r"(train|dev|val|valid|validation|test)(?![a-z])", re.IGNORECASE)
_ROLES = {"val": "dev", "valid": "dev", "validation": "dev"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatedSpan:
    """An entity mention or a trigger, with one label.

    Attributes:
        task: ``"entities"`` or ``"triggers"``.
        start: first code point.
        end: one past the last code point.
        label: entity label or event type.
        text: surface.
    """

    task: Task
    start: int
    end: int
    label: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleView:
    """An article of a data set, with what several checks need of it.

    Attributes:
        split: name of the data set.
        role: ``"train"``, ``"dev"``, ``"test"``, or empty if the name of the data set has none.
        article: the article.
        words: code-point offsets of its words.
        stripped: its words without diacritics, aligned with ``words``; see `strip_diacritics`.
        sentences: code-point offsets of its sentences.
        mentions: its entities, then its triggers once for each type.
        annotated: task → labels that were annotated in it.
        declared: whether a config declares them; else they are the mentions, triggers and arguments of the data set.
        source: file and line that it was read from.
    """

    split: str
    role: str
    article: Article
    words: Sequence[tuple[int, int]]
    stripped: Sequence[str]
    sentences: Sequence[tuple[int, int]]
    mentions: Sequence[AnnotatedSpan]
    annotated: AnnotatedLabels
    declared: bool
    source: str = ""

    def word_at(self, offset: int) -> tuple[int, int]:
        """The word at a code point; an empty range if there is none."""
        number = bisect_right(self.words, (offset, len(self.article.text) + 1)) - 1
        return self.words[number] if number >= 0 and offset < self.words[number][1] else (offset, offset)

    def location(
        self, message: str, start: int = -1, end: int = -1, label: str = "", *, score: float | None = None
    ) -> Location:
        """A location in this article."""
        return Location(
            split=self.split,
            article=self.article.id,
            start=start,
            end=end,
            label=label,
            message=message,
            source=self.source,
            score=score,
        )

    def at(self, mention: AnnotatedSpan, message: str) -> Location:
        """The location of a labeled span."""
        return self.location(message, mention.start, mention.end, mention.label)


def make_views(datasets: Mapping[str, DataSet], files: Mapping[str, Sequence[str]] | None = None) -> list[ArticleView]:
    """The articles of all data sets.

    Args:
        datasets: name → data set.
        files: name → file and line of each article; None takes the source of the data set's log.
    """
    views: list[ArticleView] = []
    for name, dataset in datasets.items():
        sources = (files or {}).get(name) or [dataset.log.source] * len(dataset.articles)
        annotated = dataset.annotated_labels or _occurring(dataset.articles)
        for article, source in zip(dataset.articles, sources, strict=True):
            spans = [(int(start), int(end)) for start, end in split_words(article.text)]
            views.append(
                ArticleView(
                    split=name,
                    role=role_of(name),
                    article=article,
                    words=spans,
                    stripped=[strip_diacritics(article.text[start:end]) for start, end in spans],
                    sentences=sentences_of(article),
                    mentions=tuple(mentions_of(article)),
                    annotated=annotated_labels_of(article, annotated),
                    declared=bool(dataset.annotated_labels),
                    source=source,
                )
            )
    return views


def _occurring(articles: Sequence[Article]) -> dict[Task, tuple[str, ...]]:
    """The labels of mentions, triggers and arguments: a data set without a declaration counts as annotated for them."""
    labels: dict[Task, dict[str, None]] = {}
    for article in articles:
        for mention in mentions_of(article):
            labels.setdefault(mention.task, {})[mention.label] = None
        for event in article.events:
            for argument in event.arguments:
                labels.setdefault("arguments", {})[argument.role] = None
    return {task: tuple(found) for task, found in labels.items()}


def role_of(name: str) -> str:
    """The role of a data set by its name: train, dev, test, or empty.

    >>> role_of("test_repaired"), role_of("valid"), role_of("train/anercorp"), role_of("training notes"), role_of("x")
    ('test', 'dev', 'train', '', '')
    """
    match = _ROLE.match(name.removeprefix("corpus-"))
    return _ROLES.get(match[1].lower(), match[1].lower()) if match else ""


def mentions_of(article: Article) -> Iterator[AnnotatedSpan]:
    """Entities, then triggers once for each type."""
    for e in article.entities:
        yield AnnotatedSpan(task="entities", start=e.start, end=e.end, label=e.label, text=e.text)
    for event in article.events:
        t = event.trigger
        for label in event.types:
            yield AnnotatedSpan(task="triggers", start=t.start, end=t.end, label=label, text=t.text)


def sentences_of(article: Article) -> list[tuple[int, int]]:
    """The article's own sentences; one sentence if it is one line of tokens; else the sentences of its text."""
    if article.sentences:
        return [(sentence.start, sentence.end) for sentence in article.sentences]
    if article.tokens and "\n" not in article.text:
        return [(article.tokens[0][0], article.tokens[-1][1])]
    return split_sentences(article.text)


def strip_diacritics(text: str) -> str:
    """A text without diacritics, tatweel and invisible format characters, for comparing surfaces.

    >>> strip_diacritics("مُحـمَّد") == "محمد"
    True
    """
    return _DIACRITICS.sub("", text)


def shown(text: str) -> str:
    """A surface for a message: quoted, in one line, truncated to `SHOWN` code points."""
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN else line[: SHOWN - 1] + "…")


def code_point(character: str) -> str:
    """Number and name of a character."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
