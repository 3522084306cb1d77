"""Articles to windows with targets, in an Arrow file that is read by memory map: memory stays flat."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import torch

from ..articles import Article
from .collate import pad
from .encoding import EncodedText, TextEncoder, Window
from .targets import IGNORED, AnnotatedLabels, TargetMaker, Targets

CHUNK = 256  # articles encoded at once

_SCHEMA = pa.schema(
    {
        "source": pa.int32(),  # number of the data set
        "group": pa.int32(),  # windows of one article that share a batch
        "position": pa.int32(),  # of the window in its group
        "id": pa.string(),
        "input_ids": pa.list_(pa.int32()),
        "words": pa.list_(pa.int32()),  # [W * 2]
        "owned": pa.list_(pa.bool_()),  # [W]
        "sentences": pa.list_(pa.int32()),  # [S * 3]
        "entities": pa.list_(pa.int16()),  # [W]
        "entities_unannotated": pa.list_(pa.bool_()),  # [L]
        "triggers": pa.list_(pa.int32()),  # [N * 2]
        "triggers_annotated": pa.list_(pa.bool_()),  # [K]
        "proclitics": pa.list_(pa.int8()),  # [W]
        "sentence_types": pa.list_(pa.int8()),  # [S * K]
        "article_types": pa.list_(pa.int8()),  # [K]
    }
)


@dataclass(kw_only=True)
class Statistics:
    """What was counted while articles became windows.

    Attributes:
        articles, windows, subwords, words: how many.
        unread: words of which the tokenizer deletes every character.
        unknown: sub-words that are the unknown token.
        unpredictable: (task, cause) → gold items that no prediction can equal.
        tags: words with each entity tag. [1 + 2L]
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
        known = targets.entities[targets.entities != IGNORED]
        self.tags = self.tags + np.bincount(known, minlength=len(self.tags))


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
        sources: articles and what is trained_labels in them.
        encoder: makes the windows.
        maker: makes the targets.
        budget: sub-words in a batch, padding included: windows of an article up to it share a batch, so that its labels
            can be learned from all of them; of a longer article the labels are learned from its beginning, where news
            says them.
    """
    statistics = Statistics(tags=np.zeros(1 + 2 * len(maker.entity_index), dtype=np.int64))
    group = 0
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, _SCHEMA) as writer:
        for number, (articles, annotated_labels) in enumerate(sources):
            stream = iter(articles)
            while chunk := list(islice(stream, CHUNK)):
                rows: list[dict[str, Any]] = []
                given = [[(s.start, s.end) for s in article.sentences] or None for article in chunk]
                texts = encoder.encode([article.text for article in chunk], given)
                for article, encoded in zip(chunk, texts, strict=True):
                    targets = maker.make(article, encoded, annotated_labels)
                    statistics.add(encoded, targets)
                    position = longest = 0
                    lead = True
                    for window in encoded.windows:
                        longest = max(longest, len(window.input_ids))
                        if position and longest * (position + 1) > budget:
                            group, position, longest, lead = group + 1, 0, len(window.input_ids), False
                        place = {"source": number, "group": group, "position": position, "id": article.id}
                        rows.append(place | _row(window, targets, lead))
                        position += 1
                    group += 1
                columns = {name: [row[name] for row in rows] for name in _SCHEMA.names}
                writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=_SCHEMA))
    return statistics


def _row(window: Window, targets: Targets, lead: bool) -> dict[str, Any]:
    first, count = window.first_word, len(window.words)
    inside = slice(first, first + count)
    numbers = np.arange(first, first + count)
    owned = (numbers >= window.owned[0]) & (numbers < window.owned[1])
    marks = targets.triggers
    marks = marks[(marks[:, 0] >= window.owned[0]) & (marks[:, 0] < window.owned[1])] - np.array([[first, 0]])
    return {
        "input_ids": window.input_ids,
        "words": window.words.reshape(-1),
        "owned": owned,
        "sentences": window.sentences.reshape(-1),
        "entities": np.where(owned, targets.entities[inside], IGNORED),
        "entities_unannotated": targets.entities_unannotated,
        "triggers": marks.reshape(-1),
        "triggers_annotated": targets.triggers_annotated,
        "proclitics": np.where(owned, targets.proclitics[inside], IGNORED),
        "sentence_types": targets.sentence_types[window.sentences[:, 0]].reshape(-1),
        "article_types": targets.article_types if lead else np.full_like(targets.article_types, IGNORED),
    }


class WindowSet(torch.utils.data.Dataset):
    """Windows of an Arrow file; whole batches are read at once.

    Args:
        file: what `write_windows` wrote.
    """

    def __init__(self, file: Path) -> None:
        self.table = datasets.Dataset.from_file(str(file)).with_format("arrow")
        columns = self.table[:] if len(self.table) else None
        self.lengths = (
            columns["input_ids"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
            if columns is not None
            else np.zeros(0, dtype=np.int64)
        )
        self.groups = np.asarray(self.table.data.column("group").to_numpy()) if len(self.table) else self.lengths
        self.sources = np.asarray(self.table.data.column("source").to_numpy()) if len(self.table) else self.lengths

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> pa.Table:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> pa.Table:
        """The rows of a batch, which `Collator` takes as they are."""
        return self.table[list(indices)]

    def ids(self, indices: Sequence[int]) -> Iterator[str]:
        """Article ids of windows."""
        yield from self.table[list(indices)]["id"].to_pylist()


class Collator:
    """Rows of a batch to padded tensors: the network's inputs, and its targets under ``targets``.

    Args:
        pad_id: of the tokenizer.
        kinds: number of event types.
    """

    def __init__(self, pad_id: int, kinds: int) -> None:
        self.pad_id, self.kinds = pad_id, kinds

    def __call__(self, rows: pa.Table) -> dict[str, Any]:
        """Inputs as `RasidModel.forward`, targets as `RasidModel.losses` take them."""
        ids, length = _column(rows, "input_ids")
        words, word_items = _column(rows, "words")
        sentences, sentence_items = _column(rows, "sentences")
        count, sentence_count = word_items // 2, sentence_items // 3
        sentences = sentences.reshape(-1, 3).astype(np.int64)
        padded = pad(ids.astype(np.int64), length, self.pad_id)
        wide = int(count.max(initial=1))

        marks, mark_items = _column(rows, "triggers")
        triggers = np.zeros((len(length), max(1, wide), 2 * self.kinds), dtype=bool)
        owner = np.repeat(np.arange(len(length)), mark_items // 2)
        marks = marks.reshape(-1, 2)
        triggers[owner, marks[:, 0], marks[:, 1]] = True

        types, _ = _column(rows, "sentence_types")
        # A new group, or the same again: an article that is repeated counts as often as it is in the batch.
        begins = (rows["position"].to_numpy() == 0) | (np.diff(rows["group"].to_numpy(), prepend=-1) != 0)
        first, article = np.flatnonzero(begins), np.cumsum(begins) - 1
        arrays = {
            "entities": pad(_column(rows, "entities")[0].astype(np.int64), count, IGNORED),
            "entities_unannotated": _column(rows, "entities_unannotated")[0].reshape(len(length), -1),
            "triggers": triggers,
            "triggers_annotated": _column(rows, "triggers_annotated")[0].reshape(len(length), -1),
            "owned": pad(_column(rows, "owned")[0], count),
            "proclitics": pad(_column(rows, "proclitics")[0].astype(np.int64), count, IGNORED),
            "sentence_types": pad(types.reshape(-1, self.kinds).astype(np.int64), sentence_count, IGNORED)
            if self.kinds
            else np.zeros((len(length), 1, 0), dtype=np.int64),
            "sentence_valid": np.arange(max(1, int(sentence_count.max(initial=1)))) < sentence_count[:, None],
            "article": article.astype(np.int64),
            "article_types": _column(rows, "article_types")[0].reshape(len(length), -1)[first].astype(np.int64),
        }
        inputs = {
            "input_ids": padded,
            "attention_mask": (np.arange(padded.shape[1]) < length[:, None]).astype(np.int64),
            "words": pad(words.reshape(-1, 2).astype(np.int64), count),
            "sentences": pad(sentences[:, 1:], sentence_count),
            "sentence_numbers": pad(sentences[:, 0], sentence_count),
        }
        batch: dict[str, Any] = {name: torch.from_numpy(values) for name, values in inputs.items()}
        batch["targets"] = {name: torch.from_numpy(values) for name, values in arrays.items()}
        batch["ids"] = sorted(set(rows["id"].to_pylist()))
        return batch


def _column(rows: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Flat values and lengths of a list column."""
    column = rows[name].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    return column.flatten().to_numpy(zero_copy_only=False), column.value_lengths().to_numpy(zero_copy_only=False)
