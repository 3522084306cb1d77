import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.formats import prodigy

SIGNS = 'ابلقوَ٣aZ \n\t\r\u2028\x85\x1c\x00\u200f\u202b\ufeff\U0001f600"\\{}'


@pytest.fixture(scope="session")
def read(run: Callable) -> Callable[..., tuple[list[Article], list[Any], list[Any]]]:
    return partial(run, prodigy.read)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_tokens_give_the_text_back_and_hold_every_span(
    written: Callable, valid_articles: Callable, data: st.DataObject
) -> None:
    texts = st.text(SIGNS, min_size=1, max_size=25).filter(str.strip)
    article = data.draw(valid_articles(texts, st.sampled_from(["PER", "a b", "\u2028"]), st.sampled_from(["1", "ا"])))
    text, lost = written(prodigy.write, article)
    task = json.loads(text)
    assert not lost
    assert "".join(token["text"] + " " * token["ws"] for token in task["tokens"]) == article.text
    assert [token["id"] for token in task["tokens"]] == list(range(len(task["tokens"])))
    assert all(article.text[token["start"] : token["end"]] == token["text"] != "" for token in task["tokens"])
    for span in task["spans"]:
        assert task["tokens"][span["token_start"]]["start"] == span["start"]
        assert task["tokens"][span["token_end"]]["end"] == span["end"]
    for relation in task["relations"]:
        assert relation["head"] == relation["head_span"]["token_end"]
        assert relation["child"] == relation["child_span"]["token_end"]


def test_a_task_is_what_prodigy_imports(written: Callable) -> None:
    article = Article(
        text="قصف وواشنطن  الآن",
        id="a",
        title="عنوان",
        entities=(Entity(start=5, end=11, label="GPE", id="T1"),),
        events=(Event(trigger=Span(start=0, end=3), types=("A",), arguments=(Argument(role="AGENT", entity="T1"),)),),
        event_types=("A",),
        annotated={"article_types": ("A", "B")},
        meta={"x": 1, "id": 2},
    )
    line, lost = written(prodigy.write, article)
    trigger = {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "event:A"}
    entity = {"start": 5, "end": 11, "token_start": 2, "token_end": 2, "label": "GPE"}
    assert not lost
    assert json.loads(line) == {
        "text": "قصف وواشنطن  الآن",
        "tokens": [
            {"text": "قصف", "start": 0, "end": 3, "id": 0, "ws": True},
            {"text": "و", "start": 4, "end": 5, "id": 1, "ws": False},
            {"text": "واشنطن", "start": 5, "end": 11, "id": 2, "ws": True},
            {"text": " ", "start": 12, "end": 13, "id": 3, "ws": False},
            {"text": "الآن", "start": 13, "end": 17, "id": 4, "ws": False},
        ],
        "spans": [{**entity, "text": "واشنطن", "id": "T1"}, {**trigger, "text": "قصف"}],
        "relations": [
            {
                "head": 0,
                "child": 2,
                "head_span": {**trigger, "position": 1},
                "child_span": {**entity, "position": 0},
                "label": "AGENT",
            }
        ],
        "options": [{"id": "A", "text": "A"}, {"id": "B", "text": "B"}],
        "accept": ["A"],
        "meta": {"id": "a", "title": "عنوان", "x": 1, "meta": {"id": 2}},
        "answer": "accept",
    }


def test_predictions_have_scores_and_no_answer(read: Callable, written: Callable) -> None:
    article = Article(
        text="قصف الجيش",
        entities=(Entity(start=4, end=9, label="ORG", score=0.25),),
        events=(Event(trigger=Span(start=0, end=3), types=("A", "B"), scores=(0.75, 0.5)),),
        event_types=("A",),
        type_scores=(1.0,),
    )
    line, _ = written(prodigy.write, article)
    task = json.loads(line)
    assert "answer" not in task and task["meta"]["type_scores"] == [1.0]
    assert [(span.get("score"), span.get("scores")) for span in task["spans"]] == [(0.25, None), (None, [0.75, 0.5])]
    (gold,), problems, fixed = read({**task, "answer": "accept"})
    assert [repair.cause for repair in fixed] == ["prediction", "scores of an accepted task"]
    assert not problems and gold.event_types == ()
    assert gold.entities[0].score is None and gold.events[0].scores == () and gold.type_scores == ()


EXPORTED = {
    "text": "قصف الجيش السوري غزة",
    "tokens": [
        {"text": "قصف", "start": 0, "end": 3, "id": 0, "ws": True, "disabled": False},
        {"text": "الجيش", "start": 4, "end": 9, "id": 1, "ws": True, "disabled": False},
        {"text": "السوري", "start": 10, "end": 16, "id": 2, "ws": True, "disabled": False},
        {"text": "غزة", "start": 17, "end": 20, "id": 3, "ws": False, "disabled": False},
    ],
    "spans": [
        {
            "text": "الجيش السوري",
            "start": 4,
            "token_start": 1,
            "token_end": 2,
            "end": 16,
            "type": "span",
            "label": "ORG",
        },
        {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "Attack"},
        {"start": 17, "end": 20, "token_start": 3, "token_end": 3, "label": "GPE"},
    ],
    "relations": [
        {"head": 0, "child": 2, "label": "AGENT", "color": "#ffd882"},
        {
            "head": 0,
            "child": 3,
            "head_span": {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "Attack"},
            "child_span": {"start": 17, "end": 20, "token_start": 3, "token_end": 3, "label": "GPE"},
            "label": "TARGET",
        },
    ],
    "meta": {"source": "وكالة", "page": 3},
    "_input_hash": -1,
    "_task_hash": 2,
    "_session_id": None,
    "_view_id": "relations",
    "answer": "accept",
}


def test_an_exported_task(read: Callable) -> None:
    (article,), problems, fixed = read(EXPORTED, triggers=["Attack"])
    assert not problems and not fixed
    arguments = (Argument(role="AGENT", entity="T1"), Argument(role="TARGET", entity="T2"))
    assert article == Article(
        text="قصف الجيش السوري غزة",
        id="f-1",
        source="وكالة",
        entities=(Entity(start=4, end=16, label="ORG", id="T1"), Entity(start=17, end=20, label="GPE", id="T2")),
        events=(Event(trigger=Span(start=0, end=3), types=("Attack",), arguments=arguments),),
        meta={"page": 3, "_input_hash": -1, "_task_hash": 2, "_session_id": None, "_view_id": "relations"},
    )


def test_last_tokens_are_found_without_token_end(read: Callable) -> None:
    spans = [{key: span[key] for key in ("start", "end", "label")} for span in EXPORTED["spans"]]
    (article,), problems, _ = read({**EXPORTED, "spans": spans}, triggers=["Attack"])
    assert not problems and len(article.events[0].arguments) == 2


def test_only_accepted_tasks_count(read: Callable) -> None:
    tasks = [{"text": str(number), "answer": answer} for number, answer in enumerate(["reject", "accept", "ignore", 1])]
    spans = [{"start": 0, "end": 1, "label": "A"}]
    articles, (problem,), fixed = read(*tasks, {"text": "4", "spans": []}, {"text": "5", "spans": spans})
    assert [article.text for article in articles] == ["1", "5"]
    assert [repair.cause for repair in fixed] == ["answer reject", "answer ignore", "nobody annotated", "no answer"]
    assert (problem.cause, problem.line) == ("wrong kind", 4)


@pytest.mark.parametrize(
    ("content", "types", "annotated"),
    [
        ({"accept": ["A", 2], "options": [{"id": "A"}, {"id": 2}, {"id": "C"}]}, ("A", "2"), ("A", "2", "C")),
        ({"accept": [], "options": [{"id": "A"}]}, (), ("A",)),
        ({"options": [{"id": "A"}]}, (), None),
        ({"accept": ["A"]}, ("A",), None),
        ({"label": "A"}, ("A",), ("A",)),
        ({"label": "A", "_view_id": "ner_manual"}, (), None),
        ({"cats": {"A": 1.0, "B": 0.2, "C": True, "D": 0.5}}, ("A", "C", "D"), None),
        ({"cats": ["A", "B"], "accept": ["B"]}, ("B", "A"), None),
    ],
)
def test_labels_of_the_text(
    read: Callable, content: dict[str, Any], types: tuple[str, ...], annotated: tuple[str, ...] | None
) -> None:
    (article,), problems, fixed = read({"text": "نص", "answer": "accept", **content})
    assert not problems and not fixed
    assert article.event_types == types
    assert article.annotated == ({} if annotated is None else {"article_types": annotated})


@pytest.mark.parametrize(
    ("change", "cause", "said"),
    [
        ({"spans": [{"start": 0, "end": 99, "label": "A"}]}, "span left out", "outside the text"),
        ({"spans": [{"start": 0, "end": 3, "label": "A", "text": "غزة"}]}, "span left out", "the surface 'غزة'"),
        ({"spans": [{"start": 0, "end": 20, "label": "A", "text": "غزة"}]}, "span left out", "neither UTF-16"),
        ({"spans": [{"start": 0, "end": 3}]}, "span left out", "label"),
        ({"spans": [{"end": 3, "label": "A"}]}, "span left out", "whole numbers"),
        ({"spans": [[0, 3, "A"]]}, "wrong kind", "a span is an object"),
        ({"spans": 1}, "wrong kind", "spans is 1"),
        ({"relations": [{"head": 0, "child": 1, "label": "A"}]}, "relation left out", "child is no span"),
        ({"relations": [{"head": 7, "child": 1, "label": "A"}]}, "relation left out", "head is no span"),
        ({"relations": [{"head": 0, "child": 3}]}, "relation left out", "name the role"),
        ({"relations": ["A"]}, "wrong kind", "a relation is an object"),
        ({"accept": [None], "_view_id": "choice"}, "wrong kind", "accept has null"),
        ({"cats": [1]}, "wrong kind", "cats has 1"),
        ({"cats": 1}, "wrong kind", "cats is 1"),
        ({"label": [1], "_view_id": "classification"}, "wrong kind", "label is a list"),
    ],
)
def test_one_thing_wrong_costs_that_thing(read: Callable, change: dict[str, Any], cause: str, said: str) -> None:
    without = {"relations": []} if "spans" in change else {}
    (article,), (problem,), _ = read({**EXPORTED, **without, **change}, triggers=["Attack"])
    assert problem.cause == cause and said in problem.message and problem.article == "f-1" and problem.line == 1
    assert len(article.entities) == (0 if "spans" in change else 2)


def test_a_last_token_of_two_spans_names_neither(read: Callable) -> None:
    inner = {"start": 10, "end": 16, "token_start": 2, "token_end": 2, "label": "GPE"}
    content = {**EXPORTED, "spans": [*EXPORTED["spans"], inner]}
    (article,), (problem,), _ = read(content, triggers=["Attack"])
    assert problem.cause == "relation left out" and "last token of several" in problem.message
    assert [argument.role for argument in article.events[0].arguments] == ["TARGET"]


def test_what_can_be_mended_is_mended_and_said(read: Callable) -> None:
    content = {
        "text": "😀 غزة مصر",
        "spans": [
            {"start": 3, "end": 6, "label": "GPE", "text": "غزة", "id": "1", "score": "much"},
            {"start": 5, "end": 9, "label": "GPE", "id": "1", "score": 10**400},
            {"start": 2, "end": 5, "label": "event:A", "scores": [1, 2]},
        ],
        "meta": {"x": 1, "type_scores": [0.5]},
        "x": 2,
    }
    (article,), problems, fixed = read(content)
    assert not problems
    assert [(entity.text, entity.id, entity.score) for entity in article.entities] == [
        ("غزة", "1", None),
        ("مصر", "", None),
    ]
    assert article.meta == {"x": 2} and article.events[0].scores == () == article.type_scores
    assert sorted(repair.cause for repair in fixed) == [
        "UTF-16 units",
        "duplicate id",
        "metadata given twice",
        "no answer",
        "score",
        "score",
        "score",
        "score",
        "white space at an edge",
    ]


def test_losses_are_recorded(written: Callable) -> None:
    article = Article(
        text="ab cd",
        entities=(Entity(start=0, end=2, label="event:X", id="1"),),
        events=(Event(trigger=Span(start=3, end=5), types=("A",), arguments=(Argument(role="R", entity="1"),)),),
        sentences=(Sentence(start=0, end=2),),
        tokens=((0, 2),),
        evidence={"A": (Span(start=0, end=2),)},
        annotated={"entities": ("X",), "article_types": ()},
    )
    text, lost = written(
        prodigy.write, article, Article(text=" "), Article(text="\ud800"), Article(text="a", meta={"x": {1}})
    )
    assert text.count("\n") == 1
    assert sorted(lost) == sorted(
        [
            "entity left out",
            "argument left out",
            "sentence labels left out",
            "tokens left out",
            "evidence left out",
            "annotated left out",
            "no text",
            "lone surrogate",
            "not JSON",
        ]
    )


SPAN = {"start": 4, "end": 9, "label": "ORG"}


@pytest.mark.parametrize(
    "change",
    [
        {"accept": ["AID"], "_view_id": "spans_manual"},
        {"accept": ["AID"], "_view_id": "blocks"},
        {"accept": ["AID"], "options": [{"id": "AID"}], "_view_id": "ner_manual"},
        {"cats": ["AID"], "_view_id": "relations"},
        {"meta": {"predicted_event_types": ["AID"]}, "_view_id": "spans_manual"},
        {"meta": {"predicted_event_types": ["AID"]}},
    ],
)
def test_labels_that_the_view_did_not_show_are_not_gold(read: Callable, change: dict[str, Any]) -> None:
    (article,), problems, (fixed,) = read({"text": "قصف الجيش", "spans": [SPAN], "answer": "accept", **change})
    assert article.event_types == () and "article_types" not in article.annotated and len(article.entities) == 1
    assert not problems and fixed.cause == "prediction" and "'AID'" in fixed.message


def test_predictions_of_version_0_1_are_not_gold_after_correction(read: Callable) -> None:
    task = {"text": "قصف الجيش", "spans": [SPAN], "accept": ["AID"], "meta": {"id": "a", "type_scores": [0.9]}}
    (article,), _, fixed = read({**task, "answer": "accept"})
    assert article.event_types == article.type_scores == () and "prediction" in {repair.cause for repair in fixed}
    (article,), _, _ = read(task)
    assert (article.event_types, article.type_scores) == (("AID",), (0.9,))


def test_gold_types_stay_when_spans_are_corrected(read: Callable, written: Callable) -> None:
    article = Article(text="قصف", id="a", event_types=("AID",))
    line, _ = written(prodigy.write, article)
    assert read(line)[0] == [article]
    (back,), *_ = read({**json.loads(line), "_view_id": "spans_manual"})
    assert back.event_types == ("AID",)


@pytest.mark.parametrize("view", ["ner", "spans"])
def test_binary_questions_are_left_out(read: Callable, view: str) -> None:
    task = {"text": "قصف الجيش", "_view_id": view, "answer": "accept"}
    scored = [{**SPAN, "score": 0.6}, {"start": 0, "end": 3, "label": "A", "score": 0.5}]
    articles, problems, fixed = read({**task, "spans": [SPAN]}, {**task, "spans": scored})
    assert not articles and not problems and [repair.cause for repair in fixed] == ["binary question"] * 2
    articles, *_ = read({**task, "spans": [SPAN], "_view_id": f"{view}_manual"})
    assert len(articles) == 1


@pytest.mark.parametrize(
    "marks", [{"_is_binary": True}, {"meta": {"score": 0.6}}, {"_is_binary": True, "_view_id": ""}]
)
def test_binary_questions_of_other_versions_are_left_out(read: Callable, marks: dict[str, Any]) -> None:
    task = {"text": "قصف الجيش", "spans": [{**SPAN, "score": 0.6}], "answer": "accept"}
    articles, problems, (fixed,) = read({**task, **marks})
    assert not articles and not problems and fixed.cause == "binary question"
    articles, *_ = read({**task, **marks, "_is_binary": False, "_view_id": "ner"})
    assert len(articles) == 1


def test_answers_about_labels_annotate_no_spans(read: Callable) -> None:
    task = {"text": "قصف", "label": "AID", "_view_id": "classification"}
    articles, problems, fixed = read({**task, "answer": "accept"}, {**task, "answer": "reject"})
    nothing = {"entities": (), "triggers": (), "arguments": ()}
    assert [article.event_types for article in articles] == [("AID",), ()] and not problems and not fixed
    assert all(article.annotated == {"article_types": ("AID",), **nothing} for article in articles)


def test_relations_of_two_entities_are_fixed(read: Callable) -> None:
    relation = {"head": 2, "child": 3, "label": "A"}
    _, problems, (fixed,) = read({**EXPORTED, "relations": [relation]}, triggers=["Attack"])
    assert not problems and fixed.cause == "relation left out" and "two entities" in fixed.message


def test_annotations_of_several_people_are_articles_of_their_own(read: Callable, tmp_path: Path) -> None:
    task = {"text": "قصف الجيش", "spans": [SPAN], "answer": "accept", "_input_hash": 1, "_view_id": "ner_manual"}
    tasks = [
        {**task, "meta": {"id": "a"}, "_annotator_id": "news-ali"},
        {**task, "meta": {"id": "a"}, "_annotator_id": "news-sara", "spans": []},
        {**task, "meta": {"id": "b"}, "_input_hash": 2, "_annotator_id": "news-sara"},
    ]
    articles, problems, (fixed,) = read(*tasks)
    assert [(article.id, len(article.entities)) for article in articles] == [("a", 1), ("a#news-sara", 0), ("b", 1)]
    assert not problems and fixed.cause == "several annotators" and "annotator=" in fixed.message
    articles, problems, fixed = read(*tasks, annotator="news-sara")
    assert [article.id for article in articles] == ["a", "b"] and not problems and not fixed
    articles, (problem,), _ = read(*tasks, annotator="sara")
    assert not articles and "news-sara" in problem.message
    unnamed = [{key: value for key, value in task.items() if key != "meta"} for task in tasks]
    ids = [[article.id for article in read(*unnamed, annotator=who)[0]] for who in (None, "news-ali", "news-sara")]
    [one], [same, other] = ids[1:]
    assert ids[0] == [one, f"{one}#news-sara", other] and same == one
    path = tmp_path / "f.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    assert prodigy.FORMAT.annotators(path) == ["news-ali", "news-sara"]
