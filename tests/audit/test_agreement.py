"""Agreement between annotators, and its finding in `rasid check`."""

from dataclasses import replace
from pathlib import Path

import pytest

from rasid.audit import audit
from rasid.audit.agreement import Agreement, agreements, annotator_agreement, f1
from rasid.audit.reading import read_versions
from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.data.formats import annotators_of
from rasid.data.formats.common.format import Format
from rasid.data.formats.registry import KNOWN
from rasid.data.problems import DataError

CASES = Path(__file__).parents[1] / "data" / "formats" / "cases"
TEXT = "هاجم مسلحون مدينة حلب"
GOLD = Article(
    text=TEXT,
    id="a",
    entities=(Entity(start=5, end=11, label="ORG", id="1"), Entity(start=18, end=21, label="GPE", id="2")),
    events=(
        Event(
            trigger=Span(start=0, end=4),
            types=("ASSAULT", "AID"),
            arguments=(Argument(role="Actor", entity="1"), Argument(role="Place", entity="2")),
        ),
    ),
    event_types=("ASSAULT",),
)
OTHER = Article(
    text=TEXT,
    id="a",
    entities=(Entity(start=5, end=11, label="ORG", id="x"), Entity(start=12, end=21, label="GPE", id="y")),
    events=(
        Event(
            trigger=Span(start=0, end=4),
            types=("ASSAULT",),
            arguments=(Argument(role="Actor", entity="x"), Argument(role="Place", entity="y")),
        ),
    ),
)


def compared(**versions: list[Article]) -> dict[str, tuple[int, tuple[int, int]]]:
    return {item.layer: (item.both, item.counts) for item in agreements(versions)}


def test_layers_are_compared_strictly() -> None:
    assert compared(ali=[GOLD], sara=[OTHER]) == {
        "entities": (1, (2, 2)),
        "triggers": (1, (2, 1)),
        "arguments": (1, (4, 2)),
        "event types": (0, (1, 0)),
    }
    assert compared(ali=[GOLD], sara=[GOLD])["arguments"] == (4, (4, 4))


def test_only_articles_of_both_annotators_with_one_text_are_compared() -> None:
    empty = Article(text=TEXT, id="a")
    assert compared(ali=[GOLD], sara=[empty])["entities"] == (0, (2, 0))
    assert not compared(ali=[GOLD], sara=[Article(text=TEXT, id="b")])
    assert not compared(ali=[GOLD], sara=[Article(text="نص", id="a")])
    assert not compared(ali=[empty], sara=[empty])
    assert not compared(ali=[GOLD])


def test_f1_of_several_articles_together() -> None:
    def item(both: int, *counts: int) -> Agreement:
        return Agreement(article="a", layer="entities", annotators=("x", "y"), both=both, counts=(counts[0], counts[1]))

    assert f1([item(1, 1, 1), item(0, 1, 0), item(2, 3, 2)]) == pytest.approx(2 * 3 / 8)
    assert f1([]) == 0


def test_the_finding_has_a_row_for_each_layer_and_the_worst_articles_first() -> None:
    same = Article(text=TEXT, id="b", entities=GOLD.entities)
    (found,) = annotator_agreement({"train": {"ali": [same, GOLD], "sara": [OTHER, same]}, "dev": {}})
    assert found.table[1] == ("train", "entities", "ali, sara", "2", "4/4", "75.0")
    assert [location.article for location in found.locations] == ["a", "b"] and found.severity == "note"
    assert "ali and sara: entities 1 the same of 2 and 2" in found.locations[0].message
    assert not list(annotator_agreement({"train": {}}))
    assert "annotator-agreement" in {f.key for f in audit({}, versions={"x": {"ali": [GOLD], "sara": [GOLD]}}).findings}


@pytest.mark.parametrize(
    ("name", "annotators"),
    [
        ("doccano-two-annotators.zip", ["admin", "sara"]),
        ("ls-several-annotators.json", None),
        ("ls-json-min.json", None),
        ("brat-corrected", []),
    ],
)
def test_annotators_of_exports(name: str, annotators: list[str] | None) -> None:
    found = annotators_of(CASES / name)
    assert annotators is None or found == annotators
    assert read_versions(str(CASES / name)).keys() == (set(found) if len(found) > 1 else set())


def test_formats_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a.rasid").write_text("نص", encoding="utf-8")
    assert annotators_of(tmp_path, "markup") == annotators_of(tmp_path, "inline") == []
    with pytest.raises(DataError, match="is not known"):
        annotators_of(tmp_path, "barat")


def test_agreement_of_doccano_members() -> None:
    found = {item.layer: item for item in agreements(read_versions(str(CASES / "doccano-two-annotators.zip")))}
    assert found["entities"].annotators == ("admin", "sara") and found["entities"].article == "two"


def test_versions_are_read_with_the_option_annotator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("x", encoding="utf-8")

    def read(path: Path, log: object, *, annotator: str = "", suffix: str = ""):
        yield 1, {"ali": GOLD, "sara": OTHER}[annotator]

    def known(*names: str) -> Format:
        return replace(KNOWN["jsonl"], read=read, annotators=lambda path: names)

    monkeypatch.setitem(KNOWN, "jsonl", known("ali", "sara"))
    assert read_versions(str(file), options={"annotator": "x"}) == {"ali": [GOLD], "sara": [OTHER]}
    monkeypatch.setitem(KNOWN, "jsonl", known("ali"))
    assert read_versions(str(file)) == {}
    assert read_versions(str(tmp_path / "gone")) == {}
