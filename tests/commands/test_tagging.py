import csv
import io
import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rasid import Tagger
from rasid.commands.tagging import FORMATS, Inputs, describe, write_tagged
from rasid.data.articles import Article, Entity, Event, Sentence, Span
from rasid.data.event_files import columns
from rasid.data.problems import DataError
from rasid.data.reading import load_articles

TEXT = "قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد يوم الثلاثاء.\n"


@pytest.fixture(scope="module")
def trained(bundle) -> Tagger:
    return Tagger.from_pretrained(bundle)


def read(*names):
    source = Inputs([str(name) for name in names])
    return list(source), source


def read_stdin(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    return read("-")[0]


def written(articles, format):
    stream = io.StringIO(newline="")
    dropped = write_tagged(articles, stream, format)
    return stream.getvalue(), dropped


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_text_file_is_one_article_with_unchanged_text(tmp_path):
    text = "\r\n عنوان\r\n\r\nنص\u200f فيه 😀\x0c وسطر\u2028آخر \r\n"
    (tmp_path / "خبر 1.txt").write_bytes(text.encode())
    ((article,), source) = read(tmp_path / "خبر 1.txt")
    assert (article.text, article.id, source.broken) == (text, "خبر 1", 0)


def test_files_of_other_suffixes_are_text_and_a_byte_order_mark_is_removed(tmp_path):
    contents = dict.fromkeys(("article", "article.md", "article.TXT"), TEXT)
    contents |= {"a.txt": "\ufeff" + TEXT, "b.jsonl": "\ufeff" + json.dumps({"text": TEXT})}
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    articles, source = read(*(tmp_path / name for name in contents))
    assert [article.text for article in articles] == [TEXT] * 5
    assert source.broken == 0


def test_jsonl_keeps_the_keys_of_each_line(tmp_path):
    lines = [
        {"id": 7, "text": TEXT, "title": "قصف", "date": "2024-01-02", "source": "و", "url": "http://x", "n": None},
        {"text": "", "meta": {"a": [1]}, "entities": [{"start": 0}]},
        {"text": "نص", "id": ""},
        {"text": "نص", "score": float("nan")},
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("\n\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    articles, source = read(file)
    assert (source.read, source.broken) == (4, 0)
    first = articles[0]
    assert (first.id, first.title, first.date, first.source) == ("7", "قصف", "2024-01-02", "و")
    assert first.meta == {"url": "http://x", "n": None}
    assert (articles[1].text, articles[1].meta, articles[1].entities) == ("", {"a": [1]}, ())
    assert [article.id for article in articles[1:]] == ["in-3", "in-5", "in-7"]
    json.dumps(articles[3].meta, allow_nan=False)  # can be written again


def test_folder_is_read_recursively_and_in_order(tmp_path):
    for name in ("b/2.txt", "a/1.txt", "a/2.TXT", "b/deep/1.jsonl", ".hidden/3.txt", "a/._1.txt", "a/notes.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"text": name}) if name.endswith("jsonl") else name, encoding="utf-8")
    articles, source = read(tmp_path)
    assert [article.text for article in articles] == ["a/1.txt", "a/2.TXT", "b/2.txt", "b/deep/1.jsonl"]
    assert [article.id for article in articles] == ["a/1", "a/2", "b/2", "b/deep/1-1"]
    assert source.broken == 0


def test_article_ids_are_unique(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(TEXT, encoding="utf-8")
    names = [tmp_path / "one", tmp_path / "two", tmp_path / "one" / "x.txt"]
    assert [article.id for article in read(*names)[0]] == ["x", "x-2", "x-3"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_stdin_is_text_or_jsonl(monkeypatch, ending):
    articles = read_stdin(monkeypatch, (TEXT + ending).encode())
    assert [(article.id, article.text) for article in articles] == [("stdin", TEXT + ending)]
    lines = "".join(json.dumps({"text": text}) + ending for text in (TEXT, "نص")[: 2 if ending else 1])
    articles = read_stdin(monkeypatch, lines.encode())
    assert [article.text for article in articles] == [TEXT, "نص"][: 2 if ending else 1]


def test_json_without_a_text_on_stdin_is_text(monkeypatch):
    text = '\n{"a": 1}\n{"text": "x"}\n'
    articles = read_stdin(monkeypatch, text.encode())
    assert [article.text.strip() for article in articles] == [text.strip()]


def test_unreadable_inputs_are_logged_and_the_others_are_read(tmp_path, caplog):
    good = tmp_path / "good.txt"
    good.write_text(TEXT, encoding="utf-8")
    contents = {"windows.txt": TEXT.encode("cp1256"), "utf16.txt": TEXT.encode("utf-16"), "empty.txt": b""}
    contents |= {"blank.txt": b" \n\t\n", "empty.jsonl": b"\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    mixed = tmp_path / "mixed.jsonl"
    bad = [b'{"text": ', b'{"txt": "a"}', b"[]", b'"text"', b"7", b'{"text": 3}', b'{"text": "\xff"}', b"[" * 100_000]
    mixed.write_bytes(b"\n".join([b'{"text": "a"}', *bad, b'{"text": "b"}']))
    names = [*contents, "folder", "none.txt", "mixed.jsonl"]
    articles, source = read(*(tmp_path / name for name in names), good)
    warnings = caplog.messages
    assert [article.text for article in articles] == ["a", "b", TEXT]
    assert [article.id for article in articles] == ["mixed-1", "mixed-10", "good"]
    assert source.broken == 7 + len(bad)
    for name, warning in zip(names[:7], warnings, strict=False):
        assert str(tmp_path / name) in warning
    assert [warning.split(": ")[1] for warning in warnings[7:]] == [
        *(f"{mixed}:{line}" for line in (2, 3, 4)),
        str(mixed),
    ]
    assert "5 more lines" in warnings[-1]
    assert all("\n" not in warning and len(warning) < 400 for warning in warnings)
    assert "iconv" in warnings[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_logged(tmp_path, caplog):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "a.txt").chmod(0)
    articles, source = read(tmp_path / "a.txt")
    assert (articles, source.broken) == ([], 1)
    assert "a.txt" in caplog.text


def test_inputs_are_streamed(tmp_path):
    file = tmp_path / "many.jsonl"
    file.write_text("".join(json.dumps({"text": str(number)}) + "\n" for number in range(1000)), encoding="utf-8")
    source = Inputs([str(file)])
    stream = iter(source)
    assert [next(stream).text for _ in range(3)] == ["0", "1", "2"]
    assert source.read == 3


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_jsonl_round_trip_of_predictions(trained, articles, tmp_path, caplog):
    predicted = trained([article.text for article in articles[:10]] + [TEXT, "", "نص \u2028 \ud800"])
    predicted = [Article(**{name: getattr(a, name) for name in FIELDS}, id=str(n)) for n, a in enumerate(predicted)]
    text, dropped = written(predicted, "jsonl")
    assert (caplog.messages, dropped) == ([], 0)
    (tmp_path / "out.jsonl").write_text(text, encoding="utf-8")
    assert load_articles(tmp_path / "out.jsonl") == predicted
    assert sum(len(article.entities) for article in predicted) > 20


FIELDS = ("text", "entities", "events", "event_types", "type_scores", "sentences", "evidence", "meta")


def test_inline_and_conll_keep_the_mentions(trained, tmp_path, caplog, annotations):
    article = Article(id="a", text="قصف في سوريا. قصف في بغداد.")
    (predicted,) = trained([article])
    assert predicted.entities and predicted.events
    (tmp_path / "out.rasid").write_text(written([predicted], "inline")[0], encoding="utf-8")
    (back,) = load_articles(tmp_path / "out.rasid")
    assert back.text == article.text and annotations(back)[:2] == annotations(predicted)[:2]
    assert "inline: scores " in caplog.text
    (tmp_path / "out.conll").write_text(written([predicted], "conll")[0], encoding="utf-8")
    sentences = load_articles(tmp_path / "out.conll")
    assert [(e.text, e.label) for sentence in sentences for e in sentence.entities] == [
        (e.text, e.label) for e in predicted.entities
    ]


@pytest.fixture
def tagged() -> Article:
    text = 'عنوان\nقصف، "شديد"\nفي سوريا.'
    start = text.index("سوريا")
    return Article(
        id="a,1",
        text=text,
        date="2024-01-02",
        entities=(Entity(id="e1", start=start, end=start + 5, label="GPE", score=0.98),),
        events=(
            Event(id="v1", trigger=Span(start=6, end=9), types=("ASSAULT", "PROTEST"), scores=(0.75, 0.5)),
            Event(id="v2", trigger=Span(start=0, end=5), types=("AID",)),
        ),
        sentences=(Sentence(start=6, end=len(text)),),
        event_types=("ASSAULT",),
        type_scores=(0.9,),
        evidence={"ASSAULT": (Span(start=6, end=len(text), text=text[6:]),)},
    )


def test_csv_has_a_row_for_each_type_of_each_trigger(tagged, caplog):
    text, _ = written([tagged, Article(text="نص")], "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == columns(())
    assert [(row["event_id"], row["type"], row["score"]) for row in rows] == [
        ("v1", "ASSAULT", "0.750"),
        ("v1", "PROTEST", "0.500"),
        ("v2", "AID", ""),
    ]
    first = rows[0]
    assert (first["article_id"], first["published"], first["trigger"]) == ("a,1", "2024-01-02", "قصف")
    assert tagged.text[int(first["trigger_start"]) : int(first["trigger_end"])] == "قصف"
    assert first["sentence"] == 'قصف، "شديد" في سوريا.'
    assert rows[2]["sentence"] == "عنوان"
    assert not caplog.messages
    assert written([], "csv")[0] == ",".join(columns(())) + "\n"


def test_events_are_records_and_have_the_roles_of_the_scheme(tagged, tmp_path, caplog):
    stream = io.StringIO(newline="")
    assert write_tagged([tagged], stream, "events", roles=["Location"]) == 0
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(record["type"], record["fillers"]) for record in records] == [
        (label, {"Location": []}) for label in ("ASSAULT", "PROTEST", "AID")
    ]
    assert write_tagged([tagged], tmp_path / "events.jsonl", "events", roles=["Location"]) == 0
    assert (tmp_path / "events.jsonl").read_text(encoding="utf-8") == stream.getvalue()
    assert write_tagged([tagged], tmp_path / "events", "csv", roles=["Location"]) == 0
    assert (tmp_path / "events").read_bytes().startswith("\ufeffarticle_id,".encode())
    assert not caplog.messages


def test_what_records_lose_is_logged(tagged, caplog):
    assert write_tagged([tagged, replace(tagged, date="?")], io.StringIO(), "events") == 0
    assert caplog.messages == ["events: dates that depend on an unknown date of the article: 1"]


def test_text_format(tagged):
    lines = describe(tagged).splitlines()
    assert lines[0] == "# a,1"
    assert "ASSAULT  90%" in lines
    assert '    قصف، "شديد" في سوريا.' in lines
    assert "event ASSAULT+PROTEST  75% 6-9 قصف" in lines
    assert any(line.startswith("GPE") and "98%" in line and "سوريا" in line for line in lines)
    # A mention across a line break is on one line.
    article = Article(text="هيئة\nالإغاثة", entities=(Entity(start=0, end=12, label="ORG"),))
    assert describe(article).splitlines()[-1].endswith("هيئة الإغاثة")


@pytest.mark.parametrize("format", ["jsonl", "inline", "conll"])
def test_article_that_a_format_cannot_hold_is_logged(format, caplog):
    bad = {"jsonl": "\ud83d\ude00", "inline": "\ud800", "conll": "\ud800"}[format]
    good = Article(id="good", text="قصف")
    text, dropped = written([Article(id="bad", text=bad), good], format)
    assert dropped == 1
    assert "قصف" in text
    assert "dropped: bad: " in caplog.text


@pytest.mark.parametrize("format", FORMATS)
def test_articles_are_written_one_by_one(format):
    stream = io.StringIO()
    seen = []

    def articles():
        for number in range(3):
            yield Article(
                id=str(number), text=f"قصف{number}", events=(Event(trigger=Span(start=0, end=4), types=("X",)),)
            )
            seen.append(stream.getvalue())

    assert write_tagged(articles(), stream, format) == 0
    assert all(len(a) < len(b) for a, b in zip(seen, seen[1:], strict=False))


# ---- pre-annotations -------------------------------------------------------------------------------------------------


NOTHING = Article(id="none", text="نص بلا أسماء")


def test_label_studio_gets_predictions_without_annotations(tagged):
    text, dropped = written([tagged, NOTHING], "label-studio")
    tasks = json.loads(text)
    assert dropped == 0
    for task, article in zip(tasks, (tagged, NOTHING), strict=True):
        assert task["data"]["text"] == article.text
        assert not task.get("annotations") and len(task["predictions"]) == 1  # an annotation would count as done
    (prediction,) = tasks[0]["predictions"]
    regions = [item for item in prediction["result"] if item["type"] == "labels"]
    assert {tagged.text[item["value"]["start"] : item["value"]["end"]] for item in regions} == {"سوريا", "قصف", "عنوان"}
    assert 0.98 in [item.get("score") for item in regions]
    assert 0 < prediction["score"] < 1
    assert json.loads(written([], "label-studio")[0]) == []


def test_prodigy_gets_tasks_without_an_answer(tagged):
    odd = Article(id="odd", text='سطر\u2028آخر, "answer": "accept"}')
    lines = written([tagged, NOTHING, odd], "prodigy")[0].splitlines()
    tasks = [json.loads(line) for line in lines]
    assert [task["text"] for task in tasks] == [tagged.text, NOTHING.text, odd.text]
    assert not any("answer" in task for task in tasks)
    assert [span["score"] for span in tasks[0]["spans"] if "score" in span] == [0.98]


def test_doccano_gets_utf16_offsets_and_logs_the_lost_scores(caplog):
    text = "\U0001f600 سوريا"
    article = Article(id="a", text=text, entities=(Entity(start=2, end=7, label="GPE", score=0.5),))
    line, _ = written([article], "doccano")
    (entity,) = json.loads(line)["entities"]
    assert (entity["start_offset"], entity["end_offset"], entity["label"]) == (3, 8, "GPE")
    assert "score" in caplog.text


def test_brat_gets_a_folder(tagged, tmp_path, caplog, annotations):
    bad = Article(id="bad", text="\ud800")
    assert write_tagged([tagged, bad, NOTHING], tmp_path / "brat", "brat") == 1
    assert "dropped: bad: " in caplog.text
    found = {article.id: article for article in load_articles(tmp_path / "brat", "brat")}
    assert set(found) == {"a,1", "none"}
    assert found["a,1"].text == tagged.text and annotations(found["a,1"])[0] == annotations(tagged)[0]
    with pytest.raises(DataError, match="new or an empty folder"):
        write_tagged([tagged], tmp_path / "brat", "brat")


@pytest.mark.parametrize("format", ["label-studio", "doccano", "prodigy"])
def test_pre_annotations_round_trip(trained, articles, format, tmp_path, annotations):
    predicted = trained([Article(id=str(n), text=article.text) for n, article in enumerate(articles[:6])])
    text, dropped = written(predicted, format)
    assert dropped == 0
    (tmp_path / "out").write_text(text, encoding="utf-8")
    options = {} if format == "prodigy" else {"predictions": True}
    back = load_articles(tmp_path / "out", format, options=options)
    assert [(a.id, a.text, annotations(a)) for a in back] == [(a.id, a.text, annotations(a)) for a in predicted]


def test_the_lines_of_a_file_that_is_not_jsonl_are_not_listed_one_by_one(tmp_path, caplog):
    (tmp_path / "pretty.jsonl").write_text(json.dumps([{"text": "قصف", "n": list(range(900))}] * 2, indent=1))
    source = Inputs([str(tmp_path / "pretty.jsonl")])
    assert not list(source)
    assert source.broken > 1800
    assert len(caplog.messages) == 4 and "more lines" in caplog.messages[-1]
