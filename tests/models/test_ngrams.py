"""The linear model beside the encoder: what it counts, what it learns, and that a bundle keeps it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.windows.columns import IGNORED
from rasid.inference import Tagger
from rasid.models.bundle import NGRAM_FILE, BundleError
from rasid.models.ngrams import NgramModel, count_ngrams, fit
from rasid.train import run

PROTESTS = [f"تظاهر {n} شخص في {place}" for n in range(6) for place in ("بغداد", "بيروت")]
OTHERS = [f"زار الوزير {place} يوم {n}" for n in range(6) for place in ("بغداد", "بيروت")]
texts = st.lists(st.text(st.sampled_from("ابت ـ.1\n\u2029\ud800"), max_size=12), max_size=5)


def test_words_pairs_and_character_ngrams_are_counted():
    row = count_ngrams(["اب اب"])
    # Two words and a pair; of each word " ا", "اب", "ب ", " اب", "اب ", " اب ".
    assert sorted(row.data.tolist()) == [1, *[2] * 7]


@settings(max_examples=100, deadline=None)
@given(texts)
def test_no_ngram_reaches_into_the_next_text(several):
    together = count_ngrams(several).toarray()
    alone = [count_ngrams([text]).toarray()[0] for text in several]
    assert np.array_equal(together, np.array(alone).reshape(together.shape))


def test_characters_between_words_do_not_count():
    counted = count_ngrams(["تظاهر، في: بغداد.", "تظاهر في بغداد"]).toarray()
    assert np.array_equal(counted[0], counted[1])


@pytest.fixture(scope="module")
def model() -> NgramModel:
    targets = np.zeros((24, 3), dtype=np.int8)
    targets[:12, 0] = 1
    targets[:, 1] = np.where(np.arange(24) % 2, 1, IGNORED)  # never annotated to be absent
    targets[:4, 2] = 1  # too few
    return fit([*PROTESTS, *OTHERS], targets)


def test_sentences_are_ranked_by_their_words(model):
    logits = model.logits(["تظاهر عشرات في حلب", "زار الرئيس حلب", "", "xyz"])
    assert logits[0, 0] > 0 > logits[1, 0]
    assert logits[0, 0] - logits[1, 0] > 1


def test_labels_that_cannot_be_learned_have_no_weights(model):
    assert not model.logits([*PROTESTS, *OTHERS])[:, 1:].any()


def test_sentences_that_were_not_annotated_do_not_count():
    annotated = np.array([[1]] * 12 + [[0]] * 12)
    more = np.concatenate([annotated, np.full((24, 1), IGNORED)])
    wrong = [text.replace("تظاهر", "زار") for text in PROTESTS] + [text.replace("زار", "تظاهر") for text in OTHERS]
    logits = fit([*PROTESTS, *OTHERS, *wrong], more).logits(["تظاهر عشرات", "زار عشرات"])
    assert logits[0, 0] > 0 > logits[1, 0]


def test_round_trip(model, tmp_path):
    model.save(tmp_path)
    loaded = NgramModel.load(tmp_path, 3)
    assert np.array_equal(loaded.logits(PROTESTS), model.logits(PROTESTS))
    with pytest.raises(ValueError, match="shape"):
        NgramModel.load(tmp_path, 2)


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory, config_text: str) -> Path:
    """A bundle with the linear model, and ONNX where it can be had."""
    folder = tmp_path_factory.mktemp("ngrams")
    file = folder / "tiny.yaml"
    file.write_text(config_text, encoding="utf-8")
    changes = ["tasks={sentence_types: {ngrams: 2}}", "training.epochs=2", f"output={folder}", "export.onnx=true"]
    return run.train(load_config(file, Config, changes)).folder / "bundle"


def test_a_bundle_adds_its_logits_to_those_of_the_network(weighed, articles):
    tagger = Tagger.from_pretrained(weighed)
    bare = Tagger(
        settings=replace(tagger.settings, ngrams=0.0), tokenizer=tagger.encoder.tokenizer, backend=tagger.backend
    )
    assert tagger.ngrams is not None
    for both, one in zip(tagger.predict(articles[:6]), bare.predict(articles[:6]), strict=True):
        sentences = tagger.encoder.normalized_sentences(both.article.text, both.encoded)
        evidence = tagger.ngrams.logits(sentences)
        assert np.abs(evidence).max() > 0.1
        added = both.logits["sentence_types"] - one.logits["sentence_types"]
        assert np.allclose(added, 2 * evidence, atol=1e-4)
        assert np.array_equal(both.logits["article_types"], one.logits["article_types"])  # articles are the network's


def test_the_card_names_the_linear_model(weighed):
    assert "2 times those of a linear model" in (weighed / "README.md").read_text(encoding="utf-8")


def test_both_backends_add_its_logits(weighed, articles):
    pytest.importorskip("onnxruntime")
    assert json.loads((weighed / "parity.json").read_text(encoding="utf-8"))
    found = [Tagger.from_pretrained(weighed, backend=backend)(articles[:6]) for backend in ("torch", "onnx")]
    assert [[s.types for s in a.sentences] for a in found[0]] == [[s.types for s in a.sentences] for a in found[1]]


def test_a_bundle_without_its_file_is_refused(weighed, tmp_path):
    broken = shutil.copytree(weighed, tmp_path / "broken")
    (broken / NGRAM_FILE).write_bytes(b"not a tensor")
    with pytest.raises(BundleError, match=NGRAM_FILE):
        Tagger.from_pretrained(broken)
    (broken / NGRAM_FILE).unlink()
    with pytest.raises(BundleError, match=NGRAM_FILE):
        Tagger.from_pretrained(broken)
