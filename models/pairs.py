"""Pairs of a trigger and an entity: which are in reach, their features, and their scores.

The scores of torch and of NumPy come from one function, so that tagging with ONNX needs no torch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .bundle import WEIGHTS_FILE, bundle_file, unreadable

REACH = 2
"""Sentences between a trigger and an entity, at most."""
SIZE = 128
"""Size of a pair's state."""
_STEPS = np.array([0, 1, 2, 3, 4, 6, 9, 14, 24, 40])
"""Words between trigger and entity from which a new bucket of distances begins, behind the zero of overlap."""
_MOST = 3
"""Larger counts of mentions in between have the feature of this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mentions:
    """Triggers and entities of a text.

    Attributes:
        triggers: first word, one past the last, number of the event type. [T, 3]
        entities: first word, one past the last, number of the label. [M, 3]
        sentences: number of each word's sentence. [W]
        lines: number of each word's line. [W]
    """

    triggers: np.ndarray
    entities: np.ndarray
    sentences: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """Pairs of a trigger and an entity.

    Attributes:
        trigger: row of the trigger. [P]
        entity: row of the entity. [P]
        words: first word of the trigger, first and last word of the entity, first and last word between the two. [P, 5]
        between: 1 / the number of words in between, 0 for none. [P, 1] float32
        features: rows of the table of features, see `feature_count`. [P, F]
    """

    trigger: np.ndarray
    entity: np.ndarray
    words: np.ndarray
    between: np.ndarray
    features: np.ndarray


def _sizes(types: int, labels: int) -> tuple[int, ...]:
    """Number of values of each feature."""
    return (types, labels, 2 * len(_STEPS) + 1, 2 * REACH + 1, 2 * (_MOST + 1), _MOST + 1, 2, 2)


def feature_count(types: int, labels: int) -> int:
    """Rows in the table of features.

    Args:
        types: number of event types.
        labels: number of entity labels.
    """
    return sum(_sizes(types, labels))


def make_pairs(mentions: Mentions, types: int, labels: int) -> Pairs:
    """All pairs of a trigger and an entity at most `REACH` sentences apart.

    Features: event type, entity label, distance in words and in sentences (both with sign), rank among the entities of
    its label on its side of the trigger, number of triggers in between, whether a line ends in between, and whether the
    entity is inside another one.

    Args:
        mentions: of one text.
        types: number of event types.
        labels: number of entity labels.
    """
    triggers, entities, sentences = mentions.triggers, mentions.entities, mentions.sentences
    order = np.lexsort((-entities[:, 1], entities[:, 0]))
    sentence = sentences[entities[order, 0]]  # rises
    middle = sentences[triggers[:, 0]]
    low = np.searchsorted(sentence, middle - REACH, side="left")
    counts = np.searchsorted(sentence, middle + REACH, side="right") - low
    trigger = np.repeat(np.arange(len(triggers)), counts)  # [P]
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    entity = order[np.repeat(low, counts) + offset]  # [P]
    one, other = triggers[trigger], entities[entity]
    after = other[:, 0] >= one[:, 1]
    before = other[:, 1] <= one[:, 0]
    gap = np.where(after, other[:, 0] - one[:, 1], np.where(before, one[:, 0] - other[:, 1], 0))
    bucket = np.searchsorted(_STEPS, gap, side="right")  # from 1
    sentence_gap = sentences[other[:, 0]] - middle[trigger]
    values = (
        one[:, 2],
        other[:, 2],
        np.where(after, len(_STEPS) + bucket, np.where(before, len(_STEPS) - bucket, len(_STEPS))),
        sentence_gap + REACH,
        2 * np.minimum(_rank(one, other, entities, labels), _MOST) + (other[:, 0] >= one[:, 0]),
        np.minimum(_between(one, other, triggers), _MOST),
        (mentions.lines[one[:, 0]] != mentions.lines[other[:, 0]]).astype(np.int64),
        _nested(entities, order)[entity].astype(np.int64),
    )
    starts = np.append(0, np.cumsum(_sizes(types, labels)))[:-1]
    features = np.stack(values, axis=1).astype(np.int64) + starts
    low = np.where(after, one[:, 1], other[:, 1])
    low = np.where(gap > 0, low, one[:, 0])
    words = np.stack([one[:, 0], other[:, 0], other[:, 1] - 1, low, low + np.maximum(gap, 1) - 1], axis=1)
    between = np.where(gap > 0, 1 / np.maximum(gap, 1), 0).astype(np.float32)[:, None]
    return Pairs(trigger=trigger, entity=entity, words=words, between=between, features=features)


def _rank(one: np.ndarray, other: np.ndarray, entities: np.ndarray, labels: int) -> np.ndarray:
    """How many entities of the same label begin between a trigger and an entity. [P]"""
    rank = np.zeros(len(one), dtype=np.int64)
    for label in range(labels):
        rows = other[:, 2] == label
        starts = np.sort(entities[entities[:, 2] == label, 0])
        middle = np.searchsorted(starts, one[rows, 0], side="left")
        behind = np.searchsorted(starts, other[rows, 0], side="left") - middle
        ahead = middle - np.searchsorted(starts, other[rows, 0], side="right")
        rank[rows] = np.maximum(behind, ahead)
    return rank


def _between(one: np.ndarray, other: np.ndarray, triggers: np.ndarray) -> np.ndarray:
    """How many other triggers begin between a trigger and an entity. [P]"""
    starts = np.unique(triggers[:, 0])
    low, high = np.minimum(one[:, 0], other[:, 0]), np.maximum(one[:, 0], other[:, 0])
    return np.searchsorted(starts, high, side="left") - np.searchsorted(starts, low, side="right") + (low == high)


def _nested(entities: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Whether each entity is inside another; ``order`` sorts them by start, longest first. [M] bool"""
    nested = np.zeros(len(entities), dtype=bool)
    ends = entities[order, 1]
    nested[order[1:]] = ends[1:] <= np.maximum.accumulate(ends)[:-1]
    return nested


@dataclass(frozen=True, slots=True)
class RoleWeights:
    """Weights of the last part of the argument head, as arrays of NumPy or tensors of torch.

    Attributes:
        features: a state for each value of each feature. [V, `SIZE`]
        roles: [R, `SIZE`]
        product: [R, `SIZE`]
        bias: [R]
    """

    features: Any
    roles: Any
    product: Any
    bias: Any

    @classmethod
    def load(cls, folder: Path) -> "RoleWeights":
        """Read the weights from a bundle.

        Raises:
            BundleError: they are missing or cannot be read.
        """
        from safetensors import safe_open

        file = bundle_file(folder, WEIGHTS_FILE, "tagging of arguments needs it with every backend")
        try:
            with safe_open(file, framework="np") as weights:
                names = ("features.weight", "roles.weight", "product.weight", "roles.bias")
                arrays = [weights.get_tensor(f"arguments.{name}").astype(np.float32) for name in names]
        except Exception as error:  # safetensors raises nothing narrower
            raise unreadable(file, error) from error
        return cls(*arrays)


def role_logits(states: Any, words: Any, between: Any, features: Any, weights: RoleWeights) -> Any:
    """Logits of every role for pairs.

    The state of a pair is the sum of the states of its words, of the mean of the words in between, and of its features,
    cut off at zero. The product of the states of trigger and entity is read as well.

    Args:
        states: states of each word: as trigger, as first and as last word of an entity, in between. [W, 4 * `SIZE`]
        words: `Pairs.words`. [P, 5]
        between: `Pairs.between`. [P, 1]
        features: `Pairs.features`. [P, F]
        weights: of the same kind as the states: NumPy or torch.

    Returns:
        [P, R]
    """
    trigger, first, last, middle = (states[:, n * SIZE : (n + 1) * SIZE] for n in range(4))
    entity = first[words[:, 1]] + last[words[:, 2]]
    trigger = trigger[words[:, 0]]
    total = middle.cumsum(0)
    passed = (total[words[:, 4]] - total[words[:, 3]] + middle[words[:, 3]]) * between
    pair = trigger + entity + passed + weights.features[features].sum(1)  # [P, SIZE]
    return (pair * (pair > 0)) @ weights.roles.T + (trigger * entity) @ weights.product.T + weights.bias
