import json
import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rasid import __version__
from rasid.cli import app
from rasid.data.articles import Article, Sentence
from rasid.data.formats import write_articles
from rasid.data.reading import load_articles
from rasid.evaluate.report import Report

TEXT = "قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد يوم الثلاثاء.\n"
MAIN = "from rasid.__main__ import main\nmain()\n"


@pytest.fixture
def rasid(monkeypatch):
    """Run a command as a user would, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments, stdin=None, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def file(tmp_path) -> Path:
    (tmp_path / "خبر.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "خبر.txt"


def error_of(result) -> str:
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


# ---- the program -----------------------------------------------------------------------------------------------------


def test_help_answers_at_once_and_imports_nothing_heavy(python):
    program = (
        "import sys\nsys.argv = ['rasid', '--help']\n"
        "try:\n    " + MAIN.replace("\n", "\n    ") + "\nfinally:\n"
        "    heavy = {name.partition('.')[0] for name in sys.modules}\n"
        "    print(sorted(heavy & {'torch', 'transformers', 'numpy', 'datasets', 'sklearn', 'pydantic'}))\n"
    )
    done = python(program)
    assert done.returncode == 0, done.stderr
    for command in ("train", "evaluate", "tag", "export"):
        assert command in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        python(program)
        took.append(time.perf_counter() - begin)
    assert min(took) < 2.0  # half a second on a machine that does nothing else


def test_version_and_mistakes(rasid):
    assert rasid("--version").stdout == f"rasid {__version__}\n"
    for wrong in (["tagg"], ["tag"], ["tag", "x", "--nonsense"]):
        assert "Usage" in rasid(*wrong, code=2).stderr


def test_the_console_script_is_there():
    from importlib.metadata import PackageNotFoundError, entry_points

    import rasid.__main__

    assert callable(rasid.__main__.main)
    try:
        from importlib.metadata import version

        version("rasid")
    except PackageNotFoundError:
        pytest.skip("not installed")
    (script,) = entry_points(group="console_scripts", name="rasid")
    assert script.value == "rasid.__main__:main"


# ---- tag -------------------------------------------------------------------------------------------------------------


def test_tag_gives_jsonl_with_exact_offsets(rasid, bundle, file, tmp_path):
    rasid("tag", bundle, file, "-o", tmp_path / "new" / "out.jsonl")
    (article,) = load_articles(tmp_path / "new" / "out.jsonl")
    assert article.text == file.read_text(encoding="utf-8")
    assert {entity.text for entity in article.entities} >= {"سوريا", "بغداد", "الثلاثاء"}
    for mention in (*article.entities, *(event.trigger for event in article.events)):
        assert article.text[mention.start : mention.end] == mention.text
    assert rasid("tag", bundle, file).stdout == (tmp_path / "new" / "out.jsonl").read_text(encoding="utf-8")
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("format", "needed"),
    [
        ("jsonl", '"label": "GPE"'),
        ("inline", "سوريا"),
        ("conll", "سوريا\tB-GPE"),
        ("csv", ",ASSAULT,قصف,"),
        ("text", "# خبر"),
    ],
)
def test_tag_writes_every_format(rasid, bundle, file, format, needed):
    result = rasid("tag", bundle, file, "--format", format)
    assert needed in result.stdout


def test_tag_writes_pre_annotations(rasid, bundle, file, tmp_path):
    (task,) = json.loads(rasid("tag", bundle, file, "-f", "label-studio").stdout)
    assert task["predictions"][0]["result"] and "annotations" not in task
    assert json.loads(rasid("tag", bundle, file, "-f", "doccano").stdout)["entities"]
    assert json.loads(rasid("tag", bundle, file, "-f", "prodigy").stdout)["spans"]
    assert "name a new one with -o" in error_of(rasid("tag", bundle, file, "-f", "brat", code=1))
    rasid("tag", bundle, file, "-f", "brat", "-o", tmp_path / "brat")
    assert "سوريا" in (tmp_path / "brat" / "خبر.ann").read_text(encoding="utf-8")
    again = rasid("tag", bundle, file, "-f", "brat", "-o", tmp_path / "brat", code=1)
    assert "new or an empty folder" in error_of(again)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("more", [(), ("-f", "label-studio"), ("--uncertain", "2")])
def test_tag_leaves_its_output_alone_where_nothing_could_be_read(rasid, bundle, tmp_path, more):
    output = tmp_path / "out.jsonl"
    output.write_text("precious", encoding="utf-8")
    result = rasid("tag", bundle, tmp_path / "gone.txt", "-o", output, *more, code=1)
    assert "gone.txt" in result.stderr and "nothing to tag" in result.stderr
    assert output.read_text(encoding="utf-8") == "precious"
    rasid("tag", bundle, tmp_path / "gone.txt", "-f", "brat", "-o", tmp_path / "brat", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_tag_gives_the_most_uncertain_first(rasid, bundle, articles, tmp_path):
    source = tmp_path / "in.jsonl"
    write_articles([Article(id=article.id, text=article.text) for article in articles[:12]], source)
    lines = rasid("tag", bundle, source, "--uncertain", "5").stdout.splitlines()
    values = [json.loads(line)["meta"]["uncertainty"] for line in lines]
    assert len(values) == 5 and values == sorted(values, reverse=True) and values[0] > values[-1]
    every = rasid("tag", bundle, source, "--uncertain", "100").stdout.splitlines()
    assert len(every) == 12 and every[:5] == lines
    (task,) = json.loads(rasid("tag", bundle, source, "--uncertain", "1", "-f", "label-studio").stdout)
    assert task["data"]["meta"]["uncertainty"] == values[0]
    assert "Usage" in rasid("tag", bundle, source, "--uncertain", "0", code=2).stderr


def test_tag_reads_stdin_folders_and_jsonl(rasid, bundle, file, tmp_path):
    assert json.loads(rasid("tag", bundle, stdin=TEXT.encode()).stdout)["text"] == TEXT
    assert json.loads(rasid("tag", bundle, "-", stdin=TEXT.encode()).stdout)["id"] == "stdin"
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "x", "text": "قصف"}), encoding="utf-8")
    lines = rasid("tag", bundle, tmp_path).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["x", "خبر"]


def test_broken_inputs_are_named_and_the_rest_is_tagged(rasid, bundle, file, tmp_path):
    (tmp_path / "windows.txt").write_bytes(TEXT.encode("cp1256"))
    (tmp_path / "lines.jsonl").write_text('{"text": "قصف"}\n{"text"\n', encoding="utf-8")
    names = [tmp_path / name for name in ("windows.txt", "missing.txt", "lines.jsonl")]
    result = rasid("tag", bundle, *names, file, code=1)
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["lines-1", "خبر"]
    for name in ("windows.txt", "missing.txt", "lines.jsonl:2"):
        assert str(tmp_path / name) in result.stderr
    assert "3 of the inputs could not be read, 2 articles were tagged" in result.stderr


def test_an_article_that_cannot_be_written_shows_in_the_exit_code(rasid, bundle, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"id": "bad", "text": "\\ud800"}\n{"text": "قصف"}\n', encoding="utf-8")
    assert "left out: bad" in rasid("tag", bundle, tmp_path / "in.jsonl", "-f", "inline", code=1).stderr
    for format in ("csv", "text", "jsonl"):
        rasid("tag", bundle, tmp_path / "in.jsonl", "-f", format)
        rasid("tag", bundle, tmp_path / "in.jsonl", "-f", format, "-o", tmp_path / "out")


def test_the_output_may_be_the_input(rasid, bundle, tmp_path):
    place = tmp_path / "articles.jsonl"
    place.write_text(json.dumps({"id": "x", "text": TEXT}) + "\n", encoding="utf-8")
    rasid("tag", bundle, place, "-o", place)
    (article,) = load_articles(place)
    assert (article.id, article.text) == ("x", TEXT)
    assert article.entities


def test_an_output_that_cannot_be_written_is_one_line(rasid, bundle, file, tmp_path):
    (tmp_path / "taken").write_text("x")
    assert "taken" in error_of(rasid("tag", bundle, file, "-o", tmp_path / "taken" / "out.jsonl", code=1))
    assert str(tmp_path) in error_of(rasid("tag", bundle, file, "-o", tmp_path, code=1))


def test_what_is_no_bundle_is_one_line(rasid, file, tmp_path):
    assert "not a bundle" in error_of(rasid("tag", tmp_path / "none", file, code=1))
    assert "not a bundle" in error_of(rasid("evaluate", tmp_path, file, code=1))
    assert "no finished run" in error_of(rasid("export", tmp_path, code=1))


def test_wrong_options_are_one_line(rasid, bundle, file):
    assert "jsonl, inline, conll, csv, text" in error_of(rasid("tag", bundle, file, "-f", "xml", code=1))
    assert "'torch' and 'onnx'" in error_of(rasid("tag", bundle, file, "--backend", "jax", code=1))


def test_output_is_utf8_in_any_locale(bundle, file):
    result = CliRunner(charset="latin-1").invoke(app, ["tag", str(bundle), str(file), "-f", "text"])
    assert result.exit_code == 0, result.exception
    assert "سوريا" in result.stdout_bytes.decode("utf-8")


def test_a_reader_that_goes_away_is_no_error(python, bundle, tmp_path):
    lines = tmp_path / "many.jsonl"
    lines.write_text((json.dumps({"text": TEXT}) + "\n") * 600, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    options = {"capture_output": False, "stdout": writer, "stderr": subprocess.PIPE}
    done = python(MAIN, "tag", str(bundle), str(lines), **options)
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""


# ---- evaluate --------------------------------------------------------------------------------------------------------


@pytest.fixture
def dev(data_files) -> Path:
    return data_files["dev"]


def report_of(folder: Path) -> Report:
    return Report.from_json((folder / "report.json").read_text(encoding="utf-8"))


def readable(result) -> None:
    lines = [line for line in result.stdout.splitlines() if not line.startswith(("bundle: ", "reports: "))]
    assert max(map(len, lines)) <= 80
    assert "…" not in result.stdout


def test_evaluate_shows_a_table_and_writes_the_report(rasid, bundle, dev, tmp_path):
    result = rasid("evaluate", bundle, dev, "-o", tmp_path / "report")
    report = report_of(tmp_path / "report")
    assert report.articles == 6
    assert {score.task for score in report.scores} >= {"entities", "triggers", "sentence_types", "article_types"}
    value = report.score("entities").value
    assert value is not None
    assert f"{100 * value:.2f}" in result.stdout
    for name in ("entities", "triggers", "sentence_types", "article_types", "strict", "decision", "F1", "AP"):
        assert name in result.stdout
    assert (tmp_path / "report" / "report.md").read_text(encoding="utf-8").startswith("# ")
    readable(CliRunner().invoke(app, ["evaluate", str(bundle), str(dev)]))


def test_evaluate_reads_every_format(rasid, bundle, dev, tmp_path):
    articles = load_articles(dev)
    write_articles(articles, tmp_path / "gold.rasid")
    write_articles(articles, tmp_path / "gold.conll")
    whole = Article(text=articles[0].text, id="x", sentences=(Sentence(start=0, end=11, types=("ASSAULT",)),))
    (tmp_path / "gold.jsonl").write_text(
        json.dumps({"text": whole.text, "labels": ["ASSAULT"], "annotated": ["ASSAULT"]}) + "\n", encoding="utf-8"
    )
    tasks = {}
    for name in ("gold.rasid", "gold.conll", "gold.jsonl"):
        rasid("evaluate", bundle, tmp_path / name, "-o", tmp_path / "report")
        tasks[name] = {score.task for score in report_of(tmp_path / "report").scores}
    assert tasks["gold.rasid"] >= {"entities", "triggers", "article_types"}
    assert tasks["gold.conll"] == {"entities"}
    assert tasks["gold.jsonl"] == {"sentence_types"}
    # Markup holds what JSONL holds of entities.
    rasid("evaluate", bundle, tmp_path / "gold.rasid", "-o", tmp_path / "one", "--task", "entities")
    rasid("evaluate", bundle, dev, "-o", tmp_path / "two", "--task", "entities")
    assert report_of(tmp_path / "one").score("entities") == report_of(tmp_path / "two").score("entities")
    assert {score.task for score in report_of(tmp_path / "one").scores} == {"entities"}


def test_evaluate_maps_labels(rasid, bundle, dev, tmp_path):
    names = {"GPE": "LOCATION", "DATE": "WHEN"}
    renamed = [
        replace(
            article,
            entities=tuple(replace(e, label=names.get(e.label, e.label)) for e in article.entities),
        )
        for article in load_articles(dev)
    ]
    write_articles(renamed, tmp_path / "renamed.jsonl")
    arguments = ["evaluate", bundle, tmp_path / "renamed.jsonl", "--task", "entities"]
    message = rasid(*arguments, code=1).stderr
    assert "LOCATION" in message
    assert message.startswith("error: ")
    rasid(*arguments, "--label", "LOCATION=GPE", "--label", "WHEN=", "-o", tmp_path / "report")
    gold = {s.label: s.gold for s in report_of(tmp_path / "report").scores if s.mode == "strict" and s.label}
    assert gold["GPE"] == sum(e.label == "LOCATION" for a in renamed for e in a.entities) > 0
    assert gold["DATE"] == 0
    assert "FILE=SCHEME" in error_of(rasid(*arguments, "--label", "LOCATION", code=1))


def test_evaluate_says_what_it_cannot_do(rasid, bundle, dev, tmp_path):
    assert "no such file" in error_of(rasid("evaluate", bundle, tmp_path / "none.jsonl", code=1))
    assert "weather" in error_of(rasid("evaluate", bundle, dev, "--task", "weather", code=1))
    assert "arguments" in error_of(rasid("evaluate", bundle, dev, "--task", "arguments", code=1))
    assert "nothing to score" in error_of(rasid("evaluate", bundle, dev, "--task", "proclitics", code=1))
    assert "splits" in error_of(rasid("evaluate", bundle, "corpus:all", code=1))
    assert "--label" in error_of(rasid("evaluate", bundle, "corpus:dev", "--label", "A=B", code=1))
    assert "format" in error_of(rasid("evaluate", bundle, dev, "--format", "xml", code=1))
    (tmp_path / "taken").write_text("x")
    message = rasid("evaluate", bundle, dev, "-o", tmp_path / "taken", code=1).stderr.splitlines()[-1]
    assert message.startswith("error: ")
    assert "taken" in message


def test_every_problem_of_the_data_is_named_with_its_line(rasid, bundle, tmp_path):
    place = tmp_path / "bad.jsonl"
    place.write_text(
        json.dumps({"text": "قصف", "entities": [{"start": 0, "end": 9, "label": "GPE"}]})
        + "\n"
        + json.dumps({"text": "قصف", "entities": [{"start": 0, "end": 3, "label": "GPEE"}]})
        + "\n",
        encoding="utf-8",
    )
    message = rasid("evaluate", bundle, place, code=1).stderr
    assert f"{place}:1" in message
    assert f"{place}:2" in message
    assert "did you mean 'GPE'" in message


# ---- compare ---------------------------------------------------------------------------------------------------------


def test_compare_tests_two_reports_of_the_same_articles(rasid, bundle, dev, data_files, tmp_path):
    rasid("evaluate", bundle, dev, "-o", tmp_path / "one")
    one = report_of(tmp_path / "one")
    result = rasid("compare", tmp_path / "one", tmp_path / "one" / "report.json", "--samples", "200")
    (row,) = [line for line in result.stdout.splitlines() if "entities/strict" in line]
    value = f"{100 * (one.score('entities').value or 0):.2f}"
    assert row.count(value) == 2 and "+0.00" in row and "1.0000" in row
    assert max(map(len, result.stdout.splitlines())) <= 80 and "…" not in result.stdout
    every = rasid("compare", tmp_path / "one", tmp_path / "one", "--samples", "200", "--all").stdout
    assert "macro" in every and "macro" not in result.stdout
    rasid("evaluate", bundle, data_files["test"], "-o", tmp_path / "two")
    assert "data_hash" in error_of(rasid("compare", tmp_path / "one", tmp_path / "two", code=1))
    assert "none" in error_of(rasid("compare", tmp_path / "none", tmp_path / "one", code=1))
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    assert "bad.json" in error_of(rasid("compare", tmp_path / "bad.json", tmp_path / "one", code=1))


# ---- export ----------------------------------------------------------------------------------------------------------


def test_export_makes_the_same_bundle_again(rasid, run_folder, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(run_folder, folder)
    shutil.rmtree(folder / "bundle")
    result = rasid("export", folder)
    readable(result)
    assert f"bundle: {folder / 'bundle'}" in result.stdout.replace("\n", "")
    for made in (run_folder / "bundle").iterdir():
        assert (folder / "bundle" / made.name).read_bytes() == made.read_bytes(), made.name
