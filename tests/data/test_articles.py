import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.articles import TASKS, Argument, Article, Entity, Event, Sentence, Span, check_article, valid_part
from rasid.data.labels import Label, LabelScheme
from rasid.data.problems import DataError, Problem, ProblemLog

TEXT = "قصف الجيش السوري الباغوز"


@pytest.fixture
def scheme() -> LabelScheme:
    return LabelScheme(
        name="small",
        entities={"GPE": Label(name="GPE"), "ORG": Label(name="ORG")},
        events={"ASSAULT": Label(name="ASSAULT")},
        roles={"Actor": Label(name="Actor")},
    )


@pytest.fixture
def article() -> Article:
    return Article(
        text=TEXT,
        id="a",
        entities=(Entity(start=4, end=16, label="ORG", id="e1"), Entity(start=17, end=24, label="GPE")),
        events=(
            Event(
                trigger=Span(start=0, end=3),
                types=("ASSAULT",),
                id="v1",
                arguments=(Argument(role="Actor", entity="e1"),),
            ),
        ),
        event_types=("ASSAULT",),
        sentences=(Sentence(start=0, end=len(TEXT), types=("ASSAULT",)),),
        annotated={"entities": ("GPE",), "proclitics": (), "sentence_types": ("ASSAULT",)},
    )


def test_a_valid_article_has_no_problem(article: Article, scheme: LabelScheme) -> None:
    assert list(check_article(article, scheme)) == [] == list(check_article(article))


def test_records_do_not_change_an_article(article: Article) -> None:
    before = repr(article)
    (record,) = article.records
    assert (record.article_id, record.fillers["Actor"][0].text) == ("a", "الجيش السوري")
    assert repr(article) == before and article.records == (record,)
    copy = pickle.loads(pickle.dumps(article))
    assert copy == article and copy.records == article.records


def test_surfaces_are_filled_in_from_the_text(article: Article) -> None:
    assert [entity.text for entity in article.entities] == ["الجيش السوري", "الباغوز"]
    assert article.events[0].trigger.text == "قصف"
    assert article.events[0].score is None
    assert Event(trigger=Span(start=0, end=1), types=("A", "B"), scores=(0.2, 0.7)).score == 0.7


def entity(start: int, end: int, text: str = "") -> dict:
    return {"entities": (Entity(start=start, end=end, label="GPE", text=text),)}


def event(**fields) -> dict:
    return {"events": (Event(**{"trigger": Span(start=0, end=3), "types": ("ASSAULT",), **fields}),)}


@pytest.mark.parametrize(
    ("fields", "cause", "said"),
    [
        (entity(17, 25), "span outside the text", "24 code points"),
        (entity(-1, 3), "span outside the text", "-1-3"),
        (entity(5, 3), "span outside the text", "5-3"),
        (entity(5, 5), "empty span", "n to n+1"),
        (entity(3, 9), "white space at an edge", "the mention is 'الجيش'"),
        (entity(4, 10), "white space at an edge", "the mention is 'الجيش'"),
        (entity(17, 24, "سوريا"), "surface differs", "'سوريا'"),
        (event(trigger=Span(start=0, end=4)), "white space at an edge", "trigger"),
        (event(trigger=Span(start=0, end=3, text="قتل")), "surface differs", "'قتل'"),
        (event(types=()), "no type", "'قصف' at 0"),
        (event(types=("ASAULT",)), "unknown label", "did you mean 'ASSAULT'?"),
        (event(arguments=(Argument(role="Actor", entity="e9"),)), "unknown id", "'e9'"),
        (event(arguments=(Argument(role="Actor", entity=""),)), "unknown id", "''"),
        ({"entities": (Entity(start=0, end=3, label="gpe"),)}, "unknown label", "did you mean 'GPE'?"),
        ({"event_types": ("PROTEST",)}, "unknown label", "'small' (ASSAULT)"),
        ({"sentences": (Sentence(start=0, end=99),)}, "span outside the text", "sentence"),
        ({"sentences": (Sentence(start=0, end=3, types=("X",)),)}, "unknown label", "sentence at 0"),
        ({"annotated": {"entitys": ()}}, "unknown task", ", ".join(TASKS)),
        ({"annotated": {"entities": ("PER",)}}, "unknown label", "'PER' of entities is not in scheme 'small'; did"),
    ],
)
def test_each_problem_is_reported(fields: dict, cause: str, said: str, scheme: LabelScheme) -> None:
    ((found, message),) = check_article(Article(text=TEXT, **fields), scheme)
    assert found == cause and said in message


def test_roles_and_ids(scheme: LabelScheme) -> None:
    article = Article(
        text=TEXT,
        entities=(Entity(start=0, end=3, label="GPE", id="x"), Entity(start=4, end=9, label="GPE", id="x")),
        **event(id="x", arguments=(Argument(role="actor", entity="x"),)),
    )
    problems = list(check_article(article, scheme))
    assert [cause for cause, _ in problems] == ["duplicate id", "duplicate id", "unknown label"]
    assert "did you mean 'Actor'?" in problems[2][1]


def test_labels_are_not_checked_without_a_scheme() -> None:
    fields = entity(0, 3) | event(types=("ANY",)) | {"event_types": ("ANY",), "annotated": {"entities": ("ANY",)}}
    assert not list(check_article(Article(text=TEXT, **fields)))


def test_the_valid_part_leaves_out_exactly_what_has_a_problem(article: Article) -> None:
    entities = (
        Entity(start=4, end=9, label="GPE", id="a"),
        Entity(start=4, end=99, label="GPE", id="b"),
        Entity(start=0, end=3, label="GPE", id="a"),
    )
    trigger = Span(start=0, end=3)
    events = (
        Event(trigger=trigger, types=("AID",), arguments=(Argument(role="Actor", entity="b"),)),
        Event(trigger=trigger, types=("AID",)),
    )
    damaged = Article(text=TEXT, id="x", entities=entities, events=events, annotated={"nonsense": ()})
    valid, problems = valid_part(damaged)
    assert not list(check_article(valid))
    assert (valid.entities, valid.events, valid.annotated) == (damaged.entities[:1], damaged.events[1:], {})
    causes = ["span outside the text", "duplicate id", "unknown id", "unknown task"]
    assert [cause for cause, _ in problems] == causes
    assert valid_part(article) == (article, [])


@given(st.text("اب \n", max_size=6), st.integers(-2, 8), st.integers(-2, 8))
def test_a_span_is_valid_if_and_only_if_it_has_no_white_space_at_its_edges(text: str, start: int, end: int) -> None:
    piece = text[start:end] if 0 <= start <= end <= len(text) else ""
    problems = list(check_article(Article(text=text, entities=(Entity(start=start, end=end, label="A"),))))
    assert (not problems) == (piece != "" and piece == piece.strip())


def test_a_data_error_groups_its_problems_by_cause_and_keeps_all() -> None:
    many = [Problem(source="s", line=n, cause="c", message="m") for n in range(1, 1871)]
    error = DataError([*many, Problem(source="s", line=9, cause="d", message="n")])
    assert len(error.problems) == 1871
    assert str(error).split("\n") == ["c: 1,870 times, the first 3:", "  s:1: m", "  s:2: m", "  s:3: m", "s:9: n"]
    causes = DataError(Problem(source="s", cause=f"c{n}", message=f"m{n}") for n in range(60))
    assert str(causes).startswith("s: m0\n") and str(causes).endswith("… and 10 more lines")


def test_a_problem_log_counts_by_cause() -> None:
    log = ProblemLog(source="s")
    log.articles = 2
    log.drop("a", "x", line=1)
    log.drop("a", "y")
    log.fix("b", "z", article="q")
    assert log.counts() == {"articles": 2, "fixed: b": 1, "dropped: a": 2}
    assert [str(problem) for problem in log.dropped + log.fixed] == ["s:1: x", "s: y", "s: [q] z"]
