"""Label counts, and findings about labels."""

import inspect
from collections.abc import Callable

from rasid.audit import audit
from rasid.audit.balance import MINIMUM_POSITIVES
from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.data.labels import Label, LabelScheme
from rasid.evaluate.classification import tune_thresholds


def test_labels_are_counted_by_data_set(made_set: Callable, good: Article) -> None:
    event = Event(trigger=Span(start=0, end=3), types=("AID",))
    article = Article(text="قصف بغداد", id="a", events=(event,), event_types=("AID",))
    result = audit({"train": made_set(article, good), "dev": made_set(good)}, name="n")
    assert result.labels["entities"]["GPE"] == {"train": 2, "dev": 2}
    assert result.labels["triggers"] == result.labels["article_types"] == {"AID": {"train": 1, "dev": 0}}
    assert result.splits["train"] == {
        "articles": 2, "words": 10, "sentences": 2, "mentions": 2, "triggers": 1, "arguments": 0,
    }  # fmt: skip


def test_rare_missing_and_unused_labels(make: Callable, made_set: Callable, find: Callable) -> None:
    many = [make(f"خبر {n} عن بغداد", ("بغداد", "GPE"), id=str(n)) for n in range(12)]
    odd = make("نشرت رويترز", ("رويترز", "ORG"), id="odd")
    annotated = {"entities": ("GPE", "ORG", "LOC")}
    found = find(
        train=made_set(*many, annotated_labels=annotated), dev=made_set(*many, odd, annotated_labels=annotated)
    )
    assert {(location.split, location.label) for location in found["rare-labels"].locations} == {
        ("train", "ORG"),
        ("dev", "ORG"),
    }
    assert [location.label for location in found["labels-not-in-train"].locations] == ["ORG"]
    assert [location.label for location in found["labels-never-used"].locations] == ["LOC"]
    fine = find(train=made_set(*many), dev=made_set(*many))
    assert not {"rare-labels", "labels-not-in-train", "labels-never-used"} & set(fine)


def test_roles_are_labels(made_set: Callable, find: Callable) -> None:
    entities = (Entity(start=4, end=9, label="ORG", id="e"),)
    arguments = (Argument(role="Actor", entity="e"),)
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT",), arguments=arguments)
    article = Article(text="قصف الجيش", id="a", entities=entities, events=(event,))
    declared = {"arguments": ("Actor", "Count")}
    found = find(train=made_set(article, annotated_labels=declared), dev=made_set(article, annotated_labels=declared))
    assert [location.message for location in found["rare-labels"].locations if location.label == "Actor"] == [
        "arguments: 1 in train, too few to learn from",
        "arguments: 1 in dev, no threshold of its own",
    ]
    assert [location.label for location in found["labels-never-used"].locations] == ["Count"]


def test_rare_labels_are_those_without_a_threshold_of_their_own() -> None:
    default = inspect.signature(tune_thresholds).parameters["minimum_positives"].default
    assert default == MINIMUM_POSITIVES


def test_labels_outside_the_scheme_and_articles_without_annotation(
    make: Callable, find: Callable, good: Article
) -> None:
    scheme = LabelScheme(name="s", entities={"GPE": Label(name="GPE")})
    odd = make("نشرت رويترز", ("رويترز", "GEP"))
    found = find(odd, good, scheme=scheme)["unknown-labels"]
    assert (found.severity, found.count) == ("error", 1)
    assert "did you mean 'GPE'" in found.locations[0].message
    assert "unknown-labels" not in find(good, scheme=scheme)
    assert find(make("لا شيء"))["articles-without-annotation"].count == 1
