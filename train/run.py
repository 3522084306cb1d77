"""A training run from config to report: train each seed, choose by dev, calibrate, export, score the test sets once.

runs/NAME/config.yaml      the resolved config
runs/NAME/log.jsonl        losses and dev figures
runs/NAME/checkpoints/     seed-N/: what a killed run goes on from, and the best weights
runs/NAME/bundle/          the tagger that is best on dev
runs/NAME/report/          a report for each test set (and dev), as JSON and Markdown
runs/NAME/metrics.json     figures of every seed
"""

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from transformers import TrainingArguments
from transformers.trainer_callback import PrinterCallback

from ..configs.schema import Config
from ..data.windows.training_set import Statistics, WindowSet
from ..evaluate import offline
from ..evaluate.report import Report
from ..inference import Tagger
from ..models.backends import torch_backend
from ..models.bundle import Settings
from ..models.encoders import EncoderWithTokenizer
from ..models.network import RasidModel
from . import prepare, resume
from .export import export
from .optimizer import make_optimizer, parameter_groups
from .progress import JsonLog, Progress, loggers
from .run_folder import RunError, is_done, open_run_folder, write_json
from .summary import Summary, describe, summarize
from .trainer import RasidTrainer, processes

__all__ = ["Result", "RunError", "describe", "export", "train"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run gave.

    Attributes:
        folder: of the run.
        summary: what was trained on; None where an earlier call had done all.
        reports: data set → report of the bundle; empty after a dry run.
        metrics: as in metrics.json.
    """

    folder: Path
    summary: Summary | None
    reports: dict[str, Report]
    metrics: dict[str, Any]


def train(
    config: Config, *, dry_run: bool = False, fresh: bool = False, say: Callable[[str], None] = logger.info
) -> Result:
    """Run a config, or go on with it where it was left. A run that is done is left as it is.

    Args:
        config: resolved.
        dry_run: load everything, take one step on one batch, write nothing into the run's folder.
        fresh: throw away what the folder holds of an earlier run.
        say: takes lines for a person.

    Raises:
        DataError, SchemeError, EncoderError, RunError, NonFiniteLossError, ParityError, ExportError: each says what to
            mend.
    """
    folder = config.output / config.name
    state = processes()
    main = state.is_main_process
    say = say if main else lambda line: None
    loggers(config.training.report_to)  # before anything is trained: one that is missing would be told of only then
    data = prepare.load_data(config)
    first = config.training.seeds[0]
    encoder = prepare.make_encoder(config, data, first)
    if dry_run:
        with TemporaryDirectory() as temporary:
            windows, statistics = prepare.make_windows(Path(temporary) / "windows.arrow", config, data, encoder)
            return _dry_run(config, data, encoder, windows, statistics, folder)
    # Only now that the config has shown to be usable: a mistyped path must not leave a folder behind.
    if main:
        open_run_folder(folder, config, data, fresh)
    state.wait_for_everyone()
    if is_done(folder, config):
        say(f"{folder} is done; --fresh would start over")
        return _finished(folder) if main else Result(folder=folder, summary=None, reports={}, metrics={})
    cache = folder / "checkpoints" / "windows.arrow"
    windows, statistics = prepare.make_windows(cache, config, data, encoder)
    plan = prepare.make_plan(config, windows, first)
    summary = summarize(config, data, encoder, statistics, plan, prepare.make_model(config, data, encoder, first))
    del encoder  # each seed loads its own
    say(describe(summary))
    outcomes: dict[int, dict[str, Any]] = {}
    for seed in config.training.seeds:
        outcomes[seed] = _train_seed(config, data, windows, statistics, seed, folder, say)
    state.wait_for_everyone()
    if not main:
        return Result(folder=folder, summary=summary, reports={}, metrics={})
    cache.unlink()
    best = max(outcomes, key=lambda seed: outcomes[seed]["dev"][config.training.metric])
    metrics = _summary(outcomes, best)
    write_json(folder / "metrics.json", metrics)
    reports = export(folder, config=config, data=data, metrics=metrics, say=say)
    return Result(folder=folder, summary=summary, reports=reports, metrics=metrics)


def _finished(folder: Path) -> Result:
    """What a run gave that was done before."""
    return Result(
        folder=folder,
        summary=None,
        reports={
            file.stem: Report.from_json(file.read_text(encoding="utf-8"))
            for file in sorted((folder / "report").glob("*.json"))
        },
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
    )


def _dry_run(
    config: Config,
    data: prepare.Data,
    encoder: EncoderWithTokenizer,
    windows: WindowSet,
    statistics: Statistics,
    folder: Path,
) -> Result:
    """Everything of a run but the training: one batch through model and losses, and back."""
    seed = config.training.seeds[0]
    plan = prepare.make_plan(config, windows, seed)
    model = prepare.make_model(config, data, encoder, seed)
    summary = summarize(config, data, encoder, statistics, plan, model)
    collate = RasidTrainer.collator(encoder.tokenizer, model)
    batch = collate(windows.__getitems__(plan.schedule.batches[0].tolist()))
    targets = batch.pop("targets")
    batch.pop("ids")
    losses = model.losses(model(**batch), targets)
    total = sum((loss / count.clamp(min=1) for loss, count in losses.values()), torch.zeros(()))
    total.backward()
    return Result(folder=folder, summary=replace(summary, loss=float(total.detach())), reports={}, metrics={})


def _train_seed(
    config: Config,
    data: prepare.Data,
    windows: WindowSet,
    statistics: Statistics,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Train one seed to its best weights, calibrate them on dev, and score the test sets."""
    home = folder / "checkpoints" / f"seed-{seed}"
    finished = home / "finished.json"
    main = processes().is_main_process
    if finished.is_file():
        say(f"seed {seed} is trained already")
        if main:
            _drop_checkpoints(home)
        return json.loads(finished.read_text(encoding="utf-8"))
    how = config.training
    plan = prepare.make_plan(config, windows, seed)
    encoder = prepare.make_encoder(config, data, seed)
    model = prepare.make_model(config, data, encoder, seed)
    settings = prepare.make_settings(config, data, encoder)
    ngrams = prepare.make_ngrams(config, data, encoder)

    def tagger(network: RasidModel, chosen: Settings) -> Tagger:
        return Tagger(
            settings=replace(chosen, transitions=_transitions(network)),
            tokenizer=encoder.tokenizer,
            backend=torch_backend(network),
            batch_tokens=how.batch_tokens,
            ngrams=ngrams,
        )

    def score(network: RasidModel) -> dict[str, float]:
        reader = tagger(network, settings)
        outcomes = [offline.run(reader, dataset.articles, dataset.annotated_labels) for dataset in data.dev]
        # With tuned thresholds, as it will be exported: at one half a rare label has an F1 of 0 for epochs.
        return offline.headline(outcomes, offline.calibrate(settings, outcomes))

    cuda = torch.cuda.is_available()
    trainer = RasidTrainer(
        model=model,
        args=_arguments(config, plan, seed, home),
        windows=windows,
        schedule=plan.schedule,
        per_epoch=plan.per_epoch,
        pad_id=RasidTrainer.pad_id(encoder.tokenizer),
        optimizer=make_optimizer(
            parameter_groups(
                model,
                learning_rate=how.learning_rate,
                head_learning_rate=how.head_learning_rate,
                layer_decay=how.layer_decay,
                weight_decay=how.weight_decay,
            ),
            fused=True,
        ),
        score=score,
        weights={task: config.tasks[task].weight for task in model.config.tasks},  # type: ignore[index]
        positive_weights={task: options.positive_weight for task, options in config.tasks.items()},
        tag_weights=prepare.tag_weights(config, statistics),
        callbacks=[
            JsonLog(folder / "log.jsonl", seed),
            Progress(f"{config.name} seed {seed}", how.metric),
            resume.OneOptimizer(),
            *([resume.Patience(how.patience)] if how.patience else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    begin = time.perf_counter()
    checkpoint = resume.last_whole(home, tidy=main)
    processes().wait_for_everyone()
    state = resume.read_state(checkpoint) if checkpoint else None
    if state is None or not resume.is_over(state):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        state = trainer.state
    result: dict[str, Any] = {
        "steps": state.global_step,
        "best_step": state.best_global_step,
        "seconds": None if checkpoint else round(time.perf_counter() - begin, 1),  # unknown of a run in pieces
    }
    if main:
        # As they were saved, in full precision: what is measured here is what is exported.
        network = RasidModel.from_pretrained(home / f"checkpoint-{state.best_global_step}", dtype=torch.float32)
        network.to(trainer.args.device)  # type: ignore[arg-type]
        outcomes = [offline.run(tagger(network, settings), d.articles, d.annotated_labels) for d in data.dev]
        tuned = offline.calibrate(replace(settings, transitions=_transitions(network)), outcomes)
        reader = tagger(network, tuned)
        dev = [offline.run(reader, dataset.articles, dataset.annotated_labels) for dataset in data.dev]
        result["dev"] = offline.headline(dev, tuned)
        result["test"] = {
            dataset.name: offline.headline([offline.run(reader, dataset.articles, dataset.annotated_labels)], tuned)
            for dataset in data.test
        }
        tuned = replace(
            tuned, trained={"config": config.name, "seed": seed, "device": "GPU" if cuda else "CPU", **result}
        )
        best = home / "best"
        if best.is_dir():
            shutil.rmtree(best)
        network.save_pretrained(best)
        prepare.save_tokenizer(encoder.tokenizer, best)
        if ngrams is not None:
            ngrams.save(best)
        tuned.save(best)
        write_json(finished, result)
        _drop_checkpoints(home)
    return result


def _drop_checkpoints(home: Path) -> None:
    for checkpoint in resume.checkpoints(home):
        shutil.rmtree(checkpoint)


def _transitions(model: RasidModel) -> tuple[tuple[float, ...], ...] | None:
    if model.chain is None:
        return None
    return tuple(tuple(row) for row in model.chain.scores().detach().float().cpu().tolist())


def _arguments(config: Config, plan: prepare.Plan, seed: int, home: Path) -> TrainingArguments:
    how = config.training
    every = max(1, min(plan.steps, round(plan.steps_per_epoch / how.evaluations)))
    cuda = torch.cuda.is_available()
    bf16 = how.precision == "bf16" or (how.precision == "auto" and cuda and torch.cuda.is_bf16_supported())
    arguments = TrainingArguments(
        output_dir=str(home),
        num_train_epochs=1,  # the schedule is the whole run
        max_steps=plan.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=how.accumulation,
        learning_rate=how.learning_rate,
        lr_scheduler_type=how.schedule,
        warmup_steps=round(how.warmup * plan.steps),
        max_grad_norm=how.max_grad_norm,
        bf16=bf16,
        seed=seed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{how.metric}",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,  # or early stopping would begin to count anew
        logging_steps=max(1, min(20, every)),
        logging_nan_inf_filter=False,  # it would log 0.0 after a NaN
        report_to=loggers(how.report_to),
        disable_tqdm=True,  # one bar of our own
        remove_unused_columns=False,
        label_names=["targets"],
        dataloader_num_workers=how.workers,
        dataloader_pin_memory=cuda,
        ddp_find_unused_parameters=False,
        accelerator_config={"even_batches": False, "split_batches": False},
        use_cpu=not cuda,
    )
    if how.gradient_checkpointing:
        arguments.gradient_checkpointing = True
    if arguments.n_gpu > 1:
        # DataParallel would cut our nested batches apart; several GPUs are used through torchrun.
        arguments._n_gpu = 1
    return arguments


def _summary(outcomes: dict[int, dict[str, Any]], best: int) -> dict[str, Any]:
    """Figures of every seed, their mean and spread."""

    def spread(tables: list[dict[str, float]]) -> dict[str, dict[str, float | None]]:
        return {
            name: {
                "mean": float(np.mean([table[name] for table in tables])),
                "sd": float(np.std([table[name] for table in tables], ddof=1)) if len(tables) > 1 else None,
            }
            for name in tables[0]
        }

    results = list(outcomes.values())
    return {
        "best_seed": best,
        "seeds": {str(seed): outcome for seed, outcome in outcomes.items()},
        "dev": spread([result["dev"] for result in results]),
        "test": {name: spread([result["test"][name] for result in results]) for name in results[0]["test"]},
    }
