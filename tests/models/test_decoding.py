from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.windows.columns import IGNORED
from rasid.data.windows.encoding import EncodedText, Window
from rasid.models.bundle import Settings
from rasid.models.decoding import merge_windows
from rasid.models.heads import LinearChain
from rasid.models.probabilities import sigmoid, softmax
from rasid.models.tasks import LossOptions, article_types, entities, sentence_types, triggers
from rasid.models.tasks.entities import decode_tags
from rasid.models.tasks.triggers import decode_marks
from rasid.models.viterbi import best_tags, forbidden_transitions

TAGS = 5  # outside, and begin and inside of two labels


def legal(path):
    previous = TAGS
    for tag in path:
        if forbidden_transitions(TAGS)[previous, tag]:
            return False
        previous = tag
    return True


def path_score(path, logits, transitions=None, *, start=True):
    score, previous = 0.0, TAGS
    for word, tag in enumerate(path):
        score += logits[word, tag]
        score += 0.0 if transitions is None or (not start and not word) else transitions[previous, tag]
        previous = tag
    return score


def paths(length):
    return [path for path in product(range(TAGS), repeat=length) if legal(path)]


def spans_of(path):
    """Spans of a legal tag sequence, read in the plainest way."""
    spans = []
    for word, tag in enumerate(path):
        if tag % 2 == 1:
            spans.append([word, word + 1, (tag - 1) // 2])
        elif tag:
            spans[-1][1] = word + 1
    return [tuple(span) for span in spans]


def decode_entities(logits, **options):
    (spans,) = decode_tags([logits], **options)
    return spans


def decoded(logits, **options):
    return [(span.first, span.end, span.label) for span in decode_entities(logits, **options)]


def problems(longest):
    return st.tuples(st.integers(1, longest), st.integers(0, 2**32 - 1), st.sampled_from([0.3, 1.0, 4.0]))


def made_transitions(rng, scale=1.0):
    """CRF scores as a bundle holds them: illegal steps at -1e4."""
    scores = rng.normal(scale=scale, size=(TAGS + 1, TAGS))
    scores[forbidden_transitions(TAGS)] = -1e4
    return scores


@settings(max_examples=150, deadline=None)
@given(problems(5), st.booleans())
def test_viterbi_equals_brute_force(problem, crf):
    length, seed, scale = problem
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=scale, size=(length, TAGS)).astype(np.float32)
    transitions = made_transitions(rng) if crf else None
    best = max(paths(length), key=lambda path: path_score(path, logits, transitions))
    assert decoded(logits, transitions=transitions) == spans_of(best)


@settings(max_examples=300, deadline=None)
@given(problems(40), st.sampled_from([-1.0, 0.0, 1.0, 3.0]))
def test_transitions_that_allow_only_legal_tags_change_nothing(problem, outside):
    length, seed, scale = problem
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=scale, size=(length, TAGS))
    logits[:, 0] += outside
    free = np.where(forbidden_transitions(TAGS), -1e4, 0.0)
    assert decoded(logits) == decoded(logits, transitions=free)


@pytest.mark.parametrize(
    ("logits", "spans"),
    [
        # The best tags are outside, begin 1, inside 0; the best legal sequence begins at the first word.
        ([[1.0, 0.9, -9, -9, -9], [-9, -9, 1.9, 2.0, -9], [-9, -9, 9.0, -9, -9]], [(0, 3, 0)]),
        # Inside at all words is a span; it begins at the second word if it cannot begin at the first.
        ([[0, 0, 9.0, 0, 0], [0, 0, 8.0, 0, 0], [0, 0, 9.0, 0, 0]], [(0, 3, 0)]),
        ([[0, -50.0, 9.0, 0, 0], [0, 0, 8.0, 0, 0], [0, 0, 9.0, 0, 0]], [(1, 3, 0)]),
        # Neighbors of one label stay apart.
        (np.where(np.arange(TAGS) == np.array([[1], [1], [2], [3]]), 5.0, -5.0), [(0, 1, 0), (1, 3, 0), (3, 4, 1)]),
    ],
)
def test_spans_of_the_best_legal_tags(logits, spans):
    assert decoded(np.array(logits)) == spans


@settings(max_examples=100, deadline=None)
@given(problems(4), st.sampled_from([0.5, 1.0, 2.0]))
def test_crf_scores_are_products_of_marginals(problem, temperature):
    length, seed, scale = problem
    rng = np.random.default_rng(seed)
    logits, transitions = rng.normal(scale=scale, size=(length, TAGS)), made_transitions(rng)
    weights = {path: np.exp(path_score(path, logits, transitions) / temperature) for path in paths(length)}
    total = sum(weights.values())
    for span in decode_entities(logits, transitions=transitions, temperature=temperature):
        expected = 1.0
        for word in range(span.first, span.end):
            tag = 1 + 2 * span.label + (word > span.first)
            expected *= sum(weight for path, weight in weights.items() if path[word] == tag) / total
        assert span.score == pytest.approx(expected, rel=1e-6)


def test_scores_without_a_crf_are_products_of_probabilities():
    logits = np.random.default_rng(3).normal(size=(3, TAGS))
    logits[np.arange(3), [1, 2, 0]] += 4.0
    (span,) = decode_entities(logits, temperature=1.7)
    chance = softmax(logits / 1.7)
    assert span.score == pytest.approx(chance[0, 1] * chance[1, 2])


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_marginals_are_finite_if_every_path_is_unlikely(temperature):
    # Every word is sure of an inside tag that nothing may begin: each path passes through hopeless logits.
    logits = np.full((6, TAGS), -60.0, dtype=np.float32)
    logits[:, 2], logits[3, 2], logits[3, 4] = 60.0, -60.0, 60.0
    transitions = np.where(forbidden_transitions(TAGS), -1e4, 0.0)
    spans = decode_entities(logits, transitions=transitions, temperature=temperature)
    assert spans
    assert all(0 <= span.score <= 1 for span in spans)


def test_marginals_do_not_underflow_on_a_long_text():
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3.0, size=(5000, TAGS)).astype(np.float32)
    scores = [span.score for span in decode_entities(logits, transitions=made_transitions(rng))]
    assert len(scores) > 100
    assert np.isfinite(scores).all()
    assert max(scores) > 0.5


def test_a_score_does_not_depend_on_the_text_before():
    rng = np.random.default_rng(0)
    tail = np.array([[0, 3.0, 0, 0, 0], [0, 0, 3.0, 0, 0], [3.0, 0, 0, 0, 0]], dtype=np.float32)
    before = rng.normal(size=(60_000, TAGS)).astype(np.float32)
    before[:, 1:] -= 1.0  # unsure outside tags: the logs of their probabilities add up
    before[-1] = [9, 0, 0, 0, 0]
    (alone,) = decode_entities(tail)
    assert decode_entities(np.concatenate([before, tail]))[-1].score == pytest.approx(alone.score, abs=1e-6)


def test_without_words_there_are_no_spans():
    assert decode_entities(np.zeros((0, TAGS))) == []
    assert decode_marks(np.zeros((0, 4)), np.array([0.5, 0.5])) == []
    assert decode_entities(np.zeros((4, 1))) == []  # a scheme without entities
    assert decode_tags([]) == []


def test_several_types_on_one_word():
    logits = np.full((3, 6), -6.0)
    logits[1, 0] = logits[1, 4] = 6.0  # types 0 and 2 begin at word 1
    logits[2, 5] = 6.0  # type 2 goes on
    spans = [(s.first, s.end, s.label) for s in decode_marks(logits, np.full(3, 0.5))]
    assert sorted(spans) == [(1, 2, 0), (1, 3, 2)]


def test_thresholds_are_of_each_type_and_inclusive():
    logits = np.zeros((1, 4))
    logits[0, [1, 3]] = -9.0
    found = decode_marks(logits, np.array([0.5, 0.51]))
    assert [(s.label, s.score) for s in found] == [(0, 0.5)]
    logits[0, 0] = np.log(3)  # 0.75; half the log odds at temperature 2
    assert decode_marks(logits, np.array([0.7, 1.0]))[0].score == pytest.approx(0.75)
    assert decode_marks(logits, np.array([0.7, 1.0]), temperature=2.0) == []


def test_a_begin_mark_inside_a_longer_trigger_is_not_a_second_event():
    logits = np.full((4, 2), -6.0)
    logits[0, 0], logits[1, 1], logits[2, 1] = 6.0, 6.0, 6.0
    logits[1, 0] = 1.0  # above a low threshold, but the inside mark is likelier
    assert [(s.first, s.end) for s in decode_marks(logits, np.array([0.5]))] == [(0, 3)]
    logits[1, 0] = 7.0  # likelier than the inside mark: a new event
    assert [(s.first, s.end) for s in decode_marks(logits, np.array([0.5]))] == [(0, 1), (1, 3)]


def test_a_very_long_trigger_takes_linear_time():
    logits = np.tile([2.0, 3.0], (60_000, 1))  # every word begins one, and goes on with the last
    assert [(s.first, s.end) for s in decode_marks(logits, np.array([0.5]))] == [(0, 60_000)]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_triggers_of_one_type_do_not_overlap(length, seed, threshold):
    logits = np.random.default_rng(seed).normal(scale=3, size=(length, 6))
    spans = decode_marks(logits, np.full(3, threshold))
    for label in range(3):
        own = sorted((s.first, s.end) for s in spans if s.label == label)
        assert all(end <= following for (_, end), (following, _) in zip(own, own[1:], strict=False))
    covered = {(word, s.label) for s in spans for word in range(s.first, s.end)}
    begins = sigmoid(logits[:, 0::2])
    for word, label in zip(*np.nonzero(begins >= threshold), strict=True):
        assert (word, label) in covered  # no begin mark above its threshold is lost
    assert all(s.score >= threshold for s in spans)


def test_sigmoid_and_softmax_do_not_overflow():
    with np.errstate(over="raise", invalid="raise"):
        assert sigmoid(np.array([-np.inf, -1e4, 0.0, 1e4])).tolist() == [0.0, 0.0, 0.5, 1.0]
        assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_words_take_the_logits_of_the_window_that_owns_them(scheme):
    def window(first, words, owned, sentences):
        ids, ranges = np.zeros(words, dtype=np.int32), np.zeros((words, 2), dtype=np.int32)
        numbers = np.array(sentences, dtype=np.int32).reshape(-1, 3)
        return Window(input_ids=ids, words=ranges, first_word=first, owned=owned, sentences=numbers)

    encoded = EncodedText(
        words=np.zeros((5, 2), dtype=np.int64),
        unread=np.zeros((0, 2), dtype=np.int64),
        sentences=np.zeros((2, 2), dtype=np.int64),
        sentence_words=np.zeros((0, 2), dtype=np.int64),
        windows=(window(0, 4, (0, 3), [[0, 0, 2], [1, 2, 4]]), window(2, 3, (3, 5), [[1, 0, 3]])),
        unknown=0,
    )
    kinds = len(scheme.events)
    first = {"proclitics": np.full((4, 4), 1.0), "sentence_types": np.array([[1.0] * kinds, [3.0] * kinds])}
    second = {"proclitics": np.full((3, 4), 2.0), "sentence_types": np.full((2, kinds), 2.0)}  # one row is padding
    settings = Settings(scheme=scheme, tasks=("proclitics", "sentence_types"), window=80, overlap=20)
    merged = merge_windows(encoded, [first, second], settings)
    assert merged["proclitics"][:, 0].tolist() == [1, 1, 1, 2, 2]
    assert merged["sentence_types"][:, 0].tolist() == [1, 3]  # the highest of the windows that own it


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=8), st.integers(0, 2**32 - 1), st.booleans())
def test_many_texts_are_decoded_as_each_alone(lengths, seed, crf):
    rng = np.random.default_rng(seed)
    # Few different values, so that there are ties.
    texts = [rng.integers(-1, 2, size=(length, TAGS)).astype(np.float32) for length in lengths]
    transitions = made_transitions(rng) if crf else None
    together = best_tags(texts, transitions)
    assert [len(tags) for tags in together] == lengths
    for tags, logits in zip(together, texts, strict=True):
        assert tags.tolist() == best_tags([logits], transitions)[0].tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_ties_take_the_first_tag(length, seed):
    logits = np.random.default_rng(seed).integers(-1, 2, size=(length, TAGS)).astype(np.float32)
    plain = logits.argmax(axis=1)
    if not forbidden_transitions(TAGS)[np.append(TAGS, plain[:-1]), plain].any():
        assert best_tags([logits])[0].tolist() == plain.tolist()


# ---- losses ----------------------------------------------------------------------------------------------------------


def chain_of(rng):
    chain = LinearChain(TAGS, torch.from_numpy(forbidden_transitions(TAGS)))
    with torch.no_grad():
        chain.transitions.copy_(torch.from_numpy(rng.normal(size=(TAGS + 1, TAGS)).astype(np.float32)))
    return chain


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_crf_likelihood_of_partial_annotation_equals_brute_force(length, seed):
    rng = np.random.default_rng(seed)
    chain = chain_of(rng)
    logits = rng.normal(size=(length, TAGS)).astype(np.float32)
    allowed = rng.random((length, TAGS)) < 0.5
    allowed[np.arange(length), paths(length)[rng.integers(len(paths(length)))]] = True  # one path at least
    transitions = chain.scores().detach().numpy()
    weight = {path: np.exp(np.float64(path_score(path, logits, transitions))) for path in paths(length)}
    held = sum(w for path, w in weight.items() if all(allowed[word, tag] for word, tag in enumerate(path)))
    # A row of padding behind it must change nothing.
    padded = np.concatenate([logits, rng.normal(size=(2, TAGS)).astype(np.float32)])
    mask = torch.arange(length + 2) < length
    loss = chain.negative_log_likelihood(
        torch.from_numpy(padded)[None],
        torch.from_numpy(np.concatenate([allowed, np.ones((2, TAGS), dtype=bool)]))[None],
        mask[None],
    )
    assert loss.item() == pytest.approx(-np.log(held / sum(weight.values())), abs=2e-4)


def loss_of(task, logits, targets, **options):
    """Sum and count."""
    return task.loss(logits, targets, LossOptions(**options)), task.TASK.count(targets).item()


def entity_loss(logits, tags, unannotated=None, **options):
    unannotated = torch.zeros(len(tags), 2, dtype=torch.bool) if unannotated is None else unannotated
    return loss_of(entities, logits, {"entities": tags, "entities_unannotated": unannotated}, **options)


def test_crf_loss_of_a_window_that_begins_inside_a_mention_is_bounded():
    # Windows without overlap may be cut inside a mention: its first known tag then is "inside".
    chain = chain_of(np.random.default_rng(0))
    total, count = entity_loss(torch.zeros(1, 2, TAGS), torch.tensor([[2, 0]]), chain=chain)
    assert count == 2
    assert total.item() < 50


def test_crf_treats_words_of_other_windows_as_unknown_context():
    rng = np.random.default_rng(1)
    chain = chain_of(rng)
    logits = rng.normal(size=(4, TAGS)).astype(np.float32)
    tags = torch.tensor([[IGNORED, IGNORED, 2, 0]])  # the window owns from the middle of a mention on
    total, count = entity_loss(torch.from_numpy(logits)[None], tags, chain=chain)
    transitions = chain.scores().detach().numpy()
    # The window begins inside a text: whatever may stand before it, an inside tag may stand first.
    weight = {
        path: np.exp(np.float64(path_score(path, logits, transitions, start=False)))
        for path in product(range(TAGS), repeat=4)
    }
    held = sum(w for path, w in weight.items() if path[2:] == (2, 0))
    assert count == 2
    assert total.item() == pytest.approx(-np.log(held / sum(weight.values())), abs=1e-4)


def test_a_word_with_tag_0_may_have_a_label_that_was_not_annotated():
    # Label 1 was not annotated: an outside word may be outside, or begin or inside of label 1, but not label 0.
    logits = torch.randn(2, 3, TAGS, generator=torch.Generator().manual_seed(0))
    tags = torch.tensor([[0, 1, IGNORED], [0, 2, 0]])
    total, count = entity_loss(logits, tags, torch.tensor([[False, True], [False, False]]))
    chance = logits.softmax(-1)
    allowed = [chance[0, 0, [0, 3, 4]].sum(), chance[0, 1, 1], chance[1, 0, 0], chance[1, 1, 2], chance[1, 2, 0]]
    assert count == 5
    assert total.item() == pytest.approx(-sum(p.log().item() for p in allowed), rel=1e-5)


def test_tag_weights_are_the_same_with_partial_annotation():
    logits = torch.randn(1, 4, TAGS, generator=torch.Generator().manual_seed(0))
    tags, weights = torch.tensor([[1, 2, 1, 2]]), torch.tensor([0.5, 2.0, 3.0, 1.0, 1.0])
    complete, _ = entity_loss(logits, tags, tag_weights=weights)
    partial, _ = entity_loss(logits, tags, torch.tensor([[False, True]]), tag_weights=weights)
    assert partial.item() == pytest.approx(complete.item(), rel=1e-6)


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("unannotated", [False, True])
def test_entity_loss_has_finite_gradients_where_nothing_is_known(crf, unannotated):
    logits = torch.randn(2, 3, TAGS, requires_grad=True)
    tags = torch.tensor([[IGNORED] * 3, [0, 1, IGNORED]])
    chain = chain_of(np.random.default_rng(0)) if crf else None
    total, _ = entity_loss(logits, tags, torch.full((2, 2), unannotated), chain=chain)
    total.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[0] == 0).all()


def test_article_loss_pools_the_windows_of_an_article():
    logits = torch.tensor([[[1.0, -2.0], [3.0, 9.0]], [[2.0, -1.0], [0.0, 0.0]], [[-4.0, 5.0], [0.0, 0.0]]])
    targets = {
        "sentence_valid": torch.tensor([[True, False], [True, True], [True, False]]),  # the 3.0 and 9.0 are padding
        "article": torch.tensor([0, 0, 1]),
        "article_types": torch.tensor([[1, 0], [IGNORED, 1]]),
    }
    total, count = loss_of(article_types, logits, targets, positive_weight=2.0)
    # Article 0 has maxima 2 and 0, article 1 has -4 (not annotated) and 5.
    expected = -(2 * np.log(sigmoid(np.array(2.0))) + np.log(0.5) + 2 * np.log(sigmoid(np.array(5.0))))
    assert count == 3
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_an_article_without_a_sentence_gives_no_loss():
    logits = torch.randn(1, 2, 3, requires_grad=True)
    valid = torch.zeros(1, 2, dtype=torch.bool)
    targets = {"sentence_valid": valid, "article": torch.tensor([0]), "article_types": torch.ones(1, 3)}
    total, count = loss_of(article_types, logits, targets)
    total.backward()
    assert (total.item(), count) == (0, 0)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_trigger_loss_counts_annotated_types_of_owned_words():
    logits = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    marks = torch.zeros(1, 3, 4, dtype=torch.bool)
    marks[0, 1, 2] = True
    owned, annotated = torch.tensor([[False, True, True]]), torch.tensor([[False, True]])
    targets = {"triggers": marks, "owned": owned, "triggers_annotated": annotated}
    total, count = loss_of(triggers, logits, targets, positive_weight=3.0)
    chance = logits.sigmoid()[0]
    expected = -(
        3 * chance[1, 2].log() + (1 - chance[1, 3]).log() + (1 - chance[2, 2]).log() + (1 - chance[2, 3]).log()
    )
    assert count == 2
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_labels_that_were_not_annotated_give_no_loss():
    logits = torch.tensor([[[0.0, 50.0]]], requires_grad=True)
    total, count = loss_of(sentence_types, logits, {"sentence_types": torch.tensor([[[1, IGNORED]]])})
    total.backward()
    assert (total.item(), count) == (pytest.approx(np.log(2)), 1)
    assert logits.grad is not None
    assert logits.grad[0, 0, 1] == 0
