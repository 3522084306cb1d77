"""The run folder: ownership, whether it can be resumed, whether it is complete."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..configs.loader import dump_config, load_config
from ..configs.schema import Config, ExportConfig
from ..errors import RasidError
from ..evaluate.report import data_hash
from ..files import whole
from ..lock import LOCK_FILES
from ..models.bundle import ONNX_FILE, config_file
from ..models.export import onnx_available
from .prepare import Data
from .trainer import processes


class RunError(RasidError, RuntimeError):
    """A run cannot start or resume; the message says what to do."""


def write_json(file: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    with whole(file) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def delete_run(folder: Path) -> None:
    """Delete an earlier run in a locked folder.

    Raises:
        RunError: the folder has files, but no run.
    """
    entries = [entry for entry in folder.iterdir() if entry.name not in LOCK_FILES]
    if entries and not (folder / "config.yaml").is_file():
        raise RunError(f"{folder} is not the folder of a run, so --fresh does not delete it; choose another name=…")
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def check_resumable(folder: Path, config: Config, data: Data) -> None:
    """Check that a run that was started in the folder has the same config and data.

    Raises:
        RunError: it has not.
    """
    checkpoints = any(folder.glob("checkpoints/seed-*/checkpoint-*"))
    started = checkpoints or any(folder.glob("checkpoints/seed-*/finished.json"))
    if not started or not (folder / "config.yaml").is_file():
        return
    advice = "give this run another name=…, or start again with --fresh"
    earlier, now = _resume_key(load_config(folder / "config.yaml", Config)), _resume_key(config)
    if earlier != now:
        changed = [key for key in Config.model_fields if getattr(earlier, key) != getattr(now, key)]
        raise RunError(f"{folder} is a run of another config (differs in {', '.join(changed)}); {advice}")
    record = folder / "checkpoints" / "data.json"
    current = _fingerprint(data)
    saved = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else current
    differences = {key for key in saved.keys() | current.keys() if saved.get(key) != current.get(key)}
    if not checkpoints:
        differences.discard("processes")  # the number of processes may change between seeds
    if differences:
        raise RunError(f"{folder} was started with other data (changed: {', '.join(sorted(differences))}); {advice}")


def write_run_files(folder: Path, config: Config, data: Data) -> None:
    """Write config and fingerprint of the data, with which `check_resumable` compares."""
    with whole(folder / "config.yaml") as part:
        dump_config(config, part)
    write_json(folder / "checkpoints" / "data.json", _fingerprint(data))


def is_done(folder: Path, config: Config) -> bool:
    """Whether the folder has the bundle that the config asks for."""
    bundle = folder / "bundle"
    if not (folder / "metrics.json").is_file() or not config_file(bundle).is_file():
        return False
    complete = (bundle / ONNX_FILE).is_file() or not (config.export.onnx and onnx_available())
    return complete and load_config(config_file(bundle), Config).export == config.export


def _resume_key(config: Config) -> Config:
    """The config without what may change when a run is resumed: name, folder, loggers, workers, export."""
    training = config.training.model_copy(update={"workers": 0, "report_to": []})
    return config.model_copy(update={"name": "", "output": Path(), "training": training, "export": ExportConfig()})


def _fingerprint(data: Data) -> dict[str, str]:
    """What must be equal when a run is resumed: articles, labels, and number of processes."""
    hashes = {
        f"data.{part}.{number} ({dataset.name})": data_hash(dataset.articles)
        for part, datasets in data.parts().items()
        for number, dataset in enumerate(datasets)
    }
    labels = [data.scheme.labels("entities"), data.scheme.labels("triggers")]
    return {**hashes, "labels": json.dumps(labels), "processes": str(processes().num_processes)}
