import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax
from sklearn.metrics import average_precision_score, f1_score

from rasid.evaluate.classification import (
    TEMPERATURES,
    average_precision,
    expected_calibration_error,
    fit_softmax_temperature,
    fit_temperature,
    score_labels,
    tune_thresholds,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")

LABELS = ("ASSAULT", "PROTEST")


@pytest.fixture
def scores():
    gold = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], bool)
    probabilities = np.array([[0.9, 0.8], [0.4, 0.7], [0.6, 0.2], [0.1, 0.9]])
    annotated = np.array([[1, 1], [1, 1], [1, 1], [1, 0]], bool)
    return score_labels(gold, probabilities, probabilities >= 0.5, annotated, LABELS, groups=np.array([0, 0, 1, 1]))


def test_hand_computed_scores(scores):
    assert scores.counts.table.tolist() == [[[1, 0, 1], [1, 1, 0]], [[0, 1, 0], [0, 0, 1]]]
    assert scores.counts.score("f1") == 0.5
    # ASSAULT ranks: location, miss, location, miss; PROTEST: miss, location, location
    assert scores.average_precision == pytest.approx([(1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2])
    assert scores.macro_average_precision == pytest.approx((5 / 6 + 7 / 12) / 2)
    # in one ranking: .9 location, .8 miss, .7 location, .6 miss, .4 location, .2 location, .1 miss
    assert scores.micro_average_precision == pytest.approx((1 + 2 / 3 + 3 / 5 + 4 / 6) / 4)


def test_without_positives_average_precision_is_undefined():
    gold = np.zeros((3, 1), bool)
    nothing = score_labels(gold, np.full((3, 1), 0.9), np.array([[1], [0], [0]], bool), ~gold, ["PROTEST"])
    assert np.isnan([nothing.macro_average_precision, nothing.micro_average_precision]).all()
    assert nothing.counts.total.tolist() == [[0, 1, 0]]
    assert np.isnan(average_precision(np.zeros(0, bool), np.zeros(0))).all()


def test_what_was_not_annotated_changes_nothing(scores):
    probabilities = scores.probabilities.copy()
    probabilities[3, 1] = np.nan
    gold, predicted = scores.gold | ~scores.annotated, scores.predicted | ~scores.annotated
    again = score_labels(gold, probabilities, predicted, scores.annotated, LABELS, scores.groups)
    assert again.counts == scores.counts
    assert (again.average_precision == scores.average_precision).all()
    assert again.micro_average_precision == scores.micro_average_precision


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_f1_equals_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    gold, predicted = generator.integers(2, size=(2, 9, 3)).astype(bool)
    scores = score_labels(gold, predicted * 1.0, predicted, np.ones_like(gold), "abc")
    assert scores.counts.score("f1") == pytest.approx(f1_score(gold, predicted, average="micro"))
    labels = np.flatnonzero(gold.any(axis=0)).tolist()
    if labels:
        expected = f1_score(gold, predicted, average="macro", labels=labels)
        assert scores.counts.score("f1", averaging="macro") == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=12))
def test_average_precision_equals_scikit_learn_with_ties_and_weights(rows):
    gold, probabilities, weights = (np.array(column) for column in zip(*rows, strict=True))
    value, weighted = average_precision(gold, probabilities / 4, np.stack([np.ones(len(rows)), weights]))
    if gold.any():
        assert value == pytest.approx(average_precision_score(gold, probabilities))
    if (gold * weights).any():
        assert weighted == pytest.approx(average_precision_score(gold, probabilities, sample_weight=weights))
    else:
        assert np.isnan(weighted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": np.zeros((4, 3), bool)}, "must all be"),
        ({"probabilities": np.full((4, 2), 1.5)}, "may be logits"),
        ({"probabilities": np.full((4, 2), np.nan)}, "not a number from 0 to 1"),
        ({"groups": np.zeros(3, int)}, "one article for each row"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, message):
    arrays = {
        "gold": np.zeros((4, 2), bool),
        "probabilities": np.zeros((4, 2)),
        "predicted": np.zeros((4, 2), bool),
        "annotated": np.ones((4, 2), bool),
    }
    with pytest.raises(ValueError, match=message):
        score_labels(**{**arrays, **change}, labels=LABELS)


def column(*values):
    return np.array(values)[:, None]


@pytest.mark.parametrize(
    ("gold", "probabilities", "threshold"),
    [
        ((1, 1, 0), (0.3, 0.2, 0.1), 0.15),
        ((1, 1, 0), (0.9, 0.8, 0.7), 0.75),
        ((1, 0), (0.9, 0.2), 0.5),  # 0.5 is as good as the midpoint 0.55
        ((1, 1), (0.4, 0.2), 0.1),  # everything is positive
        ((1, 0, 0), (0.6, 0.6, 0.1), 0.5),  # a tie cannot be cut through
        ((0, 0), (0.9, 0.8), 0.5),  # nothing to tune on
        ((1, 0), (0.0, 0.0), 0.0),
    ],
)
def test_hand_computed_thresholds(gold, probabilities, threshold):
    gold, probabilities = column(*gold).astype(bool), column(*probabilities)
    tuned = tune_thresholds(gold, probabilities, np.ones_like(gold), minimum_positives=1)
    assert tuned == pytest.approx([threshold])


def test_neighboring_floats_are_told_apart():
    low = np.nextafter(0.7, 0)
    (threshold,) = tune_thresholds(column(True, False), column(0.7, low), column(True, True), minimum_positives=1)
    assert low < threshold <= 0.7


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=15))
def test_no_threshold_is_better(rows):
    gold, tenths = (np.array(values) for values in zip(*rows, strict=True))
    probabilities = tenths / 10
    (threshold,) = tune_thresholds(column(*gold), column(*probabilities), column(*gold) | True, minimum_positives=1)

    def f1(cut):
        return 2 * (gold & (probabilities >= cut)).sum() / (gold.sum() + (probabilities >= cut).sum())

    if gold.any():
        assert f1(threshold) == max(f1(cut) for cut in np.arange(-1, 21) / 20 + 0.001)


def test_a_rare_label_takes_the_shared_threshold():
    generator = np.random.default_rng(0)
    gold = generator.random((300, 2)) < [0.5, 0.02]
    logits = np.where(gold, 1.5, -1.5) + generator.normal(size=gold.shape) - 1
    probabilities, annotated = expit(logits), np.ones_like(gold)
    assert 0 < gold[:, 1].sum() < 10 < gold[:, 0].sum()
    guarded = tune_thresholds(gold, probabilities, annotated, shrinkage=0)
    shared = tune_thresholds(gold.reshape(-1, 1), probabilities.reshape(-1, 1), annotated.reshape(-1, 1))
    own = tune_thresholds(gold, probabilities, annotated, minimum_positives=1, shrinkage=0)
    assert guarded.tolist() == [own[0], shared[0]]
    assert own[1] != shared[0]
    annotated[:, 0] = False  # what was not annotated is no help: the rare label is then all there is
    assert tune_thresholds(gold, probabilities, annotated).tolist() == [own[1], own[1]]
    assert tune_thresholds(gold, probabilities, ~annotated & False).tolist() == [0.5, 0.5]


def test_thresholds_are_drawn_to_the_shared_one_by_the_odds():
    gold = np.zeros((100, 2), bool)
    gold[:10, 0] = gold[:90, 1] = True
    probabilities = np.where(gold, [0.4, 0.9], [0.2, 0.8])
    annotated = np.ones_like(gold)
    own = tune_thresholds(gold, probabilities, annotated, shrinkage=0)
    shared = tune_thresholds(gold, probabilities, annotated, minimum_positives=91)
    assert own == pytest.approx([0.3, 0.85]) and shared == pytest.approx([0.3, 0.3])
    drawn = tune_thresholds(gold, probabilities, annotated)
    assert logit(drawn) == pytest.approx([logit(0.3), 0.9 * logit(0.85) + 0.1 * logit(0.3)])


def test_shrinkage_is_better_than_a_guard_alone():
    generator = np.random.default_rng(0)
    shrunk, guarded = [], []
    for _ in range(60):
        rate, distance = np.exp(generator.uniform(-4.6, -1.2, 8)), generator.uniform(1.5, 4, 8)
        bias = generator.normal(0, 0.7, 8)

        def draw(rows, rate=rate, distance=distance, bias=bias):
            gold = generator.random((rows, 8)) < rate
            evidence = np.where(gold, 0.5, -0.5) * distance + generator.normal(size=gold.shape)
            return gold, expit(evidence * distance + logit(rate) + bias)

        (gold, probabilities), (test, answers) = draw(400), draw(4000)
        for values, shrinkage in ((shrunk, 10), (guarded, 0)):
            thresholds = tune_thresholds(gold, probabilities, gold | True, shrinkage=shrinkage)
            scores = score_labels(test, answers, answers >= thresholds, test | True, "abcdefgh")
            values.append([scores.counts.score("f1", averaging=how) for how in ("micro", "macro")])
    gain = np.subtract(shrunk, guarded)
    assert (gain.mean(axis=0) > 2 * gain.std(axis=0) / np.sqrt(60)).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_recovered(temperature):
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (10_000, 2))
    gold = generator.random(logits.shape) < expit(logits)
    annotated = generator.random(logits.shape) < 0.8
    gold[~annotated] ^= True  # must not be looked at
    assert fit_temperature(logits * temperature, gold, annotated) == pytest.approx(temperature, rel=0.06)
    classes = generator.normal(0, 2, (10_000, 4))
    chosen = (softmax(classes, axis=1).cumsum(axis=1) < generator.random((10_000, 1))).sum(axis=1)
    assert fit_softmax_temperature(classes * temperature, chosen) == pytest.approx(temperature, rel=0.06)


def test_temperature_has_bounds_and_needs_finite_logits():
    gold, annotated = column(True, False), column(True, True)
    low, high = TEMPERATURES
    assert fit_temperature(column(9.0, -9.0), gold, annotated) == pytest.approx(low, rel=0.1)
    assert fit_temperature(column(-9.0, 9.0), gold, annotated) == pytest.approx(high, rel=0.1)
    assert fit_temperature(column(-9.0, 9.0), gold, ~annotated) == 1
    assert fit_softmax_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1
    with pytest.raises(ValueError, match="not finite"):
        fit_temperature(column(np.inf, 0.0), gold, annotated)


def test_calibration_error():
    assert expected_calibration_error(np.array([0.75] * 4), np.array([1, 1, 1, 0])) == 0
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([0, 1])) == 1
    # two bins: |0.2 - 0.5| over 2 rows, |0.9 - 1| over 1
    value = expected_calibration_error(np.array([0.2, 0.2, 0.9]), np.array([0, 1, 1]), bins=2)
    assert value == pytest.approx((2 * 0.3 + 0.1) / 3)
    value = expected_calibration_error(np.array([0.2, 0.2, np.nan]), np.array([0, 1, 1]), np.array([1, 1, 0]))
    assert value == pytest.approx(0.3)
    assert np.isnan(expected_calibration_error(np.zeros(1), np.zeros(1), np.zeros(1, bool)))
