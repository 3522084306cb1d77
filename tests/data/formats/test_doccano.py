import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.formats import doccano, read_files
from rasid.data.problems import DataError, ProblemLog

SIGNS = 'ابلقوَ٣aZ \n\t\r\u2028\x85\x1c\x00\u200f\u202b\ufeff\U0001f600"\\{}'

NO_SPANS = {"entities": (), "triggers": (), "arguments": ()}


@pytest.fixture(scope="session")
def read(run: Callable) -> Callable[..., tuple[list[Article], list[Any], list[Any]]]:
    return partial(run, doccano.read)


def test_a_line_is_what_doccano_imports(written: Callable) -> None:
    article = Article(
        text="😀 قصف الجيش",
        id="a",
        title="عنوان",
        entities=(Entity(start=6, end=11, label="ORG", id="T1"), Entity(start=6, end=11, label="GPE", id="3")),
        events=(
            Event(trigger=Span(start=2, end=5), types=("A", "B"), arguments=(Argument(role="AGENT", entity="T1"),)),
        ),
        event_types=("A",),
        meta={"x": 1},
    )
    line, _ = written(doccano.write, article)
    assert json.loads(line) == {
        "id": "a",
        "text": "😀 قصف الجيش",
        "title": "عنوان",
        "date": None,
        "source": None,
        "entities": [
            {"id": 1, "original_id": "T1", "label": "ORG", "start_offset": 7, "end_offset": 12},
            {"id": 3, "label": "GPE", "start_offset": 7, "end_offset": 12},
            {"id": 2, "original_id": "", "label": "event:A+B", "start_offset": 3, "end_offset": 6},
        ],
        "relations": [{"id": 1, "from_id": 2, "to_id": 1, "type": "AGENT"}],
        "event_types": ["A"],
        "predicted_event_types": [],
        "meta": {"x": 1},
    }


def test_the_three_layouts(read: Callable) -> None:
    plain = {"id": 7, "text": "قصف الجيش", "label": [[4, 9, "ORG"], [0, 3, "Attack"]], "author": "م"}
    several = {"text": "قصف الجيش", "labels": [[4, 9, "ORG"]], "Comments": []}
    relation = {
        "id": 9,
        "text": "قصف الجيش",
        "entities": [
            {"id": 5, "label": "ORG", "start_offset": 4, "end_offset": 9},
            {"id": 6, "label": "Attack", "start_offset": 0, "end_offset": 3},
        ],
        "relations": [{"id": 1, "from_id": 6, "to_id": 5, "type": "AGENT"}],
        "Comments": ["؟"],
    }
    cats = {"text": "قصف الجيش", "entities": [[4, 9, "ORG"]], "cats": ["ASSAULT"], "meta": {"y": 2}}
    document = {"text": "قصف الجيش", "label": ["ASSAULT", "AID"]}
    articles, problems, fixed = read(plain, several, relation, cats, document, triggers=["Attack"])
    assert not problems and not fixed
    org = Entity(start=4, end=9, label="ORG")
    attack = Event(trigger=Span(start=0, end=3), types=("Attack",))
    argument = (Argument(role="AGENT", entity="5"),)
    assert articles == [
        Article(text="قصف الجيش", id="7", entities=(org,), events=(attack,), meta={"author": "م"}),
        Article(text="قصف الجيش", id="f-2", entities=(org,)),
        Article(
            text="قصف الجيش",
            id="9",
            entities=(Entity(start=4, end=9, label="ORG", id="5"),),
            events=(Event(trigger=Span(start=0, end=3), types=("Attack",), arguments=argument, id="6"),),
            meta={"Comments": ["؟"]},
        ),
        Article(text="قصف الجيش", id="f-4", entities=(org,), event_types=("ASSAULT",), meta={"y": 2}),
        Article(text="قصف الجيش", id="f-5", event_types=("ASSAULT", "AID"), annotated=NO_SPANS),
    ]


def test_units_are_those_of_the_option_and_said(read: Callable) -> None:
    content = {"text": "😀 غزة 😀 مصر", "label": [[3, 6, "GPE"], [10, 13, "GPE"]]}
    (article,), problems, (repair,) = read(content)
    assert [entity.text for entity in article.entities] == ["غزة", "مصر"] and not problems
    assert repair.cause == "UTF-16 units" and "2 spans" in repair.message and repair.line == 1
    content["label"] = [[2, 5, "GPE"], [8, 11, "GPE"]]
    (article,), problems, fixed = read(content, units="code points")
    assert [entity.text for entity in article.entities] == ["غزة", "مصر"] and not problems and not fixed
    with pytest.raises(DataError, match="units 'utf16' are not known; did you mean 'utf-16'?"):
        read(content, units="utf16")


def test_a_surface_proves_the_units(read: Callable) -> None:
    span = {"start_offset": 2, "end_offset": 5, "label": "GPE", "text": "غزة"}
    for start, end in ((2, 5), (3, 6)):
        for units in doccano.UNITS:
            content = {"text": "😀 غزة", "entities": [{**span, "start_offset": start, "end_offset": end}]}
            (article,), problems, _ = read(content, units=units)
            assert [entity.text for entity in article.entities] == ["غزة"] and not problems


@pytest.mark.parametrize(
    ("change", "cause", "said"),
    [
        ({"label": [[0, 30, "A"]]}, "span left out", "outside the text"),
        ({"label": [[2, 2, "A"]]}, "span left out", "empty or splits a character"),
        ({"label": [[1, 3, "A"]]}, "span left out", "splits a character"),
        ({"label": [[-1, 3, "A"]]}, "span left out", "outside"),
        ({"label": [[2, 3, "A"]]}, "empty span", "only white space"),
        ({"label": [[True, 3, "A"]]}, "span left out", "whole numbers"),
        ({"label": [["3", 6, "A"]]}, "span left out", "'3'"),
        ({"label": [[3, 6, ""]]}, "span left out", "label"),
        ({"label": [[3, 6, None]]}, "span left out", "label"),
        ({"label": [[3, 6, "event:A+"]]}, "span left out", "in full"),
        ({"label": [[3, 6]]}, "wrong kind", "[start, end, label]"),
        ({"label": {"a": 1}}, "wrong kind", "label is a mapping"),
        ({"event_types": [1]}, "wrong kind", "event_types has 1"),
        ({"entities": ["A"]}, "wrong kind", "entities has 'A'"),
        ({"entities": [{"id": 1}]}, "span left out", "null-null"),
        ({"relations": [1]}, "wrong kind", "a relation is an object"),
        ({"relations": [{"from_id": 1, "to_id": 99, "type": "A"}]}, "relation left out", "span '99'"),
        ({"relations": [{"from_id": 1, "to_id": 3, "type": ""}]}, "relation left out", "name the role"),
    ],
)
def test_one_thing_wrong_costs_that_thing(read: Callable, change: dict[str, Any], cause: str, said: str) -> None:
    good = {
        "text": "😀 غزة مصر",
        "entities": [
            {"id": 1, "label": "GPE", "start_offset": 3, "end_offset": 6},
            {"id": 2, "label": "GPE", "start_offset": 7, "end_offset": 10},
            {"id": 3, "label": "event:A", "start_offset": 3, "end_offset": 6},
        ],
    }
    (article,), (problem,), _ = read({**good, **change})
    assert problem.cause == cause and said in problem.message and problem.article == "f-1" and problem.line == 1
    assert len(article.entities) == (0 if "entities" in change else 2)


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("{", "not JSON", "column 2"),
        ("[" * 100_000, "not JSON", "nested too deeply"),
        ("[]", "wrong kind", "a list is not an object"),
        ('{"text": 1}', "no text", "text is 1"),
        ('{"text": " \\n"}', "no text", "not blank"),
        ('{"label": []}', "no text", "null"),
        ('{"text": "a", "text": "b"}', "not JSON", "given twice"),
        ('{"text": "a\udce9"}', "not UTF-8", "0xE9"),
    ],
)
def test_a_line_that_cannot_be_used(read: Callable, line: str, cause: str, said: str) -> None:
    articles, (problem,), _ = read('{"text": "أول"}', "", line, '{"text": "آخر"}')
    assert [article.text for article in articles] == ["أول", "آخر"]
    assert (problem.cause, problem.line) == (cause, 3) and said in problem.message


def test_what_can_be_mended_is_mended_and_said(read: Callable) -> None:
    content = {
        "id": 3.0,
        "text": " غزة مصر ",
        "entities": [
            {"id": 1, "label": "GPE", "start_offset": 0, "end_offset": 5},
            {"id": 1, "label": "GPE", "start_offset": 5, "end_offset": 8},
            {"id": 2, "label": "event:A", "start_offset": 5, "end_offset": 8},
        ],
        "relations": [{"from_id": 1, "to_id": 2, "type": "R"}],
        "x": 1,
        "meta": {"x": 2},
    }
    (article,), problems, fixed = read(content)
    assert not problems and article.id == "3" and article.meta == {"x": 1}
    assert [(entity.text, entity.id) for entity in article.entities] == [("غزة", "1"), ("مصر", "")]
    assert article.events[0].arguments == (Argument(role="R", entity="1"),)
    assert sorted(problem.cause for problem in fixed) == [
        "duplicate id",
        "metadata given twice",
        "relation turned round",
        "white space at an edge",
    ]


def test_an_argument_whose_id_was_dropped_gets_another(read: Callable) -> None:
    entity = {"label": "GPE", "start_offset": 0, "end_offset": 3, "original_id": "T1"}
    content = {
        "text": "غزة قصف",
        "entities": [
            {**entity, "id": 1},
            {**entity, "id": 2},
            {"id": 3, "label": "event:A", "start_offset": 4, "end_offset": 7},
        ],
        "relations": [{"from_id": 3, "to_id": 2, "type": "R"}],
    }
    (article,), problems, (repair,) = read(content)
    assert not problems and repair.cause == "duplicate id"
    assert [found.id for found in article.entities] == ["T1", "T2"]
    assert article.events[0].arguments == (Argument(role="R", entity="T2"),)


def test_losses_are_recorded(written: Callable) -> None:
    article = Article(
        text="ab cd",
        entities=(
            Entity(start=0, end=2, label="event:X", id="1", score=0.5),
            Entity(start=0, end=2, label=""),
        ),
        events=(
            Event(trigger=Span(start=3, end=5), types=("A+B",)),
            Event(trigger=Span(start=3, end=5), types=("A", "A")),
            Event(trigger=Span(start=3, end=5), types=("A",), arguments=(Argument(role="R", entity="1"),)),
        ),
        event_types=("",),
        sentences=(Sentence(start=0, end=2),),
        tokens=((0, 2),),
        evidence={"A": (Span(start=0, end=2),)},
        annotated={"entities": ("X",)},
    )
    text, lost = written(
        doccano.write, article, Article(text=" "), Article(text="\ud800"), Article(text="a", meta={"x": {1}})
    )
    assert text.count("\n") == 1
    assert sorted(lost) == sorted(
        [
            "entity left out",
            "entity left out",
            "event left out",
            "event left out",
            "argument left out",
            "event types left out",
            "scores left out",
            "sentence labels left out",
            "tokens left out",
            "evidence left out",
            "annotated left out",
            "no text",
            "lone surrogate",
            "not JSON",
        ]
    )


ORG = {"id": 5, "label": "ORG", "start_offset": 4, "end_offset": 9}


@pytest.mark.parametrize(
    "content",
    [
        {"entities": [ORG], "relations": [], "cats": ["AID"]},
        {"entities": [], "relations": [], "cats": ["AID"], "meta": {}},
        {"entities": [ORG], "cats": ["AID"]},
        {"label": [[4, 9, "ORG"]], "cats": ["AID"]},
        {"label": [[4, 9, "ORG"]], "predicted_event_types": ["AID"]},
    ],
)
def test_predictions_and_metadata_are_not_gold(read: Callable, content: dict[str, Any]) -> None:
    (article,), problems, (fixed,) = read({"text": "قصف الجيش", **content})
    assert article.event_types == () and not problems
    assert fixed.cause == "prediction" and "'AID'" in fixed.message


def test_labels_that_were_annotated_or_written_are_gold(read: Callable) -> None:
    both = {"text": "قصف الجيش", "entities": [[4, 9, "ORG"]], "cats": ["AID"]}
    ours = {"text": "قصف الجيش", "entities": [ORG], "relations": [], "event_types": ["AID"]}
    articles, problems, fixed = read(both, ours)
    assert [article.event_types for article in articles] == [("AID",)] * 2 and not problems and not fixed


def test_a_prediction_is_written_as_one(written: Callable, read: Callable) -> None:
    article = Article(text="قصف", id="a", event_types=("AID",), type_scores=(0.9,))
    line, _ = written(doccano.write, article)
    content = json.loads(line)
    assert (content["event_types"], content["predicted_event_types"]) == ([], ["AID"])
    (back,), _, (fixed,) = read(line)
    assert back == Article(text="قصف", id="a") and fixed.cause == "prediction"


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ({"from_id": 1, "to_id": 2, "type": "A"}, "two entities"),
        ({"from_id": 3, "to_id": 3, "type": "A"}, "two triggers"),
    ],
)
def test_relations_without_a_place_are_fixed(read: Callable, relation: dict[str, Any], said: str) -> None:
    labels = {1: "GPE", 2: "GPE", 3: "event:A"}
    entities = [{"id": id, "label": label, "start_offset": 0, "end_offset": 3} for id, label in labels.items()]
    _, problems, (fixed,) = read({"text": "غزة", "entities": entities, "relations": [relation]})
    assert not problems and fixed.cause == "relation left out" and said in fixed.message


def test_examples_that_nobody_annotated_are_left_out_where_others_are(read: Callable) -> None:
    empty = [{"id": n, "text": "نص", "label": [], "Comments": []} for n in range(4)]
    full = {"id": 9, "text": "في غزة", "label": [[3, 6, "GPE"]], "Comments": []}
    for order in ([*empty, full], [full, *empty], [*empty[:2], full, *empty[2:]]):
        articles, problems, fixed = read(*order)
        assert [article.id for article in articles] == ["9"] and not problems
        assert {problem.cause for problem in fixed} == {"nobody annotated"} and len(fixed) == 4
        articles, _, fixed = read(*order, empty="keep")
        assert len(articles) == 5 and not fixed
    articles, _, fixed = read(*empty)
    assert len(articles) == 4 and not fixed


@pytest.mark.parametrize("confirmed", [{"annotation_approver": "ali"}, {"is_confirmed": True}])
def test_an_empty_example_that_somebody_confirmed_is_read(read: Callable, confirmed: dict[str, Any]) -> None:
    full = {"id": 9, "text": "في غزة", "label": [[3, 6, "GPE"]], "annotation_approver": None}
    empty = {"id": 1, "text": "نص", "label": []}
    articles, problems, fixed = read(full, {**empty, **confirmed}, {**empty, "id": 2, "annotation_approver": None})
    assert [article.id for article in articles] == ["9", "1"] and not problems
    assert [problem.article for problem in fixed] == ["2"]


def test_gold_without_annotation_that_was_in_no_project_is_read(read: Callable, written: Callable) -> None:
    articles = [
        Article(text="نص", id="a"),
        Article(text="غزة", id="b", entities=(Entity(start=0, end=3, label="GPE"),)),
    ]
    text, _ = written(doccano.write, *articles)
    assert read(text)[0] == articles


def test_grapheme_clusters(read: Callable) -> None:
    text = "\ufeffحَلَبُ\r\n🇸🇾 غَزَّةُ"
    content = {"text": text, "label": [[1, 4, "GPE"], [7, 10, "GPE"]]}
    (article,), problems, fixed = read(content, units="graphemes")
    assert [entity.text for entity in article.entities] == ["حَلَبُ", "غَزَّةُ"] and not problems and not fixed
    _, problems, _ = read(content)
    assert any("units=graphemes" in problem.message for problem in problems)
    (article,), problems, _ = read({"text": "حَلَبُ", "label": [[0, 5, "GPE"]]}, units="utf-16")
    assert article.entities[0].text == "حَلَب" and not problems
    _, (problem,), _ = read({"text": "غزة", "label": [[0, 9, "GPE"]]}, units="graphemes")
    assert "outside the text in grapheme clusters" in problem.message


def test_label_ids_are_refused_and_an_empty_example_does_not_hide_them(read: Callable) -> None:
    ids = {
        "id": 1,
        "text": "غزة",
        "annotations": [{"id": 1, "label": 2, "start_offset": 0, "end_offset": 3, "user": 1}],
    }
    articles, (problem,), (fixed,) = read(ids, {"id": 2, "text": "نص", "annotations": []})
    assert not articles and "text label" in problem.message and fixed.cause == "nobody annotated"


def archive(path: Path, **members: list[dict[str, Any]]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, contents in members.items():
            file.writestr(f"{name}.jsonl", "".join(json.dumps(content) + "\n" for content in contents))
    return path


def load(path: Path, **options: Any) -> tuple[list[Article], ProblemLog]:
    log = ProblemLog()
    return [article for _, article in read_files(path, log=log, options=options)], log


def test_annotations_of_several_members_are_articles_of_their_own(tmp_path: Path) -> None:
    one = {"id": "a", "text": "في غزة", "label": [[3, 6, "GPE"]], "Comments": []}
    path = archive(tmp_path / "p.zip", m=[one, {**one, "id": "b"}], n=[{**one, "label": [[3, 6, "LOC"]]}])
    articles, log = load(path)
    assert [(article.id, article.meta) for article in articles] == [
        ("a#m", {"annotator": "m"}),
        ("b", {"annotator": "m"}),
        ("a#n", {"annotator": "n"}),
    ]
    assert log.fix_counts == {"several annotators": 1} and not log.dropped and log.source == str(path)
    articles, log = load(path, annotator="n")
    assert [article.id for article in articles] == ["a"] and articles[0].entities[0].label == "LOC"
    articles, log = load(path, annotator="x")
    assert not articles and "there are m, n" in log.dropped[0].message


def test_an_archive_with_a_broken_member(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m.jsonl", '{"id": 1, "text": "غزة", "label": [[0, 3, "GPE"]]}\n{\n')
        file.writestr("n.csv", "text,label\nنص,A#B\n")
        file.writestr("readme.md", "x")
    articles, log = load(path)
    assert [article.event_types for article in articles] == [(), ("A", "B")]
    assert [problem.source for problem in log.dropped] == [f"{path}!m.jsonl"]


@pytest.mark.parametrize(
    ("suffix", "content", "said"),
    [
        ("json", '[{"text": "نص", "label": ["A"]}, 1', "not JSON"),
        ("csv", 'id,text,label\n1,"نص\nآخر",A,x\n', "1 cells more"),
        ("txt", "__label__A نص \udce9\n", "0xE9"),
    ],
)
def test_damage_in_other_kinds_of_files_is_recorded(suffix: str, content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / f"f.{suffix}"
    path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
    _, log = load(path) if suffix != "json" else load_as(path)
    assert said in str(log.dropped[0])


def load_as(path: Path) -> tuple[list[Article], ProblemLog]:
    log = ProblemLog()
    return [article for _, article in read_files(path, "doccano", log=log)], log


def test_labels_of_texts_are_noted_and_label_ids_in_an_array_are_named(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,text,label\n1,نص,A\n", encoding="utf-8")
    articles, log = load(path)
    assert articles[0].event_types == ("A",) and articles[0].annotated == NO_SPANS
    assert log.notes == ["label holds labels of the texts, which are read as event types of the articles"]
    path = tmp_path / "f.json"
    path.write_text('[{"id": 1, "text": "غزة", "annotations": [{"label": 2, "user": 1}]}]', encoding="utf-8")
    with pytest.raises(DataError, match="text label"):
        load(path)
