from functools import partial

import numpy as np
import pytest

from rasid.evaluate.counts import Counts, average
from rasid.evaluate.significance import (
    paired_difference,
    percentile_interval,
    resample,
    resample_average_precision,
)

F1 = partial(average, metric="f1", averaging="micro")
RECALL = partial(average, metric="recall", averaging="micro")


@pytest.fixture
def counts():
    """Of 200 articles with 10 gold spans each, some 70 % of which were found."""
    found = np.random.default_rng(0).binomial(10, 0.7, 200)
    table = np.stack([found, np.full(200, 2), 10 - found], axis=-1)[:, None]
    return Counts(labels=("LOC",), table=table)


def test_resamples_are_sums_of_whole_articles():
    table = np.array([[[1, 10, 100]], [[2, 20, 200]], [[4, 40, 400]]])
    drawn = resample(table, samples=500)
    assert drawn.shape == (500, 1, 3)
    assert (drawn[:, 0, 1] == 10 * drawn[:, 0, 0]).all() and (drawn[:, 0, 2] == 100 * drawn[:, 0, 0]).all()
    assert set(drawn[:, 0, 0]) == {3, 4, 5, 6, 7, 8, 9, 10, 12}  # every choice of three
    assert drawn[:, 0, 0].mean() == pytest.approx(7, rel=0.05)


def test_large_data_is_resampled_in_parts(monkeypatch, counts):
    monkeypatch.setattr("rasid.evaluate.significance.CELLS_AT_ONCE", 1000)  # five resamples at a time
    drawn = resample(counts.table, samples=101)
    assert drawn.shape == (101, 1, 3)
    assert (drawn[:, 0, [0, 2]].sum(axis=1) == 2000).all()
    gold, groups = np.arange(200) % 3 == 0, np.arange(200) // 2
    assert resample_average_precision(gold, np.linspace(0, 1, 200), groups, 100, samples=23).shape == (23,)


def bootstrap_interval(counts, statistic, *, samples=1000, seed=0, level=0.95):
    return percentile_interval(statistic(resample(counts.table, samples=samples, seed=seed)), level)


def bootstrap_average_precision(gold, probabilities, groups, *, samples=1000):
    numbers = np.unique(groups, return_inverse=True)[1]
    values = resample_average_precision(gold, probabilities, numbers, int(numbers.max(initial=-1)) + 1, samples=samples)
    return percentile_interval(values)


def test_the_interval_is_that_of_theory(counts):
    low, high = bootstrap_interval(counts, RECALL, samples=4000)
    recall, error = counts.score("recall"), counts.table[:, 0, 0].std() / 10 / np.sqrt(200)
    assert low == pytest.approx(recall - 1.96 * error, abs=0.1 * error * 1.96)
    assert high == pytest.approx(recall + 1.96 * error, abs=0.1 * error * 1.96)
    inner_low, inner_high = bootstrap_interval(counts, RECALL, samples=4000, level=0.5)
    assert low < inner_low < recall < inner_high < high


def test_same_seed_same_interval(counts):
    assert bootstrap_interval(counts, F1, seed=3) == bootstrap_interval(counts, F1, seed=3)
    assert bootstrap_interval(counts, F1, seed=3) != bootstrap_interval(counts, F1, seed=4)


@pytest.mark.parametrize("articles", [0, 1])
def test_fewer_than_two_articles_have_no_interval(counts, articles):
    few = Counts(labels=counts.labels, table=counts.table[:articles])
    gold = np.ones(4 * articles, bool)
    ranking = bootstrap_average_precision(gold, gold * 0.5, np.zeros(4 * articles, int))
    assert np.isnan([*bootstrap_interval(few, F1), *ranking]).all()


def test_undefined_resamples_are_left_out():
    assert percentile_interval(np.array([np.nan, 0.0, 1.0]), level=1.0) == (0, 1)
    assert np.isnan(percentile_interval(np.array([np.nan]))).all()


def test_articles_are_drawn_with_all_their_rows():
    generator = np.random.default_rng(0)
    gold = np.repeat(generator.integers(2, size=40), 10).astype(bool)
    probabilities = np.repeat(generator.random(40), 10)  # ten equal rows an article say no more than one
    groups = np.repeat(np.arange(40) * 7, 10)
    by_article = bootstrap_average_precision(gold, probabilities, groups, samples=300)
    single = bootstrap_average_precision(gold[::10], probabilities[::10], groups[::10], samples=300)
    by_row = bootstrap_average_precision(gold, probabilities, np.arange(400), samples=300)
    assert by_article == pytest.approx(single)
    assert np.ptp(by_row) < 0.6 * np.ptp(by_article)


def test_a_system_does_not_differ_from_itself(counts):
    difference = paired_difference(counts, counts, F1, samples=200)
    assert (difference.value, difference.low, difference.high, difference.p_value) == (0, 0, 0, 1)


def test_a_steady_gain_is_significant_where_the_intervals_overlap(counts):
    better = counts.table.copy()
    gain = (better[:, 0, 2] > 0) & (np.arange(200) % 5 == 0)
    better[gain, 0] += [1, 0, -1]
    second = Counts(labels=counts.labels, table=better)
    difference = paired_difference(counts, second, F1, samples=2000)
    assert difference.value == pytest.approx(second.score("f1") - counts.score("f1"))
    assert 0 < difference.low < difference.value < difference.high
    assert difference.p_value < 0.01
    assert bootstrap_interval(counts, F1)[1] > bootstrap_interval(second, F1)[0]
    back = paired_difference(second, counts, F1, samples=2000)
    assert back.value == -difference.value and back.p_value < 0.01


def test_exchange_of_a_few_articles_has_the_exact_p_value(counts):
    better = counts.table[:3].copy()
    better[:, 0] += [1, 0, -1]  # better in all three: two of the eight exchanges are as extreme
    first = Counts(labels=counts.labels, table=counts.table[:3])
    second = Counts(labels=counts.labels, table=better)
    assert paired_difference(first, second, RECALL).p_value == pytest.approx(0.25, abs=0.02)


def test_p_values_are_uniform_where_there_is_no_difference():
    generator = np.random.default_rng(5)
    values = []
    for _ in range(200):
        found = generator.binomial(5, 0.6, (2, 40))
        first, second = (
            Counts(labels=("LOC",), table=np.stack([row, np.ones(40, int), 5 - row], axis=-1)[:, None]) for row in found
        )
        values.append(paired_difference(first, second, F1, samples=200).p_value)
    assert 0.01 <= np.mean(np.array(values) < 0.05) <= 0.1


def test_systems_on_other_data_are_not_compared(counts):
    fewer = Counts(labels=counts.labels, table=counts.table[:-1])
    with pytest.raises(ValueError, match="same labels and articles"):
        paired_difference(counts, fewer, F1)
    other = Counts(labels=counts.labels, table=counts.table + [0, 0, 1])
    with pytest.raises(ValueError, match="same gold"):
        paired_difference(counts, other, F1)
