"""Learning rate and weight decay of each parameter, for several encoder architectures."""

from typing import Any

import pytest
import torch
from transformers import BertConfig, ElectraConfig, ModernBertConfig, PretrainedConfig, RobertaConfig

from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig
from rasid.train.optimizer import make_optimizer, parameter_groups

SIZES: Any = dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=20)
SIZES |= dict(vocab_size=50, max_position_embeddings=32)
ENCODERS = [
    BertConfig(**SIZES),
    RobertaConfig(**SIZES),
    ElectraConfig(**SIZES, embedding_size=8),  # a projection connects narrower embeddings to layer 0
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
    rates = {"learning_rate": ENCODER_RATE, "head_learning_rate": HEAD_RATE}
    groups = parameter_groups(model, **rates, layer_decay=decay, weight_decay=WEIGHT_DECAY)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = make_optimizer(groups, fused=False)
    found = [
        (names[id(parameter)], (group["lr"], group["weight_decay"]))
        for group in optimizer.param_groups
        for parameter in group["params"]
    ]
    assert len(found) == len(dict(found)) == len(names), "every parameter is in one group"
    return model, dict(found)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda config: config.model_type)
def test_learning_rates_decrease_from_the_last_layer_to_the_embeddings(encoder: PretrainedConfig) -> None:
    _, rates = settings(encoder)
    for name, (rate, _) in rates.items():
        if not name.startswith("encoder."):
            expected = HEAD_RATE
        elif "embedding" in name:
            expected = ENCODER_RATE * DECAY**3
        elif depths := [depth for depth in range(3) if f".layer.{depth}." in name or f".layers.{depth}." in name]:
            expected = ENCODER_RATE * DECAY ** (2 - depths[0])
        else:
            expected = ENCODER_RATE  # after the last layer
        assert rate == pytest.approx(expected), name
    assert {rate for rate, _ in rates.values()} >= {HEAD_RATE, *(ENCODER_RATE * DECAY**n for n in range(4))}


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda config: config.model_type)
def test_biases_norms_and_transitions_have_no_weight_decay(encoder: PretrainedConfig) -> None:
    model, rates = settings(encoder)
    for name, parameter in model.named_parameters():
        exempt = parameter.ndim < 2 or name == "chain.transitions"
        assert rates[name][1] == (0 if exempt else WEIGHT_DECAY), name
    assert any("norm" in name.lower() for name in rates) and rates["chain.transitions"] == (HEAD_RATE, 0)


def test_without_layer_decay_the_encoder_has_one_learning_rate() -> None:
    _, rates = settings(ENCODERS[0], decay=1.0)
    assert {rate for name, (rate, _) in rates.items() if name.startswith("encoder.")} == {ENCODER_RATE}


def test_frozen_parameters_are_left_out() -> None:
    model, _ = settings(ENCODERS[0])
    model.encoder.requires_grad_(False)
    groups = parameter_groups(model, learning_rate=1, head_learning_rate=1, layer_decay=1, weight_decay=0)
    inside = {id(parameter) for group in groups for parameter in group["params"]}  # type: ignore[attr-defined]
    assert inside == {id(value) for name, value in model.named_parameters() if not name.startswith("encoder.")}
    assert not inside & {id(parameter) for parameter in model.encoder.parameters()}
    assert isinstance(make_optimizer(groups, fused=False), torch.optim.AdamW)
