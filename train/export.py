"""The bundle of a trained run: weights, ONNX behind the parity gate, reports, model card."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..configs.loader import load_config
from ..configs.schema import Config
from ..evaluate import offline
from ..evaluate.markdown import to_markdown
from ..evaluate.parity import ParityError, check_parity
from ..evaluate.report import Report
from ..inference import Tagger
from ..models.backends import ONNX_FILE
from ..models.bundle import Settings
from ..models.card import model_card
from ..models.export import ExportError, export_onnx, onnx_available, save_bundle
from . import prepare
from .run_folder import RunError, write_json

logger = logging.getLogger(__name__)


def export(
    folder: Path,
    *,
    config: Config | None = None,
    data: prepare.Data | None = None,
    metrics: dict[str, Any] | None = None,
    say: Callable[[str], None] = logger.info,
) -> dict[str, Report]:
    """Write the bundle of a trained run, with ONNX behind the parity gate, and score it on dev and test.

    The bundle comes into its place when it is whole; an ONNX model that fails leaves it there without one.

    Args:
        folder: of the run.
        config: of the run; read from the folder where it is left out, as are the next two.
        data: its data sets.
        metrics: its metrics.json.
        say: takes lines for a person.

    Raises:
        RunError: the folder is not that of a finished run.
        ParityError: ONNX decides differently from torch beyond ``export.tolerance``.
        ExportError: the network cannot be written as ONNX.
    """
    if not (folder / "metrics.json").is_file() or not (folder / "config.yaml").is_file():
        raise RunError(f"{folder}: there is no finished run here; rasid train makes one, and goes on with one")
    config = config or load_config(folder / "config.yaml", Config)
    data = data or prepare.load_data(config)
    if metrics is None:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    best = metrics["best_seed"]  # type: ignore[index]
    source = folder / "checkpoints" / f"seed-{best}" / "best"
    settings = Settings.load(source)
    bundle = folder / "bundle.unfinished"
    if bundle.is_dir():
        shutil.rmtree(bundle)
    save_bundle(bundle, source, folder / "config.yaml")
    tagger = Tagger.from_pretrained(bundle)
    reports: dict[str, Report] = {}
    (folder / "report").mkdir(exist_ok=True)
    for part, datasets in (("dev", data.dev), ("test", data.test)):
        for dataset in datasets:
            report = offline.evaluate(
                tagger, dataset.articles, dataset.annotated_labels, bundle=config.name, data=f"{part}: {dataset.name}"
            )
            name = dataset.name if part == "test" else f"dev-{dataset.name}"
            reports[name] = report
            (folder / "report" / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
            (folder / "report" / f"{name}.md").write_text(to_markdown(report), encoding="utf-8")
    (bundle / "README.md").write_text(model_card(config.name, settings, reports), encoding="utf-8")
    refused: ParityError | ExportError | None = None
    if config.export.onnx and onnx_available():
        say("exporting ONNX")
        articles = [article for dataset in data.dev for article in dataset.articles]
        try:
            export_onnx(bundle)
            exported = Tagger.from_pretrained(bundle, backend="onnx")
            parity = check_parity(tagger, exported, articles, tolerance=config.export.tolerance)
            write_json(bundle / "parity.json", parity.to_dict())
            say(f"ONNX parity on dev: {parity.describe()}")
        except (ParityError, ExportError) as error:
            (bundle / ONNX_FILE).unlink(missing_ok=True)
            refused = error
    elif config.export.onnx:
        say("no ONNX model: pip install 'rasid[onnx]' and run rasid export")
    final = folder / "bundle"
    if final.is_dir():
        shutil.rmtree(final)
    bundle.rename(final)
    if refused is not None:
        raise refused
    return reports
