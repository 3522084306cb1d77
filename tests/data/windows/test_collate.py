"""Batches of inference: every window once, within the budget, with little padding; padded arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.windows.collate import budget_batches, pad

BUDGET = 320


@given(st.lists(st.integers(1, 512), max_size=200), st.integers(1, 20_000))
def test_every_window_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    length = np.array(lengths, dtype=np.int64)
    batches = budget_batches(length, budget)
    assert sorted(np.concatenate([np.zeros(0, dtype=int), *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        positions = int(length[batch].max()) * len(batch)
        assert positions <= budget or len(batch) == 1
        assert positions - int(length[batch].sum()) <= budget // 16


@given(st.lists(st.integers(1, 512), min_size=1, max_size=200))
def test_the_longest_come_first(lengths: list[int]) -> None:
    order = np.concatenate(budget_batches(np.array(lengths), BUDGET))
    assert np.array(lengths)[order].tolist() == sorted(lengths, reverse=True)


def test_a_few_sentences_are_not_padded_to_the_longest() -> None:
    # A title, a long sentence and some of middle length: one batch of all would be mostly padding.
    lengths = np.array([80, 6, 30, 31, 32, 29])
    assert [batch.tolist() for batch in budget_batches(lengths, BUDGET)] == [[0], [4, 3, 2, 5], [1]]


def test_equal_lengths_fill_the_budget() -> None:
    assert [len(batch) for batch in budget_batches(np.full(25, 32), BUDGET)] == [10, 10, 5]


@pytest.mark.parametrize(("lengths", "wanted"), [([2, 0, 1], [[1, 2], [9, 9], [3, 9]]), ([0, 0], [[9], [9]])])
def test_padding_of_rows_with_nothing_in_them(lengths: list[int], wanted: list[list[int]]) -> None:
    flat = np.arange(1, sum(lengths) + 1)
    assert pad(flat, np.array(lengths), fill=9).tolist() == wanted
