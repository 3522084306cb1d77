"""What a person sees of a run: one bar, and a line of a table for each evaluation."""

import json
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class JsonLog(TrainerCallback):
    """Appends every log to a JSONL file; a resumed run goes on in the same file."""

    def __init__(self, file: Path) -> None:
        self.file = file

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
                stream.write(json.dumps({"step": state.global_step, **logs}, ensure_ascii=False) + "\n")


class Progress(TrainerCallback):
    """One bar for the run, one table row for each evaluation."""

    WIDTH = 12

    def __init__(self, title: str, metric: str) -> None:
        self.title, self.metric = title, f"eval_{metric}"
        self.bar: tqdm | None = None
        self.columns: list[str] = []
        self.loss = self.best = float("-inf")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the bar where a resumed run stands."""
        if state.is_world_process_zero:
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc=self.title, unit="step")

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
        names = [name for name in metrics if name.endswith((".f1", ".ap"))]
        if not self.columns:
            self.columns = names
            head = ["step", "loss", *(name.removeprefix("eval_") for name in names)]
            tqdm.write("  ".join(f"{cell:>{max(8, len(cell))}}" for cell in head))
        star = "*" if metrics.get(self.metric, 0) > self.best else ""
        self.best = max(self.best, metrics.get(self.metric, 0))
        cells = [f"{state.global_step:>8}", f"{self.loss:>8.3f}"]
        cells += [f"{metrics[name]:>{max(8, len(name) - 5)}.4f}" for name in self.columns]
        tqdm.write("  ".join(cells) + f"  {star}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()
