"""Checkpoints of a fine-tuning run, as `transformers.Trainer` writes them."""

import json
import shutil
from pathlib import Path
from typing import Any

from accelerate.logging import get_logger
from transformers import TrainerState
from transformers.trainer import OPTIMIZER_NAME, TRAINER_STATE_NAME

from ..manifest import manifest_problem, write_manifest

logger = get_logger(__name__)  # of several processes, only the main one logs


def step_of(checkpoint: Path) -> int:
    """Optimizer steps before a checkpoint."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder by step, incomplete ones included."""
    paths = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdecimal()]
    return sorted(paths, key=step_of)


def read_state(checkpoint: Path) -> TrainerState | None:
    """The trainer's state in a checkpoint; None if it cannot be read."""
    try:
        content = json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return TrainerState(**content)


def mark_complete(checkpoint: Path) -> None:
    """List the files of a checkpoint in its manifest: without one it is not complete.

    The trainer's state is not listed: `update_best_path` may change it.
    """
    write_manifest(checkpoint, hashed=False, without=[TRAINER_STATE_NAME])


def latest_checkpoint(folder: Path) -> Path | None:
    """The latest complete checkpoint, from which training can resume, or None."""
    for checkpoint in reversed(checkpoints(folder)):
        if (checkpoint / OPTIMIZER_NAME).is_file() and _problem(checkpoint) is None:
            return checkpoint
    return None


def delete_incomplete(folder: Path) -> None:
    """Delete checkpoints from which training cannot resume: cut off by a kill, or damaged later."""
    for checkpoint in checkpoints(folder):
        if problem := _problem(checkpoint):
            logger.warning(f"{checkpoint} is not complete and is deleted: {problem}")
            shutil.rmtree(checkpoint)


def _problem(checkpoint: Path) -> str | None:
    """Why training cannot resume from a checkpoint; None if it can.

    The checkpoint with the best dev score so far must be complete too: its weights become the result.
    """
    if problem := manifest_problem(checkpoint):
        return problem
    state = read_state(checkpoint)
    if state is None:
        return f"{TRAINER_STATE_NAME} cannot be read"
    best = state.best_global_step
    if best is not None and best != step_of(checkpoint):
        problem = manifest_problem(checkpoint.with_name(f"checkpoint-{best}"))
        return problem and f"in checkpoint-{best}, the best one, {problem}"
    return None


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
