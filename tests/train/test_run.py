"""A whole run: what it leaves behind, how it goes on after a kill, what it refuses."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from rasid.cli import app
from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article
from rasid.data.formats import write_articles
from rasid.evaluate.parity import ParityError
from rasid.inference import Tagger
from rasid.models.bundle import Settings
from rasid.models.network import RasidModel
from rasid.train import export as run_export
from rasid.train import progress, run
from rasid.train import run_folder as claim
from rasid.train.resume import OneOptimizer
from rasid.train.trainer import NonFiniteLossError, RasidTrainer

Train = Callable[..., run.Result]

BEST = [
    "checkpoints/seed-1/best/config.json",
    "checkpoints/seed-1/best/model.safetensors",
    "checkpoints/seed-1/best/rasid.json",
    "checkpoints/seed-1/best/tokenizer.json",
    "checkpoints/seed-1/best/tokenizer_config.json",
    "checkpoints/seed-1/finished.json",
]
RUN = [
    "bundle/README.md",
    "bundle/config.json",
    "bundle/model.safetensors",
    "bundle/rasid.json",
    "bundle/config.yaml",
    "bundle/tokenizer.json",
    "bundle/tokenizer_config.json",
    "checkpoints/data.json",
    *BEST,
    "config.yaml",
    "log.jsonl",
    "metrics.json",
    "report/dev-dev.json",
    "report/dev-dev.md",
    "report/test.json",
    "report/test.md",
]


class Killed(BaseException):
    """Ends a run at once, as a kill does: nothing in the package catches it."""


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def log(folder: Path) -> list[dict[str, Any]]:
    """Lines of the log, without the summary of each call, which holds times."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "train_runtime" not in line]


def weights(folder: Path, seed: int = 1) -> dict[str, torch.Tensor]:
    return load_file(folder / f"checkpoints/seed-{seed}/best/model.safetensors")


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == two.keys()
    return all(torch.equal(one[name], two[name]) for name in one)


def figures(folder: Path, seed: int = 1) -> dict[str, Any]:
    result = json.loads((folder / f"checkpoints/seed-{seed}/finished.json").read_text(encoding="utf-8"))
    return {name: value for name, value in result.items() if name != "seconds"}


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory, config_text: str) -> Path:
    file = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    file.write_text(config_text, encoding="utf-8")
    return file


# Six steps of two batches each, an evaluation after every one.
SHORT = ["training.epochs=6", "training.accumulation=2", "training.evaluations=1"]


@pytest.fixture
def train(config_file: Path, tmp_path: Path) -> Train:
    """Trains the tiny config for a few steps; the folder of the run is `tmp_path`/NAME."""

    def run_it(*overrides: str, base: list[str] | None = None, **options: Any) -> run.Result:
        given = [f"output={tmp_path}", *(SHORT if base is None else base), *overrides]
        return run.train(load_config(config_file, Config, given), **options)

    return run_it


@pytest.fixture(scope="module")
def unbroken(config_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("unbroken")
    return run.train(load_config(config_file, Config, [f"output={folder}", *SHORT])).folder


def assert_as_if_never_killed(folder: Path, unbroken: Path) -> None:
    assert files(folder) == RUN
    assert log(folder) == log(unbroken)
    assert figures(folder) == figures(unbroken)
    assert same(weights(folder), weights(unbroken))


# ---- what a run leaves behind --------------------------------------------------------------------------------------


def test_a_run_leaves_these_files_and_has_learned(run_folder: Path) -> None:
    assert files(run_folder) == RUN
    metrics = json.loads((run_folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["best_seed"] == 1
    assert metrics["seeds"]["1"]["seconds"] > 0
    for part in (metrics["dev"], metrics["test"]["test"]):
        assert part["entities.f1"]["mean"] > 0.6
        assert part["triggers.f1"]["mean"] > 0.6
        assert part["article_types.f1"]["mean"] > 0.6
        assert part["entities.f1"]["sd"] is None  # one seed has no spread


def test_the_log_has_losses_and_figures_with_the_epochs_of_the_data(run_folder: Path) -> None:
    lines = log(run_folder)
    evaluated = [line for line in lines if "eval_mean.f1" in line]
    assert [line["step"] for line in evaluated] == [10, 20, 30, 40, 50, 60]
    assert [line["epoch"] for line in lines if "loss" in line] == [5, 10, 15, 20, 25, 30]
    assert all(line["epoch"] == line["step"] / 2 and line["seed"] == 1 for line in lines)
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[0] > 2 * losses[-1] > 0


def test_the_report_says_of_the_bundle_what_was_measured_in_training(run_folder: Path) -> None:
    found = figures(run_folder)
    for name, expected in (("dev-dev", found["dev"]), ("test", found["test"]["test"])):
        report = json.loads((run_folder / f"report/{name}.json").read_text(encoding="utf-8"))
        values = {(s["task"], s["mode"], s["averaging"], s["metric"]): s["value"] for s in report["scores"]}
        for task, mode in (("entities", "strict"), ("triggers", "strict"), ("sentence_types", "decision")):
            assert values[task, mode, "micro", "f1"] == pytest.approx(expected[f"{task}.f1"], abs=1e-6)


def test_a_run_that_is_done_is_left_as_it_is(config_file: Path, run_folder: Path) -> None:
    before = {name: ((run_folder / name).stat().st_mtime_ns) for name in files(run_folder)}
    result = CliRunner().invoke(app, ["train", str(config_file), f"output={run_folder.parent}"])
    assert result.exit_code == 0, result.output
    assert "is done" in result.stderr
    assert "entities" in result.stdout  # the scores are shown once more
    assert {name: ((run_folder / name).stat().st_mtime_ns) for name in files(run_folder)} == before


def test_a_dry_run_writes_nothing(config_file: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", str(config_file), f"output={tmp_path}", "--dry-run"])
    assert result.exit_code == 0, result.output
    assert not list(tmp_path.iterdir())
    assert re.search(r"60 steps, 2 an epoch", result.stdout)
    assert re.search(r"loss \d+\.\d+", result.stdout)


def test_tensorboard_files_lie_with_the_seed(train: Train) -> None:
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
from rasid.train.trainer import RasidTrainer

step = RasidTrainer.training_step

def kill(self, *args, **kwargs):
    if self.state.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *args, **kwargs)

RasidTrainer.training_step = kill
run.train(load_config(sys.argv[1], Config, sys.argv[2:]))
"""


def test_killed_and_resumed_is_bit_equal_to_never_killed(
    train: Train, config_file: Path, tmp_path: Path, unbroken: Path
) -> None:
    command = [sys.executable, "-c", KILL, str(config_file), f"output={tmp_path}", *SHORT]
    killed = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    folder = tmp_path / "tiny"
    assert (folder / "checkpoints/seed-1/checkpoint-3").is_dir() and not (folder / "bundle").exists()
    # What a kill may leave besides: a line that was cut short, and steps that are taken again.
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"seed": 1, "step": 4, "loss": 1.0}\n{"seed": 1, "st')
    assert train().folder == folder
    assert_as_if_never_killed(folder, unbroken)
    assert json.loads((folder / "metrics.json").read_text())["seeds"]["1"]["seconds"] is None  # not known any more


def test_a_kill_while_a_checkpoint_is_written(
    train: Train, tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = RasidTrainer._save_optimizer_and_scheduler

    def kill(self: RasidTrainer, output_dir: str) -> None:
        if self.state.global_step == 4:
            raise Killed
        save(self, output_dir)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(RasidTrainer, "_save_optimizer_and_scheduler", kill)
        train()
    home = tmp_path / "tiny/checkpoints/seed-1"
    assert (home / "checkpoint-4/model.safetensors").is_file()
    assert not (home / "checkpoint-4/trainer_state.json").exists()
    assert_as_if_never_killed(train().folder, unbroken)


PLACES = {"_load_best_model": RasidTrainer, "_drop_checkpoints": run, "to_markdown": run_export}


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_after_the_last_step(
    train: Train, tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def kill(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(PLACES[place], place, kill)
        train()
    assert not (tmp_path / "tiny/bundle").exists()
    # The folder is moved, and the best checkpoint is found where it lies now.
    (tmp_path / "tiny").rename(tmp_path / "moved")
    assert_as_if_never_killed(train("name=moved").folder, unbroken)


@pytest.mark.parametrize("stopped", [False, True], ids=["while patience runs out", "after it ran out"])
def test_early_stopping_goes_on_where_it_was(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    # Rates so small that no figure moves: the first evaluation stays the best.
    still = ["training.learning_rate=1e-9", "training.head_learning_rate=1e-9", "training.warmup=0"]
    base = ["training.epochs=6", "training.evaluations=1", "training.patience=3", *still]
    whole = train("name=whole", base=base).folder
    assert figures(whole)["steps"] == 8 and figures(whole)["best_step"] == 2

    def kill(self: OneOptimizer, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == (8 if stopped else 6):
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(OneOptimizer, "on_save", kill)
        train("name=killed", base=base)
    killed = train("name=killed", base=base).folder
    assert log(killed) == log(whole)
    assert figures(killed) == figures(whole)
    assert same(weights(killed), weights(whole))


def test_patience_does_not_count_while_the_rates_rise(train: Train) -> None:
    still = ["training.learning_rate=1e-9", "training.head_learning_rate=1e-9", "training.warmup=0.5"]
    base = ["training.epochs=6", "training.evaluations=1", "training.patience=1", *still]
    assert figures(train(base=base).folder)["steps"] == 8  # warm-up ends with step 6


def test_one_optimizer_state_is_kept(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_drop_checkpoints", lambda home: None)
    train("training.evaluations=2", "training.epochs=2", base=["training.accumulation=1"])
    home = tmp_path / "tiny/checkpoints/seed-1"
    assert len(list(home.glob("checkpoint-*/model.safetensors"))) == 2  # the best and the last
    assert [path.parent.name for path in home.glob("checkpoint-*/optimizer.pt")] == ["checkpoint-4"]


# ---- seeds and randomness ------------------------------------------------------------------------------------------


def test_several_seeds(train: Train, tmp_path: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    start = RasidTrainer.train

    def kill(self: RasidTrainer, *args: Any, **kwargs: Any) -> Any:
        begun.append(self.args.seed)
        if begun == [1, 2]:
            raise Killed  # between two seeds
        return start(self, *args, **kwargs)

    monkeypatch.setattr(RasidTrainer, "train", kill)
    with pytest.raises(Killed):
        train("training.seeds=[1, 2]")
    folder = train("training.seeds=[1, 2]").folder
    assert begun == [1, 2, 2]
    assert same(weights(folder, 1), weights(unbroken)), "same seed, same result"
    assert not same(weights(folder, 1), weights(folder, 2))
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    dev = {seed: metrics["seeds"][seed]["dev"]["mean.f1"] for seed in ("1", "2")}
    assert metrics["dev"]["mean.f1"]["mean"] == pytest.approx(sum(dev.values()) / 2)
    assert metrics["dev"]["mean.f1"]["sd"] == pytest.approx(abs(dev["1"] - dev["2"]) / 2**0.5)
    assert set(metrics["test"]["test"]) == set(metrics["dev"])
    best = max(dev, key=lambda seed: dev[seed])
    assert metrics["best_seed"] == int(best)
    assert same(load_file(folder / "bundle/model.safetensors"), weights(folder, int(best)))
    assert {line["seed"] for line in log(folder)} == {1, 2}


def test_evaluations_do_not_change_the_weights(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_drop_checkpoints", lambda home: None)
    base = ["training.epochs=3"]
    for name, evaluations in (("often", 2), ("once", 0.3)):
        train(f"name={name}", f"training.evaluations={evaluations}", base=base)
    last = "checkpoints/seed-1/checkpoint-6/model.safetensors"
    assert len([line for line in log(tmp_path / "often") if "eval_mean.f1" in line]) == 6
    assert len([line for line in log(tmp_path / "once") if "eval_mean.f1" in line]) == 1
    assert same(load_file(tmp_path / "often" / last), load_file(tmp_path / "once" / last))


# ---- one folder, one config, one set of data -----------------------------------------------------------------------


def test_another_config_under_the_same_name_is_refused_and_fresh_starts_over(train: Train, tmp_path: Path) -> None:
    one = ["training.max_steps=1"]
    folder = train(base=one).folder
    with pytest.raises(run.RunError, match=r"differs in training\); .* --fresh"):
        train("training.learning_rate=1e-5", base=one)
    assert json.loads((folder / "metrics.json").read_text())["seeds"].keys() == {"1"}
    train("training.seeds=[2]", base=one, fresh=True)
    assert json.loads((folder / "metrics.json").read_text())["seeds"].keys() == {"2"}
    assert not (folder / "checkpoints/seed-1").exists()


def test_what_does_not_touch_the_training_may_change(train: Train, tmp_path: Path) -> None:
    one = ["training.max_steps=1"]
    folder = train(base=one).folder
    before = weights(folder)
    written = (folder / "checkpoints/seed-1/finished.json").stat().st_mtime_ns
    train("training.workers=1", "export.tolerance=0.5", base=one)
    assert load_config(folder / "bundle/config.yaml", Config).export.tolerance == 0.5
    assert (folder / "checkpoints/seed-1/finished.json").stat().st_mtime_ns == written
    assert same(weights(folder), before)


def test_changed_data_are_refused(train: Train, tmp_path: Path, articles: list[Article]) -> None:
    file = tmp_path / "more.jsonl"
    write_articles(articles[:20], file)
    given = [f"data.train.0.path={file}", "training.max_steps=1"]
    train(base=given)
    write_articles(articles[:21], file)
    with pytest.raises(run.RunError, match=r"data\.train\.0 \(more\)"):
        train(base=given)
    train(base=given, fresh=True)


def test_a_config_that_cannot_start_leaves_no_folder_behind(
    config_file: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    command = ["train", str(config_file), f"output={tmp_path}"]
    empty = tmp_path_factory.mktemp("empty")
    result = CliRunner().invoke(app, [*command, "data.train.0.path=nowhere.jsonl"])
    assert result.exit_code == 1 and "nowhere.jsonl" in result.stderr
    result = CliRunner().invoke(app, [*command, f"encoder.name={empty}"])
    assert result.exit_code == 1 and str(empty) in result.stderr
    assert not list(tmp_path.iterdir())


def test_fresh_deletes_runs_only(train: Train, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/thesis.txt").write_text("…", encoding="utf-8")
    with pytest.raises(run.RunError, match="holds no run of rasid"):
        train(fresh=True)
    assert (tmp_path / "tiny/thesis.txt").is_file()


def test_a_logger_that_is_not_installed_is_named_before_training(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    with pytest.raises(run.RunError, match="pip install mlflow"):
        train("training.report_to=[mlflow]")
    assert not list(tmp_path.iterdir())


def test_a_config_error_names_file_line_and_key(tmp_path: Path, config_text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(config_text.replace("export:", "exprot:"), encoding="utf-8")
    result = CliRunner().invoke(app, ["train", str(file)])
    line = config_text[: config_text.index("export:")].count("\n") + 1
    assert result.exit_code == 1
    assert f"{file}:{line}:1: exprot: unknown key; did you mean 'export'?" in result.stderr


# ---- a loss that is no number --------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_names_the_articles(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    step = RasidTrainer.training_step

    def poison(self: RasidTrainer, model: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step == 2:
            with torch.no_grad():
                model.triggers.bias[0] = float("nan")
        return step(self, model, *args, **kwargs)

    monkeypatch.setattr(RasidTrainer, "training_step", poison)
    with pytest.raises(NonFiniteLossError) as raised:
        train()
    assert re.search(r"at step 2 \(.*triggers nan.*\); articles of the batch: made-\d+, made-\d+", str(raised.value))


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


def test_a_crf_decides_alike_before_and_after_the_bundle(train: Train, articles: list[Article]) -> None:
    base = ["training.epochs=30", "training.evaluations=0.1", "tasks.entities.decoder=crf"]
    folder = train(base=base).folder
    found = figures(folder)
    assert found["dev"]["entities.f1"] > 0.6
    settings = Settings.load(folder / "bundle")
    network = RasidModel.from_pretrained(folder / "checkpoints/seed-1/best")
    assert network.chain is not None and settings.transitions is not None
    assert torch.equal(torch.tensor(settings.transitions), network.chain.scores().detach())
    assert network.chain.transitions.abs().max() > 0  # it was learned
    report = json.loads((folder / "report/test.json").read_text(encoding="utf-8"))
    values = {(s["task"], s["mode"], s["averaging"], s["metric"]): s["value"] for s in report["scores"]}
    assert values["entities", "strict", "micro", "f1"] == pytest.approx(found["test"]["test"]["entities.f1"])


def test_several_data_sets_that_supervise_different_tasks(
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


def test_a_refused_onnx_model_does_not_stay_in_the_bundle(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Tagger.from_pretrained

    def drop(*args: Any, **kwargs: Any) -> None:
        raise ParityError("the exported model is refused")

    one = ["training.max_steps=1", "export.onnx=true"]
    with monkeypatch.context() as patch:
        for module in (run_export, claim):
            patch.setattr(module, "onnx_available", lambda: True)
        patch.setattr(run_export, "export_onnx", lambda bundle: (bundle / "model.onnx").write_bytes(b"wrong"))
        patch.setattr(run_export, "check_parity", drop)
        patch.setattr(Tagger, "from_pretrained", lambda path, backend="torch": read(path))
        for _ in range(2):  # the run is not done without the model that was asked for
            with pytest.raises(ParityError):
                train(base=one)
    result = train("export.onnx=false", base=one)
    assert files(result.folder) == RUN


# ---- several processes ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_take_the_step_of_one_with_the_same_batches(
    config_file: Path, hub_checkpoint: Path, train: Train, tmp_path: Path
) -> None:
    # Without dropout, which every process draws for itself.
    calm = tmp_path / "calm"
    calm.mkdir()
    for file in hub_checkpoint.iterdir():
        (calm / file.name).write_bytes(file.read_bytes())
    config = json.loads((calm / "config.json").read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    (calm / "config.json").write_text(json.dumps(config))
    given = [f"encoder.name={calm}", "training.dropout=0", "training.epochs=2", "training.evaluations=1"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, "-m", "rasid", "train", str(config_file), f"output={tmp_path}", "name=two", *given],
        capture_output=True,
        check=False,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr.decode()
    one = train("training.accumulation=2", base=given).folder
    two = tmp_path / "two"
    assert files(two) == RUN
    losses = [[line["loss"] for line in log(folder) if "loss" in line] for folder in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert [line["epoch"] for line in log(one)] == [line["epoch"] for line in log(two)]
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name], value, atol=1e-4, rtol=1e-3)
    assert done.stderr.decode().count("training windows") == 1  # one process speaks
