"""Checks of spans."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.audit.spans import edge_problem
from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span


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
def test_spans_inside_words(word: str, name: str, key: str | None, make: Callable, find: Callable) -> None:
    found = find(make(f"زار {word} أمس", (name, "GPE")))
    assert {k for k in found if k.startswith(("spans-behind", "spans-cut"))} == ({key} if key else set())
    if key:
        assert found[key].count == 1
        assert found[key].locations[0].start == f"زار {word}".index(name)


def test_proclitics_are_a_warning_only_if_the_task_is_not_annotated(
    make: Callable, made_set: Callable, find: Callable
) -> None:
    article = make("زار وبغداد", ("بغداد", "GPE"))
    assert find(article)["spans-behind-proclitics"].severity == "note"
    assert find(article)["spans-behind-proclitics"].table[1] == ("و", "1")
    taught = {"entities": ("GPE",), "proclitics": ()}
    assert find(x=made_set(article, annotated_labels=taught))["spans-behind-proclitics"].severity == "note"
    untaught = find(x=made_set(article, annotated_labels={"entities": ("GPE",)}))
    assert untaught["spans-behind-proclitics"].severity == "warning"
    assert "proclitics" in untaught["spans-behind-proclitics"].explanation


def test_spans_across_sentences(make: Callable, find: Callable) -> None:
    text = "وصل إلى بغداد. دمشق بعيدة."
    assert find(make(text, ("بغداد. دمشق", "GPE")))["spans-across-sentences"].count == 1
    assert "spans-across-sentences" not in find(make(text, ("دمشق", "GPE")))
    whole = (Sentence(start=0, end=len(text)),)  # given sentences are not split again
    assert "spans-across-sentences" not in find(make(text, ("بغداد. دمشق", "GPE"), sentences=whole))


@pytest.mark.parametrize(
    ("surface", "problem"),
    [
        ("«حماس", "unclosed"),
        ("حماس»", "unopened"),
        ("(حماس]", "unopened"),
        ("«حماس»", "includes"),
        ('"حماس"', "includes"),
        ('"حماس', "unpaired"),
        ("دمشق،", "ends with"),
        ("-دمشق", "starts with"),
        (" دمشق", "whitespace"),
        ("حركة (حماس)", ""),
        ("أ.ف.ب.", ""),
        ("محمد ب.", ""),
        ("10%", ""),
        ("#غزة", ""),
        ("بور-سودان", ""),
    ],
)
def test_punctuation_at_edges(surface: str, problem: str, make: Callable, find: Callable) -> None:
    message = edge_problem(surface)
    assert problem in message
    assert bool(problem) == bool(message)
    if surface == surface.strip():
        assert ("punctuation-at-edges" in find(make(f"في {surface} أمس", (surface, "ORG")))) == bool(problem)


def test_nested_and_crossing_spans(make: Callable, find: Callable) -> None:
    text = "جامعة بغداد الكبرى"
    nested = find(make(text, ("جامعة بغداد", "ORG"), ("بغداد", "GPE")))
    assert nested["nested-spans"].count == 1
    assert nested["nested-spans"].severity == "note"
    assert "crossing-spans" not in nested
    crossing = find(make(text, ("جامعة بغداد", "ORG"), ("بغداد الكبرى", "GPE")))
    assert crossing["crossing-spans"].severity == "warning"
    assert "nested-spans" not in crossing
    assert not {"crossing-spans", "nested-spans"} & set(find(make(text, ("جامعة", "ORG"), ("بغداد", "GPE"))))


@settings(max_examples=60, deadline=None)
@given(spans=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 5)), max_size=8))
def test_overlaps_equal_those_of_comparing_all_pairs(spans: list[tuple[int, int]], find: Callable) -> None:
    text = "ا" * 17
    extents = sorted({(start, start + length) for start, length in spans})
    article = Article(text=text, entities=tuple(Entity(start=s, end=e, label="X") for s, e in extents))
    found = find(article)
    cross = {b for a in extents for b in extents if a[0] < b[0] < a[1] < b[1]}
    inner = {b for a in extents for b in extents if a != b and a[0] <= b[0] and b[1] <= a[1]} - cross
    for key, spans_of_key in (("crossing-spans", cross), ("nested-spans", inner)):
        locations = found[key].locations if key in found else ()
        assert {(location.start, location.end) for location in locations} == spans_of_key


def test_duplicate_spans(make: Callable, find: Callable) -> None:
    twice = find(make("في بغداد", ("بغداد", "GPE"), ("بغداد", "GPE")))
    assert twice["duplicate-spans"].severity == "error"
    assert "spans-with-two-labels" not in twice
    two = find(make("في بغداد", ("بغداد", "GPE"), ("بغداد", "LOC")))
    assert two["spans-with-two-labels"].count == 1
    assert not {"duplicate-spans", "nested-spans"} & set(two)


def test_duplicate_events_have_the_same_arguments(find: Callable) -> None:
    def article(*roles: str) -> Article:
        entity = Entity(start=4, end=9, label="GPE", id="e")
        events = tuple(
            Event(trigger=Span(start=0, end=3), types=("AID",), arguments=(Argument(role=role, entity="e"),))
            for role in roles
        )
        return Article(text="قصف بغداد", id="a", entities=(entity,), events=events)

    assert find(article("Actor", "Actor"))["duplicate-spans"].count == 1
    assert "duplicate-spans" not in find(article("Actor", "Recipient"))
