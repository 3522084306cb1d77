"""Running the network of a bundle: with torch, or with onnxruntime and without torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import renamed
from .bundle import ONNX_FILE, WEIGHTS_FILE, BundleError, bundle_file, unreadable

if TYPE_CHECKING:
    from .network import RasidModel

Backend = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
"""Padded inputs of a batch → head → logits."""

_CUDA = "CUDAExecutionProvider"
_OLD_WEIGHTS = {rf"^{old}\.": f"{new}." for old, new in renamed.TASKS.items()}


def load_backend(
    folder: Path, backend: str, widths: Mapping[str, int], device: str | None = None, threads: int | None = None
) -> Backend:
    """The network of a bundle as a function.

    Args:
        folder: a bundle.
        backend: ``torch`` or ``onnx``.
        widths: head → logits per word or sentence, which the network must have.
        device: ``cpu``, ``cuda``, …; None takes that of `default_device`.
        threads: of the CPU, for onnx; None takes one per core.

    Raises:
        BundleError: the bundle has no file for the backend, or the backend is not installed or unknown.
    """
    default = default_device(backend)  # an unknown backend is an error there
    if backend == "torch":
        return _load_torch(folder, device or default)
    return _load_onnx(folder, widths, device or default, threads)


def default_device(backend: str) -> str:
    """``cuda`` if the backend has a GPU, else ``cpu``.

    Raises:
        BundleError: the backend is not installed or unknown.
    """
    if backend == "torch":
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    if backend == "onnx":
        return "cuda" if _CUDA in _onnxruntime().get_available_providers() else "cpu"
    raise BundleError(f"unknown backend {backend!r}: there are 'torch' and 'onnx'")


def _load_torch(folder: Path, device: str) -> Backend:
    file = bundle_file(folder, WEIGHTS_FILE)
    import torch

    from .network import RasidModel

    try:
        # The checkpoint may be in half precision; the scores in its report were measured in float32.
        loaded: Any = RasidModel.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, local_files_only=True, key_mapping=_OLD_WEIGHTS
        )
    except Exception as error:  # what a broken file raises depends on how it is broken
        raise unreadable(file, error) from error
    model, report = loaded
    # transformers only warns about missing weights, and initializes them at random.
    if missing := sorted(report["missing_keys"]):
        raise BundleError(f"{file}: {len(missing)} weights are missing, such as {missing[0]}")
    model.to(device)  # type: ignore[arg-type]
    return torch_backend(model)


def torch_backend(network: "RasidModel") -> Backend:
    """Run a `RasidModel` on its device, in evaluation mode."""
    import torch

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        device = next(network.parameters()).device
        training = network.training
        network.eval()
        try:
            with torch.inference_mode():
                tensors = {name: torch.from_numpy(values).to(device) for name, values in inputs.items()}
                return {task: values.float().cpu().numpy() for task, values in network(**tensors).items()}
        finally:
            network.train(training)

    return run


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise BundleError("backend 'onnx' needs onnxruntime: pip install 'rasid[onnx]'") from error
    return onnxruntime


def _load_onnx(folder: Path, widths: Mapping[str, int], device: str, threads: int | None) -> Backend:
    file = bundle_file(folder, ONNX_FILE, "run rasid export with onnx, or use backend='torch'")
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    if device != "cpu" and _CUDA not in onnxruntime.get_available_providers():
        raise BundleError(f"backend 'onnx' cannot run on {device!r} here: pip install onnxruntime-gpu, or device='cpu'")
    # TensorRT, if installed, would build an engine for every new shape of a batch.
    providers = ["CPUExecutionProvider"] if device == "cpu" else [_CUDA, "CPUExecutionProvider"]
    # On a CPU the fused kernel is ten times slower than Add and LayerNormalization.
    unwanted = ["SkipLayerNormFusion"] if device == "cpu" else []
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers, disabled_optimizers=unwanted)
    except Exception as error:  # its exceptions have no base class of their own
        raise unreadable(file, error) from error
    names = [str(output.name) for output in session.get_outputs()]
    tasks = [renamed.TASKS.get(name, name) for name in names]
    found = dict(zip(tasks, (output.shape[-1] for output in session.get_outputs()), strict=True))
    # An axis whose length the graph leaves open has a name instead of a number.
    differ = [name for name, width in found.items() if isinstance(width, int) and width != widths.get(name)]
    if found.keys() != widths.keys() or differ:
        raise BundleError(
            f"{file}: it is of another bundle: its outputs are {_listed(found)}, not {_listed(widths)}; export again"
        )
    old_names = {renamed.INPUTS.get(entry.name, entry.name): entry.name for entry in session.get_inputs()}

    def run(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        feed = {old_names[name]: values for name, values in inputs.items() if name in old_names}
        return {name: np.asarray(values) for name, values in zip(tasks, session.run(names, feed), strict=True)}

    return run


def _listed(widths: Mapping[str, object]) -> str:
    return ", ".join(f"{name} [{width}]" for name, width in widths.items())
