"""Checkpoints of a pretraining run. A checkpoint is complete or absent."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.logging import disable_progress_bar, enable_progress_bar, is_progress_bar_enabled

from ...files import whole
from ...manifest import manifest_problem, write_manifest

logger = logging.getLogger(__name__)

STATE = "training_state.pt"


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Hide the progress bars of transformers, which would overwrite the bar of the run."""
    enabled = is_progress_bar_enabled()
    disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            enable_progress_bar()


def save_checkpoint(
    folder: Path, step: int, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, state: dict[str, Any]
) -> None:
    """Write the folder `step-N`: a transformers checkpoint, the tokenizer and the training state."""
    with whole(folder / f"step-{step:09d}", folder=True) as checkpoint:
        with no_progress_bars():
            model.save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)
        torch.save(state, checkpoint / STATE)
        write_manifest(checkpoint, hashed=False)
        for path in checkpoint.iterdir():  # on the disk before the folder gets its name
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def latest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the most steps that is complete, or None. One that was damaged is passed over."""
    for checkpoint in reversed(_checkpoints(folder)):
        if (problem := manifest_problem(checkpoint)) is None:
            return checkpoint
        logger.warning("%s is not complete and is passed over: %s", checkpoint, problem)
    return None


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Delete all but the last ``keep`` checkpoints."""
    for path in _checkpoints(folder)[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def load_state(checkpoint: Path) -> dict[str, Any]:
    """The training state that `save_checkpoint` got. Loads tensors and plain values only."""
    return torch.load(checkpoint / STATE, map_location="cpu", weights_only=True)


def _checkpoints(folder: Path) -> list[Path]:
    """Checkpoints by step, without unfinished ones, which have a suffix."""
    return sorted(path for path in folder.glob("step-*") if not path.suffix)
