"""Entities that nest: a score for every span of words and every label.

The logits of a word are those of the spans that start there: for a span of ``n`` words and label ``l`` the column
``(n - 1) * L + l``. Spans are decoded best first; no two cross.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Entity
from ...data.windows.alignment import outermost, settle
from ...data.windows.columns import label_column, mark_column
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings, SpanOptions
from ..probabilities import sigmoid
from .entities import spans_of
from .mentions import mention_offsets, without_crossing_spans
from .task import LabelRows, LossOptions, Prediction, Task, WordSpan

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..heads import HeadInputs
    from ..shape import RasidConfig

LEAST = 1e-3
"""Spans that are less probable are left out of calibration: almost all of a text's spans are."""
IMPOSSIBLE = -1e4
"""Logit of a span that ends beyond its window."""


def make_targets(gold: Gold, options: SpanOptions) -> dict[str, np.ndarray]:
    """Targets of all entities, or of the outermost ones if spans may not nest.

    Returns:
        ``entity_spans``, (word, column) of each entity, [N, 2] int32; and ``entities_annotated``, [L] bool.
    """
    numbers = gold.numbers("entities")
    labels = gold.annotated.get("entities", ())
    listed = sorted(
        (span for span in spans_of(gold.article) if span[2] in labels), key=lambda span: (span[0], -span[1], span[2])
    )
    if options.nests == ():
        listed, causes = outermost(listed)
        gold.unpredictable.update({("entities", cause): number for cause, number in causes.items()})
    shared = "the same words as another of its label"
    predictable, others = settle(
        gold.article.text, gold.encoded, listed, gold.proclitics, shared=shared, exclusive="spans"
    )
    nests = nesting_labels(options, gold.scheme.labels("entities"))
    cells: set[tuple[int, int]] = set()
    kept: list[WordSpan] = []  # the spans so far, to find those that conflict
    for span in (*predictable, *others):
        cause, length = span.cause, span.last - span.first
        found = WordSpan(first=span.first, end=span.last, label=numbers[span.label], score=1.0)
        if not cause and length > options.width:
            cause = f"longer than {options.width} words"
        elif not cause and any(_cross(found, other) for other in kept):
            cause = "crosses another"
        elif not cause and not all(_fit(found, other, nests) for other in kept):
            cause = "nests with a label that it never nests with in training"
        if cause:
            gold.unpredictable["entities", cause] += 1
        else:
            kept.append(found)
        if 0 < length <= options.width:
            cells.add((span.first, (length - 1) * len(numbers) + numbers[span.label]))
    return {
        "entity_spans": np.array(sorted(cells), dtype=np.int32).reshape(-1, 2),
        "entities_annotated": gold.annotated_mask("entities"),
    }


def _cross(one: WordSpan, other: WordSpan) -> bool:
    return one.first < other.first < one.end < other.end or other.first < one.first < other.end < one.end


def make_modules(config: "RasidConfig", hidden: int, options: SpanOptions) -> "dict[str, nn.Module]":
    """The span head."""
    from ..heads import SpanHead

    return {"entities": SpanHead(hidden, len(config.entities), options.width)}


def forward(head: Any, inputs: "HeadInputs", logits: "Mapping[str, Tensor]") -> "Tensor":
    """Logits of all spans. [B, W, width * L]"""
    return head(inputs.words, inputs.valid, IMPOSSIBLE)


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Binary cross-entropy of all spans of annotated labels that start at an owned word. [B, W, width * L]"""
    from ..losses import binary_loss

    annotated = targets["entities_annotated"]
    widths = logits.shape[-1] // annotated.shape[-1]
    known = targets["owned"][:, :, None] & annotated.repeat(1, widths)[:, None, :] & (logits > IMPOSSIBLE / 2)
    return binary_loss(logits, targets["entity_spans"], known, 1.0)


def count(targets: "Mapping[str, Tensor]") -> "Tensor":
    """Number of words for which a label was annotated."""
    return (targets["owned"] & targets["entities_annotated"].any(-1, keepdim=True)).sum()


def decode_spans(
    logits: np.ndarray, thresholds: np.ndarray, nests: np.ndarray, *, temperature: float = 1.0
) -> list[WordSpan]:
    """Spans whose probability reaches the threshold of their label, best first; one that conflicts with a better one is
    lost. Two spans conflict if they cross, or if their labels do not nest.

    Args:
        logits: [W, width * L]
        thresholds: [L]
        nests: which label (row) may have which one (column) inside. [L, L] bool
        temperature: divides the logits.

    Returns:
        spans by place; of nested ones the outer first.
    """
    labels = len(thresholds)
    probabilities = sigmoid(logits / temperature).reshape(len(logits), logits.shape[1] // labels, labels)
    places = np.nonzero(probabilities >= thresholds)
    scores = probabilities[places]
    order = np.argsort(-scores, kind="stable")
    first, length, label = (axis[order].tolist() for axis in places)
    kept: list[WordSpan] = []
    for start, more, kind, score in zip(first, length, label, scores[order].tolist(), strict=True):
        span = WordSpan(first=start, end=start + more + 1, label=kind, score=score)
        if span.end <= len(logits) and all(_fit(span, other, nests) for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: (span.first, -span.end, span.label))


def _fit(span: WordSpan, other: WordSpan, nests: np.ndarray) -> bool:
    if span.end <= other.first or other.end <= span.first:
        return True
    inside = other.first <= span.first and span.end <= other.end
    around = span.first <= other.first and other.end <= span.end
    return bool((inside and nests[other.label, span.label]) or (around and nests[span.label, other.label]))


@cache
def nesting_labels(options: SpanOptions, labels: tuple[str, ...]) -> np.ndarray:
    """Which label (row) may have which one (column) inside. [L, L] bool"""
    if options.nests is None:
        return np.ones((len(labels), len(labels)), dtype=bool)
    return np.array([[(outer, inner) in options.nests for inner in labels] for outer in labels], dtype=bool)


def word_spans(logits: np.ndarray, settings: Settings, *, options: SpanOptions) -> list[WordSpan]:
    """The entities of a text as words."""
    thresholds, temperature = settings.threshold("entities"), settings.temperature("entities")
    nests = nesting_labels(options, settings.scheme.labels("entities"))
    return decode_spans(logits, thresholds, nests, temperature=temperature)


def decode(
    predictions: Sequence[Prediction], head: str, settings: Settings, *, options: SpanOptions
) -> list[dict[str, Any]]:
    """The entities of each text."""
    labels = settings.scheme.labels("entities")
    fields = []
    for prediction in predictions:
        logits = without_crossing_spans(prediction, prediction.logits[head], len(labels))
        found: dict[tuple[int, int, int], float] = {}
        for span in word_spans(logits, settings, options=options):
            if (place := mention_offsets(prediction, span.first, span.end)) is not None:
                found.setdefault((*place, span.label), span.score)
        entities = tuple(
            Entity(id=f"e{number}", start=start, end=end, label=labels[label], score=score)
            for number, ((start, end, label), score) in enumerate(found.items(), 1)
        )
        fields.append({"entities": entities})
    return fields


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows:
    """All spans of the article that are gold or not quite improbable; a row is a range of words."""
    logits = prediction.logits[head]
    annotated = targets["entities_annotated"]
    right = np.zeros(logits.shape, dtype=bool)
    right[tuple(targets["entity_spans"].T)] = True
    by_label, right = (values.reshape(-1, len(annotated)) for values in (logits, right))
    kept = right.any(axis=1) | (by_label > np.log(LEAST)).any(axis=1)
    known = np.broadcast_to(annotated, right[kept].shape)
    return LabelRows(logits=by_label[kept], gold=right[kept], annotated=known)


def initialize(head: Any) -> None:
    """All spans begin rare."""
    head.initialize()


@cache
def task_of(options: SpanOptions) -> Task:
    """The task with a span head."""
    return Task(
        name="entities",
        title="Entities",
        unit="word",
        width=lambda labels: options.width * labels,
        columns=lambda labels: {
            "entity_spans": mark_column(options.width * labels),
            "entities_annotated": label_column(),
        },
        targets=partial(make_targets, options=options),
        modules=partial(make_modules, options=options),
        initialize=initialize,
        forward=forward,
        loss=loss,
        count=count,
        decode=partial(decode, options=options),
        word_spans=partial(word_spans, options=options),
        label_logits=lambda prediction, scheme: prediction.logits["entities"],
        rows=rows,
        scores="spans",
        spans=spans_of,
    )
