"""Uncertainty of a tagger about an article, for active learning: which article to annotate next.

The measure is the entropy of all decisions in the article, in bits per word, by calibrated probabilities. Bits of
independent decisions add up, so that tasks need no weights. The sum is divided by the number of words because
annotating costs time per word, and because it would put the longest articles first (Settles and Craven 2008 find the
same for sequence entropy).
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ..data.articles import Article
from ..inference import Prediction, Tagger
from ..models.bundle import Settings
from ..models.probabilities import sigmoid, softmax
from ..models.tasks import Task, tasks_of

KEY = "uncertainty"
"""Key of ``meta`` for the value."""


def uncertainty(prediction: Prediction, settings: Settings) -> float:
    """Entropy of an article in bits per word; 0 without words.

    It sums over the entity tag of every word (or the labels of every span), the begin mark of every trigger type at
    every word, the event types of every sentence, and the roles of every pair of a predicted trigger and a predicted
    entity. Proclitics are left out: an annotator does not decide them.

    Args:
        prediction: of an article.
        settings: of the bundle that made it; its temperatures calibrate the probabilities.
    """
    words = len(prediction.encoded.words)
    if not words:
        return 0.0
    bits = sum(_bits(task, prediction, settings) for task in tasks_of(settings.spans) if task.name in prediction.logits)
    return bits / words


def most_uncertain(tagger: Tagger, texts: Iterable[str | Article], number: int) -> Iterator[Article]:
    """The most uncertain articles, most uncertain first, tagged and with the measure in ``meta``.

    All texts are read before the first article is yielded; only ``number`` of them are held. Of equally uncertain
    articles the earlier comes first.

    Args:
        tagger: tags the articles.
        texts: any number.
        number: of articles to yield.
    """
    kept: list[tuple[float, int, Article]] = []  # a heap with the least uncertain of them on top
    for place, prediction in enumerate(tagger.predict(texts)):
        value = uncertainty(prediction, tagger.settings)
        article = prediction.article
        item = (value, -place, replace(article, meta={**article.meta, KEY: round(value, 6)}))
        if len(kept) < number:
            heapq.heappush(kept, item)
        elif number > 0:
            heapq.heappushpop(kept, item)
    for _, _, article in sorted(kept, key=lambda item: item[:2], reverse=True):
        yield article


def _bits(task: Task, prediction: Prediction, settings: Settings) -> float:
    """Entropy of a task's decisions in an article."""
    if task.label_logits is None:
        return 0.0
    logits = task.label_logits(prediction, settings.scheme)
    scaled = logits.astype(np.float64) / settings.temperature(task.name)
    if task.exclusive:
        return _entropy(softmax(scaled))
    probabilities = sigmoid(scaled)
    return _entropy(probabilities) + _entropy(1 - probabilities)


def _entropy(probabilities: np.ndarray) -> float:
    return float(-(probabilities * np.log2(probabilities.clip(min=1e-300))).sum())
