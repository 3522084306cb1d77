"""How unsure a tagger is of an article: which one is worth annotating next.

The measure is the entropy, in bits, of everything that the model decides in the article by its calibrated
probabilities, divided by the number of words. Bits of independent decisions add up, so tasks with few labels and with
many need no weights between them. Divided by the words, because annotating costs time for each word, and because a sum
would put the longest articles first (Settles and Craven 2008 find the same of sequence entropy).
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ..data.articles import Article
from ..inference import Prediction, Tagger
from ..models.bundle import Settings
from ..models.decoding import sigmoid, softmax

KEY = "uncertainty"
"""The key of ``meta`` that holds the value."""


def uncertainty(prediction: Prediction, settings: Settings) -> float:
    """Bits per word that the model leaves open in an article; 0 without words.

    Counted are the entity tag of every word, the beginning of a trigger of each type at every word, and each event
    type of every sentence. Proclitic proclitics are not: an annotator of names and triggers does not decide them.

    Args:
        prediction: of an article.
        settings: of the bundle that made it; its temperatures calibrate the probabilities.
    """
    words = len(prediction.encoded.words)
    if not words:
        return 0.0
    bits = sum(_bits(task, logits, settings) for task, logits in prediction.logits.items())
    return bits / words


def most_uncertain(tagger: Tagger, texts: Iterable[str | Article], number: int) -> Iterator[Article]:
    """The articles that the tagger is least sure of, the least sure first, with the measure in ``meta``.

    All texts are read before the first is given; only ``number`` of them are held. Of equally unsure articles the
    earlier comes first.

    Args:
        tagger: tags the articles.
        texts: any number.
        number: how many to give.
    """
    kept: list[tuple[float, int, Article]] = []  # a heap: the surest of the kept ones on top
    for place, prediction in enumerate(tagger.predict(texts)):
        value = uncertainty(prediction, tagger.settings)
        item = (value, -place, _with_value(prediction.article, value))
        if len(kept) < number:
            heapq.heappush(kept, item)
        elif number > 0:
            heapq.heappushpop(kept, item)
    for _, _, article in sorted(kept, key=lambda item: item[:2], reverse=True):
        yield article


def _with_value(article: Article, value: float) -> Article:
    meta: Mapping[str, object] = {**article.meta, KEY: round(value, 6)}
    return replace(article, meta=meta)


def _bits(task: str, logits: np.ndarray, settings: Settings) -> float:
    """Entropy of a task's decisions in an article."""
    if task == "proclitics":
        return 0.0
    scaled = logits.astype(np.float64) / settings.temperature(task)
    if task == "entities":
        return _entropy(softmax(scaled))
    chance = sigmoid(scaled[:, 0::2] if task == "triggers" else scaled)  # of the begin marks; the inside follows
    return _entropy(chance) + _entropy(1 - chance)


def _entropy(probabilities: np.ndarray) -> float:
    return float(-(probabilities * np.log2(probabilities.clip(min=1e-300))).sum())
