"""`rasid evaluate`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rasid.data.articles import Article, Sentence
from rasid.data.formats import write_articles
from rasid.data.reading import load_articles
from rasid.evaluate.report import Report


@pytest.fixture
def dev(data_files) -> Path:
    return data_files["dev"]


def report_of(folder: Path) -> Report:
    return Report.from_json((folder / "report.json").read_text(encoding="utf-8"))


def test_table_and_report(rasid, bundle, dev, tmp_path, assert_fits_80_columns):
    result = rasid("evaluate", bundle, dev, "-o", tmp_path / "report")
    report = report_of(tmp_path / "report")
    assert report.articles == 6
    assert {score.task for score in report.scores} >= {"entities", "triggers", "sentence_types", "article_types"}
    value = report.score("entities").value
    assert value is not None
    assert f"{100 * value:.2f}" in result.stdout
    for name in ("entities", "triggers", "sentence_types", "article_types", "strict", "decision", "F1", "AP"):
        assert name in result.stdout
    assert (tmp_path / "report" / "report.md").read_text(encoding="utf-8").startswith("# ")
    assert_fits_80_columns(rasid("evaluate", bundle, dev))


def test_annotation_formats(rasid, bundle, dev, tmp_path):
    articles = load_articles(dev)
    write_articles(articles, tmp_path / "gold.rasid")
    write_articles(articles, tmp_path / "gold.conll")
    whole = Article(text=articles[0].text, id="x", sentences=(Sentence(start=0, end=11, types=("ASSAULT",)),))
    (tmp_path / "gold.jsonl").write_text(
        json.dumps({"text": whole.text, "labels": ["ASSAULT"], "annotated": ["ASSAULT"]}) + "\n", encoding="utf-8"
    )
    tasks = {}
    for name in ("gold.rasid", "gold.conll", "gold.jsonl"):
        rasid("evaluate", bundle, tmp_path / name, "-o", tmp_path / "report")
        tasks[name] = {score.task for score in report_of(tmp_path / "report").scores}
    assert tasks["gold.rasid"] >= {"entities", "triggers", "article_types"}
    assert tasks["gold.conll"] == {"entities"}
    assert tasks["gold.jsonl"] == {"sentence_types"}
    # Markup holds what JSONL holds of entities.
    rasid("evaluate", bundle, tmp_path / "gold.rasid", "-o", tmp_path / "one", "--task", "entities")
    rasid("evaluate", bundle, dev, "-o", tmp_path / "two", "--task", "entities")
    assert report_of(tmp_path / "one").score("entities") == report_of(tmp_path / "two").score("entities")
    assert {score.task for score in report_of(tmp_path / "one").scores} == {"entities"}


def test_label_mapping(rasid, bundle, dev, tmp_path, error_of):
    names = {"GPE": "LOCATION", "DATE": "WHEN"}
    renamed = [
        replace(
            article,
            entities=tuple(replace(e, label=names.get(e.label, e.label)) for e in article.entities),
        )
        for article in load_articles(dev)
    ]
    write_articles(renamed, tmp_path / "renamed.jsonl")
    arguments = ["evaluate", bundle, tmp_path / "renamed.jsonl", "--task", "entities"]
    message = rasid(*arguments, code=1).stderr
    assert "LOCATION (" in message and "WHEN (" in message and "--label" in message
    assert len(message.splitlines()) < 8
    assert message.startswith("error: ")
    rasid(*arguments, "--label", "LOCATION=GPE", "--label", "WHEN=", "-o", tmp_path / "report")
    gold = {s.label: s.gold for s in report_of(tmp_path / "report").scores if s.mode == "strict" and s.label}
    assert gold["GPE"] == sum(e.label == "LOCATION" for a in renamed for e in a.entities) > 0
    assert gold["DATE"] == 0
    assert "FILE=SCHEME" in error_of(rasid(*arguments, "--label", "LOCATION", code=1))


def test_errors(rasid, bundle, dev, tmp_path, error_of):
    assert "no such file" in error_of(rasid("evaluate", bundle, tmp_path / "none.jsonl", code=1))
    assert "weather" in error_of(rasid("evaluate", bundle, dev, "--task", "weather", code=1))
    assert "arguments" in error_of(rasid("evaluate", bundle, dev, "--task", "arguments", code=1))
    assert "nothing to score" in error_of(rasid("evaluate", bundle, dev, "--task", "proclitics", code=1))
    assert "splits" in error_of(rasid("evaluate", bundle, "corpus:all", code=1))
    assert "has its own" in error_of(rasid("evaluate", bundle, "corpus:dev", "--from", "inline", code=1))
    assert "format" in error_of(rasid("evaluate", bundle, dev, "--from", "xml", code=1))
    (tmp_path / "taken").write_text("x")
    message = rasid("evaluate", bundle, dev, "-o", tmp_path / "taken", code=1).stderr.splitlines()[-1]
    assert message.startswith("error: ")
    assert "taken" in message


def test_all_problems_of_the_data_are_reported_with_their_lines(rasid, bundle, tmp_path):
    place = tmp_path / "bad.jsonl"
    place.write_text(
        json.dumps({"text": "قصف", "entities": [{"start": 0, "end": 9, "label": "GPE"}]})
        + "\n"
        + json.dumps({"text": "قصف", "entities": [{"start": 0, "end": 3, "label": "GPEE"}]})
        + "\n",
        encoding="utf-8",
    )
    message = rasid("evaluate", bundle, place, code=1).stderr
    assert f"{place}:1" in message
    assert f"{place}:2" in message
    assert "did you mean 'GPE'" in message


def test_built_in_corpus(rasid, bundle, tmp_path):
    rasid("evaluate", bundle, "corpus:dev", "-o", tmp_path)
    report = report_of(tmp_path)
    assert report.data == "corpus-dev"
    assert {score.task for score in report.scores} == {"entities", "triggers", "sentence_types", "article_types"}


def test_reading_options(rasid, bundle, tmp_path):
    (tmp_path / "a.conll").write_text("قصف B-ASSAULT\nغزة B-GPE\n", encoding="utf-8")
    arguments = ["evaluate", bundle, tmp_path / "a.conll", "--task", "triggers", "-o", tmp_path / "report"]
    assert "ASSAULT" in rasid(*arguments, code=1).stderr
    rasid(*arguments, "--option", "triggers=[ASSAULT]")
    assert report_of(tmp_path / "report").score("triggers").gold == 1
