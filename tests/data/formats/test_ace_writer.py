"""Writing ACE: articles are read back, and surfaces are at the offsets that ACE defines."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.data.formats import write_articles
from rasid.data.formats.ace.source_text import unescape
from rasid.data.problems import ProblemLog
from rasid.data.reading import load_articles

LETTERS = "ابوَ٣aZ \n\t\r\u2028\x85\u200f\u202b\ufeff\U0001f600\"\\{}<>&;'قT"
TEXTS = st.text(LETTERS, max_size=25) | st.lists(
    st.sampled_from(["&amp;", "<TEXT>", "</DOC>", "\r\n", "AT&T", "]]>", "&#10;", "قال ", "😀", "<a", "غزة"]),
    max_size=9,
).map("".join)
NAMES = st.text('ا<>"&aA+2-\n\t /.', min_size=1, max_size=4)
LABELS = st.sampled_from(["PER", "Contact-Info", "a.b", '"<&>\n', "TIMEX2", "a.", ".b"])


@pytest.fixture(scope="session")
def ace_articles(valid_articles) -> st.SearchStrategy[Article]:
    """Valid articles with what ACE holds."""
    return valid_articles(TEXTS, LABELS, NAMES).map(lambda article: replace(article, event_types=()))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_articles_are_read_back(tmp_path_factory, ace_articles, data: st.DataObject) -> None:
    written = data.draw(st.lists(ace_articles, max_size=3, unique_by=lambda article: article.id))
    folder = tmp_path_factory.mktemp("ace") / "out"
    log = write_articles(written, folder, "ace")
    changed = [problem for problem in log.dropped if problem.cause != "event id changed"]
    assert not changed and log.articles == len(written)
    back = ProblemLog()
    found = {article.id: article for article in load_articles(folder, log=back)} if written else {}
    assert not back.fixed
    assert log.dropped or found == {article.id: article for article in written}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_surfaces_are_at_the_offsets_of_ace(tmp_path_factory, ace_articles, data: st.DataObject) -> None:
    article = data.draw(ace_articles)
    folder = tmp_path_factory.mktemp("ace") / "out"
    write_articles([article], folder, "ace")
    (annotation,) = folder.glob("*.apf.xml")
    (source,) = folder.glob("*.sgm")
    counted = re.sub("<[^>]*>", "", source.read_bytes().decode())
    root = ElementTree.parse(annotation).getroot()
    assert root.attrib["URI"] == source.name and len(root.findall("document/entity")) == len(article.entities)
    for node in root.iter("charseq"):
        stretch = counted[int(node.attrib["START"]) : int(node.attrib["END"]) + 1]
        assert unescape(stretch) == (node.text or "")
    known = {node.attrib["ID"] for node in root.iter("entity_mention")}
    assert {node.attrib["REFID"] for node in root.iter("event_mention_argument")} <= known
    assert sum(len(e.types) for e in article.events) == len(root.findall("document/event/event_mention/anchor"))


def test_an_event_of_several_types_is_split_and_joined(tmp_path: Path) -> None:
    span = Span(start=0, end=3)
    two = Event(trigger=span, types=("Conflict.Attack", "Life.Die"), id="v")
    alone = Event(trigger=span, types=("Life.Injure",), id="w")
    taken = Event(trigger=span, types=("X",), id="w+2")
    written = Article(text="قتل", id="a", events=(two, alone, taken))
    log = write_articles([written], tmp_path / "o", "ace")
    assert (tmp_path / "o" / "a.apf.xml").read_text(encoding="utf-8").count("<event ID=") == 4
    assert [p.cause for p in log.dropped] == ["event id changed"]
    (back,) = load_articles(tmp_path / "o")
    assert [event.types for event in back.events] == [event.types for event in written.events]
    assert back.events[:2] == written.events[:2] and back.events[2].id == "a-EV3-2"


def test_missing_ids_are_made_and_removed_again(tmp_path: Path) -> None:
    span = Span(start=0, end=3)
    entities = tuple(Entity(start=0, end=3, label="A", id=name) for name in ("", "a-E1-1", "a-E3-1", "a-E2", "a-E1_-1"))
    events = tuple(Event(trigger=span, types=("X", "Y"), id=name) for name in ("", "a-EV1-1", "a-EV1_-1+2", ""))
    written = Article(text="قتل", id="a", entities=entities, events=events)
    assert not write_articles([written], tmp_path / "o", "ace").dropped
    content = (tmp_path / "o" / "a.apf.xml").read_text(encoding="utf-8")
    ids = re.findall(r'<(?:entity|entity_mention|event|event_mention) ID="([^"]*)"', content)
    assert len(set(ids)) == len(ids) == 2 * len(entities) + 2 * 2 * len(events) and all(ids)
    assert load_articles(tmp_path / "o") == [written]
    # Whoever names an entity that had no id in a file of ours makes it one to be named.
    argument = '<event_mention_argument REFID="a-E1__-1" ROLE="R"/></event_mention>'
    assert 'ID="a-E1__-1"' in content
    (tmp_path / "o" / "a.apf.xml").write_text(content.replace("</event_mention>", argument), encoding="utf-8")
    (back,) = load_articles(tmp_path / "o")
    assert [e.id for e in back.entities] == ["a-E1__-1", *(e.id for e in entities[1:])]
    # In files of others such ids are their own.
    (tmp_path / "o" / "a.apf.xml").write_text(content.replace('AUTHOR="rasid"', 'AUTHOR="LDC"'), encoding="utf-8")
    (back,) = load_articles(tmp_path / "o")
    assert back.entities[0].id == "a-E1__-1" and all(event.id for event in back.events)


def test_what_cannot_be_written_is_logged(tmp_path: Path) -> None:
    text = "قال\x01قال قال"
    span, arguments = Span(start=0, end=3), (Argument(role="R", entity="e"), Argument(role="R", entity="g"))
    full = Article(
        text=text,
        id="a",
        title="\ud800",
        meta={"x": {1}},
        entities=(
            Entity(start=2, end=5, label="A", id="e"),
            Entity(start=0, end=3, label="", id="f"),
            Entity(start=0, end=3, label="A", id="g"),
            Entity(start=0, end=30, label="A", id="h"),
        ),
        events=(Event(trigger=span, types=("X",), arguments=arguments, id="v"), Event(trigger=span, types=(), id="w")),
    )
    others = [Article(text="\ud800", id="b"), Article(text="قال", id="a\x00")]
    log = write_articles([full, *others], tmp_path / "o", "ace")
    assert log.counts() == {
        "articles": 2,
        "dropped: entity left out": 3,
        "dropped: argument left out": 1,
        "dropped: event left out": 1,
        "dropped: meta left out": 1,
        "dropped: title left out": 1,
        "dropped: lone surrogate": 1,
        "dropped: article id changed": 1,
    }
    back, other = load_articles(tmp_path / "o")
    assert other.id == "a_" and back.text == text and [e.id for e in back.entities] == ["g"]
    assert back.events[0].arguments == (Argument(role="R", entity="g"),)
