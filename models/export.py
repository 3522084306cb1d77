"""Writing a bundle, and its network as ONNX."""

import contextlib
import importlib.util
import io
import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import torch

from ..errors import RasidError
from .bundle import NGRAM_FILE, ONNX_FILE, SETTINGS_FILE, WEIGHTS_FILE, bundle_file
from .network import RasidModel

BUNDLE_FILES = ("config.json", WEIGHTS_FILE, "tokenizer.json", "tokenizer_config.json", SETTINGS_FILE)


class ExportError(RasidError, RuntimeError):
    """A network that cannot be exported."""


def save_bundle(bundle: Path, trained: Path, config: Path) -> None:
    """Write a bundle from the best weights of a run. It has no pickles, no code and no training state.

    Args:
        bundle: folder to write.
        trained: folder with the files of `BUNDLE_FILES`.
        config: the resolved config, copied as config.yaml.
    """
    files = [bundle_file(trained, name, "train the run again") for name in BUNDLE_FILES]
    files += filter(Path.is_file, [trained / NGRAM_FILE])
    bundle.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, bundle / file.name)
    shutil.copyfile(config, bundle / "config.yaml")


def onnx_available() -> bool:
    """Whether the extra ``onnx`` is installed."""
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime"))


def export_onnx(bundle: Path) -> Path:
    """Write the network of a bundle as model.onnx, with dynamic batch size and lengths.

    The graph has standard operators only; onnxruntime fuses them when it loads the graph. The parity check decides
    whether the result can be used.

    Raises:
        ExportError: the network cannot be traced.
    """
    model = RasidModel.from_pretrained(bundle, dtype=torch.float32).eval()
    inputs = _sample(model)
    with torch.inference_mode():
        names = list(model(**inputs))
    axes = {name: {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO} for name in inputs}
    # The exporter prints its steps, and warns about kernels that this network does not use.
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                args=(),
                kwargs=inputs,
                dynamo=True,
                dynamic_shapes=axes,
                input_names=list(inputs),
                output_names=names,
            )
    except Exception as error:  # what it raises depends on the version of torch
        raise ExportError(f"the network cannot be exported: {type(error).__name__}: {error}") from error
    finally:
        exporter.setLevel(level)
    assert program is not None
    file = bundle / ONNX_FILE
    program.save(file)
    return file


def _sample(model: RasidModel) -> dict[str, torch.Tensor]:
    """Inputs of three windows. No axis has length 1, which tracing would take as fixed."""
    length, words, sentences = 24, 9, 3
    rng = np.random.default_rng(0)
    vocabulary = model.encoder.config.vocab_size
    first = np.arange(words) * 2 + 1
    ranges = np.stack([first, first + 2], axis=1)
    edges = np.linspace(0, words, sentences + 1).astype(int)
    return {
        "input_ids": torch.from_numpy(rng.integers(0, vocabulary, (3, length))),
        "attention_mask": torch.from_numpy((np.arange(length) < np.array([[24], [20], [22]])).astype(np.int64)),
        "words": torch.from_numpy(np.stack([ranges] * 3)),
        "sentences": torch.from_numpy(np.stack([np.stack([edges[:-1], edges[1:]], axis=1)] * 3)),
        "sentence_numbers": torch.from_numpy(np.stack([np.arange(sentences)] * 3)),
    }
