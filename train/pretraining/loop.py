"""The pretraining loop: steps, evaluation on held-out text, metrics, checkpoints.

The batch of a step depends on seed and step number only, so the state of a run is weights, optimizers and counters.
"""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from ...configs.pretrain_schema import PretrainConfig
from ...progress import track
from .checkpoints import prune_checkpoints, save_checkpoint
from .errors import PretrainingError
from .masking import SpecialIds, mask_words, sequences_at, steps_per_epoch
from .model import MaskedLanguageModel
from .schedule import cooldown_range, learning_rate
from .shards import Shards

logger = logging.getLogger(__name__)
EVALUATION_SEED = 20_000_003  # the held-out text has the same masks in every run
EVALUATION_SHARE = 0.15  # of words masked in evaluation, whatever the objective, so that runs can be compared


@dataclass(kw_only=True)
class TrainingState:
    """Counters of a run, saved with every checkpoint.

    Attributes:
        step: optimizer steps taken.
        tokens: sub-words seen.
        seconds: training time over all sessions.
        cooldown_start: tokens at which a cooldown without a token budget starts.
        loss_sum: summed loss of the steps since the last line of metrics.jsonl.
        loss_steps: number of those steps.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cooldown_start: float | None = None
    loss_sum: float = 0.0
    loss_steps: int = 0


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """A run in memory.

    Attributes:
        config: resolved.
        model: on its device.
        tokenizer: saved with every checkpoint.
        special: ids that masking needs.
        optimizers: over all parameters of the model.
        shards: the text.
        state: counters, updated in place.
    """

    config: PretrainConfig
    model: MaskedLanguageModel
    tokenizer: PreTrainedTokenizerFast
    special: SpecialIds
    optimizers: list[torch.optim.Optimizer]
    shards: Shards
    state: TrainingState

    @property
    def step_tokens(self) -> int:
        """Sub-words in a step."""
        return self.config.optimization.batch * self.config.optimization.sequence


def train(run: Pretraining) -> None:
    """Take steps until the budget is spent or SIGINT or SIGTERM arrives.

    Raises:
        PretrainingError: the loss is not finite, or the start of the cooldown is not known.
    """
    state, reporting = run.state, run.config.reporting
    start, end = cooldown_range(run.config, state.cooldown_start)
    metrics = MetricsLog(Path(run.config.output) / "metrics.jsonl", state.step)
    first = state.step
    saved = logged = time.monotonic()
    run.model.model.train()
    left = None if end is None else math.ceil(max(0, end - state.tokens) / run.step_tokens)
    with _stop_on_signal() as stop:
        for rate in track(_rates(run, stop, start, end), "pretraining", left):
            began = time.monotonic()
            state.loss_sum += take_step(run, rate)
            state.loss_steps += 1
            state.step += 1
            state.tokens += run.step_tokens
            state.seconds += time.monotonic() - began
            if state.step % reporting.log_steps == 0:
                speed = reporting.log_steps * run.step_tokens / max(time.monotonic() - logged, 1e-9)
                figures = {"loss": state.loss_sum / state.loss_steps, "learning_rate": rate, "tokens_per_second": speed}
                metrics.write(step=state.step, tokens=state.tokens, **figures)
                state.loss_sum, state.loss_steps, logged = 0.0, 0, time.monotonic()
            if state.step % reporting.evaluate_steps == 0:
                metrics.write(step=state.step, tokens=state.tokens, **evaluate(run))
                logged = time.monotonic()
            if time.monotonic() - saved >= 60 * reporting.checkpoint_minutes:
                save(run)
                saved = time.monotonic()
    if state.step > first:
        save(run)
        if state.step % reporting.evaluate_steps:
            metrics.write(step=state.step, tokens=state.tokens, **evaluate(run))


def take_step(run: Pretraining, rate: float) -> float:
    """One optimizer step with a learning rate; returns the loss in nats.

    Raises:
        PretrainingError: loss or gradient is not finite.
    """
    optimization, objective, step = run.config.optimization, run.config.objective, run.state.step
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    shape = {"batch": optimization.batch, "sequence": optimization.sequence}
    ids, continues = sequences_at(run.shards.train, step, run.special, **shape, seed=optimization.seed)
    generator = np.random.default_rng((optimization.seed, 1, step))
    masking: dict[str, Any] = {"share": objective.masked, "whole_words": objective.whole_words}
    batch = mask_words(ids, continues, run.special, generator=generator, **masking)
    loss, _, _ = run.model.predict(batch)
    loss.backward()
    parameters = [p for p in run.model.model.parameters() if p.requires_grad]
    norm = torch.nn.utils.clip_grad_norm_(parameters, optimization.max_grad_norm).item()
    value = loss.item()
    if not math.isfinite(value + norm):
        raise PretrainingError(
            f"loss {value} and gradient norm {norm} at step {step}; lower optimization.learning_rate and repeat the "
            "command, which continues from the last checkpoint"
        )
    for optimizer in run.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return value


@torch.inference_mode()
def evaluate(run: Pretraining) -> dict[str, float]:
    """Loss in nats per masked sub-word, perplexity and accuracy on held-out text, always under the same masks."""
    stream, optimization = run.shards.heldout, run.config.optimization
    # A short held-out part gets shorter sequences and smaller batches.
    sequence = min(optimization.sequence, len(stream) // 2 + 2)
    batch = min(optimization.batch, (len(stream) - sequence + 2) // (sequence - 2))
    steps = steps_per_epoch(stream, batch=batch, sequence=sequence)
    steps = min(steps, max(1, run.config.reporting.evaluate_sequences // batch))
    loss = correct = count = 0.0
    run.model.model.eval()
    for step in range(steps):
        ids, continues = sequences_at(stream, step, run.special, batch=batch, sequence=sequence, seed=EVALUATION_SEED)
        generator = np.random.default_rng((EVALUATION_SEED, step))
        masked = mask_words(ids, continues, run.special, share=EVALUATION_SHARE, generator=generator)
        mean, hidden, labels = run.model.predict(masked, compiled=False)
        loss += mean.item() * len(labels)
        correct += (run.model.logits(hidden).argmax(-1) == labels).sum().item()
        count += len(labels)
    run.model.model.train()
    mean = loss / count
    return {"heldout_loss": mean, "heldout_perplexity": math.exp(min(mean, 50.0)), "heldout_accuracy": correct / count}


def save(run: Pretraining) -> None:
    """Write a checkpoint and delete old ones."""
    folder = Path(run.config.output) / "checkpoints"
    content = {
        "progression": vars(run.state).copy(),
        "optimizers": [optimizer.state_dict() for optimizer in run.optimizers],
        "torch_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all(),
        "tokenizer_hash": run.shards.tokenizer_hash,
    }
    save_checkpoint(folder, run.state.step, run.model.model, run.tokenizer, content)
    prune_checkpoints(folder, run.config.reporting.keep)


class MetricsLog:
    """Appends rows to a JSONL file, and logs them.

    Args:
        file: metrics.jsonl of the run.
        step: step at which the run resumes; later rows are deleted, because their steps are taken again.
    """

    def __init__(self, file: Path, step: int) -> None:
        self.file = file
        if file.is_file():
            complete = file.read_text(encoding="utf-8").rpartition("\n")[0]  # a kill may have cut the last line
            rows = [row for row in complete.splitlines() if json.loads(row)["step"] <= step]
            file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

    def write(self, **row: float) -> None:
        """Append a row."""
        logger.info(" ".join(f"{key}={value:.6g}" for key, value in row.items()))
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def _rates(run: Pretraining, stop: threading.Event, start: float | None, end: float | None) -> Iterator[float]:
    """The learning rate of each step, until the budget is spent or ``stop`` is set."""
    state, budget = run.state, run.config.budget
    began = time.monotonic()
    while not stop.is_set() and (end is None or state.tokens < end):
        if budget.minutes and time.monotonic() - began >= 60 * budget.minutes:
            return
        yield learning_rate(state.tokens, run.config.optimization, start, end)


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets. A second signal has its usual effect."""
    event = threading.Event()
    previous: dict[int, Any] = {}

    def handle(number: int, frame: Any) -> None:
        event.set()
        signal.signal(number, previous[number])

    if threading.current_thread() is threading.main_thread():
        previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
