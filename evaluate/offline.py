"""Offline evaluation: a tagger over annotated articles, to scores, thresholds and a report.

Everything is read off `Tagger.predict`, the road that inference takes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from .. import __version__
from ..data.articles import Article, Task
from ..data.windows.encoding import EncodedText
from ..data.windows.targets import (
    IGNORED,
    AnnotatedLabels,
    TargetMaker,
    annotated_labels_of,
    outermost,
    sentence_types_of,
)
from ..inference import Prediction, Tagger
from ..models.bundle import Settings
from ..models.decoding import decode, sigmoid
from .classification import LabelScores, fit_softmax_temperature, fit_temperature, score_labels, tune_thresholds
from .errors import frequent_errors
from .report import Bootstrap, Report, Score, count_scores, data_hash, label_scores, span_scores
from .spans import LabeledSpan, count_exact, drop_stray, entity_spans, score_spans, snap_to_tokens, trigger_spans

LOWEST = -30.0  # the logit of a sentence of which the encoder saw nothing


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Rows of a multi-label task. Logits, gold and annotated are [N, K]; groups [N] is the row's article."""

    logits: np.ndarray
    gold: np.ndarray
    annotated: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A tagged data set: gold and predictions side by side.

    Attributes:
        articles: gold.
        predictions: in the same order; without their logits, which are in the tables.
        annotated_labels: what the data set declares.
        tables: task → its rows: ``sentence_types``, ``event_types``, and ``triggers`` (begin marks of words).
        entity_logits: of annotated words. [N, K]
        entity_tags: of the same. [N]
        unpredictable: (task, cause) → gold items that no prediction could equal.
        decodable: what `rescore` needs of each article: its encoded text and logits; None if they were not kept.
    """

    articles: list[Article]
    predictions: list[Article]
    annotated_labels: AnnotatedLabels
    tables: dict[Task, LabelTable]
    entity_logits: np.ndarray
    entity_tags: np.ndarray
    unpredictable: Counter[tuple[str, str]]
    decodable: list[tuple[EncodedText, Mapping[str, np.ndarray]]] | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks that can be scored."""
        return tuple(self.annotated_labels)


def run(
    tagger: Tagger, articles: Iterable[Article], annotated_labels: AnnotatedLabels, *, keep_logits: bool = False
) -> Evaluation:
    """Tag annotated articles and put gold and prediction side by side.

    Args:
        tagger: what is evaluated.
        articles: gold; their sentences are kept where they are given.
        annotated_labels: what the data set judges; tasks that the tagger does not have are left out.
        keep_logits: keep what `rescore` needs, some kilobytes an article.
    """
    maker = TargetMaker(tagger.settings.scheme)
    scored: dict[Task, tuple[str, ...]] = {
        t: names for t, names in annotated_labels.items() if t in tagger.settings.tasks
    }
    # A network without a head for articles gives them the types of their sentences.
    if "article_types" in annotated_labels and "sentence_types" in tagger.settings.tasks:
        scored["article_types"] = annotated_labels["article_types"]
    golds = list(articles)
    predicted: list[Article] = []
    rows: dict[Task, list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]] = {}
    words: list[tuple[np.ndarray, np.ndarray]] = []
    lost: Counter[tuple[str, str]] = Counter()
    decodable: list[tuple[EncodedText, Mapping[str, np.ndarray]]] = []
    for number, (gold, prediction) in enumerate(zip(golds, tagger.predict(golds), strict=True)):
        targets = maker.make(gold, prediction.encoded, scored)
        lost.update(targets.unpredictable)
        predicted.append(prediction.article)
        if keep_logits:
            decodable.append((prediction.encoded, prediction.logits))
        if "entities" in prediction.logits:
            known = targets.entities != IGNORED
            if not targets.entities_unannotated.any():  # where some labels are open the right tag is not known
                words.append((prediction.logits["entities"][known], targets.entities[known]))
        if "triggers" in scored:
            begins = prediction.logits["triggers"][:, 0::2]
            marks = np.zeros(begins.shape, dtype=bool)
            is_begin = targets.triggers[:, 1] % 2 == 0
            marks[targets.triggers[is_begin, 0], targets.triggers[is_begin, 1] // 2] = True
            annotated = np.broadcast_to(targets.triggers_annotated, marks.shape)
            rows.setdefault("triggers", []).append((begins, marks, annotated, number))
        if "sentence_types" in scored:
            rows.setdefault("sentence_types", []).append((*_sentence_rows(gold, prediction, maker, scored), number))
        if "article_types" in scored:
            logits = prediction.logits.get("article_types", prediction.logits.get("sentence_types"))
            assert logits is not None
            best = logits.max(axis=0, initial=LOWEST)[None]
            target = targets.article_types[None]
            rows.setdefault("article_types", []).append((best, target == 1, target != IGNORED, number))
    return Evaluation(
        articles=golds,
        predictions=predicted,
        annotated_labels=scored,
        tables={task: _stack(found) for task, found in rows.items()},
        entity_logits=np.concatenate([logits for logits, _ in words]) if words else np.zeros((0, 1)),
        entity_tags=np.concatenate([tags for _, tags in words]) if words else np.zeros(0, dtype=np.int64),
        unpredictable=lost,
        decodable=decodable if keep_logits else None,
    )


def rescore(evaluation: Evaluation, settings: Settings) -> Evaluation:
    """The same data set tagged with other thresholds, temperatures or transitions, without running the network.

    Args:
        evaluation: made by `run` with ``keep_logits``.
        settings: of the same network; the weight of its n-gram model is part of the logits and stays as it was.

    Raises:
        ValueError: the logits were not kept.
    """
    if evaluation.decodable is None:
        raise ValueError("the logits were not kept: call run with keep_logits=True")
    encoded, logits = [text for text, _ in evaluation.decodable], [logits for _, logits in evaluation.decodable]
    return replace(evaluation, predictions=decode(evaluation.articles, encoded, logits, settings))


def _sentence_rows(
    gold: Article, prediction: Prediction, maker: TargetMaker, scored: AnnotatedLabels
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, gold and annotated of every sentence of an article, those that the encoder saw nothing of included."""
    seen = prediction.encoded.sentences
    if gold.sentences:
        sentences = np.array([(s.start, s.end) for s in gold.sentences], dtype=np.int64).reshape(-1, 2)
        place = {span: row for row, span in enumerate(map(tuple, seen.tolist()))}
        source = [place.get((start, end), -1) for start, end in sentences.tolist()]
    else:
        sentences, source = seen, list(range(len(seen)))
    given = prediction.logits["sentence_types"]
    logits = np.full((len(sentences), len(maker.event_index)), LOWEST, dtype=np.float32)
    for row, origin in enumerate(source):
        if origin >= 0:
            logits[row] = np.maximum(given[origin], LOWEST)
    labels = np.zeros(logits.shape, dtype=bool)
    for row, types in enumerate(sentence_types_of(gold, sentences)):
        labels[row, [maker.event_index[label] for label in types]] = True
    annotated = np.zeros(logits.shape, dtype=bool)
    names = annotated_labels_of(gold, scored)["sentence_types"]
    annotated[:, [maker.event_index[label] for label in names]] = True
    return logits, labels & annotated, annotated


def _stack(found: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, int]]) -> LabelTable:
    return LabelTable(
        logits=np.concatenate([logits for logits, *_ in found]),
        gold=np.concatenate([gold for _, gold, *_ in found]),
        annotated=np.concatenate([annotated for _, _, annotated, _ in found]),
        groups=np.concatenate([np.full(len(logits), number) for logits, *_, number in found]),
    )


def calibrate(settings: Settings, outcomes: Sequence[Evaluation]) -> Settings:
    """Settings with temperatures and thresholds fitted on dev.

    Temperatures come first, since thresholds are probabilities. A label with few dev positives takes the threshold
    that is best for all labels together (`tune_thresholds`).
    """
    temperatures, thresholds = dict(settings.temperatures), dict(settings.thresholds)
    tags = np.concatenate([outcome.entity_tags for outcome in outcomes])
    if len(tags):
        logits = np.concatenate([outcome.entity_logits for outcome in outcomes if len(outcome.entity_tags)])
        temperatures["entities"] = round(fit_softmax_temperature(logits, tags), 4)
    for task in ("triggers", "sentence_types", "article_types"):
        tables = [outcome.tables[task] for outcome in outcomes if task in outcome.tables]
        if not tables or task not in settings.tasks:
            continue
        logits = np.concatenate([table.logits for table in tables])
        gold = np.concatenate([table.gold for table in tables])
        annotated = np.concatenate([table.annotated for table in tables])
        temperatures[task] = round(fit_temperature(logits, gold, annotated), 4)
        chosen = tune_thresholds(gold, sigmoid(logits / temperatures[task]), annotated)
        thresholds[task] = tuple(float(f"{value:.4g}") for value in chosen)
    return replace(settings, temperatures=temperatures, thresholds=thresholds)


def _spans(outcome: Evaluation, task: Task) -> tuple[list[set[LabeledSpan]], list[set[LabeledSpan]]]:
    """Gold and predicted spans of every article, annotated labels only, predictions snapped where gold is tokens."""
    read = entity_spans if task == "entities" else trigger_spans
    gold, found = [], []
    for article, prediction in zip(outcome.articles, outcome.predictions, strict=True):
        annotated = set(annotated_labels_of(article, outcome.annotated_labels)[task])
        gold.append({span for span in read(article) if span[2] in annotated})
        snapped = snap_to_tokens(read(prediction), article.tokens)
        found.append({span for span in snapped if span[2] in annotated})
    return gold, found


def _label_scores(outcome: Evaluation, task: Task, settings: Settings) -> LabelScores:
    table = outcome.tables[task]
    labels = settings.scheme.labels(task)
    source = task if task in settings.tasks else "sentence_types"
    chance = sigmoid(table.logits / settings.temperature(source))
    return score_labels(
        table.gold, chance, chance >= settings.threshold(source), table.annotated, labels, groups=table.groups
    )


def headline(outcomes: Sequence[Evaluation], settings: Settings) -> dict[str, float]:
    """The figures that a training run watches: micro F1 of every task, average precision, and the mean of the F1s.

    Several data sets that supervise one task count together. ``proclitics`` has no figure of its own: it shows in
    the strict F1 of entities and triggers.
    """
    scores: dict[str, float] = {}
    for task in ("entities", "triggers"):
        pairs = [_spans(outcome, task) for outcome in outcomes if task in outcome.tasks]
        if pairs:
            gold = [spans for pair in pairs for spans in pair[0]]
            found = [spans for pair in pairs for spans in pair[1]]
            scores[f"{task}.f1"] = count_exact(gold, found, settings.scheme.labels(task)).score("f1")
    for task in ("sentence_types", "article_types"):
        tables = [_label_scores(outcome, task, settings) for outcome in outcomes if task in outcome.tables]
        if tables:
            correct, spurious, missed = np.sum([table.counts.total.sum(axis=0) for table in tables], axis=0)
            scores[f"{task}.f1"] = float(2 * correct / max(1, 2 * correct + spurious + missed))
            values = [table.macro_average_precision for table in tables]
            scores[f"{task}.ap"] = float(np.nanmean(values)) if not np.all(np.isnan(values)) else 0.0
    scores = {name: 0.0 if np.isnan(value) else value for name, value in scores.items()}
    if means := [value for name, value in scores.items() if name.endswith(".f1")]:
        scores["mean.f1"] = float(np.mean(means))
    return scores


def evaluate(
    tagger: Tagger,
    articles: Iterable[Article],
    annotated_labels: AnnotatedLabels,
    *,
    bundle: str,
    data: str,
    bootstrap: Bootstrap | None = None,
) -> Report:
    """Score a tagger on annotated articles.

    Args:
        tagger: what is evaluated.
        articles: gold.
        annotated_labels: what the data set judges.
        bundle: name for the report.
        data: likewise.
        bootstrap: how intervals are made.
    """
    return report_of(
        run(tagger, articles, annotated_labels), tagger.settings, bundle=bundle, data=data, bootstrap=bootstrap
    )


def report_of(
    outcome: Evaluation, settings: Settings, *, bundle: str, data: str, bootstrap: Bootstrap | None = None
) -> Report:
    """The report of an outcome; arguments as for `evaluate`."""
    drawn = bootstrap or Bootstrap()
    scores: list[Score] = []
    counts = {}
    notes: list[str] = []
    errors = []
    golds = outcome.articles
    if any(article.tokens for article in golds):
        notes.append("Gold is whole tokens: a predicted span was widened to every token that it overlaps.")
    for task in ("entities", "triggers"):
        if task not in outcome.tasks:
            continue
        labels = settings.scheme.labels(task)
        gold, found = _spans(outcome, task)
        result = score_spans(gold, found, labels)
        scores += span_scores(result, task=task, bootstrap=drawn)
        counts[f"{task}/strict"] = result.strict
        errors += frequent_errors(golds, gold, found, task=task)
        if task == "entities":
            # Other readings of the same gold, each under its own name.
            flat = [set(outermost(sorted(spans))[0]) for spans in gold]
            if flat != gold:
                outer = count_exact(flat, found, labels)
                scores += count_scores(outer, task=task, mode="outermost", bootstrap=drawn)
                notes.append(
                    "Strict entity scores count nested mentions, which this flat tagger cannot predict, as missed; "
                    "mode outermost leaves them out of the gold."
                )
            if any(article.meta.get("stray") for article in golds):
                strict_gold = [drop_stray(article) & spans for article, spans in zip(golds, gold, strict=True)]
                strict = count_exact(strict_gold, found, labels)
                scores += count_scores(strict, task=task, mode="iob2", bootstrap=drawn)
                notes.append(
                    "Mode strict reads tags as seqeval's default does, a stray I- begins a mention; mode iob2 reads "
                    "them as seqeval's strict IOB2, stray I- are no mentions."
                )
    for task in ("sentence_types", "article_types"):
        if task in outcome.tables:
            result = _label_scores(outcome, task, settings)
            scores += label_scores(result, task=task, bootstrap=drawn)
            counts[f"{task}/decision"] = result.counts
    if any(article.annotated for article in golds):
        notes.append("Only annotated labels count: rows and labels that no annotator annotated are left out.")
    return Report(
        bundle=bundle,
        data=data,
        data_hash=data_hash(golds),
        articles=len(golds),
        scheme=settings.scheme.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        bootstrap=drawn,
        scores=tuple(scores),
        counts=counts,
        unpredictable={f"{task}: {cause}": number for (task, cause), number in outcome.unpredictable.items()},
        notes=tuple(notes),
        errors=tuple(errors),
    )
