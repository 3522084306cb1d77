"""Converting between formats: what comes back, what is reported, what stays as it is."""

import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import Result

from rasid.configs.loader import ConfigError, load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article, Event, Span
from rasid.data.conversion import SHOWN, convert, describe
from rasid.data.corpus import load_corpus
from rasid.data.datasets import load_dataset
from rasid.data.formats import format_chunks, write_articles
from rasid.data.labels import load_scheme
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


GOOD = {"id": "good", "text": "سافر إلى بغداد", "entities": [{"start": 9, "end": 14, "label": "GPE"}]}
SPACED = {"id": "spaced", "text": "سافر إلى بغداد", "entities": [{"start": 8, "end": 14, "label": "GPE"}]}
BROKEN = {"id": "broken", "text": "نص", "entities": [{"start": 0, "end": 9, "label": "GPE"}]}


def test_invalid_articles_are_left_out_with_their_place(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", GOOD, SPACED, BROKEN)
    conversion = convert(source, tmp_path / "out.rasid")
    assert [article.id for article in load_articles(tmp_path / "out.rasid")] == ["good"]
    assert not conversion.complete
    assert conversion.reading.drop_counts == {"white space at an edge": 1, "span outside the text": 1}
    report = describe(conversion, "inline")
    assert f"{source}:2: [spaced] entity GPE 8-14" in report and f"{source}:3" in report
    assert "1 written as inline" in report


def test_nothing_to_write_leaves_the_target_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("precious", encoding="utf-8")
    for source in (write_lines(tmp_path / "bad.jsonl", BROKEN), write_lines(tmp_path / "none.jsonl")):
        conversion = convert(source, target)
        assert not conversion.complete
        assert target.read_text(encoding="utf-8") == "precious"
    # The writer can be the one who takes nothing.
    (tmp_path / "surrogate.jsonl").write_text('{"id": "x", "text": "\\ud800"}\n', encoding="utf-8")
    conversion = convert(tmp_path / "surrogate.jsonl", target, write_as="inline")
    assert (conversion.reading.articles, conversion.writing.articles, conversion.complete) == (1, 0, False)
    assert target.read_text(encoding="utf-8") == "precious"
    assert not list(tmp_path.glob("*.part"))


def test_labels_are_renamed_and_dropped_and_counted(tmp_path: Path) -> None:
    renamed = {"text": "بغداد", "entities": [{"start": 0, "end": 5, "label": "CITY"}], "event_types": ["AID", "X"]}
    source = write_lines(tmp_path / "in.jsonl", *[renamed] * 5)
    labels = {"CITY": "GPE", "X": None}
    conversion = convert(source, tmp_path / "out.jsonl", labels=labels, scheme=load_scheme("news"))
    assert conversion.complete
    assert conversion.reading.fix_counts == {"label dropped by the mapping": 5}
    assert "label dropped by the mapping: 5" in describe(conversion, "jsonl")
    (first, *_) = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert first["entities"][0]["label"] == "GPE" and first["event_types"] == ["AID"]
    without = convert(source, tmp_path / "other.jsonl", scheme=load_scheme("news"))
    assert without.reading.drop_counts["unknown label"] == 10 and not (tmp_path / "other.jsonl").exists()


def test_a_log_with_examples_counts_all_and_keeps_few() -> None:
    log = ProblemLog(source="f", examples=SHOWN)
    for number in range(100):
        log.drop("a", f"m{number}", line=number)
        log.fix("b", f"m{number}")
    log.drop("c", "once")
    assert len(log.dropped) == SHOWN + 1 and len(log.fixed) == SHOWN
    assert log.counts() == {"articles": 0, "fixed: b": 100, "dropped: a": 100, "dropped: c": 1}


def test_a_report_says_nothing_twice(tmp_path: Path) -> None:
    spans = [{"start": 9, "end": 14, "label": "CITY"}, {"start": 0, "end": 4, "label": "CITY"}]
    lines = [{"id": f"a{n}", "text": "سافر إلى بغداد", "entities": spans, "event_types": ["AID"]} for n in range(5)]
    source = write_lines(tmp_path / "in.jsonl", *lines)
    report = describe(convert(source, tmp_path / "out.conll", labels={"CITY": None}), "conll")
    assert "label dropped by the mapping: 10\n" in report
    assert len(set(report.splitlines())) == len(report.splitlines())
    assert "the format holds no event types; write jsonl to keep them (a0, a1, a2, …)" in report


def test_a_folder_is_read_in_the_order_in_which_it_was_written(tmp_path: Path) -> None:
    names = ["a-1", "a-2", "a-10", "a-011", "b", "b2"]
    source = write_lines(tmp_path / "in.jsonl", *({**GOOD, "id": name} for name in names))
    convert(source, tmp_path / "brat", write_as="brat")
    convert(tmp_path / "brat", tmp_path / "out.jsonl")
    assert [article.id for article in load_articles(tmp_path / "out.jsonl")] == names
    assert load_articles(tmp_path / "out.jsonl") == load_articles(source)


def test_a_folder_of_text_files_alone_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("بغداد B-GPE\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"files of .txt, .json, .csv, .tsv and .zip are read if their format is given"):
        convert(tmp_path, tmp_path.with_suffix(".jsonl"))
    with pytest.raises(DataError, match=r"of suffix .rasid$"):
        convert(tmp_path, tmp_path.with_suffix(".jsonl"), read_as="inline")


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    line = json.dumps({**GOOD, "text": "سافر إلى بغداد" + " كلمة" * 200}, ensure_ascii=False) + "\n"
    bad = json.dumps(SPACED, ensure_ascii=False) + "\n"
    peaks = []
    for number in (150, 1000):
        (tmp_path / "in.jsonl").write_text((line + bad) * number, encoding="utf-8")
        tracemalloc.start()
        conversion = convert(tmp_path / "in.jsonl", tmp_path / "out.rasid")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert conversion.writing.articles == number
    assert peaks[1] < peaks[0] + 200_000, peaks


def test_a_stream_takes_formats_of_one_text_file() -> None:
    article = Article(id="a", text="سافر إلى بغداد")
    for format in ("jsonl", "inline", "doccano", "prodigy", "label-studio"):
        assert "بغداد" in "".join(format_chunks([article], format, ProblemLog()))
    for format in ("brat", "ace", "spacy"):
        with pytest.raises(DataError, match="not text in one file"):
            convert("anything", io.StringIO(), write_as=format)


def test_the_target_may_not_be_read_the_next_time(tmp_path: Path) -> None:
    write_lines(tmp_path / "in.jsonl", GOOD)
    with pytest.raises(DataError, match="another folder"):
        convert(tmp_path, tmp_path / "new" / "out.jsonl")
    assert convert(tmp_path / "in.jsonl", tmp_path / "in.jsonl").complete  # one file is read to its end first
    assert [article.id for article in load_articles(tmp_path / "in.jsonl")] == ["good"]


# ---- reading options ---------------------------------------------------------------------------------------------


def test_options_reach_the_reader_from_config_and_function(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("هاجم B-ASSAULT\nمسلحون O\n", encoding="utf-8")
    for triggers in (["ASSAULT"], "ASSAULT"):  # one string is not a collection of letters
        data = load_dataset(
            tmp_path / "a.conll", scheme=load_scheme("news"), annotated=["triggers"], options={"triggers": triggers}
        )
        assert [event.types for event in data.articles[0].events] == [("ASSAULT",)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trigers": []}, "did you mean 'triggers'?"),
        ({"columns": "three"}, "columns of conll is 'three'"),
        ({"triggers": 5}, "triggers of conll is 5"),
        ({"triggers": [1]}, "triggers of conll is"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, options: dict[str, object], said: str) -> None:
    (tmp_path / "a.conll").write_text("هاجم B-ASSAULT\n", encoding="utf-8")
    with pytest.raises(DataError, match="option") as caught:
        convert(tmp_path / "a.conll", tmp_path / "out.jsonl", options=options)
    assert said in str(caught.value)


def test_a_config_names_format_and_options(tmp_path: Path) -> None:
    def config(source: str) -> Config:
        file = tmp_path / "r.yaml"
        place = f"{{path: a, annotated: [entities], {source}}}"
        file.write_text(f"tasks: {{entities: {{}}}}\ndata: {{train: [{place}], dev: [{place}]}}\n", encoding="utf-8")
        return load_config(file, Config)

    source = config("format: brat, options: {triggers: [Attack]}").data.train[0]
    assert (source.format, source.options) == ("brat", {"triggers": ["Attack"]})
    with pytest.raises(ConfigError, match="did you mean 'brat'"):
        config("format: bratt")


# ---- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def run(rasid: Callable) -> Callable[..., Result]:
    """Run `rasid convert`."""
    return partial(rasid, "convert")


def test_the_command_reports_and_tells_by_its_exit_code(run: Callable, tmp_path: Path) -> None:
    whole = {**GOOD, "events": [{"trigger": {"start": 0, "end": 4}, "types": ["CONSULT"]}]}
    source = write_lines(tmp_path / "in.jsonl", whole)
    result = run(source, tmp_path / "out.conll")
    assert "1 articles read, 1 written as conll" in result.stderr
    assert "events left out: 1" in result.stderr and result.stdout == ""
    write_lines(source, GOOD, SPACED)
    assert "white space at an edge: 1" in run(source, tmp_path / "out.conll", code=1).stderr
    assert "0 written" in run(write_lines(tmp_path / "no.jsonl"), tmp_path / "out.jsonl", code=1).stderr


def test_the_command_writes_to_stdout(run: Callable, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", GOOD)
    assert json.loads(run(source, "-").stdout)["id"] == "good"
    assert "[:GPE بغداد]" in run(source, "-", "--to", "inline").stdout
    assert json.loads(run(source, "-", "--to", "label-studio").stdout)[0]["data"]["id"] == "good"
    assert "stdout: brat is not text in one file" in run(source, "-", "--to", "brat", code=1).stderr


def test_the_command_reads_stdin(run: Callable, tmp_path: Path, python: Callable) -> None:
    assert "name it with --from" in run("-", tmp_path / "x.jsonl", code=1).stderr
    program = "from rasid.__main__ import main\nmain()\n"
    line = json.dumps(GOOD, ensure_ascii=False)
    done = python(program, "convert", "-", "-", "--from", "jsonl", "--to", "inline", input=f"{line}\n")
    assert done.returncode == 0 and "[:GPE بغداد]" in done.stdout, done.stderr


def test_a_target_that_cannot_be_written_is_named_as_it_was_given(run: Callable, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", GOOD)
    (tmp_path / "out.jsonl").mkdir()
    assert run(source, tmp_path / "out.jsonl", code=1).stderr == f"error: {tmp_path / 'out.jsonl'}: Is a directory\n"


def test_the_command_takes_options_and_labels(run: Callable, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("هاجم B-Attack\nبغداد B-CITY\nأمس B-X\n", encoding="utf-8")
    target = tmp_path / "out.jsonl"
    arguments = ["--option", "triggers=[ASSAULT, Attack]", "--label", "CITY=GPE", "--label", "X="]
    run(source, target, "--from", "conll", *arguments, "--label", "Attack=ASSAULT", "--scheme", "news")
    (article,) = load_articles(target)
    assert [e.label for e in article.entities] == ["GPE"] and article.events[0].types == ("ASSAULT",)
    for wrong, said in (
        (["--option", "triggers"], "key=value"),
        (["--option", "triggers=["], "--option triggers"),
        (["--label", "CITY"], "FILE=SCHEME"),
        (["--label", "=X"], "FILE=SCHEME"),
        (["--scheme", "newss"], "did you mean 'news'"),
        (["--to", "xml"], "not known"),
        (["--from", "xml"], "not known"),
    ):
        message = run(source, tmp_path / "x.jsonl", *wrong, code=1).stderr
        assert message.startswith("error: ") and said in message, message
    assert "its suffix" in run(source, tmp_path / "x.y", code=1).stderr
    assert "no such file" in run(tmp_path / "none", target, code=1).stderr


def test_conll_with_one_column_of_tags(run: Callable, tmp_path: Path) -> None:
    spans = [{"start": 0, "end": 14, "label": "ORG"}, {"start": 6, "end": 14, "label": "GPE"}]
    source = write_lines(tmp_path / "in.jsonl", {"id": "a", "text": "بلدية رام الله", "entities": spans})
    flat = "بلدية\tB-ORG\nرام\tI-ORG\nالله\tI-ORG\n\n"
    result = run(source, tmp_path / "out.conll", "--option", "columns=1")
    assert (tmp_path / "out.conll").read_text(encoding="utf-8") == flat
    assert "inner entity left out: 1" in result.stderr
    assert run(source, "-", "--to", "conll", "--option", "columns=1").stdout == flat
    both = run(source, "-", "--to", "conll", "--option", "columns=2", "--option", "scheme=BIOES").stdout
    assert both == "بلدية\tB-ORG\tO\nرام\tI-ORG\tB-GPE\nالله\tE-ORG\tE-GPE\n\n"
    # An option of both sides is for writing; `tags` is for reading.
    again = run(tmp_path / "out.conll", "-", "--to", "conll", "--option", "columns=1", "--option", "tags=1")
    assert again.stdout == flat
    for wrong in ("columns=0", "columns=x", "scheme=XY"):
        assert "option" in run(source, "-", "--to", "conll", "--option", wrong, code=1).stderr


def test_the_command_says_how_the_file_was_read(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("بغداد B-GPE\n", encoding="utf-8")
    assert "note: column 1 was read as tags, with the labels GPE" in run(tmp_path / "a.conll", "-").stderr


@pytest.mark.parametrize("link", ["https://a.org/a.txt", " s3://b/1.txt\n", "/data/upload/1/x.txt", "www.a.org/b"])
def test_a_link_is_no_article(run: Callable, tmp_path: Path, link: str) -> None:
    source = write_lines(tmp_path / "in.jsonl", GOOD, {"id": "link", "text": link})
    result = run(source, tmp_path / "out.jsonl")
    assert "link in place of a text: 1" in result.stderr and "1 articles read, 1 written" in result.stderr
    write_lines(source, GOOD, {"id": "link", "text": link, "event_types": ["AID"]})
    assert "dropped in reading" in run(source, tmp_path / "out.jsonl", code=1).stderr
    write_lines(source, {"id": "x", "text": f"قال {link.strip()}"})
    assert "1 written" in run(source, tmp_path / "out.jsonl").stderr


def test_a_folder_of_events_goes_to_brat_and_back(run: Callable, tmp_path: Path, articles: list[Article]) -> None:
    event = Event(id="v1", trigger=Span(start=0, end=3), types=("ASSAULT",))
    write_articles(
        [replace(articles[0], id="one"), Article(id="two", text="قصف", events=(event,))], tmp_path / "a.jsonl"
    )
    run(tmp_path / "a.jsonl", tmp_path / "brat", "--to", "brat")
    run(tmp_path / "brat", tmp_path / "b.jsonl", "--from", "brat")
    assert load_articles(tmp_path / "b.jsonl") == load_articles(tmp_path / "a.jsonl")
    assert "new or an empty folder" in run(tmp_path / "a.jsonl", tmp_path / "brat", "--to", "brat", code=1).stderr


def test_the_shipped_corpus_is_converted(run: Callable, tmp_path: Path) -> None:
    run("corpus:dev", tmp_path / "dev.jsonl")
    assert load_articles(tmp_path / "dev.jsonl") == load_corpus("dev").articles
    dropped = convert("corpus:dev", tmp_path / "d.jsonl", labels={"GPE": None}, scheme=load_scheme("news"))
    assert dropped.complete and dropped.reading.fix_counts + dropped.reading.drop_counts
    assert not any(
        entity.label == "GPE" for article in load_articles(tmp_path / "d.jsonl") for entity in article.entities
    )
    foreign = convert("corpus:dev", tmp_path / "e.jsonl", scheme=load_scheme("anercorp"))
    assert not foreign.complete and foreign.reading.drop_counts


def test_the_shipped_corpus_is_read_one_way(run: Callable, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert "splits train, dev and test" in run("corpus:all", output, code=1).stderr
    assert "has its own" in run("corpus:dev", output, "--from", "inline", code=1).stderr
    assert not output.exists()
