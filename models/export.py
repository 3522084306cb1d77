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
from .backends import ONNX_FILE, WEIGHTS_FILE
from .bundle import SETTINGS_FILE, BundleError
from .network import RasidModel
from .ngrams import NGRAM_FILE

logger = logging.getLogger(__name__)

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
    missing = [name for name in BUNDLE_FILES if not (trained / name).is_file()]
    if missing:
        raise BundleError(f"{trained}: there is no {missing[0]}; train the run again")
    bundle.mkdir(parents=True, exist_ok=True)
    for name in (*BUNDLE_FILES, NGRAM_FILE):
        if name != NGRAM_FILE or (trained / name).is_file():
            shutil.copyfile(trained / name, bundle / name)
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
    axes = {name: {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO} for name in inputs}
    file = bundle / ONNX_FILE
    names = list(_outputs(model, inputs))
    import onnx_ir

    program = None
    # Both exporters print their steps, and warn about kernels that this network does not use.
    exporters = logging.getLogger("torch.onnx")
    level = exporters.level
    exporters.setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            from transformers.exporters.configs import OnnxConfig
            from transformers.exporters.exporter_onnx import OnnxExporter

            config = OnnxConfig(dynamic=True, dynamic_shapes=axes)
            program, _ = OnnxExporter().export_program(model, dict(inputs), config)
        except Exception as error:  # whatever it raises, torch's own exporter may work
            logger.info("transformers' exporter failed (%s: %s); using torch.onnx", type(error).__name__, error)
        if program is None:
            try:
                exported = torch.onnx.export(
                    model,
                    args=(),
                    kwargs=dict(inputs),
                    dynamo=True,
                    dynamic_shapes=axes,
                    input_names=list(inputs),
                    output_names=names,
                )
                assert exported is not None
                program = exported.model
            except Exception as error:
                raise ExportError(f"the network cannot be exported: {type(error).__name__}: {error}") from error
    exporters.setLevel(level)
    for value, name in zip(program.graph.outputs, names, strict=True):
        value.name = name
    onnx_ir.save(program, str(file))
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


def _outputs(model: RasidModel, inputs: dict[str, torch.Tensor]) -> tuple[str, ...]:
    with torch.inference_mode():
        return tuple(model(**inputs))
