"""`rasid train`: files, resuming after a kill, checks of the run folder, options, export."""

import itertools
import json
import logging
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import Result

import rasid as package
from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article
from rasid.data.formats import write_articles
from rasid.inference import Tagger
from rasid.models.bundle import Settings
from rasid.models.export import ExportError
from rasid.models.network import RasidModel
from rasid.models.tasks import TASK_NAMES
from rasid.train import arguments, run, seed
from rasid.train import export as run_export
from rasid.train.callbacks import CompleteCheckpoints
from rasid.train.prepare import load_data
from rasid.train.trainer import NonFiniteLossError, RasidTrainer

Train = Callable[..., run.Result]

TRAINED = ["config.json", "model.safetensors", "rasid.json", "tokenizer.json", "tokenizer_config.json"]
RUN = sorted(
    [
        *(f"bundle/{name}" for name in (*TRAINED, "README.md", "config.yaml", "manifest.json")),
        *(f"checkpoints/seed-1/best/{name}" for name in TRAINED),
        *("checkpoints/data.json", "checkpoints/seed-1/finished.json"),
        *(f"report/{name}" for name in ("dev-dev.json", "dev-dev.md", "test.json", "test.md")),
        *(".lock", "config.yaml", "log.jsonl", "metrics.json"),
    ]
)


class Killed(BaseException):
    """Ends a run like a kill: the package catches it nowhere."""


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def log(folder: Path) -> list[dict[str, Any]]:
    """Lines of the log, without the last one of each call, which has times."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "train_runtime" not in line]


def weights(folder: Path, number: int = 1) -> dict[str, torch.Tensor]:
    return load_file(folder / f"checkpoints/seed-{number}/best/model.safetensors")


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == two.keys()
    return all(torch.equal(one[name], two[name]) for name in one)


def scores(folder: Path) -> dict[str, Any]:
    result = json.loads((folder / "checkpoints/seed-1/finished.json").read_text(encoding="utf-8"))
    return {name: value for name, value in result.items() if name != "seconds"}


_ALL = f"[{', '.join(TASK_NAMES)}]"
ARGUMENTS = ["tasks.arguments={}", f"data.train.0.annotated={_ALL}", f"data.dev.0.annotated={_ALL}"]
# Six steps of two batches each, an evaluation after every one.
SHORT = ["training.epochs=6", "training.accumulation=2", "training.evaluations=1"]


@pytest.fixture
def train(config_file: Path, tmp_path: Path) -> Train:
    """Trains the tiny config for a few steps; the run folder is `tmp_path`/NAME."""

    def run_it(*overrides: str, base: list[str] | None = None, **options: Any) -> run.Result:
        settings = [f"output={tmp_path}", *(SHORT if base is None else base), *overrides]
        return run.train(load_config(config_file, Config, settings), **options)

    return run_it


@pytest.fixture
def train_until(train: Train, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Like `train`, but the run is killed when a function is called for the n-th time."""

    def run_it(owner: Any, name: str, *overrides: str, call: int = 1, **options: Any) -> None:
        original, numbers = getattr(owner, name), itertools.count(1)

        def counted(*args: Any, **kwargs: Any) -> Any:
            if next(numbers) == call:
                raise Killed
            return original(*args, **kwargs)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(owner, name, counted)
            train(*overrides, **options)

    return run_it


@pytest.fixture(scope="module")
def uninterrupted(config_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that was not killed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return run.train(load_config(config_file, Config, [f"output={folder}", *SHORT])).folder


def assert_equal_runs(folder: Path, uninterrupted: Path) -> None:
    assert files(folder) == RUN
    assert log(folder) == log(uninterrupted)
    assert scores(folder) == scores(uninterrupted)
    assert same(weights(folder), weights(uninterrupted))


# ---- results -------------------------------------------------------------------------------------------------------


def test_files_and_scores_of_a_run(run_folder: Path) -> None:
    assert files(run_folder) == RUN
    metrics = json.loads((run_folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["best_seed"] == 1
    assert metrics["seeds"]["1"]["seconds"] > 0
    for part in (metrics["dev"], metrics["test"]["test"]):
        assert part["entities.f1"]["mean"] > 0.6
        assert part["triggers.f1"]["mean"] > 0.6
        assert part["article_types.f1"]["mean"] > 0.6
        assert part["entities.f1"]["sd"] is None  # one seed has no standard deviation


def test_log_has_losses_and_scores_with_epochs_of_the_data(run_folder: Path) -> None:
    lines = log(run_folder)
    evaluated = [line for line in lines if "eval_mean.f1" in line]
    assert [line["step"] for line in evaluated] == [10, 20, 30, 40, 50, 60]
    assert [line["epoch"] for line in lines if "loss" in line] == [5, 10, 15, 20, 25, 30]
    assert all(line["epoch"] == line["step"] / 2 and line["seed"] == 1 for line in lines)
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[0] > 2 * losses[-1] > 0


def test_reports_of_the_bundle_equal_the_scores_of_the_run(run_folder: Path) -> None:
    expected = scores(run_folder)
    for name, part in (("dev-dev", expected["dev"]), ("test", expected["test"]["test"])):
        report = json.loads((run_folder / f"report/{name}.json").read_text(encoding="utf-8"))
        values = {(s["task"], s["mode"], s["averaging"], s["metric"]): s["value"] for s in report["scores"]}
        for task, mode in (("entities", "strict"), ("triggers", "strict"), ("sentence_types", "decision")):
            assert values[task, mode, "micro", "f1"] == pytest.approx(part[f"{task}.f1"], abs=1e-6)


@pytest.mark.parametrize("decoder", ["viterbi", "spans", "crf"])
def test_dev_scores_in_training_are_those_of_the_tuned_thresholds(train: Train, decoder: str) -> None:
    folder = train(f"tasks.entities.decoder={decoder}").folder
    result = scores(folder)
    logged = next(line for line in log(folder) if line["step"] == result["best_step"] and "eval_mean.f1" in line)
    assert result["dev"]["triggers.f1"] > 0
    assert {name: logged[f"eval_{name}"] for name in result["dev"]} == pytest.approx(result["dev"])


def test_states_are_standardized_before_the_first_step(train: Train) -> None:
    found = weights(train("training.max_steps=1").folder)
    assert found["standardization.mean"].abs().max() > 0
    assert found["standardization.deviation"].std() > 0


def test_dev_and_test_are_tagged_once_after_training(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    tagged: list[str] = []
    predict = Tagger.predict

    def noted(self: Tagger, texts: list[Article]) -> Any:
        tagged.append(f"{self.backend.__qualname__.partition('.')[0]} {texts[0].id}")
        return predict(self, texts)

    monkeypatch.setattr(Tagger, "predict", noted)
    train("export.onnx=true", base=["training.max_steps=1"])
    evaluated, *after = tagged
    assert evaluated == "torch_backend made-28"  # dev, by the evaluation after the only step
    assert after == ["torch_backend made-28", "torch_backend made-34", "_load_onnx made-28"]


def test_loaded_data_give_the_same_run_as_the_config(
    train: Train, config_file: Path, tmp_path: Path, uninterrupted: Path
) -> None:
    data = load_data(load_config(config_file, Config))
    folder = train(*[f"data.{part}.0.path=not-read.jsonl" for part in ("train", "dev", "test")], data=data).folder
    assert_equal_runs(folder, uninterrupted)


def test_a_finished_run_is_not_changed(
    rasid: Callable[..., Result], config_file: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rasid")
    before = {name: ((run_folder / name).stat().st_mtime_ns) for name in files(run_folder)}
    result = rasid("train", config_file, f"output={run_folder.parent}")
    assert "is done" in caplog.text
    assert "entities" in result.stdout  # the scores are shown again
    assert {name: ((run_folder / name).stat().st_mtime_ns) for name in files(run_folder)} == before


def test_a_dry_run_writes_nothing(rasid: Callable[..., Result], config_file: Path, tmp_path: Path) -> None:
    result = rasid("train", config_file, f"output={tmp_path}", "--dry-run")
    assert not list(tmp_path.iterdir())
    assert re.search(r"60 steps, 2 per epoch", result.stdout)
    assert re.search(r"loss \d+\.\d+", result.stdout)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["training.head_learning_rate=0.1"], "60 optimizer steps are few, 100 or more are better: training.epochs 50"),
        (
            ["training.head_learning_rate=1e-3"],
            "training.head_learning_rate 0.001 × 60 steps = 0.06, and below 0.2 rare labels are hardly learned: "
            "raise the rate to 0.0033, or take 200 steps: training.epochs 100 instead of 30",
        ),
        (["training.max_steps=10"], "100 or more are better: training.max_steps 100"),
        ([], "entities with fewer than 10 examples in data.train: "),
        ([], "FAC 0, "),
    ],
)
def test_a_dry_run_warns_about_too_little_training(
    rasid: Callable[..., Result], config_file: Path, tmp_path: Path, overrides: list[str], expected: str
) -> None:
    shown = rasid("train", config_file, f"output={tmp_path}", "--dry-run", *overrides).stdout
    assert expected in " ".join(shown.split())


def test_enough_training_gives_no_warning(rasid: Callable[..., Result], config_file: Path, tmp_path: Path) -> None:
    enough = ["training.epochs=200", "training.head_learning_rate=1e-3"]
    shown = rasid("train", config_file, f"output={tmp_path}", "--dry-run", *enough).stdout
    assert "optimizer steps are few" not in shown and "hardly learned" not in shown


def test_tensorboard_files_are_in_the_folder_of_the_seed(train: Train) -> None:
    pytest.importorskip("tensorboard")
    folder = train("training.max_steps=1", "training.report_to=[tensorboard]").folder
    extra = [name for name in files(folder) if name not in RUN]
    assert extra and all(name.startswith("checkpoints/seed-1/runs/") for name in extra)


# ---- kills ---------------------------------------------------------------------------------------------------------

KILL = """
import os, signal, sys
from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.train import run
from rasid.train.callbacks import CompleteCheckpoints

def kill(self, args, state, control, **kwargs):
    if state.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

CompleteCheckpoints.on_step_begin = kill
run.train(load_config(sys.argv[1], Config, sys.argv[2:]))
"""


def test_a_killed_and_resumed_run_is_bit_equal(
    train: Train, config_file: Path, tmp_path: Path, python: Callable[..., Any]
) -> None:
    # The arguments are also trained on predicted mentions from step 4 on.
    uninterrupted = train("name=uninterrupted", *ARGUMENTS).folder
    killed = python(KILL, str(config_file), f"output={tmp_path}", *SHORT, *ARGUMENTS)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = tmp_path / "tiny"
    assert (folder / "checkpoints/seed-1/checkpoint-3").is_dir() and not (folder / "bundle").exists()
    # A kill may also leave a line that was cut short, and lines of steps that are taken again.
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"seed": 1, "step": 4, "loss": 1.0}\n{"seed": 1, "st')
    assert train(*ARGUMENTS).folder == folder
    assert_equal_runs(folder, uninterrupted)
    assert json.loads((folder / "metrics.json").read_text())["seeds"]["1"]["seconds"] is None  # no longer known


def test_a_kill_while_a_checkpoint_is_written(
    train: Train, train_until: Callable[..., None], tmp_path: Path, uninterrupted: Path
) -> None:
    train_until(CompleteCheckpoints, "on_save", call=4)
    (tmp_path / "tiny/checkpoints/seed-1/checkpoint-4/trainer_state.json").unlink()  # the last file of a checkpoint
    assert_equal_runs(train().folder, uninterrupted)


@pytest.mark.parametrize(
    ("owner", "name"), [(seed, "select"), (seed, "delete_checkpoints"), (run_export, "to_markdown")]
)
def test_a_kill_after_the_last_step(
    train: Train, train_until: Callable[..., None], tmp_path: Path, uninterrupted: Path, owner: Any, name: str
) -> None:
    train_until(owner, name)
    assert not (tmp_path / "tiny/bundle").exists()
    # The best checkpoint is also found after the folder was moved.
    (tmp_path / "tiny").rename(tmp_path / "moved")
    assert_equal_runs(train("name=moved").folder, uninterrupted)


@pytest.mark.parametrize("checkpoint", [3, 4], ids=["before the last evaluation", "after it"])
def test_early_stopping_is_resumed(train: Train, train_until: Callable[..., None], checkpoint: int) -> None:
    # The learning rates are so low that no score changes: the first evaluation remains the best.
    constant = ["training.learning_rate=1e-9", "training.head_learning_rate=1e-9", "training.warmup=0"]
    base = ["training.epochs=6", "training.evaluations=1", "training.patience=3", *constant]
    whole = train("name=whole", base=base).folder
    assert scores(whole)["steps"] == 8 and scores(whole)["best_step"] == 2
    train_until(CompleteCheckpoints, "on_save", "name=killed", call=checkpoint, base=base)
    killed = train("name=killed", base=base).folder
    assert log(killed) == log(whole)
    assert scores(killed) == scores(whole)
    assert same(weights(killed), weights(whole))


def test_early_stopping_ignores_evaluations_during_warmup(train: Train) -> None:
    constant = ["training.learning_rate=1e-9", "training.head_learning_rate=1e-9", "training.warmup=0.5"]
    base = ["training.epochs=6", "training.evaluations=1", "training.patience=1", *constant]
    assert scores(train(base=base).folder)["steps"] == 8  # warm-up ends with step 6


@pytest.mark.parametrize(
    ("name", "cut"),
    [("model.safetensors", True), ("optimizer.pt", False), ("scheduler.pt", False), ("rng_state.pth", True)],
)
def test_a_damaged_checkpoint_is_passed_over(
    train: Train,
    train_until: Callable[..., None],
    tmp_path: Path,
    uninterrupted: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    cut: bool,
) -> None:
    train_until(seed, "select")
    last = max((tmp_path / "tiny/checkpoints/seed-1").glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    file = last / name
    content = file.read_bytes()
    file.unlink()
    if cut:
        file.write_bytes(content[: len(content) // 2])
    assert_equal_runs(train().folder, uninterrupted)
    assert f"{last} is not complete" in caplog.text and name in caplog.text


def test_without_a_complete_best_checkpoint_training_starts_again(
    train: Train, train_until: Callable[..., None], tmp_path: Path, uninterrupted: Path
) -> None:
    train_until(seed, "select")
    for weights_file in (tmp_path / "tiny/checkpoints/seed-1").glob("checkpoint-*/model.safetensors"):
        weights_file.write_bytes(b"")
    assert_equal_runs(train().folder, uninterrupted)


def test_optimizer_states_of_two_checkpoints_are_kept(train_until: Callable[..., None], tmp_path: Path) -> None:
    base = ["training.accumulation=1", "training.evaluations=2", "training.epochs=2"]
    train_until(seed, "select", base=base)
    folder = tmp_path / "tiny/checkpoints/seed-1"
    assert len(list(folder.glob("checkpoint-*/model.safetensors"))) <= 3  # the best and the last two
    kept = sorted(path.parent.name for path in folder.glob("checkpoint-*/optimizer.pt"))
    assert kept == ["checkpoint-3", "checkpoint-4"]


# ---- seeds and random numbers --------------------------------------------------------------------------------------


def test_several_seeds(train: Train, train_until: Callable[..., None], tmp_path: Path, uninterrupted: Path) -> None:
    train_until(run, "train_seed", "training.seeds=[1, 2]", call=2)
    finished = tmp_path / "tiny/checkpoints/seed-1/finished.json"
    written = finished.stat().st_mtime_ns
    folder = train("training.seeds=[1, 2]").folder
    assert finished.stat().st_mtime_ns == written, "a finished seed is not trained again"
    assert same(weights(folder, 1), weights(uninterrupted)), "same seed, same result"
    assert not same(weights(folder, 1), weights(folder, 2))
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    dev = {number: metrics["seeds"][number]["dev"]["mean.f1"] for number in ("1", "2")}
    assert metrics["dev"]["mean.f1"]["mean"] == pytest.approx(sum(dev.values()) / 2)
    assert metrics["dev"]["mean.f1"]["sd"] == pytest.approx(abs(dev["1"] - dev["2"]) / 2**0.5)
    assert set(metrics["test"]["test"]) == set(metrics["dev"])
    best = max(dev, key=lambda number: dev[number])
    assert metrics["best_seed"] == int(best)
    assert same(load_file(folder / "bundle/model.safetensors"), weights(folder, int(best)))
    assert {line["seed"] for line in log(folder)} == {1, 2}


def test_evaluations_do_not_change_the_weights(train_until: Callable[..., None], tmp_path: Path) -> None:
    for name, evaluations in (("often", 2), ("once", 0.3)):
        train_until(seed, "select", f"name={name}", f"training.evaluations={evaluations}", base=["training.epochs=3"])
    last = "checkpoints/seed-1/checkpoint-6/model.safetensors"
    assert len([line for line in log(tmp_path / "often") if "eval_mean.f1" in line]) == 6
    assert len([line for line in log(tmp_path / "once") if "eval_mean.f1" in line]) == 1
    assert same(load_file(tmp_path / "often" / last), load_file(tmp_path / "once" / last))


# ---- the run folder ------------------------------------------------------------------------------------------------


def test_another_config_of_the_same_name_is_an_error_and_fresh_starts_again(train: Train) -> None:
    one = ["training.max_steps=1"]
    folder = train(base=one).folder
    with pytest.raises(run.RunError, match=r"differs in training\); .* --fresh"):
        train("training.learning_rate=1e-5", base=one)
    assert json.loads((folder / "metrics.json").read_text())["seeds"].keys() == {"1"}
    train("training.seeds=[2]", base=one, fresh=True)
    assert json.loads((folder / "metrics.json").read_text())["seeds"].keys() == {"2"}
    assert not (folder / "checkpoints/seed-1").exists()


def test_settings_that_do_not_affect_training_may_change(train: Train) -> None:
    one = ["training.max_steps=1"]
    folder = train(base=one).folder
    before = weights(folder)
    written = (folder / "checkpoints/seed-1/finished.json").stat().st_mtime_ns
    train("training.workers=1", "export.tolerance=0.5", base=one)
    assert load_config(folder / "bundle/config.yaml", Config).export.tolerance == 0.5
    assert (folder / "checkpoints/seed-1/finished.json").stat().st_mtime_ns == written
    assert same(weights(folder), before)


def test_changed_data_are_an_error(train: Train, tmp_path: Path, articles: list[Article]) -> None:
    file = tmp_path / "more.jsonl"
    write_articles(articles[:20], file)
    given = [f"data.train.0.path={file}", "training.max_steps=1"]
    train(base=given)
    write_articles(articles[:21], file)
    with pytest.raises(run.RunError, match=r"data\.train\.0 \(more\)"):
        train(base=given)
    train(base=given, fresh=True)


def test_processes_may_change_between_seeds_also_before_a_kill(
    train: Train, train_until: Callable[..., None], tmp_path: Path
) -> None:
    seeds = ["training.seeds=[1, 2]", "training.max_steps=1"]
    train_until(run, "train_seed", call=2, base=seeds)
    record = tmp_path / "tiny/checkpoints/data.json"
    record.write_text(record.read_text().replace('"processes": "1"', '"processes": "2"'))  # as of the first seed
    train_until(seed, "select", base=seeds)
    train(base=seeds)


def test_a_config_that_cannot_start_leaves_no_folder(
    rasid: Callable[..., Result], config_file: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for key, path in (("data.train.0.path", "nowhere.jsonl"), ("encoder.name", tmp_path_factory.mktemp("empty"))):
        result = rasid("train", config_file, f"output={tmp_path}", f"{key}={path}", code=1)
        assert str(path) in result.stderr
    assert not list(tmp_path.iterdir())


def test_fresh_deletes_only_runs(train: Train, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/thesis.txt").write_text("…", encoding="utf-8")
    with pytest.raises(run.RunError, match="not the folder of a run"):
        train(fresh=True)
    assert (tmp_path / "tiny/thesis.txt").is_file()


def test_a_logger_that_is_not_installed_is_an_error_before_training(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "find_spec", lambda name: None)
    with pytest.raises(run.RunError, match="pip install mlflow"):
        train("training.report_to=[mlflow]")
    assert not list(tmp_path.iterdir())


def test_a_config_error_names_file_line_and_key(rasid: Callable[..., Result], tmp_path: Path, config_text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(config_text.replace("export:", "exprot:"), encoding="utf-8")
    line = config_text[: config_text.index("export:")].count("\n") + 1
    message = f"{file}:{line}:1: exprot: unknown key; did you mean 'export'?"
    assert message in rasid("train", file, code=1).stderr


# ---- a loss that is not finite -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evaluations", "message"),
    [
        (0.1, r"the loss is not finite at step 1 \(.*triggers nan.*\); articles of the batch: made-\d+, made-\d+"),
        (1, "a logit is not finite at step 1, on dev; lower training.learning_rate"),
    ],
)
def test_a_number_that_is_not_finite_is_an_error(train: Train, evaluations: float, message: str) -> None:
    with pytest.raises(NonFiniteLossError, match=message):
        train("training.head_learning_rate=1e38", "training.warmup=0", f"training.evaluations={evaluations}")


def test_a_loss_that_is_not_finite_is_never_logged_as_zero(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RasidTrainer, "training_step", lambda *args, **kwargs: torch.tensor(float("nan")))
    train("training.max_steps=1")
    losses = [line["loss"] for line in log(tmp_path / "tiny") if "loss" in line]
    assert len(losses) == 1 and math.isnan(losses[0])


# ---- options -------------------------------------------------------------------------------------------------------

OPTIONS = {
    "crf": ["tasks.entities.decoder=crf", "encoder.pooling=mean", "tasks.triggers.positive_weight=3"],
    "weights": [
        "tasks.entities={class_weights: balanced, weight: 2}",
        "encoder.pooling=attention",
        "tasks.sentence_types={positive_weight: 4, weight: 0.5}",
        "tasks.event_types.positive_weight=2",
        "training.layer_decay=0.8",
        "training.schedule=cosine",
    ],
    "memory": ["training.gradient_checkpointing=true", "training.workers=1", "training.precision=bf16"],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_train_and_export(train: Train, name: str, articles: list[Article]) -> None:
    result = train(*OPTIONS[name], base=["training.epochs=4", "training.evaluations=0.5"])
    losses = [line["loss"] for line in log(result.folder) if "loss" in line]
    assert losses[-1] < losses[0]
    tagged = Tagger.from_pretrained(result.folder / "bundle", device="cpu")(articles[0].text)
    assert all(articles[0].text[e.start : e.end] for e in tagged.entities)


@pytest.mark.slow
def test_a_span_head_learns_entities_and_is_exported(train: Train) -> None:
    pytest.importorskip("onnxruntime")
    base = ["training.epochs=30", "training.evaluations=0.1", "tasks.entities.decoder=spans", "export.onnx=true"]
    result = train(base=base)
    bundle = result.folder / "bundle"
    assert scores(result.folder)["dev"]["entities.f1"] > 0.6
    options = Settings.load(bundle).spans
    assert options is not None and options.nests == () and 1 <= options.width <= 16
    assert json.loads((bundle / "parity.json").read_text(encoding="utf-8"))["differences"] == 0


def test_a_crf_predicts_the_same_before_and_after_export(train: Train, articles: list[Article]) -> None:
    base = ["training.epochs=30", "training.evaluations=0.1", "tasks.entities.decoder=crf"]
    folder = train(base=base).folder
    expected = scores(folder)
    assert expected["dev"]["entities.f1"] > 0.6
    settings = Settings.load(folder / "bundle")
    network = RasidModel.from_pretrained(folder / "checkpoints/seed-1/best")
    assert network.chain is not None and settings.transitions is not None
    assert torch.equal(torch.tensor(settings.transitions), network.chain.scores().detach())
    assert network.chain.transitions.abs().max() > 0  # it was learned
    report = json.loads((folder / "report/test.json").read_text(encoding="utf-8"))
    values = {(s["task"], s["mode"], s["averaging"], s["metric"]): s["value"] for s in report["scores"]}
    assert values["entities", "strict", "micro", "f1"] == pytest.approx(expected["test"]["test"]["entities.f1"])


def test_data_sets_annotated_for_different_tasks(
    train: Train, tmp_path: Path, articles: list[Article], data_files: dict[str, Path]
) -> None:
    rows = [
        {"text": "قصف عنيف على المدينة", "labels": ["ASSAULT"], "annotated": ["ASSAULT"]},
        {"text": "لم يحدث شيء اليوم", "labels": [], "annotated": ["PROTEST"]},
    ]
    annotated = tmp_path / "annotated.jsonl"
    annotated.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    write_articles(articles[20:28], tmp_path / "places.jsonl")
    everything = "[entities, triggers, proclitics, sentence_types, article_types]"
    sources = (
        f"[{{path: {data_files['train']}, annotated: {everything}, repeats: 0.5}}, "
        f"{{path: {tmp_path / 'places.jsonl'}, annotated: {{entities: [GPE]}}, repeats: 2}}, "
        f"{{path: {annotated}, annotated: {{sentence_types: [ASSAULT, PROTEST]}}}}]"
    )
    result = train(f"data.train={sources}", base=["training.epochs=3"])
    assert result.summary is not None
    assert result.summary.statistics.articles == 28 + 8 + 2
    assert Settings.load(result.folder / "bundle").trained_labels["entities"]
    assert (result.folder / "report/test.json").is_file()


# ---- export --------------------------------------------------------------------------------------------------------


def test_a_failed_onnx_model_is_not_in_the_bundle(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")

    def fail(bundle: Path) -> None:
        (bundle / "model.onnx").write_bytes(b"wrong")
        raise ExportError("cannot be exported")

    base = ["training.max_steps=1"]
    monkeypatch.setattr(run_export, "export_onnx", fail)
    for _ in range(2):  # the run is not done without the model that the config asks for
        with pytest.raises(ExportError):
            train("export.onnx=true", base=base)
        assert files(tmp_path / "tiny") == RUN


# ---- several processes ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(
    config_file: Path, hub_checkpoint: Path, train: Train, tmp_path: Path
) -> None:
    # Without dropout, whose random numbers differ between processes.
    encoder = tmp_path / "encoder"
    shutil.copytree(hub_checkpoint, encoder)
    config = json.loads((encoder / "config.json").read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    (encoder / "config.json").write_text(json.dumps(config))
    base = [f"encoder.name={encoder}", "training.dropout=0", "training.epochs=2", "training.evaluations=1"]
    base += ARGUMENTS
    (tmp_path / "rasid").symlink_to(Path(package.__file__).parent)  # for a checkout that is not installed
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, "-m", "rasid", "train", str(config_file), f"output={tmp_path}", "name=two", *base],
        capture_output=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr.decode()
    one, two = train("training.accumulation=2", base=base).folder, tmp_path / "two"
    assert files(two) == RUN
    losses = [[line["loss"] for line in log(folder) if "loss" in line] for folder in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert [line["epoch"] for line in log(one)] == [line["epoch"] for line in log(two)]
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name], value, atol=1e-4, rtol=1e-3)
    assert done.stderr.decode().count("training windows") == 1  # only the main process logs
