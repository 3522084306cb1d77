"""Label issues: annotations that a trained tagger finds unlikely, as candidates for label errors.

Candidates are ranked by the loss on the gold label, as in confident learning (Northcutt et al. 2021,
https://arxiv.org/abs/1911.00068): labels with a low probability under the model are more often wrong.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..data.articles import AnnotatedLabels, Article, Task
from ..data.datasets import DataSet
from ..data.windows.alignment import word_range
from ..data.windows.columns import IGNORED
from ..data.windows.targets import annotated_labels_of
from ..models.tasks import target_maker, tasks_of
from .article_views import TASKS_OF_SPANS, ArticleView, shown
from .findings import Finding, Location, finding, ranked

if TYPE_CHECKING:
    from ..inference import Prediction, Tagger

LEAST_LOSS = 0.7  # nats: the model gives the gold label a probability below one half
MOST = 200  # label issues in a report: some hours of review


@dataclass(frozen=True, kw_only=True)
class BundleJudge:
    """Finds label issues with the tagger of a bundle.

    Attributes:
        tagger: the tagger; a tagger that was trained on the data misses errors.
    """

    tagger: "Tagger"

    def findings(self, datasets: Mapping[str, DataSet], views: Sequence[ArticleView]) -> Iterator[Finding]:
        """The finding of ranked label issues; see `Judge`."""
        locations: list[Location] = []
        for split, dataset in datasets.items():
            annotated = dataset.annotated_labels or self._occurring(views, split)
            locations += label_issues(self.tagger, dataset.articles, annotated, split=split, source=dataset.log.source)
        yield from label_issue_finding(locations, held_out=False)

    def _occurring(self, views: Sequence[ArticleView], split: str) -> dict[Task, tuple[str, ...]]:
        """The kinds of spans in a data set that declares nothing, with all labels of the tagger."""
        tasks = {task for view in views if view.split == split for task in view.annotated}
        return {task: self.tagger.settings.scheme.labels(task) for task in TASKS_OF_SPANS if task in tasks}


class _Candidate(NamedTuple):
    start: int
    end: int
    label: str  # gold; empty if there is none
    loss: float  # nats
    message: str


def label_issues(
    tagger: "Tagger",
    articles: Iterable[Article],
    annotated_labels: AnnotatedLabels,
    *,
    split: str = "",
    source: str = "",
) -> Iterator[Location]:
    """Mentions, triggers and sentence types whose gold label has a probability below one half, and missing ones.

    Args:
        tagger: should not be trained on the articles.
        articles: gold.
        annotated_labels: task → labels that were annotated; tasks that the tagger lacks are skipped.
        split: name of the data set, for the locations.
        source: file of the data set, for the locations.

    Yields:
        Locations in the order of the articles. ``score`` is the loss on the gold label of the least likely word, in
        nats.
    """
    golds = list(articles)
    annotated: dict[Task, tuple[str, ...]] = {
        task: labels for task, labels in annotated_labels.items() if task in tagger.settings.tasks
    }
    maker = target_maker(tagger.settings.scheme, tasks_of(tagger.settings.spans))
    for gold, prediction in zip(golds, tagger.predict(golds), strict=True):
        targets = maker.make(gold, prediction.encoded, annotated)
        candidates: list[_Candidate] = []
        if "entities" in annotated:
            if tagger.settings.spans:
                candidates += _spans(tagger, gold, prediction, targets["entities_annotated"])
            else:
                complete = not targets["entities_unannotated"].any()
                candidates += _entities(tagger, gold, prediction, targets["entities"], complete)
        if "triggers" in annotated:
            candidates += _triggers(tagger, gold, prediction, annotated_labels_of(gold, annotated)["triggers"])
        if "sentence_types" in annotated:
            candidates += _sentences(tagger, prediction, targets["sentence_types"])
        for start, end, label, loss, message in candidates:
            if loss >= LEAST_LOSS:
                yield Location(
                    split=split,
                    article=gold.id,
                    start=start,
                    end=end,
                    label=label,
                    message=f"{shown(gold.text[start:end])}: {message}",
                    source=source,
                    score=round(loss, 3),
                )


def _spans(tagger: "Tagger", gold: Article, prediction: "Prediction", annotated: np.ndarray) -> Iterator[_Candidate]:
    """Candidates among entities by a span head: gold that it finds improbable, and what it finds that is not gold.

    Args:
        tagger: has a span head.
        gold: the article.
        prediction: of the same text.
        annotated: labels that were annotated. [L] bool
    """
    labels = tagger.settings.scheme.labels("entities")
    given = {(entity.start, entity.end, entity.label) for entity in gold.entities}
    logits = prediction.logits["entities"] / tagger.settings.temperature("entities")  # [W, width * L]
    for start, end, label in sorted(given):
        first, last = word_range(prediction.encoded, start, end)
        column = (last - first - 1) * len(labels) + labels.index(label) if label in labels else -1
        if first < last and 0 <= column < logits.shape[1]:
            loss = float(np.logaddexp(0.0, -logits[first, column]))
            yield _Candidate(start, end, label, loss, f"{label} is improbable here")
    for entity in prediction.article.entities:
        known = annotated[labels.index(entity.label)]
        if known and (entity.start, entity.end, entity.label) not in given:
            loss = -float(np.log(max(1e-12, 1 - (entity.score or 0.0))))
            message = f"not annotated, and probably {entity.label}"
            yield _Candidate(entity.start, entity.end, entity.label, loss, message)


def _entities(
    tagger: "Tagger", gold: Article, prediction: "Prediction", tags: np.ndarray, complete: bool
) -> Iterator[_Candidate]:
    """Candidates among entities, given the target of each word [W].

    Unlabeled words are candidates if the annotation is ``complete``: all entity labels were annotated.
    """
    logits = prediction.logits["entities"] / tagger.settings.temperature("entities")  # [W, 1 + 2L]
    if not len(logits):
        return
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    given = tags != IGNORED
    gold_tags = np.where(given, tags, 0)
    losses = np.where(given, -log_probabilities[np.arange(len(tags)), gold_tags], 0.0)  # [W]
    predicted = {(entity.start, entity.end): entity.label for entity in prediction.article.entities}
    names = np.array(
        ["", *(name for name in tagger.settings.scheme.labels("entities") for _ in range(2))], dtype=object
    )[gold_tags]
    for entity in gold.entities:
        first, last = word_range(prediction.encoded, entity.start, entity.end)
        words = np.flatnonzero(names[first:last] == entity.label) + first
        if not len(words):  # a nested entity or an unannotated label has no target
            continue
        overlapping = (
            f"{label} {shown(gold.text[start:end])}"
            for (start, end), label in predicted.items()
            if start < entity.end and entity.start < end
        )
        if predicted.get((entity.start, entity.end)) == entity.label:
            message = "the model is unsure"
        else:
            message = f"the model predicts {next(overlapping, 'nothing')}"
        yield _Candidate(
            entity.start, entity.end, entity.label, float(losses[words].max()), f"{entity.label}; {message}"
        )
    if not complete:
        return
    for (start, end), label in predicted.items():
        first, last = word_range(prediction.encoded, start, end)
        if first < last and not tags[first:last].any():
            yield _Candidate(start, end, "", float(losses[first:last].max()), f"no label; the model predicts {label}")


def _triggers(
    tagger: "Tagger", gold: Article, prediction: "Prediction", annotated: Sequence[str]
) -> Iterator[_Candidate]:
    """Candidates among triggers with an annotated label."""
    logits = prediction.logits["triggers"] / tagger.settings.temperature("triggers")  # [W, 2K]
    given, predicted = (
        {(e.trigger.start, e.trigger.end, label) for e in article.events for label in e.types if label in annotated}
        for article in (gold, prediction.article)
    )
    for start, end, label in sorted(given | predicted):
        first, last = word_range(prediction.encoded, start, end)
        if first >= last:
            continue
        logit = float(logits[first, 2 * tagger.settings.scheme.labels("triggers").index(label)])
        if (start, end, label) in given:
            others = sorted({t for s, e, t in predicted if s < end and start < e} - {label})
            if (start, end, label) in predicted:
                message = "the model is unsure"
            else:
                message = f"the model predicts {'+'.join(others) or 'nothing'}"
            yield _Candidate(start, end, label, float(np.logaddexp(0, -logit)), f"trigger of {label}; {message}")
        elif not any(s < end and start < e and t == label for s, e, t in given):
            yield _Candidate(start, end, "", float(np.logaddexp(0, logit)), f"no trigger; the model predicts {label}")


def _sentences(tagger: "Tagger", prediction: "Prediction", targets: np.ndarray) -> Iterator[_Candidate]:
    """Candidates among event types of sentences, given their targets. [S, K]"""
    logits = prediction.logits["sentence_types"] / tagger.settings.temperature("sentence_types")  # [S, K]
    for row, number in np.argwhere(targets != IGNORED).tolist():
        start, end = prediction.encoded.sentences[row].tolist()
        label, positive = tagger.settings.scheme.labels("sentence_types")[number], bool(targets[row, number])
        logit = float(logits[row, number])
        loss = float(np.logaddexp(0, -logit if positive else logit))
        if positive:
            yield _Candidate(start, end, label, loss, f"sentence: {label}; the model does not predict it")
        else:
            yield _Candidate(start, end, "", loss, f"sentence: not {label}; the model predicts it")


def label_issue_finding(locations: Iterable[Location], *, held_out: bool) -> Iterator[Finding]:
    """The finding of ranked label issues.

    Args:
        locations: label issues of all data sets; the `MOST` with the highest loss are listed.
        held_out: whether every article was scored by a model that was not trained on it.
    """
    listed = ranked(locations)
    caution = (
        "Every article was scored by a model that was not trained on it."
        if held_out
        else "A model fits its training data, so it misses errors there; those it lists there are likely real."
    )
    yield from finding("label-issues", listed[:MOST], count=len(listed), caution=caution)
