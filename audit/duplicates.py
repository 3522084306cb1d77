"""Texts and mentions that occur twice, within a data set and across the split.

Texts are compared by their runs of five words (Broder 1997). An exact inverted index finds the pairs: one sort of
all runs, in which equal ones lie side by side. Runs that very many texts share say nothing and are left out, which
keeps the time linear.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .findings import Finding, Location
from .views import View, finding, fold, shown

SHINGLE = 5  # words in a run
SIMILAR = 0.7  # Jaccard index of the runs of two texts from which they count as near duplicates
MOST_SHARED = 20  # texts that share a run; a bulletin's standing phrases have more
FEWEST = 4  # runs that a text must have left to be compared


def duplicate_articles(views: Sequence[View]) -> Iterator[Finding]:
    """Texts that are equal in their words, or nearly so; across train, dev and test first."""
    across: list[Location] = []
    within: list[Location] = []
    groups: dict[tuple[str, ...], list[View]] = defaultdict(list)
    for view in views:
        if len(view.folded) >= SHINGLE:
            groups[tuple(view.folded)].append(view)
    for same in groups.values():
        for number, view in enumerate(same[1:], 1):
            other = next((earlier for earlier in same[:number] if _leaks(view, earlier)), same[0])
            location = view.location(f"equals {other.split} {other.article.id}: {shown(view.article.text)}")
            (across if _leaks(view, other) else within).append(location)
    near_across, near_within = [], []
    texts = [same[0] for same in groups.values()]
    members = list(groups.values())
    for first, second, score in near_pairs([view.folded for view in texts]):
        # Of two groups of equal texts, a pair from train and test if there is one.
        pair = _worst(members[first], members[second])
        location = pair[1].location(
            f"{100 * score:.0f} % of {pair[0].split} {pair[0].article.id}: {shown(pair[1].article.text)}", score=score
        )
        (near_across if _leaks(*pair) else near_within).append(location)
    yield from finding(
        "duplicates-across-splits",
        "The same text in train and in dev or test",
        "error",
        f"The score is of texts that were learned by heart. Delete one of them. Texts under {SHINGLE} words are not "
        "compared.",
        across,
    )
    yield from finding(
        "near-duplicates-across-splits",
        "Nearly the same text in train and in dev or test",
        "warning",
        f"They share {100 * SIMILAR:.0f} % and more of their runs of {SHINGLE} words: one agency's report in "
        "two papers, mostly. Split by report, not by article.",
        sorted(near_across, key=lambda location: -(location.score or 0)),
    )
    yield from finding(
        "duplicates-within-splits",
        "The same text twice",
        "warning",
        "Not across the split; it counts twice in training and in the score. If the two were annotated apart, compare "
        "them.",
        within,
    )
    yield from finding(
        "near-duplicates-within-splits",
        "Nearly the same text twice",
        "note",
        "Not across the split; they weigh double in training and in the score.",
        sorted(near_within, key=lambda location: -(location.score or 0)),
    )


def _leaks(one: View, other: View) -> bool:
    return bool(one.role and other.role) and one.role != other.role


def _worst(first: Sequence[View], second: Sequence[View]) -> tuple[View, View]:
    roles = {view.role: view for view in reversed(first)}
    for other in second:
        for view in roles.values():
            if _leaks(view, other):
                return view, other
    return first[0], second[0]


def near_pairs(texts: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts, given as words, that share `SIMILAR` of their runs of words, with that share."""
    numbers: dict[str, int] = {}
    hashes, owners = [], []
    for owner, words in enumerate(texts):
        runs = np.unique(_runs(np.array([numbers.setdefault(word, len(numbers) + 1) for word in words])))
        hashes.append(runs)
        owners.append(np.full(len(runs), owner, dtype=np.int64))
    if not hashes:
        return
    run, owner = np.concatenate(hashes), np.concatenate(owners)
    order = np.argsort(run, kind="stable")
    run, owner = run[order], owner[order]
    _, inverse, shared_by = np.unique(run, return_inverse=True, return_counts=True)
    kept = shared_by[inverse] <= MOST_SHARED
    run, owner = run[kept], owner[kept]
    sizes = np.bincount(owner, minlength=len(texts))
    pairs = []
    for step in range(1, MOST_SHARED):
        same = run[step:] == run[:-step]
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


def _runs(words: np.ndarray) -> np.ndarray:
    """A number for each run of `SHINGLE` words. [W - SHINGLE + 1] uint64"""
    count = len(words) - SHINGLE + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    value = np.zeros(count, dtype=np.uint64)
    for offset in range(SHINGLE):
        # A polynomial modulo 2^64 with an odd multiplier; each step is mixed, or small numbers would collide.
        value = (value + words[offset : offset + count].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        value ^= value >> np.uint64(29)
    return value


def known_mentions(views: Sequence[View]) -> Iterator[Finding]:
    """How many mentions of dev and test stand in train with the same words and label."""
    known = {
        (mention.task, fold(mention.text), mention.label)
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
                seen[key] += (mention.task, fold(mention.text), mention.label) in known
    if not known or not total:
        return
    rows = [("data set", "task", "label", "in train", "of", "share")]
    for split, task in dict.fromkeys((split, task) for split, task, _ in total):
        labels = sorted({label for s, t, label in total if (s, t) == (split, task)})
        sums = [(label, seen[split, task, label], total[split, task, label]) for label in labels]
        sums.insert(0, ("all", sum(row[1] for row in sums), sum(row[2] for row in sums)))
        rows += [
            (split, task, label, str(location), str(of), f"{100 * location / of:.0f} %") for label, location, of in sums
        ]
    yield from finding(
        "mentions-known-from-train",
        "Mentions of dev and test that train has with the same label",
        "note",
        "The rest is what the model must generalize to. Where nearly all are known, the score says little about new "
        "names.",
        (),
        table=rows,
        count=sum(seen.values()),
    )
