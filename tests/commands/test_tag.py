"""`rasid tag`."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from rasid.cli import app
from rasid.data.articles import Article
from rasid.data.formats import write_articles
from rasid.data.labels import load_scheme
from rasid.data.reading import load_articles

TEXT = "قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد يوم الثلاثاء.\n"


@pytest.fixture
def file(tmp_path) -> Path:
    (tmp_path / "خبر.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "خبر.txt"


def test_jsonl_output_has_exact_offsets(rasid, bundle, file, tmp_path):
    rasid("tag", bundle, file, "-o", tmp_path / "new" / "out.jsonl")
    (article,) = load_articles(tmp_path / "new" / "out.jsonl")
    assert article.text == file.read_text(encoding="utf-8")
    assert {entity.text for entity in article.entities} >= {"سوريا", "بغداد", "الثلاثاء"}
    for mention in (*article.entities, *(event.trigger for event in article.events)):
        assert article.text[mention.start : mention.end] == mention.text
    assert rasid("tag", bundle, file).stdout == (tmp_path / "new" / "out.jsonl").read_text(encoding="utf-8")
    assert not list(tmp_path.rglob("*.part"))


def test_formats(rasid, bundle, file, tmp_path, error_of):
    for format, needed in (("inline", "سوريا"), ("conll", "سوريا\tB-GPE"), ("csv", ",قصف,"), ("text", "# خبر")):
        assert needed in rasid("tag", bundle, file, "--to", format).stdout
    (task,) = json.loads(rasid("tag", bundle, file, "-t", "label-studio").stdout)
    assert task["predictions"][0]["result"] and "annotations" not in task
    assert json.loads(rasid("tag", bundle, file, "-t", "doccano").stdout)["entities"]
    assert json.loads(rasid("tag", bundle, file, "-t", "prodigy").stdout)["spans"]
    assert "name a new one with -o" in error_of(rasid("tag", bundle, file, "-t", "brat", code=1))
    rasid("tag", bundle, file, "-t", "brat", "-o", tmp_path / "brat")
    assert "سوريا" in (tmp_path / "brat" / "خبر.ann").read_text(encoding="utf-8")
    labels = (tmp_path / "brat" / "annotation.conf").read_text(encoding="utf-8")
    assert "<OVERLAP>" in labels and {*load_scheme("news").entities} < {*labels.splitlines()}
    again = rasid("tag", bundle, file, "-t", "brat", "-o", tmp_path / "brat", code=1)
    assert "new or an empty folder" in error_of(again)
    assert not list(tmp_path.rglob("*.part"))


def test_events_are_written_by_the_suffix(rasid, bundle, file, tmp_path, error_of):
    for suffix in ("csv", "jsonl", "parquet"):
        rasid("tag", bundle, file, "--to", "events", "-o", tmp_path / f"events.{suffix}")
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert lines == rasid("tag", bundle, file, "-t", "events").stdout
    first = json.loads(lines.splitlines()[0])
    assert (first["article_id"], first["title"], first["type"]) == ("خبر", "قصف في سوريا", "ASSAULT")
    assert list(first["fillers"]) == list(load_scheme("news").roles)
    table = pq.read_table(tmp_path / "events.parquet")
    assert table.num_rows == len(lines.splitlines()) > 1
    rows = (tmp_path / "events.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].split(",") == table.column_names and len(rows) == table.num_rows + 1
    rasid("tag", bundle, file, "--to", "csv", "-o", tmp_path / "other.txt")
    assert (tmp_path / "other.txt").read_bytes() == (tmp_path / "events.csv").read_bytes()
    message = error_of(rasid("tag", bundle, file, "-t", "events", "-o", tmp_path / "events.xlsx", code=1))
    assert "events.xlsx" in message and ".csv, .jsonl, .parquet" in message
    assert not (tmp_path / "events.xlsx").exists() and not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("more", [(), ("-t", "label-studio"), ("-t", "events"), ("--uncertain", "2")])
def test_output_is_kept_if_no_input_can_be_read(rasid, bundle, tmp_path, more):
    output = tmp_path / "out.jsonl"
    output.write_text("precious", encoding="utf-8")
    result = rasid("tag", bundle, tmp_path / "gone.txt", "-o", output, *more, code=1)
    assert "gone.txt" in result.stderr and "nothing to tag" in result.stderr
    assert output.read_text(encoding="utf-8") == "precious"
    rasid("tag", bundle, tmp_path / "gone.txt", "-t", "brat", "-o", tmp_path / "brat", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_most_uncertain_first(rasid, bundle, articles, tmp_path):
    source = tmp_path / "in.jsonl"
    write_articles([Article(id=article.id, text=article.text) for article in articles[:12]], source)
    lines = rasid("tag", bundle, source, "--uncertain", "5").stdout.splitlines()
    values = [json.loads(line)["meta"]["uncertainty"] for line in lines]
    assert len(values) == 5 and values == sorted(values, reverse=True) and values[0] > values[-1]
    every = rasid("tag", bundle, source, "--uncertain", "100").stdout.splitlines()
    assert len(every) == 12 and every[:5] == lines
    (task,) = json.loads(rasid("tag", bundle, source, "--uncertain", "1", "-t", "label-studio").stdout)
    assert task["data"]["meta"]["uncertainty"] == values[0]
    assert "Usage" in rasid("tag", bundle, source, "--uncertain", "0", code=2).stderr


def test_stdin_folders_and_jsonl_are_read(rasid, bundle, file, tmp_path):
    assert json.loads(rasid("tag", bundle, stdin=TEXT.encode()).stdout)["text"] == TEXT
    assert json.loads(rasid("tag", bundle, "-", stdin=TEXT.encode()).stdout)["id"] == "stdin"
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "x", "text": "قصف"}), encoding="utf-8")
    lines = rasid("tag", bundle, tmp_path).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["x", "خبر"]


def test_broken_inputs_are_reported_and_the_others_tagged(rasid, bundle, file, tmp_path):
    (tmp_path / "windows.txt").write_bytes(TEXT.encode("cp1256"))
    (tmp_path / "lines.jsonl").write_text('{"text": "قصف"}\n{"text"\n', encoding="utf-8")
    names = [tmp_path / name for name in ("windows.txt", "missing.txt", "lines.jsonl")]
    result = rasid("tag", bundle, *names, file, code=1)
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["lines-1", "خبر"]
    for name in ("windows.txt", "missing.txt", "lines.jsonl:2"):
        assert str(tmp_path / name) in result.stderr
    assert "3 inputs could not be read, 2 articles were tagged" in result.stderr


def test_exit_code_is_1_if_an_article_is_dropped(rasid, bundle, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"id": "bad", "text": "\\ud800"}\n{"text": "قصف"}\n', encoding="utf-8")
    assert "dropped: bad" in rasid("tag", bundle, tmp_path / "in.jsonl", "-t", "inline", code=1).stderr
    for format in ("csv", "events", "text", "jsonl"):
        rasid("tag", bundle, tmp_path / "in.jsonl", "-t", format)
        rasid("tag", bundle, tmp_path / "in.jsonl", "-t", format, "-o", tmp_path / "out.parquet")


def test_output_may_be_the_input(rasid, bundle, tmp_path):
    place = tmp_path / "articles.jsonl"
    place.write_text(json.dumps({"id": "x", "text": TEXT}) + "\n", encoding="utf-8")
    rasid("tag", bundle, place, "-o", place)
    (article,) = load_articles(place)
    assert (article.id, article.text) == ("x", TEXT)
    assert article.entities


def test_unwritable_output_is_an_error(rasid, bundle, file, tmp_path, error_of):
    (tmp_path / "taken").write_text("x")
    assert "taken" in error_of(rasid("tag", bundle, file, "-o", tmp_path / "taken" / "out.jsonl", code=1))
    assert str(tmp_path) in error_of(rasid("tag", bundle, file, "-o", tmp_path, code=1))


def test_wrong_bundle_is_an_error(rasid, file, tmp_path, error_of):
    assert "not a bundle" in error_of(rasid("tag", tmp_path / "none", file, code=1))
    assert "not a bundle" in error_of(rasid("evaluate", tmp_path, file, code=1))
    assert "no finished run" in error_of(rasid("export", tmp_path, code=1))


def test_wrong_options_are_errors(rasid, bundle, file, error_of):
    assert "jsonl, inline, conll, text, events, csv" in error_of(rasid("tag", bundle, file, "-t", "xml", code=1))
    assert "did you mean 'prodigy'" in error_of(rasid("tag", bundle, file, "-t", "prodgy", code=1))
    assert "'torch' and 'onnx'" in error_of(rasid("tag", bundle, file, "--backend", "jax", code=1))


def test_output_is_utf8_in_any_locale(bundle, file):
    result = CliRunner(charset="latin-1").invoke(app, ["tag", str(bundle), str(file), "-t", "text"])
    assert result.exit_code == 0, result.exception
    assert "سوريا" in result.stdout_bytes.decode("utf-8")


def test_closed_pipe_is_not_an_error(closed_stdout, bundle, tmp_path):
    lines = tmp_path / "many.jsonl"
    lines.write_text((json.dumps({"text": TEXT}) + "\n") * 600, encoding="utf-8")
    done = closed_stdout("tag", bundle, lines)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("target", "suffix", "files"),
    [
        ("doccano", ".jsonl", ["doccano-categories.json", "doccano-relations.json", "doccano-spans.json"]),
        ("prodigy", ".jsonl", ["prodigy-labels.txt"]),
        ("jsonl", ".jsonl", []),
    ],
)
def test_a_tool_gets_its_labels(rasid, bundle, file, tmp_path, target, suffix, files):
    output = tmp_path / "out" / f"next{suffix}"
    output.parent.mkdir()
    said = rasid("tag", bundle, file, "-t", target, "-o", output).stderr
    expected = [*(f"next.{name}" for name in files), output.name]
    assert sorted(path.name for path in output.parent.iterdir()) == sorted(expected)
    assert said.count("wrote") == len(files)
    for name in files:
        content = (output.parent / f"next.{name}").read_text(encoding="utf-8")
        assert ("GPE" in content) == ("relations" not in name and "categories" not in name)


def test_label_studio_gets_its_labeling_configuration_once(rasid, bundle, file, tmp_path):
    config = tmp_path / "out.label-studio.xml"
    assert f"wrote {config}" in rasid("tag", bundle, file, "-t", "label-studio", "-o", tmp_path / "out.json").stderr
    assert 'value="GPE"' in config.read_text(encoding="utf-8")
    config.write_text("edited", encoding="utf-8")
    assert rasid("tag", bundle, file, "-t", "label-studio", "-o", tmp_path / "out.json").stderr.count("wrote") == 0
    assert config.read_text(encoding="utf-8") == "edited"
