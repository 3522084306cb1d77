"""Duplicate and near-duplicate texts, and dev and test mentions that are in train.

Texts are compared by their shingles, the sequences of five words in them (Broder 1997). Sorting all shingles brings
equal ones together, which gives all pairs exactly. Shingles that many texts share are skipped, so that the time is
linear.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .article_views import ArticleView, shown, strip_diacritics
from .findings import Finding, Location, finding, ranked

SHINGLE = 5  # words
SIMILAR = 0.7  # Jaccard index of the shingles of near duplicates, at least
MOST_SHARED = 20  # texts that share a shingle; stock phrases of news agencies are in more
FEWEST = 4  # shingles of a text, at least

_KEYS = (
    "duplicates-across-splits", "near-duplicates-across-splits",
    "duplicates-within-splits", "near-duplicates-within-splits",
)  # fmt: skip


def duplicate_articles(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Texts with the same or nearly the same words; pairs across train, dev and test are reported apart."""
    found: dict[str, list[Location]] = {key: [] for key in _KEYS}
    groups: dict[tuple[str, ...], list[ArticleView]] = defaultdict(list)
    for view in views:
        if len(view.stripped) >= SHINGLE:
            groups[tuple(view.stripped)].append(view)
    for same in groups.values():
        for number, view in enumerate(same[1:], 1):
            other = next((earlier for earlier in same[:number] if _leaks(view, earlier)), same[0])
            location = view.location(f"same as {other.split} {other.article.id}: {shown(view.article.text)}")
            found[_key("duplicates", other, view)].append(location)
    members = list(groups.values())
    for first, second, score in near_pairs(list(groups)):
        # A pair across train and test, if the two groups of equal texts have one.
        pair = _worst(members[first], members[second])
        message = f"{100 * score:.0f} % same as {pair[0].split} {pair[0].article.id}: {shown(pair[1].article.text)}"
        found[_key("near-duplicates", *pair)].append(pair[1].location(message, score=score))
    for key, locations in found.items():
        yield from finding(key, ranked(locations), shingle=SHINGLE, similar=100 * SIMILAR)


def _key(kind: str, one: ArticleView, other: ArticleView) -> str:
    return f"{kind}-{'across' if _leaks(one, other) else 'within'}-splits"


def _leaks(one: ArticleView, other: ArticleView) -> bool:
    return bool(one.role and other.role) and one.role != other.role


def _worst(first: Sequence[ArticleView], second: Sequence[ArticleView]) -> tuple[ArticleView, ArticleView]:
    roles = {view.role: view for view in reversed(first)}
    for other in second:
        for view in roles.values():
            if _leaks(view, other):
                return view, other
    return first[0], second[0]


def near_pairs(texts: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, float]]:
    """Pairs of near-duplicate texts.

    Args:
        texts: the words of each text.

    Yields:
        Numbers of two texts, and the Jaccard index of their shingles.
    """
    numbers: dict[str, int] = {}
    hashes, owners = [], []
    for owner, words in enumerate(texts):
        shingles = np.unique(_shingles(np.array([numbers.setdefault(word, len(numbers) + 1) for word in words])))
        hashes.append(shingles)
        owners.append(np.full(len(shingles), owner, dtype=np.int64))
    if not hashes:
        return
    shingle, owner = np.concatenate(hashes), np.concatenate(owners)
    order = np.argsort(shingle, kind="stable")
    shingle, owner = shingle[order], owner[order]
    _, inverse, shared_by = np.unique(shingle, return_inverse=True, return_counts=True)
    kept = shared_by[inverse] <= MOST_SHARED
    shingle, owner = shingle[kept], owner[kept]
    sizes = np.bincount(owner, minlength=len(texts))
    pairs = []
    for step in range(1, MOST_SHARED):
        same = shingle[step:] == shingle[:-step]
        if not same.any():
            break
        pairs.append(owner[:-step][same] * len(texts) + owner[step:][same])
    if not pairs:
        return
    codes, shared = np.unique(np.concatenate(pairs), return_counts=True)
    first, second = codes // len(texts), codes % len(texts)
    score = shared / (sizes[first] + sizes[second] - shared)
    enough = (score >= SIMILAR) & (np.minimum(sizes[first], sizes[second]) >= FEWEST)
    for one, other, value in zip(first[enough], second[enough], score[enough], strict=True):
        yield int(one), int(other), round(float(value), 3)


def _shingles(words: np.ndarray) -> np.ndarray:
    """A hash for each sequence of `SHINGLE` words, which are given as numbers. [W - SHINGLE + 1] uint64"""
    count = len(words) - SHINGLE + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    value = np.zeros(count, dtype=np.uint64)
    for offset in range(SHINGLE):
        # A polynomial modulo 2^64 with an odd multiplier; without mixing, small numbers would collide.
        value = (value + words[offset : offset + count].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        value ^= value >> np.uint64(29)
    return value


def mentions_in_train(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """How many mentions of dev and test are in train with the same words and label."""
    known = {
        (mention.task, strip_diacritics(mention.text), mention.label)
        for view in views
        if view.role == "train"
        for mention in view.mentions
    }
    seen: Counter[tuple[str, str, str]] = Counter()
    total: Counter[tuple[str, str, str]] = Counter()
    for view in views:
        if view.role in ("dev", "test"):
            for mention in view.mentions:
                key = (view.split, mention.task, mention.label)
                total[key] += 1
                seen[key] += (mention.task, strip_diacritics(mention.text), mention.label) in known
    if not known or not total:
        return
    rows = [("data set", "task", "label", "in train", "of", "share")]
    for split, task in dict.fromkeys((split, task) for split, task, _ in total):
        labels = sorted({label for s, t, label in total if (s, t) == (split, task)})
        sums = [(label, seen[split, task, label], total[split, task, label]) for label in labels]
        sums.insert(0, ("all", sum(row[1] for row in sums), sum(row[2] for row in sums)))
        rows += [(split, task, label, str(count), str(of), f"{100 * count / of:.0f} %") for label, count, of in sums]
    yield from finding("mentions-known-from-train", (), table=rows, count=seen.total())
