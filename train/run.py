"""A training run: train all seeds, select the best on dev, calibrate, export, report.

runs/NAME/config.yaml      the resolved config
runs/NAME/log.jsonl        losses and dev scores
runs/NAME/checkpoints/     seed-N/: checkpoints to resume from, and the best weights
runs/NAME/bundle/          the tagger of the best seed
runs/NAME/report/          a report for each dev and test set, as JSON and Markdown
runs/NAME/metrics.json     scores of all seeds
"""

import json
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from accelerate.logging import get_logger

from ..configs.schema import Config
from ..data.windows.training_set import Collator
from ..evaluate.report import Report
from ..lock import locked
from ..models.encoders import EncoderWithTokenizer
from ..models.tasks import columns_of, tasks_of
from . import prepare
from .arguments import installed_loggers
from .export import export
from .run_folder import RunError, check_resumable, delete_run, is_done, write_json, write_run_files
from .seed import Run, make_parts, train_seed
from .summary import Summary, describe, summarize
from .trainer import processes

__all__ = ["Result", "RunError", "describe", "export", "train"]

logger = get_logger(__name__)  # of several processes, only the main one logs


@dataclass(frozen=True, kw_only=True)
class Result:
    """Result of a run.

    Attributes:
        folder: the run folder.
        summary: size and statistics; None if an earlier call finished the run.
        reports: data set → report of the bundle; empty after a dry run, and in processes that do not export.
        metrics: content of metrics.json; empty like ``reports``.
    """

    folder: Path
    summary: Summary | None = None
    reports: dict[str, Report] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def train(config: Config, data: prepare.Data | None = None, *, dry_run: bool = False, fresh: bool = False) -> Result:
    """Train a config, or resume its run. A finished run is not changed.

    Args:
        config: resolved.
        data: loaded data sets, used instead of those that the config names.
        dry_run: load everything, compute one batch, write nothing.
        fresh: delete the run folder first.

    Raises:
        DataError, SchemeError, EncoderError, LockedError, RunError, NonFiniteLossError, ParityError, ExportError: the
            message says what to do.
    """
    folder = config.output / config.name
    state = processes()
    installed_loggers(config.training.report_to)  # raises before training, not after it
    data = data or prepare.load_data(config)
    encoder = prepare.make_encoder(config, data, config.training.seeds[0])
    if dry_run:
        return _dry_run(config, data, encoder, folder)
    # The folder is created only now, after config and data were loaded without an error.
    with locked(folder) if state.is_main_process else nullcontext():
        return _train(config, data, encoder, folder, fresh=fresh)


def _train(config: Config, data: prepare.Data, encoder: EncoderWithTokenizer, folder: Path, *, fresh: bool) -> Result:
    """Train in a locked folder; arguments as for `train`."""
    state = processes()
    if state.is_main_process:
        if fresh:
            delete_run(folder)
        check_resumable(folder, config, data)
    state.wait_for_everyone()
    if is_done(folder, config):
        logger.info(f"{folder} is done; --fresh starts it again")
        return _read_result(folder) if state.is_main_process else Result(folder=folder)
    if state.is_main_process:
        write_run_files(folder, config, data)
    windows_file = folder / "checkpoints" / "windows.arrow"
    run = _prepare(windows_file, config, data, encoder, folder)
    summary = summarize(run, encoder, make_parts(run, config.training.seeds[0], encoder))
    logger.info(describe(summary))
    del encoder  # each seed loads its own
    results: dict[int, dict[str, Any]] = {}
    tagged = None  # of the best seed so far
    for seed in config.training.seeds:
        results[seed], candidate = train_seed(run, seed)
        if state.is_main_process and _best_seed(results, config.training.metric) == seed:
            tagged = candidate
    state.wait_for_everyone()
    if not state.is_main_process:
        return Result(folder=folder, summary=summary)
    windows_file.unlink()
    metrics = _metrics(results, config.training.metric)
    write_json(folder / "metrics.json", metrics)
    reports = export(folder, config=config, data=data, tagged=tagged)
    return Result(folder=folder, summary=summary, reports=reports, metrics=metrics)


def _prepare(
    windows_file: Path, config: Config, data: prepare.Data, encoder: EncoderWithTokenizer, folder: Path
) -> Run:
    """Encode the training data."""
    text_encoder = prepare.make_text_encoder(config, encoder)
    windows, statistics = prepare.make_windows(windows_file, config, data, text_encoder)
    return Run(
        config=config, data=data, folder=folder, text_encoder=text_encoder, windows=windows, statistics=statistics
    )


def _dry_run(config: Config, data: prepare.Data, encoder: EncoderWithTokenizer, folder: Path) -> Result:
    """Prepare the run, and compute loss and gradient of its first batch."""
    with TemporaryDirectory() as temporary:
        run = _prepare(Path(temporary) / "windows.arrow", config, data, encoder, folder)
        parts = make_parts(run, config.training.seeds[0], encoder)
        collate = Collator(run.text_encoder.pad_id, columns_of(data.scheme, tasks_of(parts.model.config.spans)))
        prepare.standardize(parts.model, run.windows, parts.plan.schedule.batches, run.text_encoder.pad_id)
        batch = collate(run.windows.__getitems__(parts.plan.schedule.batches[0].tolist()))
        targets = batch.pop("targets")
        batch.pop("ids")
        losses = parts.model.losses(parts.model(**batch), targets)
        total = sum((loss / count.clamp(min=1) for loss, count in losses.values()), torch.zeros(()))
        total.backward()
        summary = replace(summarize(run, encoder, parts), loss=float(total.detach()))
    return Result(folder=folder, summary=summary)


def _read_result(folder: Path) -> Result:
    """The result of a finished run."""
    reports = {
        file.stem: Report.from_json(file.read_text(encoding="utf-8"))
        for file in sorted((folder / "report").glob("*.json"))
    }
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return Result(folder=folder, reports=reports, metrics=metrics)


def _best_seed(results: dict[int, dict[str, Any]], metric: str) -> int:
    """The first seed with the highest dev score."""
    return max(results, key=lambda seed: results[seed]["dev"][metric])


def _metrics(results: dict[int, dict[str, Any]], metric: str) -> dict[str, Any]:
    """Scores of all seeds, their mean and standard deviation, and the seed with the best dev score."""

    def spread(tables: list[dict[str, float]]) -> dict[str, dict[str, float | None]]:
        return {
            name: {
                "mean": float(np.mean([table[name] for table in tables])),
                "sd": float(np.std([table[name] for table in tables], ddof=1)) if len(tables) > 1 else None,
            }
            for name in tables[0]
        }

    rows = list(results.values())
    return {
        "best_seed": _best_seed(results, metric),
        "seeds": {str(seed): result for seed, result in results.items()},
        "dev": spread([row["dev"] for row in rows]),
        "test": {name: spread([row["test"][name] for row in rows]) for name in rows[0]["test"]},
    }
