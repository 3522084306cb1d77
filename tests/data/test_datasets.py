"""Data sets: labels are mapped, losses are logged, and all problems of all files are reported at once."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.corpus import load_corpus
from rasid.data.datasets import load_dataset, resolve_annotated
from rasid.data.formats import write_articles
from rasid.data.labels import Label, LabelScheme
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles, map_labels
from rasid.train.prepare import load_data

TEXT = "قصف في سوريا قال سامر"
SCHEME = LabelScheme(
    name="small",
    entities={name: Label(name=name) for name in ("PER", "GPE")},
    events={name: Label(name=name) for name in ("ASSAULT", "PROTEST")},
    roles={name: Label(name=name) for name in ("Actor", "Place")},
)


def full_article(**fields: str) -> Article:
    """An article with a label in every place that a label can be."""
    person, place, event, role = (fields.get(kind, kind) for kind in ("person", "place", "event", "role"))
    return Article(
        id="a",
        text=TEXT,
        entities=(Entity(id="e1", start=7, end=12, label=place), Entity(id="e2", start=17, end=21, label=person)),
        events=(
            Event(
                id="v1",
                trigger=Span(start=0, end=3),
                types=(event, "other"),
                arguments=(Argument(role=role, entity="e1"), Argument(role="Actor", entity="e2")),
            ),
        ),
        event_types=(event,),
        sentences=(Sentence(start=0, end=12, types=(event,)),),
        annotated={"entities": (person, place), "article_types": (event,)},
    )


def jsonl(path: Path, *articles: Article) -> Path:
    write_articles(articles, path)
    return path


def test_labels_are_renamed_everywhere() -> None:
    log = ProblemLog()
    names = {"person": "PER", "place": "GPE", "event": "ASSAULT", "role": "Place"}
    assert map_labels(full_article(), names, log) == full_article(**names)
    assert not log.fixed
    assert map_labels(full_article(), {}, log) == full_article()


def test_labels_that_become_one_occur_once() -> None:
    mapped = map_labels(full_article(), {"other": "event", "person": "place"}, ProblemLog())
    assert mapped.events[0].types == ("event",)
    assert [entity.label for entity in mapped.entities] == ["place", "place"]
    assert mapped.annotated == {"entities": ("place",), "article_types": ("event",)}


def test_what_is_dropped_is_counted_with_its_article() -> None:
    log = ProblemLog(source="file")
    mapped = map_labels(full_article(), {"place": None, "event": None}, log)
    assert [entity.label for entity in mapped.entities] == ["person"]
    assert mapped.events[0].types == ("other",)
    assert mapped.events[0].arguments == (Argument(role="Actor", entity="e2"),)
    assert mapped.event_types == () and mapped.sentences == (Sentence(start=0, end=12),)
    assert mapped.annotated == {"entities": ("person",), "article_types": ()}
    assert mapped.text == TEXT and mapped.id == "a"
    counted = Counter(problem.cause for problem in log.fixed)
    # One entity, one type of a trigger, one of a sentence, one of the article; and the role of the entity.
    assert counted == {"label dropped by the mapping": 4, "argument of a dropped entity": 1}
    assert {problem.article for problem in log.fixed} == {"a"}


def test_an_event_of_dropped_types_goes_and_roles_can_be_dropped() -> None:
    log = ProblemLog()
    assert map_labels(full_article(), {"event": None, "other": None}, log).events == ()
    assert len(log.fixed) == 4
    assert [a.role for a in map_labels(full_article(), {"role": None}, ProblemLog()).events[0].arguments] == ["Actor"]


def test_mapping_keeps_what_validation_must_find() -> None:
    """An argument of an entity that never was, and an event without a type."""
    trigger, argument = Span(start=0, end=3), Argument(role="Actor", entity="e9")
    broken = Article(text=TEXT, events=(Event(trigger=trigger, types=("old",), arguments=(argument,)),))
    assert map_labels(broken, {"old": "ASSAULT"}, ProblemLog()).events[0].arguments == (argument,)
    untyped = Article(text=TEXT, events=(Event(trigger=trigger, types=()),))
    assert map_labels(untyped, {"old": None}, ProblemLog()) == untyped


def test_a_data_set_is_read_mapped_and_named(tmp_path: Path) -> None:
    entities = (Entity(start=7, end=12, label="LOC"), Entity(start=17, end=21, label="x"))
    path = jsonl(tmp_path / "train.jsonl", Article(id="a", text=TEXT, entities=entities))
    how = {"scheme": SCHEME, "annotated": ["entities"], "labels": {"LOC": "GPE", "x": None}}
    dataset = load_dataset(path, **how)
    assert dataset.name == "train" and dataset.annotated_labels == {"entities": ("PER", "GPE")}
    (article,) = dataset.articles
    assert [(entity.label, entity.text) for entity in article.entities] == [("GPE", "سوريا")]
    assert dataset.log.counts()["fixed: label dropped by the mapping"] == 1
    assert dataset.log.fixed[0].source == str(path)
    assert load_dataset(path, **how, name="mine").name == "mine"


def test_annotated_labels_are_listed() -> None:
    assert resolve_annotated(["entities", "proclitics"], SCHEME) == {"entities": ("PER", "GPE"), "proclitics": ()}
    assert resolve_annotated({"article_types": "all", "arguments": ["Place"], "triggers": "PROTEST"}, SCHEME) == {
        "article_types": ("ASSAULT", "PROTEST"),
        "arguments": ("Place",),
        "triggers": ("PROTEST",),
    }
    assert resolve_annotated({"proclitics": "all", "entities": []}, SCHEME) == {"proclitics": (), "entities": ()}


def test_all_errors_of_annotated_are_reported() -> None:
    declared = {
        "entitees": "all",
        "entities": ["PER", "GPI", "XX"],
        "arguments": ["actor"],
        "triggers": "ASSUALT",
        "proclitics": ["PER"],
    }
    with pytest.raises(DataError) as raised:
        resolve_annotated(declared, SCHEME, "my data")
    lines = [str(problem) for problem in raised.value.problems]
    assert len(lines) == 6 and all(line.startswith("my data: annotated ") for line in lines)
    for words in (
        "'entitees', which is no task; there are entities",
        "'GPI'.*did you mean 'GPE'",
        "'XX'.*PER, GPE",
        "'actor'.*did you mean 'Actor'",
        "'ASSUALT'.*did you mean 'ASSAULT'",
        "proclitics have no labels",
    ):
        assert any(re.search(words, line) for line in lines), words


def test_all_problems_of_a_data_set_are_reported_with_their_lines(tmp_path: Path) -> None:
    """Spans, labels and the declaration at once; a folder's files by their own names and lines."""
    folder = tmp_path / "set"
    folder.mkdir()
    lines = [
        {"id": "a", "text": TEXT, "entities": [{"start": 7, "end": 12, "label": "LOC"}]},
        {"id": "b", "text": TEXT, "entities": [{"start": 7, "end": 12, "label": "PRE"}]},
        {"id": "c", "text": TEXT, "entities": [{"start": 7, "end": 99, "label": "PER"}]},
    ]
    content = "\n" + "".join(json.dumps(line) + "\n" for line in lines) + "not json\n"
    (folder / "one.jsonl").write_text(content, encoding="utf-8")
    (folder / "two.jsonl").write_text(json.dumps(lines[0]) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        load_dataset(folder, scheme=SCHEME, annotated=["entities", "nothing"], labels={"LOC": "GPE"})
    found = {(Path(problem.source).name, problem.line, problem.cause) for problem in raised.value.problems}
    assert found == {
        ("set", 0, "unknown task"),
        ("set", 0, "labels outside the scheme"),
        ("one.jsonl", 3, "unknown label"),
        ("one.jsonl", 4, "span outside the text"),
        ("one.jsonl", 5, "not JSON"),
        ("two.jsonl", 1, "duplicate id"),
    }
    assert "did you mean 'PER'" in str(raised.value)
    assert "PRE (1)" in str(raised.value) and "--label PRE=NAME" in str(raised.value)


def test_all_problems_of_all_files_of_a_config_are_reported(
    tmp_path: Path, config_text: str, data_files: dict[str, Path]
) -> None:
    bad = jsonl(tmp_path / "bad.jsonl", Article(id="a", text=TEXT, entities=(Entity(start=0, end=3, label="GEP"),)))
    text = config_text.replace(str(data_files["dev"]), str(bad))
    text = text.replace(str(data_files["test"]), str(tmp_path / "gone.jsonl"))
    text = text.replace("  train:\n", "  train:\n    - {corpus: dev, annotated: {entities: [PERSON]}}\n")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        load_data(load_config(tmp_path / "config.yaml", Config))
    problems = {(problem.source, problem.cause) for problem in raised.value.problems}
    assert problems == {
        ("corpus:dev", "unknown label"),
        (str(bad), "unknown label"),
        (str(bad), "labels outside the scheme"),
        (str(tmp_path / "gone.jsonl"), "no such file"),
    }


def test_the_shipped_corpus_is_mapped_and_checked_as_any_data_set(tmp_path: Path, config_text: str) -> None:
    source = "{corpus: dev, annotated: [entities], labels: {PER: GPE, Actor: null}}"
    text = config_text.replace("  train:\n", f"  train:\n    - {source}\n")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    dataset = load_data(load_config(tmp_path / "config.yaml", Config)).train[0]
    plain = load_corpus("dev")
    labels = Counter(entity.label for article in plain.articles for entity in article.entities)
    mapped = Counter(entity.label for article in dataset.articles for entity in article.entities)
    assert labels["PER"] and mapped == labels + Counter(GPE=labels["PER"]) - Counter(PER=labels["PER"])
    roles = [a.role for article in plain.articles for event in article.events for a in event.arguments]
    assert dataset.log.counts()["fixed: label dropped by the mapping"] == roles.count("Actor") > 0

    # Under a scheme that lacks its labels the corpus is an error, not a data set without annotation.
    text = text.replace("name: tiny\n", "name: tiny\nscheme: anercorp\n").replace(
        source, "{corpus: dev, annotated: [entities]}"
    )
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        load_data(load_config(tmp_path / "config.yaml", Config))
    assert any(p.source == "corpus:dev" and "'GPE'" in p.message for p in raised.value.problems)


@pytest.mark.parametrize(
    "fields",
    [
        {"event_types": ("ASSAULT",), "type_scores": (0.9,)},
        {"entities": (Entity(start=7, end=12, label="GPE", score=0.5),)},
        {"event_types": ("ASSAULT",), "evidence": {"ASSAULT": (Span(start=0, end=3),)}},
    ],
)
def test_predictions_are_refused_as_gold(fields: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_articles([Article(id="g", text=TEXT), Article(id="p", text=TEXT, **fields)], path)
    with pytest.raises(DataError, match="1 of 2 articles have scores or evidence, 'p' first: they are predictions"):
        load_dataset(path, scheme=SCHEME)
    assert len(load_articles(path)) == 2


def test_invisible_characters_at_edges_are_trimmed_in_every_format(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    text = "\u200fقصف\u200c في \u200c سوريا"
    entities = (Entity(start=9, end=10, label="GPE"), Entity(start=11, end=16, label="GPE"))
    event = Event(trigger=Span(start=0, end=5), types=("ASSAULT",))
    write_articles([Article(id="g", text=text, entities=entities[1:], events=(event,))], path)
    data = load_dataset(path, scheme=SCHEME)
    [article] = data.articles
    assert article.events[0].trigger == Span(start=1, end=4, text="قصف") and article.entities[0].text == "سوريا"
    assert data.log.fix_counts == {"invisible character at an edge": 1}
    write_articles([Article(id="g", text=text, entities=entities)], path)
    with pytest.raises(DataError, match="covers only white space or invisible characters"):
        load_dataset(path, scheme=SCHEME)
