"""Parts of the benchmarks: options, networks with random weights, timing in turns, ratios, tables."""

import json
import os
import platform
import statistics
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from transformers import BertConfig, PreTrainedModel

from rasid import Tagger
from rasid.data.labels import LabelScheme
from rasid.models.bundle import Settings
from rasid.models.encoders import save_tokenizer
from rasid.models.export import export_onnx
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig

SIZES: dict[str, dict[str, Any]] = {
    "mini": {"num_hidden_layers": 4, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
    "base": {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
}
VOCABULARY = {"mini": 12_000, "base": 64_000}
OUTSIDE = 0.9  # share of words outside of all entities, as in news; random weights would tag nearly all words


def parser(documentation: str | None, *, repeats: int | None = None) -> ArgumentParser:
    """A parser with the options of all scripts; those that tag in turns give the default number of rounds."""
    made = ArgumentParser(description=documentation, formatter_class=RawDescriptionHelpFormatter)
    made.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for torch and for onnxruntime")
    made.add_argument("--json", type=Path, help="also write the results to this file")
    if repeats is not None:
        made.add_argument("--repeats", type=int, default=repeats, help="measured rounds")
        made.add_argument("--backends", nargs="+", choices=("onnx", "torch"), default=["onnx", "torch"])
    return made


def tag_names(scheme: LabelScheme) -> list[str]:
    """The BIO tags of entities in the order that rasid uses."""
    return ["O", *(f"{mark}-{label}" for label in scheme.labels("entities") for mark in "BI")]


def bert_config(size: str, tags: Sequence[str] = ()) -> BertConfig:
    """A BERT of one of the `SIZES`."""
    return BertConfig(
        vocab_size=VOCABULARY[size],
        max_position_embeddings=512,
        pad_token_id=0,
        id2label=dict(enumerate(tags)),
        label2id={tag: number for number, tag in enumerate(tags)},
        **SIZES[size],
    )


def entity_network(encoder: PreTrainedModel, scheme: LabelScheme) -> RasidModel:
    """An encoder with an entity head."""
    return RasidModel(
        RasidConfig(
            encoder=encoder.config.to_dict(),
            tasks=["entities"],
            entities=scheme.labels("entities"),
            events=scheme.labels("triggers"),
        ),
        encoder,
    )


def save_bundle(
    network: RasidModel, tokenizer: Tokenizer, folder: Path, scheme: LabelScheme, texts: Sequence[str], *, onnx: bool
) -> None:
    """Write a bundle with a random entity head, whose bias puts `OUTSIDE` of the words in texts outside entities."""
    network.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    Settings(scheme=scheme, tasks=("entities",), window=512, overlap=128).save(folder)
    tagged = Tagger.from_pretrained(folder, device="cpu").predict(texts)
    logits = torch.cat([torch.from_numpy(prediction.logits["entities"]) for prediction in tagged])
    bias = network.get_parameter("entities.bias")
    bias.data[0] += torch.quantile(logits[:, 1:].amax(-1) - logits[:, 0], OUTSIDE)
    network.save_pretrained(folder)
    if onnx:
        export_onnx(folder)


def in_turns(contenders: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round, after one round that is not measured. Rounds are A B C, C B A, A B C, …

    A machine that is slow for a while slows all contenders, so the ratio within a round remains valid.
    """
    for run in contenders.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(repeats):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            begin = time.perf_counter()
            contenders[name]()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def ratio(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """Median, minimum and maximum of the ratios of the rounds."""
    ratios = [a / b for a, b in zip(slower, faster, strict=True)]
    return {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}


def show_ratio(values: Mapping[str, float]) -> str:
    """A ratio with its range, for a table."""
    return f"{values['median']:.2f} ({values['lowest']:.2f}-{values['highest']:.2f})"


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table: first column left-aligned, the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join([f"{row[0]:<{len(first)}}", *others]))


def write_json(options: Namespace, results: Mapping[str, Any]) -> None:
    """Write results, with options and versions of the libraries, to the file of ``--json``."""
    if options.json is None:
        return
    content = {
        "options": vars(options),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "transformers": transformers.__version__,
        **results,
    }
    options.json.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
