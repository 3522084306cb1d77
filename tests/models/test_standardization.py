"""Standardized states: heads learn alike, whatever the mean and the scale of an encoder's states."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from rasid.data.articles import Article
from rasid.data.labels import LabelScheme
from rasid.data.windows.encoding import TextEncoder
from rasid.data.windows.training_set import Collator, WindowSet, write_windows
from rasid.models.heads import Standardization
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig
from rasid.models.tasks import columns_of, target_maker, tasks_of
from rasid.train.optimizer import make_optimizer, parameter_groups

TASKS = ["entities", "triggers", "proclitics", "sentence_types", "article_types"]
BERT = {
    "model_type": "bert", "max_position_embeddings": 128, "hidden_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 64, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.3,  # the states must differ from word to word, as those of a trained encoder
}  # fmt: skip
SPANS = {"width": 3, "nests": None}


def network_of(scheme: LabelScheme, tokenizer: Tokenizer, **options: Any) -> RasidModel:
    torch.manual_seed(5)
    config = RasidConfig(
        encoder={**BERT, "vocab_size": tokenizer.get_vocab_size()},
        tasks=TASKS,
        entities=scheme.labels("entities"),
        events=scheme.labels("triggers"),
        dropout=0.0,
        **{"standardized": True, **options},
    )
    return RasidModel(config)


def move_states(network: RasidModel, scale: float, shift: float) -> None:
    """Change the states of the encoder, through the norm of its last layer (BERT is post-norm)."""
    norm: Any = network.encoder.get_submodule("encoder.layer.1.output.LayerNorm")
    norm.weight.data *= scale
    norm.bias.data += shift


def batches_of(
    network: RasidModel, articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, folder: Path
) -> list[dict[str, Any]]:
    tasks = tasks_of(network.config.spans)
    annotated: Any = {task: () if task == "proclitics" else scheme.labels(task) for task in TASKS}  # type: ignore[arg-type]
    encoder = TextEncoder(tokenizer, window=96, overlap=24)
    write_windows(folder / "windows", [(articles, annotated)], encoder, target_maker(scheme, tasks), budget=10_000)
    windows = WindowSet(folder / "windows")
    collate = Collator(0, columns_of(scheme, tasks))
    batches = [collate(windows.__getitems__(list(range(first, first + 10)))) for first in (0, 10)]
    for batch in batches:
        del batch["ids"]
    return batches


def learn_heads(network: RasidModel, batches: list[dict[str, Any]], steps: int) -> dict[str, float]:
    """Train the heads on batches, the encoder stays as it is; the loss of each task at the end."""
    network.encoder.requires_grad_(False)
    rates = {"learning_rate": 0.0, "head_learning_rate": 0.02, "layer_decay": 1.0, "weight_decay": 0.01}
    optimizer = make_optimizer(parameter_groups(network, **rates), fused=False)
    means: dict[str, torch.Tensor] = {}
    for step in range(steps):
        batch = dict(batches[step % len(batches)])
        targets = batch.pop("targets")
        losses = network.losses(network(**batch), targets)
        means = {task: value / count for task, (value, count) in losses.items()}
        optimizer.zero_grad()
        torch.stack(list(means.values())).sum().backward()
        optimizer.step()
    return {task: float(value.detach()) for task, value in means.items()}


@pytest.mark.parametrize("spans", [None, SPANS], ids=["tags", "spans"])
def test_heads_learn_alike_from_states_of_any_mean_and_scale(
    spans: Any, articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    losses = []
    # The second are the states of a BERT as found: deviation 0.14, and a mean that is larger in every dimension.
    for scale, shift in ((1.0, 0.0), (0.14, 0.3)):
        network = network_of(scheme, tokenizer, spans=spans)
        move_states(network, scale, shift)
        batches = batches_of(network, articles[:20], scheme, tokenizer, tmp_path)
        network.standardize({k: v for k, v in batch.items() if k != "targets"} for batch in batches)
        losses.append(learn_heads(network, batches, 40))
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1]["triggers"] < 0.33, "without standardization 0.39 after as many steps"


def test_the_states_of_words_have_mean_zero_and_deviation_one(
    articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    network = network_of(scheme, tokenizer)
    move_states(network, 0.5, -2.0)
    batches = batches_of(network, articles[:20], scheme, tokenizer, tmp_path)
    network.standardize(batches)
    seen = []
    assert network.standardization is not None and network.training
    for batch in batches:
        states = network.encoder(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        for row, words in zip(network.standardization(states), batch["words"].tolist(), strict=True):
            seen += [row[first:end] for first, end in words]  # without special tokens and padding
    deviation, mean = torch.std_mean(torch.cat(seen), dim=0, correction=0)
    torch.testing.assert_close(mean, torch.zeros(48), atol=1e-4, rtol=0)
    torch.testing.assert_close(deviation, torch.ones(48), atol=1e-3, rtol=0)


def test_a_dimension_that_is_constant_does_not_become_noise() -> None:
    states = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    states[:, 2] *= 1e-5
    standardization = Standardization(4)
    standardization.fit(states)
    assert standardization(states)[:, 2].abs().max() < 1e-3
    standardization.fit(torch.ones(1, 4))
    assert torch.equal(standardization(torch.ones(1, 4)), torch.zeros(1, 4))


def test_networks_of_older_versions_have_no_standardization(
    articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    network = network_of(scheme, tokenizer, standardized=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.standardize(batches_of(network, articles[:20], scheme, tokenizer, tmp_path))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any("standardization" in name for name in before)


def test_mean_and_deviation_are_saved_with_the_weights(
    articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    network = network_of(scheme, tokenizer)
    network.standardize(batches_of(network, articles[:20], scheme, tokenizer, tmp_path))
    network.save_pretrained(tmp_path / "saved")
    again = RasidModel.from_pretrained(tmp_path / "saved")
    for name in ("mean", "deviation"):
        saved = again.state_dict()[f"standardization.{name}"]
        assert torch.equal(saved, network.state_dict()[f"standardization.{name}"])
        assert saved.std() > 0
