"""brat standoff: reading with checked offsets, and articles that are read back as written."""

import re
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Span, check_article
from rasid.data.formats import brat, detect, read_files, write_articles
from rasid.data.formats.brat.names import (
    decode_file_name,
    decode_name,
    decode_role,
    encode_file_name,
    encode_name,
    encode_role,
    fragments,
)
from rasid.data.labels import Label, LabelScheme, load_scheme
from rasid.data.problems import DataError, Problem, ProblemLog
from rasid.data.reading import load_articles

TEXT = "هاجم مسلحون مدينة حلب\nالقديمة وقتل سبعة"
GOOD = (
    "T1\tORG 5 11\tمسلحون\n"
    "T2\tGPE 12 21;22 29\tمدينة حلب القديمة\n"
    "T3\tASSAULT 0 4\tهاجم\n"
    "E1\tASSAULT:T3 Actor:T1 Location2:T2\n"
    "A1\tNegated E1\n"
    "#1\tAnnotatorNotes T1\tمن هم؟\n"
)


def read(annotations: str, text: str = TEXT, **options) -> tuple[Article, list[Problem], list[Problem]]:
    log = ProblemLog(source="a.ann")
    article = brat.read_document(text, annotations, log, id="a", **options)
    assert article is not None and not list(check_article(article))
    assert log.articles == 1
    return article, log.dropped, log.fixed


def written(article: Article, **options) -> tuple[str, str, list[Problem]]:
    log = ProblemLog()
    text, annotations = brat.write_document(article, log, **options)
    return text, annotations, log.dropped


def causes(problems: list[Problem]) -> list[str]:
    return [problem.cause for problem in problems]


# reading


def test_entities_events_and_kept_lines_are_read() -> None:
    article, problems, fixed = read(GOOD)
    assert not problems
    assert [(e.id, e.label, e.text) for e in article.entities] == [
        ("T1", "ORG", "مسلحون"),
        ("T2", "GPE", "مدينة حلب\nالقديمة"),
    ]
    (event,) = article.events
    assert (event.id, event.trigger.text, event.types) == ("E1", "هاجم", ("ASSAULT",))
    assert event.arguments == (Argument(role="Actor", entity="T1"), Argument(role="Location", entity="T2"))
    assert article.meta == {"brat": ["A1\tNegated E1", "#1\tAnnotatorNotes T1\tمن هم؟"]}
    assert [(p.cause, p.line) for p in fixed] == [("kept in meta", 5), ("kept in meta", 6)]


SHORT_LINES = "سطر\r\n" * 9 + "مدينة\r\nحلب"


@pytest.mark.parametrize(
    ("line", "text", "fix", "found"),
    [
        # A line break inside a mention may be a space in its surface.
        *(
            (f"GPE 12 29\t{surface}", TEXT, None, "مدينة حلب\nالقديمة")
            for surface in ("مدينة حلب القديمة", "مدينة حلب\u2028القديمة", "", "مدينة حلب القديمة وغيرها")
        ),
        ("GPE 12 17;18 21\tمدينة حلب", TEXT, "fragments joined", "مدينة حلب"),
        ("PER 4 11\t مسلحون", TEXT, "white space at an edge", "مسلحون"),
        ("PER 6 12\tمسلحون", "هاجم مسلحون\r", "shifted by -1", "مسلحون"),
        ("GPE 5 8;9 12\tحلب أمس", "🙂🙂 حلب\nأمس", "UTF-16 units", "حلب\nأمس"),
        ("GPE 3 9\tقرآن", "في القرآن", "range of whole words", "قرآن"),
        ("GPE 3 10\tالقرآن", "في القرا\u0653ن", "another normal form", "القرا\u0653ن"),
        ("GPE 3 9\tالقرا\u0653ن", "في القرآن", "another normal form", "القرآن"),
        ("GPE 3 12\tالقرا\u0653ن من", "في القرآن من", "another normal form", "القرآن من"),
        ("GPE 3 7\tحلب", "في حل\u200cب أمس", "invisible characters of the surface", "حل\u200cب"),
        ("GPE 36 45\tمدينة حلب", SHORT_LINES, "CRLF counted as one", "مدينة\r\nحلب"),
        ("GPE 36 41;42 45\tمدينة حلب", SHORT_LINES, "CRLF counted as one", "مدينة\r\nحلب"),
    ],
)
def test_other_surfaces_and_ways_of_counting_are_fixed(line: str, text: str, fix: str | None, found: str) -> None:
    article, problems, fixed = read(f"T1\t{line}\n", text)
    assert not problems and [(p.cause, p.line) for p in fixed] == [(fix, 1)] * bool(fix)
    assert [e.text for e in article.entities] == [found]


def test_spans_moved_by_a_replacement_of_text_are_found() -> None:
    before, after = "قال... إن حلب و... دمشق ... وحلب وحمص", "قال… إن حلب و… دمشق … وحلب وحمص"
    spans = [(0, 3), (10, 13), (19, 23), (29, 32), (34, 37)]
    lines = "".join(f"T{n}\tX {start} {end}\t{before[start:end]}\n" for n, (start, end) in enumerate(spans, 1))
    article, problems, fixed = read(lines, after)
    assert not problems and [e.text for e in article.entities] == ["قال", "حلب", "دمشق", "حلب", "حمص"]
    assert [p.line for p in fixed] == [2, 3, 4, 5] and "text replaced" in fixed[0].cause


@pytest.mark.parametrize("sign", "\u200c\u200b\u200d\ufeff\u200f\u2067\u00ad")
def test_invisible_characters_at_the_edges_of_mentions_are_trimmed(sign: str) -> None:
    text = f"في {sign}حلب{sign} أمس"
    article, problems, fixed = read(f"T1\tGPE 3 8\t{text[3:8]}\n", text)
    assert not problems and [(e.start, e.end) for e in article.entities] == [(4, 7)]
    assert causes(fixed) == ["invisible character at an edge"] and f"U+{ord(sign):04X}" in fixed[0].message


def test_discontinuous_mentions_are_dropped_or_joined() -> None:
    line = "T1\tGPE 12 17;22 29\tمدينة القديمة\n"
    article, problems, _ = read(line)
    assert not article.entities and causes(problems) == ["discontinuous"] and problems[0].line == 1
    assert "'حلب'" in problems[0].message and "discontinuous=join" in problems[0].message
    article, problems, fixed = read(line, discontinuous="join")
    assert not problems and causes(fixed) == ["joined over a gap"]
    assert [e.text for e in article.entities] == ["مدينة حلب\nالقديمة"]


def test_types_that_share_a_trigger_are_one_event() -> None:
    head = "T1\tORG 5 11\tمسلحون\nT3\tASSAULT 0 4\tهاجم\n"
    lines = head + "E1\tASSAULT:T3 Actor:T1\nE2\tCOERCE:T3 Actor:T1\nE3\tASSAULT:T3\n"
    article, problems, fixed = read(lines)
    assert not problems and causes(fixed) == ["type of a trigger"]
    assert [(e.id, e.types, len(e.arguments)) for e in article.events] == [
        ("E1", ("ASSAULT", "COERCE"), 1),
        ("E3", ("ASSAULT",), 0),
    ]
    article, _, fixed = read(head + "E1\tASSAULT:T3\nE2\tCOERCE:T3 Actor:T1\n")
    assert causes(fixed) == ["type of a trigger", "arguments of types merged"]
    assert article.events[0].arguments == (Argument(role="Actor", entity="T1"),)


def test_relations_from_a_trigger_are_arguments() -> None:
    head = "T1\tORG 5 11\tمسلحون\nT2\tGPE 18 21\tحلب\nT3\tASSAULT 0 4\tهاجم\n"
    relations = (
        "R1\tActor Arg1:T3 Arg2:T1\nR2\tPlace Arg1:E1 Arg2:T2\nR3\tPartOf Arg1:T1 Arg2:T2\nR4\tx Arg1:T1 Arg2:T3\n"
    )
    article, problems, fixed = read(f"{head}E1\tASSAULT:T3\n{relations}")
    assert article.events[0].arguments == (Argument(role="Actor", entity="T1"), Argument(role="Place", entity="T2"))
    assert not problems and [(p.cause, p.line) for p in fixed] == [("kept in meta", 7), ("kept in meta", 8)]
    assert article.meta["brat"] == ["R3\tPartOf Arg1:T1 Arg2:T2", "R4\tx Arg1:T1 Arg2:E1"]
    assert read(written(article)[1])[0] == article
    article, problems, _ = read(head + relations.partition("\n")[0] + "\n", triggers={"ASSAULT"})
    assert not problems and [(e.id, e.types) for e in article.events] == [("T3", ("ASSAULT",))]
    assert article.events[0].arguments == (Argument(role="Actor", entity="T1"),)


@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("سطر", "not an annotation", "'سطر'"),
        ("X1\tPER 0 4\tهاجم", "not an annotation", "X1"),
        ("T9 PER 0 4 هاجم", "not an annotation", "a tab"),
        ("T9\tPER 0\tهاجم", "not a mention", "LABEL START END"),
        ("T9\tPER -1 4\tهاجم", "not a mention", "-1 4"),
        (f"T9\tPER 0 {'9' * 5000}\tهاجم", "not a mention", "999"),
        ("T9\tPER 0 4\tقاتل", "span not proven", "'قاتل' but the text there is 'هاجم'"),
        ("T9\tPER 0 99\tهاجم", "span not proven", "outside the text"),
        ("T9\tPER 4 4\t", "span not proven", "empty"),
        ("T9\tPER 20 3\tهاجم", "span not proven", "ends before it starts"),
        ("T9\tPER 4 5\t ", "empty span", "white space"),
        ("T9\tPER 2 4;0 2\tجم ها", "fragments", "out of order"),
        ("T1\tPER 0 4\tهاجم", "duplicate id", "earlier line"),
        ("T9\tPER 0 4\t\udce9", "not UTF-8", "0xE9"),
        ("E9\tASSAULT", "not an event", "TYPE:TRIGGER"),
        ("E9\t", "not an event", "TYPE:TRIGGER"),
        ("E9\tASSAULT:T8 Actor:T1", "no trigger", "'T8'"),
        ("E9\tASSAULT:T3 Actor:T8", "argument of nothing", "no mention"),
        ("E9\tASSAULT:T3 Actor", "not an argument", "ROLE:ID"),
        ("R9\tActor T3 T1", "not a relation", "Arg1:ID"),
        ("A9\tNegated T8", "about nothing", "'T8'"),
        ("R9\tPartOf Arg1:T1 Arg2:T8", "about nothing", "'T8'"),
        ("A9\tNegated", "not understood", "the id that it is about"),
        ("*\tEquiv T1 T8", "about nothing", "'T8'"),
        ("#9\tRasid T1\t[", "note", "not JSON"),
        ("#9\tRasid T1\t[]", "note", "an object"),
        ('#9\tRasid T1\t{"score": 1e999}', "note", "must be a number"),
        ('#9\tRasid T1\t{"id": 3}', "note", "must be strings"),
        ('#9\tRasid T1\t{"arguments": {"Actor:T1": "x"}}', "note", "ROLE:ID"),
        ('#9\tRasid T1\t{"predicted": 1}', "note", "must be an object"),
        ('#9\tRasid T1\t{"predicted": {"id": "x", "y": 1}}', "note", "must be an object"),
        ("#9\tRasid #9\t" + "[" * 100_000, "note", "nested too deeply"),
        ('#9\tRasid #9\t{"titel": "x"}', "unknown key", "did you mean 'title'"),
        ('#9\tRasid #9\t{"text": "x"}', "note", "'text'"),
        ('#9\tRasid #9\t{"brat": {"x": 1}}', "note", "leave it as written"),
        ('#9\tRasid #9\t{"sentences": [{"start": 4, "end": 9, "types": ["A"]}]}', "white space at an edge", "sentence"),
    ],
)
def test_only_the_bad_line_is_dropped(line: str, cause: str, said: str) -> None:
    article, problems, _ = read(f"{GOOD}\n{line}\n")
    assert [(p.cause, p.article) for p in problems] == [(cause, "a")] and said in problems[0].message
    assert problems[0].line == 8
    assert [e.id for e in article.entities] == ["T1", "T2"] and len(article.events[0].arguments) == 2


@pytest.mark.parametrize("line", ['#9\tRasid T8\t{"id": "e8"}', '#9\tRasid T3\t{"id": "e3"}'])
def test_a_note_on_a_deleted_or_retyped_entity_is_left_over(line: str) -> None:
    article, problems, fixed = read(f"{GOOD}\n{line}\n")
    assert article == read(GOOD)[0]
    assert not problems and ("note left over", 8) in [(p.cause, p.line) for p in fixed]


def test_a_byte_order_mark_may_be_counted() -> None:
    for line in ("T1\tGPE 4 6\tلا\n", "T1\tGPE 3 5\tلا\n"):  # "لا لا" would be ambiguous for a guess of the shift
        article, problems, _ = read(line, "\ufeffلا لا")
        assert not problems and [(e.start, e.text) for e in article.entities] == [(3, "لا")]


@pytest.mark.parametrize(
    ("line", "text"),
    [("T1\tA 0 1\t\ufeff\n", "\ufeff"), ("T1\tA 0 1\t\ufeff\n", "\ufeffلا"), ("T1\tA 0 1;1 2\tب ا\n", "\u200fاب")],
)
def test_a_span_outside_the_text_without_byte_order_mark_is_dropped(line: str, text: str) -> None:
    article, problems, _ = read(line, text)
    assert not article.entities and causes(problems) == ["span not proven"]


def test_files_with_crlf_and_a_byte_order_mark() -> None:
    article, problems, _ = read("\ufeff" + GOOD.replace("\n", "\r\n"))
    assert not problems and len(article.entities) == 2 and article.meta["brat"][0] == "A1\tNegated E1"


def test_ids_are_made_unique() -> None:
    lines = 'T1\tORG 5 11\tمسلحون\nT2\tGPE 18 21\tحلب\n#1\tRasid T1\t{"id": "T2"}\n'
    article, _, fixed = read(lines)
    assert [e.id for e in article.entities] == ["T2", "T2-2"] and causes(fixed) == ["duplicate id"]


def test_a_mention_added_in_brat_has_no_id_unless_a_line_refers_to_it() -> None:
    text, annotations, _ = written(Article(text=TEXT, id="a", entities=(Entity(start=5, end=11, label="ORG"),)))
    more = "T2\tGPE 18 21\tحلب\nT3\tGPE 12 17\tمدينة\nT4\tASSAULT 0 4\tهاجم\nE1\tASSAULT:T4 Place:T2\nA1\tSure T3\n"
    article, problems, _ = read(annotations + more)
    assert not problems and [(e.text, e.id) for e in article.entities] == [
        ("مسلحون", ""),
        ("مدينة", "T3"),
        ("حلب", "T2"),
    ]


# writing


def test_what_is_written() -> None:
    article = Article(
        text=TEXT,
        id="خبر 1",
        date="2024-05-01",
        entities=(
            Entity(start=5, end=11, label="armed group", id="T7"),
            Entity(start=12, end=29, label="GPE", id="x", score=0.5),
        ),
        events=(
            Event(
                trigger=Span(start=0, end=4),
                types=("ASSAULT", "COERCE"),
                arguments=(Argument(role="Actor", entity="x"), Argument(role="Actor", entity="T7", score=0.25)),
                id="E1",
                scores=(0.75, 0.5),
            ),
        ),
    )
    _, annotations, lost = written(article, name="other")
    assert not lost
    assert annotations == (
        "T7\tarmed%20group 5 11\tمسلحون\n"
        "T1\tGPE 12 21;22 29\tمدينة حلب القديمة\n"
        "T2\tASSAULT 0 4\tهاجم\n"
        "E1\tASSAULT:T2 Actor:T1 Actor2:T7\n"
        "T3\tCOERCE 0 4\tهاجم\n"
        "E2\tCOERCE:T3 Actor:T1 Actor2:T7\n"
        '#1\tRasid #1\t{"id": "خبر 1", "date": "2024-05-01"}\n'
        '#2\tRasid T1\t{"id": "x", "predicted": {"score": 0.5}}\n'
        '#3\tRasid E1\t{"predicted": {"score": 0.75, "arguments": {"Actor2:T7": 0.25}}}\n'
        '#4\tRasid E2\t{"joins": "E1", "predicted": {"score": 0.5}}\n'
    )
    assert read(annotations, predictions=True)[:2] == (article, [])


def test_scores_of_something_else_are_dropped() -> None:
    note = '#9\tRasid E1\t{"predicted": {"arguments": {"Actor:T7": 1}}}'
    _, problems, _ = read(f"{GOOD}\n{note}\n", predictions=True)
    assert [(p.cause, p.line) for p in problems] == [("scores", 4)] and "no argument" in problems[0].message
    assert not read(f"{GOOD}\n{note}\n")[1]


@pytest.mark.parametrize(
    ("line", "cause", "kept"),
    [
        ("E2\tCLAIM:T4 Theme:E1", "event as an argument", None),
        ("E2\tCLAIM:T4 Theme:T3", "event as an argument", None),
        ("R1\tnear Arg1:T1 Arg2:T2", "kept in meta", "R1\tnear Arg1:T1 Arg2:T2"),
        ("R1\tnear Arg1:T2 Arg2:T3\t", "kept in meta", "R1\tnear Arg1:T2 Arg2:E1"),
        ("A9\tNegated T3", "kept in meta", "A9\tNegated E1"),
        ("*\tEquiv T1 T2", "kept in meta", "*\tEquiv T1 T2"),
        ("R1\tnear Arg1:T1 Arg2:T2\n#5\tAnnotatorNotes R1\tحقا؟", "left out", None),
        ("R1\tnear Arg1:T1 Arg2:T2\nA5\tSure R1", "left out", None),
        ("#5\tAnnotatorNotes A1\tحقا؟", "left out", None),
    ],
)
def test_what_has_no_place_in_an_article_is_a_fix(line: str, cause: str, kept: str | None) -> None:
    article, problems, fixed = read(f"{GOOD}T4\tCLAIM 30 34\tوقتل\nE3\tCLAIM:T4\n{line}\n")
    assert not problems and cause in causes(fixed)
    assert [e.id for e in article.entities] == ["T1", "T2"] and len(article.events[0].arguments) == 2
    assert kept is None or article.meta["brat"][-1] == kept


SENTENCES = '"sentences": [{"start": 0, "end": 11, "types": ["A"]}]'


@pytest.mark.parametrize(
    ("note", "gold"),
    [
        (f'{{"event_types": ["A"], "annotated": {{"article_types": ["A"]}}, {SENTENCES}}}', True),
        (f'{{"predicted": {{"event_types": ["A"], {SENTENCES}}}}}', False),
        # version 0.1
        ('{"event_types": ["A"], "type_scores": [0.5]}', False),
        ('{"event_types": ["A"], "evidence": {"A": [{"start": 0, "end": 11}]}}', False),
        ('{"sentences": [{"start": 0, "end": 11, "types": ["A"], "scores": [0.9]}, {"start": 12, "end": 29}]}', False),
        ('{"sentences": [{"start": 0, "end": 11}, {"start": 12, "end": 29}]}', False),
        ('{"sentences": [{"start": 0, "end": 11}], "judged": {"sentence_types": ["A"]}}', True),
    ],
)
def test_predictions_in_the_note_on_the_article_are_no_gold(note: str, gold: bool) -> None:
    annotations = f"{GOOD}#9\tRasid #9\t{note}\n"
    article, problems, fixed = read(annotations)
    assert not problems and bool(article.event_types or article.sentences) == gold
    assert (article.type_scores, article.evidence) == ((), {})
    assert [(p.line, p.article) for p in fixed if p.cause == "prediction"] == [(7, "a")] * (not gold)
    article, problems, fixed = read(annotations, predictions=True)
    assert not problems and (article.event_types or article.sentences) and "prediction" not in causes(fixed)


def test_kept_lines_follow_changed_ids() -> None:
    article, _, _ = read(
        GOOD + 'N1\tReference T2 Wikidata:Q41183\tAleppo\n*\tEquiv T1 T2\n#2\tRasid T2\t{"id": "ح ل"}\n'
    )
    assert article.meta["brat"][2:] == ["N1\tReference ح%20ل Wikidata:Q41183\tAleppo", "*\tEquiv T1 ح%20ل"]
    _, annotations, lost = written(article)
    assert not lost and "N1\tReference T2 Wikidata:Q41183\tAleppo\n*\tEquiv T1 T2\n" in annotations
    assert read(annotations)[0] == article


def test_lines_are_not_kept_if_their_key_of_meta_is_in_use() -> None:
    article, problems, fixed = read(GOOD + '#9\tRasid #9\t{"meta": {"brat": 1}}\n')
    assert article.meta == {"brat": 1} and not problems
    assert [(p.cause, p.line) for p in fixed] == [("left out", 5), ("left out", 6)]


@pytest.mark.parametrize(
    "kept",
    [
        *("A1", [3], ["A1"], ["A1\tNegated T9"], ["#1\tRasid T1\t{}"]),
        *(["A1\tN T1\u2028"], ["A1\tN T1", "A1\tM T1"], ["*\tEquiv T1  T1"]),
    ],
)
def test_meta_that_is_no_line_of_brat_is_written_in_the_note(kept: object) -> None:
    entities = Entity(start=5, end=11, label="ORG", id="T1"), Entity(start=12, end=17, label="GPE")
    article = Article(text=TEXT, id="a", entities=entities, meta={"brat": kept, "x": 1})
    _, annotations, lost = written(article)
    assert not lost and len(annotations.splitlines()) == 4
    assert read(annotations) == (article, [], [])


def an_event(start: int = 0, types: tuple[str, ...] = ("A",), **more) -> dict:
    return {"events": (Event(trigger=Span(start=start, end=4), types=types, **more),)}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"entities": (Entity(start=0, end=4, label=""),)}, "no label"),
        ({"entities": (Entity(start=0, end=400, label="A", text="x"),)}, "span left out"),
        ({"entities": (Entity(start=0, end=4, label="A", score=float("nan")),)}, "scores left out"),
        (an_event(types=()), "no type"),
        (an_event(start=4), "span left out"),
        (an_event(scores=(1, 1)), "scores left out"),
        (an_event(arguments=(Argument(role="r", entity="x"),)), "argument left out"),
        ({"meta": {"x": {1}}, "title": "ع"}, "metadata left out"),
    ],
)
def test_losses_are_logged(change: dict, cause: str) -> None:
    article = Article(text=TEXT, id="a", **change)
    _, annotations, lost = written(article)
    assert causes(lost) == [cause] and lost[0].article == "a"
    back, problems, _ = read(annotations)
    assert not problems and (back.text, back.id) == (TEXT, "a")


NAMES = st.text("ابPER_1 2:;%\t\n\u2028\x85\U0001f600é", min_size=1, max_size=5)


@given(NAMES)
def test_names_are_decoded(name: str) -> None:
    assert decode_name(encode_name(name)) == name and not set(encode_name(name)) & set(" :;\t\n\u2028\x85")
    for number in ("", "2", "13"):
        assert decode_role(encode_role(name) + number) == name


@given(st.text("اأé /.-_%aA\ud83d\n", max_size=4))
def test_file_names_are_decoded(id: str) -> None:
    stem = encode_file_name(id)
    assert decode_file_name(stem) == id and re.fullmatch(r"([\w%][\w%.-]*)?", stem)


def test_names_that_were_not_encoded_and_roles_of_digits() -> None:
    for name in ("100%", "a%2", "%zz", "%FF", "%41", "T%31x"):
        assert decode_name(name) == name
    assert [decode_role(role) for role in ("12", "1", "%312", "%31", "%3")] == ["1", "1", "1", "1", "%3"]


def test_fragments_are_cut_at_breaks_only() -> None:
    text = "ab  cd \n\t ef\u2028g h"
    assert [text[start:end] for start, end in fragments(text, 0, len(text))] == ["ab  cd", "ef", "g h"]


# round trip

LETTERS = 'ابقوَ٣aZ \n\t\r\u2028\x85\x1c\x00\u200f\u202b\ufeff\U0001f600"\\{}:;#%'
BODY = st.text(LETTERS, max_size=25)
WORD = st.text(LETTERS + "19", min_size=1, max_size=6)
SCORES = st.none() | st.floats(0, 1)


@pytest.fixture(scope="session")
def whole_articles(valid_articles) -> st.SearchStrategy[Article]:
    """Valid articles with everything in them, kept lines too."""

    def with_kept_line(article: Article) -> Article:
        kept = [f"A1\tNegated {encode_name(entity.id)}" for entity in article.entities[:1] if entity.id]
        return replace(article, meta={**article.meta, "brat": kept}) if kept else article

    articles = valid_articles(BODY, WORD, WORD | st.sampled_from(["T1", "T2", "E1"]), SCORES, everything=True)
    return articles | articles.map(with_kept_line)


def check_as_brat(text: str, annotations: str) -> None:
    """The checks of brat's server when it opens a document. It cuts lines where Python does."""
    lines = [line.split("\t", 2) for line in annotations.splitlines()]
    ids = [line[0] for line in lines]
    assert len(ids) == len(set(ids)) and all(re.fullmatch("[TEA#][1-9][0-9]*", id) for id in ids)
    labels: dict[str, str] = {}
    triggers, others = set(), set()
    for id, content, *tail in lines:
        kind, _, rest = content.partition(" ")
        if id[0] == "T":
            places = [tuple(map(int, place.split(" "))) for place in rest.split(";")]
            assert tail == [" ".join(text[start:end] for start, end in places)]
            assert all(left[1] < right[0] for left, right in pairwise(places))
            labels[id] = kind
        elif id[0] == "E":
            kind, trigger = kind.split(":")
            assert labels[trigger] == kind
            triggers.add(trigger)
            assert all(len(argument.split(":")) == 2 and argument.split(":")[1] in ids for argument in rest.split())
        else:
            assert re.fullmatch(r"\S+", rest) and rest in ids
            others.add(rest)
    assert not triggers & others


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whole_articles_are_accepted_by_brat_and_read_back(whole_articles, data: st.DataObject) -> None:
    article = data.draw(whole_articles)
    text, annotations, lost = written(article)
    assert not lost and text == article.text
    check_as_brat(text, annotations)
    log = ProblemLog()
    assert brat.read_document(text, annotations, log, id=article.id, predictions=True) == article
    assert not log.dropped and set(causes(log.fixed)) <= {"kept in meta"}
    assert written(article) == (text, annotations, lost)


def test_files_and_configuration(tmp_path: Path, articles: list[Article]) -> None:
    event = Event(trigger=Span(start=0, end=4), types=("ASSAULT",), arguments=(Argument(role="Actor", entity="T1"),))
    label = Entity(start=5, end=11, label="منظمة", id="T1")
    article = Article(text=TEXT.replace("\n", "\r\n"), id="أخبار/1", entities=(label,), events=(event,))
    encoding_fault = Article(text="\ud800", id="bad")
    log = write_articles([*articles, article, encoding_fault], tmp_path / "out", "brat")
    assert log.articles == len(articles) + 1 and causes(log.dropped) == ["lone surrogate"]
    assert (tmp_path / "out" / f"{encode_file_name('أخبار/1')}.ann").exists()
    configuration = (tmp_path / "out" / "annotation.conf").read_text(encoding="utf-8")
    assert "\n<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n" in configuration
    assert "\nGPE\n" in configuration and "\nASSAULT\tActor*:<ENTITY>\n" in configuration
    assert "منظمة" not in configuration  # brat allows letters of ASCII alone there
    assert "Text\tdirection:rtl" in (tmp_path / "out" / "visual.conf").read_text(encoding="utf-8")
    back = load_articles(tmp_path / "out")
    assert sorted(back, key=lambda a: a.id) == sorted([*articles, article], key=lambda a: a.id)
    assert detect(tmp_path / "out" / "made-0.ann") == detect(tmp_path / "out" / "made-0.txt") == "brat"
    assert load_articles(tmp_path / "out" / "made-0.txt") == articles[:1]


def test_the_configuration_of_a_scheme_has_all_labels(tmp_path: Path) -> None:
    scheme = load_scheme("news")
    brat.Configuration.of_scheme(scheme).write(tmp_path)
    lines = (tmp_path / "annotation.conf").read_text(encoding="utf-8").splitlines()
    assert set(scheme.entities) < set(lines)
    roles = ", ".join(f"{role}*:<ENTITY>" for role in scheme.roles)
    assert {f"{event}\t{roles}" for event in scheme.events} < set(lines)
    visual = (tmp_path / "visual.conf").read_text(encoding="utf-8")
    assert "\nGPE\tbgColor:#ff5a82, fgColor:#000000\n" in visual and "\nText\tdirection:rtl\n" in visual
    assert all(f"\n{label}\tbgColor:#" in visual for label in (*scheme.entities, *scheme.events))


def test_the_configuration_has_kept_types_and_readable_colors(tmp_path: Path, caplog) -> None:
    article, _, _ = read(GOOD + "A2\tTense E1 past\nR1\tnear Arg1:T1 Arg2:T2\n")
    dark = {"PER": Label(name="PER", color="#202060"), "بلد": Label(name="بلد"), "LOC": Label(name="LOC")}
    configuration = brat.Configuration.of_scheme(LabelScheme(name="x", entities=dark))
    configuration.add(article)
    configuration.write(tmp_path)
    lines = (tmp_path / "annotation.conf").read_text(encoding="utf-8").splitlines()
    assert {"near\tArg1:<ANY>, Arg2:<ANY>", "Negated\tArg:<ANY>", "Tense\tArg:<ANY>, Value:past"} < set(lines)
    visual = (tmp_path / "visual.conf").read_text(encoding="utf-8")
    assert "PER\tbgColor:#202060, fgColor:#ffffff" in visual
    colors = re.findall("bgColor:(#[0-9a-f]{6})", visual)
    assert len(set(colors)) == len(colors) == 5
    assert "بلد" in caplog.text and "بلد" not in visual


def test_a_missing_text_or_annotation_file_is_an_error(tmp_path: Path) -> None:
    for name, missing in [("a.ann", "a.txt"), ("b.txt", "b.ann")]:
        (tmp_path / name).write_text("", encoding="utf-8")
        with pytest.raises(DataError, match=f"there is no {missing} beside {name}"):
            load_articles(tmp_path / name, "brat")


def test_files_that_cannot_be_read_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_bytes(GOOD.encode())
    (tmp_path / "a.txt").write_bytes(TEXT.encode("windows-1256"))
    (tmp_path / "b.ann").write_bytes(b"")
    with open(tmp_path / "b.txt", "wb") as file:
        file.truncate(17 * 2**20)
    log = ProblemLog()
    assert not list(read_files(tmp_path, log=log)) and log.articles == 0
    assert causes(log.dropped) == ["not UTF-8", "too large"] and "windows-1256" in log.dropped[0].message
    assert "b.txt" in log.dropped[1].message and "more than the limit of 16777216" in log.dropped[1].message


def test_empty_files_are_noted_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_bytes(TEXT.encode())
        (tmp_path / f"{name}.ann").write_bytes(b"\n")
    log = ProblemLog()
    assert len(list(read_files(tmp_path, log=log))) == 2
    (note,) = log.notes
    assert "nobody annotated" in note and not log.fixed


def test_reading_options_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.encode())
    (tmp_path / "a.ann").write_bytes("T1\tASSAULT 0 4\tهاجم\nT2\tGPE 12 17;22 29\tمدينة القديمة\n".encode())
    (article,) = load_articles(tmp_path, options={"triggers": ["ASSAULT"], "discontinuous": "join"})
    assert len(article.events) == len(article.entities) == 1


# hostile input


def test_corrupted_files_give_valid_articles_or_reasons(corrupted) -> None:
    notes = '#2\tRasid T2\t{"id": "x", "score": 0.5}\n#3\tRasid #3\t{"title": "ع", "event_types": ["A"]}\n'
    good = [(TEXT, GOOD), written(read(GOOD + notes)[0])[:2]]
    outcomes = set()
    for seed in range(400):
        parts = [part.encode() for part in good[seed % 2]]
        which = seed // 2 % 2
        parts[which] = corrupted(parts[which], seed)
        text, annotations = (part.decode(errors="surrogateescape") for part in parts)
        log = ProblemLog()
        triggers = {"GPE"} if seed % 3 else ()
        discontinuous = "join" if seed % 5 else "refuse"
        found = brat.read_document(text, annotations, log, id="a", discontinuous=discontinuous, triggers=triggers)
        assert found is not None or log.dropped
        assert found is None or not list(check_article(found)), annotations
        outcomes.add((found is not None, bool(log.dropped), bool(log.fixed)))
    assert len(outcomes) > 3


LARGE = {
    "fragments": lambda n: "T1\tA " + ";".join(f"{2 * k} {2 * k + 1}" for k in range(n)) + "\t" + "x" * 100,
    "events": lambda n: "T1\tA 0 4\tهاجم\n" + "".join(f"E{k}\tA:T1\n" for k in range(n)),
    "types": lambda n: "T1\tA 0 4\tهاجم\n" + "".join(f"E{k}\tA{k}:T1\n" for k in range(n)),
    "relations": lambda n: GOOD + "".join(f"R{k}\tr{k} Arg1:E1 Arg2:T1\n" for k in range(n)),
    "same ids": lambda n: "".join(f'T{k}\tA 0 4\tهاجم\n#{k}\tRasid T{k}\t{{"id": "x"}}\n' for k in range(n)),
    "arguments": lambda n: f"{GOOD}E2\tASSAULT:T3" + f" {'1' * 50}:T2" * n,
    "digits": lambda n: f"{GOOD}E2\tASSAULT:T3 {'1' * 50 * n}x:T2",
    "no tab": lambda n: "T" * 50 * n,
    "nesting": lambda n: "#1\tRasid #1\t" + '{"a":' * 10 * n,
    "blank": lambda n: "\t" * 25 * n + "\n" * 25 * n,
    "targets": lambda n: "A1\tN" + " T1" * 15 * n,
}


@pytest.mark.parametrize("size", [3_000, pytest.param(30_000, marks=[pytest.mark.slow, pytest.mark.long])])
@pytest.mark.parametrize("name", LARGE)
def test_the_time_of_large_files_is_linear(name: str, size: int) -> None:
    annotations = LARGE[name](size)
    start = time.perf_counter()
    read(annotations)
    assert time.perf_counter() - start < size / 1000  # some ten times what it takes
