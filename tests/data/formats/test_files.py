"""Detection of formats, and reading files and folders."""

from pathlib import Path

import pytest

from rasid.data.articles import Article
from rasid.data.formats import detect, read_files, write_articles
from rasid.data.formats.common import lines
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles


def write_file(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.rasid", "", "inline"),
        ("a.txt", "---\nid: a\n---\n", "inline"),
        ("a.jsonl", '{"text": "a", "labels": []}\n', "classification"),
        ("a.jsonl", '{"text": "a", "annotated": "A", "event_types": []}\n', "classification"),
        ("a.jsonl", '{"text": "a", "annotated": {"entities": []}}\n', "jsonl"),
        ("a.jsonl", "\ufeff" + '{"text": "a", "labels": []}\n', "classification"),
        ("a.jsonl", "{broken", "jsonl"),
        ("a.jsonl", '{"text": "a", "label": []}', "doccano"),
        ("a.jsonl", '{"text": "a", "labels": []}\n{"text": "a", "labels": [[0, 1, "A"]]}', "doccano"),
        ("a.jsonl", '{"text": "a", "entities": [], "relations": []}', "doccano"),
        ("a.jsonl", '{"text": "a", "entities": [[0, 1, "A"]]}', "doccano"),
        ("a.jsonl", '{"text": "a", "entities": [{"start_offset": 0, "end_offset": 1, "label": "A"}]}', "doccano"),
        ("a.jsonl", '{"text": "a", "entities": [{"start": 0, "end": 1, "label": "A"}]}', "jsonl"),
        ("a.jsonl", '{"text": "a", "labels": ["A"]}', "classification"),
        ("a.jsonl", '[]\n{"text": "a", "cats": []}', "doccano"),
        ("a.jsonl", '{"text": "a", "spans": []}', "prodigy"),
        ("a.jsonl", '{"text": "a", "label": "A", "answer": "reject"}', "prodigy"),
        ("a.jsonl", '{"text": "a", "_input_hash": 1, "relations": []}', "prodigy"),
        ("a.jsonl", '{"text": "a", "answer": "42", "label": "A"}', "doccano"),
        ("a.jsonl", '{"text": "a", "answer": ["accept"], "labels": []}', "classification"),
        ("a.jsonl", '{"text": "a", "meta": {"answer": "accept"}}', "jsonl"),
        ("a.conll", "anything", "conll"),
        ("a.IOB2", "", "conll"),
        ("a.txt", "سوريا B-GPE\nقالت O\n\nنعم O\n", "conll"),
        ("a.txt", "سوريا\tB-GPE\r\nقالت\tO\r\n", "conll"),
    ],
)
def test_detect(tmp_path: Path, name: str, content: str, format: str) -> None:
    assert detect(write_file(tmp_path / name, content)) == format


def test_a_line_of_any_length_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 40)
    with pytest.raises(DataError, match="one article a line"):
        load_articles(write_file(tmp_path / "a.jsonl", f'{{"text": "a"}}\n{{"text": "{"a" * 40}"}}'))


@pytest.mark.parametrize(("name", "content"), [("a.txt", "نص عادي"), ("a.txt", ""), ("a.xyz", "x,y"), ("a.json", "{}")])
def test_what_is_no_format_is_said(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="name one of jsonl, inline, conll, classification"):
        detect(write_file(tmp_path / name, content))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sub" / "a.jsonl", '{"text": "a"}\n')
    (tmp_path / "empty").mkdir()
    for call, said in [
        (lambda: detect(tmp_path / "b"), "no such file"),
        (lambda: detect(tmp_path), "is a folder"),
        (lambda: load_articles(tmp_path / "b"), "no such file"),
        (lambda: load_articles(tmp_path / "empty"), "without a file of suffix"),
        (lambda: load_articles(write_file(tmp_path / "e.jsonl", "")), "holds no articles"),
        (lambda: load_articles(path, "jsonlines"), "did you mean 'jsonl'"),
        (lambda: write_articles([], tmp_path / "a.xyz"), "name one of"),
    ]:
        with pytest.raises(DataError, match=said):
            call()


def test_a_folder_is_read_in_order_file_by_file(tmp_path: Path) -> None:
    write_file(tmp_path / "b.jsonl", '{"text": "2", "id": "2"}\n')
    write_file(tmp_path / "a.rasid", "---\nid: 1\n---\n1\n")
    write_file(tmp_path / "c" / "d.conll", "3 O\n")
    for ignored in ("stats.json", "notes.txt", ".hidden.jsonl", "c/.hidden/x.jsonl"):
        write_file(tmp_path / ignored, "{")
    log = ProblemLog()
    assert [article.text for _, article in read_files(tmp_path, log=log)] == ["1", "2", "3"]
    assert log.articles == 3 and not log.dropped
    assert [article.text for article in load_articles(tmp_path, "jsonl")] == ["2"]


def test_load_reports_every_problem_of_every_file(tmp_path: Path) -> None:
    first = write_file(
        tmp_path / "a.jsonl",
        '{"text": "قال", "id": "x"}\n{\n{"text": "قال ", "entities": [{"start": 0, "end": 4, "label": "A"}]}\n',
    )
    second = write_file(tmp_path / "b.rasid", "---\nid: x\n---\nنص\n---\nid: y\n---\n[\n")
    log = ProblemLog()
    with pytest.raises(DataError) as caught:
        load_articles(tmp_path, log=log)
    assert [(p.source, p.line, p.cause) for p in caught.value.problems] == [
        (str(first), 2, "not JSON"),
        (str(first), 3, "white space at an edge"),
        (str(second), 1, "duplicate id"),
        (str(second), 8, "label missing"),
    ]
    assert f"used at {first}:1 already" in str(caught.value)


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.jsonl", '{"text": "أول"}\n'.encode() + '{"text": "قال"}\n'.encode("windows-1256"))
    with pytest.raises(DataError) as caught:
        load_articles(path)
    assert [(p.line, p.cause) for p in caught.value.problems] == [(2, "not UTF-8")]
    assert "0xDE at column 11" in str(caught.value) and "windows-1256" in str(caught.value)


def test_carriage_returns_of_a_text_survive_the_file(tmp_path: Path) -> None:
    article = Article(text="سطر\r\nسطر\rسطر\u2028سطر", id="a")
    for name in ("a.jsonl", "a.rasid"):
        write_articles([article], tmp_path / name)
        assert load_articles(tmp_path / name) == [article]


def test_files_of_a_folder_that_are_not_read_are_named(tmp_path: Path) -> None:
    write_file(tmp_path / "a.jsonl", '{"text": "غزة"}\n')
    for name in ("a.txt", ".hidden.json", "export.json"):  # the first is beside its annotation
        write_file(tmp_path / name, "[]")
    log = ProblemLog()
    assert len(list(read_files(tmp_path, log=log))) == 1
    assert log.notes == [
        f"not read in {tmp_path}: 'export.json'; files of such suffixes are read if they or their format are named"
    ]
