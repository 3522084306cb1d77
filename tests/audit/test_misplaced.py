"""Misplaced words: found after words were moved, and not in edited text."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rasid.audit import Finding, LanguageModelJudge, audit
from rasid.audit.language_model import LanguageModel, LanguageModelError, load_language_model
from rasid.cli import app
from rasid.data.articles import Article
from rasid.data.corpus import load_corpus
from rasid.data.datasets import DataSet
from rasid.data.formats import write_articles
from rasid.data.problems import ProblemLog
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


def findings(sentences: list[list[str]], model: LanguageModel) -> dict[str, Finding]:
    articles = [Article(text=" ".join(words), id=str(number)) for number, words in enumerate(sentences)]
    dataset = DataSet(name="x", articles=articles, annotated_labels={}, log=ProblemLog())
    return {found.key: found for found in audit({"x": dataset}, judges=[LanguageModelJudge(model=model)]).findings}


def test_edited_text_has_no_misplaced_positions(sentences: list[list[str]], model: LanguageModel) -> None:
    found = findings(sentences, model)
    assert "misplaced-positions" not in found
    head, *rows = found["misplaced-words"].table
    assert [row[1] for row in rows] == ["sentence starts", "sentence ends"]
    assert all(float(row[head.index("fit")]) > 0.7 for row in rows)


def test_moved_first_and_last_words_are_found(sentences: list[list[str]], model: LanguageModel) -> None:
    count = len(sentences)
    moved = [
        [sentences[(n + 41) % count][0], *words[1:-1], sentences[(n + 67) % count][-1]]
        for n, words in enumerate(sentences)
    ]
    found = findings(moved, model)
    locations = {location.message.partition(":")[0]: location for location in found["misplaced-positions"].locations}
    assert set(locations) == {"sentence starts", "sentence ends"}
    assert all(
        location.split == "x" and location.score is not None and location.score > 0.5 for location in locations.values()
    )
    worst = found["misplaced-words"].locations[:40]
    texts = {str(n): " ".join(words) for n, words in enumerate(moved)}
    edges = sum(location.start == 0 or location.end >= len(texts[location.article]) - 1 for location in worst)
    chance = len(worst) * 2 * count / sum(map(len, moved))
    assert edges > 2 * chance, (edges, chance)
    scores = [location.score for location in found["misplaced-words"].locations if location.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


def test_shuffled_words_are_out_of_order(sentences: list[list[str]], model: LanguageModel) -> None:
    generator = np.random.default_rng(0)
    words = generator.permutation([word for words in sentences for word in words]).tolist()
    ends = np.cumsum([len(words) for words in sentences])
    shuffled = [words[end - len(old) : end] for end, old in zip(ends, sentences, strict=True)]
    locations = findings(shuffled, model)["misplaced-positions"].locations
    assert locations
    assert all("out of order" in location.message for location in locations)


def test_a_few_sentences_are_not_tested(sentences: list[list[str]], model: LanguageModel) -> None:
    found = findings(sentences[:10], model)
    assert "misplaced-positions" not in found
    assert not found["misplaced-words"].table if "misplaced-words" in found else True


def test_texts_without_words_and_texts_beyond_a_window(model: LanguageModel) -> None:
    long = "وصل الوفد إلى بغداد مساء الثلاثاء " * 100
    articles = [Article(text=text, id=str(n)) for n, text in enumerate(["", " ", "…!", "\ud800", long])]
    dataset = DataSet(name="x", articles=articles, annotated_labels={}, log=ProblemLog())
    for found in audit({"x": dataset}, judges=[LanguageModelJudge(model=model)]).findings:
        if found.key == "misplaced-words":
            assert all(long[location.start : location.end] in location.message for location in found.locations)


def sub_words(model: LanguageModel, *texts: str) -> list[np.ndarray]:
    return [np.array(model.tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]


def test_a_word_is_more_likely_in_its_own_context(model: LanguageModel) -> None:
    contexts = sub_words(model, "قال الرئيس الأمريكي في واشنطن", "فاز المنتخب في المباراة على ملعبه أمس الأول")
    likely = model.exchange(contexts, np.array([[4, 5], [3, 4]]))
    assert likely.shape == (2, 2)
    assert (likely < 0).all()
    assert likely[0, 0] > likely[1, 0]
    assert likely[1, 1] > likely[0, 1]


def test_scores_do_not_depend_on_the_batch(model: LanguageModel) -> None:
    contexts = sub_words(model, "قال الرئيس الأمريكي في واشنطن", "فاز المنتخب في المباراة على ملعبه أمس الأول")
    together = model.exchange(contexts, np.array([[4, 5], [3, 4]]))
    alone = [
        model.exchange([ids], np.array([place]))[0, 0] for ids, place in zip(contexts, ([4, 5], [3, 4]), strict=True)
    ]
    np.testing.assert_allclose(np.diag(together), alone, atol=1e-4)


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


def test_encoder_without_head_is_rejected(headless: str) -> None:
    with pytest.raises(LanguageModelError, match="no masked-language-model head.*rasid-mini"):
        load_language_model(headless)


def test_missing_encoder_is_rejected() -> None:
    with pytest.raises(EncoderError, match="no such folder"):
        load_language_model("./nowhere/at/all")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "some.jsonl"
    write_articles([Article(text="وصل الوفد إلى بغداد مساء الثلاثاء برفقة دجاجة", id="a")], path)
    return path


def test_command_with_a_language_model(data: Path, tmp_path: Path) -> None:
    written = tmp_path / "out.json"
    result = CliRunner().invoke(app, ["check", str(data), "--language-model", "rasid-mini", "--json", str(written)])
    assert result.exit_code == 0, result.output
    assert {found["key"] for found in json.loads(written.read_text())["findings"]} >= {"articles-without-annotation"}


def test_command_with_an_encoder_without_head(data: Path, headless: str) -> None:
    result = CliRunner().invoke(app, ["check", str(data), "--language-model", headless])
    assert result.exit_code == 1
    assert "masked-language-model head" in result.output
