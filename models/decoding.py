"""Logits to articles: the one path of validation, evaluation, inference and the parity check.

NumPy only, so that tagging with ONNX needs no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.articles import Article
from ..data.windows.encoding import EncodedText
from .bundle import Settings
from .tasks import Prediction, arguments, heads_of, tasks_of

KEPT = ("text", "id", "title", "date", "source", "meta")
"""Fields of an article that are no annotation."""


def merge_windows(
    encoded: EncodedText, windows: Sequence[Mapping[str, np.ndarray]], settings: Settings
) -> dict[str, np.ndarray]:
    """Logits of windows to logits of the article.

    A word takes those of the window that owns it. A sentence takes the highest of the windows that own it: several own
    a sentence that no window holds whole.

    Args:
        encoded: the article.
        windows: head → logits of each of its windows. [W, K] and [S, K]; padding behind them is ignored
        settings: heads and labels of the network.

    Returns:
        Head → logits of all words [W, K] or sentences [S, K].
    """
    merged: dict[str, np.ndarray] = {}
    for task in tasks_of(settings.spans):
        if task.name not in settings.tasks:
            continue
        width = task.width(len(task.labels(settings.scheme)))
        if task.unit == "word":
            rows = np.zeros((len(encoded.words), width), dtype=np.float32)
            for window, logits in zip(encoded.windows, windows, strict=True):
                first, end = window.owned
                rows[first:end] = logits[task.name][first - window.first_word : end - window.first_word]
        else:
            rows = np.full((len(encoded.sentences), width), -np.inf, dtype=np.float32)
            for window, logits in zip(encoded.windows, windows, strict=True):
                numbers = window.sentences[:, 0]
                rows[numbers] = np.maximum(rows[numbers], logits[task.name][: len(numbers)])
        merged[task.name] = rows
    return merged


def decode_arguments(predictions: Sequence[Prediction], settings: Settings) -> list[Article]:
    """Articles with their own entities and triggers, whose arguments are predicted.

    Args:
        predictions: articles, such as gold ones, with their logits. An entity without id is given one.
        settings: as for `decode`.
    """
    named = [replace(one, article=_with_ids(one.article)) for one in predictions]
    fields = arguments.decode(named, arguments.TASK.name, settings)
    return [replace(one.article, **part) for one, part in zip(named, fields, strict=True)]


def _with_ids(article: Article) -> Article:
    entities = (
        entity if entity.id else replace(entity, id=f"#{number}") for number, entity in enumerate(article.entities)
    )
    return replace(article, entities=tuple(entities))


def decode(predictions: Sequence[Prediction], settings: Settings) -> list[Article]:
    """Articles with everything that their logits predict, in place of what was annotated.

    Args:
        predictions: articles with their logits; `KEPT` is kept of an article.
        settings: labels, thresholds, temperatures, transitions.
    """
    heads = heads_of(settings.tasks)
    fields: list[dict[str, Any]] = [{} for _ in predictions]

    def articles() -> list[Article]:
        return [
            Article(**{key: getattr(given.article, key) for key in KEPT}, **predicted)
            for given, predicted in zip(predictions, fields, strict=True)
        ]

    for task in tasks_of(settings.spans):
        if task.decode and task.name in heads:
            given = predictions
            if task.reads_mentions:
                given = [replace(one, article=article) for one, article in zip(predictions, articles(), strict=True)]
            for predicted, part in zip(fields, task.decode(given, heads[task.name], settings), strict=True):
                predicted.update(part)
    return articles()
