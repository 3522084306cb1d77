import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Article, Entity
from rasid.data.formats import jsonl


@settings(max_examples=60, deadline=None)
@given(articles=st.lists(st.from_type(Article), max_size=3))
def test_jsonl_holds_every_article(run: Callable, written: Callable, articles: list[Article]) -> None:
    text, lost = written(jsonl.write, *articles)
    assert not lost
    assert len(text.splitlines()) == len(articles)  # not even readers that split at U+2028 are led astray
    text.encode("utf-8")
    assert run(jsonl.read, text) == (articles, [], [])


def test_jsonl_writes_arabic_as_it_is_and_leaves_out_what_is_empty(written: Callable) -> None:
    entity = Entity(start=0, end=5, label="GPE")
    text, _ = written(jsonl.write, Article(text="سوريا اليوم", id="a", entities=(entity,)))
    assert text == (
        '{"id": "a", "text": "سوريا اليوم", "entities": [{"start": 0, "end": 5, "label": "GPE", "text": "سوريا"}]}\n'
    )


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("{", "not JSON", "column 2"),
        ("[" * 100_000, "not JSON", "nested too deeply"),
        ("[]", "wrong kind", "must be an object"),
        ('{"id": "a"}', "missing key", "'text'"),
        ('{"text": 1}', "wrong kind", "text is 1; it must be a string"),
        ('{"text": "a", "text": "b"}', "not JSON", "'text' is given twice"),
        ('{"text": "a", "entites": []}', "unknown key", "did you mean 'entities'?"),
        ('{"text": "a", "entities": {}}', "wrong kind", "entities is a mapping"),
        ('{"text": "a", "entities": [1]}', "wrong kind", "entities[0] is 1"),
        ('{"text": "a", "entities": [{"start": 0, "end": 1}]}', "missing key", "'label'"),
        ('{"text": "a", "entities": [{"start": 0, "end": 1, "labl": "A"}]}', "unknown key", "'label'"),
        ('{"text": "a", "entities": [{"start": -1, "end": 1, "label": "A"}]}', "wrong kind", "start is -1"),
        ('{"text": "a", "entities": [{"start": true, "end": 1, "label": "A"}]}', "wrong kind", "start is true"),
        ('{"text": "a", "entities": [{"start": 0, "end": 1, "label": "A", "score": "1"}]}', "wrong kind", "a number"),
        ('{"text": "a", "entities": [{"start": 0, "end": 1, "label": "A", "score": NaN}]}', "not JSON", "NaN"),
        ('{"text": "a", "entities": [{"start": 0, "end": 2, "label": "A"}]}', "span outside the text", "1 code points"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 1, "label": "A", "text": "b"}]}', "surface differs", "'b'"),
        ('{"text": "a", "events": [{"types": ["A"]}]}', "missing key", "'trigger'"),
        ('{"text": "a", "events": [{"trigger": {"start": 0}, "types": "A"}]}', "missing key", "trigger has no 'end'"),
        ('{"text": "a", "events": [{"trigger": {"start": 0}, "types": "A"}]}', "wrong kind", "types is 'A'"),
        (
            '{"text": "a", "events": [{"trigger": {"start": 0, "end": 1, "text": "b"}, "types": ["A"]}]}',
            "surface differs",
            "trigger A 0-1",
        ),
        (
            '{"text": "a", "events": [{"trigger": {"start": 0, "end": 1}, "types": ["A"], "scores": [1, 1]}]}',
            "scores",
            "1 types but 2 scores",
        ),
        ('{"text": "a", "tokens": [[0]]}', "wrong kind", "pairs"),
        ('{"text": "a", "tokens": [[0, 2]]}', "span outside the text", "token 0-2"),
        ('{"text": "a", "annotated": {"entities": "PER"}}', "wrong kind", '{"entities": ["PER"]}'),
        ('{"text": "a", "evidence": {"A": [{"start": 0, "end": 9}]}}', "span outside the text", "evidence of A"),
        ('{"text": "a", "evidence": []}', "wrong kind", "lists of spans"),
        ('{"text": "a", "event_types": ["A"], "type_scores": [0.1, 0.2]}', "scores", "the article"),
        ('{"text": "a\udce9"}', "not UTF-8", "0xE9"),
    ],
)
def test_a_broken_line_is_located_and_does_not_stop_the_others(run: Callable, line: str, cause: str, said: str) -> None:
    articles, problems, _ = run(jsonl.read, f'{{"text": "أول"}}\n\n{line}\n{{"text": "آخر"}}\n')
    assert [article.text for article in articles] == ["أول", "آخر"]
    assert {problem.line for problem in problems} == {3}
    assert any(problem.cause == cause and said in problem.message for problem in problems), problems


@pytest.mark.parametrize(
    ("article", "cause"),
    [
        (Article(text="a", entities=(Entity(start=0, end=1, label="A", score=float("nan")),)), "not JSON"),
        (Article(text="a", meta={"x": {1}}), "not JSON"),
        (Article(text="\ud83d\ude00"), "surrogate pair"),
    ],
)
def test_jsonl_leaves_out_what_json_cannot_hold(run: Callable, written: Callable, article: Article, cause: str) -> None:
    text, lost = written(jsonl.write, article, Article(text="آخر"))
    assert lost == [cause]
    assert [kept.text for kept in run(jsonl.read, text)[0]] == ["آخر"]


def test_offsets_that_surfaces_prove_are_fixed(run: Callable) -> None:
    decomposed = unicodedata.normalize("NFD", "الأردن")
    entities = [
        {"start": 6, "end": 9, "label": "GPE", "text": "غزة"},
        {"start": 13, "end": 19, "label": "GPE", "text": decomposed},
    ]
    trigger = {"start": 0, "end": 1, "text": "😀"}
    content = {"text": "😀 في غزة أو الأردن", "id": "a", "entities": entities[:1]}
    content["events"] = [{"trigger": trigger, "types": ["A"]}]
    (article,), problems, (fixed,) = run(jsonl.read, content)
    assert [entity.text for entity in article.entities] == ["غزة"] and not problems
    assert (fixed.cause, fixed.line, fixed.article) == ("UTF-16 units", 1, "a")
    content["entities"] = [{**entities[1], "start": 12, "end": 18}]
    (article,), problems, (fixed,) = run(jsonl.read, content)
    assert [entity.text for entity in article.entities] == ["الأردن"] and fixed.cause == "another normal form"
