"""The folder of a run: whose it is, whether it may be gone on with, and whether all is done."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..configs.loader import dump_config, load_config
from ..configs.schema import Config, ExportConfig
from ..errors import RasidError
from ..evaluate.report import data_hash
from ..models.backends import ONNX_FILE
from ..models.bundle import config_file
from ..models.export import onnx_available
from . import prepare
from .trainer import processes


class RunError(RasidError, RuntimeError):
    """A run that cannot start or go on; says why and what to do."""


def write_json(file: Path, content: Any) -> None:
    """Write a file that is whole or not there, whenever a kill comes."""
    beside = file.with_name(f"{file.name}.unfinished")
    beside.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    beside.replace(file)


def open_run_folder(folder: Path, config: Config, data: prepare.Data, fresh: bool) -> None:
    """Make the folder, or make sure that what was trained in it is of this config and these data."""
    file, record = folder / "config.yaml", folder / "checkpoints" / "data.json"
    if fresh and folder.exists():
        if any(folder.iterdir()) and not file.is_file():
            raise RunError(f"{folder} holds no run of rasid, so --fresh does not delete it; choose another name=…")
        shutil.rmtree(folder)
    identity = _identity(data)
    begun = any(folder.glob("checkpoints/seed-*/checkpoint-*")) or any(folder.glob("checkpoints/seed-*/finished.json"))
    former = load_config(file, Config) if begun and file.is_file() else None
    if former is not None:
        ways_out = "give this one another name=…, or start over with --fresh"
        earlier, now = _resume_key(former), _resume_key(config)
        if earlier != now:
            changed = [key for key in Config.model_fields if getattr(earlier, key) != getattr(now, key)]
            raise RunError(f"{folder} holds a run of another config (differs in {', '.join(changed)}); {ways_out}")
        before = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else identity
        changed = {key for key in before.keys() | identity.keys() if before.get(key) != identity.get(key)}
        if not any(folder.glob("checkpoints/seed-*/checkpoint-*")):
            changed.discard("processes")  # between two seeds nobody minds
        if changed:
            raise RunError(f"{folder} began with other data (changed since: {', '.join(sorted(changed))}); {ways_out}")
    if former != config:
        record.parent.mkdir(parents=True, exist_ok=True)
        dump_config(config, file)
        write_json(record, identity)


def _resume_key(config: Config) -> Config:
    """A config without what may change while it runs: where it lies, how it logs, how it is exported."""
    training = config.training.model_copy(update={"workers": 0, "report_to": []})
    return config.model_copy(
        update={"name": "", "output": Path(), "training": training, "export": ExportConfig()},
    )


def _identity(data: prepare.Data) -> dict[str, str]:
    """What a run must find unchanged when it goes on: the articles, the labels, how the batches are dealt out."""
    names = {
        f"data.{part}.{number} ({dataset.name})": data_hash(dataset.articles)
        for part, datasets in (("train", data.train), ("dev", data.dev), ("test", data.test))
        for number, dataset in enumerate(datasets)
    }
    labels = [data.scheme.labels("entities"), data.scheme.labels("triggers")]
    return {**names, "labels": json.dumps(labels), "processes": str(processes().num_processes)}


def is_done(folder: Path, config: Config) -> bool:
    """Whether the bundle is there and is what the config asks for."""
    bundle = folder / "bundle"
    if not (folder / "metrics.json").is_file() or not config_file(bundle).is_file():
        return False
    wants_onnx = config.export.onnx and onnx_available()
    return load_config(config_file(bundle), Config).export == config.export and (
        not wants_onnx or (bundle / ONNX_FILE).is_file()
    )
