"""Configs of version 0.1 load equal to those of today, with a warning for each old name."""

import re
from pathlib import Path

import pytest

from rasid.configs.loader import load_config
from rasid.configs.pretrain_schema import PretrainConfig
from rasid.configs.schema import Config

QUICKSTART = """\
name: quickstart
scheme: news
encoder:
  dropout: 0.1
tasks:
  entities: {}
  triggers: {}
  boundaries: {weight: 0.5}
  sentence_types: {lexical: 2}   # a linear model beside so small an encoder: two points of average precision on dev
  event_types: {}
data:
  train:
    - {corpus: train, supervises: [entities, triggers, boundaries, sentence_types, event_types]}
  dev:
    - {corpus: dev, supervises: [entities, triggers, boundaries, sentence_types, event_types]}
  test:
    - {corpus: test, supervises: [entities, triggers, boundaries, sentence_types, event_types]}
training:
  epochs: 20
  batch_tokens: 1024
  learning_rate: 5e-4
  head_learning_rate: 2e-3
  metric: mean.f1
  patience: 6
"""
"""The built-in config `quickstart` of version 0.1."""

TASKS = {"boundaries": "proclitics", "event_types": "article_types"}


def test_quickstart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(QUICKSTART, encoding="utf-8")
    new = QUICKSTART
    for old, name in {**TASKS, "lexical": "ngrams", "supervises": "annotated"}.items():
        new = re.sub(rf"\b{old}\b", name, new)
    today = tmp_path / "new.yaml"
    today.write_text(new, encoding="utf-8")
    expected = load_config(today, Config)
    assert not caplog.messages
    assert load_config(file, Config) == expected
    renamed = [message.partition(": ")[2] for message in caplog.messages]
    expected = [f"{old} is now called {new}" for old, new in TASKS.items()]
    assert sorted(renamed) == sorted(
        [*expected * 4, "lexical is now called ngrams", *["supervises is now called annotated"] * 3]
    )
    lines = QUICKSTART.splitlines()
    for message in caplog.messages:
        place, _, text = message.partition(": ")
        line, column = map(int, place.removeprefix(f"{file}:").split(":"))
        assert lines[line - 1][column - 1 :].startswith(text.split()[0])


@pytest.mark.parametrize(
    ("config", "old", "new"),
    [
        ("quickstart", "encoder.normaliser=own", "encoder.normalizer=own"),
        ("quickstart", "tasks.event_types.weight=2", "tasks.article_types.weight=2"),
        ("quickstart", "tasks.sentence_types.lexical=1", "tasks.sentence_types.ngrams=1"),
        ("quickstart", "training.metric=event_types.f1", "training.metric=article_types.f1"),
        (
            "quickstart",
            "data.test=[{path: a, format: markup, supervises: {event_types: [AID]}}]",
            "data.test=[{path: a, format: inline, annotated: {article_types: [AID]}}]",
        ),
        ("pretrain-mini", "tokenizer.normalise=false", "tokenizer.normalize=false"),
        ("pretrain-mini", "optimisation.batch=2", "optimization.batch=2"),
        ("pretrain-mini", "optimisation={batch: 2}", "optimization={batch: 2}"),
        ("pretrain-mini", "optimization.clip=0.5", "optimization.max_grad_norm=0.5"),
    ],
)
def test_overrides(config: str, old: str, new: str, caplog: pytest.LogCaptureFixture) -> None:
    model = PretrainConfig if config.startswith("pretrain") else Config
    expected = load_config(config, model, [new])
    assert not caplog.messages
    assert load_config(config, model, [old]) == expected
    assert caplog.messages and all(message.startswith("override 1: ") for message in caplog.messages)


def test_labels_and_options_of_the_user_are_not_renamed(caplog: pytest.LogCaptureFixture) -> None:
    source = "{path: a, annotated: [entities], labels: {lexical: PER}, options: {boundaries: x}}"
    config = load_config("quickstart", Config, [f"data.test=[{source}]", "data.test.0.labels.supervises=ORG"])
    assert config.data.test[0].labels == {"lexical": "PER", "supervises": "ORG"}
    assert config.data.test[0].options == {"boundaries": "x"}
    assert not caplog.messages
