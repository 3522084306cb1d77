import inspect
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from typer.testing import CliRunner

from rasid.audit import Audit, Finding, audit, label_issues
from rasid.audit.consistency import doubt
from rasid.audit.duplicates import SIMILAR, near_pairs
from rasid.audit.spans import edge_problem
from rasid.audit.terminal import render
from rasid.audit.texts import mojibake
from rasid.audit.views import MOST_LOCATIONS, role_of
from rasid.cli import app
from rasid.commands.checking import check_data, is_config
from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span, check_article
from rasid.data.datasets import DataSet
from rasid.data.formats import write_articles
from rasid.data.labels import Label, LabelScheme
from rasid.data.problems import ProblemLog
from rasid.data.text.normalizer import with_arabert_normalization
from rasid.evaluate.classification import tune_thresholds

SENTENCE = "قال الوزير في بيان نشر اليوم إن الوفد وصل إلى العاصمة مساء أمس برفقة خبراء من دول عدة"


def make(text: str, *surfaces: tuple[str, str], id: str = "a", **fields) -> Article:
    """An article whose entities are the first places of the surfaces."""
    entities = tuple(
        Entity(start=text.index(surface), end=text.index(surface) + len(surface), label=label)
        for surface, label in surfaces
    )
    return Article(text=text, id=id, entities=entities, **fields)


def made_set(*articles: Article, annotated_labels=None, log: ProblemLog | None = None) -> DataSet:
    return DataSet(name="x", articles=list(articles), annotated_labels=annotated_labels or {}, log=log or ProblemLog())


def check(*articles: Article, **options) -> dict[str, Finding]:
    return {found.key: found for found in audit({"all": made_set(*articles)}, **options).findings}


def check_sets(**sets: DataSet) -> dict[str, Finding]:
    return {found.key: found for found in audit(sets).findings}


GOOD = make("وصل الوفد إلى بغداد ثم إلى دمشق.", ("بغداد", "GPE"), ("دمشق", "GPE"), id="good")


def test_a_good_article_has_only_the_note_on_its_longest_sentence() -> None:
    assert list(check(GOOD)) == ["longest-sentence"]


# ---- spans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "name", "key"),
    [
        ("وبغداد", "بغداد", "spans-behind-proclitics"),
        ("وَبغداد", "بغداد", "spans-behind-proclitics"),
        ("للعراق", "عراق", "spans-behind-proclitics"),
        ("وبالعراق", "عراق", "spans-behind-proclitics"),
        ("كبغداد", "غداد", "spans-cut-at-start"),
        ("بغدادي", "بغداد", "spans-cut-at-end"),
        ("بغداد", "بغداد", None),
        ("الرئيسُ", "الرئيس", None),
    ],
)
def test_spans_that_cut_words(word: str, name: str, key: str | None) -> None:
    found = check(make(f"زار {word} أمس", (name, "GPE")))
    assert {k for k in found if k.startswith(("spans-behind", "spans-cut"))} == ({key} if key else set())
    if key:
        assert found[key].count == 1
        assert found[key].locations[0].start == f"زار {word}".index(name)


def test_proclitics_are_a_note_unless_the_config_leaves_out_boundaries() -> None:
    article = make("زار وبغداد", ("بغداد", "GPE"))
    assert check(article)["spans-behind-proclitics"].severity == "note"
    assert check(article)["spans-behind-proclitics"].table[1] == ("و", "1")
    taught = {"entities": ("GPE",), "proclitics": ()}
    assert check_sets(x=made_set(article, annotated_labels=taught))["spans-behind-proclitics"].severity == "note"
    untaught = check_sets(x=made_set(article, annotated_labels={"entities": ("GPE",)}))
    assert untaught["spans-behind-proclitics"].severity == "warning"
    assert "proclitics" in untaught["spans-behind-proclitics"].explanation


def test_spans_across_sentences() -> None:
    text = "وصل إلى بغداد. دمشق بعيدة."
    assert check(make(text, ("بغداد. دمشق", "GPE")))["spans-across-sentences"].count == 1
    assert "spans-across-sentences" not in check(make(text, ("دمشق", "GPE")))
    whole = (Sentence(start=0, end=len(text)),)  # a sentence that is given counts, not what the text looks like
    assert "spans-across-sentences" not in check(make(text, ("بغداد. دمشق", "GPE"), sentences=whole))


@pytest.mark.parametrize(
    ("surface", "said"),
    [
        ("«حماس", "nothing closes"),
        ("حماس»", "nothing opens"),
        ("(حماس]", "nothing opens"),
        ("«حماس»", "whole between"),
        ('"حماس"', "whole between"),
        ('"حماس', "half of a pair"),
        ("دمشق،", "ends with"),
        ("-دمشق", "starts with"),
        (" دمشق", "white space"),
        ("حركة (حماس)", ""),
        ("أ.ف.ب.", ""),
        ("محمد ب.", ""),
        ("10%", ""),
        ("#غزة", ""),
        ("بور-سودان", ""),
    ],
)
def test_edges(surface: str, said: str) -> None:
    problem = edge_problem(surface)
    assert said in problem
    assert bool(said) == bool(problem)
    if surface == surface.strip():
        assert ("punctuation-at-edges" in check(make(f"في {surface} أمس", (surface, "ORG")))) == bool(said)


def test_nested_and_crossing_spans() -> None:
    text = "جامعة بغداد الكبرى"
    nested = check(make(text, ("جامعة بغداد", "ORG"), ("بغداد", "GPE")))
    assert nested["nested-spans"].count == 1
    assert nested["nested-spans"].severity == "note"
    assert "crossing-spans" not in nested
    crossing = check(make(text, ("جامعة بغداد", "ORG"), ("بغداد الكبرى", "GPE")))
    assert crossing["crossing-spans"].severity == "warning"
    assert "nested-spans" not in crossing
    assert not {"crossing-spans", "nested-spans"} & set(check(make(text, ("جامعة", "ORG"), ("بغداد", "GPE"))))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 5)), max_size=8))
def test_overlaps_are_found_as_by_comparing_every_pair(spans: list[tuple[int, int]]) -> None:
    text = "ا" * 17
    extents = sorted({(start, start + length) for start, length in spans})
    article = Article(text=text, entities=tuple(Entity(start=s, end=e, label="X") for s, e in extents))
    found = check(article)
    cross = {b for a in extents for b in extents if a[0] < b[0] < a[1] < b[1]}
    inner = {b for a in extents for b in extents if a != b and a[0] <= b[0] and b[1] <= a[1]} - cross
    for key, places in (("crossing-spans", cross), ("nested-spans", inner)):
        assert (
            {(location.start, location.end) for location in found[key].locations} if key in found else set() == places
        )


def test_one_span_twice() -> None:
    twice = check(make("في بغداد", ("بغداد", "GPE"), ("بغداد", "GPE")))
    assert twice["duplicate-spans"].severity == "error"
    assert "spans-with-two-labels" not in twice
    two = check(make("في بغداد", ("بغداد", "GPE"), ("بغداد", "LOC")))
    assert two["spans-with-two-labels"].count == 1
    assert not {"duplicate-spans", "nested-spans"} & set(two)


def test_an_event_twice_is_an_error_only_with_the_same_arguments() -> None:
    def article(*roles: str) -> Article:
        entity = Entity(start=4, end=9, label="GPE", id="e")
        events = tuple(
            Event(trigger=Span(start=0, end=3), types=("AID",), arguments=(Argument(role=role, entity="e"),))
            for role in roles
        )
        return Article(text="قصف بغداد", id="a", entities=(entity,), events=events)

    assert check(article("Actor", "Actor"))["duplicate-spans"].count == 1
    assert "duplicate-spans" not in check(article("Actor", "Recipient"))


# ---- consistency -----------------------------------------------------------------------------------------------------


def test_surfaces_with_different_labels_are_ranked_by_doubt() -> None:
    def several(name: str, labels: str) -> list[Article]:
        full = {"G": "GPE", "O": "ORG"}
        return [make(f"خبر {n} عن {name} اليوم", (name, full[label])) for n, label in enumerate(labels)]

    found = check(*several("مصر", "GGGO"), *several("قطر", "GGOO"), *several("تونس", "GG"))["ambiguous-surfaces"]
    assert [row[0] for row in found.table[1:]] == ["قطر", "مصر"]
    assert found.locations[1].label == "ORG"  # the rare one is what is to be looked at
    assert "ambiguous-surfaces" not in check(*several("تونس", "GG"))
    assert doubt(Counter(a=8, b=8)) > doubt(Counter(a=15, b=1)) > doubt(Counter(a=1))
    marked = check(make("في مِصر", ("مِصر", "GPE")), make("في مصر", ("مصر", "LOC"), id="b"))
    assert marked["ambiguous-surfaces"].count == 1


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("زار بغداد ثم غادر بغداد", "بغداد"),
        ("زار بغداد ثم غادر وبغداد", "وبغداد"),
        ("زار بغداد ثم غادر بَغداد", "بَغداد"),
        ("زار بغداد ثم غادر دمشق", None),
        ("زار بغداد ثم غادر بغداديا", None),
    ],
)
def test_names_that_are_not_labeled_elsewhere(text: str, location: str | None) -> None:
    found = check(make(text, ("بغداد", "GPE")))
    assert ("unlabeled-occurrences" in found) == (location is not None)
    if location:
        place = found["unlabeled-occurrences"].locations[0]
        assert (text[place.start : place.end], place.label) == (location, "GPE")


def test_names_of_several_words_and_names_inside_labeled_ones_count_once() -> None:
    text = "زار سامر الحلبي المدينة، وقال سامر الحلبي إن وزارة سامر الحلبي"
    article = make(text, ("سامر الحلبي", "PER"), ("وزارة سامر الحلبي", "ORG"))
    found = check(article)["unlabeled-occurrences"]
    assert [(location.start, text[location.start : location.end]) for location in found.locations] == [
        (text.index("سامر", 10), "سامر الحلبي")
    ]
    nothing = check_sets(x=made_set(article, annotated_labels={"triggers": ("AID",)}))
    assert "unlabeled-occurrences" not in nothing  # nobody annotated entities


# ---- texts -----------------------------------------------------------------------------------------------------------


def test_split_clitics() -> None:
    split = check(make("وصل الوفد و غادر مدينة ها ب سرعة كبيرة"))["split-clitics"]
    assert split.severity == "warning"
    assert {row[0] for row in split.table[1:]} == {"و", "ها", "ب"}
    assert "split-clitics" not in check(make("أ) مصر، ب) تونس. رقم و-12، وصل وغادر مدينتها."))
    rare = check(make("وصل و غادر"), make("كلمة " * 2000, id="b"))["split-clitics"]
    assert rare.severity == "note"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("السلام عليكم".encode().decode("latin-1"), None), ("المدينة".encode("cp1256").decode("latin-1"), "المدينة")],
)
def test_mojibake_is_found_and_read(wrong: str, right: str | None) -> None:
    assert check(make(f"قال {wrong} اليوم"))["mojibake"].severity == "error"
    meant = [found for _, _, found in mojibake(wrong)]
    assert meant == ([right] if right else ["السلام", "عليكم"])


@settings(max_examples=60, deadline=None)
@given(st.text("ابتةثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئ", min_size=3, max_size=12))
def test_every_word_read_in_a_wrong_encoding_is_found(word: str) -> None:
    assert [meant for *_, meant in mojibake(word.encode().decode("latin-1"))] == [word]
    assert not list(mojibake(word))


def test_french_and_german_are_no_mojibake() -> None:
    assert not list(mojibake("L'été à Orléans où Müßiggänger über Ø 12 °C naïf çà et là"))


def test_lost_bytes_and_control_characters() -> None:
    found = check(make("قال الو\ufffdير \ud800 اليوم\x07"))
    assert found["lost-bytes"].count == 2
    assert found["control-characters"].table[1] == ("U+0007 without a name", "1")
    assert not {"lost-bytes", "control-characters", "mojibake"} & set(check(make("قال\tالوزير\r\nاليوم\u200f")))


def test_the_longest_sentence_is_named_by_its_tokens() -> None:
    tokens = tuple((2 * n, 2 * n + 1) for n in range(530))
    article = Article(text=" ".join("ا" * 530), id="train-2691", tokens=tokens)
    found = check(GOOD, article)
    assert (found["long-sentences"].count, found["long-sentences"].locations[0].article) == (1, "train-2691")
    assert found["longest-sentence"].locations[0].message.startswith("530 words")
    assert "long-sentences" not in check(GOOD)


# ---- duplicates ------------------------------------------------------------------------------------------------------


def test_duplicates_across_splits_are_errors_and_near_ones_warnings() -> None:
    first = make(SENTENCE, id="1")
    near = replace(first, text=SENTENCE + " اليوم", id="2")
    other = make("تعادل الفريقان في مباراة الذهاب أمام جمهور كبير حضر من كل المدن القريبة", id="3")
    found = check_sets(train=made_set(first, other), test=made_set(replace(first, id="t"), near))
    assert found["duplicates-across-splits"].severity == "error"
    assert [location.article for location in found["duplicates-across-splits"].locations] == ["t"]
    assert [location.article for location in found["near-duplicates-across-splits"].locations] == ["2"]
    assert "duplicates-within-splits" not in found
    within = check_sets(train=made_set(first, replace(first, id="t"), near), test=made_set(other))
    assert within["duplicates-within-splits"].count == within["near-duplicates-within-splits"].count == 1
    assert not {key for key in within if "across" in key and "duplicates" in key}
    same_role = check_sets(test=made_set(first), test_repaired=made_set(first))
    assert "duplicates-across-splits" not in same_role


def test_near_pairs_are_those_of_comparing_all_runs() -> None:
    random = np.random.default_rng(0)
    texts = [[str(word) for word in random.integers(0, 500, 40)] for _ in range(60)]
    for number in range(0, 60, 3):
        texts[number + 1] = list(texts[number])
        texts[number + 1][number % 40] = "x"
    runs = [{tuple(text[n : n + 5]) for n in range(len(text) - 4)} for text in texts]
    exact = {(a, b): len(runs[a] & runs[b]) / len(runs[a] | runs[b]) for a in range(60) for b in range(a + 1, 60)}
    found = {(a, b): score for a, b, score in near_pairs(texts)}
    assert found == {pair: round(score, 3) for pair, score in exact.items() if score >= SIMILAR}
    assert len(found) > 10


def test_texts_that_share_their_phrases_with_everyone_take_linear_time() -> None:
    texts = [[*SENTENCE.split(), str(number)] for number in range(20_000)]
    assert list(near_pairs(texts)) == []


def test_share_of_mentions_known_from_train() -> None:
    train = made_set(make("زار بغداد", ("بغداد", "GPE")))
    test = made_set(make("غادر بغداد إلى دمشق", ("بغداد", "GPE"), ("دمشق", "GPE")))
    found = check_sets(train=train, test=test)["mentions-known-from-train"]
    assert ("test", "entities", "all", "1", "2", "50 %") in found.table
    assert "mentions-known-from-train" not in check_sets(a=train, b=test)


# ---- labels ----------------------------------------------------------------------------------------------------------


def test_labels_are_counted_by_data_set() -> None:
    event = Event(trigger=Span(start=0, end=3), types=("AID",))
    article = Article(text="قصف بغداد", id="a", events=(event,), event_types=("AID",))
    outcome = audit({"train": made_set(article, GOOD), "dev": made_set(GOOD)}, name="n")
    assert outcome.labels["entities"]["GPE"] == {"train": 2, "dev": 2}
    assert outcome.labels["triggers"] == outcome.labels["article_types"] == {"AID": {"train": 1, "dev": 0}}
    assert outcome.splits["train"] == {
        "articles": 2, "words": 10, "sentences": 2, "mentions": 2, "triggers": 1, "arguments": 0,
    }  # fmt: skip


def test_rare_missing_and_unused_labels() -> None:
    many = [make(f"خبر {n} عن بغداد", ("بغداد", "GPE"), id=str(n)) for n in range(12)]
    odd = make("نشرت رويترز", ("رويترز", "ORG"), id="odd")
    annotated = {"entities": ("GPE", "ORG", "LOC")}
    found = check_sets(
        train=made_set(*many, annotated_labels=annotated), dev=made_set(*many, odd, annotated_labels=annotated)
    )
    assert {(location.split, location.label) for location in found["rare-labels"].locations} == {
        ("train", "ORG"),
        ("dev", "ORG"),
    }
    assert [location.label for location in found["labels-not-in-train"].locations] == ["ORG"]
    assert [location.label for location in found["labels-never-used"].locations] == ["LOC"]
    fine = check_sets(train=made_set(*many), dev=made_set(*many))
    assert not {"rare-labels", "labels-not-in-train", "labels-never-used"} & set(fine)


def test_rare_is_what_thresholds_take_for_rare() -> None:
    default = inspect.signature(audit).parameters["minimum_positives"].default
    assert default == inspect.signature(tune_thresholds).parameters["minimum_positives"].default


def test_labels_outside_the_scheme_and_articles_without_annotation() -> None:
    scheme = LabelScheme(name="s", entities={"GPE": Label(name="GPE")})
    odd = make("نشرت رويترز", ("رويترز", "GEP"))
    found = check(odd, GOOD, scheme=scheme)["unknown-labels"]
    assert (found.severity, found.count) == ("error", 1)
    assert "did you mean 'GPE'" in found.locations[0].message
    assert "unknown-labels" not in check(GOOD, scheme=scheme)
    assert check(make("لا شيء"))["articles-without-annotation"].count == 1


def test_what_reading_left_out_and_mended() -> None:
    log = ProblemLog(source="f.conll")
    log.drop("not a tag", "'X' is not a tag", line=3, article="f-1")
    for line in range(4):
        log.fix("stray I-", "read as its start", line=line)
    log.fix("sentinel", "dropped")
    found = check_sets(x=made_set(GOOD, replace(GOOD), log=log))
    severities = {key: (found[key].severity, found[key].count) for key in found}
    assert severities["dropped-not-a-tag"] == ("error", 1)
    assert severities["fixed-stray-i"] == ("warning", 4)
    assert severities["fixed-sentinel"] == ("note", 1)
    assert severities["duplicate-ids"] == ("error", 1)
    assert found["dropped-not-a-tag"].locations[0].source == "f.conll:3"


# ---- the encoder -----------------------------------------------------------------------------------------------------

PERSIAN = make(
    "زار گوگل وهيئة پارس ومحمدی ثم \ufefbهٰذا می\u200cخواهم \u200fبغداد\u200f", ("گوگل", "ORG"), ("پارس", "ORG")
)


def test_letters_that_the_published_preprocessing_deletes_and_the_repair_keeps(tokenizer: Tokenizer) -> None:
    plain = with_arabert_normalization(tokenizer, repair=False)
    found = check(PERSIAN, tokenizer=plain)["lost-characters"]
    rows = {row[0].split()[0 if row[0].startswith("U+") else 1]: row for row in found.table[1:]}
    assert rows["U+06AF"][1] == "2"
    assert rows["U+06AF"][4] == "2: گوگل"
    assert {"U+067E", "U+06CC", "U+FEFB"} <= set(rows)
    assert rows["U+0670"][3] == rows["U+200C"][3] == "1"  # they cut words; the mark at the edge of بغداد does not
    assert "U+200F" not in rows
    assert [location.label for location in found.locations[:2]] == ["ORG", "ORG"]  # names before other words
    assert "lost-characters" not in check(PERSIAN, tokenizer=tokenizer)


def test_addresses_repetitions_and_diacritics_are_not_lost(tokenizer: Tokenizer) -> None:
    plain = with_arabert_normalization(tokenizer, repair=False)
    article = make("قَالَ الرئيسُ بـ34 كـــبير هههههه على https://گ.ir/x?a=1 &quot; إلى @گوگل")
    assert "lost-characters" not in check(article, tokenizer=plain)


def test_symbols_are_a_note(tokenizer: Tokenizer) -> None:
    found = check(make("فوز 🎉 كبير"), tokenizer=tokenizer)
    assert found["unread-symbols"].severity == "note"
    assert "lost-characters" not in found


def test_words_that_become_unknown(tokenizer: Tokenizer) -> None:
    content = json.loads(tokenizer.to_str())
    for entry in ("ظ", "##ظ"):
        del content["model"]["vocab"][entry]
    poor = Tokenizer.from_str(json.dumps(content))
    found = check(make("زار ظافر المدينة", ("ظافر", "PER")), tokenizer=poor)
    assert found["unknown-words"].table[1] == ("ظافر", "1")
    assert found["lost-characters"].table[1][2] == "1"
    assert found["lost-characters"].locations[0].label == "PER"
    assert "unknown-words" not in check(make("زار ظافر المدينة"), tokenizer=tokenizer)


def test_articles_and_sentences_longer_than_a_window(tokenizer: Tokenizer) -> None:
    before = tokenizer.to_str()
    short = "وصل الوفد إلى بغداد. "
    long = make(short * 60, id="long")
    endless = make("وصل الوفد إلى بغداد " * 60, id="endless")
    found = check(GOOD, long, endless, tokenizer=tokenizer, window=80, overlap=16)
    assert {location.article for location in found["long-articles"].locations} == {"long", "endless"}
    assert [location.article for location in found["sentences-beyond-window"].locations] == ["endless"]
    assert found["longest-in-subwords"].locations[0].article == "endless"
    assert not {"long-articles", "sentences-beyond-window"} & set(check(GOOD, tokenizer=tokenizer))
    assert tokenizer.to_str() == before


# ---- label noise -----------------------------------------------------------------------------------------------------


def test_suspects_find_a_wrong_label_and_a_missing_one(bundle: Path, articles: list[Article]) -> None:
    from rasid.inference import Tagger

    tagger = Tagger.from_pretrained(bundle)
    scheme = tagger.settings.scheme
    annotated = {"entities": scheme.labels("entities")}
    clean = articles[:6]
    wrong = replace(clean[0].entities[0], label="ORG" if clean[0].entities[0].label != "ORG" else "PER")
    spoilt = [
        replace(clean[0], entities=(wrong, *clean[0].entities[1:])),
        replace(clean[1], entities=clean[1].entities[1:]),
        *clean[2:],
    ]
    before = list(label_issues(tagger, clean, annotated))
    ranked = sorted(label_issues(tagger, spoilt, annotated), key=lambda location: -(location.score or 0))
    top = {(location.article, location.start, location.end, location.label) for location in ranked[:2]}
    missing = clean[1].entities[0]
    assert top == {
        (clean[0].id, wrong.start, wrong.end, wrong.label),
        (clean[1].id, missing.start, missing.end, ""),
    }
    assert any(f"the model says {clean[0].entities[0].label}" in location.message for location in ranked[:2])
    assert len(ranked) == len(before) + 2
    unannotated = list(label_issues(tagger, spoilt, {"entities": ("DATE",)}))
    assert all(location.label == "DATE" for location in unannotated)


def test_suspects_among_triggers_and_sentences(bundle: Path, articles: list[Article]) -> None:
    from rasid.inference import Tagger

    tagger = Tagger.from_pretrained(bundle)
    types = tagger.settings.scheme.labels("triggers")
    without = replace(articles[0], events=())
    found = list(label_issues(tagger, [without], {"triggers": types, "sentence_types": types}))
    spans = {(event.trigger.start, event.trigger.end) for event in articles[0].events}
    assert spans <= {(location.start, location.end) for location in found}
    assert any(location.message.count("sentence: not ") for location in found)
    fewer = list(label_issues(tagger, [articles[0]], {"triggers": types, "sentence_types": types}))
    assert len(fewer) < len(found)


# ---- the whole -------------------------------------------------------------------------------------------------------


def test_errors_come_first_and_everything_is_json() -> None:
    outcome = audit({"all": made_set(make("في بغداد \ud800", ("بغداد", "GPE"), ("بغداد", "GPE")), GOOD)})
    order = [found.severity for found in outcome.findings]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert outcome.errors == 1
    assert json.loads(json.dumps(outcome.to_plain()))["findings"][0]["key"] == "duplicate-spans"


def test_hits_are_cut_and_still_counted() -> None:
    found = check(make("\x07" * 3000))["control-characters"]
    assert (len(found.locations), found.count) == (MOST_LOCATIONS, 3000)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("train", "train"),
        ("test_repaired", "test"),
        ("valid", "dev"),
        ("val", "dev"),
        ("value", ""),
        ("corpus-dev", "dev"),
        ("training", ""),
        ("", ""),
    ],
)
def test_roles(name: str, role: str) -> None:
    assert role_of(name) == role


HOSTILE = 'ابلو ٣aZ\n\t\u200c\u064e،.«»()"\u2028\x00\u200f😀\\[]\ud800گ'


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_valid_article_can_be_audited_and_shown(tokenizer_json: str, data: st.DataObject) -> None:
    articles = []
    for number in range(data.draw(st.integers(0, 3))):
        text = data.draw(st.text(HOSTILE, max_size=40))
        places = [n for n, sign in enumerate(text) if not sign.isspace()]
        bounds = st.tuples(st.sampled_from(places), st.sampled_from(places)) if places else st.nothing()
        pairs = data.draw(st.lists(bounds.map(sorted), max_size=4)) if places else []
        entities = tuple(Entity(start=s, end=e + 1, label=data.draw(st.sampled_from("AB"))) for s, e in pairs)
        events = tuple(Event(trigger=Span(start=s, end=e + 1), types=("X", "Y")) for s, e in pairs[:1])
        article = Article(text=text, id=str(number), entities=entities, events=events)
        assert not list(check_article(article))
        articles.append(article)
    outcome = audit({"[b]": made_set(*articles)}, tokenizer=Tokenizer.from_str(tokenizer_json))
    for found in outcome.findings:
        assert found.count >= len(found.locations)
        assert len({len(row) for row in found.table}) <= 1
    assert drawn(outcome)


def drawn(outcome: Audit) -> str:
    from io import StringIO

    from rich.console import Console

    console = Console(file=StringIO(), width=80)
    for part in render(outcome, limit=2):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_terminal_shows_labels_as_they_are_written() -> None:
    shown = drawn(audit({"[b]": made_set(make("في \x1b[31mبغداد", ("بغداد", "[red]")))}, name="[i]"))
    assert "[b]" in shown
    assert "[red]" in shown
    assert "\x1b[31m" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_terminal_says_nothing_twice() -> None:
    log = ProblemLog(source="long/way/x.jsonl")
    log.drop("not JSON", "no object", line=7)
    log.drop("missing key", "no text", line=9, article="c")
    annotated_labels = {"entities": ("GPE", "LOC"), "triggers": ("AID",)}
    dataset = made_set(make("في بغداد", ("بغداد", "GPE")), annotated_labels=annotated_labels, log=log)
    shown = drawn(audit({"train": dataset}))
    assert shown.count("neither trained on nor scored") == 1
    assert "  long/way/x.jsonl:7 no object\n" in shown and "  long/way/x.jsonl:9 c no text\n" in shown
    assert "  train GPE entities: 1 in train" in shown
    assert "\n  LOC entities: annotated, and occurs nowhere\n" in shown
    assert "2 kinds of errors, 2 kinds of warnings, 1 kind of note" in shown


def test_columns_of_what_there_is_none_of_are_left_out() -> None:
    first, *_ = drawn(audit({"a_name_of_some_length": made_set(GOOD)})).partition("entities")
    assert "mentions" in first and "triggers" not in first and "arguments" not in first
    assert "a_name_of_some_length" in first


# ---- what is read, and the command -----------------------------------------------------------------------------------


@pytest.fixture
def rasid(monkeypatch: pytest.MonkeyPatch) -> Callable:
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object, code: int = 0):
        result = CliRunner().invoke(app, ["check", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        return result

    return run


def test_a_damaged_file_is_a_finding(rasid: Callable, tmp_path: Path) -> None:
    file = tmp_path / "train.conll"
    file.write_bytes("زار O\nبغداد I-LOC\n\nوصل O\nسوريا X\n\n".encode() + b"\xff O\n")
    checked = check_data([str(file)])
    keys = {found.key: found.severity for found in checked.audit.findings}
    assert keys["fixed-stray-i"] == "warning"
    assert keys["dropped-not-a-tag"] == keys["dropped-not-utf-8"] == "error"
    assert "Left out: not a tag" in rasid(file, code=1).stdout


def test_the_splits_of_a_folder_are_told_apart(rasid: Callable, data_files: dict[str, Path], tmp_path: Path) -> None:
    checked = check_data([str(data_files["train"].parent)])
    assert list(checked.audit.splits) == ["train", "dev", "test"]
    report = tmp_path / "deep" / "audit.json"
    page = tmp_path / "audit.html"
    shown = rasid(data_files["train"], data_files["dev"], "--json", report, "--html", page, "--limit", 1, code=1).stdout
    assert "سوريا" in page.read_text(encoding="utf-8")
    assert "train" in shown
    assert json.loads(report.read_text(encoding="utf-8"))["labels"]["entities"]["GPE"]["train"] > 0
    assert f"written: {report}" in shown.replace("\n", "")


def test_what_is_left_aside_in_a_folder_of_splits_is_told(rasid: Callable, tmp_path: Path) -> None:
    for name in ("train", "val", "test", "train_full"):
        (tmp_path / f"{name}.txt").write_text(f"{name} O\nبغداد B-LOC\n", encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.txt").write_text("في O\n", encoding="utf-8")
    (tmp_path / "stats.json").write_text("{}", encoding="utf-8")
    assert list(check_data([str(tmp_path)]).audit.splits) == ["train", "val", "test"]
    said = rasid(tmp_path).stderr
    assert said == f"{tmp_path} is checked as train, val, test; not read: more/a.txt, train_full.txt\n"
    assert rasid(*(tmp_path / f"{name}.txt" for name in ("train", "val", "test"))).stderr == ""


def test_problems_are_located_and_the_title_holds_no_folders(rasid: Callable, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    good = {"id": "g", "text": "في بغداد"}
    bad = {"id": "b", "text": "في بغداد", "annotated": {"nonsense": []}}
    lines = [json.dumps(line, ensure_ascii=False) for line in (good, bad)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "a" / "x.jsonl").write_text(lines[0], encoding="utf-8")
    audited = check_data([str(tmp_path / "x.jsonl")]).audit
    assert audited.name == "x.jsonl"
    (left_out,) = [found for found in audited.findings if found.severity == "error"]
    assert left_out.locations[0].source == f"{tmp_path / 'x.jsonl'}:2"
    twice = check_data([str(tmp_path / "x.jsonl"), str(tmp_path / "a" / "x.jsonl"), "corpus:dev"]).audit
    assert twice.name == f"{tmp_path.name}/x.jsonl, a/x.jsonl, corpus:dev"
    page = tmp_path / "page.html"
    rasid(tmp_path / "x.jsonl", "--html", page, code=1)
    assert "<title>x.jsonl: audit</title>" in page.read_text(encoding="utf-8")


def test_reading_options_reach_plain_data(rasid: Callable, tmp_path: Path) -> None:
    file = tmp_path / "train.conll"
    file.write_text("هاجم B-Attack\nمسلحون O\n", encoding="utf-8")
    assert "triggers" not in rasid(file).stdout
    assert "triggers" in rasid(file, "--option", "triggers=[Attack]").stdout
    assert "did you mean 'triggers'" in rasid(file, "--option", "trigers=[Attack]", code=1).stderr
    assert "key=value" in rasid(file, "--option", "triggers", code=1).stderr
    assert "--option is for files" in rasid("quickstart", "--option", "triggers=[A]", code=1).stderr


def test_stdin_is_read_and_a_closed_stdout_keeps_reports_and_exit_code(
    python: Callable, rasid: Callable, tmp_path: Path
) -> None:
    import os
    import subprocess

    assert "name it with --format" in rasid("-", code=1).stderr
    reader, writer = os.pipe()
    os.close(reader)
    page = tmp_path / "page.html"
    options = {"capture_output": False, "stdout": writer, "stderr": subprocess.PIPE}
    options["input"] = "في O\nبغداد X\n\nفي O\nبغداد B-LOC\n"
    program = "from rasid.__main__ import main\nmain()\n"
    done = python(program, "check", "-", "--format", "conll", "--html", str(page), **options)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
    html = page.read_text(encoding="utf-8")
    assert "/dev/stdin:2" in html and "LOC" in html


def test_a_report_that_cannot_be_written_costs_no_findings(rasid: Callable, tmp_path: Path) -> None:
    (tmp_path / "x.conll").write_text("في O\n", encoding="utf-8")
    result = rasid(tmp_path / "x.conll", "--html", tmp_path, code=1)
    assert result.stderr == f"error: {tmp_path}: Is a directory\n"
    assert "longest sentence" in result.stdout and "written" not in result.stdout


def test_a_config_is_checked_with_its_encoder_and_mapping(
    rasid: Callable, tmp_path: Path, config_text: str, data_files: dict[str, Path]
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(config_text, encoding="utf-8")
    shown = rasid(file, "data.train.0.labels.GPE=NOWHERE", code=1).stdout
    assert "Labels that the scheme does not have" in shown
    assert "sub-words" in shown
    moved = rasid(file, "data.test.0.options.triggers=[GPE]", code=1).stdout
    assert "Left out: unknown option" in moved  # JSONL has none; the option did reach the reader
    gone = rasid(file, f"data.dev.0.path={tmp_path / 'gone.jsonl'}", code=1).stdout
    assert "Left out: no such file" in gone
    assert "--format is for files" in rasid(file, "--format", "jsonl", code=1).stderr
    assert is_config("quickstart")
    assert not is_config(str(data_files["train"]))


def test_a_bundle_brings_its_encoder_and_ranks_suspects(rasid: Callable, bundle: Path, tmp_path: Path) -> None:
    article = make("قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد يوم الثلاثاء.", ("سوريا", "ORG"), id="odd")
    write_articles([article], tmp_path / "x.jsonl")
    shown = rasid(tmp_path / "x.jsonl", "--bundle", bundle).stdout
    assert "least likely" in shown
    assert "sub-words" in shown


def test_what_cannot_be_checked_is_one_error(rasid: Callable, tmp_path: Path) -> None:
    for arguments in (["gone.jsonl"], ["gone.yaml"], ["corpus:all"], [tmp_path]):
        result = rasid(*arguments, code=1)
        assert result.stderr.startswith("error: ")
        assert result.stdout == ""
    (tmp_path / "a.jsonl").write_text('{"text": "في بغداد"}\n', encoding="utf-8")
    assert "error: " in rasid(tmp_path / "a.jsonl", "--encoder", tmp_path / "none", code=1).stderr
    assert "error: " in rasid(tmp_path / "a.jsonl", "--bundle", tmp_path / "none", code=1).stderr


def test_the_corpus_that_ships_has_no_errors(rasid: Callable) -> None:
    assert "corpus-test" in rasid("corpus:test").stdout


@pytest.mark.long
@pytest.mark.slow
def test_sixteen_thousand_sentences_in_well_under_a_minute() -> None:
    import time

    random = np.random.default_rng(1)
    words = [f"كلمة{n}" for n in range(5000)]
    articles = [
        make(" ".join(words[n] for n in random.zipf(1.3, 30).clip(max=4999)), id=str(number))
        for number in range(16_000)
    ]
    begin = time.process_time()
    check(*articles)
    assert time.process_time() - begin < 40
