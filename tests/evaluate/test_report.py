import json
from dataclasses import replace

import numpy as np
import pytest

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.evaluate.classification import score_labels
from rasid.evaluate.comparison import compare_reports
from rasid.evaluate.counts import Counts
from rasid.evaluate.errors import FrequentError, frequent_errors
from rasid.evaluate.markdown import to_markdown
from rasid.evaluate.report import Bootstrap, Report, ReportError, data_hash
from rasid.evaluate.scores import label_scores, span_scores
from rasid.evaluate.spans import score_spans

BOOTSTRAP = Bootstrap(samples=200, seed=1)
LABELS = ("LOC", "PERS", "ORG")


@pytest.fixture
def articles():
    return [
        Article(id="a1", text="وزار سامي دمشق أمس", entities=(Entity(start=5, end=9, label="PERS"),)),
        Article(id="a2", text="دمشق | حلب\nسامي", entities=(Entity(start=7, end=10, label="LOC"),)),
        Article(id="a3", text="حلب", entities=(Entity(start=0, end=3, label="LOC"),)),
    ]


@pytest.fixture
def report(articles):
    gold = [{(5, 9, "PERS"), (10, 14, "LOC")}, {(7, 10, "LOC"), (0, 4, "LOC")}, {(0, 3, "LOC")}]
    predicted = [{(4, 9, "PERS"), (10, 14, "LOC")}, {(7, 10, "PERS")}, {(0, 3, "LOC")}]
    spans = score_spans(gold, predicted, LABELS)
    truth = np.array([[1, 0], [0, 0], [1, 0]], bool)
    probabilities = np.array([[0.9, 0.1], [0.6, 0.2], [0.7, 0.3]])
    types = score_labels(truth, probabilities, probabilities > 0.5, np.ones_like(truth), ("AID", "TRADE|X"))
    return Report(
        bundle="demo",
        data="dev",
        data_hash=data_hash(articles),
        articles=3,
        scheme="news",
        created="2026-01-02T03:04:05Z",
        version="0.1",
        bootstrap=BOOTSTRAP,
        scores=(
            *span_scores(spans, task="entities", bootstrap=BOOTSTRAP),
            *label_scores(types, task="article_types", bootstrap=BOOTSTRAP),
        ),
        counts={"entities/strict": spans["strict"], "event_types/decision": types.counts},
        unpredictable={"boundary inside a word": 2},
        notes=("Predictions were snapped to tokens.",),
        errors=frequent_errors(articles, gold, predicted, task="entities"),
    )


def test_a_score_says_what_it_is(report):
    score = report.score("entities")
    assert score.name == "entities/strict/micro/f1"
    assert (score.gold, score.predicted, score.correct) == (5, 4, 2)
    assert score.value == pytest.approx(4 / 9)
    assert 0 <= score.low <= score.value <= score.high <= 1
    assert report.score("entities", mode="overlap").correct == 3
    assert report.score("entities", mode="type_blind").correct == 3
    label = report.score("entities", "recall", label="LOC")
    assert (label.value, label.gold, label.correct, label.averaging) == (0.5, 4, 2, None)
    assert report.score("entities", averaging="macro").value == pytest.approx(2 / 3 / 2)


def test_nothing_to_measure_has_no_value(report):
    score = report.score("entities", label="ORG")
    assert (score.value, score.low, score.high, score.gold, score.predicted) == (None, None, None, 0, 0)


def test_scores_of_a_classifier(report):
    types = "article_types"
    assert report.score(types, mode="decision").value == pytest.approx(0.8)
    assert report.score(types, "average_precision", mode="ranking", label="AID").value == 1
    assert report.score(types, "average_precision", mode="ranking").value == 1
    assert report.score(types, "average_precision", mode="ranking", label="TRADE|X").value is None
    macro = report.score(types, "average_precision", mode="ranking", averaging="macro")
    assert (macro.value, macro.high, macro.gold) == (1, 1, 2)
    calibration = report.score(types, "expected_calibration_error", mode="probability")
    assert calibration.value == pytest.approx((0.1 + 0.1 + 0.6 + 0.2 + 0.3 + 0.3) / 6)
    assert calibration.low is None


def test_a_score_that_is_not_there_is_named_with_those_that_are(report):
    with pytest.raises(ReportError, match="entities/fuzzy/micro/f1.*entities/strict/micro/f1"):
        report.score("entities", mode="fuzzy")
    with pytest.raises(ReportError, match="triggers has: none"):
        report.score("triggers")


def test_json_round_trip(report):
    text = report.to_json()
    assert Report.from_json(text) == report
    assert Report.from_json(text).to_json() == text
    assert list(json.loads(text))[:4] == ["format", "bundle", "data", "data_hash"]
    assert "NaN" not in text and "دمشق" in text
    assert sum(line.startswith('  {"task": "entities", "metric"') for line in text.splitlines()) == 9 + 9 + 9 + 9 + 3


def test_json_does_not_depend_on_the_order_of_mappings(report):
    turned = replace(report, counts=dict(reversed(report.counts.items())))
    assert turned.to_json() == report.to_json()


def test_a_lone_surrogate_survives(report):
    error = replace(report.errors[0], text="\ud83d")
    text = replace(report, errors=(error,)).to_json()
    assert Report.from_json(text.encode().decode()).errors == (error,)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "color": 2}', '{"format": 99}'])
def test_what_is_not_a_report_is_refused(text):
    with pytest.raises(ReportError, match=r"not a report of rasid|not of format"):
        Report.from_json(text)


def test_an_unknown_key_is_refused(report):
    content = json.loads(report.to_json())
    content["scores"][0]["color"] = "red"
    with pytest.raises(ReportError, match="color"):
        Report.from_json(json.dumps(content))


def test_markdown(report):
    text = to_markdown(report)
    lines = text.splitlines()
    assert lines[0] == "# demo on dev"
    assert f"| data | dev, 3 articles, hash `{report.data_hash}` |" in lines
    assert "- Predictions were snapped to tokens." in lines
    assert "| boundary inside a word | 2 |" in lines
    (loc,) = (line for line in lines if line.startswith("| LOC "))
    assert loc.startswith("| LOC | 4 | 2 | 2 | 100.0 [") and "| 50.0 [" in loc
    (micro, _) = (line for line in lines if line.startswith("| **micro** "))
    assert "| 5 | 4 | 2 | 50.0 [" in micro
    assert "Neither in gold nor predicted: ORG." in lines
    assert "Neither in gold nor predicted: TRADE\\|X." in lines
    assert any(line.startswith("| overlap: ") and "| 5 | 4 | 3 |" in line for line in lines)
    assert any(line.startswith("| AID | 2 | 3 | 2 |") and "100.0 [100.0–100.0]" in line for line in lines)
    assert lines.index("## Entities") < lines.index("## Event types of articles")


def test_markdown_tables_are_whole_whatever_is_in_the_text(report):
    hostile = FrequentError(
        task="entities", kind="missed", label="LOC", text="a\\|b\nc", count=1, article="|", before="\u2028", after="<b>"
    )
    lines = to_markdown(replace(report, errors=(hostile,))).splitlines()
    (row,) = (line for line in lines if "| missed |" in line)
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 9
    assert "a\\\\\\|b c" in row and "<b>" not in row


def test_an_empty_report_can_be_written(report):
    empty = replace(report, scores=(), counts={}, unpredictable={}, notes=(), errors=())
    assert to_markdown(empty).startswith("# demo on dev")
    assert Report.from_json(empty.to_json()) == empty


def test_frequent_errors(articles):
    gold = [{(5, 9, "PERS"), (10, 14, "LOC")}, {(0, 4, "LOC"), (7, 10, "LOC")}, set()]
    predicted = [{(5, 9, "LOC")}, {(7, 10, "LOC")}, {(0, 3, "ORG")}]
    errors = frequent_errors(articles, gold, predicted, task="entities")
    assert [(e.kind, e.label, e.predicted_label, e.text, e.count) for e in errors] == [
        ("missed", "LOC", "", "دمشق", 2),
        ("wrong label", "PERS", "LOC", "سامي", 1),
        ("spurious", "ORG", "", "حلب", 1),
    ]
    assert (errors[1].article, errors[1].before, errors[1].after) == ("a1", "وزار ", " دمشق أمس")
    assert len(frequent_errors(articles, gold, predicted, task="entities", limit=1)) == 1


@pytest.fixture
def event():
    return Event(
        trigger=Span(start=0, end=3), types=("AID", "TRADE"), arguments=(Argument(role="Actor", entity="e1"),), id="v1"
    )


def test_data_hash_sees_text_and_gold_and_nothing_else(event):
    entities = (Entity(start=5, end=9, label="PERS", id="e1"), Entity(start=0, end=3, label="LOC", id="e2"))
    article = Article(
        id="a", text="abc defgh", entities=entities, events=(event,), annotated={"entities": ("PERS", "LOC")}
    )
    base = data_hash([article])
    assert len(base) == 16 and int(base, 16) >= 0
    renamed = (replace(entities[1], id="x"), replace(entities[0], id="y", score=0.5))
    same = [
        replace(article, meta={"note": 1}, title="abc"),
        replace(
            article,
            entities=renamed,
            events=(replace(event, id="", types=("TRADE", "AID"), arguments=(Argument(role="Actor", entity="y"),)),),
        ),
        replace(article, annotated={"entities": ("LOC", "PERS")}),
    ]
    assert {data_hash([other]) for other in same} == {base}
    different = [
        replace(article, id="b"),
        replace(article, text="abc defg\ud83d"),
        replace(article, entities=entities[:1]),
        replace(article, entities=(replace(entities[0], label="ORG"), entities[1])),
        replace(article, events=()),
        replace(article, events=(replace(event, arguments=(Argument(role="Actor", entity="e2"),)),)),
        replace(article, event_types=("AID",)),
        replace(article, sentences=(Sentence(start=0, end=9),)),
        replace(article, tokens=((0, 3),)),
        replace(article, annotated={}),
    ]
    hashes = {data_hash([other]) for other in different}
    assert len(hashes) == len(different) and base not in hashes
    assert data_hash([article, different[0]]) != data_hash([different[0], article])


def test_comparison_of_reports(report):
    table = report.counts["entities/strict"].table.copy()
    table[0, 1] = [1, 0, 0]  # the boundary of the person is right
    better = replace(report, counts={"entities/strict": Counts(labels=LABELS, table=table)})
    micro, macro, seen = compare_reports(report, better, bootstrap=BOOTSTRAP)
    assert micro.name == "entities/strict/micro/f1"
    assert (micro.first, micro.second) == (pytest.approx(4 / 9), pytest.approx(6 / 9))
    assert micro.difference == pytest.approx(2 / 9)
    assert micro.p_value == 1  # one article that differs says nothing
    assert [macro.name, seen.name] == ["entities/strict/macro/f1", "entities/strict/macro-seen/f1"]


@pytest.mark.parametrize("change", [{"data_hash": "0" * 16}, {"scheme": "anercorp"}, {"counts": {}}])
def test_reports_of_different_things_are_not_compared(report, change):
    with pytest.raises(ReportError, match=r"differ in|nothing in common|no task in common"):
        compare_reports(report, replace(report, **change))


def test_reports_of_different_gold_are_not_compared(report):
    strict = report.counts["entities/strict"]
    counts = {"entities/strict": Counts(labels=LABELS, table=strict.table + [0, 0, 1])}
    with pytest.raises(ReportError, match="entities/strict.*same gold"):
        compare_reports(report, replace(report, counts=counts))


def test_data_hashes_are_those_of_version_0_1():
    article = Article(
        id="a",
        text="سوريا",
        entities=(Entity(start=0, end=5, label="GPE"),),
        event_types=("AID",),
        annotated={"article_types": ("AID",)},
    )
    assert data_hash([article]) == "07e2a9ecb0470dd7"
