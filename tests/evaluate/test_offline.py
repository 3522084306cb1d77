import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from rasid import Tagger
from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.formats import conll
from rasid.data.problems import ProblemLog
from rasid.data.windows.encoding import TextEncoder
from rasid.evaluate import offline
from rasid.evaluate.comparison import compare_reports
from rasid.evaluate.markdown import to_markdown
from rasid.evaluate.report import Bootstrap, Report, data_hash
from rasid.models.bundle import Settings
from rasid.models.tasks import target_maker
from rasid.progress import reported

TASKS = ("entities", "triggers", "proclitics", "sentence_types", "article_types")
FEW = Bootstrap(samples=50)


@pytest.fixture
def everything(scheme):
    return {task: () if task == "proclitics" else scheme.labels(task) for task in TASKS}


@pytest.fixture
def saying(tokenizer_json, scheme, everything):
    """A tagger that says of each text what an annotated article says, with logits of ±``sure`` around ``middle``."""

    def make(said, *, sure=6.0, middle=0.0, tasks=TASKS, **options) -> Tagger:
        reader = TextEncoder(Tokenizer.from_str(tokenizer_json), window=512, overlap=64)
        maker, owns = target_maker(scheme), {}
        for article, encoded in zip(said, reader.encode(said), strict=True):
            targets = maker.make(replace(article, annotated={}), encoded, everything)
            words, kinds = len(encoded.words), len(scheme.labels("triggers"))
            marks = np.zeros((words, 2 * kinds), dtype=bool)
            marks[targets["triggers"][:, 0], targets["triggers"][:, 1]] = True
            on = {
                "entities": targets["entities"][:, None] == np.arange(1 + 2 * len(scheme.labels("entities"))),
                "triggers": marks,
                "proclitics": np.maximum(targets["proclitics"], 0)[:, None] == np.arange(4),
                "sentence_types": targets["sentence_types"] == 1,
                # The first sentence says what the article is about.
                "article_types": (np.arange(len(encoded.sentences)) == 0)[:, None] & (targets["article_types"] == 1),
            }
            for window in encoded.windows:
                owns[tuple(window.input_ids.tolist())] = {
                    task: np.where(cells, sure, -sure).astype(np.float32) + middle for task, cells in on.items()
                }

        def backend(inputs):
            rows = inputs["input_ids"].shape[0]
            wide, long = inputs["words"].shape[1], inputs["sentences"].shape[1]
            logits = {}
            for task in tasks:
                length = long if task in ("sentence_types", "article_types") else wide
                found = [
                    owns[tuple(inputs["input_ids"][row][inputs["attention_mask"][row] == 1].tolist())][task]
                    for row in range(rows)
                ]
                padded = np.zeros((rows, length, found[0].shape[1]), dtype=np.float32)
                for row, values in enumerate(found):
                    padded[row, : len(values)] = values
                logits[task] = padded
            return logits

        settings = Settings(scheme=scheme, tasks=tasks, window=512, overlap=64, **options)
        return Tagger(settings=settings, tokenizer=Tokenizer.from_str(tokenizer_json), backend=backend)

    return make


def entity(text: str, surface: str, label: str, at: int = 0) -> Entity:
    start = text.index(surface, at)
    return Entity(start=start, end=start + len(surface), label=label)


def article(text: str, *mentions: tuple[str, str], **options) -> Article:
    entities = tuple(entity(text, surface, label) for surface, label in mentions)
    return Article(text=text, entities=tuple(sorted(entities, key=lambda e: (e.start, -e.end))), **options)


def with_settings(tagger: Tagger, settings: Settings, **options) -> Tagger:
    return Tagger(settings=settings, tokenizer=tagger.encoder.tokenizer, backend=tagger.backend, **options)


def scored(tagger: Tagger, gold: list[Article], annotated) -> Report:
    return offline.evaluate(tagger, gold, annotated, bundle="b", data="d", bootstrap=FEW)


def figures(report: Report, task="entities", mode="strict"):
    score = report.score(task, mode=mode)
    assert score.value is not None
    return score.correct, score.predicted, score.gold, score.value


# ---- known predictions -----------------------------------------------------------------------------------------------


def test_a_tagger_that_says_the_gold_is_always_right(saying, everything, articles):
    gold = articles[:12]
    outcome = offline.run(saying(gold), gold, everything)
    figures = offline.headline([outcome], saying(gold).settings)
    names = ("entities.f1", "triggers.f1", "sentence_types.f1", "sentence_types.ap", "article_types.f1")
    assert figures == dict.fromkeys((*names, "article_types.ap", "mean.f1"), 1.0)
    assert not outcome.unpredictable


def test_figures_of_a_known_prediction(saying, scheme):
    text = "سوريا وواشنطن في بغداد مع سامر الحلبي."
    other = "هدنة في بغداد."
    gold = [
        article(text, ("سوريا", "GPE"), ("واشنطن", "GPE"), ("سامر الحلبي", "PER"), id="1"),
        article(other, ("بغداد", "GPE"), id="2"),
    ]
    said = [
        article(text, ("سوريا", "GPE"), ("واشنطن", "ORG"), ("سامر", "PER"), ("بغداد", "GPE"), id="1"),
        article(other, ("بغداد", "GPE"), id="2"),
    ]
    report = scored(saying(said), gold, {"entities": scheme.labels("entities")})
    assert figures(report) == (2, 5, 4, pytest.approx(4 / 9))
    assert report.score("entities", "precision").value == pytest.approx(2 / 5)
    assert report.score("entities", "recall").value == pytest.approx(2 / 4)
    assert report.score("entities", mode="type_blind").correct == 3
    assert report.score("entities", mode="overlap").correct == 3
    assert report.score("entities", label="GPE").correct == 2
    assert report.counts["entities/strict"].table.sum(axis=(0, 1)).tolist() == [2, 3, 2]
    assert (report.bundle, report.data, report.articles, report.scheme) == ("b", "d", 2, "news")
    assert report.data_hash == data_hash(gold)
    assert {error.text for error in report.errors} >= {"واشنطن", "بغداد"}
    assert Report.from_json(report.to_json()) == report
    assert {score.task for score in report.scores} == {"entities"}  # nothing that was not trained_labels


def test_triggers_are_spans_of_each_type(saying, scheme):
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT", "PROTEST"))
    gold = [Article(text="قصف وتظاهر", events=(event,))]
    said = [replace(gold[0], events=(replace(event, types=("ASSAULT", "AID")),))]
    report = scored(saying(said), gold, {"triggers": scheme.labels("triggers")})
    assert figures(report, "triggers") == (1, 2, 2, 0.5)


def test_gold_that_cannot_be_predicted_is_counted_and_missed(saying, everything):
    text = "قال إن السوريين في بغداد."
    inside = entity(text, "سوري", "ORG")
    gold = [Article(text=text, entities=(inside, entity(text, "بغداد", "GPE")))]
    report = scored(saying(gold), gold, everything)
    assert report.unpredictable == {"entities: ends inside a word": 1}
    score = report.score("entities", "recall")
    assert (score.gold, score.correct, score.value) == (2, 1, 0.5)


def test_nested_gold_is_counted_whole_and_in_its_outermost_reading(saying, everything):
    text = "هيئة الإغاثة في سوريا"
    gold = [article(text, ("هيئة الإغاثة في سوريا", "ORG"), ("سوريا", "GPE"))]
    report = scored(saying(gold), gold, everything)
    assert figures(report)[:3] == (1, 1, 2)
    assert figures(report, mode="outermost") == (1, 1, 1, 1.0)
    assert report.unpredictable == {"entities: nested inside another": 1}
    assert any("outermost" in note for note in report.notes)
    assert "seqeval" not in {score.mode for score in report.scores}


# ---- gold made on tokens ---------------------------------------------------------------------------------------------


def test_predictions_are_snapped_to_the_tokens_of_gold(saying, everything):
    text = "هدنة وسوريا هنا"
    tokens = ((0, 4), (5, 11), (12, 15))
    said = article(text, ("سوريا", "GPE"))  # behind its proclitic
    gold = article(text, ("وسوريا", "GPE"))
    loose = scored(saying([said]), [gold], everything)
    assert figures(loose)[:3] == (0, 1, 1)
    snapped = scored(saying([said]), [replace(gold, tokens=tokens)], everything)
    assert figures(snapped)[:3] == (1, 1, 1)
    assert any("widened" in note for note in snapped.notes)
    assert not loose.notes
    assert loose.data_hash != snapped.data_hash


def test_stray_tags_are_read_both_ways(saying, scheme):
    lines = "سوريا I-GPE\nفي O\nبغداد B-GPE\n\nهدنة O\nواشنطن B-GPE\n".splitlines(keepends=True)
    gold = [article for _, article in conll.read(lines, ProblemLog())]
    report = scored(saying(gold), gold, {"entities": scheme.labels("entities")})
    assert figures(report) == (3, 3, 3, 1.0)  # seqeval's default: the stray I- begins a mention
    assert figures(report, mode="iob2")[:3] == (2, 3, 2)  # strict IOB2: it is none, so finding it is wrong
    assert any("iob2" in note for note in report.notes)


def test_iob1_has_no_second_reading(saying, scheme):
    lines = "سوريا I-GPE\nبغداد B-GPE\n\nهدنة O\nواشنطن I-GPE\n".splitlines(keepends=True)
    gold = [article for _, article in conll.read(lines, ProblemLog())]
    report = scored(saying(gold), gold, {"entities": scheme.labels("entities")})
    assert figures(report) == (3, 3, 3, 1.0)
    assert "iob2" not in {score.mode for score in report.scores}


def rates(report, mode="strict"):
    return [report.score("entities", metric, mode=mode).value for metric in ("precision", "recall", "f1")]


TAG_LINES = ["سوريا {}-GPE", "في O", "بغداد {}-GPE", "وواشنطن {}-GPE", "", "هدنة O", "سامر {}-PER", "الحلبي I-PER", ""]


@pytest.mark.parametrize("stray", [False, True])
def test_seqeval_agrees_on_tags(saying, scheme, stray):
    marks = iter("IBBI" if stray else "BBBB")
    lines = [line.format(next(marks)) if "{}" in line else line for line in TAG_LINES]
    gold = [article for _, article in conll.read([f"{line}\n" for line in lines], ProblemLog())]
    assert any(article.meta.get("stray") for article in gold) == stray
    # One mention is missed, and one has a wrong label.
    said = [replace(a, entities=(replace(a.entities[0], label="ORG"), *a.entities[2:])) for a in gold]
    labels = {"entities": scheme.labels("entities")}
    report = scored(saying(said), gold, labels)
    assert rates(report, "seqeval") == pytest.approx(rates(report))
    assert 0 < (rates(report)[2] or 0) < 1


def test_seqeval_agrees_on_spans_inside_words(saying, everything):
    text = "زار وواشنطن وبغداد مع سامر الحلبي"
    gold = [article(text, ("واشنطن", "GPE"), ("بغداد", "GPE"), ("سامر الحلبي", "PER"))]
    said = [article(text, ("واشنطن", "GPE"), ("وبغداد", "GPE"), ("سامر", "PER"))]
    report = scored(saying(said), gold, everything)
    assert rates(report, "seqeval") == pytest.approx([1 / 3] * 3)
    assert rates(report) == pytest.approx([1 / 3] * 3)


# ---- what was annotated ----------------------------------------------------------------------------------------------


def annotated_articles():
    """Two sentences, each annotated for one type, as ArabicEventGSR has them."""
    assault, other = Sentence(start=0, end=7, types=("ASSAULT",)), Sentence(start=0, end=8)
    return [
        Article(id="1", text="قصف هنا", sentences=(assault,), annotated={"sentence_types": ("ASSAULT",)}),
        Article(id="2", text="هدنة هنا", sentences=(other,), annotated={"sentence_types": ("PROTEST",)}),
    ]


def test_only_annotated_rows_count(saying):
    gold = annotated_articles()
    # Both types are said of both sentences; one of the four was annotated to hold, one not to, two were not annotated.
    said = [replace(a, sentences=(replace(a.sentences[0], types=("ASSAULT", "PROTEST")),)) for a in gold]
    annotated_labels = {"sentence_types": ("ASSAULT", "PROTEST")}
    outcome = offline.run(saying(said), gold, annotated_labels)
    assert int(outcome.tables["sentence_types"].annotated.sum()) == 2
    report = offline.report_of(outcome, saying(said).settings, bundle="b", data="d", bootstrap=FEW)
    assert figures(report, "sentence_types", "decision") == (1, 2, 1, pytest.approx(2 / 3))
    assert report.score("sentence_types", mode="decision", label="ASSAULT").value == 1.0
    assert any("annotated" in note for note in report.notes)


def test_labels_that_a_data_set_does_not_supervise_do_not_count(saying):
    text = "سوريا وسامر الحلبي"
    gold = [article(text, ("سوريا", "GPE"), ("سامر الحلبي", "PER"))]
    said = [article(text, ("سوريا", "GPE"), ("سامر", "PER"))]
    report = scored(saying(said), gold, {"entities": ("GPE",)})
    assert figures(report) == (1, 1, 1, 1.0)
    assert not report.unpredictable
    outcome = offline.run(saying(said), gold, {"entities": ("GPE",)})
    assert "entities" not in outcome.tables  # the right tag of the other words is not known: nothing to calibrate on


def test_a_sentence_that_the_encoder_cannot_see_is_a_row_all_the_same(saying, everything):
    text = "قصف هنا\nـــ"
    sentences = (Sentence(start=0, end=7, types=("ASSAULT",)), Sentence(start=8, end=11, types=("AID",)))
    gold = [Article(text=text, sentences=sentences)]
    outcome = offline.run(saying(gold), gold, {"sentence_types": everything["sentence_types"]})
    assert len(outcome.tables["sentence_types"].logits) == 2
    report = offline.report_of(outcome, saying(gold).settings, bundle="b", data="d", bootstrap=FEW)
    assert figures(report, "sentence_types", "decision")[:3] == (1, 1, 2)


def test_an_article_without_any_readable_word_is_missed_not_dropped(saying, everything):
    gold = [
        Article(text="قصف هنا", event_types=("ASSAULT",)),
        Article(text="ـــ", event_types=("AID",)),
        Article(text="", event_types=("AID",)),
    ]
    outcome = offline.run(saying(gold), gold, {"article_types": everything["article_types"]})
    report = offline.report_of(outcome, saying(gold).settings, bundle="b", data="d", bootstrap=FEW)
    assert figures(report, "article_types", "decision")[:3] == (1, 1, 3)
    assert np.isfinite(outcome.tables["article_types"].logits).all()


def test_articles_take_the_types_of_their_sentences_without_a_head_of_their_own(saying, everything):
    sentences = (Sentence(start=0, end=8), Sentence(start=9, end=18, types=("ASSAULT",)))
    gold = [Article(text="قصف هنا. هدنة هنا.", sentences=sentences, event_types=("ASSAULT",))]
    tagger = saying(gold, tasks=("sentence_types",))
    outcome = offline.run(tagger, gold, everything)
    assert set(outcome.annotated_labels) == {"sentence_types", "article_types"}
    assert offline.headline([outcome], tagger.settings)["article_types.f1"] == 1.0
    tuned = offline.calibrate(tagger.settings, [outcome])
    assert set(tuned.thresholds) == {"sentence_types"}


# ---- several data sets, calibration ----------------------------------------------------------------------------------


def test_the_headline_counts_data_sets_together(saying, scheme):
    annotated_labels = {"entities": scheme.labels("entities")}
    first = [article("سوريا", ("سوريا", "GPE"))]
    second = [article("بغداد وواشنطن هنا", ("بغداد", "GPE"), ("واشنطن", "GPE"))]
    right, wrong = saying(first), saying([Article(text=second[0].text)])
    outcomes = [offline.run(right, first, annotated_labels), offline.run(wrong, second, annotated_labels)]
    figures = offline.headline(outcomes, right.settings)
    assert figures == {"entities.f1": 0.5, "mean.f1": 0.5}  # 1 found, 2 missed: not the mean of 1 and 0
    other = offline.run(saying(second), second, {"sentence_types": scheme.labels("sentence_types")})
    mixed = offline.headline([outcomes[0], other], right.settings)
    assert (mixed["entities.f1"], mixed["sentence_types.f1"], mixed["mean.f1"]) == (1.0, 0.0, 0.5)


def test_a_data_set_without_anything_to_score_has_no_headline(saying):
    gold = [article("سوريا", ("سوريا", "GPE"))]
    tagger = saying(gold)
    for annotated_labels in ({"proclitics": ()}, {}):
        with np.errstate(all="raise"):
            assert offline.headline([offline.run(tagger, gold, annotated_labels)], tagger.settings) == {}


def test_calibration_finds_the_threshold_between_the_labels(saying, everything, articles):
    gold = articles[:24]
    # The order is right, but no probability reaches one half.
    tagger = saying(gold, sure=1.5, middle=-2.5)
    outcome = offline.run(tagger, gold, everything)
    before = offline.headline([outcome], tagger.settings)
    assert (before["triggers.f1"], before["sentence_types.f1"], before["article_types.f1"]) == (0, 0, 0)
    tuned = offline.calibrate(tagger.settings, [outcome])
    again = with_settings(tagger, tuned)
    outcome = offline.run(again, gold, everything)
    after = offline.headline([outcome], tuned)
    assert (after["triggers.f1"], after["sentence_types.f1"], after["article_types.f1"]) == (1, 1, 1)
    assert set(tuned.temperatures) == {"entities", "triggers", "sentence_types", "article_types"}
    assert all(len(values) == 16 for values in tuned.thresholds.values())


def test_calibration_leaves_what_dev_does_not_supervise(saying, scheme):
    gold = [article("سوريا وبغداد", ("سوريا", "GPE"))]
    tagger = saying(gold, thresholds={"triggers": (0.25,) * 16}, temperatures={"triggers": 2.0})
    tuned = offline.calibrate(tagger.settings, [offline.run(tagger, gold, {"entities": scheme.labels("entities")})])
    assert tuned.thresholds == {"triggers": (0.25,) * 16}
    assert tuned.temperatures["triggers"] == 2.0
    assert set(tuned.temperatures) == {"triggers", "entities"}


def test_temperature_makes_overconfident_scores_honest(saying, scheme):
    texts = [f"سوريا رقم {number}" for number in range(20)]
    gold = [article(text, ("سوريا", "GPE" if number < 15 else "ORG")) for number, text in enumerate(texts)]
    said = [article(text, ("سوريا", "GPE")) for text in texts]  # right in three of four, and very sure
    tagger = saying(said, sure=8.0)
    annotated_labels = {"entities": scheme.labels("entities")}
    tuned = offline.calibrate(tagger.settings, [offline.run(tagger, gold, annotated_labels)])
    assert tuned.temperatures["entities"] > 1.5
    again = with_settings(tagger, tuned)
    (before,), (after,) = tagger(texts[0]).entities, again(texts[0]).entities
    assert (before.start, before.end, before.label) == (after.start, after.end, after.label)
    assert before.score is not None and after.score is not None and 0.5 < after.score < before.score


def test_evaluation_does_not_depend_on_order_or_batches(saying, everything, articles):
    gold = articles[:10]
    tagger = saying([replace(a, entities=a.entities[1:]) for a in gold])
    one = scored(tagger, gold, everything)
    small = with_settings(tagger, tagger.settings, batch_tokens=1)
    two = scored(small, gold[::-1], everything)
    values = [{score.name: score.value for score in report.scores} for report in (one, two)]
    assert values[0] == pytest.approx(values[1], nan_ok=True)


# ---- rescoring -------------------------------------------------------------------------------------------------------


def test_rescore_equals_a_second_run(saying, everything, articles):
    gold = articles[:12]
    tagger = saying(gold, sure=1.5, middle=-2.5)  # no probability reaches one half until thresholds are tuned
    first = offline.run(tagger, gold, everything, keep_logits=True)
    tuned = offline.calibrate(tagger.settings, [first])
    again = with_settings(tagger, tuned)
    second = offline.run(again, gold, everything)
    rescored = offline.rescore(first, tuned)
    assert rescored.predictions == second.predictions != first.predictions
    assert offline.headline([rescored], tuned) == offline.headline([second], tuned)


def test_rescore_needs_logits(saying, everything, articles):
    tagger = saying(articles[:2])
    evaluation = offline.run(tagger, articles[:2], everything)
    with pytest.raises(ValueError, match="keep_logits=True"):
        offline.rescore(evaluation, tagger.settings)


def test_progress_is_reported_from_the_first_article(saying, everything, articles):
    shown = []

    def bar(items, label, total):
        shown.append((label, total))
        return items

    with reported(bar):
        offline.run(saying(articles[:2]), articles[:2], everything)
    assert shown == [("tagging", 2)]


# ---- arguments -------------------------------------------------------------------------------------------------------


@pytest.fixture
def tagged(scheme):
    """An article with arguments that were predicted end to end, and from the gold entities and triggers."""
    text = "قصف الجيش حلب أمس"
    entities = tuple(
        replace(entity(text, surface, label), id=f"e{number}")
        for number, (surface, label) in enumerate((("الجيش", "ORG"), ("حلب", "GPE"), ("أمس", "DATE")))
    )

    def made(*arguments: tuple[str, str]) -> Article:
        found = tuple(Argument(role=role, entity=name) for role, name in arguments)
        event = Event(trigger=Span(start=0, end=3), types=("ASSAULT",), arguments=found)
        return Article(id="1", text=text, entities=entities, events=(event,))

    return offline.Evaluation(
        articles=[made(("Actor", "e0"), ("Location", "e1"), ("Date", "e2"))],
        predictions=[made(("Actor", "e0"))],
        from_gold=[made(("Actor", "e0"), ("Recipient", "e1"), ("Date", "e2"))],
        annotated_labels={task: scheme.labels(task) for task in ("entities", "triggers", "arguments")},
        tables={},
        unpredictable=Counter(),
    )


def test_arguments_are_scored_end_to_end_and_from_gold(tagged, scheme):
    settings = Settings(scheme=scheme, tasks=("entities", "triggers"), window=512, overlap=64)
    report = offline.report_of(tagged, settings, bundle="b", data="d", bootstrap=FEW)
    assert figures(report, "arguments", "arg_c+") == (1, 1, 3, pytest.approx(0.5))
    assert figures(report, "arguments", "gold_arg_c+") == (2, 3, 3, pytest.approx(2 / 3))
    assert figures(report, "arguments", "gold_arg_i")[:3] == (3, 3, 3)
    assert {score.mode for score in report.headline("micro")} == {"strict", "arg_c+", "gold_arg_c+"}
    assert {error.kind for error in report.errors} == {"wrong role"}  # end to end, the others are missed
    assert Report.from_json(report.to_json()) == report
    dev = offline.headline([tagged, tagged], settings)
    assert dev == {
        "entities.f1": 1,
        "triggers.f1": 1,
        "arguments.f1": 0.5,
        "mean.f1": pytest.approx(2.5 / 3),
    }
    better = replace(tagged, predictions=tagged.articles)
    compared = compare_reports(report, offline.report_of(better, settings, bundle="b", data="d", bootstrap=FEW))
    assert {c.name: c.difference for c in compared if c.name.endswith("/micro/f1") and c.difference} == {
        f"arguments/{mode}/micro/f1": 0.5 for mode in ("arg_c+", "arg_c", "arg_i+", "arg_i")
    }


def test_arguments_have_tables_by_role_distance_and_event_type(tagged, scheme):
    settings = Settings(scheme=scheme, tasks=("entities", "triggers"), window=512, overlap=64)
    text = to_markdown(offline.report_of(tagged, settings, bundle="b", data="d", bootstrap=FEW))
    found = re.search(r"\n## arguments\n(.*?)\n## ", text, re.IGNORECASE | re.DOTALL)
    assert found
    section = found[1]
    assert "Right means exact trigger, event type, exact mention and role (Arg-C+)." in section
    assert "| Location | 1 | 0 | 0 | 0.0 | 0.0 | 0.0 |" in section
    assert section.count("| sentences | gold |") == section.count("| event type | gold |") == 2
    assert "| gold entities and triggers, Arg-I | 3 | 3 | 3 | 100.0 | 100.0 | 100.0 |" in section
    assert "\n| arguments | wrong role | ASSAULT Location → Recipient | قصف … حلب | 1 |" in text


def test_without_predicted_arguments_none_are_scored(tagged, scheme):
    settings = Settings(scheme=scheme, tasks=("entities", "triggers"), window=512, overlap=64)
    report = offline.report_of(replace(tagged, from_gold=None), settings, bundle="b", data="d", bootstrap=FEW)
    assert not [score for score in report.scores if score.task == "arguments"]
