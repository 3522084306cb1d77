"""Training of one seed: build the parts, fit, select the best checkpoint and calibrate it on dev."""

import json
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.logging import get_logger
from transformers import TrainerState
from transformers.trainer_callback import PrinterCallback

from ..configs.schema import Config
from ..data.windows.encoding import TextEncoder
from ..data.windows.training_set import Statistics, WindowSet
from ..evaluate import offline
from ..files import whole
from ..inference import Tagger
from ..models.backends import torch_backend
from ..models.bundle import Settings
from ..models.encoders import EncoderWithTokenizer, save_tokenizer
from ..models.network import RasidModel
from ..models.ngrams import NgramModel
from . import prepare
from .arguments import training_arguments
from .callbacks import CompleteCheckpoints, EarlyStopping, JsonLog, ProgressTable, closed_bar
from .checkpoints import (
    delete_checkpoints,
    delete_incomplete,
    is_finished,
    latest_checkpoint,
    read_state,
    update_best_path,
)
from .optimizer import make_optimizer, parameter_groups
from .run_folder import write_json
from .tagged import Tagged, tag
from .trainer import NonFiniteLossError, RasidTrainer, processes

logger = get_logger(__name__)  # of several processes, only the main one logs


@dataclass(frozen=True, kw_only=True)
class Run:
    """What all seeds of a run share.

    Attributes:
        config: resolved.
        data: the data sets.
        folder: the run folder.
        text_encoder: encodes articles; all seeds have the same tokenizer.
        windows: training windows.
        statistics: of the training windows.
    """

    config: Config
    data: prepare.Data
    folder: Path
    text_encoder: TextEncoder
    windows: WindowSet
    statistics: Statistics

    @cached_property
    def ngrams(self) -> NgramModel | None:
        """The n-gram model, which no seed influences."""
        return prepare.make_ngrams(self.config, self.data, self.text_encoder)

    def seed_folder(self, seed: int) -> Path:
        """Checkpoints, best weights and result of a seed."""
        return self.folder / "checkpoints" / f"seed-{seed}"

    def tagger(self, network: RasidModel, settings: Settings) -> Tagger:
        """A tagger with a network in memory."""
        return Tagger(
            settings=replace(settings, transitions=_transitions(network)),
            tokenizer=self.text_encoder.tokenizer,
            backend=torch_backend(network),
            batch_tokens=self.config.training.batch_tokens,
            ngrams=self.ngrams,
        )


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is made for one seed.

    Attributes:
        seed: of weights, dropout and the order of batches.
        plan: all batches.
        model: the network, with its first weights.
        settings: of the bundle, before calibration.
    """

    seed: int
    plan: prepare.Plan
    model: RasidModel
    settings: Settings


def train_seed(run: Run, seed: int) -> tuple[dict[str, Any], Tagged | None]:
    """Train one seed and save its best network.

    A seed that was finished by an earlier call is not trained again.

    Returns:
        steps, time, and in the main process scores on dev and test; and dev and test as the best network tags them,
        None if another process or an earlier call tagged them.
    """
    folder, is_main = run.seed_folder(seed), processes().is_main_process
    tagged = None
    if (folder / "finished.json").is_file():
        logger.info(f"seed {seed} is already trained")
        result = json.loads((folder / "finished.json").read_text(encoding="utf-8"))
    else:
        parts = make_parts(run, seed)
        trainer = make_trainer(run, parts)
        prepare.standardize(parts.model, run.windows, parts.plan.schedule.batches, run.text_encoder.pad_id)
        state, seconds = fit(trainer, folder)
        result = {"steps": state.global_step, "best_step": state.best_global_step, "seconds": seconds}
        if is_main:
            result, tagged = select(run, parts, result)
            write_json(folder / "finished.json", result)
    if is_main:
        delete_checkpoints(folder)
    return result, tagged


def make_parts(run: Run, seed: int, encoder: EncoderWithTokenizer | None = None) -> Parts:
    """Batches, network and settings of a seed.

    Args:
        run: shared by all seeds.
        seed: of order and weights.
        encoder: becomes part of the network; None loads it.
    """
    plan = prepare.make_plan(run.config, run.data, run.windows, seed)
    encoder = encoder or prepare.make_encoder(run.config, run.data, seed)
    return Parts(
        seed=seed,
        plan=plan,
        model=prepare.make_model(run.config, run.data, encoder, seed),
        settings=prepare.make_settings(run.config, run.data, encoder),
    )


def make_trainer(run: Run, parts: Parts) -> RasidTrainer:
    """The trainer of a seed, with optimizer and callbacks."""
    config, training = run.config, run.config.training

    def score(network: RasidModel) -> dict[str, float]:
        tagger = run.tagger(network, parts.settings)
        dev = [
            offline.run(tagger, dataset.articles, dataset.annotated_labels, keep_logits=True)
            for dataset in run.data.dev
        ]
        tables = [table for evaluation in dev for table in evaluation.tables.values()]
        if not all(np.isfinite(table.logits[table.annotated]).all() for table in tables):
            raise NonFiniteLossError("a logit", trainer.state.global_step, ", on dev")
        # Thresholds are tuned at every evaluation: with 0.5, a rare label has an F1 of 0 for many epochs.
        settings = offline.calibrate(tagger.settings, dev)
        return offline.headline([offline.rescore(evaluation, settings) for evaluation in dev], settings)

    rates = training.model_dump(include={"learning_rate", "head_learning_rate", "layer_decay", "weight_decay"})
    trainer = RasidTrainer(
        model=parts.model,
        args=training_arguments(config, parts.plan, parts.seed, run.seed_folder(parts.seed)),
        windows=run.windows,
        schedule=parts.plan.schedule,
        per_epoch=parts.plan.per_epoch,
        pad_id=run.text_encoder.pad_id,
        optimizer=make_optimizer(parameter_groups(parts.model, **rates), fused=True),
        score=score,
        weights={task: config.tasks[task].weight for task in parts.model.config.tasks},  # type: ignore[index]
        positive_weights={task: options.positive_weight for task, options in config.tasks.items()},
        tag_weights=prepare.tag_weights(config, run.statistics),
        callbacks=[
            JsonLog(run.folder / "log.jsonl", parts.seed),
            ProgressTable(f"{config.name} seed {parts.seed}", training.metric),
            CompleteCheckpoints(),
            *([EarlyStopping(training.patience)] if training.patience else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def fit(trainer: RasidTrainer, folder: Path) -> tuple[TrainerState, float | None]:
    """Train, from the latest checkpoint if there is one.

    Returns:
        the last state, and the time in seconds; None for a resumed run, whose time is not known.
    """
    state = processes()
    if state.is_main_process:
        delete_incomplete(folder)
    state.wait_for_everyone()
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        begin = time.perf_counter()
        with closed_bar(trainer.callback_handler.callbacks):
            trainer.train()
        return trainer.state, round(time.perf_counter() - begin, 1)
    if state.is_main_process:
        update_best_path(checkpoint)
    state.wait_for_everyone()
    saved = read_state(checkpoint)
    if saved is not None and is_finished(saved):
        return saved, None
    with closed_bar(trainer.callback_handler.callbacks):
        trainer.train(resume_from_checkpoint=str(checkpoint))
    return trainer.state, None


def select(run: Run, parts: Parts, result: dict[str, Any]) -> tuple[dict[str, Any], Tagged]:
    """Save the best checkpoint as ``best``, with thresholds and temperatures chosen on dev.

    Dev and test are tagged once, by the files that become the bundle; the chosen thresholds only decode again.

    Args:
        run: shared by all seeds.
        parts: of this seed.
        result: ``steps``, ``best_step`` and ``seconds``.

    Returns:
        the result, with scores on ``dev`` and ``test``; and the tagged data sets.
    """
    folder = run.seed_folder(parts.seed)
    network = RasidModel.from_pretrained(folder / f"checkpoint-{result['best_step']}", dtype=torch.float32)
    settings = replace(parts.settings, transitions=_transitions(network))
    with whole(folder / "best", folder=True) as best:
        network.save_pretrained(best)
        save_tokenizer(run.text_encoder.tokenizer, best)
        if run.ngrams is not None:
            run.ngrams.save(best)
        settings.save(best)
        tagged = tag(Tagger.from_pretrained(best, verify=False), run.data)
        settings = offline.calibrate(settings, tagged.dev)
        tagged = tagged.rescored(settings)
        result = {
            **result,
            "dev": offline.headline(tagged.dev, settings),
            "test": {
                dataset.name: offline.headline([evaluation], settings)
                for dataset, evaluation in zip(run.data.test, tagged.test, strict=True)
            },
        }
        device = "GPU" if torch.cuda.is_available() else "CPU"
        trained = {"config": run.config.name, "seed": parts.seed, "device": device, **result}
        replace(settings, trained=trained).save(best)
    return result, tagged


def _transitions(network: RasidModel) -> tuple[tuple[float, ...], ...] | None:
    """The transition scores of a CRF, for the settings."""
    if network.chain is None:
        return None
    return tuple(tuple(row) for row in network.chain.scores().detach().float().cpu().tolist())
