"""Export of a trained run: a bundle with weights, ONNX model, reports and model card."""

import json
import logging
from dataclasses import replace
from pathlib import Path

from ..configs.loader import load_config
from ..configs.schema import Config
from ..evaluate import offline
from ..evaluate.markdown import to_markdown
from ..evaluate.parity import ParityError, check_parity
from ..evaluate.report import Report
from ..files import whole
from ..inference import Prediction, Tagger
from ..manifest import write_manifest
from ..models.bundle import ONNX_FILE, Settings
from ..models.card import model_card
from ..models.export import ExportError, export_onnx, onnx_available, save_bundle
from .prepare import Data, load_data
from .run_folder import RunError, write_json
from .tagged import Tagged, tag

logger = logging.getLogger(__name__)


def export(
    folder: Path, *, config: Config | None = None, data: Data | None = None, tagged: Tagged | None = None
) -> dict[str, Report]:
    """Write the bundle of a trained run, and score it on dev and test.

    If the ONNX model fails the parity check, the bundle is written without it before the error is raised.

    Args:
        folder: the run folder.
        config: of the run; None reads it from the folder.
        data: its data sets; None loads them.
        tagged: its dev and test sets, tagged by the files of the best seed; None tags them with the bundle.

    Returns:
        data set → report.

    Raises:
        RunError: the folder has no finished run.
        ParityError: ONNX and torch differ in more decisions than ``export.tolerance`` allows.
        ExportError: the network cannot be written as ONNX.
    """
    if not (folder / "metrics.json").is_file() or not (folder / "config.yaml").is_file():
        raise RunError(f"{folder}: no finished run; start or resume it with rasid train")
    config = config or load_config(folder / "config.yaml", Config)
    data = data or load_data(config)
    seed = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["best_seed"]
    source = folder / "checkpoints" / f"seed-{seed}" / "best"
    failure: ParityError | ExportError | None = None
    with whole(folder / "bundle", folder=True) as bundle:
        save_bundle(bundle, source, folder / "config.yaml")
        settings = Settings.load(bundle)
        # The bundle has copies of the files that tagged dev and test, so tagging again would give the same logits.
        tagged = tagged or tag(Tagger.from_pretrained(bundle, verify=False), data)
        evaluations = [
            *((f"dev-{d.name}", f"dev: {d.name}", e) for d, e in zip(data.dev, tagged.dev, strict=True)),
            *((d.name, f"test: {d.name}", e) for d, e in zip(data.test, tagged.test, strict=True)),
        ]
        reports = {
            name: offline.report_of(evaluation, settings, bundle=config.name, data=title)
            for name, title, evaluation in evaluations
        }
        _write_reports(folder / "report", reports)
        card = model_card(config.name, settings, reports)
        (bundle / "README.md").write_text(card, encoding="utf-8")
        if config.export.onnx and onnx_available():
            try:
                _add_onnx(bundle, tagged.dev, config.export.tolerance)
            except (ParityError, ExportError) as error:
                (bundle / ONNX_FILE).unlink(missing_ok=True)
                failure = error
        elif config.export.onnx:
            logger.info("no ONNX model: pip install 'rasid[onnx]' and run rasid export")
        write_manifest(bundle, without=["README.md"])
    if failure is not None:
        raise failure
    return reports


def _write_reports(folder: Path, reports: dict[str, Report]) -> None:
    folder.mkdir(exist_ok=True)
    for name, report in reports.items():
        (folder / f"{name}.json").write_text(report.to_json(), encoding="utf-8")
        (folder / f"{name}.md").write_text(to_markdown(report), encoding="utf-8")


def _add_onnx(bundle: Path, dev: list[offline.Evaluation], tolerance: float) -> None:
    """Write model.onnx, and check that it decides like torch on dev."""
    logger.info("exporting ONNX")
    export_onnx(bundle)
    exported = Tagger.from_pretrained(bundle, backend="onnx", verify=False)
    articles = [article for evaluation in dev for article in evaluation.articles]
    parity = check_parity(_predictions(dev), exported.predict(articles), tolerance=tolerance)
    write_json(bundle / "parity.json", parity.to_dict())
    logger.info(f"ONNX parity on dev: {parity.describe()}")


def _predictions(evaluations: list[offline.Evaluation]) -> list[Prediction]:
    return [
        replace(prediction, article=article)
        for evaluation in evaluations
        for article, prediction in zip(evaluation.predictions, evaluation.decodable or (), strict=True)
    ]
