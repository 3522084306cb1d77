"""What a person sees of a run: one bar, and a line of a table for each evaluation."""

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .run_folder import RunError


class JsonLog(TrainerCallback):
    """Appends every log to a JSONL file; a resumed run goes on in the same file.

    Args:
        file: of the run, shared by its seeds.
        seed: stands in every line.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self.file, self.seed = file, seed

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take out what a killed run logged after its last checkpoint: those steps are taken again."""
        if not state.is_world_process_zero or not self.file.is_file():
            return
        kept = []
        for line in self.file.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # the kill came while it was written
                continue
            if entry["seed"] != self.seed or entry["step"] <= state.global_step:
                kept.append(line)
        self.file.write_text("".join(kept), encoding="utf-8")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write one line."""
        if state.is_world_process_zero and logs:
            with self.file.open("a", encoding="utf-8") as stream:
                entry = {"seed": self.seed, "step": state.global_step, **logs}
                stream.write(json.dumps(entry, ensure_ascii=False) + "\n")


class Progress(TrainerCallback):
    """One bar for the run, one table row for each evaluation, both on stderr.

    Args:
        title: of the bar.
        metric: the figure whose best value gets the star.
    """

    def __init__(self, title: str, metric: str) -> None:
        self.title, self.metric = title, f"eval_{metric}"
        self.bar: tqdm | None = None
        self.columns: list[tuple[str, int]] = []
        self.loss: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the bar where a resumed run stands."""
        if state.is_world_process_zero:
            self.bar = tqdm(
                total=state.max_steps,
                initial=state.global_step,
                desc=self.title,
                unit="step",
                mininterval=0.1 if sys.stderr.isatty() else 30,  # a log file is no place for an animation
            )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Move on."""
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the loss."""
        if self.bar is not None and logs and "loss" in logs:
            self.loss = logs["loss"]
            self.bar.set_postfix(loss=f"{self.loss:.3f}")

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a row: step, loss, the dev figures, a star at the best so far."""
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

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


def _table_head(names: Sequence[str]) -> tuple[str, str, list[tuple[str, int]]]:
    r"""Two lines, tasks over their figures, and the width of each figure's column; five tasks take 80 characters.

    >>> print("\n".join(_table_head(["entities.f1", "article_types.f1", "article_types.ap"])[:2]))
                      entities     event_types
       step     loss        f1      f1      ap
    """
    upper, lower, columns = [" " * 7] * 2, [f"{'step':>7}", f"{'loss':>7}"], []
    for task, group in groupby(names, key=lambda name: name.split(".")[0]):
        figures = list(group)
        width = max(6, -(-(len(task) - 2 * (len(figures) - 1)) // len(figures)))
        upper.append(f"{task:>{width * len(figures) + 2 * (len(figures) - 1)}}")
        lower += [f"{name.split('.')[1]:>{width}}" for name in figures]
        columns += [(name, width) for name in figures]
    return "  ".join(upper), "  ".join(lower), columns


def loggers(wanted: Sequence[str]) -> list[str]:
    """The loggers of a config that can be used; tensorboard is left out where it is not installed.

    Raises:
        RunError: another one is not installed.
    """
    for name in wanted:
        if name != "tensorboard" and not find_spec(name):
            raise RunError(f"training.report_to: {name} is not installed: pip install {name}")
    return [name for name in wanted if find_spec(name)]
