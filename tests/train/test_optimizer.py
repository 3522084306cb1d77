"""Parameter groups: which rate and which decay every parameter gets, by the encoder's layout."""

from typing import Any

import pytest
import torch
from transformers import BertConfig, ElectraConfig, ModernBertConfig, PretrainedConfig, RobertaConfig

from rasid.models.network import RasidConfig, RasidModel
from rasid.train.optimizer import make_optimizer, parameter_groups

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 32,
}
ENCODERS = [
    BertConfig(**SIZES),
    RobertaConfig(**SIZES),
    ElectraConfig(**SIZES, embedding_size=8),  # narrower embeddings: a projection lies between them and layer 0
    ModernBertConfig(**SIZES, pad_token_id=0, bos_token_id=2, cls_token_id=2, eos_token_id=3, sep_token_id=3),
]
ENCODER_RATE, HEAD_RATE, DECAY, WEIGHT_DECAY = 1e-3, 1e-2, 0.5, 0.1


def settings(encoder: PretrainedConfig, decay: float = DECAY) -> tuple[RasidModel, dict[str, tuple[float, float]]]:
    """A network, and rate and weight decay of each of its parameters."""
    config = RasidConfig(
        encoder=encoder.to_dict(),
        tasks=["entities", "triggers", "proclitics", "sentence_types", "article_types"],
        entities=["PER"],
        events=["AID"],
        pooling="attention",
        crf=True,
    )
    model = RasidModel(config)
    groups = parameter_groups(
        model,
        learning_rate=ENCODER_RATE,
        head_learning_rate=HEAD_RATE,
        layer_decay=decay,
        weight_decay=WEIGHT_DECAY,
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = make_optimizer(groups, fused=False)
    given = [
        (names[id(parameter)], (group["lr"], group["weight_decay"]))
        for group in optimizer.param_groups
        for parameter in group["params"]
    ]
    assert len(given) == len(dict(given)) == len(names), "every parameter stands in one group"
    return model, dict(given)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda config: config.model_type)
def test_rates_fall_from_the_last_layer_to_the_embeddings(encoder: PretrainedConfig) -> None:
    _, given = settings(encoder)
    for name, (rate, _) in given.items():
        if not name.startswith("encoder."):
            expected = HEAD_RATE
        elif "embedding" in name:
            expected = ENCODER_RATE * DECAY**3
        elif found := [depth for depth in range(3) if f".layer.{depth}." in name or f".layers.{depth}." in name]:
            expected = ENCODER_RATE * DECAY ** (2 - found[0])
        else:
            expected = ENCODER_RATE  # what comes after the last layer
        assert rate == pytest.approx(expected), name
    assert {rate for rate, _ in given.values()} >= {HEAD_RATE, *(ENCODER_RATE * DECAY**n for n in range(4))}


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda config: config.model_type)
def test_biases_norms_and_transitions_do_not_decay(encoder: PretrainedConfig) -> None:
    model, given = settings(encoder)
    for name, parameter in model.named_parameters():
        spared = parameter.ndim < 2 or name == "chain.transitions"
        assert given[name][1] == (0 if spared else WEIGHT_DECAY), name
    assert any("norm" in name.lower() for name in given) and given["chain.transitions"] == (HEAD_RATE, 0)


def test_without_layer_decay_the_encoder_has_one_rate() -> None:
    _, given = settings(ENCODERS[0], decay=1.0)
    assert {rate for name, (rate, _) in given.items() if name.startswith("encoder.")} == {ENCODER_RATE}


def test_frozen_parameters_are_left_out() -> None:
    model, _ = settings(ENCODERS[0])
    model.encoder.requires_grad_(False)
    groups = parameter_groups(model, learning_rate=1, head_learning_rate=1, layer_decay=1, weight_decay=0)
    inside = {id(parameter) for group in groups for parameter in group["params"]}  # type: ignore[attr-defined]
    assert inside == {id(value) for name, value in model.named_parameters() if not name.startswith("encoder.")}
    assert not inside & {id(parameter) for parameter in model.encoder.parameters()}
    assert isinstance(make_optimizer(groups, fused=False), torch.optim.AdamW)
