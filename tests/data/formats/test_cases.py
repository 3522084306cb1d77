"""Small files as tools and corpora write them, and what is right to read from them.

The exports of Label Studio 1.23.2, doccano 1.8.4 and brat are as the tools wrote them; `cases/expected.json` holds what
was annotated: file → article id → entities [start, end, label, surface], events [start, end, types, surface, roles].
"""

import json
from pathlib import Path
from typing import Any

import pytest

from rasid.data.articles import Article
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import read

CASES = Path(__file__).parent / "cases"
EXPECTED: dict[str, dict[str, Any]] = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
OPTIONS: dict[str, dict[str, Any]] = {"doccano-graphemes.jsonl": {"units": "graphemes"}}


def case(name: str, **options: Any) -> tuple[list[Article], ProblemLog]:
    """Articles of a case and what was fixed and dropped."""
    log = ProblemLog()
    articles = [article for _, article in read(CASES / name, policy="drop_article", options=options, log=log)]
    return articles, log


def entities(article: Article) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in article.entities]


def messages(log: ProblemLog) -> str:
    return "\n".join([*map(str, (*log.fixed, *log.dropped)), *log.notes])


def as_expected(article: Article) -> dict[str, Any]:
    """An article in the form of expected.json."""
    places = {entity.id: [entity.start, entity.end] for entity in article.entities}
    return {
        "entities": sorted([entity.start, entity.end, entity.label, entity.text] for entity in article.entities),
        "events": sorted(
            [event.trigger.start, event.trigger.end, list(event.types), event.trigger.text]
            + [sorted([argument.role, *places[argument.entity]] for argument in event.arguments)]
            * bool(event.arguments)
            for event in article.events
        ),
        "event_types": sorted(article.event_types),
        "text": article.text,
        "sentences": list(article.sentences),
    }


# ---- exports of annotation tools -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "id"), [(name, id) for name, articles in EXPECTED.items() for id in articles])
def test_an_export_is_read_as_it_was_annotated(name: str, id: str) -> None:
    articles, _ = case(name, **OPTIONS.get(name, {}))
    expected = EXPECTED[name][id]
    found = [as_expected(article) for article in articles if article.id.partition("#")[0] == id]
    wanted = {key: sorted(value) if isinstance(value, list) else value for key, value in expected.items()}
    for event in wanted["events"]:
        event[4:] = [sorted(arguments) for arguments in event[4:]]
    assert wanted in [{key: article[key] for key in expected} for article in found]


@pytest.mark.parametrize("name", ["doccano-corrected-preannotations.jsonl", "brat-corrected"])
def test_predictions_written_for_a_tool_are_not_read_as_gold(name: str) -> None:
    [article], log = case(name)
    assert (article.event_types, article.sentences, article.type_scores, article.evidence) == ((), (), (), {})
    assert all(entity.score is None for entity in article.entities)
    assert "article_types" not in article.annotated
    assert "predict" in messages(log)
    assert not log.dropped


def test_a_region_of_the_title_is_left_out_and_named() -> None:
    _, log = case("ls-headline-and-text.json")
    assert "title" in messages(log)


def test_choices_of_a_region_that_are_no_event_types_are_kept_apart() -> None:
    [article], log = case("ls-trigger-attribute.json")
    assert [event.types for event in article.events] == [("ASSAULT",)]
    assert "negated" in messages(log) + str(article.meta)


def test_controls_of_a_label_studio_project() -> None:
    options = {"text_key": "body", "triggers": ["Attack"], "event_types_from": "events"}
    articles, log = case("ls-other-controls.json", **options)
    by_id = {article.id: article for article in articles}
    assert entities(by_id["t1"]) == [(19, 24, "ORG"), (31, 34, "GPE")]
    assert by_id["t2"].event_types == ("ASSAULT",)
    assert [event.trigger.text for event in by_id["t2"].events] == ["قصف"]
    assert (by_id["t3"].entities, by_id["t3"].events) == ((), ())
    assert "title" in messages(log)
    assert "UTF-16" not in messages(log)


def test_without_an_option_the_controls_that_were_read_are_named() -> None:
    articles, log = case("ls-other-controls.json", text_key="body", triggers=["Attack"])
    assert "Negative" not in [name for article in articles for name in article.event_types]
    assert "sentiment" in messages(log)


def test_regions_without_labels_name_the_controls_that_the_project_lacks() -> None:
    articles, log = case("ls-regions-without-labels.json")
    assert not any(article.entities for article in articles)
    assert "entity" in messages(log)
    assert "trigger" in messages(log)


def test_target_storage_of_label_studio() -> None:
    articles, _ = case("ls-target-storage")
    assert sorted(article.id for article in articles) == ["full", "two"]
    by_id = {article.id: as_expected(article) for article in articles}
    several = EXPECTED["ls-several-annotators.json"]
    assert by_id["full"]["entities"] == sorted(several["full"]["entities"])
    assert by_id["two"]["entities"] == sorted(several["two"]["entities"])


@pytest.mark.parametrize("name", ["ls-json-min.json", "ls-export.csv"])
def test_other_exports_of_label_studio(name: str) -> None:
    articles, _ = case(name)
    several = EXPECTED["ls-several-annotators.json"]
    for id, task in (("full", "33"), ("two", "34"), ("nested", "40")):  # JSON-MIN has the id of the task alone
        found = [as_expected(article) for article in articles if article.id.partition("#")[0] in (id, task)]
        wanted = sorted(several[id]["entities"]), sorted(event[:4] for event in several[id]["events"])
        assert wanted in [(article["entities"], article["events"]) for article in found], id
    assert len([article for article in articles if article.id.partition("#")[0] in ("two", "34")]) == 2


def test_conll2003_of_label_studio() -> None:
    articles, _ = case("ls-export.conll")
    assert {entity.label for article in articles for entity in article.entities} >= {"ORG", "GPE"}


def test_the_members_of_a_doccano_project() -> None:
    articles, log = case("doccano-two-annotators.zip", annotator="admin")
    by_id = {article.id: article for article in articles}
    assert len(by_id["full"].entities) == 3
    assert len(by_id["full"].events) == 2
    assert "none" not in by_id, "nobody opened it"
    assert messages(log)
    articles, _ = case("doccano-two-annotators.zip", annotator="sara")
    assert [article.id for article in articles] == ["two"]


def test_an_empty_example_of_a_doccano_member_does_not_replace_a_full_one() -> None:
    articles, log = case("doccano-two-annotators.zip")
    assert all(article.entities or article.events for article in articles)
    assert "annotator" in messages(log)


def test_confirmed_examples_of_two_doccano_members() -> None:
    articles, _ = case("doccano-two-annotators-confirmed.zip")
    by_id = {article.id: article for article in articles}
    roles = {argument.role for event in by_id["full"].events for argument in event.arguments}
    assert roles == {"Actor", "Location", "Count"}
    assert [entity.text for entity in by_id["two"].entities] == ["واشنطن", "دمشق"]


@pytest.mark.parametrize("suffix", ["json", "csv", "txt"])
def test_text_classification_of_doccano(suffix: str) -> None:
    articles, _ = case(f"doccano-classification.{suffix}")
    assert [article.event_types for article in articles][:2] == [("ASSAULT",), ("PROTEST", "THREATEN")]
    assert not any(article.event_types for article in articles[2:])


def test_spans_in_grapheme_clusters_ask_for_the_option() -> None:
    try:
        _, log = case("doccano-graphemes.jsonl")
    except DataError as error:
        assert "units=graphemes" in str(error)
    else:
        assert "units=graphemes" in messages(log)
        assert log.dropped


# ---- CoNLL -----------------------------------------------------------------------------------------------------------


def test_no_word_of_a_line_with_a_surplus_field_is_lost() -> None:
    articles, log = case("conll-space-in-token.conll")
    if articles:
        [article] = articles
        assert article.text == "قال عبد الله الأحمد في صنعاء"
        assert entities(article) == [(4, 19, "PER"), (23, 28, "LOC")]
    assert ":2:" in messages(log)


def test_the_chunk_column_is_no_entity() -> None:
    articles, log = case("conll-chunk-column.conll")
    assert [entity for article in articles for entity in entities(article)] == [(20, 24, "LOC")]
    assert "column" in messages(log)


def test_a_line_without_a_token_costs_the_line() -> None:
    [article], log = case("conll-line-without-token.conll")
    assert [(entity.text, entity.label) for entity in article.entities] == [("سعد الحريري", "PER"), ("طرابلس", "LOC")]
    assert ":7:" in messages(log)


def test_tags_with_another_dash_are_fixed() -> None:
    [article], log = case("conll-tag-with-maqaf.conll")
    assert entities(article) == [(12, 23, "PER"), (54, 60, "LOC")]
    assert "U+05BE" in messages(log)
    assert not log.dropped


@pytest.mark.parametrize("dash", "\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u0640")
def test_every_dash_of_a_tag_is_fixed(dash: str, tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text(f"سعد B{dash}PER\nالحريري I{dash}PER\n. O\n", encoding="utf-8")
    log = ProblemLog()
    [(_, article)] = read(file, policy="drop_article", log=log)
    assert entities(article) == [(0, 11, "PER")]
    assert f"U+{ord(dash):04X}" in messages(log)


def test_a_mention_without_a_label_is_no_entity_with_the_label_null() -> None:
    [article], log = case("conll-null-label.conll")
    assert entities(article) == [(12, 23, "PER")]
    assert "null" in messages(log)


def test_joined_tags_of_segments_give_the_label_of_the_name() -> None:
    articles, log = case("conll-joined-tags.conll")
    assert [entities(article) for article in articles] == [[(11, 19, "GPE")], [(4, 10, "GPE")]]
    assert "^" in messages(log)


def test_iob1_is_no_damage() -> None:
    articles, log = case("conll-iob1.conll")
    assert [len(article.entities) for article in articles] == [3, 2]
    assert (log.fixed, log.dropped) == ([], [])
    assert not any("stray" in article.meta for article in articles)


def test_sentences_keep_their_document() -> None:
    articles, _ = case("conll-documents.conll")
    assert [article.meta["doc"] for article in articles] == [
        "conll-documents-1",
        "conll-documents-1",
        "conll-documents-2",
    ]


# ---- other files -----------------------------------------------------------------------------------------------------


def test_label_ids_of_an_older_doccano_are_refused_with_what_to_export() -> None:
    for options in ({}, {"format": "doccano"}):
        with pytest.raises(DataError, match="text label"):
            list(read(CASES / "doccano-label-ids.jsonl", **options))


def test_binary_questions_of_prodigy_annotate_their_span_alone() -> None:
    articles, log = case("prodigy-one-span-a-question.jsonl")
    assert len(articles) <= 1
    if articles:
        assert {label for _, _, label in entities(articles[0])} == {"GPE"}
        assert articles[0].annotated.get("entities", ("GPE",)) == ()
    else:
        assert "question" in messages(log)


@pytest.mark.parametrize(
    "name",
    ["label-studio-relation-of-entities.json", "label-studio-choice-for-an-entity.json", "brat-events-of-events"],
)
def test_what_an_annotator_did_on_purpose_is_not_dropped_as_damage(name: str) -> None:
    [article], log = case(name)
    assert log.dropped == []
    assert log.fixed or article.meta
    assert {entity.label for entity in article.entities} <= {"PER", "ORG"}
    list(read(CASES / name))  # training reads with this policy


def test_a_surface_in_another_normal_form_proves_its_place() -> None:
    [article], log = case("label-studio-surface-decomposed.json")
    assert entities(article) == [(23, 29, "GPE")]
    assert "normal form" in messages(log) or "NF" in messages(log)


def test_html_is_read_as_the_text_that_its_offsets_count() -> None:
    [article], _ = case("label-studio-html.json")
    assert article.text == "\nهجوم في كركوك\nقتل جنديان في هجوم قرب كركوك أمس.\n"
    assert entities(article) == [(9, 14, "GPE"), (38, 43, "GPE")]


@pytest.mark.parametrize("options", [{}, {"format": "inception"}])
def test_legacy_cas_json_is_named(options: dict[str, Any]) -> None:
    try:
        articles = [article for _, article in read(CASES / "webanno-legacy-cas.json", **options)]
    except DataError as error:
        assert "legacy UIMA CAS JSON" in str(error)
        assert "XMI" in str(error)
    else:
        assert [entities(article) for article in articles] == [[(23, 27, "LOC"), (38, 43, "LOC")]]


def test_training_data_of_spacy_2_is_named() -> None:
    with pytest.raises(DataError, match="spaCy"):
        list(read(CASES / "spacy-ner-annotator.json"))
