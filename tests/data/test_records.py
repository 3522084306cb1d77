"""Event records (`Article.records`): fillers, dates as values, inheritance from the lead, and their files."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data import event_files
from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.corpus import load_corpus
from rasid.data.dates import DateValue
from rasid.data.event_files import columns, csv_lines, json_lines, write_events
from rasid.data.formats import inline
from rasid.data.labels import load_scheme
from rasid.data.problems import DataError, ProblemLog
from rasid.data.records import EventRecord, Filler

ROLES = tuple(load_scheme("news").roles)


def article_of(marked: str, **fields: Any) -> Article:
    """An article from inline markup."""
    front = {"id": "a", "date": "2019-03-18"} | fields
    lines = ["---", *(f"{key}: {value}" for key, value in front.items() if value is not None), "---", marked]
    log = ProblemLog()
    ((_, article),) = inline.read([line + "\n" for line in "\n".join(lines).split("\n")], log)
    assert not log.dropped
    return article


def records_by_trigger(article: Article) -> dict[str, EventRecord]:
    return {record.trigger.text: record for record in article.records}


def with_roles(record: EventRecord) -> EventRecord:
    """A record as files have it: with all roles, in their order."""
    return replace(record, fillers={**dict.fromkeys(ROLES, ()), **record.fillers})


def texts(record: EventRecord, role: str) -> list[str]:
    return [filler.text for filler in record.fillers.get(role, ())]


STRIKE = """{v1:ASSAULT قصف} جديد

[:GPE بيروت] (وكالة) - {v2:ASSAULT قصفت} [e1:VEH طائرات] [e2:GPE حلب] [e3:DATE فجر الأحد]. \
و{v4:ACCUSE دان} [e5:PER سامر] {v5:ASSAULT الهجوم}.
@v2 Instrument=e1 Location=e2 Date=e3
@v4 Actor=e5

وقُتل سبعة."""


# ---- records ---------------------------------------------------------------------------------------------------------


def test_a_record_has_the_article_the_event_and_its_arguments() -> None:
    record = records_by_trigger(article_of(STRIKE, source="وكالة"))["قصفت"]
    assert (record.article_id, record.title, record.source, record.published) == (
        "a",
        "قصف جديد",
        "وكالة",
        "2019-03-18",
    )
    assert (record.event_id, record.type, record.score) == ("v2", "ASSAULT", None)
    assert list(record.fillers) == ["Instrument", "Location", "Date"]
    assert texts(record, "Location") == ["حلب"] and texts(record, "Actor") == []
    assert record.sentence.text == "بيروت (وكالة) - قصفت طائرات حلب فجر الأحد."
    assert record.dateline is not None and record.dateline.text == "بيروت"


def test_each_type_of_an_event_has_a_record_with_its_score() -> None:
    events = (
        Event(id="v1", trigger=Span(start=0, end=3), types=("ASSAULT", "AID"), scores=(0.75, 0.5)),
        Event(id="v2", trigger=Span(start=4, end=7), types=("PROTEST",)),
    )
    found = Article(text="قصف جدا", events=events).records
    assert [(record.event_id, record.type, record.score) for record in found] == [
        ("v1", "ASSAULT", 0.75),
        ("v1", "AID", 0.5),
        ("v2", "PROTEST", None),
    ]
    assert Article(text="لا شيء").records == ()


def test_several_fillers_of_a_role_keep_their_order_and_scores() -> None:
    entities = (Entity(id="e1", start=5, end=8, label="ORG", score=0.4), Entity(id="e2", start=9, end=12, label="PER"))
    arguments = (Argument(role="Actor", entity="e2", score=0.9), Argument(role="Actor", entity="e1", score=0.25))
    event = Event(trigger=Span(start=0, end=4), types=("CONSULT",), arguments=arguments)
    (record,) = Article(text="لقاء علي مها", entities=entities, events=(event,)).records
    assert tuple(record.fillers) == ("Actor",)
    assert [(filler.text, filler.label, filler.score) for filler in record.fillers["Actor"]] == [
        ("مها", "PER", 0.9),
        ("علي", "ORG", 0.25),
    ]


def test_the_sentences_of_the_article_are_used_and_completed() -> None:
    text = "قصف. هدنة. لقاء."
    events = tuple(Event(trigger=Span(start=start, end=start + 3), types=("X",)) for start in (0, 5, 11))
    given_sentences = (Sentence(start=0, end=10),)
    found = Article(text=text, events=events, sentences=given_sentences).records
    assert [record.sentence.text for record in found] == ["قصف. هدنة.", "قصف. هدنة.", "لقاء."]


def test_an_argument_without_its_entity_is_an_error() -> None:
    event = Event(trigger=Span(start=0, end=3), types=("X",), arguments=(Argument(role="Actor", entity="e9"),))
    with pytest.raises(DataError, match=r"\[a\] Actor of 'قصف' names entity 'e9', which the article lacks"):
        list(Article(id="a", text="قصف", events=(event,)).records)


# ---- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "mention", "value", "granularity"),
    [
        ("2019-03-18", "فجر الأحد", "2019-03-17", "day"),
        ("2019-03-18T22:00:00Z", "أمس", "2019-03-17", "day"),
        ("18 آذار/مارس 2019", "أمس", "2019-03-17", "day"),
        ("2019-03-18", "2016", "2016", "year"),
        ("2019-03-18", "ثلاث ساعات", "", ""),
        (None, "الأحد", "", ""),
        ("غير معروف", "الأحد", "", ""),
        (None, "3 أيار 2018", "2018-05-03", "day"),
    ],
)
def test_dates_have_values(published: str | None, mention: str, value: str, granularity: str) -> None:
    article = article_of(f"{{v1:ASSAULT قصف}} [e1:DATE {mention}]\n@v1 Date=e1", date=published)
    (record,) = article.records
    (filler,) = record.fillers["Date"]
    assert filler.date is not None and (filler.date.value, filler.date.granularity) == (value, granularity)
    assert filler.date.rule


def test_the_words_around_a_date_are_seen() -> None:
    article = article_of("{v1:ASSAULT قصف} [e1:DATE بعد يومين] من الهدنة\n@v1 Date=e1")
    (filler,) = article.records[0].fillers["Date"]
    assert filler.date == DateValue(value="", granularity="", rule="relative to the text")


def test_the_clause_of_a_date_is_seen() -> None:
    marked = (
        "أعلنت أنها س{v1:SANCTION تعلق} العمل بالمعاهدة كلها اعتبارا من [e1:DATE 12 كانون الأول/ديسمبر].\n@v1 Date=e1"
    )
    (record,) = article_of(marked, date="2007-07-15").records
    (filler,) = record.fillers["Date"]
    assert filler.date is not None and filler.date.value == "2007-12-12"


@pytest.mark.parametrize(
    ("role", "label", "dated"),
    [
        ("Date", "Temporal", True),
        ("Time-Within", "timex2", True),
        ("Count", "DATE", True),
        ("Start", "TIME", True),
        ("Actor", "PER", False),
        ("Timer", "Daten", False),
    ],
)
def test_a_role_or_a_label_makes_a_date(role: str, label: str, dated: bool) -> None:
    event = Event(trigger=Span(start=0, end=3), types=("X",), arguments=(Argument(role=role, entity="e"),))
    entity = Entity(id="e", label=label, start=4, end=7)
    (record,) = Article(text="قصف أمس", date="2019-03-18", entities=(entity,), events=(event,)).records
    assert (record.fillers[role][0].date is not None) == dated


# ---- inheritance -----------------------------------------------------------------------------------------------------


def test_an_event_of_the_title_takes_place_and_date_from_the_lead() -> None:
    record = records_by_trigger(article_of(STRIKE))["قصف"]
    (place,), (day,) = record.fillers["Location"], record.fillers["Date"]
    assert (place.text, place.inherited, place.score) == ("حلب", "lead", None)
    assert (day.text, day.inherited) == ("فجر الأحد", "lead")
    assert day.date is not None and day.date.value == "2019-03-17"
    assert texts(record, "Instrument") == []


def test_own_fillers_and_other_types_inherit_nothing() -> None:
    found = records_by_trigger(article_of(STRIKE))
    assert all(not filler.inherited for fillers in found["قصفت"].fillers.values() for filler in fillers)
    for trigger in ("دان", "الهجوم"):  # in the lead, where an argument would have been in reach
        assert texts(found[trigger], "Location") == texts(found[trigger], "Date") == []


def test_events_of_the_lead_that_disagree_give_nothing() -> None:
    lead = "{v1:ASSAULT قصفت} [e1:GPE حلب] و{v2:ASSAULT هاجمت} [e2:GPE حماة] [e3:DATE الأحد]."
    found = records_by_trigger(
        article_of(f"{{:ASSAULT ضربات}} جوية\n\n{lead}\n@v1 Location=e1 Date=e3\n@v2 Location=e2 Date=e3")
    )
    assert texts(found["ضربات"], "Location") == []
    assert texts(found["ضربات"], "Date") == ["الأحد"]


def test_the_same_noun_in_the_lead_comes_first() -> None:
    lead = "{v1:ASSAULT قصفت} [e1:GPE حلب] بعد {v2:ASSAULT هجوم} في [e2:GPE حماة]."
    later = "ونفى بعد {:ASSAULT الهُجوم} ذلك. وتوقع {:ASSAULT هجوما} آخر و{:ASSAULT القصف} مستمر."
    title = "رد على {:ASSAULT هجوم}"
    article = article_of(f"{title}\n\n{lead}\n@v1 Location=e1\n@v2 Location=e2\n\n{later}")
    found = [(record.trigger.text, texts(record, "Location")) for record in article.records]
    assert found == [
        ("هجوم", ["حماة"]),
        ("قصفت", ["حلب"]),
        ("هجوم", ["حماة"]),
        ("الهُجوم", ["حماة"]),
        ("هجوما", []),
        ("القصف", []),
    ]


def test_without_a_title_only_a_repeated_noun_inherits() -> None:
    text = "وقع {v1:ASSAULT هجوم} في [e1:GPE حماة].\n@v1 Location=e1\n\nوكان {:ASSAULT قصف} قبل {:ASSAULT الهجوم}."
    found = records_by_trigger(article_of(text))
    assert texts(found["قصف"], "Location") == []
    assert texts(found["الهجوم"], "Location") == ["حماة"]


def test_a_first_line_that_ends_like_a_sentence_is_no_title() -> None:
    article = Article(text="وقع قصف.\n\nوقع هجوم.", events=(Event(trigger=Span(start=4, end=7), types=("X",)),))
    assert article.records[0].title == ""
    article = Article(text="قصف جديد\n\nوقع هجوم.", events=(Event(trigger=Span(start=0, end=3), types=("X",)),))
    assert article.records[0].title == "قصف جديد"


@pytest.mark.parametrize(
    ("lead", "place"),
    [
        ("[:GPE بيروت] (وكالة) – {:X قصف}", "بيروت"),
        ("[:GPE القاهرة] - {:X قصف}", "القاهرة"),
        ("[:GPE نيامي]، [:DATE 11 آب/أغسطس] (وكالة) - {:X قصف}", "نيامي"),
        ("[:GPE نيامي]، عاصمة النيجر، تعلن {:X قصف}", None),
        ("[:GPE القاهرة]/ [:DATE 12 مايو] {:X قصف}", "القاهرة"),
        ("[:GPE إسطنبول]/ محمد علي/ الأناضول\nأعلن {:X قصف}", "إسطنبول"),
        ("[:GPE رام الله] 12-5-2019 وفا- {:X قصف}", "رام الله"),
        ("[:GPE دمشق]-سانا\nأعلن {:X قصف}", "دمشق"),
        ("[:GPE سوريا] تعلن {:X قصف}", None),
        ("[:ORG رويترز] - {:X قصف}", None),
        ("أعلنت [:GPE سوريا] - {:X قصف}", None),
        ("[:GPE باريس]-نيس {:X قصف}", None),
    ],
)
def test_datelines(lead: str, place: str | None) -> None:
    for marked in (lead, f"عنوان\n\n{lead}"):
        (record,) = article_of(marked).records
        assert (record.dateline and record.dateline.text) == place
        assert texts(record, "Location") == texts(record, "Date") == []  # a dateline is no place of an event


# ---- every article ---------------------------------------------------------------------------------------------------

LABELS, NAMES = ["GPE", "DATE", "PER"], ["Actor", "Location", "Date"]
PIECES = ["قصف", "الهجوم", "بيروت", "أمس", " - ", ". ", "\n", "\n\n", " ", "😀", "=1", "؛ ", "\u2028", '"']


@st.composite
def annotated(draw: st.DrawFn) -> Article:
    """Articles with any events."""
    text = draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), min_size=2, max_size=25).map("".join))
    ranges = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda r: r[0] < r[1])
    spans = draw(st.lists(ranges, max_size=5)) if text else []
    entities = tuple(
        Entity(id=f"e{n}", start=start, end=end, label=draw(st.sampled_from(LABELS)))
        for n, (start, end) in enumerate(spans)
    )
    events = []
    for n, (start, end) in enumerate(draw(st.lists(ranges, max_size=4)) if text else []):
        types = tuple(draw(st.lists(st.sampled_from("XYZ"), min_size=1, max_size=2, unique=True)))
        given_arguments = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(entities or [None]))))
        arguments = tuple(
            Argument(role=role, entity=entity.id, score=draw(st.none() | st.floats(0, 1)))
            for role, entity in given_arguments
            if entity
        )
        scores = tuple(draw(st.floats(0, 1)) for _ in types) if draw(st.booleans()) else ()
        trigger = Span(start=start, end=end)
        events.append(Event(id=f"v{n}", trigger=trigger, types=types, arguments=arguments, scores=scores))
    return Article(
        id=draw(st.text(max_size=3)),
        text=text,
        title=draw(st.sampled_from([None, "قصف", text.split("\n")[0]])),
        date=draw(st.sampled_from([None, "", "2019-03-18", "?"])),
        entities=entities,
        events=tuple(events),
    )


def spans_of(record: EventRecord) -> Iterator[Span | Filler | Entity]:
    yield from (record.trigger, record.sentence)
    yield from (filler for fillers in record.fillers.values() for filler in fillers)
    if record.dateline:
        yield record.dateline


@given(annotated())
def test_every_event_has_a_record_and_offsets_are_those_of_the_text(article: Article) -> None:
    found = article.records
    pairs = [(event, label) for event in article.events for label in event.types]
    assert [(record.event_id, record.type, record.trigger) for record in found] == [
        (event.id, label, event.trigger) for event, label in pairs
    ]
    for record, (event, _) in zip(found, pairs, strict=True):
        own = {role: [f for f in fillers if not f.inherited] for role, fillers in record.fillers.items()}
        assert sum(map(len, own.values())) == len(event.arguments)
        assert record.sentence.start <= record.trigger.start < record.sentence.end
        for span in spans_of(record):
            assert article.text[span.start : span.end] == span.text != ""


@given(annotated())
def test_json_lines_keep_everything(article: Article) -> None:
    log = ProblemLog()
    lines = list(json_lines([article], log, roles=ROLES))
    assert [line.count("\n") for line in lines] == [1] * len(lines)
    assert [record_from(json.loads(line)) for line in lines] == [with_roles(record) for record in article.records]
    assert log.articles == 1


def record_from(content: dict[str, Any]) -> EventRecord:
    """A record from its JSON."""
    fillers = {
        role: tuple(Filler(**filler | {"date": filler["date"] and DateValue(**filler["date"])}) for filler in found)
        for role, found in content["fillers"].items()
    }
    spans = {key: Span(**content[key]) for key in ("trigger", "sentence")}
    dateline = content["dateline"] and Entity(**content["dateline"])
    return EventRecord(**content | spans | {"fillers": fillers, "dateline": dateline})


@given(annotated())
def test_csv_has_the_fillers_in_columns(article: Article) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines([article], ProblemLog(), roles=ROLES)), newline="")))
    for row, record in zip(rows, article.records, strict=True):
        assert article.text[int(row["trigger_start"]) : int(row["trigger_end"])] == record.trigger.text
        for role in ROLES:
            starts = [str(filler.start) for filler in record.fillers.get(role, ())]
            assert row[f"{role.lower()}_start"] == "; ".join(starts)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) or "\n" in cell for cell in row.values())


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dev() -> list[Article]:
    return list(load_corpus("dev").articles)


def test_the_files_of_the_corpus_agree(dev: list[Article], tmp_path: Path) -> None:
    found = [record for article in dev for record in article.records]
    assert sum("Location" in record.fillers for record in found) > 80
    for format in ("csv", "jsonl", "parquet"):
        log = write_events(dev, tmp_path / f"events.{format}", roles=ROLES)
        assert (log.articles, log.dropped) == (len(dev), [])
    with (tmp_path / "events.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "events.parquet").to_pylist()
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(table) == len(lines) == len(found)
    for row, typed, line, record in zip(rows, table, lines, found, strict=True):
        assert list(row) == list(typed) == columns(ROLES)
        assert record_from(json.loads(line)) == with_roles(record)
        assert typed["trigger_start"] == record.trigger.start and typed["score"] is None
        assert typed["date_value"] == [filler.date and filler.date.value for filler in record.fillers.get("Date", ())]
        assert row["location"] == "; ".join(typed["location"]) == "; ".join(texts(record, "Location"))
        assert typed["location_start"] == [filler.start for filler in record.fillers.get("Location", ())]
        assert row["date_inherited"] == "; ".join(filter(None, typed["date_inherited"]))


def test_a_spreadsheet_gets_a_byte_order_mark_and_several_values_in_a_cell(tmp_path: Path) -> None:
    marked = "{v1:CONSULT لقاء} [e1:PER علي\nسامر] و[e2:PER مها]\n@v1 Actor=e1 Actor=e2"
    write_events([article_of(marked)], tmp_path / "events.CSV", roles=["Actor"])
    content = (tmp_path / "events.CSV").read_bytes().decode("utf-8")
    assert content.startswith("\ufeffarticle_id,")
    (row,) = csv.DictReader(io.StringIO(content[1:], newline=""))
    assert (row["actor"], row["actor_start"], row["actor_score"]) == ("علي سامر; مها", "5; 15", "")


def test_parquet_has_types_also_without_events(tmp_path: Path) -> None:
    write_events([Article(text="نص")], tmp_path / "events.parquet", roles=["Actor", "Date"])
    schema = pq.read_schema(tmp_path / "events.parquet")
    types = {name: str(schema.field(name).type) for name in ("type", "score", "trigger_start", "actor", "date_start")}
    assert types == {
        "type": "string",
        "score": "float",
        "trigger_start": "int32",
        "actor": "list<element: string>",
        "date_start": "list<element: int32>",
    }
    assert pq.read_table(tmp_path / "events.parquet").num_rows == 0


def test_roles_that_are_named_like_columns_have_their_own() -> None:
    names = columns(["Source", "Actor", "actor", "Actor-Start", "Time.Within", "Sentence"])
    assert len({*names}) == len(names)
    assert {"source", "source_", "actor", "actor_", "time_within_value", "sentence_"} <= {*names}


def test_what_a_table_cannot_hold_is_logged(tmp_path: Path) -> None:
    article = article_of("{v1:ASSAULT قصف} [e1:GPE حلب] [e2:DATE أمس]\n@v1 Location=e1 Date=e2", date="?")
    log = write_events([article], tmp_path / "events.csv", roles=["Date"])
    assert sorted(log.drop_counts) == [
        "arguments of roles that the scheme lacks",
        "dates that depend on an unknown date of the article",
    ]
    assert "'?' is not recognized" in str(log.dropped[0]) and "'حلب' is Location" in str(log.dropped[1])
    log = write_events([article], tmp_path / "events.jsonl", roles=["Date"])
    assert list(log.drop_counts) == ["dates that depend on an unknown date of the article"]
    assert json.loads((tmp_path / "events.jsonl").read_text(encoding="utf-8"))["fillers"]["Location"]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_lone_surrogates_are_written_as_escapes(format: str, tmp_path: Path) -> None:
    event = Event(trigger=Span(start=0, end=4), types=("X",))
    write_events([Article(text="قصف\ud800", events=(event,))], tmp_path / f"e.{format}")
    content = (tmp_path / f"e.{format}").read_bytes()
    assert b"\\ud800" in content


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Article]:
        yield article_of(STRIKE)
        raise RuntimeError("stop")

    for format in ("csv", "jsonl", "parquet"):
        (tmp_path / f"e.{format}").write_text("precious", encoding="utf-8")
        with pytest.raises(RuntimeError, match="stop"):
            write_events(broken(), tmp_path / f"e.{format}")
        assert (tmp_path / f"e.{format}").read_text(encoding="utf-8") == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.csv", "e.jsonl", "e.parquet"]


def test_other_suffixes_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"events.xlsx: .* \.csv, \.jsonl, \.parquet"):
        write_events([], tmp_path / "events.xlsx")
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "ROW_GROUP", 1000)
    events = tuple(Event(trigger=Span(start=0, end=3), types=("X",)) for _ in range(100))
    article = Article(text="قصف " + "نص " * 200, events=events)

    def peak(number: int) -> int:
        tracemalloc.start()
        write_events((article for _ in range(number)), tmp_path / "e.parquet")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1)  # imports pyarrow
    small, large = peak(10), peak(40)
    assert large < 1.3 * small
    assert pq.ParquetFile(tmp_path / "e.parquet").num_row_groups == 4


def test_streams_are_written_one_by_one() -> None:
    asked: list[int] = []

    def stream() -> Iterator[Article]:
        for number in range(9):
            asked.append(number)
            yield article_of(STRIKE)

    list(islice(json_lines(stream(), ProblemLog()), 3))
    assert asked == [0]
