"""Files of other programs: detection says what they are and what to do instead."""

import io
import json
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from rasid.data.formats import detect
from rasid.data.problems import DataError

PAIR = ["قال في عمان", {"entities": [[7, 11, "GPE"]]}]
TSV = "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|label\n\n\n#Text=قال\n1-1\t0-3\tقال\t_\n"


def office(member: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("[Content_Types].xml", "<x/>")
        file.writestr(member, "<x/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", json.dumps({"classes": ["GPE"], "annotations": [None, PAIR]}), "spaCy 2"),
        ("a.json", json.dumps({"annotations": [PAIR], "classes": ["GPE"]}), "spaCy 2"),
        ("a.json", json.dumps([PAIR, PAIR], indent=2), "spaCy 2"),
        ("a.jsonl", json.dumps(PAIR) + "\n", "spaCy 2"),
        ("a.json", json.dumps([{"id": 0, "paragraphs": [{"raw": "x", "sentences": []}]}]), "spacy convert"),
        ("a.json", json.dumps({"text": 'قال "نعم"', "ents": [], "tokens": []}), "Doc.to_json"),
        ("a.jsonl", json.dumps({"text": "قال", "ents": []}), "Doc.to_json"),
        ("a.json", json.dumps({"rasa_nlu_data": {"common_examples": []}}), "Rasa"),
        ("a.jsonl", json.dumps({"id": "1", "tokens": ["قال"], "ner_tags": [0]}), "CoNLL"),
        ("a.json", json.dumps([{"tokens": ["قال", "]"], "tags": ["O", "O"]}]), "CoNLL"),
        ("a.tsv", TSV, "WebAnno TSV, which is not read; export it as UIMA CAS XMI"),
        ("a.conll", "\ufeff" + TSV, "WebAnno TSV"),
        ("a.txt", "# webanno.custom.Span | label\n#id=1\n#text=قال\n", "WebAnno TSV"),
        ("a.tsv", "#id=1\n#text=قال\n1\tقال\tO\n", "WebAnno TSV"),
        ("a.csv", "النص,النوع\nقال,AID\n", "a CSV table (its first line is 'النص,النوع')"),
        ("a.tsv", "قال\tAID\n", "a TSV table"),
        ("a.csv", "", "a CSV table, which"),
        ("a.xlsx", office("xl/workbook.xml"), "an Excel table"),
        ("a.docx", office("word/document.xml"), "a Word document"),
        ("a.odt", office("content.xml"), "OpenDocument"),
        ("a.json", office("x"), "a zip archive"),
        ("a.xlsx", b"PK\x03\x04broken", "cannot be opened"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Word or Excel"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        ("a.rtf", rb"{\rtf1\ansi", "Rich Text"),
        ("a.html", "<!doctype html><p>قال", "a web page"),
        ("a.parquet", b"PAR1\x15\x04", "Parquet"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00", "compressed"),
        ("prodigy.db", b"SQLite format 3\x00", "db-out"),
    ],
)
def test_foreign_files_are_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as error:
        detect(file)
    assert said in str(error.value) and "which is not read; " in str(error.value)
    assert str(file) in str(error.value) and len(str(error.value)) < 400 + len(str(file))


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.jsonl", {"text": "قال", "tokens": [[0, 3]]}, "jsonl"),
        ("a.jsonl", {"tokens": [[0, 3]], "text": "قال"}, "jsonl"),
        ("a.jsonl", {"text": "قال", "entities": []}, "jsonl"),
        ("a.json", [{"id": 1, "annotations": [], "data": {"text": "قال"}}], "label-studio"),
    ],
)
def test_files_of_known_formats_are_not_foreign(tmp_path: Path, name: str, content: object, format: str) -> None:
    (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert detect(tmp_path / name) == format


@pytest.mark.parametrize(
    "start", [b'{"tokens": [' + b"]," * 40_000, b'{"classes":' + b'"annotations":[' * 9_000, b'["' + b"\\\\" * 40_000]
)
def test_detection_of_hostile_files_is_fast(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a.json").write_bytes(start)
    before = time.process_time()
    with suppress(DataError):
        detect(tmp_path / "a.json")
    assert time.process_time() - before < 0.5
