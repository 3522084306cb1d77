"""Label Studio: exports of all versions, damaged files, and import files that are read back."""

import csv
import io
import json
import tracemalloc
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span, check_article
from rasid.data.formats import detect, label_studio, read_files
from rasid.data.formats.common.colors import contrast, darkened, palette
from rasid.data.formats.label_studio.html_text import parse_page
from rasid.data.formats.label_studio.tasks import split_values
from rasid.data.labels import Label, LabelScheme
from rasid.data.problems import DataError, Problem, ProblemLog

TEXT = "قصف الجيش مدينة حلب. 🙂 قال سامر إن القصف وقع"


def region(surface: str, label: str, name: str = "r", *, text: str = TEXT, **more: Any) -> dict[str, Any]:
    start = text.index(surface)
    value = {"start": start, "end": start + len(surface), "text": surface, "labels": [label]}
    return {"id": name, "from_name": "label", "to_name": "text", "type": "labels", "value": value} | more


def relation(first: str, second: str, *labels: str, direction: str = "right") -> dict[str, Any]:
    return {"from_id": first, "to_id": second, "type": "relation", "direction": direction, "labels": [*labels]}


def choices(name: str, *labels: str, control: str = "kind", **value: Any) -> dict[str, Any]:
    result = {"from_name": control, "to_name": "text", "type": "choices"}
    return result | {"id": name, "value": value | {"choices": [*labels]}}


def task(*results: dict[str, Any], text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text}, "annotations": [{"id": 1, "result": [*results]}], "predictions": []} | more


def causes(problems: list[Problem]) -> list[str]:
    return [problem.cause for problem in problems]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., tuple[list[Article], ProblemLog]]:
    """Read tasks, or the text or bytes of a file."""

    def run(content: Any, **options: Any) -> tuple[list[Article], ProblemLog]:
        path = tmp_path / "export.json"
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        log = ProblemLog(source=str(path))
        articles = [article for _, article in label_studio.read_file(path, log, **options)]
        assert log.articles == len(articles)
        assert not [problem for article in articles for problem in check_article(article)]
        return articles, log

    return run


# what exports hold


def test_regions_relations_and_choices(load):
    results = [
        relation("a", "t", "Location"),  # drawn from the entity, and before its regions
        region("حلب", "GPE", "a"),
        region("الجيش", "ORG", "b"),
        region("قصف", "ASSAULT", "t"),
        relation("t", "b", "Source", "Actor", direction="bi"),
        choices("c", "ASSAULT", "AID"),
    ]
    (article,), log = load([task(*results)], triggers=["ASSAULT"])
    assert not log.dropped and not log.fixed
    assert (article.id, article.text) == ("7", TEXT)
    assert [(e.id, e.label, e.text) for e in article.entities] == [("b", "ORG", "الجيش"), ("a", "GPE", "حلب")]
    (event,) = article.events
    assert (event.id, event.types, event.trigger.text) == ("t", ("ASSAULT",), "قصف")
    assert event.arguments == (
        Argument(role="Location", entity="a"),
        Argument(role="Source", entity="b"),
        Argument(role="Actor", entity="b"),
    )
    assert article.event_types == ("ASSAULT", "AID")


@pytest.mark.parametrize(
    ("from_name", "label", "triggers", "types"),
    [
        ("trigger", "ASSAULT", [], ("ASSAULT",)),
        ("label", "event:ASSAULT+AID", [], ("ASSAULT", "AID")),
        ("label", "Attack", ["Attack"], ("Attack",)),
        ("label", "Attack", [], None),
    ],
)
def test_a_region_is_a_trigger_by_control_or_label(load, from_name, label, triggers, types):
    (article,), _ = load([task(region("قصف", label, from_name=from_name))], triggers=triggers)
    assert [event.types for event in article.events] == ([types] if types else [])
    assert [entity.label for entity in article.entities] == ([] if types else [label])


def test_triggers_by_label_with_one_span_are_merged_but_not_those_of_the_trigger_control(load):
    flat = [region("قصف", "A", "t"), region("قصف", "B", "u"), region("حلب", "GPE", "e"), relation("u", "e", "Location")]
    (article,), log = load([task(*flat)], triggers=["A", "B"])
    (event,) = article.events
    assert (event.id, event.types, event.arguments) == ("t", ("A", "B"), (Argument(role="Location", entity="e"),))
    own = [region("قصف", "A", "t", from_name="trigger"), region("قصف", "B", "u", from_name="trigger")]
    (article,), log = load([task(*own)])
    assert [(event.id, event.types) for event in article.events] == [("t", ("A",)), ("u", ("B",))]
    assert not log.dropped


def test_choices_of_a_region_are_the_types_of_its_trigger_if_their_control_is_that_of_event_types(load):
    at = {"start": 0, "end": 3, "text": "قصف"}
    results = [
        choices("t", "ASSAULT", control="event_types", **at),
        choices("t", "negated", control="modality", **at),
        region("قصف", "Trigger", "t"),
        region("حلب", "GPE", "e"),
        choices("e", "NAMED", control="event_types"),
        choices("e", "sure", control="certainty"),
        choices("gone", "AID", control="event_types", **at),
    ]
    (article,), log = load([task(*results)], triggers=["Trigger"])
    assert [event.types for event in article.events] == [("ASSAULT",)] and article.event_types == ()
    assert causes(log.fixed) == ["other control", "other control", "types by choices"]
    assert "negated" in log.fixed[0].message and "modality" in log.fixed[0].message
    assert causes(log.dropped) == ["choices of a region"] * 2
    (article,), log = load([task(*results)], triggers=["Trigger"], event_types_from="modality")
    assert [event.types for event in article.events] == [("negated",)]


@pytest.mark.parametrize(
    ("controls", "option", "types"),
    [
        ({"event_types": ["ASSAULT"], "sentiment": ["Negative"]}, None, ("ASSAULT",)),
        ({"sentiment": ["Negative"]}, None, ()),
        ({"sentiment": ["Negative"]}, "sentiment", ("Negative",)),
        ({"Event types": ["AID"], "sentiment": ["Negative"]}, None, ("AID",)),
        ({"events": ["AID"], "event_type": ["HELP"]}, None, ()),  # which of them is open
        ({"events": ["AID"], "event_type": ["HELP"]}, "event_type", ("HELP",)),
        ({"kind": ["ASSAULT", "AID"]}, None, ("ASSAULT", "AID")),  # ASSAULT is the label of a trigger
    ],
)
def test_event_types_are_the_choices_of_one_control(load, controls, option, types):
    results = [choices(name, *labels, control=name) for name, labels in controls.items()]
    trigger = region("قصف", "ASSAULT", "t", from_name="trigger")
    (article,), log = load([task(trigger, *results)], event_types_from=option)
    assert article.event_types == types and not log.dropped
    others = {name for name, labels in controls.items() if not set(labels) & set(types)}
    said = [problem.message for problem in log.fixed if problem.cause == "other control"]
    assert len(said) == len(others) and all(any(name in message for message in said) for name in others)
    assert all("event_types_from" in message for message in said)
    assert any("event types" in note for note in log.notes) == bool(types)


def test_spans_of_a_project_of_choices_alone_are_not_annotated(load):
    (article,), log = load([task(choices("c", "AID", control="topic"))])
    assert {*article.annotated} == {"entities", "triggers", "arguments"} and any("no regions" in n for n in log.notes)
    for results in (
        [choices("c", "AID", control="topic"), region("قصف", "ASSAULT")],
        [choices("c", "AID", control="event_types")],
    ):
        (article,), _ = load([task(*results)])
        assert not article.annotated


def test_a_control_that_the_file_lacks_is_named(load):
    _, log = load([task(choices("c", "AID", control="events"))], event_types_from="event")
    assert causes(log.dropped) == ["no control"] and "events" in log.dropped[0].message


def test_what_has_no_place_in_an_article_is_a_fix(load):
    other = [
        {"type": "rating", "from_name": "rate", "value": {"rating": 4}},
        {"type": "textarea", "from_name": "note", "value": {"text": ["تعليق"]}},
        {"type": "taxonomy", "from_name": "tax", "value": {"taxonomy": [["A", "B"]]}},
        {"type": "datetime", "from_name": "when", "value": {"datetime": "2026-11-24"}},
    ]
    pair = [region("الجيش", "ORG", "a"), region("حلب", "GPE", "b"), region("قصف", "A", "t", from_name="trigger")]
    links = [relation("a", "b", "part_of"), relation("t", "t", "same"), relation("t", "a")]
    (article,), log = load([task(*pair, *links, *other)])
    assert len(article.entities) == 2 and not article.events[0].arguments and not log.dropped
    assert causes(log.fixed) == ["relation"] * 3 + ["other control"] * 4
    assert all(text in str(log.fixed) for text in ("part_of", "no role", "rate", "4", "تعليق", "tax", "2026-11-24"))


def test_one_region_may_be_entity_and_trigger(load):
    both = [region("قصف", "NOUN", "x"), region("قصف", "ASSAULT", "x", from_name="trigger")]
    (article,), log = load([task(*both, region("حلب", "GPE", "e"), relation("x", "e", "Location"))])
    assert [(e.id, e.label) for e in article.entities] == [("x", "NOUN"), ("e", "GPE")]
    assert [(e.id, e.types, len(e.arguments)) for e in article.events] == [("", ("ASSAULT",), 1)]
    assert not log.dropped


def test_several_labels_of_one_region_are_entities_of_one_span(load):
    twice = region("حلب", "GPE", "e")
    twice["value"]["labels"] = ["GPE", "LOC"]
    (article,), _ = load([task(twice, region("قصف", "A", "t"), relation("e", "t", "Location"))], triggers=["A"])
    assert [(e.id, e.label) for e in article.entities] == [("e", "GPE"), ("", "LOC")]
    assert article.events[0].arguments == (Argument(role="Location", entity="e"),)


# offsets


def test_utf16_units_of_older_exports_are_fixed_and_logged(load):
    shifted = region("سامر", "PER")
    shifted["value"]["start"] += 1
    shifted["value"]["end"] += 1
    (article,), log = load([task(shifted)])
    assert [e.text for e in article.entities] == ["سامر"] and causes(log.fixed) == ["UTF-16 units"]


def test_surfaces_with_collapsed_white_space_and_escaped_line_ends_are_found(load):
    text = "جامعة  الدول\nالعربية في 🙂 قصر   النيل"
    first, second = region("جامعة  الدول\nالعربية", "ORG", "a", text=text), region("قصر   النيل", "FAC", "b", text=text)
    first["value"]["text"] = "جامعة الدول\\nالعربية"
    second["value"] |= {"text": "قصر النيل", "start": second["value"]["start"] + 1, "end": second["value"]["end"] + 1}
    (article,), log = load([task(first, second, text=text)])
    assert [e.text for e in article.entities] == ["جامعة  الدول\nالعربية", "قصر   النيل"]
    assert causes(log.fixed) == ["white space of the surface", "UTF-16 units"]


def test_offsets_that_count_crlf_as_one_character_are_fixed(load):
    text = "أول\r\nثان\r\nثالث\r\nرابع\r\nقال سامر"
    counted = region("سامر", "PER", text=text)
    counted["value"]["start"] -= 4
    counted["value"]["end"] -= 4
    (article,), log = load([task(counted, text=text)])
    assert [(e.start, e.text) for e in article.entities] == [(text.index("سامر"), "سامر")]
    assert causes(log.fixed) == ["CRLF counted as one"]


def test_offsets_in_a_page_are_read_if_the_surface_confirms_them(load):
    start = TEXT.index("سامر")
    page = {"start": "/div[1]/text()[1]", "end": "/div[1]/text()[1]", "hypertextlabels": ["PER"]}
    whole = page | {"globalOffsets": {"start": start, "end": start + 4}, "text": "سامر"}
    piece = page | {"startOffset": start, "endOffset": start + 4, "text": "سامر"}
    unproven = page | {"globalOffsets": {"start": start, "end": start + 4}}
    results = [{"id": f"h{n}", "type": "hypertextlabels", "value": v} for n, v in enumerate([whole, piece, unproven])]
    (article,), log = load([task(*results)])
    assert [e.text for e in article.entities] == ["سامر", "سامر"]
    assert causes(log.dropped) == ["no offsets"]


def test_a_region_without_a_surface_is_read_by_its_offsets(load):
    bare = region("حلب", "GPE")
    del bare["value"]["text"]
    quoted = region("سامر", "PER", "q")
    quoted["value"] |= {"start": str(quoted["value"]["start"]), "end": str(quoted["value"]["end"])}
    (article,), log = load([task(bare, quoted)])
    assert [e.text for e in article.entities] == ["حلب", "سامر"] and not log.dropped


def test_white_space_at_edges_is_trimmed(load):
    (article,), log = load([task(region(" حلب", "GPE"), region(" ", "X", "s"))])
    assert [e.text for e in article.entities] == ["حلب"]
    assert causes(log.fixed) == ["white space at an edge"] and causes(log.dropped) == ["empty span"]


@pytest.mark.parametrize(
    ("result", "cause", "said"),
    [
        (
            region("حلب", "GPE") | {"value": {"start": 0, "end": 3, "text": "حلب", "labels": ["GPE"]}},
            "offsets",
            "'قصف'",
        ),
        (region("حلب", "GPE") | {"value": {"start": 0, "end": 999, "labels": ["GPE"]}}, "offsets", "outside"),
        (region("حلب", "GPE") | {"value": {"start": 0, "end": 10**30, "text": "a"}}, "no offsets", "no offsets"),
        (region("حلب", "GPE") | {"value": {"start": True, "end": 3, "labels": ["GPE"]}}, "no offsets", "no offsets"),
        (region("حلب", "GPE") | {"value": [1]}, "wrong kind", "a list"),
        (region("قصف", "") | {}, "no label", "are ''"),
        (region("قصف", "X") | {"value": {"start": 0, "end": 3}}, "no label", "'entity' and 'trigger'"),
        (region("قصف", "X") | {"value": {"start": 0, "end": 3, "labels": "X"}}, "no label", "'X'"),
        ({"type": ["x"]}, "result type", "a list"),
        ({"type": "choices", "value": {"choices": [["A", "B"]]}}, "no label", "a list"),
        ({"type": "choices"}, "no label", "are null"),
        (relation("t", "gone", "Source"), "relation", "no region 'gone'"),
        (relation("t", "e") | {"labels": [""]}, "no label", "are ''"),
        (7, "wrong kind", "not an object"),
    ],
)
def test_only_the_bad_result_is_dropped(load, result, cause, said):
    good = [region("قصف", "A", "t"), region("الجيش", "ORG", "e"), region("سامر", "PER", "f")]
    (article,), log = load([task(*good, result)], triggers=["A"])
    assert [e.text for e in article.entities] == ["الجيش", "سامر"] and len(article.events) == 1
    assert not article.events[0].arguments and not article.event_types
    assert causes(log.dropped) == [cause]
    assert said in log.dropped[0].message and log.dropped[0].article == "7"


def test_the_first_of_two_regions_keeps_the_id(load):
    twice = [region("حلب", "GPE", "e"), region("سامر", "PER", "e"), region("قصف", "A", "t"), relation("t", "e", "L")]
    (article,), log = load([task(*twice)], triggers=["A"])
    assert [(e.id, e.text) for e in article.entities] == [("e", "حلب"), ("", "سامر")]
    assert causes(log.fixed) == ["duplicate id"] and len(article.events[0].arguments) == 1


def test_a_note_on_a_region_is_logged(load):
    _, log = load([task(region("حلب", "GPE", meta={"text": ["?"]}))])
    assert causes(log.fixed) == ["note"]


# which annotation, which text


def version(surface: str, **more: Any) -> dict[str, Any]:
    return {"result": [region(surface, "X")]} | more


@pytest.mark.parametrize(
    ("annotations", "read", "said"),
    [
        ([version("حلب", updated_at="2024-02"), version("سامر", updated_at="2024-01")], "حلب", ["several versions"]),
        ([version("حلب"), version("سامر")], "سامر", ["several versions"]),
        ([version("حلب", ground_truth=True), version("سامر", updated_at="2025")], "حلب", ["several versions"]),
        ([version("حلب", was_cancelled=False), version("سامر", was_cancelled=True)], "حلب", ["skipped"]),
        ([version("حلب", was_cancelled=True)], None, ["skipped"]),
        ([], None, ["no annotations"]),
    ],
)
def test_one_annotation_of_a_task_is_read(load, annotations, read, said):
    articles, log = load([task(annotations=annotations)])
    assert [e.text for article in articles for e in article.entities] == ([read] if read else [])
    assert causes(log.fixed) == said and not log.dropped


def test_an_empty_annotation_does_not_silently_replace_a_full_one(load):
    full, empty = version("حلب", updated_at="2024-01", completed_by=1), {"result": [], "updated_at": "2024-02", "id": 5}
    (article,), log = load([task(annotations=[full, empty | {"completed_by": 2}])])
    assert [e.text for e in article.entities] == ["حلب"]
    assert causes(log.fixed) == ["several versions", "empty version"]
    assert "annotators '1, 2'" in log.fixed[0].message and "not empty" in log.fixed[0].message
    assert "id '5'" in log.fixed[1].message
    (article,), log = load([task(annotations=[full, empty | {"ground_truth": True}])])
    assert not article.entities and causes(log.fixed) == ["several versions"]
    (article,), log = load([task(annotations=[empty])])
    assert not article.entities and not log.fixed


@pytest.mark.parametrize("annotator", [2, "2", "s@example.org"])
def test_an_annotator_can_be_chosen(load, annotator):
    second = version("سامر", completed_by={"id": 2, "email": "s@example.org"})
    tasks = [task(annotations=[second, version("حلب", completed_by=1)]), task(annotations=[version("حلب")], id=8)]
    (article,), log = load(tasks, annotator=annotator)
    assert [e.text for e in article.entities] == ["سامر"]
    assert causes(log.fixed) == ["other annotator"] and not log.dropped
    articles, log = load(tasks, annotator="s@example.com")
    assert not articles and "s@example.org" in log.dropped[0].message


def test_predictions_are_read_only_on_request(load):
    both = task(region("حلب", "GPE", score=0.5), predictions=[version("سامر")])
    only = task(annotations=[], predictions=[{"result": [region("سامر", "PER", score=0.25)], "score": 0.25}])
    (article,), log = load([both, only])
    assert [(e.text, e.score) for e in article.entities] == [("حلب", None)]  # a person has annotated the score's region
    assert causes(log.fixed) == ["prediction"] and not log.dropped
    articles, log = load([both, only], predictions=True)
    assert [(e.text, e.score) for article in articles for e in article.entities] == [("سامر", None), ("سامر", 0.25)]
    articles, log = load([only])
    assert not articles and causes(log.dropped) == ["no annotations"]
    assert "predictions=True" in log.dropped[0].message


def test_drafts_are_logged_and_completions_of_older_exports_are_read(load):
    old = {"id": 3, "data": {"text": TEXT}, "completions": [version("حلب")], "drafts": [{}]}
    (article,), log = load([old])
    assert (article.id, article.entities[0].text) == ("3", "حلب") and causes(log.fixed) == ["draft"]


@pytest.mark.parametrize("wrong", [7, {"result": None}, "x"])
def test_an_annotation_without_results_is_dropped(load, wrong):
    articles, log = load([task(annotations=[wrong])])
    assert not articles and causes(log.dropped) == ["wrong kind"]


def test_scores_that_are_not_numbers_are_dropped(load):
    results = [region("حلب", "GPE", "e", score="high"), region("سامر", "PER", "f", score=True)]
    content = json.dumps(task(predictions=[{"result": results}])).replace('"high"', "1e999")
    (article,), log = load(content, predictions=True)
    assert [e.score for e in article.entities] == [None, None] and causes(log.dropped) == ["score", "score"]


def test_the_key_of_the_text_is_found_or_named(load):
    named = {"ner": TEXT, "url": "x", "id": 12, "title": 5, "lang": "ar", "meta": {"a": 1}}
    (article,), _ = load([task(region("حلب", "GPE", source="$ner"), data=named)])
    assert article.text == TEXT and article.id == "12"
    assert article.meta == {"a": 1, "url": "x", "lang": "ar", "title": 5}
    (article,), log = load([task(region("حلب", "GPE"), data={"ner": TEXT, "title": "عنوان", "n": 1})])
    assert (article.text, article.title, article.meta) == (TEXT, "عنوان", {"n": 1})
    assert not log.fixed and "'ner'" in log.notes[0]
    articles, log = load([task(data={"a": "x", "b": "y"})])
    assert not articles and "text_key" in log.dropped[0].message
    (article,), _ = load([task(data={"a": "x", "b": "y"})], text_key="b")
    assert article.text == "y" and article.meta == {"a": "x"}
    for data in ({"text": ["a"]}, {"text": None}, {}):
        articles, log = load([task(data=data)])
        assert not articles and causes(log.dropped) == ["no text"]
    (article,), log = load([task(data={"text": "a", "k": 1, "meta": {"k": 2}})])
    assert article.meta == {"k": 2} and causes(log.dropped) == ["meta"]


HEADLINE = "حلب تتعرض للقصف"


@pytest.mark.parametrize("objects", [("title", "text"), ("headline", "content")])
def test_a_region_of_another_text_does_not_become_a_span_of_the_text(load, objects):
    text = HEADLINE + "\nقال شهود إن الجيش قصف حلب"
    first, second = ({"to_name": name} for name in objects)
    titled = region("حلب", "GPE", "a", text=HEADLINE) | first
    results = [titled, region("الجيش", "ORG", "b", text=text) | second, region("قصف", "A", "t", text=text) | second]
    more = [relation("t", "b", "Actor"), relation("t", "a", "Location")]
    data = {"title": HEADLINE, "text": text}
    (article,), log = load([task(*results, *more, data=data)], triggers=["A"])
    assert [e.text for e in article.entities] == ["الجيش"] and len(article.events[0].arguments) == 1
    assert causes(log.fixed) == ["other text", "other text"] and objects[0] in log.fixed[0].message
    assert not log.dropped and any("text_key" in note for note in log.notes)
    (article,), log = load([task(*results, data=data)], text_key="title")
    assert (article.text, [e.text for e in article.entities]) == (HEADLINE, ["حلب"])


def test_the_text_is_the_key_where_the_surfaces_are(load):
    more: dict[str, str]
    for more in ({"text": "غير ذلك"}, {}):
        data = {"summary": "كلام آخر", "story": TEXT, **more}
        articles, log = load([task(region("حلب", "GPE"), data=data), task(data=data, id=8)])
        assert [article.text for article in articles] == [TEXT, TEXT] and articles[0].entities
        assert "story" in log.notes[0]


def test_the_object_that_a_result_names_the_key_of_shows_that_key(load):
    shown = [region("حلب", "GPE", "a", text=HEADLINE, to_name="one", source="$title")]
    shown += [region("حلب", "GPE", "b", to_name="two", source="$text")]
    (article,), log = load([task(*shown, data={"title": HEADLINE, "text": TEXT})])
    assert [(e.id, e.start) for e in article.entities] == [("b", 16)] and causes(log.fixed) == ["other text"]


def test_one_accidental_surface_in_the_title_does_not_cost_the_regions_of_the_text(load):
    broken = [region("سامر", "PER", "b"), region("الجيش", "ORG", "c"), region("قصف", "X", "d")]
    for item in broken:
        item["value"] |= {"start": item["value"]["start"] + 5, "end": item["value"]["end"] + 5}
    accident = region("حلب", "GPE", "a", text=HEADLINE)
    _, log = load([task(accident, *broken, data={"title": HEADLINE, "text": TEXT})])
    assert "other text" not in causes(log.fixed) and set(causes(log.dropped)) == {"offsets"}


def test_two_objects_may_show_the_same_text(load):
    both = [region("حلب", "GPE", "a", to_name="one"), region("سامر", "PER", "b", to_name="two")]
    (article,), log = load([task(*both, data={"text": TEXT, "title": "عنوان"})])
    assert [e.text for e in article.entities] == ["حلب", "سامر"] and not log.fixed


def test_a_text_that_is_a_link_is_no_article(load):
    articles, log = load(
        [task(data={"text": "https://example.org/a.txt"}), task(data={"text": "/data/upload/1/a.txt"})]
    )
    assert not articles and causes(log.dropped) == ["no text"] * 2 and "link" in log.dropped[0].message


# HTML


def page_region(surface: str, path: str, start: int, **more: Any) -> dict[str, Any]:
    value = {"start": path, "end": path, "startOffset": start, "endOffset": start + len(surface), "text": surface}
    return {"id": f"{path} {start}", "type": "hypertextlabels", "value": value | {"hypertextlabels": ["GPE"]} | more}


def test_a_page_is_read_as_its_text(load):
    source = (
        "<!DOCTYPE html><html><head><title>لا</title><style>p {}</style></head>\n<body>\r\n<!-- لا --><p>"
        "أحمد &amp; حسن"
        "<br>في <b>حلب</b> &#1608;<i>إدلب</i><img src='x'> و<b>حمص</b></p></body></html>"
    )
    text = "\nأحمد & حسن\nفي حلب وإدلب وحمص"
    whole = {"globalOffsets": {"start": text.index("حلب"), "end": text.index("حلب") + 3}}
    results = [
        page_region("حلب", "/html[1]/body[1]/p[1]/b[1]/text()[1]", 0, **whole),
        page_region("إدلب", "/p[1]/i[1]/text()[1]", 0),
        page_region("حمص", "/body[1]/p[1]/b[2]/text()[1]", 0),
    ]
    (article,), log = load([task(*results, data={"html": source, "id": "a"}), task(data={"html": "<p>نص</p>"})][:1])
    assert article.text == text and [e.text for e in article.entities] == ["حلب", "إدلب", "حمص"]
    assert not log.dropped and not log.fixed and "HTML" in str(log.notes)


def test_a_page_without_regions_is_recognized_by_the_others(load):
    tasks = [task(data={"text": "<p>لا شيء</p>"}), task(page_region("حلب", "/p[1]/text()[1]", 3), text="<p>في حلب</p>")]
    articles, _ = load(tasks)
    assert [article.text for article in articles] == ["لا شيء", "في حلب"]
    (article,), log = load([task(region("حلب", "GPE", text="<b> &amp; حلب"), text="<b> &amp; حلب")])
    assert article.text == "<b> &amp; حلب" and article.entities and not log.fixed


@pytest.mark.parametrize(
    "source", ["<" * 50_000, "<b>" * 50_000, "</b>" * 50_000 + "<b", "&#" * 50_000, "<![CDATA[" * 9]
)
def test_broken_html_is_read_in_time(source):
    assert isinstance(parse_page(source + "نص").text, str)


# the file


def test_an_array_tasks_by_line_and_a_single_task_are_read_alike(load):
    tasks = [task(region("حلب", "GPE")), task(id=8), task(id="9")]
    whole, _ = load(tasks)
    assert [article.id for article in whole] == ["7", "8", "9"]
    for content in (
        json.dumps(tasks, indent=1),
        "\ufeff" + json.dumps(tasks),
        "\r\n".join(map(json.dumps, tasks)),
        " \n".join(json.dumps(one, indent=2) for one in tasks),
    ):
        again, log = load(content)
        assert again == whole and not log.dropped
    assert load(tasks[0])[0] == whole[:1]
    assert load("[]")[0] == load("")[0] == []


def test_an_id_that_two_tasks_share_stays(load):
    articles, log = load([{"data": {"text": "a", "id": "x"}, "annotations": [{"result": []}]}] * 2)
    assert [article.id for article in articles] == ["x", "x"] and not log.fixed  # reading finds it


def test_a_task_without_an_id_is_named_by_its_number(load):
    articles, _ = load([{"data": {"text": "a"}, "annotations": [{"result": []}]}] * 2)
    assert [article.id for article in articles] == ["export-1", "export-2"]


@pytest.mark.parametrize(
    ("bad", "cause", "said"),
    [
        ("{", "cut off", "ends inside a task"),
        ('{"data": }', "not JSON", "column 10"),
        ('{"data": {"text": "a", "text": "b"}}', "not JSON", "given twice"),
        ('{"id": 1}', "missing key", "'data'"),
        ("[1]", "wrong kind", "list"),
        ("x 1 null", "between tasks", "'x"),
        ("}", "between tasks", "'}"),
        ('{"data": ' + "[" * 5_000 + "]" * 5_000 + "}", "not JSON", "too deeply"),
        ('{"data": {"n": ' + "9" * 5_000 + "}}", "not JSON", "integer"),
        (b'{"data": {"text": "\xe3\xc7"}}', "not UTF-8", "0xE3"),
    ],
)
def test_what_is_not_a_task_is_logged_with_its_line_and_others_are_read(load, bad, cause, said):
    good = json.dumps(task())
    raw = bad if isinstance(bad, bytes) else bad.encode()
    content = f"[{good},\n".encode() + raw + (b"" if cause == "cut off" else f",\n{good}]".encode())
    articles, log = load(content)
    assert len(articles) == (1 if cause == "cut off" else 2)
    assert [(problem.cause, problem.line) for problem in log.dropped] == [(cause, 2)]
    assert said in log.dropped[0].message


def test_an_object_in_a_broken_task_is_not_a_task(load):
    broken = '{"data": {"text": "a"}, "x": nope, "meta": {"data": {"text": "inside"}}}'
    articles, log = load(f"[{json.dumps(task())},{broken},{json.dumps(task())}]")
    assert [article.text for article in articles] == [TEXT, TEXT]
    assert causes(log.dropped) == ["not JSON"] and not log.fixed


def test_a_file_that_is_truncated_between_tasks_is_logged(load):
    articles, log = load("[" + json.dumps(task()) + ",\n")
    assert len(articles) == 1 and causes(log.dropped) == ["no end"]


ROW = {
    "text": TEXT,
    "id": 1,
    "title": "عنوان",
    "label": [{"start": 16, "end": 19, "text": "حلب", "labels": ["GPE"]}],
    "trigger": [{"start": 0, "end": 3, "text": "قصف", "labels": ["ASSAULT"]}],
    "event_types": "ASSAULT",
    "sentiment": {"choices": ["Negative", "Sad"]},
    "rate": 4,
    "annotator": 1,
    "annotation_id": 2,
    "lead_time": 3.5,
}


def test_rows_of_json_min_are_an_article_an_annotation(load, tmp_path):
    other = {key: value for key, value in ROW.items() if key != "label"}
    other |= {"annotator": "s@example.org", "annotation_id": 3}
    articles, log = load([ROW, other, ROW | {"id": 2, "annotation_id": None}])
    assert detect(tmp_path / "export.json") == "label-studio" and not log.dropped
    first, second = articles
    assert (first.id, second.id, first.title) == ("1", "1#3", "عنوان")
    assert [(entity.text, entity.label) for entity in first.entities] == [("حلب", "GPE")] and not second.entities
    assert [event.types for event in second.events] == [("ASSAULT",)] and second.event_types == ("ASSAULT",)
    assert first.meta == second.meta == {"rate": 4}
    assert causes(log.fixed) == ["other control", "several versions", "other control", "no annotations"]
    empty = {key: value for key, value in other.items() if key in ("text", "id", "annotator", "annotation_id")}
    (article,), log = load([empty, ROW])
    assert article.entities and "empty version" in causes(log.fixed)
    (article,), _ = load([ROW, empty], annotator="s@example.org")
    assert not article.events
    (article,), log = load([ROW | {"event_types": ["ASSAULT", "AID"]}])
    assert not article.event_types and "choices of regions" in str(log.fixed)
    (article,), _ = load([ROW, other], annotator="s@example.org")
    assert article.id == "1" and not article.entities


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_tables_are_read_as_json_min_is(tmp_path, suffix, delimiter):
    path = tmp_path / f"export{suffix}"
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerow(ROW)
        cells = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in ROW.values()]
        table.writerow([("[1]" + cell) if cell == TEXT else cell for cell in cells])
        table.writerow(cells[:3])
    assert detect(path) == "label-studio"
    log = ProblemLog()
    ((line, article),) = read_files(path, log=log)
    assert (line, article.text) == (2, "[1]" + TEXT) and article.event_types == ("ASSAULT",)
    assert causes(log.dropped) == ["offsets", "offsets", "wrong kind"]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="SV table"):
        detect(path)


def test_a_folder_of_annotations_with_their_tasks_is_read_as_a_whole(tmp_path):
    data = {"text": TEXT, "id": "a"}

    def store(name: str, task_id: int, **more: Any) -> None:
        stored = version("حلب", id=int(name), task={"id": task_id, "data": data | {"id": f"a{task_id}"}}) | more
        (tmp_path / name).write_text(json.dumps(stored), encoding="utf-8")

    store("9", 1, updated_at="2026-02", completed_by={"id": 3, "email": "s@example.org"})
    store("10", 1, updated_at="2026-01", completed_by={"id": 4, "email": "t@example.org"}, result=[])
    store("11", 2, was_cancelled=True)
    (tmp_path / "12").write_text('{"task": {}}')
    for format in (None, "label-studio"):
        log = ProblemLog()
        ((_, article),) = read_files(tmp_path, format, log=log)
        assert (article.id, len(article.entities)) == ("a1", 1)
        assert causes(log.dropped) == ["wrong kind"] and log.dropped[0].source == str(tmp_path / "12")
        assert sorted(causes(log.fixed)) == ["several versions", "skipped"]
    (chosen,) = read_files(tmp_path, log=ProblemLog(), options={"annotator": "t@example.org"})
    assert not chosen[1].entities
    ((_, article),) = read_files(tmp_path / "9", log=ProblemLog())
    assert article.id == "a1"
    (tmp_path / "x.conll").write_text("حلب B-GPE\n")  # a folder of other files too is read file by file
    ((_, article),) = read_files(tmp_path, log=ProblemLog())
    assert article.id == "x-1"


@given(
    st.lists(
        st.sampled_from(['{"a": "}]\\\\"}', "[[{}]]", '{"\\"": 1}', '{\n"x": ["{"]\n}', "[-1.5e3, true]"]), max_size=6
    ),
    st.integers(1, 40),
)
def test_values_are_split_alike_in_pieces_of_every_size(values, chunk):
    text = "[" + " ,\n".join(values) + "]\n"
    found = list(split_values(io.StringIO(text), chunk))
    assert [(raw, fault) for _, raw, fault in found] == [(value, None) for value in values]
    lines = [1 + sum(value.count("\n") + 1 for value in values[:n]) for n in range(len(values))]
    assert [line for line, _, _ in found] == lines


def test_memory_is_limited_for_a_task_without_end(tmp_path):
    piece = "ا" * 2**16
    path = tmp_path / "huge.json"
    good = json.dumps(task())
    with open(path, "w", encoding="utf-8") as file:
        file.write('[{"data": {"text": "')
        for _ in range(700):
            file.write(piece)
        file.write(f'"}}}}, {good}]')
    log = ProblemLog(source="huge.json")
    tracemalloc.start()
    articles = [article for _, article in read_files(path, "label-studio", log=log)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 80 * 2**20 and peak < 48 * 2**20
    assert [article.id for article in articles] == ["7"] and causes(log.dropped) == ["too large"]


@pytest.mark.parametrize(
    "bomb", ["[" * 3_000_000, "{}," * 300_000, '"' * 100_000, "x 1 " * 100_000, '{"data":{' * 50_000]
)
def test_nested_and_repeated_brackets_are_rejected(load, bomb):
    articles, log = load("[" + bomb)
    assert not articles and 1 <= len(log.dropped) <= 10_001


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 99)
    | st.floats()
    | st.sampled_from(["", "text", "قصف", "حلب", "/p[1]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "start", "id"]), inner),
    max_leaves=4,
)
VALUE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["start", "end", "text", "labels", "hypertextlabels", "choices", "globalOffsets", "startOffset"], ANYTHING
    ),
)
KINDS = st.sampled_from(["labels", "hypertextlabels", "choices", "relation", "rating"]) | ANYTHING
NAMES = ["id", "from_name", "to_name", "source", "from_id", "to_id", "labels", "score", "scores", "meta"]
RESULT = st.fixed_dictionaries(
    {"type": KINDS}, optional={"value": VALUE | ANYTHING, **dict.fromkeys(NAMES, ANYTHING | st.just("event_types"))}
)


@settings(max_examples=150, deadline=None)
@given(
    results=st.lists(RESULT, max_size=5),
    version=st.dictionaries(st.sampled_from(["id", "completed_by", "updated_at", "was_cancelled"]), ANYTHING),
    data=st.dictionaries(
        st.sampled_from(["text", "title", "body", "meta", "id"]), ANYTHING | st.just("<p>قصف حلب</p>")
    ),
    row=st.dictionaries(st.sampled_from(["text", "entity", "event_types", "id", "annotator"]), ANYTHING),
)
def test_values_may_be_anything(tmp_path_factory, results, version, data, row):
    path = tmp_path_factory.getbasetemp() / "anything.json"
    tasks = [
        {"id": 1, "data": data, "annotations": [{**version, "result": results}]},
        {**row, "annotation_id": 1, "lead_time": 2},
        {"result": results, **version, "task": {"data": data}},
    ]
    path.write_text(json.dumps(tasks).replace("NaN", "0").replace("Infinity", "1"), encoding="utf-8")
    for options in ({}, {"event_types_from": "text", "annotator": 5, "triggers": ["قصف"]}):
        log = ProblemLog(source=str(path))
        for _, article in label_studio.read_file(path, log, **options):
            assert not {cause for cause, _ in check_article(article)} - {"duplicate id"}


# our own files


def test_a_written_task_is_what_the_tool_imports(articles):
    entity = Entity(start=16, end=19, label="GPE", id="e", score=0.5)
    event = Event(
        trigger=Span(start=0, end=3),
        types=("ASSAULT", "COERCE"),
        scores=(0.75, 0.25),
        arguments=(Argument(role="Location", entity="e", score=0.5), Argument(role="Target", entity="e", score=1.0)),
    )
    article = Article(text=TEXT, id="a", title="عنوان", entities=(entity,), events=(event,), event_types=("ASSAULT",))
    ((first, second),) = [json.loads("".join(label_studio.write([article, articles[0]], ProblemLog())))]
    value = {"start": 16, "end": 19, "text": "حلب", "labels": ["GPE"]}
    control = {"to_name": "text", "type": "labels"}
    trigger = {"start": 0, "end": 3, "text": "قصف", "labels": ["ASSAULT", "COERCE"]}
    joined = {"from_id": "rasid-t1", "to_id": "e", "type": "relation", "direction": "right"}
    choices = {"from_name": "event_types", "to_name": "text", "type": "choices", "value": {"choices": ["ASSAULT"]}}
    assert first == {
        "data": {"text": TEXT, "id": "a", "title": "عنوان"},
        "predictions": [
            {
                "model_version": "rasid",
                "result": [
                    control | {"id": "e", "from_name": "entity", "value": value, "score": 0.5},
                    control
                    | {
                        "id": "rasid-t1",
                        "from_name": "trigger",
                        "value": trigger,
                        "score": 0.75,
                        "scores": [0.75, 0.25],
                    },
                    joined | {"labels": ["Location", "Target"], "score": 1.0, "scores": [0.5, 1.0]},
                    choices,
                ],
                "score": 0.6,
            }
        ],
    }
    assert second.keys() == {"data", "annotations"} and second["annotations"][0].keys() == {"result"}


def test_losses_are_logged():
    article = Article(
        text="ab cd",
        id="a",
        entities=(
            Entity(start=0, end=1, label="X", id="a#1"),
            Entity(start=0, end=2, label="", id="gone"),
            Entity(start=1, end=2, label="X", id="rasid-e9"),
        ),
        events=(
            Event(trigger=Span(start=3, end=5), types=()),
            Event(
                trigger=Span(start=3, end=5),
                types=("A",),
                arguments=tuple(
                    Argument(role=role, entity=name) for role, name in [("R", "a#1"), ("R", "gone"), ("", "a#1")]
                ),
            ),
        ),
        event_types=("",),
        sentences=(Sentence(start=0, end=5, types=("A",)),),
        tokens=((0, 2),),
        annotated={"entities": ("X",)},
        evidence={"A": (Span(start=0, end=2),)},
    )
    log = ProblemLog()
    (written,) = json.loads("".join(label_studio.write([article], log)))
    kinds = [item.get("from_name", item["type"]) for item in written["annotations"][0]["result"]]
    assert kinds == ["entity", "entity", "trigger", "relation"]
    assert causes(log.dropped) == [
        "id",
        "entity left out",
        "id",
        "event left out",
        "argument left out",
        "argument left out",
        "event types left out",
        "sentence labels left out",
        "tokens left out",
        "annotated left out",
        "evidence left out",
    ]


@pytest.mark.parametrize(
    ("article", "cause"),
    [
        (Article(text="a\ud800"), "lone surrogate"),
        (Article(text="a", meta={"\udc00": 1}), "lone surrogate"),
        (Article(text="a", entities=(Entity(start=0, end=1, label="A", score=float("nan")),)), "not JSON"),
        (Article(text="a", meta={"x": {1}}), "not JSON"),
    ],
)
def test_an_article_that_cannot_be_written_does_not_stop_the_others(article, cause):
    log = ProblemLog()
    others = [Article(text="أول"), article, Article(text="آخر")]
    assert [one["data"]["text"] for one in json.loads("".join(label_studio.write(others, log)))] == ["أول", "آخر"]
    assert causes(log.dropped) == [cause] and log.articles == 2
    assert json.loads("".join(label_studio.write([article], ProblemLog()))) == []


def test_other_json_files_are_not_detected(tmp_path):
    (tmp_path / "stats.json").write_text("{}")
    with pytest.raises(DataError, match="name one of"):
        detect(tmp_path / "stats.json")


# corruption


def good_bytes(articles: list[Article]) -> bytes:
    scored = [
        replace(article, entities=tuple(replace(entity, score=0.5) for entity in article.entities))
        for article in articles[4:6]
    ]
    results = [region("قصف", "A", "t"), region("حلب", "GPE", "e"), relation("e", "t", "Location")]
    page = {"id": "h", "type": "hypertextlabels", "value": {"start": "/p", "end": "/p", "globalOffsets": {"start": 0}}}
    foreign = task(*results, page, {"id": "t", "type": "choices", "value": {"choices": ["B"]}}, drafts=[])
    own = "".join(label_studio.write([*articles[:4], *scored], ProblemLog()))
    return own.replace("[\n", "[\n" + json.dumps(foreign, ensure_ascii=False) + ",\n", 1).encode()


def test_corrupted_files_give_valid_articles_or_reasons(tmp_path, articles, corrupted):
    good, path = good_bytes(articles), tmp_path / "a.json"
    for seed in range(300):
        path.write_bytes(corrupted(good, seed))
        log = ProblemLog(source=str(path))
        for _, article in label_studio.read_file(path, log, triggers=["A"], predictions=seed % 2 == 1):
            assert not list(check_article(article)), seed
            list(label_studio.write([article], ProblemLog()))
        for problem in log.dropped + log.fixed:
            assert problem.message and len(problem.message) < 2_000, seed
            assert problem.line >= 1 or problem.cause in ("no annotations", "no predictions"), seed  # about the file


# the labeling configuration


def test_the_labeling_configuration_fits_what_is_written(scheme):
    root = ElementTree.fromstring(label_studio.labeling_config(scheme))
    controls = {control.get("name"): control for control in root.iter() if control.get("toName") == "text"}
    assert {name: control.tag for name, control in controls.items()} == {
        "entity": "Labels",
        "trigger": "Labels",
        "event_types": "Choices",
    }
    assert [label.get("value") for label in controls["entity"]] == [*scheme.entities]
    colors = [label.get("background") for control in ("entity", "trigger") for label in controls[control]]
    assert all(contrast(color, "#ffffff") >= 4.5 for color in colors) and len(set(colors)) == len(colors)
    for name in ("trigger", "event_types"):
        assert [label.get("value") for label in controls[name]] == [*scheme.events]
        assert controls[name].get("choice") == "multiple"
    (relations,) = root.iter("Relations")
    assert [one.get("value") for one in relations] == [*scheme.roles] and relations.get("choice") == "multiple"
    (shown,) = root.iter("Text")
    assert (shown.get("name"), shown.get("value"), shown.get("granularity")) == ("text", "$text", "symbol")


def test_labeling_configuration_escapes_labels_and_omits_empty_controls():
    odd = Label(name='A"<&>', definition='"x" & <y>')
    root = ElementTree.fromstring(label_studio.labeling_config(LabelScheme(name="s", entities={odd.name: odd})))
    (label,) = root.iter("Label")
    assert (label.get("value"), label.get("hint"), label.get("background")) == (
        odd.name,
        odd.definition,
        darkened(palette(0)),
    )
    assert not list(root.iter("Relations")) and not list(root.iter("Choices"))
