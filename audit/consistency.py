"""Inconsistent annotation: a surface with several labels, or labeled in one place and not in another."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .article_views import AnnotatedSpan, ArticleView, shown, strip_diacritics
from .findings import Finding, Location, finding
from .spans import PROCLITIC

LEAST_LETTERS = 3  # of a name after a proclitic; with fewer, many short words would match
ROWS = 200


def ambiguous_surfaces(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Surfaces with several labels, ranked by `doubt`."""
    labels: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    first: dict[tuple[str, str, str], tuple[ArticleView, AnnotatedSpan]] = {}
    for view in views:
        for mention in view.mentions:
            surface = " ".join(strip_diacritics(mention.text).split())
            labels[mention.task, surface][mention.label] += 1
            first.setdefault((mention.task, surface, mention.label), (view, mention))
    ranked = sorted(
        ((doubt(counts), key, counts) for key, counts in labels.items() if len(counts) > 1),
        key=lambda item: (-item[0], item[1]),
    )
    locations: list[Location] = []
    rows = [("surface", "labels", "count")]
    for score, (task, surface), counts in ranked:
        counted = ", ".join(f"{label} {count}" for label, count in counts.most_common())
        rarest = counts.most_common()[-1][0]
        view, mention = first[task, surface, rarest]
        message = f"{shown(surface)}: {counted}"
        locations.append(view.location(message, mention.start, mention.end, mention.label, score=round(score, 3)))
        rows.append((surface, counted, str(sum(counts.values()))))
    yield from finding("ambiguous-surfaces", locations, table=rows[: ROWS + 1])


def doubt(counts: Counter[str]) -> float:
    """Entropy of a surface's labels in bits, times its number of occurrences."""
    total = sum(counts.values())
    return sum(count * math.log2(total / count) for count in counts.values() if count)


def unlabeled_occurrences(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Words that are an entity in one place of an article and unlabeled in another."""
    locations = []
    for view in views:
        if "entities" in view.annotated:
            locations += _unlabeled(view)
    yield from finding("unlabeled-occurrences", locations)


def _unlabeled(view: ArticleView) -> Iterator[Location]:
    entities = [mention for mention in view.mentions if mention.task == "entities"]
    if not entities:
        return
    bounds = np.array(view.words, dtype=np.int64).reshape(-1, 2)
    labeled = np.zeros(len(bounds) + 1, dtype=np.int64)  # +1 at the start of an entity, -1 after its end
    names: dict[tuple[str, ...], str] = {}
    for entity in entities:
        first = int(np.searchsorted(bounds[:, 1], entity.start, side="right"))
        last = int(np.searchsorted(bounds[:, 0], entity.end, side="left"))
        if first >= last:
            continue
        labeled[first] += 1
        labeled[last] -= 1
        # The first word without the proclitic before the span.
        head = strip_diacritics(view.article.text[max(entity.start, view.words[first][0]) : view.words[first][1]])
        words = (head, *view.stripped[first + 1 : last])
        if any(character.isalpha() for word in words for character in word) and len("".join(words)) > 1:
            names.setdefault(words, entity.label)
    covered = np.cumsum(labeled)[:-1] > 0
    by_head: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for words in sorted(names, key=len, reverse=True):
        by_head[words[0]].append(words)
    free_from = 0
    for number, word in enumerate(view.stripped):
        if covered[number] or number < free_from:
            continue
        for proclitic, head in _analyses(word):
            match = next((words for words in by_head.get(head, ()) if _occurs_at(view, number, words, covered)), None)
            if match is None:
                continue
            start, end = view.words[number][0], view.words[number + len(match) - 1][1]
            label = names[match]
            after = f" after {proclitic}" if proclitic else ""
            message = f"{shown(' '.join(match))} is {label} elsewhere, but unlabeled here{after}"
            yield view.location(message, start, end, label)
            free_from = number + len(match)
            break


def _analyses(word: str) -> Iterator[tuple[str, str]]:
    """Proclitic and rest of a word: first without a proclitic, then with each one that it may start with."""
    yield "", word
    for length in range(1, min(5, len(word) - LEAST_LETTERS + 1)):
        if PROCLITIC.fullmatch(word[:length]):
            yield word[:length], word[length:]


def _occurs_at(view: ArticleView, number: int, words: tuple[str, ...], covered: np.ndarray) -> bool:
    end = number + len(words)
    return tuple(view.stripped[number + 1 : end]) == words[1:] and not covered[number:end].any()
