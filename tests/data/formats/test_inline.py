import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span, check_article
from rasid.data.formats import inline
from rasid.data.problems import DataError, Problem, ProblemLog
from rasid.data.reading import load_articles

# Letters, and what a writer of markup can stumble over: marks, line starts, every line end but \n, bidi, NUL, harakat.
HOSTILE = 'ابلقوَـ٣aZ1  \n\n[]{}\\@-:+="\r\u2028\x85\x1c\x00\u200f\u202b\u2066\u200c\ufeff\U0001f600e\u0301'


def read(text: str) -> tuple[list[Article], list[Problem]]:
    log = ProblemLog(source="t.rasid")
    lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
    articles = [article for _, article in inline.read(lines, log)]
    # White space behind an invisible character at an edge is trimmed with it.
    fixable = {"prediction", "invisible character at an edge", "white space at an edge"}
    assert log.articles == len(articles) and {*log.fix_counts} <= fixable
    return articles, log.dropped


def write(*articles: Article) -> tuple[str, list[Problem]]:
    log = ProblemLog()
    return "".join(inline.write(articles, log)), log.dropped


@settings(max_examples=200, deadline=None)
@given(st.text(HOSTILE, max_size=60), st.sampled_from(["", "---\nid: a\n---\n", "---\n"]))
def test_garbage_is_an_article_or_a_problem_and_what_is_read_can_be_written(body: str, front: str) -> None:
    read_articles, problems = read(front + body)
    assert read_articles or problems or not (front + body).strip()
    text, lost = write(*read_articles)
    assert not lost
    assert read(text)[0] == read_articles


CANONICAL = """---
id: sahel-0001
date: 2019-04-02
source: وكالة أنباء الساحل
event_types: [ASSAULT, MOBILIZE]
annotated: {"entities": ["GPE"]}
meta: {"hard": ["clitic", "nested"]}
---
عنوان الخبر

[e1:GPE باماكو] (مالي) - {v1:ASSAULT+COERCE خطف} [e2:NUM سبعة] من [:ORG قوات [:GPE مالي]] و[e3:WEA {v2:AID دعم}]
@v1 Count=e2 Location=e1 Location=e3
@v2 Instrument=e3

\\@user \\[1\\] \\\\ \\{\\}
\\---
"""


def test_canonical_text_reads_as_it_is_meant() -> None:
    (article,), problems = read(CANONICAL)
    assert not problems
    assert article.text == ("عنوان الخبر\n\nباماكو (مالي) - خطف سبعة من قوات مالي ودعم\n\n@user [1] \\ {}\n---")
    assert (article.id, article.title, article.date) == ("sahel-0001", "عنوان الخبر", "2019-04-02")
    assert article.event_types == ("ASSAULT", "MOBILIZE")
    assert article.annotated == {"entities": ("GPE",)} and article.meta == {"hard": ["clitic", "nested"]}
    assert [(e.id, e.label, e.text) for e in article.entities] == [
        ("e1", "GPE", "باماكو"),
        ("e2", "NUM", "سبعة"),
        ("", "ORG", "قوات مالي"),
        ("", "GPE", "مالي"),
        ("e3", "WEA", "دعم"),
    ]
    first, second = article.events
    assert (first.id, first.trigger.text, first.types) == ("v1", "خطف", ("ASSAULT", "COERCE"))
    assert [(a.role, a.entity) for a in first.arguments] == [("Count", "e2"), ("Location", "e1"), ("Location", "e3")]
    assert (second.trigger.text, second.arguments[0].entity) == ("دعم", "e3")
    assert not list(check_article(article))
    assert write(article) == (CANONICAL, [])


def test_a_proclitic_stays_outside_the_mark() -> None:
    (article,), _ = read("---\n---\nو[:GPE واشنطن]\n")
    assert article.text == "وواشنطن" and article.entities[0].start == 1


@pytest.mark.parametrize(
    ("front", "body", "title"),
    [
        ("", "عنوان\n\nنص\n", "عنوان"),
        ("", "عنوان\r\n\r\nنص\n", "عنوان"),
        ("", "[:GPE سوريا] اليوم\n\nنص\n", "سوريا اليوم"),
        ("", "سطر\nنص\n", None),
        ("", "سطر\n", None),
        ("title:\n", "عنوان\n\nنص\n", None),
        ("title: آخر\n", "عنوان\n\nنص\n", "آخر"),
        ('title: ""\n', "عنوان\n\nنص\n", ""),
        ('title: "داعش" و"القاعدة"\n', "نص\n", '"داعش" و"القاعدة"'),
    ],
)
def test_title(front: str, body: str, title: str | None) -> None:
    (article,), problems = read(f"---\n{front}---\n{body}")
    assert not problems and article.title == title


@pytest.mark.parametrize(
    ("body", "line", "cause", "said"),
    [
        ("قال\n[e1:GPE سوريا\n\nنص]", 4, "bracket", "write ] where it ends"),
        ("قال\n[e1:GPE سوريا\n\nنص]", 6, "bracket", r"write \]"),
        ("{v1:ASSAULT قتل]", 3, "bracket", "close it by '}'"),
        ("[سوريا]", 3, "label missing", r"\["),
        ("[e1 سوريا]", 3, "label missing", "[id:LABEL surface]"),
        ("{v1: قتل}", 3, "label missing", "{id:TYPE surface}"),
        ("{v1:ASSAULT+ قتل}", 3, "label missing", "TYPE+TYPE"),
        ("[e1:GPE ]", 3, "empty span", "is empty"),
        ("[e1:GPE  سوريا]", 3, "white space at an edge", "'سوريا'"),
        ("[e1:GPE سوريا ]", 3, "white space at an edge", "'سوريا'"),
        ("a\\b", 3, "escape", "\\\\"),
        ("{v1:AID دعم} [e1:GPE مصر]\n@v2 Actor=e1", 4, "unknown id", "'v2'"),
        ("{v1:AID دعم} [e1:GPE مصر]\n@v1 Actor=e2", 4, "unknown id", "'e2'"),
        ("{v1:AID دعم} [e1:GPE مصر]\n@e1 Actor=v1", 4, "unknown id", "no entity has the id 'v1'"),
        ("{v1:AID دعم}\n@v1", 4, "argument line", "@id Role=id"),
        ("{v1:AID دعم}\n@v1 Actor", 4, "argument line", "@id Role=id"),
        ("@user كتب", 3, "argument line", "\\@"),
        ("[e1:GPE مصر]\n[e1:GPE مصر]", 4, "duplicate id", "'e1'"),
        ("[e1:GPE مصر]\n{e1:AID دعم}", 4, "duplicate id", "'e1'"),
        ("نص \udce9 نص", 3, "not UTF-8", "0xE9"),
    ],
)
def test_problems_of_the_body_are_located(body: str, line: int, cause: str, said: str) -> None:
    (rest,), problems = read(f"---\n---\n{body}\n---\nid: next\n---\nنص\n")
    assert rest.id == "next"
    assert any((p.line, p.cause) == (line, cause) and said in p.message for p in problems), problems
    assert all(str(p).startswith("t.rasid:") for p in problems)


@pytest.mark.parametrize(
    ("text", "line", "cause", "said"),
    [
        ("نص\n", 1, "front matter", "starts with a line ---"),
        ("---\nid: a\n", 1, "front matter", "never closed"),
        ("---\nid: a\nنص بلا حد\n", 3, "front matter", "close the front matter"),
        ("---\ntile: a\n---\nنص\n", 2, "unknown key", "did you mean 'title'?"),
        ("---\nid: a\nid: b\n---\nنص\n", 3, "key given twice", "'id'"),
        ("---\nmeta: {x}\n---\nنص\n", 2, "front matter", "not JSON"),
        ("---\nmeta: []\n---\nنص\n", 2, "front matter", "not a JSON object"),
        ('---\nmeta: {"a": 1, "a": 2}\n---\nنص\n', 2, "front matter", "twice"),
        ('---\nannotated: {"entities": "PER"}\n---\nنص\n', 2, "front matter", '{"entities": ["PER"]}'),
        ("---\nevent_types: ASSAULT\n---\nنص\n", 2, "front matter", "[ASSAULT, MOBILIZE]"),
        ("---\nevent_types: [A B]\n---\nنص\n", 2, "front matter", "[ASSAULT, MOBILIZE]"),
        ("---\nid: a\n---\n", 1, "no text", "no text"),
    ],
)
def test_problems_of_the_front_matter_are_located(text: str, line: int, cause: str, said: str) -> None:
    articles, problems = read(text)
    assert not articles
    assert [(p.line, p.cause) for p in problems] == [(line, cause)]
    assert said in problems[0].message


def test_an_unclosed_front_matter_does_not_spoil_the_articles_behind_it() -> None:
    articles, problems = read("---\nid: a\nنص\n\nنص\n---\nid: b\n---\nنص\n---\nid: c\n---\nنص\n")
    assert [article.id for article in articles] == ["b", "c"]
    assert [problem.line for problem in problems] == [3]


def test_every_problem_of_an_article_is_reported() -> None:
    _, problems = read("---\nid: a\ntile: x\n---\n[مصر] {v1:AID دعم}\n@v1 Actor=e9\n\n[:GPE ]\n")
    assert [(p.line, p.cause, p.article) for p in problems] == [
        (3, "unknown key", "a"),
        (5, "label missing", "a"),
        (6, "unknown id", "a"),
        (8, "empty span", "a"),
    ]


def loss(article: Article) -> tuple[list[str], Article]:
    text, lost = write(article)
    (back,), problems = read(text)
    assert not problems and back.text == article.text
    return [problem.cause for problem in lost], back


def test_a_crossing_mention_is_left_out_with_its_arguments_and_recorded() -> None:
    article = Article(
        text="أ ب ج د",
        entities=(
            Entity(start=0, end=3, label="A", id="e1"),
            Entity(start=2, end=5, label="B", id="e2"),
        ),
        events=(
            Event(
                trigger=Span(start=6, end=7),
                types=("T",),
                id="v1",
                arguments=(Argument(role="R", entity="e2"), Argument(role="R", entity="e1")),
            ),
        ),
    )
    causes, back = loss(article)
    assert causes == ["crossing spans", "argument"]
    assert back.entities == article.entities[:1]
    assert back.events[0].arguments == (Argument(role="R", entity="e1"),)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"entities": (Entity(start=0, end=4, label="A"),)}, "span"),
        ({"entities": (Entity(start=4, end=9, label="A"),)}, "span"),
        ({"entities": (Entity(start=1, end=1, label="A"),)}, "span"),
        ({"entities": (Entity(start=0, end=8, label="A"),)}, "span over a blank line"),
        ({"entities": (Entity(start=0, end=2, label="A B"),)}, "label"),
        ({"entities": (Entity(start=0, end=2, label=""),)}, "label"),
        ({"events": (Event(trigger=Span(start=0, end=2), types=()),)}, "label"),
        ({"events": (Event(trigger=Span(start=0, end=2), types=("A+B",)),)}, "label"),
        ({"entities": (Entity(start=0, end=2, label="A", id="a b"),)}, "id"),
        ({"entities": (Entity(start=0, end=2, label="A", score=0.5),)}, "scores left out"),
        ({"events": (Event(trigger=Span(start=0, end=2), types=("A",), scores=(0.5,)),)}, "scores left out"),
        ({"event_types": ("A",), "type_scores": (0.5,)}, "scores left out"),
        ({"evidence": {"A": (Span(start=0, end=2),)}}, "evidence left out"),
        ({"sentences": (Sentence(start=0, end=2, types=("A",)),)}, "sentence labels left out"),
        ({"tokens": ((0, 2),)}, "tokens left out"),
    ],
)
def test_what_markup_cannot_hold_is_recorded(fields: dict, cause: str) -> None:
    assert loss(Article(text="قال\n\nنعم", **fields))[0] == [cause]


def test_arguments_of_an_event_without_id_are_recorded() -> None:
    event = Event(trigger=Span(start=0, end=1), types=("T",), arguments=(Argument(role="R", entity="e1"),))
    causes, back = loss(Article(text="أ ب", entities=(Entity(start=2, end=3, label="A", id="e1"),), events=(event,)))
    assert causes == ["argument"] and back.events[0].arguments == ()


@pytest.mark.parametrize(
    ("article", "cause"),
    [
        (Article(text="a\ud800b"), "lone surrogate"),
        (Article(text="a", meta={"x": {1, 2}}), "not JSON"),
        (Article(text="a", meta={"x": float("nan")}), "not JSON"),
    ],
)
def test_an_article_that_markup_cannot_hold_is_left_out(article: Article, cause: str) -> None:
    text, lost = write(Article(text="أول"), article, Article(text="آخر"))
    assert [problem.cause for problem in lost] == [cause]
    assert [kept.text for kept in read(text)[0]] == ["أول", "آخر"]


def test_a_file_read_from_windows_keeps_its_text(tmp_path) -> None:
    (tmp_path / "a.rasid").write_bytes("\ufeff---\r\nid: a\r\n---\r\nعنوان\r\n\r\n{v1:AID دعم}\r\n".encode())
    (article,) = load_articles(tmp_path)
    assert (article.id, article.title) == ("a", "عنوان")
    assert article.text == "عنوان\r\n\r\nدعم\r"


def test_check_command_names_file_and_line(tmp_path, news) -> None:
    path = tmp_path / "a.rasid"
    path.write_text("---\nid: a\n---\n[e1:GEP سوريا] {v1:ASAULT قصف}\n@v1 Actr=e1\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_articles(tmp_path, scheme=news)
    messages = [str(problem) for problem in caught.value.problems]
    listed, *messages = messages
    assert "GEP (1), ASAULT (1), Actr (1)" in listed and "--label" in listed
    assert len(messages) == 3 and all(message.startswith(f"{path}:1: [a]") for message in messages)
    assert "'GPE'" in messages[0] and "'ASSAULT'" in messages[1] and "'Actor'" in messages[2]


@pytest.fixture
def news():
    from rasid.data.labels import load_scheme

    return load_scheme("news")


def test_predicted_event_types_are_marked_and_read_on_request() -> None:
    text, _ = write(Article(text="قصف", id="a", event_types=("AID", "B C"), type_scores=(0.5, 0.6)))
    assert text.splitlines()[2] == 'predicted_event_types: ["AID", "B C"]'
    log = ProblemLog()
    [(_, article)] = inline.read(text.splitlines(), log)
    [fixed] = log.fixed
    assert article.event_types == () and (fixed.cause, fixed.line) == ("prediction", 3) and "AID, B C" in fixed.message
    [(_, article)] = inline.read(text.splitlines(), ProblemLog(), predictions=True)
    assert article.event_types == ("AID", "B C")


def test_invisible_characters_at_the_edges_of_mentions_are_left_out() -> None:
    log = ProblemLog()
    [(_, article)] = inline.read(["---", "id: a", "---", "في [:GPE \u200fغزة\u200c] اليوم"], log)
    [entity] = article.entities
    assert (entity.start, entity.end, article.text) == (4, 7, "في \u200fغزة\u200c اليوم")
    [fixed] = log.fixed
    assert (fixed.cause, fixed.line) == ("invisible character at an edge", 4) and "U+200C" in fixed.message
