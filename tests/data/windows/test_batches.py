"""Batches: every window once, one budget, little padding, and the same again for the same seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.windows.batches import padding_share, plan_epoch, plan_run

BUDGET = 64


@st.composite
def grouped(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, and groups whose numbers rise with gaps."""
    sizes = draw(st.lists(st.integers(1, 5), max_size=40))
    steps = draw(st.lists(st.integers(1, 3), min_size=len(sizes), max_size=len(sizes)))
    lengths = draw(st.lists(st.integers(1, 80), min_size=sum(sizes), max_size=sum(sizes)))
    return np.array(lengths, dtype=np.int64), np.repeat(np.cumsum(steps), sizes).astype(np.int64)


def padded(lengths: np.ndarray, batch: np.ndarray) -> int:
    return int(lengths[batch].max()) * len(batch)


@given(grouped(), st.integers(0, 5), st.booleans())
@settings(max_examples=200, deadline=None)
def test_an_epoch(data: tuple[np.ndarray, np.ndarray], seed: int, together: bool) -> None:
    lengths, groups = data
    single = np.arange(len(lengths))
    own = groups if together else single
    batches = plan_epoch(lengths, own, budget=BUDGET, rng=np.random.default_rng(seed))
    assert sorted(np.concatenate([single[:0], *batches]).tolist()) == single.tolist()
    for batch in batches:
        members = set(own[batch].tolist())
        assert len(batch) == sum((own == group).sum() for group in members)  # groups are whole
        assert padded(lengths, batch) <= BUDGET or len(members) == 1
        # … and in one piece, in their order.
        changes = np.flatnonzero(np.diff(own[batch]))
        assert len(changes) + 1 == len(members)
        assert all((np.diff(part) == 1).all() for part in np.split(batch, changes + 1))


@given(grouped(), st.integers(0, 9), st.sampled_from([0.3, 1, 1.5, 2, 3]), st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_a_run(data: tuple[np.ndarray, np.ndarray], seed: int, epochs: float, multiple: int) -> None:
    lengths, groups = data

    def plan() -> tuple[list[np.ndarray], int]:
        return plan_run(lengths, budget=BUDGET, epochs=epochs, seed=seed, multiple=multiple, groups=groups)

    batches, per_epoch = plan()
    if not len(lengths):
        assert not batches
        return
    again, _ = plan()
    assert len(again) == len(batches) and all(map(np.array_equal, again, batches))
    assert len(batches) % multiple == 0
    for epoch in range(int(epochs)):
        seen: Counter[int] = Counter()
        taken = 0
        while seen.total() < len(lengths):
            seen.update(batches.pop(0).tolist())
            taken += 1
        assert seen == Counter(range(len(lengths)))
        assert epoch or taken == per_epoch
    share = epochs % 1
    assert len(batches) < (share and max(1, share * len(lengths))) + multiple


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    lengths = np.random.default_rng(0).integers(5, 30, 300)
    (one, per_epoch), (other, _) = (plan_run(lengths, budget=BUDGET, epochs=2, seed=seed) for seed in (1, 2))

    def shown(batches: list[np.ndarray]) -> list[list[int]]:
        return [batch.tolist() for batch in batches]

    first, second = shown(one[:per_epoch]), shown(one[per_epoch:])
    assert first != second and sorted(map(sorted, first)) != sorted(map(sorted, second))
    assert shown(one) != shown(other)
    assert shown(plan_run(lengths, budget=BUDGET, epochs=1, seed=1)[0]) == first  # more epochs change nothing before
    assert [min(batch) for batch in first] != sorted(min(batch) for batch in first)


def test_a_fraction_of_an_epoch() -> None:
    lengths = np.full(100, 16)
    whole, per_epoch = plan_run(lengths, budget=BUDGET, epochs=1, seed=3)
    part, same = plan_run(lengths, budget=BUDGET, epochs=0.4, seed=3)
    assert (per_epoch, same, len(part)) == (25, 25, 10)
    assert all(map(np.array_equal, part, whole))
    assert len(plan_run(lengths, budget=BUDGET, epochs=0.001, seed=3)[0]) == 1
    assert len(plan_run(lengths, budget=BUDGET, epochs=2.4, seed=3)[0]) == 60


def test_the_number_of_batches_is_rounded_up() -> None:
    lengths = np.full(7, 60)
    batches, per_epoch = plan_run(lengths, budget=BUDGET, epochs=1, seed=0, multiple=4)
    assert (len(batches), per_epoch) == (8, 7)
    assert np.array_equal(batches[7], batches[0])
    assert len(plan_run(np.full(1, 60), budget=BUDGET, epochs=1, seed=0, multiple=5)[0]) == 5


def test_windows_are_repeated_as_often_as_asked() -> None:
    lengths = np.random.default_rng(1).integers(1, 30, 60)
    groups = np.repeat(np.arange(20), 3)
    repeats = np.repeat([1.0, 2.0, 0.5, 2.25], 15)
    batches, _ = plan_run(lengths, budget=BUDGET, epochs=400, seed=0, groups=groups, repeats=repeats)
    seen = np.bincount(np.concatenate(batches), minlength=60) / 400
    assert (seen[:15] == 1).all() and (seen[15:30] == 2).all()
    assert np.allclose(seen[30:45], 0.5, atol=0.12) and np.allclose(seen[45:], 2.25, atol=0.12)
    assert (seen.reshape(20, 3) == seen.reshape(20, 3)[:, :1]).all()  # the windows of an article go together
    for batch in batches:
        assert padded(lengths, batch) <= BUDGET or len(set(groups[batch])) == 1
        starts = np.flatnonzero(groups[batch] * 3 == batch)
        assert np.array_equal(batch, np.concatenate([batch[start] + np.arange(3) for start in starts]))


@pytest.mark.parametrize("repeats", [[1.0, 1.0, 3.0], [3.0, 3.0, 3.0], [2.0]])
def test_a_repeated_article_is_not_one_group_with_itself(repeats: list[float]) -> None:
    """Twice in a row is two articles of 60 sub-words, each a batch, and not one of 120."""
    count = len(repeats)
    how = {"groups": np.arange(count), "repeats": np.array(repeats)}
    batches, _ = plan_run(np.full(count, 60), budget=BUDGET, epochs=1, seed=0, **how)
    assert sorted(batch.tolist() for batch in batches) == [[i] for i in range(count) for _ in range(int(repeats[i]))]


@given(st.integers(1, 6), st.integers(0, 50), st.sampled_from([0.001, 0.3]))
@settings(deadline=None)
def test_an_epoch_is_never_empty(count: int, seed: int, repeats: float) -> None:
    how = {"groups": np.repeat(np.arange(count), 2), "repeats": np.full(2 * count, repeats), "multiple": 2}
    batches, per_epoch = plan_run(np.full(2 * count, 10), budget=BUDGET, epochs=3, seed=seed, **how)
    assert per_epoch >= 1 and len(batches) >= 3
    assert all(len(batch) % 2 == 0 and len(batch) for batch in batches)


def test_little_padding_where_sentences_are_short() -> None:
    """Lengths as ANERcorp has them: four thousand sentences, most of 15 to 60 sub-words, a few of hundreds."""
    lengths = np.random.default_rng(7).lognormal(3.6, 0.6, 4_000).astype(int).clip(3, 512)
    batches, per_epoch = plan_run(lengths, budget=4096, epochs=1, seed=0)
    assert padding_share(lengths, batches) < 0.05
    assert len(batches) == per_epoch < 1.1 * lengths.sum() / 4096 + 1
    assert max(padded(lengths, batch) for batch in batches) <= 4096
    order = np.random.default_rng(0).permutation(4_000)
    plain = [order[i : i + 32] for i in range(0, 4_000, 32)]
    assert padding_share(lengths, plain) > 0.4  # what it is better than


def test_padding_share_by_hand() -> None:
    assert padding_share([2, 4, 5, 5], [np.array([0, 1]), np.array([2, 3])]) == pytest.approx(2 / 18)
    assert padding_share([3], []) == 0
