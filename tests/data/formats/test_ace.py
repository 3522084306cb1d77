"""ACE and ERE files: offsets without and with tags, references, levels of mentions, events, and damaged files."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from rasid.data.articles import Argument, Article, check_article
from rasid.data.formats import ace, detect, read_files
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles

SGM = """<DOC>
<DOCID> XIN-1 </DOCID>
<DATETIME>2005-02-03 10:00:00</DATETIME>
<BODY>
<HEADLINE>
هجوم في بغداد
</HEADLINE>
<TEXT>
<P>قالت شركة &quot;AT&amp;T&quot; إن هجوما وقع في بغداد
يوم الثلاثاء.</P>
<P>وقتل فيه رجل قرب <a href="x">فندق المنصور</a>.</P>
</TEXT>
</BODY>
</DOC>
"""
TAGLESS = re.sub("<[^>]*>", "", SGM)
TEXT = TAGLESS.replace("&quot;", '"').replace("&amp;", "&")
COMPANY = 'شركة "AT&T"'


def charseq(surface: str, counted: str = TAGLESS, nth: int = 0, shift: int = 0) -> str:
    """A charseq of a surface as it stands in the counted text, with what an XML reader makes of it."""
    at = -1
    for _ in range(nth + 1):
        at = counted.index(surface, at + 1)
    said = escape(surface.replace("&quot;", '"').replace("&amp;", "&"))
    return f'<charseq START="{at + shift}" END="{at + len(surface) - 1 + shift}">{said}</charseq>'


def mention(name: str, level: str, head: str, extent: str = "") -> str:
    inner = f"<extent>{extent or head}</extent><head>{head}</head>"
    return f'<entity_mention ID="{name}" TYPE="{level}">{inner}</entity_mention>'


def entity(name: str, kind: str, *mentions: str) -> str:
    return f'<entity ID="{name}" TYPE="{kind}" SUBTYPE="Sub" CLASS="SPC">{"".join(mentions)}</entity>\n'


def event(name: str, kind: str, anchor: str, *arguments: tuple[str, str]) -> str:
    label, subtype = kind.split(".")
    said = "".join(f'<event_mention_argument REFID="{name}" ROLE="{role}"/>' for role, name in arguments)
    inner = f'<event_mention ID="{name}"><anchor>{anchor}</anchor>{said}</event_mention>'
    return f'<event ID="{name}-" TYPE="{label}" SUBTYPE="{subtype}">{inner}</event>\n'


def named(charseq: str, label: str = "X") -> str:
    """An entity with one mention."""
    return entity("E1", label, mention("M", "NAM", charseq))


BODY = (
    entity("E1", "GPE", mention("E1-1", "NAM", charseq("بغداد")), mention("E1-2", "NAM", charseq("بغداد", nth=1)))
    + entity("E2", "ORG", mention("E2-1", "NAM", charseq("AT&amp;T"), charseq("شركة &quot;AT&amp;T&quot;")))
    + entity("E3", "PER", mention("E3-1", "NOM", charseq("رجل")))
    + entity("E4", "FAC", mention("E4-1", "NAM", charseq("المنصور"), charseq("فندق المنصور")))
    + '<timex2 ID="T1" VAL="2005-02-01"><timex2_mention ID="T1-1">'
    + f"<extent>{charseq('يوم الثلاثاء')}</extent></timex2_mention></timex2>\n"
    + '<relation ID="R1" TYPE="PHYS"/><relation ID="R2" TYPE="PHYS"/>\n'
    + event("V1", "Conflict.Attack", charseq("هجوما"), ("Place", "E1-2"), ("Time", "T1-1"), ("Target", "E3-1"))
    + event("V2", "Life.Die", charseq("وقتل"), ("Victim", "E3-1"))
)


def apf(body: str, name: str = "XIN-1") -> str:
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">\n'
        f'<source_file URI="x.sgm" SOURCE="newswire" TYPE="text">\n<document DOCID="{name}">\n'
        f"{body}</document>\n</source_file>\n"
    )


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Write x.apf.xml, of a body, and x.sgm; the path of the former."""

    def make(body: str, source: str | bytes = SGM) -> Path:
        (tmp_path / "x.sgm").write_bytes(source.encode() if isinstance(source, str) else source)
        path = tmp_path / "x.apf.xml"
        path.write_text(apf(body), encoding="utf-8")
        return path

    return make


def read(path: Path, **options: object) -> tuple[Article, ProblemLog]:
    log = ProblemLog()
    ((_, article),) = read_files(path, log=log, options=options)
    assert not list(check_article(article)) and log.articles == 1
    return article, log


def refused(path: Path) -> tuple[str, str]:
    """Cause and message of the one problem of a file that gives no article."""
    log = ProblemLog()
    assert not list(read_files(path, log=log)) and log.articles == 0
    (problem,) = log.dropped
    return problem.cause, problem.message


# reading ACE


def test_names_values_and_events_of_a_document(made: Callable[..., Path]) -> None:
    article, log = read(made(BODY))
    assert article.text == TEXT
    assert (article.id, article.title, article.date) == ("XIN-1", "هجوم في بغداد", "2005-02-03 10:00:00")
    assert article.source == "newswire"
    assert [(e.id, e.label, e.text) for e in article.entities] == [
        ("E1-1", "GPE", "بغداد"),
        ("E2-1", "ORG", "AT&T"),
        ("E1-2", "GPE", "بغداد"),
        ("T1-1", "TIMEX2", "يوم الثلاثاء"),
        ("E4-1", "FAC", "المنصور"),
    ]
    assert [(e.id, e.types, e.trigger.text) for e in article.events] == [
        ("V1", ("Conflict.Attack",), "هجوما"),
        ("V2", ("Life.Die",), "وقتل"),
    ]
    assert article.events[0].arguments == (Argument(role="Place", entity="E1-2"), Argument(role="Time", entity="T1-1"))
    assert not log.dropped
    assert {p.cause: p.message for p in log.fixed} == {
        "relations left out": "2 relations are left out",
        "dates of time expressions left out": "1 dates of time expressions are left out",
        "mentions of level NOM left out": (
            "1 mentions of level NOM are left out; reading option mentions chooses them"
        ),
        "arguments without their mention left out": "2 arguments without their mention are left out",
        "links between coreferent mentions left out": "1 links between coreferent mentions are left out",
    }
    assert load_articles(made(BODY)) == [article]  # what is left out by design does not stop the strict reader


def test_options_choose_mentions_labels_and_extents(made: Callable[..., Path]) -> None:
    path = made(BODY)
    article, log = read(path, mentions=["NAM", "NOM"])
    assert [a.role for e in article.events for a in e.arguments] == ["Place", "Time", "Target", "Victim"]
    assert not any("level" in problem.cause for problem in log.fixed)
    article, _ = read(path, extent="extent", values=False, subtypes=True, event_types="subtype")
    assert [(e.label, e.text) for e in article.entities] == [
        ("GPE.Sub", "بغداد"),
        ("ORG.Sub", COMPANY),
        ("GPE.Sub", "بغداد"),
        ("FAC.Sub", "فندق المنصور"),
    ]
    assert [e.types for e in article.events] == [("Attack",), ("Die",)]
    article, _ = read(path, event_types="type", mentions="NOM")
    assert [e.types for e in article.events] == [("Conflict",), ("Life",)]
    assert [e.text for e in article.entities] == ["يوم الثلاثاء", "رجل"]
    for option in ({"extent": "heads"}, {"event_types": "both"}):
        with pytest.raises(DataError, match="should be"):
            read(path, **option)


@pytest.mark.parametrize(
    ("source", "counted", "cause"),
    [
        (SGM, TEXT, "references as one character"),
        (SGM.replace("\n", "\r\n"), TAGLESS, "CRLF as one character"),
        (SGM.replace("\n", "\r\n"), TEXT, "references and CRLF as one character"),
    ],
)
def test_the_way_of_counting_is_found_by_the_surfaces(
    made: Callable[..., Path], source: str, counted: str, cause: str
) -> None:
    company = "AT&T" if counted is TEXT else "AT&amp;T"
    spans = [(company, 0), ("بغداد", 1), ("بغداد\nيوم", 0), ("المنصور", 0)]
    body = "".join(
        entity(f"E{n}", "X", mention(f"E{n}-1", "NAM", charseq(surface, counted, nth)))
        for n, (surface, nth) in enumerate(spans)
    )
    article, log = read(made(body, source))
    line_end = "\r\n" if "\r" in source else "\n"
    assert article.text == TEXT.replace("\n", line_end)
    assert [e.text for e in article.entities] == ["AT&T", f"بغداد{line_end}يوم", "بغداد", "المنصور"]
    assert [(p.cause, cause in p.message) for p in log.fixed] == [("counting", True)]


def test_shifted_offsets_are_fixed_only_if_a_lost_character_explains_the_shift(made: Callable[..., Path]) -> None:
    body = named(charseq("بغداد", shift=1))
    article, log = read(made(body))
    assert not article.entities and [(p.line, p.cause) for p in log.dropped] == [(5, "offsets")]
    assert "'بغداد'" in log.dropped[0].message and "START=" in log.dropped[0].message
    article, log = read(made(body, b"\xef\xbb\xbf" + SGM.encode()))
    assert [e.text for e in article.entities] == ["بغداد"]
    assert [p.cause for p in log.fixed] == ["offsets"] and "shifted by -1" in str(log.fixed[0])
    emoji = SGM.replace("XIN-1", "🙂🙂🙂🙂")
    units = TAGLESS.replace("XIN-1", "••••••••")
    article, log = read(made(named(charseq("بغداد", units)), emoji))
    assert [e.text for e in article.entities] == ["بغداد"] and "UTF-16" in str(log.fixed[0])


def test_surfaces_prove_spans(made: Callable[..., Path]) -> None:
    decomposed = SGM.replace("بغداد", "بغدا\u0653د")
    text = TAGLESS.replace("بغداد", "بغدا\u0653د")
    body = named(charseq("بغدا\u0653د", text).replace("بغدا\u0653د", "بغدآد"))
    article, log = read(made(body, decomposed))
    assert [e.text for e in article.entities] == ["بغدا\u0653د"] and "normal form" in str(log.fixed)
    wide = charseq("المنصور").replace(">المنصور<", ">منصور<")
    article, log = read(made(named(wide)))
    assert [e.text for e in article.entities] == ["منصور"] and "whole words" in str(log.fixed)


def test_spans_moved_by_a_replacement_of_text_are_found(made: Callable[..., Path]) -> None:
    longer = TAGLESS.replace("بغداد", "بغداد...", 1)
    names = ["المنصور", "يوم الثلاثاء"]
    body = "".join(entity(f"E{n}", "X", mention(f"M{n}", "NAM", charseq(name, longer))) for n, name in enumerate(names))
    article, log = read(made(body))
    assert sorted(e.text for e in article.entities) == sorted(names) and not log.dropped
    assert "text replaced" in str(log.fixed)


@pytest.mark.parametrize(
    ("body", "cause", "said"),
    [
        (named('<charseq START="x" END="9">a</charseq>'), "no offsets", "START='x'"),
        (named('<charseq END="9">a</charseq>'), "no offsets", "whole numbers"),
        (named(""), "no offsets", "nothing"),
        (named('<charseq START="5" END="4"/>'), "offsets", "is empty"),
        (named('<charseq START="0" END="99999"/>'), "offsets", "outside"),
        (named('<charseq START="9" END="8888">بغداد</charseq>'), "offsets", "outside"),
        (named('<charseq START="0" END="1"/>'), "empty span", "only white space"),
        (named(charseq("بغداد"), ""), "no type", "mention  M has"),
        (event("V1", "A.B", charseq("هجوما"), ("Place", "E9")), "unknown id", "'E9'"),
        (event("V1", "A.B", charseq("هجوما"), ("", "E1-1")), "no role", "without a role"),
        (event("V1", "A.B", ""), "no offsets", "trigger A.B V1"),
    ],
)
def test_only_the_bad_span_is_dropped(made: Callable[..., Path], body: str, cause: str, said: str) -> None:
    good = entity("E5", "GPE", mention("E5-1", "NAM", charseq("بغداد")))
    article, log = read(made(good + body))
    assert [e.id for e in article.entities] == ["E5-1"]
    assert [(p.cause, p.article) for p in log.dropped] == [(cause, "XIN-1")]
    assert said in log.dropped[0].message and log.dropped[0].line == 6
    with pytest.raises(DataError, match=re.escape(said)):
        load_articles(made(good + body))


def test_an_event_that_is_an_argument_is_a_fix(made: Callable[..., Path]) -> None:
    body = event("V1", "A.B", charseq("هجوما")) + event("V2", "A.C", charseq("وقتل"), ("Theme", "V1"))
    article, log = read(made(body))
    assert not log.dropped and not any(found.arguments for found in article.events)
    assert "events that are arguments left out" in [p.cause for p in log.fixed]


def test_white_space_and_duplicate_ids_are_fixed(made: Callable[..., Path]) -> None:
    body = entity("E1", "X", mention("M", "NAM", charseq(" بغداد\n")), mention("M", "NAM", charseq("المنصور")))
    article, log = read(made(body + event("V", "A.B", charseq("هجوما"), ("Place", "M"))))
    assert [(e.id, e.text) for e in article.entities] == [("M", "بغداد"), ("", "المنصور")]
    assert {p.cause for p in log.fixed} >= {"white space at an edge", "duplicate id"}
    assert article.events[0].arguments == (Argument(role="Place", entity="M"),)


def test_white_space_in_surfaces_may_differ(made: Callable[..., Path]) -> None:
    article, log = read(made(named(charseq("بغداد\nيوم").replace("\n", " "))))
    assert [e.text for e in article.entities] == ["بغداد\nيوم"] and not log.dropped


# reading ERE

ERE_SOURCE = """<DOC id="NYT-1" type="story">
<HEADLINE>
هجوم في دمشق
</HEADLINE>
<TEXT>
<P>
قالت <b>شركة</b> AT&amp;T إن <a href="1">بغداد</a> شهدت هجوما أمس.
</P>
</TEXT>
</DOC>
"""


def place(surface: str) -> str:
    return f'source="NYT-1" offset="{ERE_SOURCE.index(surface)}" length="{len(surface)}"'


def ere(body: str) -> str:
    root = '<deft_ere kit_id="k" doc_id="NYT-1" source_type="newswire">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n{body}\n</deft_ere>'


def ere_mention(name: str, level: str, surface: str, inner: str = "") -> str:
    said = f"<mention_text>{escape(surface)}</mention_text>{inner}"
    return f'<entity_mention id="{name}" noun_type="{level}" {place(surface)}>{said}</entity_mention>'


ERE_BODY = f"""<entities>
<entity id="ent-1" type="GPE" specificity="specific">{ere_mention("m-1", "NAM", "دمشق")}</entity>
<entity id="ent-2" type="ORG" specificity="specific">{ere_mention("m-2", "NAM", "AT&amp;T")}</entity>
<entity id="ent-3" type="LOC" specificity="specific">{ere_mention("m-3", "NAM", 'إن <a href="1">بغداد</a>')}</entity>
<entity id="ent-4" type="ORG" specificity="specific">{
    ere_mention("m-4", "NOM", "شركة</b> AT&amp;T", f"<nom_head {place('شركة')}>شركة</nom_head>")
}</entity>
</entities>
<fillers><filler id="f-1" {place("أمس")} type="time">أمس</filler></fillers>
<relations><relation id="r-1"/></relations>
<hoppers><hopper id="h-1">
<event_mention id="em-1" type="conflict" subtype="attack" realis="actual">
<trigger {place("هجوما")}>هجوما</trigger>
<em_arg entity_id="ent-1" entity_mention_id="m-1" role="place" realis="true">دمشق</em_arg>
<em_arg filler_id="f-1" role="time" realis="true">أمس</em_arg>
</event_mention></hopper></hoppers>"""


@pytest.mark.parametrize(
    ("annotation", "source"),
    [
        ("N.rich_ere.xml", "N.cmp.txt"),
        ("N.rich_ere.xml", "N.xml"),
        ("N.ere.xml", "N.txt"),
        ("ere/cmptxt/N.rich_ere.xml", "source/cmptxt/N.cmp.txt"),
    ],
)
def test_ere_offsets_count_tags_and_the_text_has_none(tmp_path: Path, annotation: str, source: str) -> None:
    for name, content in ((annotation, ere(ERE_BODY)), (source, ERE_SOURCE)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert detect(tmp_path / annotation) == "ace"
    article, log = read(tmp_path / annotation, mentions=["NAM", "NOM"])
    assert "<" not in article.text and "قالت شركة AT&T إن بغداد شهدت هجوما أمس." in article.text
    assert (article.id, article.title, article.source) == ("NYT-1", "هجوم في دمشق", "newswire")
    assert [(e.id, e.label, e.text) for e in article.entities] == [
        ("m-1", "GPE", "دمشق"),
        ("m-4", "ORG", "شركة"),
        ("m-2", "ORG", "AT&T"),
        ("m-3", "LOC", "إن بغداد"),
        ("f-1", "time", "أمس"),
    ]
    (event,) = article.events
    assert (event.types, event.trigger.text) == (("conflict.attack",), "هجوما")
    assert event.arguments == (Argument(role="place", entity="m-1"), Argument(role="time", entity="f-1"))
    assert [p.cause for p in log.fixed] == ["relations left out"] and not log.dropped
    article, _ = read(tmp_path / annotation, mentions=["NOM"], extent="extent", values=False)
    assert [e.text for e in article.entities] == ["شركة AT&T"]


# files that are not read


@pytest.mark.parametrize(
    ("content", "cause", "said"),
    [
        ("", "not XML", "no element"),
        ("<source_file><document>", "not XML", "no element found"),
        ("<source_file>&nbsp;</source_file>", "not XML", "undefined entity"),
        ('<?xml version="1.0" encoding="x-none"?><source_file/>', "not XML", "encoding"),
        ("<source_file/>", "no document", "no element document"),
        ("<corpus/>", "not ACE", "'corpus'"),
        (apf(""), "no source", "x.sgm"),
        (
            '<!DOCTYPE source_file [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><source_file>&b;</source_file>',
            "not XML",
            "declares entities",
        ),
        (
            '<!DOCTYPE source_file [<!ENTITY a SYSTEM "file:///etc/hostname">]><source_file>&a;</source_file>',
            "not XML",
            "declares entities",
        ),
        ('<!DOCTYPE a [<!ATTLIST a b CDATA "long">]><a/>', "not XML", "declares entities or attributes"),
        ("<a>" * 200_000, "not XML", "nest more than 64 deep"),
        ("<source_file>" + "<a/>" * 200_000, "not XML", "elements"),
    ],
)
def test_files_that_are_not_annotations_are_logged(tmp_path: Path, content: str, cause: str, said: str) -> None:
    path = tmp_path / "x.apf.xml"
    path.write_text(content, encoding="utf-8")
    found, message = refused(path)
    assert found == cause and said in message


def test_files_that_are_too_large_are_rejected(tmp_path: Path) -> None:
    for name in ("x.apf.xml", "y.sgm"):
        with open(tmp_path / name, "wb") as file:
            file.truncate(1 << 33)
    (tmp_path / "y.apf.xml").write_text(apf(""), encoding="utf-8")
    log = ProblemLog()
    assert not list(read_files(tmp_path, "ace", log=log))
    assert [p.cause for p in log.dropped] == ["not XML", "too large"]
    assert all("split the file" in p.message for p in log.dropped)


def test_a_source_that_is_not_utf8_is_dropped(made: Callable[..., Path]) -> None:
    cause, message = refused(made(BODY, SGM.encode("windows-1256")))
    assert cause == "not UTF-8" and "windows-1256" in message


@pytest.mark.parametrize("name", ["x.apf.xml", "x.rich_ere.xml", "x.XML", "x.xml"])
def test_the_format_is_detected_by_suffix_or_root_element(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<?xml version='1.0'?>\n<source_file URI='x'>", encoding="utf-8")
    assert detect(tmp_path / name) == "ace"
    (tmp_path / "y.xml").write_text("<other/>", encoding="utf-8")
    with pytest.raises(DataError, match="name one of"):
        detect(tmp_path / "y.xml")


def test_only_bad_meta_is_dropped(made: Callable[..., Path]) -> None:
    article, log = read(made("", '<DOC title="ع" meta="[1]"><TEXT>نص</TEXT></DOC>'))
    assert (article.title, article.meta, article.text) == ("ع", {}, "نص")
    assert [p.cause for p in log.dropped] == ["meta"]


# damaged files


@pytest.mark.parametrize(
    ("names", "contents"),
    [(("h.apf.xml", "h.sgm"), (apf(BODY), SGM)), (("n.rich_ere.xml", "n.txt"), (ere(ERE_BODY), ERE_SOURCE))],
    ids=["ace", "ere"],
)
def test_corrupted_files_give_valid_articles_or_reasons(
    tmp_path: Path, corrupted, names: tuple[str, str], contents: tuple[str, str]
) -> None:
    for seed in range(300):
        damaged = [content.encode() for content in contents]
        damaged[seed % 2] = corrupted(damaged[seed % 2], seed)
        for name, content in zip(names, damaged, strict=True):
            (tmp_path / name).write_bytes(content)
        log = ProblemLog()
        found = [one for _, one in ace.read_file(tmp_path / names[0], log, mentions=["NAM", "NOM"])]
        assert len(found) == log.articles and (found or log.dropped)
        assert not [problem for article in found for problem in check_article(article)]
        assert all(problem.message for problem in (*log.dropped, *log.fixed))
