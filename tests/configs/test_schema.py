"""The schemas: every key is documented, invalid configs are errors."""

import re
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


@pytest.mark.parametrize("model", MODELS)
def test_every_key_has_a_docstring(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.description and field.description.strip().endswith("."), name


@pytest.mark.parametrize(
    ("override", "message"),
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
        ("tasks.event_types.class_weights=balanced", "tasks.article_types: class_weights is an option of"),
        ("tasks.entities.positive_weight=2", "an option of triggers, arguments, sentence_types, article_types only"),
        ("tasks.entities.ngrams=1", "an option of sentence_types only"),
        ("tasks.entities.nesting=false", "nesting is an option of decoder: spans only"),
        ("tasks.entities={decoder: spans, class_weights: balanced}", "cannot be used with decoder: spans"),
        ("tasks.entities={decoder: crf, class_weights: balanced}", "cannot be used with decoder: crf"),
        ("encoder.scratch={}", "give either encoder.name or encoder.scratch"),
        ("encoder.overlap=60", "at most half of the window"),
        ("data.train.0.corpus=train", "give either path or corpus"),
        ("data.train.0.annotated=[entities]", "not annotated in any data set of data.train"),
        ("data.dev.0.annotated=[proclitics]", "no checkpoint can be selected"),
        ("data.dev.0.annotated=[entities] training.metric=triggers.f1", "no data set of data.dev annotates it"),
        (
            "data.test=[{path: a/x.conll, annotated: [entities]}, {path: b/x.conll, annotated: [entities]}]",
            "two data sets of test are named 'x'",
        ),
        ("data.test.0.name=../../report", "data.test.0.name: "),
        ("data.train.0.annotated=[]", "data.train.0.annotated"),
        ("data.train.0.annotated=[entites]", "did you mean 'entities'?"),
        ("data.train.0.annotated={entities: PER}", "data.train.0.annotated.entities: 'PER' should be a list"),
    ],
)
def test_invalid_configs(config_file: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(config_file, Config, re.split(" (?=training)", override))


def test_a_name_distinguishes_data_sets_of_one_file_name(config_file: Path) -> None:
    sources = "{path: a/test.conll, annotated: [entities]}, {name: other, path: b/test.conll, annotated: [entities]}"
    config = load_config(config_file, Config, [f"data.test=[{sources}]"])
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
