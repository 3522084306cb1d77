"""Offline evaluation: run a tagger over annotated articles, fit thresholds, and score.

Predictions come from `Tagger.predict`, as in inference.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np

from .. import __version__
from ..data.articles import AnnotatedLabels, Article
from ..data.articles import Task as TaskName
from ..data.windows.targets import annotated_labels_of
from ..inference import Prediction, Tagger
from ..models.bundle import Settings
from ..models.decoding import decode, decode_arguments
from ..models.probabilities import sigmoid
from ..models.tasks import TASKS, Task, heads_of, target_maker, tasks_of
from ..progress import track
from .arguments import BREAKDOWNS, GIVEN, argument_sets, score_arguments
from .classification import LabelScores, fit_softmax_temperature, fit_temperature, score_labels, tune_thresholds
from .counts import Counts
from .errors import FrequentError, frequent_argument_errors, frequent_errors
from .flat import flat_readings
from .report import Bootstrap, Report, Score, data_hash
from .scores import argument_scores, label_scores, span_scores
from .spans import LabeledSpan, count_exact, score_spans, snap_to_tokens


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Decisions of one task in a data set. Logits, gold and annotated are [N, K]; groups [N] is the row's article."""

    logits: np.ndarray
    gold: np.ndarray
    annotated: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A tagged data set: gold and predictions.

    Attributes:
        articles: gold.
        predictions: in the same order.
        annotated_labels: labels that the data set annotated, for the tasks that the tagger can decide.
        tables: task → its decisions, to calibrate on; for tasks with ``scores="labels"`` also to score.
        unpredictable: (task, cause) → number of gold items that no prediction can equal.
        decodable: predictions with their logits, for `rescore`; None if they were not kept.
        from_gold: the articles with their gold entities and triggers, and the arguments that the tagger predicts for
            them; None if it does not predict arguments.
    """

    articles: list[Article]
    predictions: list[Article]
    annotated_labels: AnnotatedLabels
    tables: dict[TaskName, LabelTable]
    unpredictable: Counter[tuple[str, str]]
    decodable: list[Prediction] | None = None
    from_gold: list[Article] | None = None

    def tasks(self, scores: str) -> list[Task]:
        """Tasks of one kind that can be scored: ``spans`` or ``labels``."""
        return [task for task in TASKS if task.scores == scores and task.name in self.annotated_labels]


def run(
    tagger: Tagger, articles: Iterable[Article], annotated_labels: AnnotatedLabels, *, keep_logits: bool = False
) -> Evaluation:
    """Tag annotated articles.

    Args:
        tagger: to be evaluated.
        articles: gold; their sentences are kept.
        annotated_labels: labels that the data set annotated; tasks that the tagger cannot decide are left out.
        keep_logits: keep what `rescore` needs, some kilobytes per article.
    """
    tasks = tasks_of(tagger.settings.spans)
    maker = target_maker(tagger.settings.scheme, tasks)
    heads = heads_of(tagger.settings.tasks)
    annotated: dict[TaskName, tuple[str, ...]] = {
        task: labels for task, labels in annotated_labels.items() if task in heads
    }
    golds = list(articles)
    predictions: list[Article] = []
    from_gold: list[Article] | None = [] if "arguments" in annotated else None
    decodable: list[Prediction] = []
    tables: dict[TaskName, list[LabelTable]] = {}
    unpredictable: Counter[tuple[str, str]] = Counter()
    predicted = track(tagger.predict(golds), "tagging", len(golds))
    for number, (article, prediction) in enumerate(zip(golds, predicted, strict=True)):
        targets = maker.make(article, prediction.encoded, annotated)
        unpredictable.update(targets.unpredictable)
        predictions.append(prediction.article)
        if from_gold is not None:
            from_gold += decode_arguments([replace(prediction, article=article)], tagger.settings)
        if keep_logits:
            decodable.append(prediction)
        for task in tasks:
            if task.name in annotated and task.rows is not None:
                part = task.rows(targets, prediction, heads[task.name])
                if part is not None:
                    groups = np.full(len(part.logits), number)
                    table = LabelTable(logits=part.logits, gold=part.gold, annotated=part.annotated, groups=groups)
                    tables.setdefault(task.name, []).append(table)
    return Evaluation(
        articles=golds,
        predictions=predictions,
        annotated_labels=annotated,
        tables={task: _joined(parts) for task, parts in tables.items()},
        unpredictable=unpredictable,
        decodable=decodable if keep_logits else None,
        from_gold=from_gold,
    )


def _joined(tables: Sequence[LabelTable]) -> LabelTable:
    return LabelTable(
        **{item.name: np.concatenate([getattr(table, item.name) for table in tables]) for item in fields(LabelTable)}
    )


def rescore(evaluation: Evaluation, settings: Settings) -> Evaluation:
    """Decode again with other thresholds, temperatures or transitions, without running the network.

    Args:
        evaluation: made by `run` with ``keep_logits``.
        settings: of the same network. The logits of an n-gram model are in the stored logits; its weight cannot change.

    Raises:
        ValueError: the logits were not kept.
    """
    if evaluation.decodable is None:
        raise ValueError("the logits were not kept: call run with keep_logits=True")
    from_gold = evaluation.from_gold
    if from_gold is not None:
        pairs = zip(evaluation.decodable, evaluation.articles, strict=True)
        from_gold = decode_arguments([replace(one, article=article) for one, article in pairs], settings)
    return replace(evaluation, predictions=decode(evaluation.decodable, settings), from_gold=from_gold)


def calibrate(settings: Settings, evaluations: Sequence[Evaluation]) -> Settings:
    """Settings with temperatures and thresholds fitted on dev.

    Temperatures come first, since thresholds are probabilities. A label with few positives takes the threshold that is
    best for all labels together (`tune_thresholds`).
    """
    temperatures, thresholds = dict(settings.temperatures), dict(settings.thresholds)
    for task in tasks_of(settings.spans):
        tables = [evaluation.tables[task.name] for evaluation in evaluations if task.name in evaluation.tables]
        if not tables or task.name not in settings.tasks:
            continue
        table = _joined(tables)
        if task.exclusive:
            if len(table.gold):
                temperatures[task.name] = round(fit_softmax_temperature(table.logits, table.gold.argmax(axis=1)), 4)
            continue
        temperatures[task.name] = round(fit_temperature(table.logits, table.gold, table.annotated), 4)
        tuned = tune_thresholds(table.gold, sigmoid(table.logits / temperatures[task.name]), table.annotated)
        thresholds[task.name] = tuple(float(f"{value:.4g}") for value in tuned)
    return replace(settings, temperatures=temperatures, thresholds=thresholds)


def spans(evaluation: Evaluation, task: Task) -> tuple[list[set[LabeledSpan]], list[set[LabeledSpan]]]:
    """Gold and predicted spans of every article: of annotated labels only, widened to tokens if gold is on tokens."""
    assert task.spans is not None
    gold, predicted = [], []
    for article, prediction in zip(evaluation.articles, evaluation.predictions, strict=True):
        labels = set(annotated_labels_of(article, evaluation.annotated_labels)[task.name])
        gold.append({span for span in task.spans(article) if span[2] in labels})
        snapped = snap_to_tokens(task.spans(prediction), article.tokens)
        predicted.append({span for span in snapped if span[2] in labels})
    return gold, predicted


def score_table(evaluation: Evaluation, task: Task, settings: Settings) -> LabelScores:
    """Scores of a task that predicts labels, with the thresholds of the settings."""
    table = evaluation.tables[task.name]
    head = heads_of(settings.tasks)[task.name]
    probabilities = sigmoid(table.logits / settings.temperature(head))
    predicted = probabilities >= settings.threshold(head)
    labels = task.labels(settings.scheme)
    return score_labels(table.gold, probabilities, predicted, table.annotated, labels, groups=table.groups)


def headline(evaluations: Sequence[Evaluation], settings: Settings) -> dict[str, float]:
    """The scores that a training run watches: micro F1 and average precision of every task, and the mean of the F1s.

    Data sets of one task are counted together. Proclitics have no score of their own: they count in the F1 of entities
    and triggers.
    """
    scores: dict[str, float] = {}
    for task in TASKS:
        parts = [evaluation for evaluation in evaluations if task in evaluation.tasks(task.scores or "")]
        if not parts:
            continue
        if task.scores == "spans":
            pairs = [spans(evaluation, task) for evaluation in parts]
            gold = [article for pair in pairs for article in pair[0]]
            predicted = [article for pair in pairs for article in pair[1]]
            scores[f"{task.name}.f1"] = count_exact(gold, predicted, task.labels(settings.scheme)).score("f1")
        else:
            tables = [score_table(evaluation, task, settings) for evaluation in parts if task.name in evaluation.tables]
            if tables:
                correct, spurious, missed = np.sum([table.counts.total.sum(axis=0) for table in tables], axis=0)
                scores[f"{task.name}.f1"] = float(2 * correct / max(1, 2 * correct + spurious + missed))
                values = [table.macro_average_precision for table in tables]
                scores[f"{task.name}.ap"] = float(np.nanmean(values)) if not np.all(np.isnan(values)) else 0.0
    if parts := [evaluation for evaluation in evaluations if "arguments" in evaluation.annotated_labels]:
        sets = [argument_sets(part.articles, part.predictions, part.annotated_labels) for part in parts]
        gold, predicted = ([found for pair in sets for found in pair[side]] for side in (0, 1))
        scores["arguments.f1"] = count_exact(gold, predicted, settings.scheme.labels("arguments")).score("f1")
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
        tagger: to be evaluated.
        articles: gold.
        annotated_labels: labels that the data set annotated.
        bundle: name of the tagger in the report.
        data: name of the data set in the report.
        bootstrap: of the intervals.
    """
    evaluation = run(tagger, articles, annotated_labels)
    return report_of(evaluation, tagger.settings, bundle=bundle, data=data, bootstrap=bootstrap)


def report_of(
    evaluation: Evaluation, settings: Settings, *, bundle: str, data: str, bootstrap: Bootstrap | None = None
) -> Report:
    """The report of a tagged data set; arguments are those of `evaluate`."""
    bootstrap = bootstrap or Bootstrap()
    golds = evaluation.articles
    scores: list[Score] = []
    counts: dict[str, Counts] = {}
    notes: list[str] = []
    errors: list[FrequentError] = []
    if any(article.tokens for article in golds):
        notes.append("Gold is whole tokens: a predicted span was widened to every token that it overlaps.")
    for task in evaluation.tasks("spans"):
        gold, predicted = spans(evaluation, task)
        result = score_spans(gold, predicted, task.labels(settings.scheme))
        scores += span_scores(result, task=task.name, bootstrap=bootstrap)
        counts[f"{task.name}/strict"] = result["strict"]
        errors += frequent_errors(golds, gold, predicted, task=task.name)
        if task.exclusive:
            more, why = flat_readings(golds, gold, predicted, task.labels(settings.scheme), task.name, bootstrap)
            scores += more
            notes += why
    if "arguments" in evaluation.annotated_labels and evaluation.from_gold is not None:
        for prefix, predictions in (("", evaluation.predictions), (GIVEN, evaluation.from_gold)):
            gold, predicted = argument_sets(golds, predictions, evaluation.annotated_labels)
            result = score_arguments(golds, gold, predicted, settings.scheme)
            scores += argument_scores(result, bootstrap=bootstrap, prefix=prefix)
            counts |= {f"arguments/{prefix}{mode}": result[mode] for mode in result if mode not in BREAKDOWNS}
            if prefix == GIVEN:  # errors of the argument head alone
                errors += frequent_argument_errors(golds, gold, predicted)
    for task in evaluation.tasks("labels"):
        result = score_table(evaluation, task, settings)
        scores += label_scores(result, task=task.name, bootstrap=bootstrap)
        counts[f"{task.name}/decision"] = result.counts
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
        bootstrap=bootstrap,
        scores=tuple(scores),
        counts=counts,
        unpredictable={f"{task}: {cause}": number for (task, cause), number in evaluation.unpredictable.items()},
        notes=tuple(notes),
        errors=tuple(errors),
    )
