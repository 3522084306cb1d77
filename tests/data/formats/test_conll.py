"""CoNLL files: tags and spans, nested columns, tag schemes, losses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from rasid.data.articles import Article, Entity, Event, Span, check_article
from rasid.data.formats import conll, jsonl, read_files, write_articles
from rasid.data.formats.common.tags import PREFIXES, TagScheme, spans_to_tags, tags_to_spans
from rasid.data.problems import ProblemLog
from rasid.data.reading import load_articles

LABELS = ("PERS", "ORG", "GPE")
SCHEMES = ("IOB2", "BIOES", "BILOU", "BMES")

# The shapes that occur in Wojood: columns that change places, a column that ends early, spans of one label in one
# another, a span that starts further right than its inner one, a sentinel with and without a blank line.
NESTED = """\
مكتب B-ORG
رئيس I-ORG B-OCC
بلدية I-ORG I-OCC B-ORG
رام I-ORG I-OCC I-ORG B-GPE
الله I-GPE I-ORG I-OCC I-ORG
$#$ O

قال O
سكرتير B-OCC
اللجنة I-OCC B-ORG
القومية I-OCC I-ORG
$#$ O
وصل O
"""


def read(text: str, **options: object) -> tuple[list[Article], ProblemLog]:
    log = ProblemLog(source="f.txt")
    return [article for _, article in conll.read(text.splitlines(keepends=True), log, **options)], log  # type: ignore[arg-type]


@pytest.fixture
def annotation() -> Callable[[list[Article]], list[tuple]]:
    """What is compared: all but where a tag was stray, which a written file does not repeat."""
    return lambda articles: [(a.text, a.tokens, a.entities) for a in articles]


def test_columns_of_wojood_are_nested_spans() -> None:
    articles, log = read(NESTED)
    assert [[(e.label, e.text) for e in article.entities] for article in articles] == [
        [
            ("ORG", "مكتب رئيس بلدية رام الله"),
            ("OCC", "رئيس بلدية رام الله"),
            ("ORG", "بلدية رام الله"),
            ("GPE", "رام الله"),
        ],
        [("OCC", "سكرتير اللجنة القومية"), ("ORG", "اللجنة القومية")],
    ]
    assert log.counts() == {"articles": 2, "fixed: sentinel": 2}


def test_nested_columns_survive_jsonl_and_conll(tmp_path: Path, annotation: Callable[[list[Article]], list]) -> None:
    (tmp_path / "w.txt").write_text(NESTED, encoding="utf-8")
    first = [article for _, article in read_files(tmp_path / "w.txt", "conll", log=ProblemLog())]
    assert not write_articles(first, tmp_path / "w.jsonl").dropped
    second = load_articles(tmp_path / "w.jsonl")
    assert not write_articles(second, tmp_path / "w.conll").dropped
    log = ProblemLog()
    third = load_articles(tmp_path / "w.conll", log=log)
    assert annotation(third) == annotation(first) and not log.fixed
    assert {p.cause for p in write_articles(third, tmp_path / "again.conll").dropped} == {"id left out"}
    assert (tmp_path / "again.conll").read_bytes() == (tmp_path / "w.conll").read_bytes()


@st.composite
def nested(draw: st.DrawFn) -> Article:
    """A sentence with spans that nest, cross and repeat in any way."""
    count = draw(st.integers(1, 9))
    tokens = tuple((2 * n, 2 * n + 1) for n in range(count))
    index = st.integers(0, count - 1)
    drawn = draw(st.lists(st.tuples(index, index, st.sampled_from(LABELS)), max_size=9))
    spans = {(2 * min(a, b), -2 * max(a, b) - 1, label) for a, b, label in drawn}
    entities = tuple(Entity(start=start, end=-end, label=label) for start, end, label in sorted(spans))
    return Article(text=" ".join("ا" * count), id="f-1", tokens=tokens, entities=entities)


@settings(max_examples=100, deadline=None)
@given(nested(), st.sampled_from(SCHEMES))
def test_every_scheme_holds_spans_that_nest_and_cross(article: Article, scheme: TagScheme) -> None:
    log = ProblemLog(source="f.txt")
    text = "".join(conll.write([article], log, scheme=scheme))
    assert not log.dropped
    assert {tag[0] for line in text.split("\n") for tag in line.split("\t")[1:]} <= {*"O" + PREFIXES[scheme]}
    articles, back = read(text)
    assert articles == [article] and not back.fixed


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=5))
def test_a_flat_sentence_is_the_same_in_every_scheme(gaps: list[tuple[int, int, str]]) -> None:
    spans: list[tuple[int, int, str]] = []
    at = 0
    for gap, length, label in gaps:
        spans.append((at + gap, at + gap + length, label))
        at += gap + length
    for scheme in SCHEMES:
        tags = spans_to_tags(reversed(spans), at + 1, scheme)
        assert len(tags) == at + 1 and {tag[0] for tag in tags} <= {*"O" + PREFIXES[scheme]}
        assert tags_to_spans(tags) == spans
    # IOB1 marks a beginning only where a span of its label ends just before.
    iob1 = spans_to_tags(spans, at + 1)
    ends = {(end, label) for _, end, label in spans}
    for start, _, label in spans:
        if (start, label) not in ends:
            iob1[start] = f"I-{label}"
    assert tags_to_spans(iob1) == spans


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-PERS I-PERS B-PERS O I-GPE"),
        ("IOB2", "B-PERS I-PERS B-PERS O B-GPE"),
        ("BIOES", "B-PERS E-PERS S-PERS O S-GPE"),
        ("BILOU", "B-PERS L-PERS U-PERS O U-GPE"),
        ("BMES", "B-PERS E-PERS S-PERS O S-GPE"),
        ("BMES", "B-PERS M-PERS B-PERS O B-GPE"),
        ("mixed", "B-PERS L-PERS I-PERS O I-GPE"),
    ],
)
def test_schemes_are_read_without_being_named(scheme: str, tags: str) -> None:
    lines = "".join(f"ا {tag}\n" for tag in tags.split())
    (article,), log = read(lines)
    assert [(e.start, e.end, e.label) for e in article.entities] == [(0, 3, "PERS"), (4, 5, "PERS"), (8, 9, "GPE")]
    assert [p.cause for p in log.fixed] == (["stray I-"] * 2 if scheme == "mixed" else [])
    assert article.meta == ({"stray": [[4, 5, "PERS"], [8, 9, "GPE"]]} if scheme == "mixed" else {})


def test_white_space_at_the_edges_of_tokens_is_dropped_and_told() -> None:
    (article,), log = read("قال\xa0\tO\nوصل \tB-PERS\n")
    assert article.text == "قال وصل" and [e.text for e in article.entities] == ["وصل"]
    assert [(p.line, p.cause) for p in log.fixed] == [(n, "white space at an edge") for n in (1, 2)]


def test_a_stray_tag_of_an_inner_column_is_located() -> None:
    (article,), log = read("ا B-ORG I-GPE\nب I-ORG I-GPE\n")
    assert [(e.label, e.start, e.end) for e in article.entities] == [("GPE", 0, 3), ("ORG", 0, 3)]
    assert [(p.line, p.cause) for p in log.fixed] == [(1, "stray I-")]


GOOD = NESTED.encode() + b"a\tB-X\tB-Y\r\nb\tI-X\tO\r\n\r\n-DOCSTART- -X- O O\n\nEU NNP B-NP S-ORG\n"


def test_lines_of_many_columns_are_read_or_refused_but_never_waited_for() -> None:
    wide = "ا " + " ".join(f"B-{n}" for n in range(400)) + "\n"
    (article,), _ = read(wide + "ب " + " ".join(f"I-{n}" for n in range(400)) + "\n")
    assert len(article.entities) == 400 and {e.end for e in article.entities} == {3}
    articles, log = read(f"ا{' B-X' * 500_000}\nب{' I-X' * 500_000}\n\nج O\n")
    assert [a.text for a in articles] == ["ج"]
    assert [(p.line, p.cause) for p in log.dropped] == [(1, "too many columns"), (2, "too many columns")]


def test_jsonl_of_nested_columns_is_flat_json() -> None:
    articles, _ = read(NESTED)
    (line, *_) = jsonl.write(articles, ProblemLog())
    assert [(e["label"], e["text"]) for e in json.loads(line)["entities"]][-1] == ("GPE", "رام الله")


TAGS = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in ("PER", "GPE", "X-Y"))])


@settings(max_examples=300, deadline=None)
@given(st.lists(TAGS, max_size=12))
def test_tags_are_read_as_seqeval_reads_them(tags: list[str]) -> None:
    assert tags_to_spans(tags) == sorted((start, end + 1, label) for label, start, end in get_entities(tags))


def test_the_outermost_span_is_the_flat_one() -> None:
    spans = [(0, 1, "A"), (0, 3, "B"), (2, 4, "C"), (0, 3, "D")]
    assert spans_to_tags(spans, 4) == ["B-B", "I-B", "I-B", "O"]


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
    text = "# id = 5\n# O\n#سوريا\tB-GPE\nو\u00a0قال\tO\nأمس\tO\r\n"
    (first,), problems, fixed = run(conll.read, text)
    assert not problems
    assert [p.cause for p in fixed] == ["comment"]
    assert first.text == "# #سوريا و\u00a0قال أمس" and [e.text for e in first.entities] == ["#سوريا"]
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
        ("سوريا B_GPE O", "not a tag", "'B_GPE'"),
        ("\tB-GPE", "no token", "no token"),
        ("B-GPE", "no token", "no token"),
        ("س\udcc7\tO", "not UTF-8", "0xC7"),
    ],
)
def test_a_bad_line_is_left_out_of_its_sentence(run: Callable, line: str, cause: str, said: str) -> None:
    articles, problems, _ = run(conll.read, f"قبل O\n\nفي O\n{line}\nحلب B-GPE\n\nبعد O")
    assert [(article.id, article.text) for article in articles] == [("f-1", "قبل"), ("f-2", "في حلب"), ("f-3", "بعد")]
    assert [e.text for e in articles[1].entities] == ["حلب"]
    assert [(p.line, p.cause, p.article) for p in problems] == [(4, cause, "f-2")] and said in problems[0].message


@pytest.mark.parametrize("line", ["\tO", " O", "O", "\xa0\tO", "\u200f O", "\ufeff\tO"])
def test_an_outside_tag_without_a_token_loses_nothing(run: Callable, line: str) -> None:
    (article,), problems, fixed = run(conll.read, f"في O\n{line}\nحلب B-GPE")
    assert article.text == "في حلب" and not problems
    assert [(p.line, p.cause) for p in fixed] == [(2, "no token")]


def test_a_sentence_of_bad_lines_is_left_out(run: Callable) -> None:
    (article,), problems, _ = run(conll.read, "س\udcc7\tO\nس\udcc7\tO\n.\tO\n\nبعد O")
    assert article.text == "بعد"
    assert [p.cause for p in problems] == ["not UTF-8", "not UTF-8", "sentence left out"]


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


def test_labels_may_be_roles_in_the_events_of_their_sentence() -> None:
    log = ProblemLog(source="x.conll")
    text = "هاجم B-ASSAULT\nمسلحون B-SOURCE\nقرية B-TARGET\nو O\nقتل B-ASSAULT\n\nقال O\nمسلحون B-SOURCE\nسوريا B-GPE\n"
    roles = {"SOURCE": "Actor", "TARGET": "Recipient"}
    one, other = (a for _, a in conll.read(text.splitlines(), log, triggers=["ASSAULT"], arguments=roles))
    assert not list(check_article(one)) and not list(check_article(other))
    surfaces = {entity.id: entity.text for entity in one.entities}
    assert [[(a.role, surfaces[a.entity]) for a in event.arguments] for event in one.events] == [
        [("Actor", "مسلحون"), ("Recipient", "قرية")]
    ] * 2
    assert not other.events and [entity.label for entity in other.entities] == ["SOURCE", "GPE"]


@pytest.mark.parametrize("tokens", [((0, 0), (0, 1)), ((0, 1), (2, 2))])
def test_an_empty_token_costs_the_article_and_no_file(tokens: tuple[tuple[int, int], ...], tmp_path: Path) -> None:
    log = ProblemLog(source="x.conll")
    write_articles(
        [Article(text="\ud800 b", tokens=tokens), Article(text="قال", tokens=((0, 3),))], tmp_path / "x.conll", log=log
    )
    assert log.drop_counts == {"token": 1} and log.articles == 1
