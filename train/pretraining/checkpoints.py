"""Checkpoints of a pretraining run: whole or not there at all."""

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

STATE = "training_state.pt"


@contextmanager
def no_bars() -> Iterator[None]:
    """Without transformers' progress bars, which would draw over the one of the run."""
    shown = is_progress_bar_enabled()
    disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            enable_progress_bar()


def save_checkpoint(
    folder: Path, step: int, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, state: dict[str, Any]
) -> Path:
    """Write `step-N`: a transformers checkpoint, the tokenizer and the training state.

    It is written under another name and renamed when it is on the disk, so a kill leaves no half checkpoint.
    """
    final, unfinished = folder / f"step-{step:09d}", folder / f"unfinished-{step:09d}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with no_bars():
        model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    torch.save(state, unfinished / STATE)
    for path in unfinished.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
    return final


def latest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the most steps; None where there is none."""
    return max((path for path in folder.glob("step-*") if (path / STATE).is_file()), default=None)


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Delete all but the last ones, and what a kill left unfinished."""
    for path in [*sorted(folder.glob("step-*"))[:-keep], *folder.glob("unfinished-*")]:
        shutil.rmtree(path, ignore_errors=True)


def load_state(checkpoint: Path) -> dict[str, Any]:
    """The training state, as `save_checkpoint` was given it. Reads tensors and plain values only."""
    return torch.load(checkpoint / STATE, map_location="cpu", weights_only=True)
