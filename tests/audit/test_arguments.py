"""Checks of arguments."""

from collections.abc import Callable, Sequence

import pytest

from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.data.corpus import load_corpus
from rasid.data.datasets import DataSet
from rasid.data.labels import Label, LabelScheme, load_scheme

ALL = {"entities": ("PER", "GPE"), "triggers": ("AID", "ASSAULT"), "arguments": ("Actor", "Location")}


def article(
    role: str | None, label: str = "PER", *, types: Sequence[str] = ("AID",), id: str = "a", **fields
) -> Article:
    """An event and one entity, its argument if there is a role."""
    entities = (Entity(start=5, end=9, label=label, id="e"),)
    arguments = (Argument(role=role, entity="e"),) if role else ()
    event = Event(trigger=Span(start=0, end=4), types=tuple(types), arguments=arguments)
    return Article(text="أرسل سامر مساعدات", id=id, entities=entities, events=(event,), **fields)


def several(count: int, *args, prefix: str = "", **fields) -> list[Article]:
    return [article(*args, id=f"{prefix}{number}", **fields) for number in range(count)]


def scheme(**limits: Sequence[str]) -> LabelScheme:
    roles = {"Actor": Label(name="Actor", **{key: tuple(labels) for key, labels in limits.items()})}
    return LabelScheme(
        name="small",
        entities={name: Label(name=name) for name in ("PER", "GPE")},
        events={name: Label(name=name) for name in ("AID", "ASSAULT")},
        roles={**roles, "Location": Label(name="Location")},
    )


def test_arguments_that_the_scheme_does_not_allow(find: Callable) -> None:
    found = find(article("Actor", "GPE"), article("Actor", "PER", id="b"), scheme=scheme(entities=["PER"]))
    found = found["arguments-outside-scheme"]
    assert (found.severity, found.count) == ("warning", 1)
    location = found.locations[0]
    assert (location.article, location.start, location.end, location.label) == ("a", 5, 9, "Actor")
    assert location.message == "Actor of 'أرسل': 'سامر' is GPE, not PER"
    assert found.table == (("role", "entity label or event type", "count"), ("Actor", "GPE", "1"))


def test_event_types_that_a_role_does_not_belong_to(find: Callable) -> None:
    limited = scheme(events=["ASSAULT"])
    found = find(article("Actor"), scheme=limited)["arguments-outside-scheme"]
    assert found.locations[0].message == "Actor of 'أرسل': only ASSAULT may have it, not AID"
    # The types of an event share its arguments: one that allows the role is enough.
    assert "arguments-outside-scheme" not in find(article("Actor", types=("AID", "ASSAULT")), scheme=limited)


@pytest.mark.parametrize(
    ("role", "label", "types"), [("Actor", "XYZ", ("AID",)), ("Acter", "GPE", ("AID",)), ("Actor", "PER", ("XYZ",))]
)
def test_unknown_labels_are_reported_once(role: str, label: str, types: Sequence[str], find: Callable) -> None:
    found = find(article(role, label, types=types), scheme=scheme(entities=["PER"]))
    assert "unknown-labels" in found and "arguments-outside-scheme" not in found


def test_roles_with_a_rare_entity_label(find: Callable) -> None:
    articles = [*several(99, "Actor"), article("Actor", "GPE", id="odd")]
    found = find(*articles)["unusual-arguments"]
    assert [(location.article, location.label) for location in found.locations] == [("odd", "Actor")]
    assert found.locations[0].message == "Actor of 'أرسل': 'سامر' is GPE, as in 1 of 100"
    assert "unusual-arguments" in find(*articles, scheme=scheme())
    # What the scheme lists is usual; of fewer arguments, one is not rare.
    assert "unusual-arguments" not in find(*articles, scheme=scheme(entities=["PER", "GPE"]))
    assert "unusual-arguments" not in find(*articles[1:])
    assert "unusual-arguments" not in find(*articles, article("Actor", "GPE", id="second"))


def test_events_without_a_role_that_their_type_usually_has(find: Callable, made_set: Callable) -> None:
    articles = [*several(95, "Actor"), *several(5, None, prefix="without")]
    found = find(*articles)["missing-roles"]
    assert [location.article for location in found.locations] == [f"without{number}" for number in range(5)]
    location = found.locations[0]
    assert (location.start, location.end, location.label) == (0, 4, "AID")
    assert location.message == "'أرسل' has no Actor, as 95 of 100 events of type AID have"
    assert "missing-roles" not in find(*articles, article(None, id="sixth"))
    assert "missing-roles" not in find(*articles[1:])
    # Roles that were not annotated cannot be missing.
    declared = find(train=made_set(*articles, annotated_labels=ALL))
    assert declared["missing-roles"].count == 5
    only_places = made_set(*several(50, None), annotated_labels=ALL | {"arguments": ("Location",)})
    assert find(train=made_set(*articles, annotated_labels=ALL), dev=only_places)["missing-roles"].count == 5
    narrowed = several(5, None, prefix="narrowed", annotated={"arguments": ("Location",)})
    assert find(train=made_set(*articles, *narrowed, annotated_labels=ALL))["missing-roles"].count == 5


def test_a_file_without_a_declaration_is_annotated_for_its_roles(find: Callable, made_set: Callable) -> None:
    articles = [*several(100, "Actor"), article(None, id="without")]
    assert find(all=made_set(*articles))["missing-roles"].count == 1
    assert find(all=made_set(*articles), other=made_set(*several(50, None)))["missing-roles"].count == 1


def test_the_corpus_has_no_such_argument(find: Callable) -> None:
    sets: dict[str, DataSet] = {split: load_corpus(split) for split in ("train", "dev", "test")}
    keys = {"arguments-outside-scheme", "unusual-arguments", "missing-roles"}
    assert not keys & set(find(scheme=load_scheme("news"), **sets))
