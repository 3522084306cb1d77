"""Label schemes: the built-in ones are complete, errors are reported with their place."""

import json
from itertools import combinations
from pathlib import Path

import pytest

import rasid
from rasid.data.labels import Label, LabelScheme, SchemeError, load_scheme

BUILT_IN = {"news": (10, 16, 6), "anercorp": (4, 0, 0), "wojood": (21, 0, 0)}


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_schemes_define_every_label(name: str) -> None:
    scheme = load_scheme(name)
    assert scheme.name == name
    assert (len(scheme.entities), len(scheme.events), len(scheme.roles)) == BUILT_IN[name]
    labels = [*scheme.entities.values(), *scheme.events.values(), *scheme.roles.values()]
    for label in labels:
        assert label.definition.isascii() and label.definition.endswith("."), label
        assert label.arabic.endswith(".") and not any("a" <= c.lower() <= "z" for c in label.arabic), label
        assert label.examples and all(example.strip() == example != "" for example in label.examples), label
        # An Arabic comma inside one example is a list that YAML did not split.
        assert not any("،" in example for example in label.examples), label
    assert len({label.definition for label in labels}) == len({label.arabic for label in labels}) == len(labels)


@pytest.mark.parametrize("name", BUILT_IN)
def test_colors_are_distinct_and_give_enough_contrast(name: str) -> None:
    scheme = load_scheme(name)
    labels = [*scheme.entities.values(), *scheme.events.values(), *scheme.roles.values()]
    assert len({label.color for label in labels}) == len(labels)
    for label in labels:
        assert (luminance(label.color) + 0.05) / 0.05 >= 7, f"black on {label.color} ({label.name}) is hard to read"
    for kind in (scheme.entities, scheme.events, scheme.roles):
        for a, b in combinations(kind.values(), 2):
            far = max(abs(int(a.color[at : at + 2], 16) - int(b.color[at : at + 2], 16)) for at in (1, 3, 5))
            assert far >= 30, f"{a.name} and {b.name} look alike"


def test_labels_keep_the_order_of_the_file() -> None:
    news = load_scheme("news")
    assert news.labels("entities") == ("PER", "ORG", "GPE", "LOC", "FAC", "NORP", "WEA", "VEH", "DATE", "NUM")
    assert news.labels("triggers")[::15] == ("AGREE", "ASSAULT")
    assert news.labels("triggers") == news.labels("sentence_types") == news.labels("article_types")
    assert news.labels("arguments") == ("Actor", "Recipient", "Location", "Date", "Instrument", "Count")
    assert load_scheme("anercorp").labels("entities") == ("PERS", "LOC", "ORG", "MISC")
    with pytest.raises(KeyError, match="proclitics"):
        news.labels("proclitics")


@pytest.mark.parametrize("name", BUILT_IN)
def test_round_trip_through_json(name: str) -> None:
    scheme = load_scheme(name)
    read = LabelScheme.from_dict(json.loads(json.dumps(scheme.to_dict())))
    assert read == scheme
    assert list(read.entities) == list(scheme.entities)


def test_a_role_may_limit_entity_labels_and_event_types() -> None:
    content = {
        "name": "own",
        "entities": {"PER": None, "DATE": None},
        "events": {"AID": None, "ASSAULT": None},
        "roles": {"Actor": {"entities": ["PER"]}, "Victim": {"entities": ["PER"], "events": ["ASSAULT"]}, "Any": None},
    }
    scheme = LabelScheme.from_dict(content)
    assert LabelScheme.from_dict(json.loads(json.dumps(scheme.to_dict()))) == scheme
    allowed = {
        (event, role, entity)
        for event in ("AID", "ASSAULT")
        for role in ("Actor", "Victim", "Any", "Unknown")
        for entity in ("PER", "DATE")
        if scheme.allows(event, role, entity)
    }
    assert allowed == {
        ("AID", "Actor", "PER"), ("ASSAULT", "Actor", "PER"), ("ASSAULT", "Victim", "PER"),
        ("AID", "Any", "PER"), ("AID", "Any", "DATE"), ("ASSAULT", "Any", "PER"), ("ASSAULT", "Any", "DATE"),
    }  # fmt: skip


def test_the_roles_of_news_are_limited_as_in_the_guidelines() -> None:
    """The table in section 4 of data/corpus/GUIDELINES.md."""
    guidelines = (Path(rasid.__file__).parent / "data/corpus/GUIDELINES.md").read_text(encoding="utf-8")
    table = {
        cells[0]: tuple(cells[2].split(", "))
        for line in guidelines.partition("## 4. Arguments")[2].partition("## 5")[0].splitlines()
        if line.startswith("|") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    }
    roles = load_scheme("news").roles
    assert {name: label.entities for name, label in roles.items()} == {name: table[name] for name in roles}
    assert not any(label.events for label in roles.values())


def test_schemes_of_older_bundles_have_no_limits() -> None:
    old = LabelScheme.from_dict({"name": "old", "entities": {"PER": {}}, "roles": {"Actor": {"definition": "x"}}})
    assert old.roles["Actor"].entities == old.roles["Actor"].events == ()
    assert old.allows("AID", "Actor", "PER")
    assert "entities" not in old.to_dict()["roles"]["Actor"]


def test_scheme_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("\ufeffname: own\nevents:\n  AID:\n  NO: {definition: none}\n", encoding="utf-8")
    scheme = load_scheme(file)
    assert scheme.events == {"AID": Label(name="AID"), "NO": Label(name="NO", definition="none")}
    assert scheme.entities == scheme.roles == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a mapping with a name"),
        ("- a", "a mapping with a name"),
        ("entities: {}", "a mapping with a name"),
        ("name: 3", "a mapping with a name"),
        ("name: x\nentites: {}", "unknown key 'entites'; did you mean 'entities'?"),
        ("name: x\n5: {}\nq: {}", "unknown key '5'; the keys here are name, entities, events, roles\n"),
        ("name: x\nentities: [PER]", "entities: must map label names"),
        ("name: x\nevents: {A+B: }", r"events: label 'A\+B' must be"),
        ("name: x\nevents: {A: a thing}", "events: A: 'a thing' must be a mapping"),
        ("name: x\nevents: {A: {colr: x}}", "A: unknown key 'colr'; did you mean 'color'?"),
        ("name: x\nevents: {A: {color: red}}", "A: color: 'red' must be written as '#rrggbb'"),
        ("name: x\nevents: {A: {color: 123456}}", "A: color: 123456 must be text"),
        ("name: x\nevents: {A: {definition: true}}", "A: definition: True must be text"),
        ("name: x\nevents: {A: {examples: abc}}", "A: examples: 'abc' must be a list"),
        ("name: x\nevents: {A: {examples: [35]}}", "A: examples: 35 must be text; put it in quotes"),
        ("name: x\nevents: {A: {entities: [PER]}}", "events: A: only roles have the key 'entities'"),
        ("name: x\nentities: {PER: }\nroles: {A: {entities: [PRE]}}", "roles: A: entities: 'PRE' .*did you mean 'PER'"),
        ("name: x\nentities: {PER: }\nroles: {A: {events: [PER]}}", "roles: A: events: 'PER' .*the scheme has none"),
        ("name: x\nentities: {PER: }\nroles: {A: {entities: PER}}", "roles: A: entities: 'PER' must be a list"),
        ("name: x\nroles: {A: {entities: [35]}}", "roles: A: entities: 35 must be text; put it in quotes"),
        ("name: x\nroles: {A: {entites: [PER]}}", "roles: A: unknown key 'entites'; did you mean 'entities'?"),
        ("name: x\nevents:\n  A:\n  B:\n  A:", ":5:3: events.A: the key is already on line 3"),
        ("name: x\nevents: {A: , A: }", ":2:15: events.A: the key is already on line 2"),
        ("name: [", "not YAML"),
        ("name: a: b", "not YAML"),
        ("name: !!bool x", "a mapping with a name"),
        ("name: x\nevents: !!python/name:os.system {}", "the tag .* is not supported"),
    ],
)
def test_errors_of_schemes(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SchemeError, match=message) as caught:
        load_scheme(file)
    assert all(line.startswith(str(file)) for line in str(caught.value).splitlines())


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("name: x\nroels: {}\nentities: {A: 1}\nevents: {B: {examples: b}}\n", encoding="utf-8")
    with pytest.raises(SchemeError) as caught:
        load_scheme(file)
    assert len(str(caught.value).splitlines()) == 3


def test_unknown_names_and_files(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="did you mean 'wojood'"):
        load_scheme("wojod")
    with pytest.raises(SchemeError, match="there are .*anercorp, .*news, .*name one that ends in .yaml"):
        load_scheme("مخطط")
    with pytest.raises(SchemeError, match="no such scheme file"):
        load_scheme(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(SchemeError, match="byte 9 is not UTF-8"):
        load_scheme(tmp_path / "latin.yaml")


def test_hint_has_the_most_similar_label() -> None:
    news = load_scheme("news")
    assert news.hint("entities", "per") == "'news'; did you mean 'PER'?"
    assert news.hint("roles", "Acter") == "'news'; did you mean 'Actor'?"
    assert "ASSAULT" in news.hint("events", "XYZ")


def test_labels_that_other_yaml_readers_take_for_constants_are_text(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("name: own\nentities: {NO: , 12: , on: {examples: [no, 12:30]}}\n", encoding="utf-8")
    scheme = load_scheme(file)
    assert scheme.labels("entities") == ("NO", "12", "on")
    assert scheme.entities["on"].examples == ("no", "12:30")


def test_old_key_colour_is_read_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "old.yaml"
    file.write_text("name: old\nentities:\n  PER: {colour: '#a0b0c0'}\n", encoding="utf-8")
    assert load_scheme(file).entities["PER"].color == "#a0b0c0"
    assert caplog.messages == [f"{file}: colour is now called color"]
