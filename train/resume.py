"""What a killed run goes on from: the last whole checkpoint, and whether anything is left to train."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, TRAINER_STATE_NAME


class Patience(EarlyStoppingCallback):
    """Stops after so many evaluations without a better figure, but not while the rates still rise."""

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        """Count an evaluation."""
        if state.global_step > args.get_warmup_steps(state.max_steps):
            super().check_metric_value(args, state, control, metric_value)


class OneOptimizer(TrainerCallback):
    """Keeps the optimizer's state, twice the size of the weights, in the last checkpoint only."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Delete it from the older ones, now that a newer one is whole."""
        if state.is_world_process_zero and args.output_dir:
            for checkpoint in checkpoints(Path(args.output_dir)):
                if step_of(checkpoint) != state.global_step:
                    (checkpoint / OPTIMIZER_NAME).unlink(missing_ok=True)


def step_of(checkpoint: Path) -> int:
    """Optimizer steps before a checkpoint."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints(home: Path) -> list[Path]:
    """Checkpoints in a folder, whole or not, by their steps."""
    found = [path for path in home.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdecimal()]
    return sorted(found, key=step_of)


def read_state(checkpoint: Path) -> TrainerState | None:
    """The trainer's state, which is written last; None where a kill came before it was whole."""
    file = checkpoint / TRAINER_STATE_NAME
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return TrainerState(**content)


def last_whole(home: Path, *, tidy: bool) -> Path | None:
    """The checkpoint to go on from; None where there is none.

    Args:
        home: folder of the checkpoints.
        tidy: delete what a kill left half-written, and point the state at the best checkpoint where it lies now (the
            folder may have been moved since). For one process only.
    """
    for checkpoint in reversed(checkpoints(home)):
        state = read_state(checkpoint)
        if state is not None and (checkpoint / OPTIMIZER_NAME).is_file():
            if tidy and state.best_global_step is not None:
                state.best_model_checkpoint = str(home / f"checkpoint-{state.best_global_step}")
                state.save_to_json(str(checkpoint / TRAINER_STATE_NAME))
            return checkpoint
        if tidy and state is None:
            shutil.rmtree(checkpoint)
    return None


def is_over(state: TrainerState) -> bool:
    """Whether training had come to its end when this state was saved: all steps taken, or patience at its end."""
    callbacks: Any = state.stateful_callbacks
    return callbacks["TrainerControl"]["args"]["should_training_stop"] or state.global_step >= state.max_steps
