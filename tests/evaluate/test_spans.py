from itertools import permutations

import numpy as np
import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2

from rasid.data.articles import Article, Entity, Event, Span
from rasid.evaluate.counts import AVERAGINGS, METRICS, Counts, average, rate
from rasid.evaluate.spans import match_overlapping, score_spans, snap_to_tokens, stray_spans
from rasid.models.tasks import entities, triggers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")

LABELS = ("PERS", "LOC", "GPE-X")
TAGS = ["O", *(f"{prefix}-{label}" for prefix in "BI" for label in LABELS)]


@st.composite
def tagged_sentences(draw):
    """Gold and predicted tags of the same sentences, stray I- tags included."""
    lengths = draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    sentence = [st.lists(st.sampled_from(TAGS), min_size=length, max_size=length) for length in lengths]
    return [draw(tags) for tags in sentence], [draw(tags) for tags in sentence]


def default_spans(tags):
    return {(start, end + 1, label) for label, start, end in get_entities(tags)}


def strict_spans(tags):
    return {span for span in default_spans(tags) if tags[span[0]].startswith("B-")}


@settings(max_examples=200, deadline=None)
@given(tagged_sentences(), st.booleans())
def test_strict_scores_equal_seqeval(sentences, strict):
    gold, predicted = sentences
    read = strict_spans if strict else default_spans
    counts = score_spans([read(tags) for tags in gold], [read(tags) for tags in predicted], LABELS)["strict"]
    options = {"mode": "strict", "scheme": IOB2} if strict else {}
    seen = [label for label, row in sorted(zip(LABELS, counts.total, strict=True)) if row.sum()]
    if not seen:
        assert np.isnan(counts.score("f1"))
        return
    for metric in METRICS:
        reference = getattr(seqeval.metrics, f"{metric}_score")
        assert counts.score(metric) == pytest.approx(reference(gold, predicted, average="micro", **options))
        assert counts.score(metric, averaging="macro-seen") == pytest.approx(
            reference(gold, predicted, average="macro", **options)
        )
        by_label = reference(gold, predicted, average=None, **options)
        assert [counts.score(metric, label=label) for label in seen] == pytest.approx(list(by_label))


def test_hand_computed_scores():
    gold = [{(0, 5, "PERS"), (6, 9, "LOC"), (12, 20, "LOC")}, {(0, 4, "GPE-X")}]
    predicted = [{(0, 5, "PERS"), (6, 9, "PERS"), (11, 20, "LOC")}, set()]
    scores = score_spans(gold, predicted, LABELS)
    assert scores["strict"].total.tolist() == [[1, 1, 0], [0, 1, 2], [0, 0, 1]]
    assert scores["overlap"].total.tolist() == [[1, 1, 0], [1, 0, 1], [0, 0, 1]]
    assert scores["type_blind"].total.tolist() == [[2, 1, 2]]
    assert scores["strict"].table[1].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert scores["strict"].score("precision") == pytest.approx(1 / 3)
    assert scores["strict"].score("recall") == pytest.approx(1 / 4)
    assert scores["strict"].score("f1") == pytest.approx(2 / 7)
    assert scores["strict"].score("f1", label="PERS") == pytest.approx(2 / 3)
    assert scores["strict"].score("f1", averaging="macro") == pytest.approx(2 / 9)
    assert scores["overlap"].score("f1") == pytest.approx(4 / 7)


def test_macro_counts_labels_of_gold_and_macro_seen_those_of_the_prediction_too():
    counts = score_spans([{(0, 1, "LOC")}], [{(0, 1, "LOC"), (2, 3, "PERS")}], LABELS)["strict"]
    assert counts.score("f1", averaging="macro") == 1
    assert counts.score("f1", averaging="macro-seen") == 0.5


def test_nothing_to_measure_is_not_zero():
    counts = score_spans([set()], [set()], LABELS)["strict"]
    assert all(np.isnan(counts.score(metric, averaging=how)) for metric in METRICS for how in AVERAGINGS)
    missed = score_spans([{(0, 1, "LOC")}], [set()], LABELS)["strict"]
    assert [missed.score(metric) for metric in METRICS] == [0, 0, 0]
    with pytest.raises(ValueError):
        missed.score("f1", label="ORG")


def test_invalid_input_is_refused():
    one, none = [{(0, 1, "PLACE")}], [set()]
    for gold, predicted, said in (
        (one, none, "gold label 'PLACE'"),
        (none, one, "predicted label 'PLACE'"),
        (none, [], "lengths differ"),
    ):
        with pytest.raises(ValueError, match=said):
            score_spans(gold, predicted, LABELS)
    with pytest.raises(ValueError, match=r"\[A, 1, 3\]"):
        Counts(labels=("LOC",), table=np.zeros((1, 2, 3), int))


ranges = st.tuples(st.integers(0, 9), st.integers(1, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=150, deadline=None)
@given(st.lists(ranges, max_size=5, unique=True), st.lists(ranges, max_size=5, unique=True))
def test_overlap_finds_the_most_pairs_there_are(gold, predicted):
    few, many = sorted((gold, predicted), key=len)
    best = max(
        sum(a[0] < b[1] and b[0] < a[1] for a, b in zip(few, order, strict=False)) for order in permutations(many)
    )
    assert match_overlapping(gold, predicted) == best


def test_a_prediction_matches_one_gold_span_at_most():
    gold, predicted = {(0, 3, "LOC"), (4, 7, "LOC")}, {(0, 7, "LOC")}
    assert score_spans([gold], [predicted], LABELS)["overlap"].total[1].tolist() == [1, 0, 1]
    touching = score_spans([{(0, 3, "LOC")}], [{(3, 5, "LOC")}], LABELS)
    assert touching["overlap"].total[1].tolist() == [0, 1, 1]


labeled = st.sets(st.tuples(ranges, st.sampled_from(LABELS)).map(lambda item: (*item[0], item[1])), max_size=6)


@settings(max_examples=100, deadline=None)
@given(labeled, labeled)
def test_modes_agree_on_what_there_is_and_strict_is_the_narrowest(gold, predicted):
    scores = score_spans([gold], [predicted], LABELS)
    for counts, extents in ((scores["strict"], False), (scores["overlap"], False), (scores["type_blind"], True)):
        right, found = ({span[:2] for span in spans} if extents else spans for spans in (gold, predicted))
        tp, fp, fn = counts.total.sum(axis=0)
        assert (tp + fn, tp + fp) == (len(right), len(found))
    assert (scores["strict"].total[:, 0] <= scores["overlap"].total[:, 0]).all()
    assert all(counts.table.min() >= 0 for counts in scores.values())


def test_snapping_covers_every_token_that_a_span_overlaps():
    tokens = [(0, 7), (8, 12), (12, 13)]
    spans = {(1, 7, "LOC"), (2, 6, "LOC"), (6, 9, "PERS"), (7, 8, "LOC"), (12, 13, "LOC"), (20, 22, "LOC")}
    assert snap_to_tokens(spans, tokens) == {
        (0, 7, "LOC"),
        (0, 12, "PERS"),
        (7, 8, "LOC"),  # lies between tokens, and stays wrong
        (12, 13, "LOC"),
        (20, 22, "LOC"),
    }
    assert snap_to_tokens(spans, ()) == spans


@given(st.lists(ranges, max_size=4), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=6))
def test_snapping_twice_is_snapping_once_and_never_narrows(extents, gaps):
    tokens, position = [], 0
    for gap, length in gaps:
        tokens.append((position + gap, position + gap + length))
        position += gap + length
    for start, end in extents:
        ((low, high, _),) = once = snap_to_tokens({(start, end, "LOC")}, tokens)
        assert snap_to_tokens(once, tokens) == once
        overlapped = [token for token in tokens if token[0] < end and start < token[1]]
        assert (low, high) == ((overlapped[0][0], overlapped[-1][1]) if overlapped else (start, end))


def test_spans_of_an_article():
    places = ((1, 7, "GPE"), (13, 17, "GPE"), (13, 17, "LOC"))
    event = Event(trigger=Span(start=8, end=12), types=("ASSAULT", "THREATEN"))
    article = Article(
        text="وواشنطن تقصف دمشق",
        entities=tuple(Entity(start=start, end=end, label=label) for start, end, label in places),
        events=(event,),
        meta={"stray": [[13, 17, "LOC"]]},
    )
    assert entities.spans_of(article) == set(places)
    assert stray_spans(article) == {(13, 17, "LOC")}
    assert triggers.spans_of(article) == {(8, 12, "ASSAULT"), (8, 12, "THREATEN")}


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=4))
def test_rates_are_from_0_to_1_and_f1_lies_between_precision_and_recall(rows):
    table = np.array(rows)
    precision, recall, f1 = (rate(table, metric) for metric in METRICS)
    measured = table.sum(axis=-1) > 0
    assert (np.isnan(f1) == ~measured).all()
    low, high = np.minimum(precision, recall)[measured], np.maximum(precision, recall)[measured]
    assert ((0 <= low) & (low <= f1[measured] + 1e-12) & (f1[measured] <= high + 1e-12) & (high <= 1)).all()
    assert average(table, "f1", "macro").shape == ()
