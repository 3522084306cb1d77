"""The span head for entities: targets, scores, loss and decoding of spans that nest."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rasid.data.articles import Article, Entity
from rasid.data.labels import Label, LabelScheme
from rasid.data.windows.encoding import EncodedText, TextEncoder
from rasid.data.windows.targets import Targets
from rasid.models.bundle import SpanOptions
from rasid.models.heads import SpanHead
from rasid.models.tasks import LossOptions, Prediction, target_maker, tasks_of
from rasid.models.tasks.entity_spans import IMPOSSIBLE, decode_spans, loss, nesting_labels, rows, task_of

LABELS = ("PER", "GPE", "ORG")
SCHEME = LabelScheme(name="small", entities={name: Label(name=name) for name in LABELS}, events={})
WIDTH = 4
TEXT = "أعلن رئيس وزراء فرنسا السابق أمس في باريس"
Spans = list[tuple[int, int, str]]


@pytest.fixture(scope="module")
def encoder(tokenizer_json: str) -> TextEncoder:
    return TextEncoder(Tokenizer.from_str(tokenizer_json), window=72, overlap=20)


def words_of(text: str, first: int, last: int, label: str) -> Entity:
    """An entity that covers words of a text without punctuation."""
    words = text.split(" ")
    start = len(" ".join(words[:first])) + (first > 0)
    return Entity(start=start, end=start + len(" ".join(words[first:last])), label=label)


def made(encoder: TextEncoder, spans: Spans, **options: tuple) -> tuple[Targets, EncodedText]:
    article = Article(text=TEXT, entities=tuple(words_of(TEXT, *span) for span in spans))
    (encoded,) = encoder.encode([article])
    maker = target_maker(SCHEME, tasks_of(SpanOptions(width=WIDTH, **options)))
    return maker.make(article, encoded, {"entities": LABELS}), encoded


def cells(targets: Targets) -> set[tuple[int, int, str]]:
    """Targets as (first word, end word, label)."""
    found = targets["entity_spans"].tolist()
    return {(word, word + column // 3 + 1, LABELS[column % 3]) for word, column in found}


# ---- targets -------------------------------------------------------------------------------------------------------


def test_nested_entities_are_targets(encoder: TextEncoder) -> None:
    spans = [(1, 4, "PER"), (2, 4, "ORG"), (3, 4, "GPE"), (3, 4, "ORG"), (7, 8, "GPE")]
    targets, _ = made(encoder, spans)
    assert cells(targets) == set(spans)
    assert not targets.unpredictable


def test_without_nesting_the_outermost_are_targets(encoder: TextEncoder) -> None:
    targets, _ = made(encoder, [(1, 4, "PER"), (3, 4, "GPE"), (7, 8, "GPE")], nests=())
    assert cells(targets) == {(1, 4, "PER"), (7, 8, "GPE")}
    assert dict(targets.unpredictable) == {("entities", "nested inside another"): 1}


@pytest.mark.parametrize(
    ("spans", "cause"),
    [
        ([(0, 5, "PER")], "longer than 4 words"),
        ([(1, 3, "PER"), (2, 4, "ORG")], "crosses another"),
    ],
)
def test_gold_that_no_prediction_can_equal_is_counted(encoder: TextEncoder, spans: Spans, cause: str) -> None:
    targets, _ = made(encoder, spans)
    assert dict(targets.unpredictable) == {("entities", cause): 1}


def test_gold_whose_labels_do_not_nest_in_training_is_counted(encoder: TextEncoder) -> None:
    spans = [(1, 4, "ORG"), (2, 3, "GPE"), (3, 4, "PER")]
    targets, _ = made(encoder, spans, nests=(("ORG", "GPE"),))
    assert cells(targets) == set(spans)
    assert dict(targets.unpredictable) == {("entities", "nests with a label that it never nests with in training"): 1}


# ---- the head ------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_each_span_by_itself() -> None:
    torch.manual_seed(0)
    head = SpanHead(8, 2, 3, rank=5)
    head.initialize()
    words = torch.randn(2, 6, 8)
    valid = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    scores = head(words, valid, IMPOSSIBLE).reshape(2, 6, 3, 2)
    first, last, mean = head.linear.weight.reshape(3, 2, 8)
    for row, word, length in product(range(2), range(6), range(3)):
        end = word + length
        if end >= 6 or not valid[row, end]:
            assert (scores[row, word, length] == IMPOSSIBLE).all()
            continue
        one, other = words[row, word], words[row, end]
        gelu = torch.nn.functional.gelu
        product_term = head.product(gelu(head.first(one)) * gelu(head.last(other)))
        expected = product_term + first @ one + last @ other + mean @ words[row, word : end + 1].mean(0)
        expected = expected + head.linear.bias.reshape(3, 2)[:2].sum(0) + head.length.weight[length]
        torch.testing.assert_close(scores[row, word, length], expected + head.linear.bias.reshape(3, 2)[2])


def test_the_loss_counts_annotated_labels_of_owned_words_only() -> None:
    logits = torch.zeros(1, 3, WIDTH * 3)
    logits[0, 2, 3:] = IMPOSSIBLE  # the last word begins no longer span
    targets = {
        "entity_spans": torch.zeros(1, 3, WIDTH * 3, dtype=torch.bool),
        "entities_annotated": torch.tensor([[True, False, False]]),
        "owned": torch.tensor([[False, True, True]]),
    }
    one = float(torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(1), torch.zeros(1)))
    assert float(loss(logits, targets, LossOptions())) == pytest.approx(one * (WIDTH + 1))
    targets["entity_spans"][0, 2, 6] = True  # a gold span that the window cuts off
    assert float(loss(logits, targets, LossOptions())) == pytest.approx(one * (WIDTH + 1))


# ---- decoding ------------------------------------------------------------------------------------------------------


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def scored(length: int, spans: dict[tuple[int, int, int], float]) -> np.ndarray:
    """Logits of a text with probabilities of some spans."""
    logits = np.full((length, WIDTH * 3), -9.0, dtype=np.float32)
    for (first, end, label), probability in spans.items():
        logits[first, (end - first - 1) * 3 + label] = logit(probability)
    return logits


ALL, NONE = np.ones((3, 3), dtype=bool), np.zeros((3, 3), dtype=bool)


def found(logits: np.ndarray, threshold: float = 0.5, nests: np.ndarray = ALL) -> list[tuple[int, int, int]]:
    spans = decode_spans(logits, np.full(3, threshold), nests)
    return [(span.first, span.end, span.label) for span in spans]


def test_spans_nest_and_do_not_cross() -> None:
    logits = scored(
        6, {(0, 3, 0): 0.9, (1, 3, 1): 0.8, (1, 2, 1): 0.7, (2, 5, 2): 0.85, (0, 3, 2): 0.6, (5, 6, 0): 0.4}
    )
    assert found(logits) == [(0, 3, 0), (0, 3, 2), (1, 3, 1), (1, 2, 1)]
    assert found(logits, nests=NONE) == [(0, 3, 0)]
    assert found(logits, threshold=0.3)[-1] == (5, 6, 0)


def test_only_labels_that_nest_in_the_training_data_nest() -> None:
    options = SpanOptions(width=WIDTH, nests=(("ORG", "GPE"),))
    nests = nesting_labels(options, LABELS)
    assert [tuple(LABELS[n] for n in pair) for pair in np.argwhere(nests)] == [("ORG", "GPE")]
    assert nesting_labels(SpanOptions(width=WIDTH), LABELS).all()
    logits = scored(3, {(0, 3, 2): 0.9, (1, 2, 1): 0.8, (0, 2, 2): 0.7, (2, 3, 0): 0.6})
    assert found(logits, nests=nests) == [(0, 3, 2), (1, 2, 1)]


def test_bundles_without_a_list_of_labels_tell_whether_spans_nest() -> None:
    assert SpanOptions.of({"width": 4, "nesting": True}) == SpanOptions(width=4)
    assert SpanOptions.of({"width": 4, "nesting": False}) == SpanOptions(width=4, nests=())


def test_a_span_behind_the_last_word_is_none() -> None:
    assert found(scored(2, {(1, 3, 0): 0.9})) == []


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(0, 9), threshold=st.floats(0.05, 0.95))
def test_decoded_spans_are_the_best_that_fit(seed: int, length: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(length, WIDTH * 3)).astype(np.float32)
    nests = rng.random((3, 3)) < rng.choice([0.0, 0.5, 1.0])
    spans = decode_spans(logits, np.full(3, threshold), nests)
    kept: list[tuple[int, int, int]] = []
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    ranked = sorted(
        ((-probabilities[w, n * 3 + k], w, n, k) for w in range(length) for n in range(WIDTH) for k in range(3)),
        key=lambda item: item[0],
    )
    for score, word, more, label in ranked:
        first, end = word, word + more + 1
        if -score < threshold or end > length:
            continue
        overlaps = [(a, b, other) for a, b, other in kept if first < b and a < end]
        if all(
            (a <= first and end <= b and nests[other, label]) or (first <= a and b <= end and nests[label, other])
            for a, b, other in overlaps
        ):
            kept.append((first, end, label))
    assert sorted((span.first, span.end, span.label) for span in spans) == sorted(kept)
    assert all(span.score >= threshold - 1e-6 for span in spans)


def test_rows_for_calibration_have_all_gold_and_no_impossible_span(encoder: TextEncoder) -> None:
    targets, encoded = made(encoder, [(1, 4, "PER"), (3, 4, "GPE")])
    logits = np.full((len(encoded.words), WIDTH * 3), -20.0, dtype=np.float32)
    logits[5, 0] = 3.0
    table = rows(
        targets, Prediction(article=targets.gold.article, encoded=encoded, logits={"entities": logits}), "entities"
    )
    assert table.gold.sum() == 2 and len(table.logits) == 3 and table.annotated.all()


def test_the_task_is_made_once_for_each_shape() -> None:
    assert task_of(SpanOptions(width=3)) is task_of(SpanOptions(width=3))
    assert [task.name for task in tasks_of({"width": 3, "nests": [["ORG", "GPE"]]})] == [
        task.name for task in tasks_of(None)
    ]
