"""The training set: windows with targets in an Arrow file, read by memory map, and batches of them as tensors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from ..articles import AnnotatedLabels, Article
from .collate import Rows, pad, padded_inputs
from .columns import BatchShape, Column, Part
from .encoding import EncodedText, TextEncoder, Window
from .targets import TargetMaker, Targets

CHUNK = 256  # articles encoded at once

_WINDOW = {
    "source": pa.int32(),  # number of the data set
    "group": pa.int32(),  # windows of one article that share a batch
    "position": pa.int32(),  # of the window in its group
    "id": pa.string(),  # of the article
    "input_ids": pa.list_(pa.int32()),
    "words": pa.list_(pa.int32()),  # [W * 2]
    "owned": pa.list_(pa.bool_()),  # [W]
    "sentences": pa.list_(pa.int32()),  # [S * 3]
}
"""Columns of every file; the tasks add their targets."""


@dataclass(kw_only=True)
class Statistics:
    """Counts over the articles of a training set.

    Attributes:
        articles, windows, subwords, words: how many.
        unread: words in which no sub-word begins.
        unknown: sub-words that are the unknown token.
        unpredictable: (task, cause) → number of gold items that no prediction can equal.
        tags: number of words with each entity tag. [1 + 2L]
    """

    articles: int = 0
    windows: int = 0
    subwords: int = 0
    words: int = 0
    unread: int = 0
    unknown: int = 0
    unpredictable: Counter[tuple[str, str]] = field(default_factory=Counter)
    tags: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def add(self, encoded: EncodedText, targets: Targets) -> None:
        """Count one article."""
        self.articles += 1
        self.windows += len(encoded.windows)
        self.subwords += sum(len(window.input_ids) for window in encoded.windows)
        self.words += len(encoded.words)
        self.unread += len(encoded.unread)
        self.unknown += encoded.unknown
        self.unpredictable.update(targets.unpredictable)
        if "entities" in targets.arrays:  # a span head has no tags
            tags = targets["entities"]
            self.tags = self.tags + np.bincount(tags[tags >= 0], minlength=len(self.tags))


def write_windows(
    file: Path,
    sources: Sequence[tuple[Iterable[Article], AnnotatedLabels]],
    encoder: TextEncoder,
    maker: TargetMaker,
    *,
    budget: int,
) -> Statistics:
    """Encode data sets into an Arrow file for `WindowSet`.

    Args:
        file: to be written.
        sources: articles of each data set, and the labels that it annotated.
        encoder: makes the windows.
        maker: makes the targets.
        budget: sub-words in a batch, padding included. Windows of an article share a batch up to this size. If an
            article has more, its labels are trained on the first batch only, where news has its topic.
    """
    statistics = Statistics(tags=np.zeros(1 + 2 * len(maker.scheme.entities), dtype=np.int64))
    schema = pa.schema(
        {**_WINDOW, **{name: pa.list_(pa.type_for_alias(column.type)) for name, column in maker.columns.items()}}
    )
    group = 0
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for source, (articles, annotated_labels) in enumerate(sources):
            stream = iter(articles)
            while chunk := list(islice(stream, CHUNK)):
                rows: list[dict[str, Any]] = []
                for article, encoded in zip(chunk, encoder.encode(chunk), strict=True):
                    targets = maker.make(article, encoded, annotated_labels)
                    statistics.add(encoded, targets)
                    first = group
                    for window, position, later in _grouped(encoded.windows, budget):
                        group = first + later
                        place = {"source": source, "group": group, "position": position, "id": article.id}
                        rows.append(place | _row(window, targets, maker, first=later == 0))
                    group += 1
                columns = {name: [row[name] for row in rows] for name in schema.names}
                writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=schema))
    return statistics


def _grouped(windows: Sequence[Window], budget: int) -> Iterator[tuple[Window, int, int]]:
    """Windows of an article with their position in a batch group, and the number of the group in the article."""
    position = longest = group = 0
    for window in windows:
        longest = max(longest, len(window.input_ids))
        if position and longest * (position + 1) > budget:
            group, position, longest = group + 1, 0, len(window.input_ids)
        yield window, position, group
        position += 1


def _row(window: Window, targets: Targets, maker: TargetMaker, *, first: bool) -> dict[str, Any]:
    """A window and its targets; ``first`` as in `Part`."""
    numbers = np.arange(window.first_word, window.first_word + len(window.words))
    owned = (numbers >= window.owned[0]) & (numbers < window.owned[1])
    part = Part(window=window, owned=owned, first=first)
    return {
        "input_ids": window.input_ids,
        "words": window.words.reshape(-1),
        "owned": owned,
        "sentences": window.sentences.reshape(-1),
        **{name: column.cut(targets[name], part).reshape(-1) for name, column in maker.columns.items()},
    }


class WindowSet(torch.utils.data.Dataset):
    """Windows of an Arrow file, which is mapped into memory; whole batches are read at once.

    Args:
        file: written by `write_windows`.
    """

    def __init__(self, file: Path) -> None:
        with pa.memory_map(str(file)) as source:
            self.table = pa.ipc.open_stream(source).read_all()
        self._chunks = self.table.to_batches()
        self._starts = [0, *accumulate(len(chunk) for chunk in self._chunks)][:-1]
        self.lengths = _column(self.table, "input_ids")[1].astype(np.int64)
        self.groups = self.table["group"].to_numpy()
        self.sources = self.table["source"].to_numpy()

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> pa.Table:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> pa.Table:
        """The rows of a batch, for `Collator`."""
        # Slices copy nothing; `pa.Table.take` copies the whole table for every batch.
        chunks = np.searchsorted(self._starts, indices, side="right") - 1
        rows = [
            self._chunks[chunk].slice(index - self._starts[chunk], 1)
            for index, chunk in zip(indices, chunks.tolist(), strict=True)
        ]
        return pa.Table.from_batches(rows, schema=self.table.schema)


class Collator:
    """Rows of a batch to padded tensors: inputs of the network, and targets under the key ``targets``.

    Args:
        pad_id: of the tokenizer.
        columns: target arrays of the tasks.
    """

    def __init__(self, pad_id: int, columns: Mapping[str, Column]) -> None:
        self.pad_id, self.columns = pad_id, columns

    def __call__(self, rows: pa.Table) -> dict[str, Any]:
        """Inputs for `RasidModel.forward`, targets for `RasidModel.losses`, and the ids of the articles."""
        words, sentences = _column(rows, "words", width=2), _column(rows, "sentences", width=3)
        word_counts, sentence_counts = words[1], sentences[1]
        inputs = padded_inputs(_column(rows, "input_ids"), words, sentences, self.pad_id)
        # An article begins with the first window of its group. The same group once more is an article once more: one
        # that is repeated in a batch counts twice.
        begins = (rows["position"].to_numpy() == 0) | (np.diff(rows["group"].to_numpy(), prepend=-1) != 0)
        shape = BatchShape(words=word_counts, sentences=sentence_counts, articles=np.flatnonzero(begins))
        targets = {name: column.collate(*_column(rows, name), shape) for name, column in self.columns.items()}
        targets["owned"] = pad(_column(rows, "owned")[0], word_counts)
        targets["sentence_valid"] = np.arange(inputs["sentences"].shape[1]) < sentence_counts[:, None]
        targets["article"] = np.cumsum(begins) - 1
        batch: dict[str, Any] = {name: torch.from_numpy(values) for name, values in inputs.items()}
        batch["targets"] = {name: torch.from_numpy(values) for name, values in targets.items()}
        batch["ids"] = sorted(set(rows["id"].to_pylist()))
        return batch


def _column(rows: pa.Table, name: str, width: int | None = None) -> Rows:
    """Values of a list column end to end, and the length of each list; with a width, rows of so many values."""
    column = rows[name].combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False)
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    return (values, lengths) if width is None else (values.reshape(-1, width), lengths // width)
