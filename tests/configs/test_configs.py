"""The built-in configs are valid."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from rasid.configs.loader import BUILT_IN, dump_config, load_config
from rasid.configs.pretrain_schema import PretrainConfig
from rasid.configs.schema import Config
from rasid.data.labels import load_scheme
from rasid.train.prepare import load_data

CONFIGS = sorted(BUILT_IN.glob("*.yaml"))


def model_of(file: Path) -> type[BaseModel]:
    return PretrainConfig if file.stem.startswith("pretrain-") else Config


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_round_trip(file: Path, tmp_path: Path) -> None:
    config = load_config(file.stem, model_of(file))
    dump_config(config, tmp_path / "resolved.yaml")
    assert load_config(tmp_path / "resolved.yaml", model_of(file)) == config


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_first_lines_have_the_command_that_runs_the_config(file: Path) -> None:
    head = file.read_text(encoding="utf-8").splitlines()[:3]
    assert all(line.startswith("#") for line in head[:2])
    command = "pretrain" if file.stem.startswith("pretrain-") else "train"
    assert re.search(rf"rasid {command} (configs/)?{file.stem}\b", "\n".join(head))


@pytest.mark.parametrize("file", [f for f in CONFIGS if model_of(f) is Config], ids=lambda file: file.stem)
def test_training_config_has_the_name_of_its_file_and_labels_for_its_tasks(file: Path) -> None:
    config = load_config(file.stem, Config)
    assert config.name == file.stem
    scheme = load_scheme(config.scheme)
    for task in config.tasks:
        assert task == "proclitics" or scheme.labels(task)


@pytest.mark.parametrize("name", ["quickstart", "arabert"])
def test_configs_of_the_built_in_corpus_find_their_articles(name: str) -> None:
    data = load_data(load_config(name, Config))
    parts = [{article.id for dataset in part for article in dataset.articles} for part in (data.train, data.dev)]
    assert all(parts) and not parts[0] & parts[1]
