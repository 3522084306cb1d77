"""Gold annotation to training targets, and what of the gold no model of this kind can predict."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..articles import AnnotatedLabels, Article, Task
from ..labels import LabelScheme
from ..text.words import behind_proclitic, extend_over_marks, offset_to_letters
from .encoding import EncodedText

IGNORED = -100  # the target of what gives no loss
LONGEST_PROCLITIC = 3  # letters


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """Targets of one article over its words, `IGNORED` where nothing is trained_labels.

    Attributes:
        entities: BIO tag of each word: 0 outside, 1 + 2l begin, 2 + 2l inside label l. [U] int16
        entities_unannotated: entity labels that were not annotated: a word that is outside may as well carry them. [L] bool
        triggers: (word, mark) of each trigger word, mark 2k begin, 2k + 1 inside type k. [N, 2] int32
        triggers_annotated: [K] bool
        proclitics: letters before the mention in the first word of a mention. [U] int8
        sentence_types: 0 or 1. [S, K] int8
        article_types: 0 or 1. [K] int8
        unpredictable: (task, cause) → number of gold items that no prediction can equal.
    """

    entities: np.ndarray
    entities_unannotated: np.ndarray
    triggers: np.ndarray
    triggers_annotated: np.ndarray
    proclitics: np.ndarray
    sentence_types: np.ndarray
    article_types: np.ndarray
    unpredictable: Counter[tuple[str, str]]


def annotated_labels_of(article: Article, declared: AnnotatedLabels) -> dict[Task, tuple[str, ...]]:
    """What is annotated in an article: what its data set declares, narrowed by the article's own ``annotated``."""
    annotated = dict(declared)
    for task in declared:
        if task in article.annotated:
            annotated[task] = tuple(label for label in declared[task] if label in article.annotated[task])
    return annotated


def word_range(encoded: EncodedText, start: int, end: int) -> tuple[int, int]:
    """Words that a span of code points touches, as a half-open range; empty where the encoder sees nothing of it."""
    first = int(np.searchsorted(encoded.words[:, 1], start, side="right"))
    last = int(np.searchsorted(encoded.words[:, 0], end, side="left"))
    return first, last


def sentence_types_of(article: Article, sentences: np.ndarray) -> list[tuple[str, ...]]:
    """Types of each sentence: as given for it, or else those of the triggers that start in it."""
    if article.sentences:
        given = {(sentence.start, sentence.end): sentence.types for sentence in article.sentences}
        return [given.get((int(start), int(end)), ()) for start, end in sentences]
    return [
        tuple(
            sorted({label for event in article.events if start <= event.trigger.start < end for label in event.types})
        )
        for start, end in sentences.tolist()
    ]


def outermost(spans: Sequence[tuple[int, int, str]]) -> tuple[list[tuple[int, int, str]], Counter[str]]:
    """The flat reading of nested spans: the outermost, and why the others are left out.

    >>> outermost([(0, 3, "ORG"), (1, 2, "GPE"), (2, 4, "LOC")])
    ([(0, 3, 'ORG')], Counter({'nested inside another': 1, 'crosses another': 1}))
    """
    kept: list[tuple[int, int, str]] = []
    causes: Counter[str] = Counter()
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1], span[2])):
        if kept and start < kept[-1][1]:
            causes["nested inside another" if end <= kept[-1][1] else "crosses another"] += 1
        else:
            kept.append((start, end, label))
    return kept, causes


class TargetMaker:
    """Makes targets of articles under one label scheme."""

    def __init__(self, scheme: LabelScheme) -> None:
        self.entity_index = {label: i for i, label in enumerate(scheme.labels("entities"))}
        self.event_index = {label: i for i, label in enumerate(scheme.labels("triggers"))}

    def make(self, article: Article, encoded: EncodedText, annotated_labels: AnnotatedLabels) -> Targets:
        """Targets of one article.

        Args:
            article: gold.
            encoded: the same text, encoded.
            annotated_labels: what its data set declares; the article's ``annotated`` narrows it.
        """
        annotated = annotated_labels_of(article, annotated_labels)
        count, kinds = len(encoded.words), len(self.event_index)
        lost: Counter[tuple[str, str]] = Counter()

        proclitics = np.full(count, IGNORED, dtype=np.int8)
        entities = np.full(count, IGNORED, dtype=np.int16)
        unannotated_labels = np.zeros(len(self.entity_index), dtype=bool)
        if "entities" in annotated:
            entities[:] = 0
            unannotated_labels[:] = True
            unannotated_labels[[self.entity_index[label] for label in annotated["entities"]]] = False
            spans = {(e.start, e.end, e.label) for e in article.entities if e.label in annotated["entities"]}
            flat, causes = outermost(sorted(spans))
            lost.update({("entities", cause): number for cause, number in causes.items()})
            places = _placed(article.text, encoded, flat, proclitics="proclitics" in annotated)
            for place, label in places:
                free = place.first + np.flatnonzero(entities[place.first : place.last] == 0)
                shared = len(free) < place.last - place.first
                if not (place.cause or shared or _note(place, proclitics)):
                    places.append((replace(place, cause="two proclitics in one word"), label))
                    continue
                if place.cause or shared:
                    lost["entities", place.cause or "shares a word with another"] += 1
                if len(free):
                    tag = 1 + 2 * self.entity_index[label]
                    entities[free[0]], entities[free[1:]] = tag, tag + 1

        marks: set[tuple[int, int]] = set()
        triggers_annotated = self._mask(annotated.get("triggers"))
        if "triggers" in annotated:
            gold = [
                (event.trigger.start, event.trigger.end, label)
                for event in article.events
                for label in event.types
                if label in annotated["triggers"]
            ]
            places = _placed(article.text, encoded, [*dict.fromkeys(gold)], proclitics="proclitics" in annotated)
            for place, label in places:
                kind = 2 * self.event_index[label]
                words = range(place.first, place.last)
                shared = any((word, mark) in marks for word in words for mark in (kind, kind + 1))
                if not (place.cause or shared or _note(place, proclitics)):
                    places.append((replace(place, cause="two proclitics in one word"), label))
                    continue
                if place.cause or shared:
                    lost["triggers", place.cause or "shares a word with another of its type"] += 1
                if not shared:
                    marks |= {(word, kind + (word > place.first)) for word in words}
        if "proclitics" not in annotated:
            proclitics[:] = IGNORED

        sentence_types = np.full((len(encoded.sentences), kinds), IGNORED, dtype=np.int8)
        if "sentence_types" in annotated and kinds:
            sentence_types[:, self._mask(annotated["sentence_types"])] = 0
            for row, labels in enumerate(sentence_types_of(article, encoded.sentences)):
                for label in labels:
                    if label in annotated["sentence_types"]:
                        sentence_types[row, self.event_index[label]] = 1
            seen = set(map(tuple, encoded.sentences.tolist()))
            for sentence in article.sentences:
                if (sentence.start, sentence.end) not in seen:
                    unseen = len(set(sentence.types).intersection(annotated["sentence_types"]))
                    lost["sentence_types", "no sub-word"] += unseen
        article_types = np.full(kinds, IGNORED, dtype=np.int8)
        if "article_types" in annotated and kinds:
            article_types[self._mask(annotated["article_types"])] = 0
            for label in article.event_types:
                if label in annotated["article_types"]:
                    article_types[self.event_index[label]] = 1
            if not len(encoded.sentences):
                lost["article_types", "no sub-word"] += int((article_types == 1).sum())
        return Targets(
            entities=entities,
            entities_unannotated=unannotated_labels,
            triggers=np.array(sorted(marks), dtype=np.int32).reshape(-1, 2),
            triggers_annotated=triggers_annotated,
            proclitics=proclitics,
            sentence_types=sentence_types,
            article_types=article_types,
            unpredictable=+lost,
        )

    def _mask(self, labels: tuple[str, ...] | None) -> np.ndarray:
        mask = np.zeros(len(self.event_index), dtype=bool)
        mask[[self.event_index[label] for label in labels or ()]] = True
        return mask


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Words of a gold span, the letters before it in its first word, and why no prediction can equal it, if so."""

    first: int
    last: int
    letters: int
    cause: str


def _placed(
    text: str, encoded: EncodedText, spans: Iterable[tuple[int, int, str]], *, proclitics: bool
) -> list[tuple[_Place, str]]:
    """Places and labels of spans; those that can be predicted come first, so that no other takes their words.

    For the same reason whoever goes through them puts off to the end of the list a span that turns out to need another
    boundary in a word than is noted there.
    """
    places = [(_place(text, encoded, start, end, proclitics=proclitics), label) for start, end, label in spans]
    return sorted(places, key=lambda found: found[0].cause != "")


def _place(text: str, encoded: EncodedText, start: int, end: int, *, proclitics: bool) -> _Place:
    first, last = word_range(encoded, start, end)
    if first >= last:
        return _Place(first=first, last=first, letters=0, cause="no sub-word")
    word_start, word_end = int(encoded.words[first, 0]), int(encoded.words[last - 1, 1])
    letters = offset_to_letters(text, word_start, start) if start > word_start else 0
    reach = extend_over_marks(text, end)
    if start < word_start or end > word_end:
        cause = "edge that the encoder does not see"
    elif reach < word_end:
        cause = "ends inside a word"
    elif end < word_end:
        cause = "leaves out a diacritic or tatweel at its end"
    elif letters > LONGEST_PROCLITIC:
        cause = f"starts more than {LONGEST_PROCLITIC} letters inside a word"
    elif start != behind_proclitic(text, word_start, int(encoded.words[first, 1]), letters):
        cause = "starts at or behind a diacritic or tatweel"
    elif letters and not proclitics:
        cause = "starts inside a word, and proclitics are not trained_labels"
    else:
        cause = ""
    return _Place(first=first, last=last, letters=letters, cause=cause)


def _note(place: _Place, proclitics: np.ndarray) -> bool:
    """Note the boundary of a span that can be predicted; False where a different one was noted already."""
    if proclitics[place.first] not in (IGNORED, place.letters):
        return False
    proclitics[place.first] = place.letters
    return True
