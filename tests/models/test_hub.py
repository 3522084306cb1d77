"""What an encoder folder may bring: code is never run, and pickles are read by torch's safe loader."""

import io
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

from rasid.audit.language_model import load_language_model
from rasid.configs.pretrain_schema import PretrainConfig
from rasid.errors import RasidError
from rasid.models.encoders import load_encoder, load_tokenizer
from rasid.models.hub import BUILT_IN
from rasid.train.pretraining.model import build_model, build_tokenizer

MINI = BUILT_IN["rasid-mini"]
CODE = """
from pathlib import Path
from transformers import {base}
Path({marker!r}).touch()
class Own({base}):
    model_type = "own"
"""


def pretrain_config(**sections: Any) -> PretrainConfig:
    return PretrainConfig.model_validate({"output": "out", "data": {"files": ["a.txt"]}, **sections})


def pretraining_model(folder: str) -> object:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(MINI)
    return build_model(pretrain_config(encoder=folder), tokenizer)


def pretraining_tokenizer(folder: str) -> object:
    return build_tokenizer(pretrain_config(tokenizer={"path": folder}), lambda: iter(()))


WAYS: dict[str, Callable[[str], object]] = {
    "encoder": lambda folder: load_encoder(folder, window=80),
    "tokenizer": lambda folder: load_tokenizer(folder, window=80),
    "language model": load_language_model,
    "pretraining": pretraining_model,
    "pretraining tokenizer": pretraining_tokenizer,
}


@pytest.mark.parametrize("way", WAYS)
def test_code_of_an_encoder_is_never_run(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    folder, marker = tmp_path / "own", tmp_path / "ran"
    shutil.copytree(MINI, folder)
    for file, base in (("own.py", "PretrainedConfig"), ("tok.py", "PreTrainedTokenizerFast")):
        (folder / file).write_text(CODE.format(base=base, marker=str(marker)))
    classes = {"AutoConfig": "own.Own", "AutoModel": "own.Own", "AutoModelForMaskedLM": "own.Own"}
    for file, change in {
        "config.json": {"model_type": "own", "auto_map": classes},
        "tokenizer_config.json": {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": [None, "tok.Own"]}},
    }.items():
        content = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(content | change))
    with pytest.raises(RasidError, match="which rasid never runs") as caught:
        WAYS[way](str(folder))
    assert "\n" not in str(caught.value)
    assert not marker.exists()


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.fixture
def with_pickle(tmp_path: Path) -> Path:
    """The built-in encoder with its weights in a pickle."""
    folder = tmp_path / "pickled"
    shutil.copytree(MINI, folder)
    file = folder / "model.safetensors"
    torch.save(load_file(file), folder / "pytorch_model.bin")
    file.unlink()
    return folder


def test_weights_in_a_pickle_are_read_and_safetensors_are_advised(
    with_pickle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="rasid")
    same = load_encoder("rasid-mini", window=80).model.state_dict()
    read = load_encoder(str(with_pickle), window=80).model.state_dict()
    assert all(torch.equal(read[name], weights.float()) for name, weights in same.items())
    assert caplog.text.count("prefer safetensors") == 1


@pytest.mark.parametrize("way", ["encoder", "language model", "pretraining"])
def test_code_in_a_pickle_is_never_run(way: str, with_pickle: Path, tmp_path: Path) -> None:
    with (with_pickle / "pytorch_model.bin").open("wb") as stream:
        pickle.dump({"encoder.weight": Bomb(tmp_path / "ran")}, stream)
    with pytest.raises(RasidError):
        WAYS[way](str(with_pickle))
    assert not (tmp_path / "ran").exists()
