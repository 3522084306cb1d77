"""Event triggers: at every word a begin and an inside mark of each event type, so that a word may have several types.

Mark 2k is the beginning of a trigger of type k, mark 2k + 1 its inside.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Article, Event, Span
from ...data.windows.alignment import settle
from ...data.windows.columns import label_column, mark_column
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings
from ..probabilities import sigmoid
from .mentions import mention_offsets, without_crossing
from .task import LabelRows, LossOptions, Prediction, Task, WordSpan

if TYPE_CHECKING:
    from torch import Tensor

FIRST_BIAS = -5.0
"""Marks are rare: a head that begins near the truth need not unlearn half of everything first (Lin et al. 2017)."""


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of all triggers.

    Returns:
        ``triggers``, (word, mark) of each mark, [N, 2] int32; and ``triggers_annotated``, [K] bool.
    """
    numbers = gold.numbers("triggers")
    labels = gold.annotated.get("triggers", ())
    # In the order of the article, each span once.
    listed = dict.fromkeys(
        (event.trigger.start, event.trigger.end, label)
        for event in gold.article.events
        for label in event.types
        if label in labels
    )
    shared = "shares a word with another of its type"
    predictable, others = settle(
        gold.article.text, gold.encoded, listed, gold.proclitics, shared=shared, exclusive="labels"
    )
    marks: set[tuple[int, int]] = set()
    for span in (*predictable, *others):
        begin = 2 * numbers[span.label]
        words = range(span.first, span.last)
        if not any((word, mark) in marks for word in words for mark in (begin, begin + 1)):
            marks |= {(word, begin + (word > span.first)) for word in words}
    for span in others:
        gold.unpredictable["triggers", span.cause] += 1
    return {
        "triggers": np.array(sorted(marks), dtype=np.int32).reshape(-1, 2),
        "triggers_annotated": gold.annotated_mask("triggers"),
    }


def spans_of(article: Article) -> set[tuple[int, int, str]]:
    """The triggers of an article as (start, end, type), one for each type of an event."""
    return {(event.trigger.start, event.trigger.end, label) for event in article.events for label in event.types}


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Binary cross-entropy of begin and inside marks, where the window owns the word and the type was annotated.

    Args:
        logits: [B, W, 2K]
        targets: marks [B, W, 2K] bool, owned words [B, W] bool, annotated types [B, K] bool
        options: weight of positive marks.
    """
    from ..losses import binary_loss

    annotated = targets["triggers_annotated"].repeat_interleave(2, dim=1)
    known = targets["owned"][:, :, None] & annotated[:, None, :]  # [B, W, 2K]
    return binary_loss(logits, targets["triggers"], known, options.positive_weight)


def count(targets: "Mapping[str, Tensor]") -> "Tensor":
    """Number of words for which a type was annotated."""
    return (targets["owned"] & targets["triggers_annotated"].any(-1, keepdim=True)).sum()


def decode_marks(logits: np.ndarray, thresholds: np.ndarray, *, temperature: float = 1.0) -> list[WordSpan]:
    """Trigger spans, each type for itself.

    A span begins where the begin mark reaches the type's threshold. It ends before the first word whose inside mark is
    less likely than one half or than a new beginning.

    Args:
        logits: [W, 2K]
        thresholds: probability from which a begin mark counts. [K]
        temperature: divides the logits.
    """
    probabilities = sigmoid(logits / temperature)
    begin, inside = probabilities[:, 0::2], probabilities[:, 1::2]  # [W, K]
    continues = (inside > 0.5) & (inside > begin)
    spans: list[WordSpan] = []
    last_end = [0] * begin.shape[1]  # of the last span of each type
    for first, label in zip(*(axis.tolist() for axis in np.nonzero(begin >= thresholds)), strict=True):
        if first < last_end[label]:
            continue  # a begin mark inside a longer span of its type is the same event
        end = first + 1
        while end < len(logits) and continues[end, label]:
            end += 1
        last_end[label] = end
        spans.append(WordSpan(first=first, end=end, label=label, score=float(begin[first, label])))
    return spans


def word_spans(logits: np.ndarray, settings: Settings) -> list[WordSpan]:
    """The triggers of a text as words."""
    return decode_marks(logits, settings.threshold("triggers"), temperature=settings.temperature("triggers"))


def decode(predictions: Sequence[Prediction], head: str, settings: Settings) -> list[dict[str, Any]]:
    """The events of each text. Triggers of several types with the same offsets are one event."""
    labels = settings.scheme.labels("triggers")
    fields = []
    for prediction in predictions:
        types: dict[tuple[int, int], dict[int, float]] = {}
        logits = without_crossing(prediction, prediction.logits[head], slice(1, None, 2))
        for span in word_spans(logits, settings):
            if (place := mention_offsets(prediction, span.first, span.end)) is not None:
                types.setdefault(place, {}).setdefault(span.label, span.score)
        events = tuple(
            Event(
                id=f"v{number}",
                trigger=Span(start=start, end=end),
                types=tuple(labels[label] for label in sorted(scored)),
                scores=tuple(scored[label] for label in sorted(scored)),
            )
            for number, ((start, end), scored) in enumerate(sorted(types.items()), 1)
        )
        fields.append({"events": events})
    return fields


def begin_marks(logits: np.ndarray) -> np.ndarray:
    """Logits of the begin marks. [W, K]"""
    return logits[:, 0::2]


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows:
    """The begin mark of each type at every word."""
    logits = prediction.logits[head]
    begins = begin_marks(logits)
    right = np.zeros(begins.shape, dtype=bool)
    word, mark = targets["triggers"].T
    right[word[mark % 2 == 0], mark[mark % 2 == 0] // 2] = True
    return LabelRows(logits=begins, gold=right, annotated=np.broadcast_to(targets["triggers_annotated"], right.shape))


TASK = Task(
    name="triggers",
    title="Event triggers",
    unit="word",
    width=lambda labels: 2 * labels,
    columns=lambda labels: {"triggers": mark_column(2 * labels), "triggers_annotated": label_column()},
    targets=make_targets,
    initialize=lambda head: head.bias.data.fill_(FIRST_BIAS),
    loss=loss,
    count=count,
    decode=decode,
    word_spans=word_spans,
    label_logits=lambda prediction, scheme: begin_marks(prediction.logits["triggers"]),
    rows=rows,
    scores="spans",
    spans=spans_of,
)
