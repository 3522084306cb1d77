"""Annotation that a trained tagger finds hard to believe: candidates for label noise, the least likely first.

The loss on the gold label is the measure, as in Northcutt et al. 2021 (https://arxiv.org/abs/1911.00068): what a model
that learned from the rest of the data gives little probability to is more often wrong than the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.articles import Article, Task
from ..data.windows.alignment import word_range
from ..data.windows.columns import IGNORED
from ..data.windows.targets import AnnotatedLabels, annotated_labels_of
from ..models.tasks import target_maker
from .findings import Finding, Location
from .views import finding, shown

if TYPE_CHECKING:
    from ..inference import Prediction, Tagger

LEAST = 0.7  # nats: the model gives the gold label less than one half


def label_issues(
    tagger: "Tagger",
    articles: Iterable[Article],
    annotated_labels: AnnotatedLabels,
    *,
    split: str = "",
    source: str = "",
) -> Iterator[Location]:
    """Every mention, trigger, sentence type and unlabeled name that the model gives less than one half.

    Args:
        tagger: should not have been trained on the articles: it believes what it has seen.
        articles: gold.
        annotated_labels: what was annotated in them; tasks that the tagger does not have are left out.
        split: name of the data set, for the locations.
        source: likewise.

    Yields:
        Locations in the order of the articles. ``score`` is the negative log probability of the gold, in nats, of its
        least likely word.
    """
    golds = list(articles)
    annotated: dict[Task, tuple[str, ...]] = {
        task: labels for task, labels in annotated_labels.items() if task in tagger.settings.tasks
    }
    maker = target_maker(tagger.settings.scheme)
    for gold, prediction in zip(golds, tagger.predict(golds), strict=True):
        targets = maker.make(gold, prediction.encoded, annotated)
        found: list[tuple[int, int, str, float, str]] = []
        if "entities" in annotated:
            found += _entities(
                tagger, gold, prediction, targets["entities"], bool(targets["entities_unannotated"].any())
            )
        if "triggers" in annotated:
            found += _triggers(tagger, gold, prediction, annotated_labels_of(gold, annotated)["triggers"])
        if "sentence_types" in annotated:
            found += _sentences(tagger, gold, prediction, targets["sentence_types"])
        for start, end, label, loss, said in found:
            if loss >= LEAST:
                message = f"{shown(gold.text[start:end])}: {said}"
                yield Location(
                    split=split,
                    article=gold.id,
                    start=start,
                    end=end,
                    label=label,
                    message=message,
                    source=source,
                    score=round(loss, 3),
                )


LabelIssue = tuple[int, int, str, float, str]


def _entities(
    tagger: "Tagger", gold: Article, prediction: "Prediction", tags: np.ndarray, some_open: bool
) -> Iterator[LabelIssue]:
    logits = prediction.logits["entities"] / tagger.settings.temperature("entities")  # [U, 1 + 2L]
    if not len(logits):
        return
    log_chance = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    known = tags != IGNORED
    loss = np.where(known, -log_chance[np.arange(len(tags)), np.where(known, tags, 0)], 0.0)  # [U]
    encoded = prediction.encoded
    believed = {(entity.start, entity.end): entity.label for entity in prediction.article.entities}
    names = tagger.settings.scheme.labels("entities")
    labels = np.array(["", *(name for name in names for _ in range(2))], dtype=object)[np.where(known, tags, 0)]
    for entity in gold.entities:
        first, last = word_range(encoded, entity.start, entity.end)
        inside = (
            np.flatnonzero(labels[first:last] == entity.label) + first
        )  # nested and unannotated ones have no target
        if not len(inside):
            continue
        other = next(
            (
                f"{label} {shown(gold.text[start:end])}"
                for (start, end), label in believed.items()
                if start < entity.end and entity.start < end
            ),
            "nothing",
        )
        same = believed.get((entity.start, entity.end)) == entity.label
        worst = float(loss[inside].max())
        told = "the model is unsure" if same else f"the model says {other}"
        yield entity.start, entity.end, entity.label, worst, f"{entity.label}; {told}"
    if some_open:  # where labels were not annotated, a word without a label may well have one
        return
    for (start, end), label in believed.items():
        first, last = word_range(encoded, start, end)
        if first < last and not tags[first:last].any():
            yield start, end, "", float(loss[first:last].max()), f"not labeled; the model says {label}"


def _triggers(
    tagger: "Tagger", gold: Article, prediction: "Prediction", annotated: Sequence[str]
) -> Iterator[LabelIssue]:
    logits = prediction.logits["triggers"] / tagger.settings.temperature("triggers")  # [U, 2K]
    encoded = prediction.encoded
    given = {(e.trigger.start, e.trigger.end, label) for e in gold.events for label in e.types if label in annotated}
    said = {
        (e.trigger.start, e.trigger.end, label)
        for e in prediction.article.events
        for label in e.types
        if label in annotated
    }
    for start, end, label in sorted(given | said):
        first, last = word_range(encoded, start, end)
        if first >= last:
            continue
        logit = float(logits[first, 2 * tagger.settings.scheme.labels("triggers").index(label)])
        if (start, end, label) in given:
            others = sorted({t for s, e, t in said if s < end and start < e} - {label})
            told = f"the model says {'+'.join(others) or 'nothing'}" if (start, end, label) not in said else "unsure"
            yield start, end, label, float(np.logaddexp(0, -logit)), f"trigger of {label}; {told}"
        elif not any(s < end and start < e and t == label for s, e, t in given):
            loss = float(np.logaddexp(0, logit))
            yield start, end, "", loss, f"no trigger; the model says {label}"


def _sentences(tagger: "Tagger", gold: Article, prediction: "Prediction", targets: np.ndarray) -> Iterator[LabelIssue]:
    logits = prediction.logits["sentence_types"] / tagger.settings.temperature("sentence_types")  # [S, K]
    for row, kind in np.argwhere(targets != IGNORED).tolist():
        start, end = prediction.encoded.sentences[row].tolist()
        label, on = tagger.settings.scheme.labels("sentence_types")[kind], bool(targets[row, kind])
        logit = float(logits[row, kind])
        loss = float(np.logaddexp(0, -logit if on else logit))
        said = f"the model does not say {label}" if on else f"not {label}; the model says {label}"
        yield start, end, label if on else "", loss, f"sentence: {said}"


def label_issue_finding(locations: Iterable[Location], *, limit: int, held_out: bool) -> Iterator[Finding]:
    """The finding of ranked label_issues.

    Args:
        locations: of `label_issues`.
        limit: how many are listed.
        held_out: the model had not seen the articles that it annotated.
    """
    ranked = sorted(locations, key=lambda location: -(location.score or 0))
    told = (
        "Each part was annotated by a model that had not seen it."
        if held_out
        else "A bundle believes what it was trained on: for its own training data this ranking is too kind, and what "
        "it does list there is listed all the more for a reason."
    )
    yield from finding(
        "label-issues",
        "Annotation that the model finds least likely",
        "note",
        f"Ranked by the model's loss on the gold, in nats. {told} Look at the first ones; many are the model's own "
        "mistakes.",
        ranked[:limit],
        count=len(ranked),
    )
