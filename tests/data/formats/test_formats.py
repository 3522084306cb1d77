import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from rasid.data.articles import Article, Entity, Event, Sentence, Span, check_article
from rasid.data.formats import classification, conll, detect, jsonl, read_files, write_articles
from rasid.data.formats.common.tags import spans_to_tags, tags_to_spans
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles

# jsonl


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
        (
            '{"text": "😀ab", "entities": [{"start": 2, "end": 3, "label": "A", "text": "a"}]}',
            "surface differs",
            "count UTF-16 units",
        ),
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


# conll

TAGS = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in ("PER", "GPE", "X-Y"))])


@settings(max_examples=300, deadline=None)
@given(st.lists(TAGS, max_size=12))
def test_tags_are_read_as_seqeval_reads_them(tags: list[str]) -> None:
    assert tags_to_spans(tags) == sorted((start, end + 1, label) for label, start, end in get_entities(tags))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(["PER", "X-Y"])), max_size=5))
def test_spans_and_tags_are_a_pair(gaps: list[tuple[int, int, str]]) -> None:
    spans: list[tuple[int, int, str]] = []
    at = 0
    for gap, length, label in gaps:
        spans.append((at + gap, at + gap + length, label))
        at += gap + length
    tags = spans_to_tags(reversed(spans), at + 1)
    assert len(tags) == at + 1 and set(tag[0] for tag in tags) <= set("BIO")
    assert tags_to_spans(tags) == spans
    assert sum(tag[0] == "B" for tag in tags) == len(spans)


def test_the_outermost_span_is_the_flat_one() -> None:
    spans = [(0, 1, "A"), (0, 3, "B"), (2, 4, "C"), (0, 3, "D")]
    assert spans_to_tags(spans, 4) == ["B-B", "I-B", "I-B", "O"]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["U-A", "B-A", "L-A", "I-A"], [(0, 1, "A"), (1, 3, "A"), (3, 4, "A")]),
        (["B-A", "M-A", "E-A", "S-A"], [(0, 3, "A"), (3, 4, "A")]),
        (["I-A", "I-A", "B-A", "I-B"], [(0, 2, "A"), (2, 3, "A"), (3, 4, "B")]),
    ],
)
def test_other_schemes(tags: list[str], spans: list[tuple[int, int, str]]) -> None:
    assert tags_to_spans(tags) == spans


@pytest.mark.parametrize("tag", ["", "PER", "B-", "X-PER", "B_PER"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not a tag"):
        tags_to_spans(["O", tag])


def test_nested_columns_are_not_levels(run: Callable) -> None:
    text = "\n".join(
        [
            "اللجنة B-OCC",
            "القومية I-OCC B-ORG",
            "العربية I-ORG I-OCC",  # the two columns change places
            "في I-OCC",
            "نابلس B-GPE I-OCC B-GPE",  # one span said twice
            "$#$ O",
            "",
            "ثم O",
            "",
        ]
    )
    (first, second), problems, fixed = run(conll.read, text, source="dir/train.txt")
    assert not problems and [p.cause for p in fixed] == ["sentinel"]
    assert first.text == "اللجنة القومية العربية في نابلس" and (first.id, second.id) == ("train-1", "train-2")
    assert [(e.label, e.text) for e in first.entities] == [
        ("OCC", first.text),
        ("ORG", "القومية العربية"),
        ("GPE", "نابلس"),
    ]
    assert [first.text[start:end] for start, end in first.tokens] == first.text.split(" ")


def test_conll_particulars(run: Callable) -> None:
    text = "# id = 5\n# O\n#سوريا\tB-GPE\nو\u00a0قال\tO\nأمس\tO\r\n\n-DOCSTART- -X- O O\n\nEU NNP B-NP I-ORG\n"
    (first, second), problems, fixed = run(conll.read, text)
    assert not problems
    assert [p.cause for p in fixed] == ["comment", "document mark", "stray I-"]
    assert first.text == "# #سوريا و\u00a0قال أمس" and [e.text for e in first.entities] == ["#سوريا"]
    assert [e.label for e in second.entities] == ["NP", "ORG"]
    (_, second), _, _ = run(conll.read, "a\tb\tc\tO\n\nx y I-NP I-ORG", columns=3)
    assert [e.label for e in second.entities] == ["ORG"]


def test_labels_that_are_triggers(run: Callable) -> None:
    text = "هاجم\tB-ASSAULT\nمسلحون\tB-SOURCE\n"
    (article,), _, _ = run(conll.read, text, triggers={"ASSAULT"})
    assert [(e.trigger.text, e.types) for e in article.events] == [("هاجم", ("ASSAULT",))]
    assert [e.label for e in article.entities] == ["SOURCE"]


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("سوريا", "no tag", "'سوريا'"),
        ("سوريا GPE", "not a tag", "'GPE'"),
        ("سوريا B-", "not a tag", "'B-'"),
        ("\tO", "no token", "no token"),
        ("س\udcc7\tO", "not UTF-8", "0xC7"),
    ],
)
def test_a_bad_token_line_leaves_its_sentence_out(run: Callable, line: str, cause: str, said: str) -> None:
    articles, problems, _ = run(conll.read, f"قبل O\n\nفي O\n{line}\n\nبعد O")
    assert [(article.id, article.text) for article in articles] == [("f-1", "قبل"), ("f-3", "بعد")]
    assert [(p.line, p.cause, p.article) for p in problems] == [(4, cause, "f-2")] and said in problems[0].message


def test_conll_writes_words_and_sentences_and_records_what_it_loses(written: Callable) -> None:
    text = "قُتل سبعة وواشنطن تندد. عقدت اللجنة اجتماعا في مصر."
    start = text.index("واشنطن")
    egypt = text.index("مصر")
    article = Article(
        text=text,
        id="a",
        entities=(
            Entity(start=start, end=start + 6, label="GPE"),
            Entity(start=egypt, end=egypt + 3, label="GPE"),
        ),
        events=(Event(trigger=Span(start=0, end=4), types=("ASSAULT",)),),
        meta={"x": 1},
    )
    chunk, lost = written(conll.write, article)
    assert lost == ["widened to tokens", "id left out", "events left out", "meta left out", "spacing left out"]
    first, second = chunk.rstrip("\n").split("\n\n")
    assert "وواشنطن\tB-GPE" in first.split("\n") and "مصر\tB-GPE" in second.split("\n")
    assert first.startswith("قُتل\tO\n") and second.endswith("\n.\tO")


def test_conll_tells_of_ids_that_reading_would_not_give_back(written: Callable) -> None:
    first, second = Article(text="وصل", id="f-1"), Article(text="غادر", id="f-2")
    assert not written(conll.write, first, second, Article(text="عاد"))[1]
    assert written(conll.write, second)[1] == ["id left out"]
    cut = Article(text="وصل الوفد. غادر الوفد.", id="f-1")
    assert written(conll.write, cut)[1] == ["id left out", "spacing left out"]


def test_conll_never_cuts_a_mention(written: Callable) -> None:
    text = "قال. نعم"
    chunk, _ = written(conll.write, Article(text=text, entities=(Entity(start=0, end=len(text), label="A"),)))
    assert chunk == "قال\tB-A\n.\tI-A\nنعم\tI-A\n\n"


@pytest.mark.parametrize("token", ["$#$", "a\tb", "a\nb", " a", "\ud800"])
def test_a_token_that_conll_cannot_hold(written: Callable, token: str) -> None:
    article = Article(text=token, tokens=((0, len(token)),))
    assert written(conll.write, article) == ("", ["token"])


# classification


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
        type_scores=(0.5,),
        entities=(Entity(start=0, end=2, label="X"),),
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


# files


def write_file(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.rasid", "", "inline"),
        ("a.txt", "---\nid: a\n---\n", "inline"),
        ("a.jsonl", '{"text": "a", "labels": []}\n', "classification"),
        ("a.jsonl", '{"text": "a", "annotated": "A", "event_types": []}\n', "classification"),
        ("a.jsonl", '{"text": "a", "annotated": {"entities": []}}\n', "jsonl"),
        ("a.jsonl", "\ufeff" + '{"text": "a", "labels": []}\n', "classification"),
        ("a.jsonl", "{broken", "jsonl"),
        ("a.conll", "anything", "conll"),
        ("a.IOB2", "", "conll"),
        ("a.txt", "سوريا B-GPE\nقالت O\n\nنعم O\n", "conll"),
        ("a.txt", "سوريا\tB-GPE\r\nقالت\tO\r\n", "conll"),
    ],
)
def test_detect(tmp_path: Path, name: str, content: str, format: str) -> None:
    assert detect(write_file(tmp_path / name, content)) == format


@pytest.mark.parametrize(("name", "content"), [("a.txt", "نص عادي"), ("a.txt", ""), ("a.csv", "x,y"), ("a.json", "{}")])
def test_what_is_no_format_is_said(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="name one of jsonl, inline, conll, classification"):
        detect(write_file(tmp_path / name, content))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sub" / "a.jsonl", '{"text": "a"}\n')
    (tmp_path / "empty").mkdir()
    for call, said in [
        (lambda: detect(tmp_path / "b"), "no such file"),
        (lambda: detect(tmp_path), "is a folder"),
        (lambda: load_articles(tmp_path / "b"), "no such file"),
        (lambda: load_articles(tmp_path / "empty"), "without a file of suffix"),
        (lambda: load_articles(write_file(tmp_path / "e.jsonl", "")), "holds no articles"),
        (lambda: load_articles(path, "jsonlines"), "did you mean 'jsonl'"),
        (lambda: write_articles([], tmp_path / "a.xyz"), "name one of"),
    ]:
        with pytest.raises(DataError, match=said):
            call()


def test_a_folder_is_read_in_order_file_by_file(tmp_path: Path) -> None:
    write_file(tmp_path / "b.jsonl", '{"text": "2", "id": "2"}\n')
    write_file(tmp_path / "a.rasid", "---\nid: 1\n---\n1\n")
    write_file(tmp_path / "c" / "d.conll", "3 O\n")
    for ignored in ("stats.json", "notes.txt", ".hidden.jsonl", "c/.hidden/x.jsonl"):
        write_file(tmp_path / ignored, "{")
    log = ProblemLog()
    assert [article.text for _, article in read_files(tmp_path, log=log)] == ["1", "2", "3"]
    assert log.articles == 3 and not log.dropped
    assert [article.text for article in load_articles(tmp_path, "jsonl")] == ["2"]


def test_load_reports_every_problem_of_every_file(tmp_path: Path) -> None:
    first = write_file(
        tmp_path / "a.jsonl",
        '{"text": "قال", "id": "x"}\n{\n{"text": "قال ", "entities": [{"start": 0, "end": 4, "label": "A"}]}\n',
    )
    second = write_file(tmp_path / "b.rasid", "---\nid: x\n---\nنص\n---\nid: y\n---\n[\n")
    log = ProblemLog()
    with pytest.raises(DataError) as caught:
        load_articles(tmp_path, log=log)
    assert [(p.source, p.line, p.cause) for p in caught.value.problems] == [
        (str(first), 2, "not JSON"),
        (str(first), 3, "white space at an edge"),
        (str(second), 1, "duplicate id"),
        (str(second), 8, "label missing"),
    ]
    assert f"used at {first}:1 already" in str(caught.value)


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.jsonl", '{"text": "أول"}\n'.encode() + '{"text": "قال"}\n'.encode("windows-1256"))
    with pytest.raises(DataError) as caught:
        load_articles(path)
    assert [(p.line, p.cause) for p in caught.value.problems] == [(2, "not UTF-8")]
    assert "0xDE at column 11" in str(caught.value) and "windows-1256" in str(caught.value)


def test_carriage_returns_of_a_text_survive_the_file(tmp_path: Path) -> None:
    article = Article(text="سطر\r\nسطر\rسطر\u2028سطر", id="a")
    for name in ("a.jsonl", "a.rasid"):
        write_articles([article], tmp_path / name)
        assert load_articles(tmp_path / name) == [article]


def test_rows_annotated_for_one_label_each_are_one_article():
    rows = [
        {"text": "تظاهر المئات.", "labels": [], "annotated": "ASSAULT", "id": "a"},
        {"text": "تظاهر المئات.", "labels": ["PROTEST"], "annotated": "PROTEST", "id": "a"},
        {"text": "تظاهر المئات.", "labels": ["PROTEST"], "annotated": "PROTEST", "id": "b"},
        {"text": "قتل جندي.", "labels": ["ASSAULT"], "annotated": "ASSAULT", "id": "c"},
        {"text": "قتل جنديان.", "labels": ["ASSAULT"], "annotated": "PROTEST ASSAULT".split(), "id": "c"},
    ]
    log = ProblemLog()
    read = [article for _, article in classification.read((json.dumps(row) for row in rows), log)]
    assert [article.id for article in read] == ["a", "b", "c", "c"]
    assert read[0].annotated == {"sentence_types": ("ASSAULT", "PROTEST")}
    assert read[0].sentences[0].types == ("PROTEST",)
    assert log.articles == 4 and [problem.line for problem in log.fixed] == [2]
