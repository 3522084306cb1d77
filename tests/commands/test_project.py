"""`rasid init`: the project that it writes can be read and trained."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rasid.commands.project import FORMATS, InitError, initialize
from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article, check_article
from rasid.data.formats.common.colors import contrast
from rasid.data.labels import load_scheme
from rasid.data.text.words import split_words
from rasid.train.prepare import load_data

SCHEMES = ("news", "anercorp", "wojood")
TINY = ["encoder.name=", "encoder.scratch={layers: 1, hidden: 32, heads: 2, intermediate: 64, vocabulary: 600}"]


def loaded(folder: Path) -> list[Article]:
    data = load_data(load_config(folder / "config.yaml", Config))
    return [article for dataset in (*data.train, *data.dev) for article in dataset.articles]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Article]:
    folder = tmp_path_factory.mktemp("init") / "news"
    initialize(folder)
    return loaded(folder)


def test_command_lists_the_written_files_and_the_next_commands(rasid: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "مشروع جديد"
    lines = rasid("init", folder).stdout.splitlines()
    names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    assert sorted(names) == ["config.yaml", "data/dev.rasid", "data/train.rasid", "scheme.yaml"]
    assert sorted(lines[:4]) == sorted(f"wrote {folder / name}" for name in names)
    assert lines[4:] == ["next:", *(f"  rasid {command} '{folder / 'config.yaml'}'" for command in ("check", "train"))]


def test_existing_files_are_not_replaced(rasid: Callable, tmp_path: Path) -> None:
    (tmp_path / "scheme.yaml").write_text("mine", encoding="utf-8")
    message = rasid("init", tmp_path, code=1).stderr
    assert message.startswith("error: ") and str(tmp_path / "scheme.yaml") in message
    assert [file.name for file in tmp_path.iterdir()] == ["scheme.yaml"]
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert rasid("init", tmp_path / "file", code=1).stderr.startswith("error: ")
    initialize(tmp_path / "new")
    with pytest.raises(InitError, match=r"config\.yaml"):
        initialize(tmp_path / "new", format="jsonl")


@pytest.mark.parametrize("format", FORMATS)
def test_examples_are_complete_in_every_format(
    format: str, tmp_path: Path, examples: list[Article], annotations: Callable
) -> None:
    initialize(tmp_path / "p", format=format)
    found = loaded(tmp_path / "p")

    def content(article: Article) -> tuple:
        roles = [[argument.role for argument in event.arguments] for event in article.events]
        return article.id, article.text, article.date, article.source, annotations(article), roles

    assert list(map(content, found)) == list(map(content, examples))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_config_can_be_trained(rasid: Callable, scheme: str, tmp_path: Path) -> None:
    folder = tmp_path / scheme
    rasid("init", folder, "--scheme", scheme)
    labels = load_scheme(folder / "scheme.yaml")
    assert labels.labels("entities") == load_scheme(scheme).labels("entities")
    config = load_config(folder / "config.yaml", Config)
    assert config.encoder.name == "rasid-mini" and config.name == scheme
    assert ("triggers" in config.tasks) == bool(labels.events)
    assert not [fault for article in loaded(folder) for fault in check_article(article, labels)]
    shown = rasid("train", folder / "config.yaml", "--dry-run", *TINY).stdout
    assert "train: 3 articles" in shown and "one batch, forward and backward: loss" in shown
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_training_gives_a_bundle(rasid: Callable, tmp_path: Path) -> None:
    rasid("init", tmp_path / "p")
    rasid("train", tmp_path / "p" / "config.yaml", *TINY, "training.epochs=2", "export.onnx=false")
    assert (tmp_path / "p" / "runs" / "p" / "bundle").is_dir()


def test_line_for_arabert_can_be_uncommented(tmp_path: Path) -> None:
    initialize(tmp_path / "p")
    config = tmp_path / "p" / "config.yaml"
    text = re.sub(r"(?m)^encoder: .*\n# (encoder: .*)$", r"\1", config.read_text(encoding="utf-8"))
    config.write_text(text, encoding="utf-8")
    assert load_config(config, Config).encoder.name == "aubmindlab/bert-base-arabertv02"


def test_every_line_of_the_config_has_a_comment(tmp_path: Path) -> None:
    initialize(tmp_path / "p")
    lines = (tmp_path / "p" / "config.yaml").read_text(encoding="utf-8").splitlines()
    seen = set()
    for before, line in zip(lines, lines[1:], strict=False):
        key = line.partition(":")[0].strip(" -#")
        assert key in seen or "#" in line or before.strip().startswith("#"), line
        seen.add(key)
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 120


@pytest.mark.parametrize("name", ["a: b # c", "-x", "123", "null", "it's", 'say "x"', "..."])
def test_folders_with_special_characters(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    initialize(folder)
    config = load_config(folder / "config.yaml", Config)
    assert config.data.train[0].path == str(folder / "data" / "train.rasid")
    assert load_scheme(config.scheme).name == config.name


def test_relative_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("123", "p"):
        initialize(name)
        config = load_config(Path(name) / "config.yaml", Config)
        assert (config.name, config.data.dev[0].path) == (name, f"{name}/data/dev.rasid")
    initialize(".")
    assert load_config("./config.yaml", Config).name == re.sub(r"[^\w.-]+", "-", tmp_path.name)


def test_unknown_schemes_and_formats(rasid: Callable, tmp_path: Path) -> None:
    assert "did you mean 'news'" in rasid("init", tmp_path / "p", "--scheme", "new", code=1).stderr
    assert "inline, jsonl" in rasid("init", tmp_path / "p", "--to", "xml", code=1).stderr
    assert not (tmp_path / "p").exists()


# ---- the examples themselves ---------------------------------------------------------------------------------------


def test_examples_follow_the_guidelines(examples: list[Article]) -> None:
    assert 3 <= len(examples) <= 5
    assert {len(event.types) for article in examples for event in article.events} == {1, 2}
    for article in examples:
        lead = article.text.split("\n\n")[:2]
        reach = len("\n\n".join(lead))
        types = {label for event in article.events if event.trigger.start < reach for label in event.types}
        assert set(article.event_types) == types
        edges = split_words(article.text)
        ends, starts = {int(end) for end in edges[:, 1]}, {int(start) for start in edges[:, 0]}
        for span in (*article.entities, *(event.trigger for event in article.events)):
            assert span.end in ends, span.text  # pronouns stay inside
            assert span.start in starts or article.text[span.start - 1] in "وفبلكس", span.text
        spans = [(e.start, e.end) for e in article.entities]
        assert not any(a[0] < b[0] < a[1] < b[1] for a in spans for b in spans)  # nested, never crossing


def test_arguments_have_labels_that_fit_their_roles(examples: list[Article]) -> None:
    takes = {
        "Actor": {"PER", "ORG", "GPE", "NORP"},
        "Recipient": {"PER", "ORG", "GPE", "NORP", "FAC", "VEH", "WEA"},
        "Location": {"GPE", "LOC", "FAC"},
        "Date": {"DATE"},
        "Instrument": {"WEA", "VEH"},
        "Count": {"NUM"},
    }
    for article in examples:
        labels = {entity.id: entity for entity in article.entities}
        paragraph = [match.start() for match in re.finditer("\n\n", article.text)]
        for event in article.events:
            for argument in event.arguments:
                entity = labels[argument.entity]
                assert entity.label in takes[argument.role]
                low, high = sorted((entity.start, event.trigger.start))
                assert not any(low < place < high for place in paragraph)  # in the same paragraph


def test_examples_are_not_in_the_corpus(examples: list[Article]) -> None:
    from rasid.data.corpus import load_corpus

    corpus = [article for part in ("train", "dev", "test") for article in load_corpus(part).articles]
    lines = {line for article in corpus for line in article.text.split("\n")}
    assert not lines & {line for article in examples for line in article.text.split("\n") if line}


def test_doccano_and_prodigy_get_their_labels(rasid: Callable, tmp_path: Path) -> None:
    said = rasid("init", tmp_path / "d", "--to", "doccano").stdout
    assert "doccano-spans.json, the labels of spans for doccano" in said
    labels = load_scheme(tmp_path / "d" / "scheme.yaml")
    triggers = [f"event:{name}" for name in labels.events]
    for name, expected in (
        ("spans", [*labels.entities, *triggers]),
        ("categories", [*labels.events]),
        ("relations", [*labels.roles]),
    ):
        types = json.loads((tmp_path / "d" / f"doccano-{name}.json").read_text(encoding="utf-8"))
        assert [one["text"] for one in types] == expected
        assert all(contrast(one["background_color"], one["text_color"]) >= 4.5 for one in types)
        keys = [one["suffix_key"] for one in types if one["suffix_key"]]
        assert len(set(keys)) == len(keys)
    rasid("init", tmp_path / "p", "--to", "prodigy")
    lines = (tmp_path / "p" / "prodigy-labels.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [*labels.entities, *triggers]
    rasid("init", tmp_path / "e", "--to", "doccano", "--scheme", "anercorp")
    assert [file.name for file in tmp_path.glob("e/doccano-*")] == ["doccano-spans.json"]


def test_label_studio_gets_its_labeling_configuration(rasid: Callable, tmp_path: Path) -> None:
    result = rasid("init", tmp_path / "p", "--to", "label-studio")
    file = tmp_path / "p" / "label-studio.xml"
    assert f"wrote {file}, the labeling configuration for Label Studio" in result.stdout.splitlines()
    labels = load_scheme(tmp_path / "p" / "scheme.yaml")
    assert all(f'value="{label}"' in file.read_text(encoding="utf-8") for label in (*labels.entities, *labels.events))
