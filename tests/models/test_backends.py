"""What runs the network: devices, threads, and the ONNX file of a bundle."""

from pathlib import Path

import numpy as np
import pytest

from rasid.models.backends import load_backend
from rasid.models.bundle import BundleError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def doubler(tmp_path: Path) -> Path:
    """A folder with a network that doubles ``input_ids`` and calls the result ``entities``."""
    ids = onnx.helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, ["B", "T"])
    out = onnx.helper.make_tensor_value_info("entities", onnx.TensorProto.INT64, ["B", "T"])
    node = onnx.helper.make_node("Add", ["input_ids", "input_ids"], ["entities"])
    graph = onnx.helper.make_graph([node], "doubler", [ids], [out])
    opset = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "model.onnx")
    return tmp_path


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_a_network_is_given_the_inputs_that_it_has(doubler: Path, threads: int | None) -> None:
    run = load_backend(doubler, "onnx", {"entities": 3}, "cpu", threads)
    ids = np.array([[1, 2, 3]])
    assert {task: logits.tolist() for task, logits in run({"input_ids": ids, "words": ids}).items()} == {
        "entities": [[2, 4, 6]]
    }


def test_a_device_that_is_not_there_is_refused(doubler: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has it")
    with pytest.raises(BundleError, match="'cuda'.*onnxruntime-gpu"):
        load_backend(doubler, "onnx", {"entities": 3}, "cuda")


@pytest.mark.parametrize("device", [None, "cpu"])
def test_an_unknown_backend_is_refused(doubler: Path, device: str | None) -> None:
    with pytest.raises(BundleError, match="unknown backend 'onnx-int4'"):
        load_backend(doubler, "onnx-int4", {}, device)


@pytest.mark.parametrize("widths", [{}, {"triggers": 3}, {"entities": 3, "triggers": 3}])
def test_a_network_with_other_outputs_is_refused(doubler: Path, widths: dict[str, int]) -> None:
    with pytest.raises(BundleError, match=r"of another bundle: its outputs are entities \[T\], not"):
        load_backend(doubler, "onnx", widths)
