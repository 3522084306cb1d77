"""`rasid check`: what it reads, what it checks it against, what it writes."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import Result

from rasid.audit.reading import is_config
from rasid.data.articles import Article, Entity
from rasid.data.formats import write_articles


@pytest.fixture
def check(rasid: Callable) -> Callable[..., Result]:
    """Run `rasid check`: ``check("data.jsonl", code=0)``."""
    return partial(rasid, "check")


@pytest.fixture
def audited(check: Callable[..., Result], tmp_path: Path) -> Callable[..., dict]:
    """Run `rasid check` and return its JSON report, with the findings by key."""

    def run(*arguments: object, code: int = 0) -> dict:
        file = tmp_path / "report" / "audit.json"
        check(*arguments, "--json", file, code=code)
        report = json.loads(file.read_text(encoding="utf-8"))
        return {**report, "findings": {finding["key"]: finding for finding in report["findings"]}}

    return run


# ---- data ------------------------------------------------------------------------------------------------------------


def test_unreadable_parts_of_a_file_are_findings(audited: Callable, check: Callable, tmp_path: Path) -> None:
    file = tmp_path / "train.conll"
    file.write_bytes("زار O\nبغداد I-LOC\nحلب O\nحمص B-LOC\n\nوصل O\nسوريا X\n\n".encode() + b"\xff O\n")
    severities = {key: finding["severity"] for key, finding in audited(file, code=1)["findings"].items()}
    assert severities["fixed-stray-i"] == "warning"
    assert severities["dropped-not-a-tag"] == severities["dropped-not-utf-8"] == "error"
    assert "Dropped: not a tag" in check(file, code=1).stdout


def test_invalid_spans_are_dropped_alone(audited: Callable, tmp_path: Path) -> None:
    entities = (Entity(start=0, end=3, label="GPE", id="a"), Entity(start=4, end=9, label="GPE", id="a"))
    write_articles([Article(text="قصف بغداد", id="x", entities=entities)], tmp_path / "x.jsonl")
    report = audited(tmp_path / "x.jsonl", code=1)
    assert report["splits"]["x"]["mentions"] == 1
    assert report["findings"]["dropped-duplicate-id"]["count"] == 1


def test_files_of_a_folder_are_its_splits(audited: Callable, data_files: dict[str, Path]) -> None:
    assert list(audited(data_files["train"].parent, code=1)["splits"]) == ["train", "dev", "test"]


def test_skipped_files_of_a_folder_are_reported(
    check: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("train", "val", "test", "train_full"):
        (tmp_path / f"{name}.txt").write_text(f"{name} O\nبغداد B-LOC\n", encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.txt").write_text("في O\n", encoding="utf-8")
    (tmp_path / "stats.json").write_text("{}", encoding="utf-8")
    with caplog.at_level("INFO", logger="rasid"):
        check(tmp_path)
        assert caplog.messages == [f"{tmp_path} is checked as train, val, test; not read: more/a.txt, train_full.txt"]
        caplog.clear()
        check(*(tmp_path / f"{name}.txt" for name in ("train", "val", "test")))
    assert not caplog.messages


def test_locations_have_file_and_line_and_the_title_has_no_folders(audited: Callable, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    good = {"id": "g", "text": "في بغداد"}
    bad = {"id": "b", "text": "في بغداد", "annotated": {"nonsense": []}}
    lines = [json.dumps(line, ensure_ascii=False) for line in (good, bad)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "a" / "x.jsonl").write_text(lines[0], encoding="utf-8")
    page = tmp_path / "page.html"
    report = audited(tmp_path / "x.jsonl", "--html", page, code=1)
    assert report["name"] == "x.jsonl"
    assert "<title>x.jsonl: audit</title>" in page.read_text(encoding="utf-8")
    (error,) = [finding for finding in report["findings"].values() if finding["severity"] == "error"]
    assert error["locations"][0]["source"] == f"{tmp_path / 'x.jsonl'}:2"
    sources = [location["source"] for location in report["findings"]["articles-without-annotation"]["locations"]]
    assert sources == [f"{tmp_path / 'x.jsonl'}:1", f"{tmp_path / 'x.jsonl'}:2"]
    twice = audited(tmp_path / "x.jsonl", tmp_path / "a" / "x.jsonl", "corpus:dev", code=1)
    assert twice["name"] == f"{tmp_path.name}/x.jsonl, a/x.jsonl, corpus:dev"


def test_format_and_options_are_for_data(check: Callable, tmp_path: Path) -> None:
    file = tmp_path / "train.conll"
    file.write_text("هاجم B-Attack\nمسلحون O\n", encoding="utf-8")
    assert "triggers" not in check(file).stdout
    assert "triggers" in check(file, "--option", "triggers=[Attack]", "--from", "conll").stdout
    assert "did you mean 'triggers'" in check(file, "--option", "trigers=[Attack]", code=1).stderr
    assert "key=value" in check(file, "--option", "triggers", code=1).stderr
    assert "--option is for files" in check("quickstart", "--option", "triggers=[A]", code=1).stderr
    assert "--from is for files" in check("quickstart", "--from", "jsonl", code=1).stderr


def test_stdin_and_a_closed_stdout(closed_stdout: Callable, check: Callable, tmp_path: Path) -> None:
    assert "name it with --from" in check("-", code=1).stderr
    page = tmp_path / "page.html"
    content = "في O\nبغداد X\n\nفي O\nبغداد B-LOC\n"
    done = closed_stdout("check", "-", "--from", "conll", "--html", page, input=content)
    assert (done.returncode, done.stderr) == (1, "")
    html = page.read_text(encoding="utf-8")
    assert "/dev/stdin:2" in html and "LOC" in html


def test_the_built_in_corpus_has_no_errors(check: Callable) -> None:
    assert "corpus-test" in check("corpus:test").stdout


# ---- a config --------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path, config_text: str) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(config_text, encoding="utf-8")
    return file


def test_data_sets_of_a_config_are_checked_with_its_labels_options_and_encoder(
    check: Callable, config: Path, data_files: dict[str, Path]
) -> None:
    renamed = check(config, "data.train.0.labels.GPE=NOWHERE", code=1).stdout
    assert "Labels that are not in the scheme" in renamed
    assert "sub-words" in renamed
    options = check(config, "data.test.0.options.triggers=[GPE]", code=1).stdout
    assert "Dropped: unknown option" in options  # JSON Lines has none
    missing = check(config, f"data.dev.0.path={config.parent / 'gone.jsonl'}", code=1).stdout
    assert "Dropped: no such file" in missing
    assert is_config("quickstart")
    assert not is_config(str(data_files["train"]))


def test_encoder_replaces_that_of_the_config(audited: Callable, check: Callable, config: Path) -> None:
    def longest(*arguments: object) -> str:
        return audited(config, *arguments, code=1)["findings"]["longest-in-subwords"]["locations"][0]["message"]

    assert longest() != longest("--encoder", "rasid-mini")
    assert "there is no such folder" in check(config, "--encoder", "./nowhere", code=1).stderr


def test_config_whose_encoder_cannot_be_loaded_is_checked_without_it(
    audited: Callable, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "longest-in-subwords" not in audited(config, "encoder.name=./nowhere", code=1)["findings"]
    assert "not checked against the encoder" in caplog.text


def test_bundle_finds_label_errors_in_the_data_of_a_config(audited: Callable, config: Path, bundle: Path) -> None:
    swapped = "data.train.0.labels={GPE: PER, PER: GPE}"
    assert "label-issues" not in audited(config, swapped, code=1)["findings"]
    issues = audited(config, swapped, "--bundle", bundle, code=1)["findings"]["label-issues"]
    assert {location["split"] for location in issues["locations"]} >= {"train"}
    assert any("the model predicts GPE" in location["message"] for location in issues["locations"])


# ---- judges of data --------------------------------------------------------------------------------------------------


def test_bundle_finds_label_errors_in_data_and_brings_its_tokenizer(
    check: Callable, bundle: Path, tmp_path: Path
) -> None:
    text = "قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد يوم الثلاثاء."
    start = text.index("سوريا")
    article = Article(text=text, id="odd", entities=(Entity(start=start, end=start + 5, label="ORG"),))
    write_articles([article], tmp_path / "x.jsonl")
    shown = check(tmp_path / "x.jsonl", "--bundle", bundle).stdout
    assert "Likely label errors" in shown
    assert "sub-words" in shown
    write_articles([replace(article, entities=(replace(article.entities[0], label="X"),))], tmp_path / "x.jsonl")
    assert "Labels that are not in the scheme" in check(tmp_path / "x.jsonl", "--bundle", bundle, code=1).stdout


def test_encoder_of_data_defaults_to_the_built_in_one(
    audited: Callable, check: Callable, tmp_path: Path, hub_checkpoint: Path
) -> None:
    write_articles([Article(text="وصل الوفد إلى بغداد مساء الثلاثاء")], tmp_path / "x.jsonl")

    def longest(*arguments: object) -> str:
        return audited(tmp_path / "x.jsonl", *arguments)["findings"]["longest-in-subwords"]["locations"][0]["message"]

    assert longest() == longest("--encoder", "rasid-mini")
    # The window is 512 sub-words.
    assert "reads 128 sub-words" in check(tmp_path / "x.jsonl", "--encoder", hub_checkpoint, code=1).stderr


# ---- output and errors -----------------------------------------------------------------------------------------------


def test_reports_are_written_and_examples_limited(check: Callable, data_files: dict[str, Path], tmp_path: Path) -> None:
    report, page = tmp_path / "deep" / "audit.json", tmp_path / "audit.html"
    files = (data_files["train"], data_files["dev"])
    shown = check(*files, "--json", report, "--html", page, "--limit", 1, code=1).stdout
    assert "سوريا" in page.read_text(encoding="utf-8")
    assert json.loads(report.read_text(encoding="utf-8"))["labels"]["entities"]["GPE"]["train"] > 0
    assert f"written: {report}" in shown.replace("\n", "")
    assert len(check(*files, "--limit", 0, code=1).stdout) < len(shown)


def test_findings_are_shown_if_a_report_cannot_be_written(check: Callable, tmp_path: Path) -> None:
    (tmp_path / "x.conll").write_text("في O\n", encoding="utf-8")
    result = check(tmp_path / "x.conll", "--html", tmp_path, code=1)
    assert result.stderr == f"error: {tmp_path}: Is a directory\n"
    assert "Longest sentence" in result.stdout and "written" not in result.stdout


def test_input_that_cannot_be_checked_is_one_error(check: Callable, tmp_path: Path) -> None:
    for arguments in (["gone.jsonl"], ["gone.yaml"], ["corpus:all"], [tmp_path]):
        result = check(*arguments, code=1)
        assert result.stderr.startswith("error: ")
        assert result.stdout == ""
    (tmp_path / "a.jsonl").write_text('{"text": "في بغداد"}\n', encoding="utf-8")
    assert "error: " in check(tmp_path / "a.jsonl", "--encoder", tmp_path / "none", code=1).stderr
    assert "error: " in check(tmp_path / "a.jsonl", "--bundle", tmp_path / "none", code=1).stderr
