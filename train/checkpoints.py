"""Checkpoints of a fine-tuning run, as `transformers.Trainer` writes them."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerState
from transformers.trainer import OPTIMIZER_NAME, TRAINER_STATE_NAME


def step_of(checkpoint: Path) -> int:
    """Optimizer steps before a checkpoint."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder by step, incomplete ones included."""
    paths = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdecimal()]
    return sorted(paths, key=step_of)


def read_state(checkpoint: Path) -> TrainerState | None:
    """The trainer's state, which is the last file of a checkpoint; None if the checkpoint is incomplete."""
    try:
        content = json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return TrainerState(**content)


def latest_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint from which training can resume, or None."""
    for checkpoint in reversed(checkpoints(folder)):
        if read_state(checkpoint) is not None and (checkpoint / OPTIMIZER_NAME).is_file():
            return checkpoint
    return None


def delete_incomplete(folder: Path) -> None:
    """Delete checkpoints that were being written when the run was killed."""
    for checkpoint in checkpoints(folder):
        if read_state(checkpoint) is None:
            shutil.rmtree(checkpoint)


def delete_checkpoints(folder: Path) -> None:
    """Delete all checkpoints in a folder."""
    for checkpoint in checkpoints(folder):
        shutil.rmtree(checkpoint)


def update_best_path(checkpoint: Path) -> None:
    """Correct the path of the best checkpoint in a saved state: the run folder may have been moved."""
    state = read_state(checkpoint)
    if state is not None and state.best_global_step is not None:
        state.best_model_checkpoint = str(checkpoint.with_name(f"checkpoint-{state.best_global_step}"))
        state.save_to_json(str(checkpoint / TRAINER_STATE_NAME))


def is_finished(state: TrainerState) -> bool:
    """Whether no step is left: all steps were taken, or early stopping ended the run."""
    # Private format of transformers, one reason for the pin <6: early stopping is saved nowhere else.
    callbacks: Any = state.stateful_callbacks
    return callbacks["TrainerControl"]["args"]["should_training_stop"] or state.global_step >= state.max_steps
