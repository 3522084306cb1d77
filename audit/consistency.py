"""Where annotators disagree with themselves: one name under several labels, or labeled here and not there."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .findings import Finding, Location
from .spans import PROCLITIC
from .views import Mention, View, finding, fold, shown

LEAST_LETTERS = 3  # of a name behind a proclitic: with fewer, half of all short words would contain one
ROWS = 200


def ambiguous_surfaces(views: Sequence[View]) -> Iterator[Finding]:
    """Surfaces that carry different labels, most doubtful first: how even the split is, times how frequent."""
    labels: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    first: dict[tuple[str, str, str], tuple[View, Mention]] = {}
    for view in views:
        for mention in view.mentions:
            surface = " ".join(fold(mention.text).split())
            labels[mention.task, surface][mention.label] += 1
            first.setdefault((mention.task, surface, mention.label), (view, mention))
    ranked = sorted(
        ((doubt(counts), key, counts) for key, counts in labels.items() if len(counts) > 1),
        key=lambda item: (-item[0], item[1]),
    )
    locations: list[Location] = []
    rows = [("surface", "labels", "count")]
    for score, (task, surface), counts in ranked:
        told = ", ".join(f"{label} {count}" for label, count in counts.most_common())
        rarest = counts.most_common()[-1][0]
        view, mention = first[task, surface, rarest]
        locations.append(
            view.location(f"{shown(surface)}: {told}", mention.start, mention.end, mention.label, score=round(score, 3))
        )
        rows.append((surface, told, str(sum(counts.values()))))
    yield from finding(
        "ambiguous-surfaces",
        "Names and triggers with different labels",
        "warning",
        "Many are right (a country is a place and an actor); a name with one odd label among many is mostly a slip. "
        "The place shown is the first with the rarest label.",
        locations,
        table=rows[: ROWS + 1],
    )


def doubt(counts: Counter[str]) -> float:
    """Entropy of the labels in bits, times how often the surface occurs: the bits that its labels cost."""
    total = sum(counts.values())
    return sum(count * math.log2(total / count) for count in counts.values() if count)


def unlabeled_occurrences(views: Sequence[View]) -> Iterator[Finding]:
    """Words that are a mention in one place of an article and nothing in another."""
    locations = []
    for view in views:
        if "entities" in view.annotated:
            locations += _unlabeled(view)
    yield from finding(
        "unlabeled-occurrences",
        "Names labeled in one place and not in another of the article",
        "warning",
        "The same words, as they are or behind a proclitic. Each teaches the opposite of the other, unless the second "
        "means something else.",
        locations,
    )


def _unlabeled(view: View) -> Iterator[Location]:
    entities = [mention for mention in view.mentions if mention.task == "entities"]
    if not entities:
        return
    bounds = np.array(view.words, dtype=np.int64).reshape(-1, 2)
    labeled = np.zeros(len(bounds) + 1, dtype=np.int64)  # a running sum of +1 and -1
    names: dict[tuple[str, ...], str] = {}
    for entity in entities:
        first = int(np.searchsorted(bounds[:, 1], entity.start, side="right"))
        last = int(np.searchsorted(bounds[:, 0], entity.end, side="left"))
        if first >= last:
            continue
        labeled[first] += 1
        labeled[last] -= 1
        # The word of its first part, without the proclitic that the span leaves out.
        head = fold(view.article.text[max(entity.start, view.words[first][0]) : view.words[first][1]])
        words = (head, *view.folded[first + 1 : last])
        if any(character.isalpha() for word in words for character in word) and len("".join(words)) > 1:
            names.setdefault(words, entity.label)
    covered = np.cumsum(labeled)[:-1] > 0
    by_head: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for words in sorted(names, key=len, reverse=True):
        by_head[words[0]].append(words)
    free_from = 0
    for number, word in enumerate(view.folded):
        if covered[number] or number < free_from:
            continue
        for proclitic, head in _readings(word):
            match = next((words for words in by_head.get(head, ()) if _stands_at(view, number, words, covered)), None)
            if match is None:
                continue
            start, end = view.words[number][0], view.words[number + len(match) - 1][1]
            label = names[match]
            behind = f" behind {proclitic}" if proclitic else ""
            yield view.location(
                f"{shown(' '.join(match))} is {label} elsewhere, here{behind} nothing", start, end, label
            )
            free_from = number + len(match)
            break


def _readings(word: str) -> Iterator[tuple[str, str]]:
    """A word as it is, and without each proclitic that it may start with."""
    yield "", word
    for length in range(1, min(5, len(word) - LEAST_LETTERS + 1)):
        if PROCLITIC.fullmatch(word[:length]):
            yield word[:length], word[length:]


def _stands_at(view: View, number: int, words: tuple[str, ...], covered: np.ndarray) -> bool:
    end = number + len(words)
    return tuple(view.folded[number + 1 : end]) == words[1:] and not covered[number:end].any()
