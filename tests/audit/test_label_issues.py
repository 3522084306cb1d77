"""Label issues of a trained tagger."""

from dataclasses import replace
from pathlib import Path

from rasid.audit import label_issues
from rasid.data.articles import Article
from rasid.inference import Tagger


def test_wrong_and_missing_labels_have_the_highest_loss(bundle: Path, articles: list[Article]) -> None:
    tagger = Tagger.from_pretrained(bundle)
    scheme = tagger.settings.scheme
    annotated = {"entities": scheme.labels("entities")}
    clean = articles[:6]
    wrong = replace(clean[0].entities[0], label="ORG" if clean[0].entities[0].label != "ORG" else "PER")
    wrong_articles = [
        replace(clean[0], entities=(wrong, *clean[0].entities[1:])),
        replace(clean[1], entities=clean[1].entities[1:]),
        *clean[2:],
    ]
    before = list(label_issues(tagger, clean, annotated))
    ranked = sorted(label_issues(tagger, wrong_articles, annotated), key=lambda location: -(location.score or 0))
    top = {(location.article, location.start, location.end, location.label) for location in ranked[:2]}
    missing = clean[1].entities[0]
    assert top == {
        (clean[0].id, wrong.start, wrong.end, wrong.label),
        (clean[1].id, missing.start, missing.end, ""),
    }
    assert any(f"the model predicts {clean[0].entities[0].label}" in location.message for location in ranked[:2])
    assert len(ranked) == len(before) + 2
    unannotated = list(label_issues(tagger, wrong_articles, {"entities": ("DATE",)}))
    assert all(location.label == "DATE" for location in unannotated)


def test_label_issues_of_triggers_and_sentences(bundle: Path, articles: list[Article]) -> None:
    tagger = Tagger.from_pretrained(bundle)
    types = tagger.settings.scheme.labels("triggers")
    without = replace(articles[0], events=())
    found = list(label_issues(tagger, [without], {"triggers": types, "sentence_types": types}))
    spans = {(event.trigger.start, event.trigger.end) for event in articles[0].events}
    assert spans <= {(location.start, location.end) for location in found}
    assert any(location.message.count("sentence: not ") for location in found)
    fewer = list(label_issues(tagger, [articles[0]], {"triggers": types, "sentence_types": types}))
    assert len(fewer) < len(found)
