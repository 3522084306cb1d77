"""What `rasid tag --uncertain` ranks by."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rasid import Tagger
from rasid.data.articles import Article
from rasid.evaluate.uncertainty import KEY, most_uncertain, uncertainty
from rasid.models.probabilities import sigmoid, softmax

LONG = 40  # sub-words; the texts below are either shorter or longer


@pytest.fixture(scope="module")
def tagger(bundle) -> Tagger:
    return Tagger.from_pretrained(bundle)


@pytest.fixture
def sure_of_long_texts(bundle) -> Tagger:
    """A tagger that has made up its mind about long texts, and knows nothing about short ones."""
    tagger = Tagger.from_pretrained(bundle)
    network = tagger.backend

    def backend(inputs: Any) -> dict[str, np.ndarray]:
        logits = network(inputs)
        long = np.asarray(inputs["attention_mask"]).sum(axis=1) > LONG
        sharper = {task: np.asarray(values, dtype=np.float32) for task, values in logits.items()}
        return {
            task: np.where(long.reshape(-1, *[1] * (values.ndim - 1)), 200 * np.sign(values), 0 * values)
            + np.where(long.reshape(-1, *[1] * (values.ndim - 1)), values, 0)
            for task, values in sharper.items()
        }

    tagger.backend = backend
    return tagger


SHORT = "قصف في سوريا."
WORDY = "قال متحدث إن هدنة أعلنت في بغداد يوم الثلاثاء. لم يضف المتحدث شيئا آخر عن سوريا. " * 3


def test_a_model_that_knows_nothing_leaves_every_decision_open(sure_of_long_texts: Tagger) -> None:
    (prediction,) = sure_of_long_texts.predict([SHORT])
    settings = sure_of_long_texts.settings
    tags, types = 1 + 2 * len(settings.scheme.entities), len(settings.scheme.events)
    words, sentences = len(prediction.encoded.words), len(prediction.encoded.sentences)
    sentence_tasks = len({"sentence_types", "article_types"} & set(settings.tasks))
    bits = words * (np.log2(tags) + types) + sentence_tasks * sentences * types
    assert uncertainty(prediction, settings) == pytest.approx(bits / words)


def test_length_does_not_decide(sure_of_long_texts: Tagger) -> None:
    once, twice = sure_of_long_texts.predict([SHORT, f"{SHORT} {SHORT}"])
    settings = sure_of_long_texts.settings
    assert len(twice.encoded.words) == 2 * len(once.encoded.words)
    assert uncertainty(twice, settings) == pytest.approx(uncertainty(once, settings))


def test_certain_articles_come_last(sure_of_long_texts: Tagger) -> None:
    texts = [
        Article(id=name, text=text) for name, text in [("l1", WORDY), ("s1", SHORT), ("l2", WORDY * 2), ("s2", SHORT)]
    ]
    ranked = list(most_uncertain(sure_of_long_texts, texts, 4))
    assert [article.id for article in ranked[:2]] == ["s1", "s2"]  # alike, so in the order of the input
    assert {article.id for article in ranked[2:]} == {"l1", "l2"}
    assert ranked[1].meta[KEY] > 10 * ranked[2].meta[KEY]
    assert [article.id for article in most_uncertain(sure_of_long_texts, texts, 1)] == ["s1"]


def test_the_value_is_the_entropy_of_all_decisions_by_calibrated_probabilities(tagger: Tagger) -> None:
    (prediction,) = tagger.predict([WORDY])
    for factor in (1.0, 3.0):
        temperatures = {task: factor for task in tagger.settings.tasks}
        settings = replace(tagger.settings, temperatures=temperatures)
        total = 0.0
        for tag in softmax(prediction.logits["entities"] / factor):
            total -= sum(p * np.log2(p) for p in tag.tolist() if p > 0)
        marks = [sigmoid(prediction.logits["triggers"][:, 0::2] / factor)]
        marks += [sigmoid(prediction.logits[task] / factor) for task in ("sentence_types", "article_types")]
        for p in (p for mark in marks for p in mark.astype(float).ravel().tolist()):
            total -= sum(q * np.log2(q) for q in (p, 1 - p) if q > 0)
        assert uncertainty(prediction, settings) == pytest.approx(total / len(prediction.encoded.words), rel=1e-4)


def test_the_order_is_that_of_the_measure(tagger: Tagger, articles: list[Article]) -> None:
    texts = [Article(id=str(n), text=a.text, meta={"x": n}) for n, a in enumerate(articles)]
    texts.insert(3, Article(id="empty", text=""))
    values = {p.article.id: uncertainty(p, tagger.settings) for p in tagger.predict(texts)}
    ranked = list(most_uncertain(tagger, iter(texts), len(texts)))
    assert [article.id for article in ranked] == sorted(values, key=lambda name: -values[name])
    assert all(article.meta[KEY] == round(values[article.id], 6) for article in ranked)
    assert ranked[-1].id == "empty" and ranked[-1].meta == {KEY: 0}
    assert next(article for article in ranked if article.id == "3").meta["x"] == 3


def test_only_the_wanted_articles_are_held(sure_of_long_texts: Tagger) -> None:
    alive: list[int] = []

    def texts() -> Iterator[Article]:
        for number in range(600):
            alive.append(number)
            yield Article(id=str(number), text=SHORT)

    found = most_uncertain(sure_of_long_texts, texts(), 3)
    assert [article.id for article in found] == ["0", "1", "2"]
    assert len(alive) == 600
    assert list(most_uncertain(sure_of_long_texts, [], 3)) == []
