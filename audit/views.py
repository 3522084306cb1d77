"""Articles as the checks look at them: with their words, sentences and mentions at hand."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..data.articles import Article
from ..data.datasets import DataSet
from ..data.text.sentences import split_sentences
from ..data.text.words import split_words
from ..data.windows.targets import annotated_labels_of
from .findings import Finding, Location, Severity

MOST_LOCATIONS = 1000  # of a finding that are listed: more than anyone goes through, and a report of a few megabytes
SHOWN = 40  # code points of a surface in a message
TASKS_OF_SPANS = ("entities", "triggers")

_HANGING = re.compile(
    "[\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u200c-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
_ROLE = re.compile(r"(train|dev|val|valid|validation|test)(?![a-z])", re.IGNORECASE)
_ROLES = {"val": "dev", "valid": "dev", "validation": "dev"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A mention or trigger with one label.

    Attributes:
        task: ``"entities"`` or ``"triggers"``.
        start: first code point.
        end: one past the last.
        label: entity label or event type.
        text: surface.
    """

    task: str
    start: int
    end: int
    label: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """An article, what it belongs to, and what is read off it once.

    Attributes:
        split: name of its data set.
        role: ``"train"``, ``"dev"``, ``"test"``, or empty where the name of the data set does not tell.
        article: itself.
        words: offsets of its words, in code points.
        folded: the words without diacritics, tatweel and format characters, aligned with ``words``.
        sentences: offsets of its sentences, in code points.
        mentions: entities, then triggers with each of their types.
        annotated: tasks that were annotated in it.
        declared: a config says so; a file alone is taken to judge the kinds of spans that occur in it.
        source: file that it was read from.
    """

    split: str
    role: str
    article: Article
    words: Sequence[tuple[int, int]]
    folded: Sequence[str]
    sentences: Sequence[tuple[int, int]]
    mentions: Sequence[Mention]
    annotated: frozenset[str]
    declared: bool
    source: str = ""

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

    def at(self, mention: Mention, message: str) -> Location:
        """A location on a mention."""
        return self.location(message, mention.start, mention.end, mention.label)


def make_views(datasets: Mapping[str, DataSet], sources: Mapping[str, Sequence[str]] | None = None) -> list[View]:
    """The articles of all data sets.

    Args:
        datasets: name → data set.
        sources: name → the file of each article.
    """
    views: list[View] = []
    for name, dataset in datasets.items():
        files = (sources or {}).get(name) or [dataset.log.source] * len(dataset.articles)
        # A file that declares nothing was annotated for whatever there is in it.
        found = {mention.task for article in dataset.articles for mention in mentions_of(article)}
        for article, file in zip(dataset.articles, files, strict=True):
            declared = annotated_labels_of(article, dataset.annotated_labels)
            spans = [(int(start), int(end)) for start, end in split_words(article.text)]
            views.append(
                View(
                    split=name,
                    role=role_of(name),
                    article=article,
                    words=spans,
                    folded=[fold(article.text[start:end]) for start, end in spans],
                    sentences=sentences_of(article),
                    mentions=tuple(mentions_of(article)),
                    annotated=frozenset(declared if dataset.annotated_labels else found),
                    declared=bool(dataset.annotated_labels),
                    source=file,
                )
            )
    return views


def role_of(name: str) -> str:
    """What a data set is for, by its name.

    >>> role_of("test_repaired"), role_of("valid"), role_of("train/anercorp"), role_of("training notes"), role_of("x")
    ('test', 'dev', 'train', '', '')
    """
    match = _ROLE.match(name.removeprefix("corpus-"))
    return _ROLES.get(match[1].lower(), match[1].lower()) if match else ""


def mentions_of(article: Article) -> Iterator[Mention]:
    """Entities, and triggers once for each of their types."""
    for e in article.entities:
        yield Mention(task="entities", start=e.start, end=e.end, label=e.label, text=e.text)
    for event in article.events:
        t = event.trigger
        for label in event.types:
            yield Mention(task="triggers", start=t.start, end=t.end, label=label, text=t.text)


def sentences_of(article: Article) -> list[tuple[int, int]]:
    """Sentences as given; a line of tokens is one sentence, as its file has it; else as the text is split."""
    if article.sentences:
        return [(sentence.start, sentence.end) for sentence in article.sentences]
    if article.tokens and "\n" not in article.text:
        return [(article.tokens[0][0], article.tokens[-1][1])]
    return split_sentences(article.text)


def fold(text: str) -> str:
    """A surface without what hangs on its letters: diacritics, tatweel, format characters.

    >>> fold("مُحـمَّد") == "محمد"
    True
    """
    return _HANGING.sub("", text)


def shown(text: str) -> str:
    """A surface for a message: quoted, on one line, cut where it is long."""
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN else line[: SHOWN - 1] + "…")


def code_point(character: str) -> str:
    """A character by number and name, for a table."""
    import unicodedata

    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def finding(
    key: str,
    title: str,
    severity: Severity,
    explanation: str,
    locations: Iterable[Location],
    *,
    table: Sequence[tuple[str, ...]] = (),
    count: int | None = None,
) -> Iterator[Finding]:
    """One finding, or none where nothing was found. Arguments as for `Finding`; ``count`` is that of all locations."""
    places = tuple(locations)
    count = len(places) if count is None else count
    if count:
        yield Finding(
            key=key,
            title=title,
            severity=severity,
            explanation=explanation,
            count=count,
            locations=places[:MOST_LOCATIONS],
            table=tuple(table),
        )
