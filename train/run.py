"""A training run from recipe to report: train each seed, choose by dev, calibrate, export, score the test sets once.

runs/NAME/config.yaml      the resolved recipe
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
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from transformers import EarlyStoppingCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from ..configs.loader import dump_config, load_config
from ..configs.schema import Recipe
from ..data.training_set import Census, WindowSet
from ..evaluate import offline
from ..evaluate.markdown import to_markdown
from ..evaluate.parity import check_parity
from ..evaluate.report import Report
from ..inference import Tagger
from ..models.backends import torch_backend
from ..models.bundle import Settings
from ..models.card import model_card
from ..models.encoders import Encoder
from ..models.export import export_onnx, onnx_available, save_bundle
from ..models.tagger import RasidModel
from . import prepare
from .optimiser import make_optimiser, parameter_groups
from .progress import JsonLog, Progress
from .trainer import RasidTrainer

logger = logging.getLogger(__name__)


class RunError(RuntimeError):
    """A run that cannot start or go on; says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a run would do, for ``--dry-run`` and for the log."""

    encoder: str
    parameters: int
    census: Census
    padding: float
    steps: int
    steps_per_epoch: int
    datasets: dict[str, dict[str, int]]
    loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run gave.

    Attributes:
        folder: of the run.
        overview: what was trained on.
        reports: data set → report of the bundle; empty after a dry run.
        metrics: as in metrics.json.
    """

    folder: Path
    overview: Overview
    reports: dict[str, Report]
    metrics: dict[str, Any]


def train(
    recipe: Recipe, *, dry_run: bool = False, fresh: bool = False, say: Callable[[str], None] = logger.info
) -> Result:
    """Run a recipe, or go on with it where it was left.

    Args:
        recipe: resolved.
        dry_run: load everything, take one step on one batch, write nothing into the run's folder.
        fresh: throw away what the folder holds of an earlier run.
        say: takes lines for a person.

    Raises:
        DataError, SchemeError, EncoderError, RunError, NonFiniteLossError: each says what to mend.
    """
    folder = recipe.output / recipe.name
    main = PartialState().is_main_process
    if not dry_run:
        _claim(folder, recipe, fresh, main)
    data = prepare.load_data(recipe)
    first = recipe.training.seeds[0]
    encoder = prepare.make_encoder(recipe, data, first)
    cache = folder / "checkpoints" / "windows.arrow"
    if dry_run:
        import tempfile

        with tempfile.TemporaryDirectory() as temporary:
            windows, census = prepare.make_windows(Path(temporary) / "windows.arrow", recipe, data, encoder)
            return _rehearse(recipe, data, encoder, windows, census, folder)
    windows, census = prepare.make_windows(cache, recipe, data, encoder)
    plan = prepare.make_plan(recipe, windows, first)
    overview = _overview(recipe, data, encoder, census, plan, prepare.make_model(recipe, data, encoder, first))
    say(describe(overview))
    outcomes: dict[int, dict[str, Any]] = {}
    for seed in recipe.training.seeds:
        outcomes[seed] = _train_seed(recipe, data, windows, census, seed, folder, say)
    PartialState().wait_for_everyone()
    if not main:
        return Result(folder=folder, overview=overview, reports={}, metrics={})
    best = max(outcomes, key=lambda seed: outcomes[seed]["dev"][recipe.training.metric])
    metrics = _summary(outcomes, best)
    (folder / "metrics.json").write_text(json.dumps(metrics, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    reports = export(folder, recipe=recipe, data=data, metrics=metrics, say=say)
    cache.unlink(missing_ok=True)
    return Result(folder=folder, overview=overview, reports=reports, metrics=metrics)


def export(
    folder: Path,
    *,
    recipe: Recipe | None = None,
    data: prepare.Data | None = None,
    metrics: dict[str, Any] | None = None,
    say: Callable[[str], None] = logger.info,
) -> dict[str, Report]:
    """Write the bundle of a trained run, with ONNX behind the parity gate, and score it on dev and test.

    Args:
        folder: of the run.
        recipe: of the run; read from the folder where it is left out, as are the next two.
        data: its data sets.
        metrics: its metrics.json.
        say: takes lines for a person.

    Raises:
        RunError: the folder is not that of a finished run.
        ParityError: ONNX decides differently from torch beyond ``export.tolerance``.
    """
    if not (folder / "metrics.json").is_file() or not (folder / "config.yaml").is_file():
        raise RunError(f"{folder}: there is no finished run here; rasid train makes one, and goes on with one")
    recipe = recipe or load_config(folder / "config.yaml", Recipe)
    data = data or prepare.load_data(recipe)
    if metrics is None:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    best = metrics["best_seed"]  # type: ignore[index]
    source = folder / "checkpoints" / f"seed-{best}" / "best"
    settings = Settings.load(source)
    bundle = folder / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    save_bundle(bundle, source, folder / "config.yaml")
    tagger = Tagger.from_pretrained(bundle)
    reports: dict[str, Report] = {}
    (folder / "report").mkdir(exist_ok=True)
    for part, datasets in (("dev", data.dev), ("test", data.test)):
        for dataset in datasets:
            report = offline.evaluate(
                tagger, dataset.articles, dataset.supervision, bundle=recipe.name, data=f"{part}: {dataset.name}"
            )
            name = dataset.name if part == "test" else f"dev-{dataset.name}"
            reports[name] = report
            (folder / "report" / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
            (folder / "report" / f"{name}.md").write_text(to_markdown(report), encoding="utf-8")
    (bundle / "README.md").write_text(model_card(recipe.name, settings, reports), encoding="utf-8")
    if recipe.export.onnx and onnx_available():
        say("exporting ONNX")
        export_onnx(bundle)
        articles = [article for dataset in data.dev for article in dataset.articles]
        parity = check_parity(
            tagger, Tagger.from_pretrained(bundle, backend="onnx"), articles, tolerance=recipe.export.tolerance
        )
        (bundle / "parity.json").write_text(json.dumps(parity.to_dict(), indent=1) + "\n", encoding="utf-8")
        say(f"ONNX parity on dev: {parity.describe()}")
    elif recipe.export.onnx:
        say("no ONNX model: pip install 'rasid[onnx]' and run rasid export")
    return reports


def _claim(folder: Path, recipe: Recipe, fresh: bool, main: bool) -> None:
    """Make the folder, or make sure that what it holds is of this recipe."""
    config = folder / "config.yaml"
    if main and fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if config.is_file():
        earlier = load_config(config, Recipe)
        if earlier != recipe:
            changed = [key for key in Recipe.model_fields if getattr(earlier, key) != getattr(recipe, key)]
            raise RunError(
                f"{folder} holds a run of another recipe (differs in {', '.join(changed)}); "
                "give this one another name=…, or start over with --fresh"
            )
    elif main:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        dump_config(recipe, config)


def _overview(
    recipe: Recipe, data: prepare.Data, encoder: Encoder, census: Census, plan: prepare.Plan, model: RasidModel
) -> Overview:
    parts = (("train", data.train), ("dev", data.dev), ("test", data.test))
    return Overview(
        encoder=encoder.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        census=census,
        padding=plan.padding,
        steps=plan.steps,
        steps_per_epoch=plan.steps_per_epoch,
        datasets={
            f"{part}: {dataset.name}": {"articles": len(dataset.articles), **dataset.ledger.counts()}
            for part, datasets in parts
            for dataset in datasets
        },
    )


def describe(overview: Overview) -> str:
    """An overview in lines for a person."""
    census = overview.census
    lines = [
        f"encoder {overview.encoder}, {overview.parameters / 1e6:.1f} M parameters with heads",
        *(
            f"{name}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items())
            for name, counts in overview.datasets.items()
        ),
        f"training windows {census.windows:,}, sub-words {census.subwords:,} ({census.unknown:,} unknown), "
        f"words {census.units:,} and {census.unread:,} that the encoder cannot see",
        f"{overview.steps:,} steps, {overview.steps_per_epoch:,} an epoch, {overview.padding:.1%} padding",
    ]
    if census.unpredictable:
        causes = ", ".join(f"{task} {cause} {number}" for (task, cause), number in census.unpredictable.most_common())
        lines.append(f"gold that the model cannot predict: {causes}")
    if overview.loss is not None:
        lines.append(f"one batch, forward and backward: loss {overview.loss:.3f}")
    return "\n".join(lines)


def _rehearse(
    recipe: Recipe, data: prepare.Data, encoder: Encoder, windows: WindowSet, census: Census, folder: Path
) -> Result:
    """Everything of a run but the training: one batch through model and losses, and back."""
    seed = recipe.training.seeds[0]
    plan = prepare.make_plan(recipe, windows, seed)
    model = prepare.make_model(recipe, data, encoder, seed)
    overview = _overview(recipe, data, encoder, census, plan, model)
    collate = RasidTrainer.collator(encoder.tokenizer, model)
    batch = collate(windows.__getitems__(plan.schedule.batches[0].tolist()))
    targets = batch.pop("targets")
    batch.pop("ids")
    losses = model.losses(model(**batch), targets)
    total = sum((loss / count.clamp(min=1) for loss, count in losses.values()), torch.zeros(()))
    total.backward()
    return Result(folder=folder, overview=replace(overview, loss=float(total.detach())), reports={}, metrics={})


def _train_seed(
    recipe: Recipe,
    data: prepare.Data,
    windows: WindowSet,
    census: Census,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Train one seed to its best weights, calibrate them on dev, and score the test sets."""
    home = folder / "checkpoints" / f"seed-{seed}"
    finished = home / "finished.json"
    if finished.is_file():
        say(f"seed {seed} is trained already")
        return json.loads(finished.read_text(encoding="utf-8"))
    how = recipe.training
    plan = prepare.make_plan(recipe, windows, seed)
    encoder = prepare.make_encoder(recipe, data, seed)
    model = prepare.make_model(recipe, data, encoder, seed)
    settings = prepare.make_settings(recipe, data, encoder)

    def tagger(network: RasidModel, chosen: Settings) -> Tagger:
        return Tagger(
            settings=replace(chosen, transitions=_transitions(network)),
            tokenizer=encoder.tokenizer,
            backend=torch_backend(network),
            batch_tokens=how.batch_tokens,
        )

    def score(network: RasidModel) -> dict[str, float]:
        reader = tagger(network, settings)
        outcomes = [offline.run(reader, dataset.articles, dataset.supervision) for dataset in data.dev]
        return offline.headline(outcomes, settings)

    cuda = torch.cuda.is_available()
    trainer = RasidTrainer(
        model=model,
        args=_arguments(recipe, plan, seed, home),
        windows=windows,
        schedule=plan.schedule,
        per_epoch=plan.per_epoch,
        pad_id=RasidTrainer.pad_id(encoder.tokenizer),
        optimizer=make_optimiser(
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
        weights={task: recipe.tasks[task].weight for task in model.config.tasks},  # type: ignore[index]
        positive_weights={task: options.positive_weight for task, options in recipe.tasks.items()},
        tag_weights=prepare.tag_weights(recipe, census),
        callbacks=[
            JsonLog(folder / "log.jsonl"),
            Progress(f"{recipe.name} seed {seed}", how.metric),
            *([EarlyStoppingCallback(how.patience)] if how.patience else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    begin = time.perf_counter()
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(home)) if home.is_dir() else None)
    seconds = time.perf_counter() - begin
    network = trainer.accelerator.unwrap_model(trainer.model)
    result: dict[str, Any] = {
        "steps": trainer.state.global_step,
        "best_step": trainer.state.best_global_step,
        "seconds": round(seconds, 1),
    }
    if PartialState().is_main_process:
        outcomes = [offline.run(tagger(network, settings), d.articles, d.supervision) for d in data.dev]
        tuned = offline.calibrate(replace(settings, transitions=_transitions(network)), outcomes)
        reader = tagger(network, tuned)
        dev = [offline.run(reader, dataset.articles, dataset.supervision) for dataset in data.dev]
        result["dev"] = offline.headline(dev, tuned)
        result["test"] = {
            dataset.name: offline.headline([offline.run(reader, dataset.articles, dataset.supervision)], tuned)
            for dataset in data.test
        }
        tuned = replace(
            tuned, trained={"recipe": recipe.name, "seed": seed, "device": "GPU" if cuda else "CPU", **result}
        )
        best = home / "best"
        shutil.rmtree(best, ignore_errors=True)
        network.save_pretrained(best)
        prepare.save_tokenizer(encoder.tokenizer, best)
        tuned.save(best)
        finished.write_text(json.dumps(result) + "\n", encoding="utf-8")
        for checkpoint in home.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
    return result


def _transitions(model: RasidModel) -> tuple[tuple[float, ...], ...] | None:
    if model.chain is None:
        return None
    return tuple(tuple(row) for row in model.chain.scores().detach().float().cpu().tolist())


def _arguments(recipe: Recipe, plan: prepare.Plan, seed: int, home: Path) -> TrainingArguments:
    how = recipe.training
    every = max(1, min(plan.steps, plan.steps_per_epoch // how.evaluations))
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
        report_to=_loggers(how.report_to),
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


def _loggers(wanted: list[Any]) -> list[str]:
    import importlib.util

    return [name for name in wanted if name != "tensorboard" or importlib.util.find_spec("tensorboard")]


def _summary(outcomes: dict[int, dict[str, Any]], best: int) -> dict[str, Any]:
    """Figures of every seed, their mean and spread."""

    def spread(tables: list[dict[str, float]]) -> dict[str, dict[str, float]]:
        return {
            name: {
                "mean": float(np.mean([table[name] for table in tables])),
                "sd": float(np.std([table[name] for table in tables], ddof=1)) if len(tables) > 1 else 0.0,
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
