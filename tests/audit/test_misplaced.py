"""Misplaced words: found after words were moved, and not in edited text."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rasid.audit import Finding, LanguageModelJudge
from rasid.audit.language_model import LanguageModel, LanguageModelError, load_language_model
from rasid.data.articles import Article
from rasid.data.corpus import load_corpus
from rasid.data.formats import write_articles
from rasid.data.text.sentences import split_sentences
from rasid.models.encoders import EncoderError, load_encoder, save_tokenizer

SENTENCES = 100


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_language_model("rasid-mini")


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    """The words of short sentences of the built-in corpus."""
    texts = [
        article.text[start:end].split()
        for article in load_corpus("train").articles
        for start, end in split_sentences(article.text)
    ]
    return sorted((words for words in texts if len(words) >= 9), key=len)[:SENTENCES]


@pytest.fixture
def findings(find: Callable, model: LanguageModel) -> Callable[[list[list[str]]], dict[str, Finding]]:
    """Findings about articles that are given as lists of words."""

    def findings(texts: list[list[str]]) -> dict[str, Finding]:
        articles = [Article(text=" ".join(words), id=str(number)) for number, words in enumerate(texts)]
        return find(*articles, judges=[LanguageModelJudge(model=model)])

    return findings


def test_edited_text_has_no_misplaced_positions(sentences: list[list[str]], findings: Callable) -> None:
    found = findings(sentences)
    assert "misplaced-positions" not in found
    head, *rows = found["misplaced-words"].table
    assert [row[1] for row in rows] == ["sentence starts", "sentence ends"]
    assert all(float(row[head.index("fit")]) > 0.7 for row in rows)


def test_moved_first_and_last_words_are_found(sentences: list[list[str]], findings: Callable) -> None:
    count = len(sentences)
    moved = [
        [sentences[(n + 41) % count][0], *words[1:-1], sentences[(n + 67) % count][-1]]
        for n, words in enumerate(sentences)
    ]
    found = findings(moved)
    locations = {location.message.partition(":")[0]: location for location in found["misplaced-positions"].locations}
    assert set(locations) == {"sentence starts", "sentence ends"}
    assert all(
        location.split == "all" and location.score is not None and location.score > 0.5
        for location in locations.values()
    )
    worst = found["misplaced-words"].locations[:40]
    texts = {str(n): " ".join(words) for n, words in enumerate(moved)}
    edges = sum(location.start == 0 or location.end >= len(texts[location.article]) - 1 for location in worst)
    chance = len(worst) * 2 * count / sum(map(len, moved))
    assert edges > 2 * chance, (edges, chance)
    scores = [location.score for location in found["misplaced-words"].locations if location.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


def test_shuffled_words_are_out_of_order(sentences: list[list[str]], findings: Callable) -> None:
    generator = np.random.default_rng(0)
    words = generator.permutation([word for words in sentences for word in words]).tolist()
    ends = np.cumsum([len(words) for words in sentences])
    shuffled = [words[end - len(old) : end] for end, old in zip(ends, sentences, strict=True)]
    locations = findings(shuffled)["misplaced-positions"].locations
    assert locations and all("out of order" in location.message for location in locations)


def test_a_few_sentences_are_not_tested(sentences: list[list[str]], findings: Callable) -> None:
    found = findings(sentences[:10])
    assert "misplaced-positions" not in found
    assert "misplaced-words" not in found or not found["misplaced-words"].table


def test_texts_without_words_and_texts_beyond_a_window(findings: Callable) -> None:
    long = "وصل الوفد إلى بغداد مساء الثلاثاء " * 100
    found = findings([[""], [" "], ["…!"], ["\ud800"], [long]])
    for location in found["misplaced-words"].locations if "misplaced-words" in found else ():
        assert long[location.start : location.end] in location.message


def sub_words(model: LanguageModel, *texts: str) -> list[np.ndarray]:
    return [np.array(model.tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]


def test_a_word_is_more_likely_in_its_own_context(model: LanguageModel) -> None:
    contexts = sub_words(model, "قال الرئيس الأمريكي في واشنطن", "فاز المنتخب في المباراة على ملعبه أمس الأول")
    places = np.array([[4, 5], [3, 4]])
    likely = model.exchange(contexts, places)
    assert likely.shape == (2, 2)
    assert (likely < 0).all()
    assert likely[0, 0] > likely[1, 0]
    assert likely[1, 1] > likely[0, 1]
    alone = [model.exchange([ids], place[None])[0, 0] for ids, place in zip(contexts, places, strict=True)]
    np.testing.assert_allclose(np.diag(likely), alone, atol=1e-4)  # the batch makes no difference


def test_association_has_a_value_per_word(model: LanguageModel) -> None:
    contexts = sub_words(model, "قال الرئيس الأمريكي في واشنطن", "فاز المنتخب", "نعم")
    words = [np.stack([np.arange(len(ids)), np.arange(len(ids)) + 1], axis=1) for ids in contexts]
    values = model.association(contexts, [words[0], words[1], words[2][:0]])
    assert [len(part) for part in values] == [len(words[0]), len(words[1]), 0]
    assert all(np.isfinite(part).all() for part in values)


@pytest.fixture
def headless(tmp_path: Path) -> str:
    encoder = load_encoder("rasid-mini", window=128)
    encoder.model.save_pretrained(tmp_path)
    save_tokenizer(encoder.tokenizer, tmp_path)
    return str(tmp_path)


def test_encoder_that_is_missing_or_without_head_is_rejected(headless: str) -> None:
    with pytest.raises(LanguageModelError, match="no masked-language-model head.*rasid-mini"):
        load_language_model(headless)
    with pytest.raises(EncoderError, match="no such folder"):
        load_language_model("./nowhere/at/all")


def test_command_with_a_language_model(rasid: Callable, headless: str, tmp_path: Path) -> None:
    write_articles([Article(text="وصل الوفد إلى بغداد مساء الثلاثاء برفقة دجاجة", id="a")], tmp_path / "some.jsonl")
    arguments = ("check", tmp_path / "some.jsonl", "--json", tmp_path / "out.json", "--language-model")
    rasid(*arguments, "rasid-mini")
    keys = {found["key"] for found in json.loads((tmp_path / "out.json").read_text())["findings"]}
    assert "articles-without-annotation" in keys
    assert "masked-language-model head" in rasid(*arguments, headless, code=1).stderr
