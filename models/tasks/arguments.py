"""Arguments of events: the roles of the entities near a trigger. Triggers and entities are predicted before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Argument, Article
from ...data.labels import LabelScheme
from ...data.windows.alignment import word_range
from ...data.windows.columns import label_column, place_column, range_column
from ...data.windows.encoding import EncodedText
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings
from ..pairs import REACH, SIZE, Mentions, Pairs, make_pairs, role_logits
from ..probabilities import sigmoid
from .mentions import lines_of
from .task import LabelRows, LossOptions, Prediction, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..heads import ArgumentHead
    from ..shape import RasidConfig

_BLOCK = 8192
"""Pairs that are scored at once: a long text without sentence ends has hundreds of thousands."""


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of all pairs of a trigger and an entity.

    Returns:
        ``argument_triggers`` and ``argument_entities``, ranges of words and the number of their label, [N, 3] int32,
        no two alike; ``arguments``, [N, 7] int32: words of the trigger, words of the entity, numbers of event type,
        label and role; ``sentences_of_words`` and ``lines_of_words``, [W] int32; ``arguments_annotated``, [R] bool;
        and ``argument_triggers_annotated``, [K] bool, and ``argument_entities_annotated``, [L] bool, whether all
        mentions of a label are gold. Without annotated roles there are no mentions.
    """
    article, scheme, numbers = gold.article, gold.scheme, gold.numbers("arguments")
    annotated = set(gold.annotated.get("arguments", ()))
    found = _find(article, gold.encoded, scheme)
    mentions, rows = found.mentions, []
    for number, event in enumerate(article.events):
        triggers = np.flatnonzero(found.events == number)
        for argument in event.arguments:
            if argument.role not in annotated:
                continue
            entity = found.rows.get(argument.entity)
            if entity is None or not len(triggers):
                gold.unpredictable["arguments", "no sub-word"] += 1
                continue
            other = mentions.entities[entity]
            if abs(int(np.subtract(*mentions.sentences[[mentions.triggers[triggers[0], 0], other[0]]]))) > REACH:
                gold.unpredictable["arguments", f"more than {REACH} sentences from its trigger"] += 1
                continue
            label = article.entities[found.entities[entity]].label
            if not any(scheme.allows(kind, argument.role, label) for kind in event.types):
                gold.unpredictable["arguments", "not allowed by the scheme"] += 1
            rows += [
                [*one[:2], *other[:2], one[2], other[2], numbers[argument.role]] for one in mentions.triggers[triggers]
            ]
    kept = slice(None if annotated else 0)
    return {
        "argument_triggers": _distinct(mentions.triggers)[kept].astype(np.int32),
        "argument_entities": _distinct(mentions.entities)[kept].astype(np.int32),
        "arguments": np.array(rows, dtype=np.int32).reshape(-1, 7),
        "sentences_of_words": mentions.sentences.astype(np.int32),
        "lines_of_words": mentions.lines.astype(np.int32),
        "arguments_annotated": gold.annotated_mask("arguments"),
        "argument_triggers_annotated": gold.annotated_mask("triggers") & bool(annotated),
        "argument_entities_annotated": gold.annotated_mask("entities") & bool(annotated),
    }


def _distinct(rows: np.ndarray) -> np.ndarray:
    """Rows without those that repeat an earlier one: two events may have the same trigger and type."""
    return rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The triggers and entities of an article that have words.

    Attributes:
        mentions: as words.
        events: number of the event of each trigger. [T]
        entities: number of each entity in the article. [M]
        rows: id of an entity → its row.
    """

    mentions: Mentions
    events: np.ndarray
    entities: np.ndarray
    rows: Mapping[str, int]


def _find(article: Article, encoded: EncodedText, scheme: LabelScheme) -> _Found:
    types = {label: number for number, label in enumerate(scheme.labels("triggers"))}
    labels = {label: number for number, label in enumerate(scheme.labels("entities"))}
    triggers: list[tuple[int, ...]] = []  # words, type, number of the event
    entities: list[tuple[int, ...]] = []
    for number, event in enumerate(article.events):
        first, end = word_range(encoded, event.trigger.start, event.trigger.end)
        triggers += [(first, end, types[label], number) for label in event.types if label in types and first < end]
    for number, entity in enumerate(article.entities):
        first, end = word_range(encoded, entity.start, entity.end)
        if first < end and entity.label in labels:
            entities.append((first, end, labels[entity.label], number))
    words = np.arange(len(encoded.words))
    listed = [np.array(rows, dtype=np.int64).reshape(-1, 4) for rows in (triggers, entities)]
    mentions = Mentions(
        triggers=listed[0][:, :3],
        entities=listed[1][:, :3],
        # The sentences of an article may be in any order.
        sentences=np.searchsorted(np.sort(encoded.sentence_words[:, 0]), words, side="right") - 1,
        lines=lines_of(article.text, encoded.words[:, 0]),
    )
    rows = {article.entities[number].id: row for row, number in enumerate(listed[1][:, 3].tolist())}
    return _Found(mentions=mentions, events=listed[0][:, 3], entities=listed[1][:, 3], rows=rows)


def make_modules(config: "RasidConfig", hidden: int) -> "dict[str, nn.Module]":
    """The head of the arguments."""
    from ..heads import ArgumentHead

    return {"arguments": ArgumentHead(hidden, len(config.events), len(config.entities), len(config.roles))}


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Binary cross-entropy of the annotated roles, over all pairs whose trigger the window owns.

    Args:
        logits: states of the words. [B, W, 4 * SIZE]
        targets: see `make_targets`, in a batch.
        options: the head, and the weight of positive pairs.
    """
    import torch

    from ..losses import binary_loss

    device = logits.device
    windows, words, between, features, gold = (
        torch.from_numpy(array).to(device)
        for array in _batch_pairs({name: targets[name].cpu().numpy() for name in _COLUMNS}, options.head)
    )
    rows = words + logits.shape[1] * windows[:, None]
    scores = role_logits(logits.flatten(0, 1).float(), rows, between, features, options.head.weights())
    return binary_loss(scores, gold, targets["arguments_annotated"][windows], options.positive_weight)


def _batch_pairs(columns: Mapping[str, np.ndarray], head: "ArgumentHead") -> tuple[np.ndarray, ...]:
    """The pairs of a batch: window [P], `Pairs.words`, `between` and `features`, and the roles of gold [P, R] bool."""
    parts: list[tuple[np.ndarray, ...]] = []
    ranges = [columns[name] for name in ("argument_triggers", "argument_entities", "arguments")]
    for window in range(len(columns["sentences_of_words"])):
        triggers, entities, arguments = (rows[rows[:, 0] == window, 1:] for rows in ranges)
        mentions = Mentions(
            triggers=triggers,
            entities=entities,
            sentences=columns["sentences_of_words"][window],
            lines=columns["lines_of_words"][window],
        )
        pairs = make_pairs(mentions, head.types, head.labels)
        trigger_rows, entity_rows = (
            {tuple(row): number for number, row in enumerate(rows.tolist())} for rows in (triggers, entities)
        )
        gold = np.zeros((len(triggers), len(entities), head.roles.out_features), dtype=bool)
        for first, end, start, stop, kind, label, role in arguments.tolist():
            gold[trigger_rows[first, end, kind], entity_rows[start, stop, label], role] = True
        number = np.full(len(pairs.trigger), window)
        parts.append((number, pairs.words, pairs.between, pairs.features, gold[pairs.trigger, pairs.entity]))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def count(targets: "Mapping[str, Tensor]") -> "Tensor":
    """Number of pairs whose roles were annotated."""
    triggers, entities, sentences = (
        targets[name] for name in ("argument_triggers", "argument_entities", "sentences_of_words")
    )
    one, other = (sentences[rows[:, 0], rows[:, 1]] for rows in (triggers, entities))
    near = (triggers[:, None, 0] == entities[:, 0]) & ((one[:, None] - other).abs() <= REACH)  # [T, M]
    return near.sum()


def decode(predictions: Sequence[Prediction], head: str, settings: Settings) -> list[dict[str, Any]]:
    """The events of each article with the arguments that its entities are.

    A role that the scheme does not allow for the event type and the label is never predicted. An event with several
    types takes the highest probability of them.

    Args:
        predictions: with entities and events in their articles.
        head: of the arguments.
        settings: thresholds, temperature, and what the scheme allows.
    """
    allowed = allowed_roles(settings.scheme)
    thresholds, names = settings.threshold(head), settings.scheme.labels("arguments")
    fields = []
    for prediction in predictions:
        article = prediction.article
        found, pairs, logits = score_pairs(prediction, settings.scheme, head)
        probabilities = sigmoid(logits / settings.temperature(head))
        types, labels = found.mentions.triggers[pairs.trigger, 2], found.mentions.entities[pairs.entity, 2]
        chosen = (probabilities >= thresholds) & allowed[types, labels]
        best: list[dict[tuple[int, int], float]] = [{} for _ in article.events]
        for pair, role in zip(*(axis.tolist() for axis in np.nonzero(chosen)), strict=True):
            scores = best[found.events[pairs.trigger[pair]]]
            key = role, int(found.entities[pairs.entity[pair]])
            scores[key] = max(scores.get(key, 0.0), float(probabilities[pair, role]))
        events = tuple(
            replace(
                event,
                arguments=tuple(
                    Argument(role=names[role], entity=article.entities[entity].id, score=score)
                    for (role, entity), score in sorted(scores.items())
                ),
            )
            for event, scores in zip(article.events, best, strict=True)
        )
        fields.append({"events": events})
    return fields


def score_pairs(prediction: Prediction, scheme: LabelScheme, head: str) -> tuple[_Found, Pairs, np.ndarray]:
    """The mentions of an article, its pairs, and their logits [P, R]."""
    found = _find(prediction.article, prediction.encoded, scheme)
    pairs = make_pairs(found.mentions, len(scheme.labels("triggers")), len(scheme.labels("entities")))
    assert prediction.roles is not None
    states = prediction.logits[head]
    blocks = [slice(start, start + _BLOCK) for start in range(0, max(1, len(pairs.trigger)), _BLOCK)]
    logits = [
        role_logits(states, pairs.words[block], pairs.between[block], pairs.features[block], prediction.roles)
        for block in blocks
    ]
    return found, pairs, np.concatenate(logits)


def allowed_logits(prediction: Prediction, scheme: LabelScheme) -> np.ndarray:
    """Logits of the roles that the scheme allows for the pairs of an article. [N]"""
    found, pairs, logits = score_pairs(prediction, scheme, "arguments")
    types, labels = found.mentions.triggers[pairs.trigger, 2], found.mentions.entities[pairs.entity, 2]
    return logits[allowed_roles(scheme)[types, labels]]


def allowed_roles(scheme: LabelScheme) -> np.ndarray:
    """Which roles an event type and an entity label may have. [K, L, R] bool"""
    types, labels = scheme.labels("triggers"), scheme.labels("entities")
    cells = [[[scheme.allows(kind, role, label) for role in scheme.roles] for label in labels] for kind in types]
    return np.array(cells, dtype=bool).reshape(len(types), len(labels), len(scheme.roles))


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows:
    """Every pair of a gold trigger and a gold entity."""
    article = targets.gold.article
    found, pairs, logits = score_pairs(replace(prediction, article=article), targets.gold.scheme, head)
    numbers = targets.gold.numbers("arguments")
    gold = np.zeros((len(found.mentions.triggers), len(found.mentions.entities), logits.shape[1]), dtype=bool)
    for trigger, event in enumerate(found.events.tolist()):
        for argument in article.events[event].arguments:
            if argument.role in numbers and argument.entity in found.rows:
                gold[trigger, found.rows[argument.entity], numbers[argument.role]] = True
    right = gold[pairs.trigger, pairs.entity]
    return LabelRows(logits=logits, gold=right, annotated=np.broadcast_to(targets["arguments_annotated"], right.shape))


_COLUMNS = {
    "argument_triggers": range_column(3, owned=True),
    "argument_entities": range_column(3),
    "arguments": range_column(7, ranges=2, owned=True),
    "sentences_of_words": place_column("int32"),
    "lines_of_words": place_column("int32"),
    "arguments_annotated": label_column(),
    "argument_triggers_annotated": label_column(),
    "argument_entities_annotated": label_column(),
}

TASK = Task(
    name="arguments",
    title="Arguments",
    unit="word",
    width=lambda labels: 4 * SIZE,
    columns=lambda labels: _COLUMNS,
    targets=make_targets,
    modules=make_modules,
    initialize=lambda head: head.initialize(),
    loss=loss,
    count=count,
    decode=decode,
    reads_mentions=True,
    label_logits=allowed_logits,
    rows=rows,
)
