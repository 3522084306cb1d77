import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Article, Entity, Sentence, check_article
from rasid.data.formats import classification


def test_classification_of_a_sentence(run: Callable) -> None:
    labels = '"labels": ["ASSAULT"], "annotated": "ASSAULT"'
    line = f'{{"text": " قصف الجيش المدينة ", {labels}, "id": "a", "doc": "d", "accept": 3}}'
    (article,), problems, _ = run(classification.read, line)
    assert not problems and not list(check_article(article))
    assert article.text == " قصف الجيش المدينة "
    assert article.sentences == (Sentence(start=1, end=18, types=("ASSAULT",)),)
    assert article.annotated == {"sentence_types": ("ASSAULT",)}
    assert article.meta == {"doc": "d", "accept": 3} and article.event_types == ()


def test_classification_of_an_article(run: Callable) -> None:
    line = '{"text": "نص", "event_types": [], "annotated": ["AID"], "title": "عنوان", "date": "", "source": null}'
    (article,), problems, _ = run(classification.read, line)
    assert not problems
    assert (article.title, article.date, article.source) == ("عنوان", None, None)
    assert article.sentences == () and article.annotated == {"article_types": ("AID",)}


@settings(max_examples=100, deadline=None)
@given(
    text=st.text("اب \n\u2028\U0001f600", min_size=1).filter(str.strip),
    types=st.lists(st.sampled_from(["A", "B"]), unique=True),
    of_sentence=st.booleans(),
    annotated=st.booleans(),
)
def test_classification_round_trip(
    run: Callable, written: Callable, text: str, types: list[str], of_sentence: bool, annotated: bool
) -> None:
    start = len(text) - len(text.lstrip())
    sentence = Sentence(start=start, end=start + len(text.strip()), types=tuple(types))
    article = Article(
        text=text,
        id="a",
        sentences=(sentence,) if of_sentence else (),
        event_types=() if of_sentence else tuple(types),
        annotated={"sentence_types" if of_sentence else "article_types": ("A", "B")} if annotated else {},
        meta={"doc": "d"},
    )
    line, lost = written(classification.write, article)
    assert not lost and run(classification.read, line) == ([article], [], [])


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ('{"text": "a", "labels": "A"}', "wrong kind", "list of strings"),
        ('{"text": "a"}', "missing key", "labels"),
        ('{"labels": []}', "missing key", "text"),
        ('{"text": " ", "labels": []}', "no text", "empty"),
        ('{"text": "a", "labels": ["A"], "annotated": "B"}', "annotated", "'A'"),
        ('{"text": "a", "labels": [], "annotated": 1}', "wrong kind", "annotated is 1"),
        ('{"text": "a", "labels": [], "event_types": [], "annotated": "A"}', "annotated", "lines of their own"),
        ('{"text": "a", "labels": [], "id": 1}', "wrong kind", "id is 1"),
        ("[]", "wrong kind", "not an object"),
        ("x", "not JSON", "column 1"),
    ],
)
def test_problems_of_labeled_texts(run: Callable, line: str, cause: str, said: str) -> None:
    articles, problems, _ = run(classification.read, f'{line}\n{{"text": "نص", "labels": []}}')
    assert len(articles) == 1
    assert [(p.line, p.cause) for p in problems] == [(1, cause)] and said in problems[0].message


def test_labeled_texts_record_what_they_lose(written: Callable) -> None:
    article = Article(
        text="ab cd",
        event_types=("A",),
        entities=(Entity(start=0, end=2, label="X", score=0.5),),
        annotated={"entities": ("X",)},
        meta={"text": "x"},
    )
    line, lost = written(classification.write, article, Article(text="ab cd", sentences=(Sentence(start=0, end=2),)))
    assert json.loads(line) == {"text": "ab cd", "event_types": ["A"]}
    assert lost == [
        "entities left out",
        "annotated left out",
        "scores left out",
        "meta left out",
        "sentences of an article",
    ]


def test_rows_annotated_for_one_label_each_are_one_article(run: Callable) -> None:
    rows = [
        {"text": "تظاهر المئات.", "labels": [], "annotated": "ASSAULT", "id": "a"},
        {"text": "تظاهر المئات.", "labels": ["PROTEST"], "annotated": "PROTEST", "id": "a"},
        {"text": "تظاهر المئات.", "labels": ["PROTEST"], "annotated": "PROTEST", "id": "b"},
        {"text": "قتل جندي.", "labels": ["ASSAULT"], "annotated": "ASSAULT", "id": "c"},
        {"text": "قتل جنديان.", "labels": ["ASSAULT"], "annotated": "PROTEST ASSAULT".split(), "id": "c"},
    ]
    read, _, fixed = run(classification.read, *rows)
    assert [article.id for article in read] == ["a", "b", "c", "c"]
    assert read[0].annotated == {"sentence_types": ("ASSAULT", "PROTEST")}
    assert read[0].sentences[0].types == ("PROTEST",)
    assert [problem.line for problem in fixed] == [2]


def test_predictions_are_not_written_as_labels(written: Callable) -> None:
    sentence = Sentence(start=0, end=3, types=("A",), scores=(0.5,))
    predictions = [
        Article(text="قصف", event_types=("A",), type_scores=(0.5,)),
        Article(text="قصف", sentences=(sentence,)),
    ]
    line, lost = written(classification.write, *predictions)
    assert line == "" and lost == ["prediction", "prediction"]
