import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Span, check_article
from rasid.data.formats import detect, inception, write_articles
from rasid.data.formats.inception import build, reader
from rasid.data.formats.inception.names import ARTICLE_TYPE, ENTITY_TYPE
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles
from rasid.data.text.words import trim

cassis = pytest.importorskip("cassis")

SIGNS = "ابلقوَ٣aZ \n\t\r\u2028\x85\u200f\u202b\ufeff\U0001f600\U00010331\"'\\{}<>&;]"
TEXT = st.text(SIGNS, max_size=30)
LABEL = st.text(SIGNS, min_size=1, max_size=5)


def xmi(body: str, text: str = "زار خالد غزة", members: str = "1 2 3 4 5 6 7 8 9") -> str:
    dkpro = "http:///de/tudarmstadt/ukp/dkpro/core/api"
    names = {
        "xmi": "http://www.omg.org/XMI",
        "cas": "http:///uima/cas.ecore",
        "custom": "http:///custom.ecore",
        "webanno": "http:///webanno/custom.ecore",
        "ner": f"{dkpro}/ner/type.ecore",
        "meta": f"{dkpro}/metadata/type.ecore",
        "seg": f"{dkpro}/segmentation/type.ecore",
        "dep": f"{dkpro}/syntax/type/dependency.ecore",
    }
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><xmi:XMI {declared} xmi:version="2.0"><cas:NULL xmi:id="0"/>{body}'
        f'<cas:Sofa xmi:id="99" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString="{text}"/>'
        f'<cas:View sofa="99" members="{members}"/></xmi:XMI>'
    )


def element(tag: str, number: int, begin: int, end: int, /, **features: object) -> str:
    written = "".join(f' {name}="{value}"' for name, value in features.items())
    return f'<{tag} xmi:id="{number}" sofa="99" begin="{begin}" end="{end}"{written}/>'


def read(path: Path, content: str | bytes | None = None, **options: Any) -> tuple[list[Article], ProblemLog]:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    log = ProblemLog(source=path.name)
    articles = [article for _, article in inception.read_file(path, log, **options)]
    assert log.articles == len(articles)
    assert not [problem for article in articles for problem in check_article(article)]
    return articles, log


def only(path: Path, content: str, **options: Any) -> Article:
    (article,), log = read(path, content, **options)
    assert not log.dropped and not log.fixed
    return article


def causes(log: ProblemLog) -> list[str]:
    return [problem.cause for problem in log.dropped]


# what is written comes back


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_articles_are_read_back(tmp_path_factory, valid_articles, data: st.DataObject) -> None:
    article = data.draw(valid_articles(TEXT, LABEL, LABEL))
    folder = tmp_path_factory.mktemp("cas")
    log = ProblemLog()
    inception.write_files([article], folder, log)
    assert log.counts() == {"articles": 1}
    (path,) = folder.glob("*.xmi")
    # The same document as JSON, through dkpro-cassis and its reading of the type system.
    types = cassis.load_typesystem(folder / "TypeSystem.xml")
    cas = cassis.load_cas_from_xmi(path, types)
    path.with_suffix(".json").write_text(cas.to_json(ensure_ascii=True), encoding="utf-8")
    for file in (path, path.with_suffix(".json")):
        articles, log = read(file)
        assert articles == [article] and log.counts() == {"articles": 1}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reads_offsets_as_cassis_does(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    text = data.draw(st.text(SIGNS, min_size=1, max_size=20))
    types = cassis.TypeSystem()
    span = types.create_type("custom.Span", "uima.tcas.Annotation")
    types.create_feature(span, "label", "uima.cas.String")
    cas = cassis.Cas(types)
    cas.sofa_string = text
    edges = [at for at in range(len(text)) if trim(text, at, at + 1)[1] > at]
    for number in range(3 if edges else 0):
        begin, last = sorted(data.draw(st.tuples(st.sampled_from(edges), st.sampled_from(edges))))
        cas.add(span(begin=begin, end=last + 1, label=f"L{number}"))
    path = tmp_path_factory.mktemp("cas") / "a.xmi"
    cas.to_xmi(path)
    expected = sorted((s.begin, s.end, s.label) for s in cassis.load_cas_from_xmi(path, types).select("custom.Span"))
    cas.to_json(path.with_suffix(".json"))
    for file in (path, path.with_suffix(".json")):
        (article,), log = read(file)
        assert not log.dropped and article.text == text and article.id == "a"
        assert sorted((e.start, e.end, e.label) for e in article.entities) == expected


def test_what_cannot_be_written_is_logged(tmp_path: Path) -> None:
    trigger, arguments = Span(start=0, end=3), (Argument(role="Who", entity="p"),)
    article = Article(
        text="زار خالد غزة",
        id="a",
        title="x\x00",
        entities=(
            Entity(start=9, end=12, label="GPE", id="e\x01"),
            Entity(start=4, end=8, label="P\ud800", id="p"),
            Entity(start=4, end=8, label=""),
            Entity(start=4, end=40, label="FAR", text="x"),
        ),
        events=(
            Event(trigger=trigger, types=("VISIT", ""), arguments=arguments),
            Event(trigger=trigger, types=("\x02",)),
        ),
        event_types=("A", "\x03"),
        meta={"x": object()},
    )
    log = write_articles([article, Article(text="a\x00b", id="b")], tmp_path / "out", "inception")
    assert log.counts() == {
        "articles": 1,
        "dropped: not XML": 5,
        "dropped: meta left out": 1,
        "dropped: label missing": 2,
        "dropped: span outside the text": 1,
        "dropped: argument left out": 1,
        "dropped: event left out": 1,
        "dropped: article left out": 1,
    }
    (kept,) = load_articles(tmp_path / "out", "inception")
    assert [(entity.label, entity.text) for entity in kept.entities] == [("GPE", "غزة")]
    assert [event.types for event in kept.events] == [("VISIT",)] and kept.event_types == ("A",)


# what INCEpTION exports


EXPORT = xmi(
    element("meta:DocumentMetaData", 1, 0, 12, documentTitle="خبر.txt", documentId="admin")
    + element("seg:Token", 2, 0, 3)
    + element("seg:Sentence", 3, 0, 12)
    + element("ner:NamedEntity", 4, 4, 8, value="PER", identifier="http://kb/1")
    + element("ner:Location", 5, 9, 12, value="LOC")
    + element("custom:Span", 6, 0, 3, label="Visit")
    + element("custom:Relation", 7, 4, 8, label="Who", Governor=6, Dependent=4)
    + element("custom:Relation", 8, 0, 3, label="Where", Governor=5, Dependent=6)
)


def test_an_export_with_built_in_layers(tmp_path: Path) -> None:
    (article,), log = read(tmp_path / "admin.xmi", EXPORT, triggers=["Visit"])
    assert [problem.cause for problem in log.fixed] == ["feature left out"] and not log.dropped
    assert "1 values of feature 'identifier'" in log.fixed[0].message
    assert article.id == "خبر.txt"
    assert [(e.label, e.text, e.id) for e in article.entities] == [("PER", "خالد", "4"), ("LOC", "غزة", "5")]
    (event,) = article.events
    assert event.types == ("Visit",) and event.trigger.text == "زار"
    assert event.arguments == (Argument(role="Who", entity="4"), Argument(role="Where", entity="5"))


def test_layers_of_a_project_and_links(tmp_path: Path) -> None:
    body = (
        '<webanno:Mention xmi:id="1" sofa="99" begin="4" end="8" kind="PER" confidence="3"/>'
        '<webanno:TriggerRolesLink xmi:id="2" role="Who" target="1"/>'
        '<cas:FSArray xmi:id="3" elements="2"/>'
        '<webanno:Trigger xmi:id="4" sofa="99" begin="0" end="3" type="Visit" roles="2" certainty="5"/>'
        '<webanno:Trigger xmi:id="5" sofa="99" begin="0" end="3" type="Travel" roles="3"/>'
        '<webanno:Topic xmi:id="6" sofa="99" name="Diplomacy"/><webanno:Topic xmi:id="7" sofa="99"/>'
        '<webanno:Note xmi:id="8" sofa="99" begin="0" end="3"/>'
    )
    options: dict[str, Any] = {
        "entity_layers": ["webanno.custom.Mention:kind"],
        "event_layers": ["webanno.custom.Trigger"],
        "document_layers": ["webanno.custom.Topic:name"],
    }
    (article,), log = read(tmp_path / "a.xmi", xmi(body), ignored_layers=["webanno.custom.Note"], **options)
    said = [problem.message for problem in log.fixed]
    assert not log.dropped and len(said) == 2 and "confidence" in said[0] and "certainty" in said[1]
    assert [event.types for event in article.events] == [("Visit",), ("Travel",)]
    assert {event.arguments for event in article.events} == {(Argument(role="Who", entity="1"),)}
    assert article.event_types == ("Diplomacy",)
    _, log = read(tmp_path / "a.xmi", **options)
    assert causes(log) == ["layer not read"] and "webanno.custom.Note" in log.dropped[0].message


JAVA = {
    "%TYPES": {},
    "%FEATURE_STRUCTURES": {
        "1": {"%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView", "sofaString": "🙂 غزة\r\nقصف"},
        "2": {"%TYPE": "custom.Span", "@sofa": 1, "begin": 3, "end": 6, "label": "GPE"},
        "3": {"%TYPE": "custom.Event", "@sofa": 1, "begin": 8, "end": 11, "@types": 4, "@arguments": 5},
        "4": {"%TYPE": "uima.cas.String[]", "%ELEMENTS": ["ASSAULT", "SIEGE"]},
        "5": {"%TYPE": "custom.EventArgumentsLink[]", "%ELEMENTS": [6]},
        "6": {"%TYPE": "custom.EventArgumentsLink", "role": "Place", "@target": 2},
    },
    "%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": [2, 3]}},
}


def test_json_of_the_java_tools_is_read(tmp_path: Path) -> None:
    article = only(tmp_path / "a.json", json.dumps(JAVA))
    listed = [{"%ID": int(key), **value} for key, value in JAVA["%FEATURE_STRUCTURES"].items()]
    assert only(tmp_path / "a.json", json.dumps({**JAVA, "%FEATURE_STRUCTURES": listed})) == article
    assert [entity.text for entity in article.entities] == ["غزة"]
    (event,) = article.events
    assert (event.trigger.text, event.types) == ("قصف", ("ASSAULT", "SIEGE"))
    assert event.arguments == (Argument(role="Place", entity="2"),)


LEGACY = {
    "_context": {
        "_types": {
            "Span": {"_id": "custom.Span", "_feature_types": {"sofa": "_ref"}},
            "Event": {"_id": "custom.Event"},
            "EventArgumentsLink": {"_id": "custom.EventArgumentsLink"},
        }
    },
    "_views": {
        "_InitialView": {
            "DocumentMetaData": [{"sofa": 12, "end": 11, "documentTitle": "خبر.txt"}],
            "Span": [7],
            "Event": [
                {
                    "sofa": 12,
                    "begin": 8,
                    "end": 11,
                    "types": ["ASSAULT", "SIEGE"],
                    "arguments": [
                        {"_type": "EventArgumentsLink", "role": "Place", "target": 7},
                    ],
                },
                {"end": 1, "types": ["AID"], "arguments": [8]},
            ],
        }
    },
    "_referenced_fss": {
        "12": {"_type": "Sofa", "sofaNum": 1, "sofaID": "_InitialView", "sofaString": "🙂 غزة\r\nقصف"},
        "7": {"_type": "Span", "sofa": 12, "begin": 3, "end": 6, "label": "GPE"},
        "8": {"_type": "EventArgumentsLink", "role": "Goal", "target": 7},
    },
}


def test_legacy_json_is_read(tmp_path: Path) -> None:
    content = json.loads(json.dumps(LEGACY))
    content["_views"]["_InitialView"]["Event"][1]["end"] = 2
    article = only(tmp_path / "a.json", json.dumps(content))
    assert article.id == "خبر.txt" and [(e.text, e.label) for e in article.entities] == [("غزة", "GPE")]
    place, goal = (Argument(role=role, entity="7") for role in ("Place", "Goal"))
    assert [(e.trigger.text, e.types, e.arguments) for e in article.events] == [
        ("🙂", ("AID",), (goal,)),
        ("قصف", ("ASSAULT", "SIEGE"), (place,)),
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-1, 13) | st.sampled_from(["Span", "Sofa", "GPE", "_InitialView"]),
        lambda values: (
            st.lists(values, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [*LEGACY, *LEGACY["_views"]["_InitialView"], "_type", "sofa", "begin", "end", "_collection"]
                ),
                values,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from([*LEGACY]),
)
def test_legacy_json_may_hold_anything(tmp_path_factory: pytest.TempPathFactory, value: Any, key: str) -> None:
    path = tmp_path_factory.mktemp("cas") / "a.json"
    articles, log = read(path, json.dumps({**LEGACY, key: value}))
    assert articles or log.dropped


def test_detect(tmp_path: Path) -> None:
    for content in (
        '{"_context": {}, "_views": {}}',
        ' {"_views": {}}',
        '{"%TYPES": {}}',
        '\ufeff{\n "%FEATURE_STRUCTURES": []}',
        '{ "%VIEWS": {} }',
    ):
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        assert detect(tmp_path / "a.json") == "inception"
    (tmp_path / "a.json").write_text('{"TYPES": "%TYPES"}', encoding="utf-8")
    with pytest.raises(DataError, match="is in no known format"):
        detect(tmp_path / "a.json")
    (tmp_path / "a.xmi").write_text("", encoding="utf-8")
    assert detect(tmp_path / "a.xmi") == "inception"


# what is damaged

GOOD = element("ner:NamedEntity", 1, 9, 12, value="GPE")
EVENT = '<custom:Event xmi:id="2" sofa="99" begin="0" end="3" {}><types>VISIT</types></custom:Event>'


def ner(number: int, begin: int, end: int, /, **features: object) -> str:
    return element("ner:NamedEntity", number, begin, end, value="X", **features)


def relation(number: int, first: int, second: int, /, **features: object) -> str:
    return element("custom:Relation", number, 0, 3, Governor=first, Dependent=second, **features)


@pytest.mark.parametrize(
    ("body", "cause", "said"),
    [
        (ner(3, 9, 13), "span outside the text", "9'-'13"),
        (ner(3, -1, 3), "span outside the text", "-1"),
        (ner(3, 3, 3), "span outside the text", "is empty"),
        (ner(3, 0, 3).replace('begin="0" ', ""), "span outside the text", "null-'3'"),
        (element("ner:NamedEntity", 3, 0, 3), "no label", "has no value"),
        (ner(3, 3, 4), "empty span", "only white space"),
        (ner(3, 0, 3).replace("99", "7"), "other view", "another view"),
        (ner(33, 0, 3), "not in the index", "deleted"),
        (ner(3, 0, 3).replace('xmi:id="3" ', ""), "no id", "null"),
        (ner(1, 0, 3), "duplicate id", "id 1"),
        (element("custom:Event", 3, 0, 3), "no label", "has no types"),
        (EVENT.format('arguments="77"'), "unknown id", "refers to 77"),
        (EVENT.format('arguments="3"') + '<custom:L xmi:id="3" role="Who" target="9"/>', "unknown id", "no entity"),
        (EVENT.format('arguments="3"') + '<custom:L xmi:id="3" role="" target="1"/>', "no role", "link 3"),
        (EVENT.format("") + relation(3, 2, 1), "no role", "Relation with the id 3"),
        (relation(3, 1, 7, label="near"), "unknown id", "from 1 to 7"),
        (EVENT.format("") + relation(33, 2, 1, label="a"), "not in the index", "Relation"),
        ('<custom:Article xmi:id="3" sofa="99" meta="[1]"/>', "meta", "must be a JSON object"),
        ('<custom:Article xmi:id="3" sofa="99" meta="{"/>', "meta", "not JSON"),
        ('<cas:Sofa xmi:id="3" sofaNum="2" sofaID="other" sofaString="x"/>', "other view", "'other'"),
    ],
)
def test_only_the_bad_structure_is_dropped(tmp_path: Path, body: str, cause: str, said: str) -> None:
    (article,), log = read(tmp_path / "a.xmi", xmi(GOOD + body))
    assert [(e.label, e.text) for e in article.entities] == [("GPE", "غزة")]
    assert causes(log) == [cause] and said in log.dropped[0].message
    assert len(article.events) == body.count("<types>")


RELATION = '<{}:Near xmi:id="3" sofa="99" begin="0" end="3" Governor="1" Dependent="{}"/>'


@pytest.mark.parametrize(
    ("body", "cause", "said"),
    [
        (relation(3, 1, 1, label="near"), "relation left out", "from 1 to 1"),
        (RELATION.format("webanno", 1), "relation left out", "webanno.custom.Near"),
        (EVENT.format('arguments="3"') + '<custom:L xmi:id="3" role="Why" target="2"/>', "event as an argument", "Why"),
        (EVENT.format("") + relation(3, 2, 2, label="before"), "event as an argument", "before"),
        (EVENT.format('modality="negated" sure="false"'), "feature left out", "'modality' of layer custom.Event"),
        (GOOD.replace('"1"', '"3"').replace('value="', 'rating="5" value="'), "feature left out", "'rating'"),
        ('<webanno:Quality xmi:id="3" sofa="99" rating="5"/>', "layer left out", "document_layers"),
        ('<custom:EventType xmi:id="3" sofa="99" value="AID" predicted="true"/>', "prediction", "predictions=true"),
    ],
)
def test_what_has_no_place_in_an_article_is_a_fix(tmp_path: Path, body: str, cause: str, said: str) -> None:
    (article,), log = read(tmp_path / "a.xmi", xmi(GOOD + body))
    assert not log.dropped and [problem.cause for problem in log.fixed] == [cause]
    assert said in log.fixed[0].message
    assert {e.label for e in article.entities} == {"GPE"} and not article.event_types
    assert not any(event.arguments for event in article.events)


def test_an_unknown_relation_layer_of_an_event_is_dropped(tmp_path: Path) -> None:
    _, log = read(tmp_path / "a.xmi", xmi(GOOD + EVENT.format("") + RELATION.format("webanno", 2)))
    assert causes(log) == ["layer not read"] and "relation_layers" in log.dropped[0].message


def test_offsets_that_split_a_character_are_dropped(tmp_path: Path) -> None:
    (article,), log = read(tmp_path / "a.xmi", xmi(ner(1, 1, 5), text="🙂غزة"))
    assert not article.entities and causes(log) == ["span outside the text"]


def test_fixes_are_logged(tmp_path: Path) -> None:
    dependency = element("dep:Dependency", 3, 0, 3, Governor=1, Dependent=2, DependencyType="obj")
    (article,), log = read(tmp_path / "a.xmi", xmi(ner(1, 3, 8, id="x") + ner(2, 9, 12, id="x") + dependency))
    assert [(e.text, e.id) for e in article.entities] == [("خالد", "x"), ("غزة", "")]
    assert not log.dropped
    assert [p.cause for p in log.fixed] == ["white space at an edge", "layer ignored", "duplicate id"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xmi", xmi("").replace("<xmi:XMI", f"{BOMB}<xmi:XMI", 1), "document type"),
        ("a.xmi", xmi("").replace("<xmi:XMI", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><xmi:XMI', 1), "document type"),
        ("a.xmi", "<a>" * 200_000, "not of an XMI file"),
        ("a.xmi", xmi("<custom:A>" * 100_000), "two deep"),
        ("a.xmi", xmi("", text="a&#1;b").replace("1.0", "1.1", 1), "XML 1.0"),
        ("a.xmi", "", "not XML"),
        ("a.xmi", b"\xff\xfe\x00", "not XML"),
        ("a.xmi", '<?xml version="1.0" encoding="utf-7"?><a/>', "not XML"),
        ("a.xmi", '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI"/>', "no feature structures"),
        ("a.xmi", xmi("").replace("sofaString", "sofaURI"), "sofaString"),
        ("a.xmi", xmi("").replace("cas:Sofa", "cas:Sopha"), "0 subjects of analysis"),
        ("a.xmi", "#FORMAT=WebAnno TSV 3.2\n", "WebAnno TSV; export it as UIMA CAS XMI"),
        ("a.json", '{"_views": 3, "_referenced_fss": {"x": 1}}', "0 subjects"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", "[]", "not CAS JSON"),
        ("a.json", b"\xff", "not JSON"),
        ("a.json", '{"%FEATURE_STRUCTURES": [1, {}]}', "0 subjects"),
        ("a.json", '{"%FEATURE_STRUCTURES": [{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaString": 3}]}', "is 3"),
    ],
)
def test_files_that_are_no_cas_documents_are_rejected(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    articles, log = read(tmp_path / name, content)
    assert not articles and causes(log) == ["not a CAS document"]
    assert said in log.dropped[0].message and len(log.dropped[0].message) < 400


def test_a_file_that_is_too_large_is_rejected_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 100)
    articles, log = read(tmp_path / "a.xmi", xmi(GOOD))
    assert not articles and "is not read" in log.dropped[0].message


def test_spans_that_cover_too_much_together_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_COVERED", 20)
    body = "".join(ner(n, 0, 8) for n in range(1, 5))
    (article,), log = read(tmp_path / "a.xmi", xmi(body))
    assert len(article.entities) == 2 and causes(log) == ["too many spans"] * 2


def test_a_shared_array_is_read_once(tmp_path: Path) -> None:
    links, events = range(1000, 1500), range(2000, 2500)
    body = GOOD + f'<cas:FSArray xmi:id="98" elements="{" ".join(map(str, links))}"/>'
    body += "".join(f'<custom:L xmi:id="{n}" role="Where" target="1"/>' for n in links)
    body += "".join(EVENT.format('arguments="98"').replace('"2"', f'"{n}"') for n in events)
    (article,), log = read(tmp_path / "a.xmi", xmi(body, members=" ".join(map(str, [1, *events]))))
    assert [len(event.arguments) for event in article.events] == [500] + [0] * 499
    assert causes(log) == ["shared array"] * 499


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cassis", None)
    with pytest.raises(DataError, match=r'pip install "rasid\[inception\]"'):
        write_articles([Article(text="نص", id="a")], tmp_path / "out", "inception")
    assert only(tmp_path / "a.xmi", xmi(GOOD)).entities[0].text == "غزة"  # reading needs no extra


def test_corrupted_files_give_valid_articles_or_reasons(tmp_path: Path, corrupted) -> None:
    contents = EXPORT.encode(), json.dumps(JAVA).encode()
    whole = 0
    for seed in range(400):
        content = corrupted(contents[seed % 2], seed)
        articles, log = read(tmp_path / ("b.xmi", "b.json")[seed % 2], content, triggers=["Visit"])
        assert articles or log.dropped
        if articles and len(articles[0].entities) + len(articles[0].events) < (3, 2)[seed % 2]:
            assert log.dropped or log.fixed
        whole += bool(articles)
    assert 0 < whole < 400


@pytest.mark.filterwarnings("ignore:open_binary:DeprecationWarning")  # of dkpro-cassis
def test_the_types_of_the_writer_are_known_to_inception() -> None:
    types = cassis.load_dkpro_core_typesystem()
    assert types.get_type(ENTITY_TYPE).get_feature("value") is not None
    assert not types.contains_type(ARTICLE_TYPE)
