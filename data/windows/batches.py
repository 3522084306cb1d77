"""Batches of windows with a token budget, planned for a whole run, so that a resumed run takes the same ones."""

from collections.abc import Sequence

import numpy as np

POOL = 64
"""Batches in a pool that is sorted by length: large enough for little padding, small enough for a random order."""


def plan_epoch(lengths: np.ndarray, groups: np.ndarray, *, budget: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch of batches.

    Windows are shuffled, cut into pools, sorted by length within a pool, filled into batches of at most ``budget``
    sub-words with padding, and the batches are shuffled. Windows of one group stay together.

    Args:
        lengths: sub-words of each window. [N]
        groups: group of each window, non-decreasing. [N]
        budget: sub-words in a batch, padding included; a group that is longer is a batch of its own.
        rng: decides the order.

    Returns:
        Arrays of window numbers, every window exactly once.

    >>> sizes = np.array([3, 9, 4, 8])
    >>> batches = plan_epoch(sizes, np.arange(4), budget=18, rng=np.random.default_rng(0))
    >>> sorted(sorted(batch.tolist()) for batch in batches)
    [[0, 2], [1, 3]]
    """
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    if not len(starts):
        return []
    sizes = np.diff(starts, append=len(lengths))  # windows in each group
    longest = np.maximum.reduceat(lengths, starts)
    order = rng.permutation(len(starts))
    weight = np.cumsum((longest * sizes)[order])
    pools = np.split(order, np.flatnonzero(np.diff(weight // (POOL * budget))) + 1)
    batches: list[np.ndarray] = []
    for pool in pools:
        members: list[int] = []
        width = count = 0
        for group in pool[np.argsort(longest[pool], kind="stable")]:
            size, span = int(sizes[group]), int(longest[group])
            if members and max(width, span) * (count + size) > budget:
                batches.append(_windows(members, starts, sizes))
                members, width, count = [], 0, 0
            members.append(int(group))
            width, count = max(width, span), count + size
        batches.append(_windows(members, starts, sizes))
    return [batches[i] for i in rng.permutation(len(batches))]


def plan_run(
    lengths: Sequence[int] | np.ndarray,
    *,
    budget: int,
    epochs: float,
    seed: int,
    multiple: int = 1,
    groups: np.ndarray | None = None,
    repeats: np.ndarray | None = None,
) -> tuple[list[np.ndarray], int]:
    """All batches of a run, planned before it starts, so that a resumed run takes the same ones.

    Args:
        lengths: sub-words of each window. [N]
        budget: sub-words in a batch.
        epochs: passes over the data; a fraction cuts the last one short.
        seed: decides all orders.
        multiple: the number of batches is rounded up to a multiple of it (gradient accumulation × processes), so
            that every process takes the same number of steps; the first batches are repeated for that.
        groups: as for `plan_epoch`; None makes each window a group. [N]
        repeats: how often each window is seen in one epoch; a fraction is a probability. [N]

    Returns:
        (batches, batches in one epoch)
    """
    length = np.asarray(lengths, dtype=np.int64)
    group = np.arange(len(length)) if groups is None else groups
    batches: list[np.ndarray] = []
    per_epoch = 1
    for epoch in range(int(np.ceil(epochs))):
        rng = np.random.default_rng([seed, epoch])
        chosen = np.arange(len(length))
        if repeats is not None:
            # One draw per group: windows of an article are drawn together.
            draw = rng.random(int(group.max()) + 1 if len(group) else 0)[group]
            times = np.floor(repeats).astype(int) + (draw < repeats % 1)
            if not times.any() and len(times):  # an epoch is never empty
                times = (group == group[np.argmin(draw)]).astype(int)
            chosen = np.concatenate([np.flatnonzero(times > again) for again in range(int(times.max(initial=1)))])
        # A repeated group is a group of its own; a repetition begins where the window numbers fall.
        label = np.cumsum((np.diff(group[chosen], prepend=-1) != 0) | (np.diff(chosen, prepend=-1) <= 0)) - 1
        planned = [chosen[batch] for batch in plan_epoch(length[chosen], label, budget=budget, rng=rng)]
        per_epoch = per_epoch if epoch else len(planned)
        share = min(1.0, epochs - epoch)
        batches += planned[: max(1, round(len(planned) * share))]
    batches += [batches[i % len(batches)] for i in range(-len(batches) % multiple)]
    return batches, per_epoch


def padding_share(lengths: Sequence[int] | np.ndarray, batches: Sequence[np.ndarray]) -> float:
    """The share of padding among all positions of the batches.

    >>> padding_share([1, 3], [np.array([0, 1])])
    0.33333333333333337
    """
    length = np.asarray(lengths)
    real = sum(int(length[batch].sum()) for batch in batches)
    padded = sum(int(length[batch].max()) * len(batch) for batch in batches)
    return 1 - real / padded if padded else 0.0


def _windows(members: list[int], starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(starts[group], starts[group] + sizes[group]) for group in members])
