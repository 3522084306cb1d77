"""Predicted mentions beside those of gold, for the training of arguments."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from rasid.data.articles import AnnotatedLabels, Article
from rasid.data.labels import LabelScheme
from rasid.data.windows.encoding import TextEncoder
from rasid.data.windows.training_set import Collator, WindowSet, write_windows
from rasid.models.bundle import Settings
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig
from rasid.models.tasks import columns_of, target_maker, tasks_of
from rasid.train.predicted_mentions import with_predicted_mentions

TASKS = ("entities", "triggers", "arguments")
SPANS = {"width": 2, "nests": None}


@pytest.fixture(params=[None, SPANS], ids=["tags", "spans"])
def network(request: pytest.FixtureRequest, scheme: LabelScheme, tokenizer: Tokenizer) -> RasidModel:
    encoder = {
        "model_type": "bert", "vocab_size": tokenizer.get_vocab_size(), "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 1, "intermediate_size": 8,
    }  # fmt: skip
    labels = {key: scheme.labels(task) for key, task in zip(("entities", "events", "roles"), TASKS, strict=True)}
    return RasidModel(RasidConfig(encoder=encoder, tasks=TASKS, spans=request.param, **labels))


def batch_of(
    network: RasidModel,
    articles: list[Article],
    annotated: AnnotatedLabels,
    scheme: LabelScheme,
    tokenizer: Tokenizer,
    folder: Path,
) -> dict[str, Any]:
    """All windows of some articles as one batch."""
    text_encoder = TextEncoder(tokenizer, window=96, overlap=24)
    tasks = tasks_of(network.config.spans)
    write_windows(folder / "windows", [(articles, annotated)], text_encoder, target_maker(scheme, tasks), budget=9999)
    windows = WindowSet(folder / "windows")
    return Collator(0, columns_of(scheme, tasks))(windows.__getitems__(range(len(windows))))


def mentions(targets: dict[str, torch.Tensor], name: str) -> set[tuple[int, ...]]:
    return set(map(tuple, targets[f"argument_{name}"].tolist()))


@pytest.mark.parametrize("limited", [False, True])
def test_predicted_mentions_of_annotated_labels_join_those_of_gold(
    network: RasidModel,
    limited: bool,
    articles: list[Article],
    scheme: LabelScheme,
    tokenizer: Tokenizer,
    tmp_path: Path,
) -> None:
    text = "\n".join(article.text for article in articles[:8])  # more than one window
    long = replace(articles[0], text=text, title=None)
    annotated: Any = {task: scheme.labels(task) for task in TASKS}
    if limited:
        annotated |= {"entities": scheme.labels("entities")[1:], "triggers": scheme.labels("triggers")[1:]}
    batch = batch_of(network, [long], annotated, scheme, tokenizer, tmp_path)
    targets, words = batch["targets"], batch["words"]
    assert len(words) > 1
    logits = {
        name: torch.full((*words.shape[:2], width), -9.0)
        for name, width in (
            ("triggers", 2 * len(scheme.labels("triggers"))),
            ("entities", 1 + 2 * len(scheme.labels("entities"))),
        )
    }
    if network.config.spans:
        logits["entities"] = torch.full((*words.shape[:2], 2 * len(scheme.labels("entities"))), -9.0)
    offset = 0 if network.config.spans else 1
    logits["triggers"][:, :, 0] = 9.0  # every word begins a trigger of the first type, padding too
    logits["entities"][:, :, offset] = 9.0  # and an entity of the first label
    settings = Settings(scheme=scheme, tasks=TASKS, window=96, overlap=24)
    added = with_predicted_mentions(targets, logits, words, network, settings)
    owned = torch.nonzero(targets["owned"]).tolist()
    real = torch.nonzero(words[:, :, 1] > 0).tolist()
    for name, places in (("triggers", owned), ("entities", real)):
        every = set() if limited else {(window, word, word + 1, 0) for window, word in places}
        assert mentions(added, name) == mentions(targets, name) | every
        assert mentions(targets, name), "gold is kept"
    assert torch.equal(added["arguments"], targets["arguments"])


def test_windows_without_annotated_arguments_get_none(
    network: RasidModel, articles: list[Article], scheme: LabelScheme, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    annotated: Any = {task: scheme.labels(task) for task in TASKS[:2]}
    batch = batch_of(network, articles[:2], annotated, scheme, tokenizer, tmp_path)
    targets, words = batch["targets"], batch["words"]
    with torch.no_grad():
        inputs = {name: values for name, values in batch.items() if name not in ("targets", "ids")}
        logits = {task: torch.full_like(values, 9.0) for task, values in network(**inputs).items()}
    settings = Settings(scheme=scheme, tasks=TASKS, window=96, overlap=24)
    added = with_predicted_mentions(targets, logits, words, network, settings)
    assert len(added["argument_triggers"]) == len(added["argument_entities"]) == 0
