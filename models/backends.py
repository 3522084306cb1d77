"""What runs the network of a bundle: torch, or onnxruntime without torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .bundle import BundleError

if TYPE_CHECKING:
    from .tagger import RasidModel

WEIGHTS_FILE, ONNX_FILE = "model.safetensors", "model.onnx"


def load_backend(
    folder: Path, backend: str, device: str | None = None
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """A function from padded inputs to logits.

    Args:
        folder: a bundle.
        backend: ``torch`` or ``onnx``.
        device: for torch; None takes a GPU where there is one.

    Raises:
        BundleError: the bundle has no such file, or the backend is not installed or unknown.
    """
    match backend:
        case "torch":
            return _load_torch(folder, device)
        case "onnx":
            return _load_onnx(folder)
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


def _load_onnx(folder: Path) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    if not (folder / ONNX_FILE).is_file():
        raise BundleError(f"{folder}: there is no {ONNX_FILE}; run rasid export with onnx, or use backend='torch'")
    try:
        import onnxruntime
    except ImportError as error:
        raise BundleError("backend 'onnx' needs onnxruntime: pip install 'rasid[onnx]'") from error
    session = onnxruntime.InferenceSession(str(folder / ONNX_FILE), providers=onnxruntime.get_available_providers())
    names = [output.name for output in session.get_outputs()]
    wanted = {entry.name for entry in session.get_inputs()}

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        fed = {name: values for name, values in inputs.items() if name in wanted}
        return {name: np.asarray(values) for name, values in zip(names, session.run(names, fed), strict=True)}

    return run
