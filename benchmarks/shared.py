"""Shared by the benchmarks: encoder sizes, timing in turns, ratios, tables."""

import json
import os
import platform
import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import BertConfig

SIZES: dict[str, dict[str, Any]] = {
    "mini": {"num_hidden_layers": 4, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
    "base": {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
}
VOCABULARY = {"mini": 12_000, "base": 64_000}


def bert_config(size: str, labels: Sequence[str]) -> BertConfig:
    """A BERT of one of the `SIZES`, with the BIO tags of entity labels in the order that rasid uses."""
    tags = ["O", *(f"{mark}-{label}" for label in labels for mark in "BI")]
    return BertConfig(
        vocab_size=VOCABULARY[size],
        max_position_embeddings=512,
        pad_token_id=0,
        id2label=dict(enumerate(tags)),
        label2id={tag: number for number, tag in enumerate(tags)},
        **SIZES[size],
    )


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
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells))


def write_json(path: Path | None, options: Namespace, results: Mapping[str, Any]) -> None:
    """Write results, with options and versions of the libraries."""
    if path is None:
        return
    setting = {
        "options": {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()},
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "transformers": transformers.__version__,
    }
    content = json.dumps({**setting, **results}, ensure_ascii=False, indent=1, default=str)
    path.write_text(content + "\n", encoding="utf-8")
