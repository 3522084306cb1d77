"""Entities: a BIO tag for every word. Tags are 0 outside, 1 + 2l begin and 2 + 2l inside label l."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.articles import Article, Entity
from ...data.windows.alignment import outermost, settle
from ...data.windows.columns import IGNORED, label_column, word_column
from ...data.windows.targets import Gold, Targets
from ..bundle import Settings
from ..probabilities import marginals, softmax
from ..viterbi import best_tags, forbidden_transitions
from .mentions import mention_offsets, without_crossing
from .task import LabelRows, LossOptions, Prediction, Task, WordSpan

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..shape import RasidConfig


_INSIDE = slice(2, None, 2)
"""Tags that continue a mention."""
FIRST_BIAS = -4.0
"""Most words are outside, see `triggers.FIRST_BIAS`; this is the bias of all other tags."""


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of the outermost entities.

    Returns:
        ``entities``, the tag of each word, `IGNORED` if entities were not annotated, [W] int16; and
        ``entities_unannotated``, labels that were not annotated: a word with tag 0 may carry one of them, [L] bool.
    """
    numbers = gold.numbers("entities")
    tags = np.full(len(gold.encoded.words), IGNORED, dtype=np.int16)
    if "entities" not in gold.annotated:
        return {"entities": tags, "entities_unannotated": np.zeros(len(numbers), dtype=bool)}
    labels = gold.annotated["entities"]
    flat, nested = outermost(sorted({span for span in spans_of(gold.article) if span[2] in labels}))
    predictable, others = settle(
        gold.article.text, gold.encoded, flat, gold.proclitics, shared="shares a word with another", exclusive="words"
    )
    tags[:] = 0
    for span in (*predictable, *others):
        # The others are no "outside" either: the words that they have for themselves keep their label.
        free = span.first + np.flatnonzero(tags[span.first : span.last] == 0)
        if len(free):
            tag = 1 + 2 * numbers[span.label]
            tags[free[0]], tags[free[1:]] = tag, tag + 1
    for cause, number in (nested + Counter(span.cause for span in others)).items():
        gold.unpredictable["entities", cause] += number
    return {"entities": tags, "entities_unannotated": ~gold.annotated_mask("entities")}


def spans_of(article: Article) -> set[tuple[int, int, str]]:
    """The entities of an article as (start, end, label), nested ones included."""
    return {(entity.start, entity.end, entity.label) for entity in article.entities}


def make_modules(config: "RasidConfig", hidden: int) -> "dict[str, nn.Module]":
    """A linear layer, and for a CRF its transitions."""
    import torch
    from torch import nn

    from ..heads import LinearChain

    tags = 1 + 2 * len(config.entities)
    modules: dict[str, nn.Module] = {"entities": nn.Linear(hidden, tags)}
    if config.crf:
        modules["chain"] = LinearChain(tags, torch.from_numpy(forbidden_transitions(tags)))
    return modules


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Negative log-likelihood of the tags; with partial annotation, of all tags that the gold allows.

    Args:
        logits: [B, W, 1 + 2L]
        targets: see `make_targets`. [B, W] and [B, L]
        options: weights of the tags, and the CRF.
    """
    import torch
    from torch.nn import functional as F

    tags, unannotated = targets["entities"], targets["entities_unannotated"]
    weights, chain = options.tag_weights, options.chain
    known = tags != IGNORED  # [B, W]
    logits = logits.float()
    if chain is None and not unannotated.any():
        flat = logits.reshape(-1, logits.shape[-1])
        return F.cross_entropy(flat, tags.reshape(-1), weight=weights, ignore_index=IGNORED, reduction="sum")
    # The gold tag is allowed, and for a word with tag 0 also begin and inside of every label that was not annotated.
    allowed = F.one_hot(tags.clamp(min=0), logits.shape[-1]).bool()  # [B, W, K]
    unannotated_tags = F.pad(unannotated.repeat_interleave(2, dim=1), (1, 0))  # [B, K]
    allowed |= (tags == 0)[:, :, None] & unannotated_tags[:, None, :]
    if chain is not None:
        # Words that the window does not own are marginalized, not masked, so that the chain stays connected.
        allowed |= ~known[:, :, None]
        real = known.flip(1).cumsum(1).flip(1) > 0  # up to the last known word
        # A window that owns its first word as inside, or not at all, begins in the middle of a text.
        continues = (tags[:, 0] != 0) & (tags[:, 0] % 2 == 0)
        return chain.negative_log_likelihood(logits, allowed, real, continues).sum()
    allowed_logits = logits.masked_fill(~allowed, float("-inf"))
    loss = torch.logsumexp(logits, -1) - torch.logsumexp(allowed_logits, -1)  # [B, W]
    if weights is not None:
        loss = loss * weights[tags.clamp(min=0)]
    return loss.masked_fill(~known, 0).sum()


def decode_tags(
    texts: Sequence[np.ndarray], *, transitions: np.ndarray | None = None, temperature: float = 1.0
) -> list[list[WordSpan]]:
    """The best legal tag sequence of each text as spans.

    Args:
        texts: logits of each text. [W, 1 + 2L] each
        transitions: CRF scores [K + 1, K]; None gives every legal transition the same score.
        temperature: divides the logits before they become probabilities; it does not change the spans.

    Returns:
        Spans of each text. Their score is the probability of exactly their tags: the product over their words of the
        word's probability, and with a CRF the product of its marginals.
    """
    return [
        _tag_spans(tags, logits, transitions, temperature)
        for tags, logits in zip(best_tags(texts, transitions), texts, strict=True)
    ]


def _tag_spans(
    tags: np.ndarray, logits: np.ndarray, transitions: np.ndarray | None, temperature: float
) -> list[WordSpan]:
    starts = np.flatnonzero(tags % 2 == 1)
    if not len(starts):
        return []
    if transitions is None:
        probabilities = softmax(logits / temperature)
    else:
        probabilities = marginals(logits / temperature, transitions / temperature)
    # A span ends before the first word after its start that is not inside.
    not_inside = np.flatnonzero((tags == 0) | (tags % 2 == 1))
    ends = np.append(not_inside, len(tags))[np.searchsorted(not_inside, starts, side="right")]
    # The log probability of a span is a difference of running sums.
    log_chosen = np.log(probabilities[np.arange(len(tags)), tags].clip(min=1e-12))
    total = np.append(0.0, np.cumsum(log_chosen, dtype=np.float64))
    scores = np.exp(total[ends] - total[starts])
    labels = (tags[starts] - 1) // 2
    columns = (starts.tolist(), ends.tolist(), labels.tolist(), scores.tolist())
    return [
        WordSpan(first=first, end=end, label=label, score=score)
        for first, end, label, score in zip(*columns, strict=True)
    ]


def _decode_tags(texts: Sequence[np.ndarray], settings: Settings) -> list[list[WordSpan]]:
    transitions = None if settings.transitions is None else np.array(settings.transitions)
    return decode_tags(texts, transitions=transitions, temperature=settings.temperature("entities"))


def decode(predictions: Sequence[Prediction], head: str, settings: Settings) -> list[dict[str, Any]]:
    """The entities of each text."""
    labels = settings.scheme.labels("entities")
    by_text = _decode_tags(
        [without_crossing(prediction, prediction.logits[head], _INSIDE) for prediction in predictions], settings
    )
    fields = []
    for prediction, spans in zip(predictions, by_text, strict=True):
        placed = [(mention_offsets(prediction, span.first, span.end), span) for span in spans]
        found = [(place, span) for place, span in placed if place is not None]
        entities = tuple(
            Entity(id=f"e{number}", start=start, end=end, label=labels[span.label], score=span.score)
            for number, ((start, end), span) in enumerate(found, 1)
        )
        fields.append({"entities": entities})
    return fields


def rows(targets: Targets, prediction: Prediction, head: str) -> LabelRows | None:
    """Annotated words and their tags; None if some labels were not annotated, for then the right tag is not known."""
    logits = prediction.logits[head]
    if targets["entities_unannotated"].any():
        return None
    annotated = targets["entities"] != IGNORED
    tags = targets["entities"][annotated]
    right = tags[:, None] == np.arange(logits.shape[1])
    return LabelRows(logits=logits[annotated], gold=right, annotated=np.ones_like(right))


TASK = Task(
    name="entities",
    title="Entities",
    unit="word",
    width=lambda labels: 1 + 2 * labels,
    columns=lambda labels: {"entities": word_column("int16"), "entities_unannotated": label_column()},
    targets=make_targets,
    modules=make_modules,
    initialize=lambda head: head.bias.data[1:].fill_(FIRST_BIAS),
    loss=loss,
    count=lambda targets: (targets["entities"] != IGNORED).sum(),  # annotated words
    decode=decode,
    word_spans=lambda logits, settings: _decode_tags([logits], settings)[0],
    exclusive=True,
    label_logits=lambda prediction, scheme: prediction.logits["entities"],
    rows=rows,
    scores="spans",
    spans=spans_of,
)
