"""The schemas: every key is documented, invalid configs are errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from rasid.configs import pretrain_schema, schema
from rasid.configs.loader import ConfigError, load_config
from rasid.configs.schema import Config, FormatName
from rasid.data.formats import FORMATS

MODELS = [
    value
    for module in (schema, pretrain_schema)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
]


def fields() -> Iterator[tuple[str, str | None]]:
    for model in MODELS:
        for name, field in model.model_fields.items():
            yield f"{model.__name__}.{name}", field.description


@pytest.mark.parametrize(("key", "description"), list(fields()))
def test_every_key_has_a_docstring(key: str, description: str | None) -> None:
    assert description and description.strip().endswith("."), key


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory, config_text: str) -> Path:
    file = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    file.write_text(config_text, encoding="utf-8")
    return file


def test_tiny_config_is_valid(config_file: Path) -> None:
    assert load_config(config_file, Config).training.seeds == [1]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("name=..", "name: "),  # --fresh deletes the folder of that name
        ("name=.", "name: "),
        ("name=a/b", "name: "),
        ("training.epochs=0", "training.epochs: "),
        ("training.epochs=.inf", "training.epochs: "),
        ("training.learning_rate=.nan", "training.learning_rate: "),
        ("training.evaluations=0", "training.evaluations: "),
        ("training.seeds=[1, 1]", "a seed is listed twice"),
        ("training.seeds=[-1]", "training.seeds.0: "),
        ("training.seeds=[]", "training.seeds: "),
        ("training.metric=entities.f2", "did you mean 'entities.f1'?"),
        ("training.leanring_rate=1", "did you mean 'learning_rate'?"),
        ("trainig.epochs=1", "did you mean 'training'?"),
        ("tasks.entites={}", "did you mean 'entities'?"),
        ("tasks.triggers.decoder=crf", "decoder is an option of entities only"),
        (
            "tasks.event_types.class_weights=balanced",
            "tasks.article_types: class_weights is an option of",
        ),
        ("tasks.entities.positive_weight=2", "an option of triggers, sentence_types, article_types only"),
        ("tasks.entities.ngrams=1", "an option of sentence_types only"),
        ("tasks.entities={decoder: crf, class_weights: balanced}", "cannot be used with decoder: crf"),
        ("encoder.scratch={}", "give either encoder.name or encoder.scratch"),
        ("encoder.overlap=60", "at most half of the window"),
        ("data.train.0.corpus=train", "give either path or corpus"),
        ("data.train.0.annotated=[entities]", "not annotated in any data set of data.train"),
        ("data.dev.0.annotated=[proclitics]", "no checkpoint can be selected"),
        ("data.test.0.name=../../report", "data.test.0.name: "),
        ("data.train.0.annotated=[]", "data.train.0.annotated"),
        ("data.train.0.annotated=[entites]", "did you mean 'entities'?"),
        ("data.train.0.annotated={entities: PER}", "data.train.0.annotated.entities: 'PER' should be a list"),
    ],
)
def test_invalid_configs(config_file: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(config_file, Config, [override])
    assert said in str(raised.value)


def test_metric_must_be_annotated_in_dev(config_file: Path) -> None:
    overrides = ["data.dev.0.annotated=[entities]", "training.metric=triggers.f1"]
    with pytest.raises(ConfigError, match="no data set of data.dev annotates it"):
        load_config(config_file, Config, overrides)


def test_data_sets_of_one_part_must_have_different_names(config_file: Path) -> None:
    sources = "{path: a/test.conll, annotated: [entities]}, {path: b/test.conll, annotated: [entities]}"
    with pytest.raises(ConfigError, match="two data sets of test are named 'test'"):
        load_config(config_file, Config, [f"data.test=[{sources}]"])
    named = sources.replace("path: b/", "name: other, path: b/")
    config = load_config(config_file, Config, [f"data.test=[{named}]"])
    assert [source.title for source in config.data.test] == ["test", "other"]


def test_all_errors_are_reported_at_once(config_file: Path) -> None:
    overrides = ["training.epochs=x", "training.batch_tokens=1", "encoder.pooling=last"]
    with pytest.raises(ConfigError) as raised:
        load_config(config_file, Config, overrides)
    assert len(raised.value.problems) == 3


def test_format_names_are_those_of_the_formats() -> None:
    assert get_args(FormatName) == FORMATS


def test_a_list_of_tasks_means_all_their_labels(config_file: Path) -> None:
    config = load_config(config_file, Config, ["data.test.0.annotated=[entities]"])
    assert config.data.test[0].annotated == {"entities": "all"}
