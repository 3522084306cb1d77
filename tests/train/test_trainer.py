"""The trainer: gradients of an optimizer step, the progress table, the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, TrainerControl, TrainerState, TrainingArguments

from rasid.data.articles import AnnotatedLabels, Article
from rasid.data.labels import LabelScheme
from rasid.data.windows.encoding import TextEncoder
from rasid.data.windows.training_set import WindowSet, write_windows
from rasid.models.bundle import Settings
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig
from rasid.models.tasks import target_maker
from rasid.train.callbacks import JsonLog, ProgressTable
from rasid.train.trainer import RasidTrainer, Schedule, same_random_state

TASKS = ["entities", "triggers", "proclitics", "sentence_types", "article_types", "arguments"]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Makes trainers, with the same defaults for all tests."""

    folder: Path
    scheme: LabelScheme
    tokenizer: Tokenizer

    def everything(self) -> dict[Any, tuple[str, ...]]:
        return {task: () if task == "proclitics" else self.scheme.labels(task) for task in TASKS}  # type: ignore[arg-type]

    def windows(self, sources: Sequence[tuple[Sequence[Article], AnnotatedLabels]]) -> WindowSet:
        encoder = TextEncoder(self.tokenizer, window=96, overlap=24)
        write_windows(self.folder / "windows.arrow", sources, encoder, target_maker(self.scheme), budget=10_000)
        return WindowSet(self.folder / "windows.arrow")

    def model(self, *, crf: bool = False) -> RasidModel:
        """A network without dropout; the weights of its heads are large."""
        torch.manual_seed(3)
        sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20)
        no_dropout = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        vocabulary = self.tokenizer.get_vocab_size()
        encoder = BertConfig(vocab_size=vocabulary, max_position_embeddings=96, **sizes, **no_dropout)
        config = RasidConfig(
            encoder=encoder.to_dict(),
            tasks=TASKS,
            entities=self.scheme.labels("entities"),
            events=self.scheme.labels("triggers"),
            roles=self.scheme.labels("arguments"),
            crf=crf,
            dropout=0.0,
        )
        model = RasidModel(config)
        for name, parameter in model.named_parameters():
            if not name.startswith("encoder."):
                torch.nn.init.normal_(parameter, std=0.1)
        return model

    def trainer(
        self,
        model: RasidModel,
        windows: WindowSet,
        batches: Sequence[Sequence[int]],
        *,
        accumulation: int = 1,
        weights: dict[str, float] | None = None,
    ) -> RasidTrainer:
        """A trainer with plain gradient descent and learning rate 1: weights change by the gradient."""
        return RasidTrainer(
            model=model,
            args=TrainingArguments(
                output_dir=str(self.folder / "out"),
                max_steps=len(batches) // accumulation,
                gradient_accumulation_steps=accumulation,
                max_grad_norm=0,
                lr_scheduler_type="constant",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
                label_names=["targets"],
                logging_steps=1,
                use_cpu=True,
            ),
            windows=windows,
            schedule=Schedule([np.array(batch) for batch in batches]),
            per_epoch=len(batches),
            pad_id=0,
            optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
            settings=Settings(scheme=self.scheme, tasks=tuple(TASKS), window=96, overlap=24),
            score=lambda network: {"mean.f1": 0.0},
            weights=weights or dict.fromkeys(TASKS, 1.0),
            positive_weights={},
        )


@pytest.fixture
def workshop(tmp_path: Path, scheme: LabelScheme, tokenizer: Tokenizer) -> Workshop:
    return Workshop(folder=tmp_path, scheme=scheme, tokenizer=tokenizer)


def stepped(trainer: RasidTrainer) -> tuple[dict[str, torch.Tensor], float]:
    """Weights after training, and the first loss that was logged."""
    trainer.train()
    loss = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    return {name: value.detach().clone() for name, value in trainer.model.state_dict().items()}, loss  # type: ignore[union-attr]


@pytest.mark.parametrize("crf", [False, True])
def test_accumulated_batches_equal_one_batch(workshop: Workshop, articles: list[Article], crf: bool) -> None:
    # The halves have different annotations: one has no triggers and types, the other only one entity label.
    entities = {"entities": workshop.scheme.labels("entities"), "proclitics": ()}
    events = {**workshop.everything(), "entities": ("GPE",)}
    windows = workshop.windows([(articles[:9], entities), (articles[9:12], events)])
    assert len(windows) == 12
    whole, loss = stepped(workshop.trainer(workshop.model(crf=crf), windows, [range(12)]))
    for halves in ([range(9), range(9, 12)], [range(2), range(2, 12)]):
        split, split_loss = stepped(workshop.trainer(workshop.model(crf=crf), windows, halves, accumulation=2))
        assert split_loss == pytest.approx(loss, rel=1e-5)
        for name, value in whole.items():
            torch.testing.assert_close(split[name], value, atol=2e-6, rtol=1e-4)
    start = workshop.model(crf=crf).state_dict()
    assert (whole["triggers.weight"] - start["triggers.weight"]).abs().max() > 1e-4, "the weights changed"


def test_a_task_that_is_not_annotated_gets_no_gradient(workshop: Workshop, articles: list[Article]) -> None:
    heads = {
        "entities": ["entities.weight", "entities.bias"],
        "triggers": ["triggers.weight", "triggers.bias"],
        "proclitics": ["proclitics.weight", "proclitics.bias"],
        "sentence_types": ["sentence_types.value.weight", "sentence_types.attention.weight"],
    }
    start = workshop.model().state_dict()
    for task in heads:
        # Proclitics belong to mentions: they have no targets alone.
        annotated = {task, "entities"} if task == "proclitics" else {task}
        labels = {name: workshop.everything()[name] for name in annotated}
        windows = workshop.windows([(articles[:4], labels)])
        moved, _ = stepped(workshop.trainer(workshop.model(), windows, [range(4)]))
        for other, names in heads.items():
            for name in names:
                still = torch.equal(moved[name], start[name])
                assert still == (other not in annotated), f"{task}: {name}"


def test_labels_that_were_not_annotated_get_no_gradient(workshop: Workshop, articles: list[Article]) -> None:
    annotated = ("ASSAULT", "AID")
    windows = workshop.windows([(articles[:8], {"sentence_types": annotated, "triggers": annotated})])
    start = workshop.model().state_dict()
    moved, _ = stepped(workshop.trainer(workshop.model(), windows, [range(8)]))
    for number, label in enumerate(workshop.scheme.labels("triggers")):
        for name, rows in (
            ("sentence_types.value.bias", slice(number, number + 1)),
            ("triggers.bias", slice(2 * number, 2 * number + 2)),
        ):
            assert torch.equal(moved[name][rows], start[name][rows]) == (label not in annotated), (name, label)


def test_weights_of_tasks_scale_their_gradients(workshop: Workshop, articles: list[Article]) -> None:
    windows = workshop.windows([(articles[:4], workshop.everything())])
    start = workshop.model().state_dict()
    moves = []
    for factor in (1.0, 3.0):
        weights = dict.fromkeys(TASKS, 1.0) | {"triggers": factor}
        moved, _ = stepped(workshop.trainer(workshop.model(), windows, [range(4)], weights=weights))
        moves.append({name: moved[name] - start[name] for name in ("triggers.bias", "entities.bias")})
    torch.testing.assert_close(moves[1]["triggers.bias"], 3 * moves[0]["triggers.bias"], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(moves[1]["entities.bias"], moves[0]["entities.bias"], atol=1e-6, rtol=1e-4)


def test_class_weights_and_positive_weights_change_the_loss_of_their_task_only(
    workshop: Workshop, articles: list[Article]
) -> None:
    windows = workshop.windows([(articles[:4], workshop.everything())])
    model = workshop.model()
    trainer = workshop.trainer(model, windows, [range(4)])
    batch = trainer.data_collator(windows.__getitems__(range(4)))
    targets = batch.pop("targets")
    batch.pop("ids")
    logits = model(**batch)
    plain = model.losses(logits, targets)
    tags = torch.ones(1 + 2 * len(workshop.scheme.labels("entities")))
    tags[0] = 0.1
    changed = model.losses(logits, targets, tag_weights=tags, positive_weight={"triggers": 5.0})
    for task in TASKS:
        assert torch.equal(plain[task][0], changed[task][0]) == (task not in ("entities", "triggers")), task
        assert torch.equal(plain[task][1], changed[task][1])
    assert changed["entities"][0] < plain["entities"][0]
    assert changed["triggers"][0] > plain["triggers"][0]


def test_without_a_gold_pair_the_loss_is_a_mean_over_predicted_pairs(
    workshop: Workshop, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_events = [replace(article, events=()) for article in articles[:4]]
    windows = workshop.windows([(no_events, workshop.everything())])
    model = workshop.model()
    weights = dict(model.named_parameters())
    weights["triggers.bias"].data.fill_(2.0)  # most words are triggers
    weights["arguments.roles.bias"].data.fill_(-1.0)
    trainer = workshop.trainer(model, windows, [range(4)], weights={"arguments": 1.0})
    batch = trainer.data_collator(windows.__getitems__(range(4)))
    none = trainer._get_num_items_in_batch([batch], torch.device("cpu"))
    assert none is not None and none.tolist() == [0]
    for world_size in (1, 2):  # a process of two has the loss of its own batch
        monkeypatch.setattr(TrainingArguments, "world_size", world_size)
        loss = float(trainer.compute_loss(model, dict(batch), num_items_in_batch=none).detach())
        assert 0.1 < loss < 2 * len(workshop.scheme.labels("arguments"))


def test_random_state_is_restored_after_an_error() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with pytest.raises(KeyError), same_random_state():
        torch.rand(5)
        raise KeyError
    assert torch.equal(torch.rand(3), expected)


# ---- progress table and log ----------------------------------------------------------------------------------------

Rows = Callable[[list[tuple[float, dict[str, float]]]], list[str]]
SCORES = [f"{task}.f1" for task in ("entities", "triggers")]
SCORES += [f"{task}.{score}" for task in ("sentence_types", "article_types") for score in ("f1", "ap")]


@pytest.fixture
def rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Rows:
    def show(evaluations: list[tuple[float, dict[str, float]]]) -> list[str]:
        """Lines of the table for evaluations, each (best score so far, scores)."""
        args, control = TrainingArguments(output_dir=str(tmp_path), use_cpu=True), TrainerControl()
        state = TrainerState(max_steps=123456, is_world_process_zero=True)
        table = ProgressTable("tiny", "mean.f1")
        table.on_train_begin(args, state, control)
        for number, (best, scores) in enumerate(evaluations):
            state = replace(state, global_step=number * 12345, best_metric=best)
            table.on_log(args, state, control, {"loss": 12.3456})
            metrics = {f"eval_{name}": value for name, value in scores.items()}
            table.on_evaluate(args, state, control, metrics)
        table.on_train_end(args, state, control)
        captured = capsys.readouterr()
        assert not captured.out, "stdout is for results"
        lines = [line.split("\r")[-1].rstrip() for line in captured.err.splitlines()]
        return [line for line in lines if line and "step/s" not in line and "?step" not in line]

    return show


def test_table_fits_80_columns_and_a_star_marks_the_best_score(rows: Rows) -> None:
    scores = [0.5, 1.0, 0.75]
    evaluations = [
        (before, {**dict.fromkeys(SCORES, score), "mean.f1": score})
        for before, score in zip([-1.0, 0.5, 1.0], scores, strict=True)
    ]
    head, names, *lines = rows(evaluations)
    assert max(map(len, (head, names, *lines))) <= 80
    assert [line.endswith(" *") for line in lines] == [True, True, False]
    ends = [line.removesuffix(" *") for line in lines]
    assert {len(line) for line in ends} == {len(names)}, "columns are aligned with their names"
    assert names.split() == ["step", "loss", "f1", "f1", "f1", "ap", "f1", "ap", "f1"]
    assert head.split() == ["entities", "triggers", "sentence_types", "article_types", "mean"]
    assert [line.split()[-1] for line in ends] == ["0.5000", "1.0000", "0.7500"]


def test_a_resumed_run_knows_the_best_score(rows: Rows) -> None:
    assert not rows([(0.9, {"entities.f1": 0.8, "mean.f1": 0.8})])[-1].endswith("*")


def test_log_lines_of_steps_that_are_taken_again_are_deleted(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    args, control = TrainingArguments(output_dir=str(tmp_path), use_cpu=True), TrainerControl()
    for seed in (1, 2):
        log = JsonLog(file, seed)
        for step in (1, 2, 3):
            log.on_log(args, TrainerState(global_step=step), control, {"loss": 1.0})
    JsonLog(file, 2).on_train_begin(args, TrainerState(global_step=2), control)
    seeds_and_steps = [(line[9], line[20]) for line in file.read_text(encoding="utf-8").splitlines()]
    assert seeds_and_steps == [("1", "1"), ("1", "2"), ("1", "3"), ("2", "1"), ("2", "2")]
