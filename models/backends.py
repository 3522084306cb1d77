"""What runs the network of a bundle: torch, or onnxruntime without torch."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .bundle import BundleError

if TYPE_CHECKING:
    from .tagger import RasidModel

WEIGHTS_FILE, ONNX_FILE = "model.safetensors", "model.onnx"


def load_backend(
    folder: Path, backend: str, device: str | None = None, threads: int | None = None
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """A function from padded inputs to logits.

    Args:
        folder: a bundle.
        backend: ``torch`` or ``onnx``.
        device: ``cpu``, ``cuda``, …; None takes a GPU where there is one.
        threads: for onnx: CPU threads; None takes a thread for each core.

    Raises:
        BundleError: the bundle has no such file, or the backend is not installed or unknown.
    """
    match backend:
        case "torch":
            return _load_torch(folder, device)
        case "onnx":
            return _load_onnx(folder, device, threads)
        case _:
            raise BundleError(f"unknown backend {backend!r}: there are 'torch' and 'onnx'")


def _load_torch(folder: Path, device: str | None) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    if not (folder / WEIGHTS_FILE).is_file():
        raise BundleError(f"{folder}: there is no {WEIGHTS_FILE}; export the model again")
    import torch

    from .tagger import RasidModel

    target = device or ("cuda" if torch.cuda.is_available() else "cpu")
    # The checkpoint's own dtype may be half precision; the logits that the report was made with were float32.
    model = RasidModel.from_pretrained(folder, dtype=torch.float32)
    model.to(target)  # type: ignore[arg-type]
    return torch_backend(model)


def torch_backend(network: "RasidModel") -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """Run a `RasidModel`, wherever it lies, in evaluation mode."""
    import torch

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        where = next(network.parameters()).device
        training = network.training
        network.eval()
        try:
            with torch.inference_mode():
                tensors = {name: torch.from_numpy(values).to(where) for name, values in inputs.items()}
                return {task: values.float().cpu().numpy() for task, values in network(**tensors).items()}
        finally:
            network.train(training)

    return run


def _load_onnx(
    folder: Path, device: str | None, threads: int | None
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    if not (folder / ONNX_FILE).is_file():
        raise BundleError(f"{folder}: there is no {ONNX_FILE}; run rasid export with onnx, or use backend='torch'")
    try:
        import onnxruntime
    except ImportError as error:
        raise BundleError("backend 'onnx' needs onnxruntime: pip install 'rasid[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(
        str(folder / ONNX_FILE), options, providers=_providers(onnxruntime.get_available_providers(), device)
    )
    names = [output.name for output in session.get_outputs()]
    wanted = {entry.name for entry in session.get_inputs()}

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        fed = {name: values for name, values in inputs.items() if name in wanted}
        return {name: np.asarray(values) for name, values in zip(names, session.run(names, fed), strict=True)}

    return run


def _providers(available: Sequence[str], device: str | None) -> list[str]:
    """CUDA where it is there and not declined, and the CPU. Others (TensorRT) build an engine for every new shape."""
    cuda = "CUDAExecutionProvider"
    return [cuda] * (cuda in available and device != "cpu") + ["CPUExecutionProvider"]
