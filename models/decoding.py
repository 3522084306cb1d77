"""Logits of an article to spans: the one road that validation, evaluation, inference and the parity gate share.

NumPy only, so that tagging with ONNX needs no torch. Tags are 0 outside, 1 + 2l begin, 2 + 2l inside label l.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.articles import Article, Entity, Event, Sentence, Span
from ..data.text.words import behind_proclitic
from ..data.windows.encoding import EncodedText
from .bundle import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class WordSpan:
    """A predicted span of words with its label and probability."""

    first: int
    end: int
    label: int
    score: float


def decode(
    articles: Sequence[Article],
    encoded: Sequence[EncodedText],
    logits: Sequence[Mapping[str, np.ndarray]],
    settings: Settings,
) -> list[Article]:
    """Articles with everything that their logits predict; gold annotation is replaced.

    Args:
        articles: texts; ids, dates, sources and ``meta`` are kept.
        encoded: words and sentences of each.
        logits: task → logits of each, as `Prediction.logits`.
        settings: labels, thresholds, temperatures, transitions.
    """
    return [_decode(*item, settings) for item in zip(articles, encoded, logits, strict=True)]


def _decode(article: Article, text: EncodedText, logits: Mapping[str, np.ndarray], settings: Settings) -> Article:
    surface = article.text
    bounds = logits["proclitics"].argmax(axis=1) if "proclitics" in logits else None
    entity_labels, event_labels = settings.scheme.labels("entities"), settings.scheme.labels("triggers")
    transitions = None if settings.transitions is None else np.array(settings.transitions)

    def offsets(first: int, end: int) -> tuple[int, int]:
        start, stop = int(text.words[first, 0]), int(text.words[end - 1, 1])
        if bounds is not None:
            start = behind_proclitic(surface, start, int(text.words[first, 1]), int(bounds[first]))
        return start, stop

    entities: list[Entity] = []
    if "entities" in logits:
        spans = decode_entities(
            logits["entities"], transitions=transitions, temperature=settings.temperature("entities")
        )
        for number, span in enumerate(spans, 1):
            start, end = offsets(span.first, span.end)
            label = entity_labels[span.label]
            entities.append(Entity(id=f"e{number}", start=start, end=end, label=label, score=span.score))
    events: dict[tuple[int, int], list[tuple[int, float]]] = {}
    if "triggers" in logits:
        for span in decode_triggers(
            logits["triggers"], settings.threshold("triggers"), temperature=settings.temperature("triggers")
        ):
            events.setdefault(offsets(span.first, span.end), []).append((span.label, span.score))
    sentences: tuple[Sentence, ...] = ()
    if "sentence_types" in logits:
        chance = sigmoid(logits["sentence_types"] / settings.temperature("sentence_types"))  # [S, K]
        chosen = chance >= settings.threshold("sentence_types")
        sentences = tuple(
            Sentence(start=start, end=end, types=_names(event_labels, on), scores=tuple(row[on].tolist()))
            for (start, end), on, row in zip(text.sentences.tolist(), chosen, chance, strict=True)
        )
    types, scores, evidence = _article_types(surface, text, logits, settings)
    return replace(
        article,
        entities=tuple(entities),
        events=tuple(
            Event(
                id=f"v{number}",
                trigger=Span(start=start, end=end),
                types=tuple(event_labels[label] for label, _ in sorted(found)),
                scores=tuple(score for _, score in sorted(found)),
            )
            for number, ((start, end), found) in enumerate(sorted(events.items()), 1)
        ),
        sentences=sentences,
        event_types=types,
        type_scores=scores,
        evidence=evidence,
        tokens=(),
        annotated={},
    )


def _article_types(
    surface: str, text: EncodedText, logits: Mapping[str, np.ndarray], settings: Settings
) -> tuple[tuple[str, ...], tuple[float, ...], dict[str, tuple[Span, ...]]]:
    """Labels of the article, each from its strongest sentence, and the sentences that say so."""
    labels = settings.scheme.labels("article_types")
    # Without a head of its own the article has the types of its sentences.
    task = "article_types" if "article_types" in logits else "sentence_types"
    if task not in logits or not len(text.sentences):
        return (), (), {}
    chance = sigmoid(logits[task] / settings.temperature(task))  # [S, K]
    threshold = settings.threshold(task)
    strongest = chance.max(axis=0)
    on = strongest >= threshold
    evidence = {
        labels[label]: tuple(
            Span(start=start, end=end, text=surface[start:end])
            for start, end in text.sentences[chance[:, label] >= threshold[label]].tolist()
        )
        for label in np.flatnonzero(on)
    }
    return _names(labels, on), tuple(strongest[on].tolist()), evidence


def _names(labels: Sequence[str], on: np.ndarray) -> tuple[str, ...]:
    return tuple(labels[label] for label in np.flatnonzero(on))


def forbidden_transitions(tags: int) -> np.ndarray:
    """Transitions that BIO does not allow; the last row is the start of a text. [K + 1, K] bool

    >>> forbidden_transitions(3).astype(int).tolist()
    [[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    """
    inside = np.arange(2, tags, 2)
    forbidden = np.zeros((tags + 1, tags), dtype=bool)
    forbidden[:, inside] = True
    forbidden[inside, inside] = forbidden[inside - 1, inside] = False
    return forbidden


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function that does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def decode_entities(
    logits: np.ndarray, *, transitions: np.ndarray | None = None, temperature: float = 1.0
) -> list[WordSpan]:
    """The best legal tag sequence as spans.

    Args:
        logits: [U, K]
        transitions: CRF scores [K + 1, K]; None allows every legal transition alike.
        temperature: divides the logits before they become probabilities; it does not change the spans.

    Returns:
        Spans whose score is the probability of exactly their tags: the product over their words of the word's
        probability, and with a CRF the product of its marginals.
    """
    if not len(logits):
        return []
    tags = _best_tags(logits, transitions)
    if transitions is None:
        probabilities = softmax(logits / temperature)
    else:
        probabilities = _marginals(logits / temperature, transitions / temperature)
    log_chosen = np.log(probabilities[np.arange(len(tags)), tags].clip(min=1e-12))
    starts = np.flatnonzero(tags % 2 == 1)
    inside = (tags > 0) & (tags % 2 == 0)
    ends_before = np.flatnonzero(~inside)  # a span ends where the next word is not inside
    ends = np.append(ends_before, len(tags))[np.searchsorted(ends_before, starts, side="right")]
    total = np.append(0.0, np.cumsum(log_chosen, dtype=np.float64))
    return [
        WordSpan(first=first, end=end, label=label, score=score)
        for first, end, label, score in zip(
            starts.tolist(),
            ends.tolist(),
            ((tags[starts] - 1) // 2).tolist(),
            np.exp(total[ends] - total[starts]).tolist(),
            strict=True,
        )
    ]


def decode_triggers(logits: np.ndarray, thresholds: np.ndarray, *, temperature: float = 1.0) -> list[WordSpan]:
    """Trigger spans of every type on its own, so that a word may carry several.

    A span begins where the begin mark reaches the type's threshold and goes on while the inside mark is likelier than
    not and likelier than a new beginning. Its score is the probability of its begin mark.

    Args:
        logits: [U, 2K], begin and inside mark of each type in turn.
        thresholds: probability from which a begin mark counts. [K]
        temperature: divides the logits.
    """
    probabilities = sigmoid(logits / temperature)
    begin, inside = probabilities[:, 0::2], probabilities[:, 1::2]  # [U, K]
    on = begin >= thresholds
    goes_on = (inside > 0.5) & (inside > begin)
    spans: list[WordSpan] = []
    reach = [0] * begin.shape[1]  # where the last span of each type ended
    for first, label in zip(*(axis.tolist() for axis in np.nonzero(on)), strict=True):
        if first < reach[label]:
            continue  # a begin mark inside a longer span of its type says the same event twice
        end = first + 1
        while end < len(logits) and goes_on[end, label]:
            end += 1
        reach[label] = end
        spans.append(WordSpan(first=first, end=end, label=label, score=float(begin[first, label])))
    return spans


def _best_tags(logits: np.ndarray, transitions: np.ndarray | None) -> np.ndarray:
    """Viterbi; without transition scores only where the plain maximum is not legal."""
    if transitions is not None:
        return _viterbi(logits, transitions)
    tags = logits.argmax(axis=1)
    forbidden = forbidden_transitions(logits.shape[1])
    previous = np.append(logits.shape[1], tags[:-1])  # the start row
    broken = np.flatnonzero(forbidden[previous, tags])
    if not len(broken):
        return tags
    # Cut before every word whose plain maximum is not inside. Where a stretch, decoded as if anything might stand
    # before it, does not begin inside either, no sequence that reaches into it from the left is better, and it can be
    # decoded alone. Otherwise it takes in what stands before it.
    edges = np.append(np.flatnonzero((tags == 0) | (tags % 2 == 1)), len(tags))
    edges = edges if edges[0] == 0 else np.append(0, edges)
    scores = np.where(forbidden, -np.inf, 0.0)
    anything = np.concatenate([scores[:-1], np.zeros_like(scores[:1])])
    solved: list[tuple[int, int]] = []  # stretches, as numbers of edges
    work = 0  # words decoded
    for piece in np.unique(np.searchsorted(edges, broken, side="right") - 1).tolist():
        first, reach = piece, 1
        while True:
            while solved and first < solved[-1][1]:
                first = min(first, solved.pop()[0])
            start, end = int(edges[first]), int(edges[piece + 1])
            work += end - start
            if work > 4 * len(tags):  # stretches that hang together: all at once is cheaper
                return _viterbi(logits, scores)
            part = _viterbi(logits[start:end], anything if start else scores)
            if not start or not part[0] or part[0] % 2 == 1:
                break
            first, reach = max(0, first - reach), 2 * reach
        tags[start:end] = part
        solved.append((first, piece + 1))
    return tags


def _viterbi(logits: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    steps, count = logits.shape
    step, score = transitions[:-1], transitions[-1] + logits[0]
    back = np.zeros((steps, count), dtype=np.int32)
    columns = np.arange(count)
    for t in range(1, steps):
        candidates = score[:, None] + step  # [from, to]
        back[t] = candidates.argmax(axis=0)
        score = candidates[back[t], columns] + logits[t]
    tags = np.zeros(steps, dtype=np.int64)
    tags[-1] = score.argmax()
    for t in range(steps - 1, 0, -1):
        tags[t - 1] = back[t, tags[t]]
    return tags


def _marginals(logits: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Forward-backward in logarithms: probability of each tag at each word. [U, K]"""
    emissions, step = logits.astype(np.float64), transitions[:-1]
    forward, backward = np.zeros_like(emissions), np.zeros_like(emissions)
    forward[0] = transitions[-1] + emissions[0]
    for t in range(1, len(emissions)):
        forward[t] = _log_sum(forward[t - 1] + step.T) + emissions[t]
    for t in range(len(emissions) - 2, -1, -1):
        backward[t] = _log_sum(step + emissions[t + 1] + backward[t + 1])
    return softmax(forward + backward)


def _log_sum(values: np.ndarray) -> np.ndarray:
    """Logarithm of the sum of exponentials over the last axis."""
    largest = values.max(axis=-1)
    return largest + np.log(np.exp(values - largest[..., None]).sum(axis=-1))


def merge_windows(pieces: Sequence[tuple[np.ndarray, tuple[int, int], int]], words: int, width: int) -> np.ndarray:
    """Logits of windows to logits of the article: each word from the window that owns it.

    Args:
        pieces: per window its logits [W, K], the range of words that it owns, and its first word.
        words: words of the article.
        width: K.
    """
    merged = np.zeros((words, width), dtype=np.float32)
    for logits, (first, end), offset in pieces:
        merged[first:end] = logits[first - offset : end - offset]
    return merged
