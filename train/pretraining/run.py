"""Masked-language-model pretraining: a loop that can be stopped at any moment and goes on as if it never had been.

What a step reads is a function of the seed and the step's number, so the state is weights, optimizer and counters.
The learning rate is warmed up, held, and cooled down only when the end is known (warm-up, stable, decay: Hu et al.
2024, https://arxiv.org/abs/2404.06395), so a run of unknown length can be cut off and continued.
"""

import json
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress, track
from torch import nn
from transformers import PreTrainedTokenizerFast
from transformers.modeling_utils import PreTrainedModel

from ...configs.loader import dump_config, load_config
from ...configs.pretrain_schema import Optimization, PretrainConfig
from .checkpoints import latest_checkpoint, load_state, prune_checkpoints, save_checkpoint
from .masking import SpecialIds, mask_words, sequences_at, steps_per_epoch
from .model import (
    MaskedLanguageModel,
    PretrainingError,
    build_model,
    build_tokenizer,
    export_model,
    place_model,
    special_ids,
)
from .shards import Shards, find_files, prepare_shards, read_texts

logger = logging.getLogger(__name__)
EVALUATION_SEED = 20_000_003  # masks of the held-out text are the same in every run


@dataclass(kw_only=True)
class Progression:
    """Where a run stands; saved with every checkpoint.

    Attributes:
        step: optimizer steps taken.
        tokens: sub-words seen.
        seconds: spent in training, over all sessions.
        cooldown_start: tokens at which the learning rate begins to fall, where the config gives no token budget.
        loss_sum: summed loss of the steps since the last line of metrics.jsonl.
        loss_steps: number of those steps.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cooldown_start: float | None = None
    loss_sum: float = 0.0
    loss_steps: int = 0


def run_pretraining(config: PretrainConfig) -> Path:
    """Pretrain, or go on with it, until the budget is spent or SIGINT or SIGTERM arrives.

    The output folder holds `checkpoints/step-N` (each an ordinary transformers checkpoint with the training state
    beside it), `metrics.jsonl`, `config.yaml`, and the result in `model`.

    Returns:
        the folder of the exported encoder.

    Raises:
        DataError: text that cannot be read.
        PretrainingError: config and checkpoint do not fit, or the loss is not finite.
    """
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    source = latest_checkpoint(output / "checkpoints")
    branched = source is None and config.start_from is not None
    if branched:
        source = Path(str(config.start_from))
        if not (source / "training_state.pt").is_file():
            raise PretrainingError(f"start_from: {source} is not a checkpoint of `rasid pretrain`")
    files = find_files(config.data.files, config.data.exclude)
    tokenizer = _tokenizer(config, files, (source, output))
    cache = Path(config.data.cache) if config.data.cache else output / "shards"
    shards = prepare_shards(
        files, tokenizer.backend_tokenizer, cache, heldout=config.data.heldout, progress=_progress_over
    )
    torch.manual_seed(config.optimization.seed)
    model = build_model(config, tokenizer, source)
    optimizers = _optimizers(model, config.optimization)
    state = Progression()
    if source is not None:
        saved = load_state(source)
        if saved["tokenizer_hash"] != shards.tokenizer_hash:
            raise PretrainingError(f"{source} was trained with another tokenizer; give the run a new output folder")
        state = Progression(**saved["progression"])
        for optimizer, content in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(content)
        torch.set_rng_state(saved["torch_rng"])
        if len(saved.get("cuda_rng", ())) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(saved.get("cuda_rng", []))
        if branched:
            state.cooldown_start = None
    dump_config(config, output / "config.yaml")
    _train(config, place_model(model, config.optimization), tokenizer, optimizers, shards, state, output)
    return export_model(model, tokenizer, output / "model", config.reporting.export_dtype)


def learning_rate(tokens: float, config: Optimization, start: float | None, end: float | None) -> float:
    """The rate after so many tokens.

    Args:
        tokens: sub-words seen.
        config: peak, warm-up and shape.
        start: where the cooldown begins; None for never.
        end: where it reaches zero.
    """
    rate = config.learning_rate * min(1.0, (tokens + 1) / max(config.warmup_tokens, 1.0))
    if start is None or end is None or tokens <= start:
        return rate
    left = max(0.0, (end - tokens) / max(end - start, 1.0))
    return rate * (left if config.cooldown_shape == "linear" else 1.0 - math.sqrt(1.0 - left))


def cooldown_range(config: PretrainConfig, state: Progression) -> tuple[float | None, float | None]:
    """Tokens at which the cooldown starts and ends; None where there is none.

    Raises:
        PretrainingError: it cannot be told when it should start.
    """
    share, total = config.optimization.cooldown, config.budget.tokens
    if not share:
        return None, total
    if total is not None:
        return total * (1 - share), total
    if state.cooldown_start is None:
        state.cooldown_start = float(state.tokens)
    if share == 1 or not state.cooldown_start:
        raise PretrainingError("a cooldown needs budget.tokens, or a checkpoint to begin at and a share below 1")
    return state.cooldown_start, state.cooldown_start / (1 - share)


def _train(
    config: PretrainConfig,
    lm: MaskedLanguageModel,
    tokenizer: PreTrainedTokenizerFast,
    optimizers: list[torch.optim.Optimizer],
    shards: Shards,
    state: Progression,
    output: Path,
) -> None:
    how, reporting = config.optimization, config.reporting
    special = special_ids(tokenizer)
    shape = {"batch": how.batch, "sequence": how.sequence}
    steps_per_epoch(shards.train, **shape)  # says so now if there is too little text
    start, end = cooldown_range(config, state)
    metrics = _Metrics(output / "metrics.jsonl", state.step)
    parameters = [p for p in lm.model.parameters() if p.requires_grad]

    def save() -> None:
        content = {
            "progression": vars(state).copy(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all(),
            "tokenizer_hash": shards.tokenizer_hash,
        }
        save_checkpoint(output / "checkpoints", state.step, lm.model, tokenizer, content)
        prune_checkpoints(output / "checkpoints", reporting.keep)

    first = state.step
    began = saved = logged = time.monotonic()
    lm.model.train()
    with _stop_on_signal() as stop, _bar(end) as (bar, task):
        while not stop.is_set() and (end is None or state.tokens < end):
            now = time.monotonic()
            if config.budget.minutes and now - began >= 60 * config.budget.minutes:
                break
            rate = learning_rate(state.tokens, how, start, end)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
            ids, continues = sequences_at(shards.train, state.step, special, seed=how.seed, **shape)
            generator = np.random.default_rng((how.seed, 1, state.step))
            batch = mask_words(
                ids,
                continues,
                special,
                share=config.objective.masked,
                generator=generator,
                whole_words=config.objective.whole_words,
            )
            loss, _, _ = lm.predict(batch)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, how.clip).item()
            value = loss.item()
            if not math.isfinite(value + norm):
                raise PretrainingError(
                    f"loss {value} and gradient norm {norm} at step {state.step}; the last checkpoint is whole, "
                    "continue it with a smaller optimization.learning_rate"
                )
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            took = time.monotonic() - now
            state.step, state.tokens, state.seconds = state.step + 1, state.tokens + ids.size, state.seconds + took
            state.loss_sum, state.loss_steps = state.loss_sum + value, state.loss_steps + 1
            if state.step % reporting.log_steps == 0:
                speed = reporting.log_steps * ids.size / max(time.monotonic() - logged, 1e-9)
                mean = state.loss_sum / state.loss_steps
                metrics.write(
                    step=state.step, tokens=state.tokens, loss=mean, learning_rate=rate, tokens_per_second=speed
                )
                bar.update(task, completed=state.tokens, description=f"loss {mean:.3f} · {speed:,.0f} sub-words/s")
                state.loss_sum, state.loss_steps, logged = 0.0, 0, time.monotonic()
            if state.step % reporting.evaluate_steps == 0:
                metrics.write(step=state.step, tokens=state.tokens, **_evaluate(config, lm, special, shards))
                logged = time.monotonic()
            if time.monotonic() - saved >= 60 * reporting.checkpoint_minutes:
                save()
                saved = time.monotonic()
    if state.step > first:
        save()
    if state.step > first and state.step % reporting.evaluate_steps:
        metrics.write(step=state.step, tokens=state.tokens, **_evaluate(config, lm, special, shards))


@torch.inference_mode()
def _evaluate(config: PretrainConfig, lm: MaskedLanguageModel, special: SpecialIds, shards: Shards) -> dict[str, float]:
    """Loss in nats per masked sub-word, perplexity, and accuracy on the same held-out text under the same masks."""
    sequence = min(config.optimization.sequence, len(shards.heldout) // 2 + 2)
    batch = min(config.optimization.batch, (len(shards.heldout) - sequence + 2) // (sequence - 2))
    steps = steps_per_epoch(shards.heldout, batch=batch, sequence=sequence)
    steps = min(steps, max(1, config.reporting.evaluate_sequences // batch))
    loss = correct = count = 0.0
    lm.model.eval()
    for step in range(steps):
        ids, continues = sequences_at(
            shards.heldout, step, special, batch=batch, sequence=sequence, seed=EVALUATION_SEED
        )
        masked = mask_words(
            ids,
            continues,
            special,
            share=0.15,  # whatever is trained with, so that runs compare
            generator=np.random.default_rng((EVALUATION_SEED, step)),
        )
        mean, hidden, labels = lm.predict(masked, compiled=False)
        loss += mean.item() * len(labels)
        correct += (lm.logits(hidden).argmax(-1) == labels).sum().item()
        count += len(labels)
    lm.model.train()
    mean = loss / count
    return {"heldout_loss": mean, "heldout_perplexity": math.exp(min(mean, 50.0)), "heldout_accuracy": correct / count}


def _tokenizer(config: PretrainConfig, files: list[Path], runs: Iterable[Path | None]) -> PreTrainedTokenizerFast:
    """The run's own tokenizer where there is one, else the one that the config asks for, kept with the run."""
    for folder in runs:
        if folder is not None and (folder / "tokenizer.json").is_file():
            return PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer = build_tokenizer(
        config, lambda: (text for file in _progress_over(files, "training the vocabulary") for text in read_texts(file))
    )
    tokenizer.save_pretrained(config.output)
    return tokenizer


def _optimizers(model: PreTrainedModel, how: Optimization) -> list[torch.optim.Optimizer]:
    embeddings = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in embeddings]
    others = [p for p in trained if p.ndim != 2 or id(p) in embeddings]
    adamw: dict[str, Any] = {"lr": how.learning_rate, "betas": how.betas, "fused": True}
    if how.optimizer == "muon":
        muon = torch.optim.Muon(
            matrices, lr=how.learning_rate, weight_decay=how.weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        return [muon, torch.optim.AdamW(others, weight_decay=0.0, **adamw)]
    groups = [{"params": matrices, "weight_decay": how.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [torch.optim.AdamW(groups, **adamw)]


class _Metrics:
    """metrics.jsonl, without the lines of steps that a resumed run takes again."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        if path.is_file():
            whole = path.read_text(encoding="utf-8").rpartition("\n")[0]  # a kill may have cut the last line short
            rows = [row for row in whole.splitlines() if json.loads(row)["step"] <= step]
            path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

    def write(self, **row: float) -> None:
        logger.info(" ".join(f"{key}={value:.6g}" for key, value in row.items()))
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second signal does what it always did."""
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


@contextmanager
def _bar(total: float | None) -> Iterator[tuple[Progress, Any]]:
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task("starting", total=total)


def _progress_over(files: Iterable[Path], label: str) -> Iterable[Path]:
    return track(list(files), label, console=Console(stderr=True), disable=not sys.stderr.isatty())


def main() -> None:
    """Run a config: ``python -m rasid.train.pretrain CONFIG [key=value …]``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if "MALLOC_MMAP_MAX_" not in os.environ:
        logger.info("on a CPU, MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=1000000000000 in the environment is faster")
    logger.info("%s", run_pretraining(load_config(sys.argv[1], PretrainConfig, sys.argv[2:])))


if __name__ == "__main__":
    main()
