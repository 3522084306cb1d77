"""Arguments: pairs of triggers and entities, targets, scores in torch and NumPy, decoding."""

import json
import tracemalloc
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.labels import Label, LabelScheme
from rasid.data.windows.columns import BatchShape, Part
from rasid.data.windows.encoding import EncodedText, TextEncoder
from rasid.data.windows.targets import Targets
from rasid.models.bundle import BundleError, Settings
from rasid.models.decoding import decode, decode_arguments
from rasid.models.heads import ArgumentHead
from rasid.models.network import role_weights
from rasid.models.pairs import REACH, SIZE, Mentions, RoleWeights, feature_count, make_pairs, role_logits
from rasid.models.tasks import LossOptions, Prediction, target_maker
from rasid.models.tasks.arguments import TASK

SCHEME = LabelScheme(
    name="small",
    entities={name: Label(name=name) for name in ("PER", "GPE", "DATE")},
    events={name: Label(name=name) for name in ("ASSAULT", "AID")},
    roles={
        "Actor": Label(name="Actor", entities=("PER", "GPE")),
        "Place": Label(name="Place", entities=("GPE",), events=("ASSAULT",)),
        "Date": Label(name="Date", entities=("DATE",)),
    },
)
TEXT = (
    "قصف الجيش مدينة حلب أمس. قال سامر إن بغداد أرسلت مساعدات. لم يضف شيئا. صمت الجميع. عاد الهدوء.\n"
    "وصلت الشاحنات إلى حلب اليوم."
)


@pytest.fixture(scope="module")
def encoder(tokenizer_json: str) -> TextEncoder:
    return TextEncoder(Tokenizer.from_str(tokenizer_json), window=72, overlap=20)


def entity(name: str, label: str, *, after: int = 0, id: str = "") -> Entity:
    start = TEXT.index(name, after)
    return Entity(start=start, end=start + len(name), label=label, id=id or name)


def event(name: str, *types: str, **arguments: str) -> Event:
    start = TEXT.index(name)
    roles = tuple(Argument(role=role, entity=entity) for role, entity in arguments.items())
    return Event(id=name, trigger=Span(start=start, end=start + len(name)), types=types, arguments=roles)


ARTICLE = Article(
    text=TEXT,
    entities=(
        entity("حلب", "GPE"),
        entity("أمس", "DATE"),
        entity("سامر", "PER"),
        entity("بغداد", "GPE"),
        entity("حلب", "GPE", after=40, id="far"),
    ),
    events=(
        event("قصف", "ASSAULT", Place="حلب", Date="أمس"),
        event("مساعدات", "AID", Actor="بغداد", Place="far"),
    ),
)


def made(encoder: TextEncoder, *roles: str, article: Article = ARTICLE) -> tuple[Targets, EncodedText]:
    (encoded,) = encoder.encode([article])
    return target_maker(SCHEME).make(article, encoded, {"arguments": roles}), encoded


# ---- pairs ---------------------------------------------------------------------------------------------------------

ROWS = st.lists(st.tuples(st.integers(0, 29), st.integers(1, 4), st.integers(0, 2)), max_size=12, unique=True)


def listed(rows: list[tuple[int, int, int]], kinds: int) -> np.ndarray:
    values = [(first, min(30, first + length), kind % kinds) for first, length, kind in rows]
    return np.array(sorted(set(values)), dtype=np.int64).reshape(-1, 3)


@settings(max_examples=200, deadline=None)
@given(ROWS, ROWS, st.lists(st.integers(0, 1), min_size=30, max_size=30))
def test_pairs_are_those_within_reach_and_their_features_are_true(one, other, ends) -> None:
    sentences = np.cumsum(ends)
    lines = sentences // 3
    mentions = Mentions(triggers=listed(one, 2), entities=listed(other, 3), sentences=sentences, lines=lines)
    pairs = make_pairs(mentions, 2, 3)
    found = sorted(zip(pairs.trigger.tolist(), pairs.entity.tolist(), strict=True))
    near = [
        (t, e)
        for t, e in product(range(len(mentions.triggers)), range(len(mentions.entities)))
        if abs(sentences[mentions.entities[e, 0]] - sentences[mentions.triggers[t, 0]]) <= REACH
    ]
    assert found == near
    starts = np.cumsum([0, 2, 3, 21, 5, 8, 4, 2])
    assert pairs.features.min(initial=0) >= 0 and pairs.features.max(initial=0) < feature_count(2, 3)
    rows = zip(pairs.trigger, pairs.entity, pairs.words, pairs.between, pairs.features - starts, strict=True)
    for t, e, words, share, features in rows:
        trigger, mention = mentions.triggers[t], mentions.entities[e]
        assert words[:3].tolist() == [trigger[0], mention[0], mention[1] - 1]
        low, high = min(trigger[1], mention[1]), max(trigger[0], mention[0])
        if low < high:
            assert (words[3], words[4], share[0]) == (low, high - 1, np.float32(1 / (high - low)))
        else:
            assert share == 0 and words[3] <= words[4] < 30
        kind, label, distance, gap, rank, between, crosses, nested = features.tolist()
        assert (kind, label) == (trigger[2], mention[2])
        assert np.sign(distance - 10) == (mention[0] >= trigger[1]) * 1 - (mention[1] <= trigger[0]) * 1
        assert gap - REACH == sentences[mention[0]] - sentences[trigger[0]]
        low, high = sorted((trigger[0], mention[0]))
        same = mentions.entities[mentions.entities[:, 2] == label, 0]
        ahead = mention[0] >= trigger[0]
        passed = (same >= trigger[0]) & (same < mention[0]) if ahead else (same > mention[0]) & (same < trigger[0])
        assert rank == 2 * min(3, int(passed.sum())) + ahead
        assert between == min(3, len({t for t in mentions.triggers[:, 0] if low < t < high}))
        assert crosses == (lines[mention[0]] != lines[trigger[0]])
        others = np.delete(mentions.entities, e, axis=0)
        inside = (others[:, 0] <= mention[0]) & (mention[1] <= others[:, 1])
        strict = inside & (others[:, 1] - others[:, 0] > mention[1] - mention[0])
        assert strict.any() <= nested <= inside.any()


def test_torch_and_numpy_score_alike() -> None:
    torch.manual_seed(0)
    head = ArgumentHead(8, 2, 3, 3)
    head.initialize()
    states = head(torch.randn(1, 30, 8))[0]
    mentions = Mentions(
        triggers=np.array([[2, 3, 1], [9, 11, 0]]),
        entities=np.array([[0, 2, 0], [5, 8, 1], [6, 7, 2]]),
        sentences=np.zeros(30, int),
        lines=np.zeros(30, int),
    )
    pairs = make_pairs(mentions, 2, 3)
    arrays = map(torch.from_numpy, (pairs.words, pairs.between, pairs.features))
    expected = role_logits(states, *arrays, head.weights()).detach().numpy()
    network = torch.nn.Module()
    network.arguments = head
    weights = role_weights(network)  # type: ignore[arg-type]
    assert weights is not None
    found = role_logits(states.detach().numpy(), pairs.words, pairs.between, pairs.features, weights)
    assert found.shape == (6, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    # By hand, for the pair of the second trigger and the first entity.
    (row,) = np.flatnonzero((pairs.trigger == 1) & (pairs.entity == 0))
    trigger, first, last, middle = np.split(states.detach().numpy(), 4, axis=1)
    entity = first[0] + last[1]
    features = weights.features[pairs.features[row]].sum(0)
    pair = np.maximum(trigger[9] + entity + middle[2:9].mean(0) + features, 0)
    by_hand = weights.roles @ pair + weights.product @ (trigger[9] * entity) + weights.bias
    np.testing.assert_allclose(found[row], by_hand, rtol=1e-4, atol=1e-4)


# ---- targets -------------------------------------------------------------------------------------------------------


def test_targets_are_words_and_numbers(encoder: TextEncoder) -> None:
    targets, encoded = made(encoder, "Actor", "Place", "Date")

    def words(start: int, end: int) -> str:
        return TEXT[encoded.words[start, 0] : encoded.words[end - 1, 1]]

    found = {(words(*row[:2]), words(*row[2:4]), *row[4:]) for row in targets["arguments"].tolist()}
    assert found == {("قصف", "حلب", 0, 1, 1), ("قصف", "أمس", 0, 2, 2), ("مساعدات", "بغداد", 1, 1, 0)}
    assert dict(targets.unpredictable) == {("arguments", f"more than {REACH} sentences from its trigger"): 1}
    assert targets["arguments_annotated"].all() and targets["lines_of_words"].max() == 1


def test_only_annotated_roles_are_targets(encoder: TextEncoder) -> None:
    targets, _ = made(encoder, "Date")
    assert targets["arguments"][:, 6].tolist() == [2]
    assert targets["arguments_annotated"].tolist() == [False, False, True]
    nothing, _ = made(encoder)
    assert not any(len(nothing[name]) for name in ("argument_triggers", "argument_entities", "arguments"))


def test_every_argument_is_trained_in_one_window(encoder: TextEncoder) -> None:
    text = "\n".join([TEXT] * 6)
    shift = len(TEXT) + 1
    entities = [
        replace(one, start=one.start + n * shift, end=one.end + n * shift, id=f"{one.id}{n}")
        for n in range(6)
        for one in ARTICLE.entities
    ]
    events = [
        replace(
            one,
            trigger=Span(start=one.trigger.start + n * shift, end=one.trigger.end + n * shift),
            arguments=tuple(replace(argument, entity=f"{argument.entity}{n}") for argument in one.arguments),
        )
        for n in range(6)
        for one in ARTICLE.events
    ]
    article = Article(text=text, entities=tuple(entities), events=tuple(events))
    targets, encoded = made(encoder, "Actor", "Place", "Date", article=article)
    assert len(encoded.windows) > 2
    columns = TASK.columns(3)
    rows = []
    for window in encoded.windows:
        numbers = np.arange(window.first_word, window.first_word + len(window.words))
        owned = (numbers >= window.owned[0]) & (numbers < window.owned[1])
        part = Part(window=window, owned=owned, first=True)
        cut = columns["arguments"].cut(targets["arguments"], part)
        triggers = columns["argument_triggers"].cut(targets["argument_triggers"], part).tolist()
        mentions = columns["argument_entities"].cut(targets["argument_entities"], part).tolist()
        for row in cut.tolist():  # every argument of a window has its trigger and its entity there
            assert [*row[:2], row[4]] in triggers and [*row[2:4], row[5]] in mentions
        rows += (cut + np.array([window.first_word] * 4 + [0] * 3)).tolist()
    assert len(set(map(tuple, rows))) == len(rows)
    missing = set(map(tuple, targets["arguments"].tolist())) - set(map(tuple, rows))
    assert len(missing) <= len(rows) / 8  # whose words no window holds together


def loss_of(targets: Targets, encoded: EncodedText, bias: list[float]) -> tuple[float, int]:
    """Loss and count of a batch of one window, all of whose pairs have these logits."""
    (window,) = encoded.windows
    part = Part(window=window, owned=np.ones(len(window.words), dtype=bool), first=True)
    shape = BatchShape(words=np.array([len(window.words)]), sentences=np.array([6]), articles=np.array([0]))
    batch = {}
    for name, column in TASK.columns(3).items():
        values = column.cut(targets[name], part).reshape(-1)
        batch[name] = torch.from_numpy(column.collate(values, np.array([len(values)]), shape))
    head = ArgumentHead(8, 2, 3, 3)
    for parameter in head.parameters():
        torch.nn.init.zeros_(parameter)
    head.roles.bias.data = torch.tensor(bias)
    states = torch.zeros(1, len(window.words), 4 * SIZE)
    return float(TASK.loss(states, batch, LossOptions(head=head)).detach()), int(TASK.count(batch))


@pytest.fixture(scope="module")
def wide(tokenizer_json: str) -> TextEncoder:
    """Its windows hold the whole text."""
    return TextEncoder(Tokenizer.from_str(tokenizer_json))


def test_the_loss_is_that_of_annotated_roles(wide: TextEncoder) -> None:
    made_targets = made(wide, "Place")
    pairs = 4 + 4  # four entities within reach of each trigger
    assert loss_of(*made_targets, [0.0, 0.0, 0.0]) == (pytest.approx(pairs * np.log(2)), pairs)
    assert loss_of(*made_targets, [0.0, -30.0, 0.0]) == (pytest.approx(30.0), pairs)  # the one Place


def test_two_events_with_one_trigger_and_type_are_trained_as_one(wide: TextEncoder) -> None:
    one, other = event("قصف", "ASSAULT", Place="حلب"), event("قصف", "ASSAULT", Place="بغداد")
    twice = replace(ARTICLE, events=(one, replace(other, id="other"), ARTICLE.events[1]))
    made_targets = made(wide, "Place", article=twice)
    assert loss_of(*made_targets, [0.0, -30.0, 0.0]) == (pytest.approx(60.0), 8)
    # A pair that is right in one event would be wrong in the other.
    assert loss_of(*made_targets, [0.0, 30.0, 0.0])[0] == pytest.approx(6 * 30.0)


def test_sentences_may_be_in_any_order(wide: TextEncoder) -> None:
    (encoded,) = wide.encode([ARTICLE])
    sentences = [Sentence(start=start, end=end) for start, end in encoded.sentences.tolist()]
    targets, _ = made(wide, "Place", article=replace(ARTICLE, sentences=tuple(sentences)))
    turned, _ = made(wide, "Place", article=replace(ARTICLE, sentences=tuple(sentences[::-1])))
    np.testing.assert_array_equal(turned["sentences_of_words"], targets["sentences_of_words"])
    assert targets["sentences_of_words"].max() == len(sentences) - 1


def test_arguments_that_the_scheme_forbids_are_counted(wide: TextEncoder) -> None:
    article = replace(ARTICLE, events=(event("قصف", "ASSAULT", Place="سامر", Actor="حلب"),))
    targets, _ = made(wide, "Place", "Actor", article=article)
    assert dict(targets.unpredictable) == {("arguments", "not allowed by the scheme"): 1}


# ---- decoding ------------------------------------------------------------------------------------------------------


def prediction(encoder: TextEncoder, bias: list[float], article: Article = ARTICLE) -> Prediction:
    """Every pair has these logits."""
    (encoded,) = encoder.encode([article])
    zeros = np.zeros((3, SIZE), np.float32)
    weights = RoleWeights(np.zeros((feature_count(2, 3), SIZE), np.float32), zeros, zeros, np.array(bias, np.float32))
    logits = {"arguments": np.zeros((len(encoded.words), 4 * SIZE), np.float32)}
    return Prediction(article=article, encoded=encoded, logits=logits, roles=weights)


SETTINGS = Settings(scheme=SCHEME, tasks=("arguments",), window=72, overlap=20)


def roles(article: Article) -> set[tuple[str, str, str]]:
    return {(one.trigger.text, argument.role, argument.entity) for one in article.events for argument in one.arguments}


def test_what_the_scheme_forbids_is_never_predicted(encoder: TextEncoder) -> None:
    (article,) = decode_arguments([prediction(encoder, [5.0, 5.0, 5.0])], SETTINGS)
    assert roles(article) == {
        *(("قصف", role, "حلب") for role in ("Actor", "Place")),
        *(("قصف", role, "بغداد") for role in ("Actor", "Place")),
        ("قصف", "Actor", "سامر"),
        ("قصف", "Date", "أمس"),
        *(("مساعدات", "Actor", name) for name in ("حلب", "سامر", "بغداد")),
        ("مساعدات", "Date", "أمس"),
    }
    assert all(0.99 < (argument.score or 0) < 1 for one in article.events for argument in one.arguments)


def test_thresholds_and_temperatures_of_roles(encoder: TextEncoder) -> None:
    given = prediction(encoder, [1.0, -1.0, 1.0])
    (article,) = decode_arguments([given], replace(SETTINGS, thresholds={"arguments": (0.9, 0.2, 0.5)}))
    assert {role for _, role, _ in roles(article)} == {"Place", "Date"}
    (article,) = decode_arguments([given], replace(SETTINGS, temperatures={"arguments": 0.1}))
    assert {role for _, role, _ in roles(article)} == {"Actor", "Date"}


def test_an_event_with_two_types_takes_the_roles_of_both(encoder: TextEncoder) -> None:
    both = replace(ARTICLE, events=(event("مساعدات", "AID", "ASSAULT"),))
    (article,) = decode_arguments([prediction(encoder, [-5.0, 5.0, -5.0], both)], SETTINGS)
    assert roles(article) == {("مساعدات", "Place", "حلب"), ("مساعدات", "Place", "بغداد")}


def test_entities_without_ids_are_given_ids(encoder: TextEncoder) -> None:
    bare = replace(ARTICLE, entities=tuple(replace(one, id="") for one in ARTICLE.entities), events=ARTICLE.events[:1])
    bare = replace(bare, events=(replace(bare.events[0], arguments=()),))
    (article,) = decode_arguments([prediction(encoder, [-5.0, -5.0, 5.0], bare)], SETTINGS)
    (argument,) = article.events[0].arguments
    assert {one.id: one.text for one in article.entities}[argument.entity] == "أمس"
    assert len({one.id for one in article.entities}) == len(article.entities)


def test_a_long_text_without_sentence_ends_takes_little_memory(encoder: TextEncoder) -> None:
    text = " ".join(["قصف حلب"] * 250)
    starts = range(0, len(text), 8)
    events = tuple(Event(trigger=Span(start=n, end=n + 3), types=("ASSAULT",)) for n in starts)
    entities = tuple(Entity(start=n + 4, end=n + 7, label="GPE") for n in starts)
    given = prediction(encoder, [-5.0, 5.0, -5.0], Article(text=text, events=events, entities=entities))
    tracemalloc.start()
    (article,) = decode_arguments([given], SETTINGS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(one.arguments) for one in article.events] == [250] * 250
    assert peak < 150e6


def test_without_events_there_are_no_arguments(encoder: TextEncoder) -> None:
    given = prediction(encoder, [5.0, 5.0, 5.0], Article(text=TEXT))
    assert decode([given], SETTINGS)[0].events == ()


# ---- bundles -------------------------------------------------------------------------------------------------------


def test_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        RoleWeights.load(tmp_path)
    save_file({"x": np.zeros(1, np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(BundleError, match=r"arguments\.features"):
        RoleWeights.load(tmp_path)


def test_settings_keep_what_roles_allow(tmp_path: Path) -> None:
    SETTINGS.save(tmp_path)
    assert json.loads((tmp_path / "rasid.json").read_text(encoding="utf-8"))["scheme"]["roles"]["Place"]["events"]
    assert Settings.load(tmp_path).scheme == SCHEME
