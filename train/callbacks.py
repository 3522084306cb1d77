"""Callbacks of the trainer: log, progress table, early stopping, disk space."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerState
from transformers.trainer import OPTIMIZER_NAME

from .checkpoints import checkpoints, mark_complete
from .trainer import processes


class EarlyStopping(EarlyStoppingCallback):
    """Stops after a number of evaluations without improvement. Evaluations during warm-up do not count."""

    def check_metric_value(self, args: Any, state: TrainerState, control: Any, metric_value: Any) -> None:
        """Count an evaluation."""
        if state.global_step > args.get_warmup_steps(state.max_steps):
            super().check_metric_value(args, state, control, metric_value)


class CompleteCheckpoints(TrainerCallback):
    """Marks checkpoints as complete, and saves disk space.

    The optimizer's state, twice the size of the weights, stays in the two latest checkpoints only: if the latest is
    damaged, training resumes from the one before it.
    """

    def on_save(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Write the manifest of the new checkpoint, when all processes have written their files."""
        processes().wait_for_everyone()
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir)
        for checkpoint in checkpoints(folder)[:-2]:
            if (checkpoint / OPTIMIZER_NAME).is_file():
                (checkpoint / OPTIMIZER_NAME).unlink()
                mark_complete(checkpoint)
        # Last, because transformers deletes the checkpoints that were changed first.
        mark_complete(folder / f"checkpoint-{state.global_step}")


class JsonLog(TrainerCallback):
    """Appends all logs to a JSONL file.

    Args:
        file: of the run, shared by its seeds.
        seed: added to every line.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self.file, self.seed = file, seed

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Delete lines that a killed run wrote after its last checkpoint, because their steps are taken again."""
        if not state.is_world_process_zero or not self.file.is_file():
            return
        kept = []
        for line in self.file.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # cut short by a kill
                continue
            if entry["seed"] != self.seed or entry["step"] <= state.global_step:
                kept.append(line)
        self.file.write_text("".join(kept), encoding="utf-8")

    def on_log(self, args: Any, state: TrainerState, control: Any, logs: Any = None, **_: Any) -> None:
        """Append a line."""
        if state.is_world_process_zero and logs:
            with self.file.open("a", encoding="utf-8") as stream:
                entry = {"seed": self.seed, "step": state.global_step, **logs}
                stream.write(json.dumps(entry, ensure_ascii=False) + "\n")


class ProgressTable(TrainerCallback):
    """A progress bar, and a table with a row for each evaluation, both on stderr.

    Args:
        title: of the bar.
        metric: dev score whose best value is marked with a star.
    """

    def __init__(self, title: str, metric: str) -> None:
        self.title, self.metric = title, f"eval_{metric}"
        self.bar: tqdm | None = None
        self.columns: list[tuple[str, int]] = []
        self.loss: float | None = None

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Open the bar, at the step where a resumed run starts."""
        if state.is_world_process_zero:
            self.bar = tqdm(
                total=state.max_steps,
                initial=state.global_step,
                desc=self.title,
                unit="step",
                mininterval=0.1 if sys.stderr.isatty() else 30,  # seconds; a log file needs few updates
            )

    def on_step_end(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Advance the bar."""
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: Any, state: TrainerState, control: Any, logs: Any = None, **_: Any) -> None:
        """Show the loss."""
        if self.bar is not None and logs and "loss" in logs:
            self.loss = logs["loss"]
            self.bar.set_postfix(loss=f"{self.loss:.3f}")

    def on_evaluate(self, args: Any, state: TrainerState, control: Any, metrics: Any = None, **_: Any) -> None:
        """Write a row: step, loss, dev scores, and a star if the score is the best so far."""
        if self.bar is None or not metrics:
            return
        if not self.columns:
            names = [name for name in metrics if name.endswith((".f1", ".ap"))]
            *head, self.columns = _table_head([name.removeprefix("eval_") for name in names])
            for line in head:
                tqdm.write(line, file=sys.stderr)
        best = state.best_metric is None or metrics[self.metric] > state.best_metric
        cells = [f"{state.global_step:>7}", f"{'' if self.loss is None else format(self.loss, '.3f'):>7}"]
        cells += [f"{metrics[f'eval_{name}']:>{width}.4f}" for name, width in self.columns]
        tqdm.write("  ".join(cells) + " *" * best, file=sys.stderr)

    def close(self) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


@contextmanager
def closed_bar(callbacks: Iterable[TrainerCallback]) -> Iterator[None]:
    """Close the progress bar at the end of the block, so that an error message begins on a line of its own."""
    try:
        yield
    finally:
        for callback in callbacks:
            if isinstance(callback, ProgressTable):
                callback.close()


def _table_head(names: Sequence[str]) -> tuple[str, str, list[tuple[str, int]]]:
    r"""Two header lines, tasks above their scores, and the width of each column. Five tasks fit 80 characters.

    >>> print("\n".join(_table_head(["entities.f1", "article_types.f1", "article_types.ap"])[:2]))
                      entities   article_types
       step     loss        f1      f1      ap
    """
    upper, lower, columns = [" " * 7] * 2, [f"{'step':>7}", f"{'loss':>7}"], []
    for task, group in groupby(names, key=lambda name: name.split(".")[0]):
        scores = list(group)
        width = max(6, -(-(len(task) - 2 * (len(scores) - 1)) // len(scores)))
        upper.append(f"{task:>{width * len(scores) + 2 * (len(scores) - 1)}}")
        lower += [f"{name.split('.')[1]:>{width}}" for name in scores]
        columns += [(name, width) for name in scores]
    return "  ".join(upper), "  ".join(lower), columns
