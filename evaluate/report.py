"""The report of an evaluation: scores that say what they are, with the counts behind them."""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..data.articles import Article
from ..errors import RasidError
from .classification import LabelScores, expected_calibration_error
from .counts import AVERAGINGS, METRICS, Counts, average, rate
from .errors import MentionError
from .headline import HEADLINE
from .significance import percentile_interval, resample, resample_average_precision
from .spans import ANY_LABEL, MODES, SpanScores

FORMAT = 1
"""Version of the JSON form; raised when an older reader would misread it."""


class ReportError(RasidError, ValueError):
    """A report that cannot be read, or a score that it does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bootstrap:
    """How intervals are made: percentile bootstrap over articles."""

    samples: int = 1000
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One number and what it is.

    Attributes:
        task: what was predicted (``"entities"``).
        metric: ``precision``, ``recall``, ``f1``, ``average_precision`` or ``expected_calibration_error``.
        mode: when a prediction is right: a mode of spans; ``decision`` for labels above their threshold, ``ranking``
            for their order by probability, ``probability`` for the probabilities themselves.
        averaging: how labels were averaged; None for the score of one label.
        label: None for an average.
        value: from 0 to 1; None where there was nothing to measure.
        low, high: confidence interval; None where there is none.
        gold, predicted, correct: counts of the decisions, summed over labels for an average.
    """

    task: str
    metric: str
    mode: str
    averaging: str | None = None
    label: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    gold: int | None = None
    predicted: int | None = None
    correct: int | None = None

    @property
    def name(self) -> str:
        """Task, mode, averaging or label, and metric: ``"entities/strict/micro/f1"``."""
        return f"{self.task}/{self.mode}/{self.label or self.averaging}/{self.metric}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """An evaluation of one bundle on one data set.

    Attributes:
        bundle: name of what was evaluated.
        data: name of the data set.
        data_hash: of its articles and gold (`data_hash`); scores of different hashes are not comparable.
        articles: number of articles.
        scheme: name of the label scheme, and of the tag scheme where gold was read from tags (``"anercorp, IOB2"``).
        created: date and time, as given.
        version: of rasid.
        bootstrap: how intervals were made.
        scores: all of them.
        counts: ``"task/mode"`` → counts per article, from which two reports can be compared.
        unpredictable: cause → number of gold mentions that the model could not have predicted; they count as missed.
        notes: policies that a reader must know (snapping, annotated labels, …).
        errors: the most frequent errors.
    """

    bundle: str
    data: str
    data_hash: str
    articles: int
    scheme: str
    created: str
    version: str = ""
    bootstrap: Bootstrap = Bootstrap()
    scores: tuple[Score, ...] = ()
    counts: Mapping[str, Counts] = field(default_factory=dict)
    unpredictable: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    errors: tuple[MentionError, ...] = ()

    def score(
        self, task: str, metric: str = "f1", *, mode: str = "strict", averaging: str = "micro", label: str | None = None
    ) -> Score:
        """One score.

        Raises:
            ReportError: the report does not have it.
        """
        name = Score(task=task, metric=metric, mode=mode, averaging=averaging, label=label).name
        for score in self.scores:
            if score.name == name and score.label == label:
                return score
        have = ", ".join(score.name for score in self.scores if score.task == task and score.label is None)
        raise ReportError(f"no score {name!r} in the report of {self.bundle!r}; {task} has: {have or 'none'}")

    def headline(self, *averagings: str) -> list[Score]:
        """The headline scores with these averagings, without those that are undefined."""
        return [
            score
            for score in self.scores
            if score.averaging in averagings and (score.mode, score.metric) in HEADLINE and score.value is not None
        ]

    def to_json(self) -> str:
        """JSON with keys in a fixed order and a score a line; `from_json` gives an equal report back."""
        content = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        content["bootstrap"] = dataclasses.asdict(self.bootstrap)
        content["counts"] = [{"of": name, **_sparse(self.counts[name])} for name in sorted(self.counts)]
        content["unpredictable"] = {cause: self.unpredictable[cause] for cause in sorted(self.unpredictable)}
        for name in ("scores", "errors"):
            content[name] = [dataclasses.asdict(item) for item in content[name]]
        lines = [f' "format": {FORMAT}']
        for key, value in content.items():
            if key in ("scores", "errors", "counts"):
                rows = ",".join(f"\n  {_dump(row)}" for row in value)
                lines.append(f' "{key}": [{rows}\n ]')
            else:
                lines.append(f' "{key}": {_dump(value)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Read what `to_json` wrote.

        Raises:
            ReportError: it is not such a report, or one of another format.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("format") != FORMAT:
                raise ReportError(f"this report is not of format {FORMAT}; evaluate again with this version of rasid")
            content["bootstrap"] = Bootstrap(**content["bootstrap"])
            content["scores"] = tuple(Score(**score) for score in content["scores"])
            content["errors"] = tuple(MentionError(**error) for error in content["errors"])
            content["counts"] = {entry.pop("of"): _dense(**entry) for entry in content["counts"]}
            content["notes"] = tuple(content["notes"])
            return cls(**content)
        except ReportError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ReportError(f"not a report of rasid: {type(error).__name__}: {error}") from error


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # A lone surrogate, which broken input may hold, has no UTF-8 form; JSON can still escape it.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _sparse(counts: Counts) -> dict[str, Any]:
    articles, columns = np.nonzero(counts.table.any(axis=-1))
    cells = np.column_stack([articles, columns, counts.table[articles, columns]])
    return {"labels": list(counts.labels), "articles": len(counts.table), "cells": cells.tolist()}


def _dense(*, labels: Sequence[str], articles: int, cells: Sequence[Sequence[int]]) -> Counts:
    table = np.zeros((articles, len(labels), 3), np.int64)
    for article, column, *outcome in cells:
        table[article, column] = outcome
    return Counts(labels=tuple(labels), table=table)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _filled(what: Score, value: float, drawn: np.ndarray, bootstrap: Bootstrap, outcome: np.ndarray) -> Score:
    """A score with its value, its interval from resampled values, and the counts [3] behind it."""
    interval = percentile_interval(drawn, bootstrap.level)
    tp, fp, fn = (int(count) for count in outcome)
    return replace(
        what,
        value=_number(value),
        low=_number(interval.low),
        high=_number(interval.high),
        gold=tp + fn,
        predicted=tp + fp,
        correct=tp,
    )


def count_scores(counts: Counts, *, task: str, mode: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """Precision, recall and F1 of counts: micro, macro, and of each label; intervals from one set of resamples."""
    total = counts.total  # [K, 3]
    drawn = resample(counts.table, samples=bootstrap.samples, seed=bootstrap.seed)  # [S, K, 3]
    labeled = counts.labels != (ANY_LABEL,)
    averages = [
        _filled(
            Score(task=task, metric=metric, mode=mode, averaging=averaging),
            float(average(total, metric, averaging)),
            average(drawn, metric, averaging),
            bootstrap,
            total.sum(axis=0),
        )
        for averaging in (AVERAGINGS if labeled else AVERAGINGS[:1])
        for metric in METRICS
    ]
    by_label = [
        _filled(
            Score(task=task, metric=metric, mode=mode, label=label),
            float(rate(total[column], metric)),
            rate(drawn[:, column], metric),
            bootstrap,
            total[column],
        )
        for column, label in enumerate(counts.labels if labeled else ())
        for metric in METRICS
    ]
    return (*averages, *by_label)


def span_scores(scores: SpanScores, *, task: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """The scores of spans in every mode."""
    return tuple(
        score for mode in MODES for score in count_scores(scores.mode(mode), task=task, mode=mode, bootstrap=bootstrap)
    )


def label_scores(scores: LabelScores, *, task: str, bootstrap: Bootstrap) -> tuple[Score, ...]:
    """The scores of a multi-label classifier: of its decisions, its ranking, and its probabilities."""
    labels, annotated, articles = scores.counts.labels, scores.annotated, len(scores.counts.table)

    def drawn(cells: np.ndarray) -> np.ndarray:
        return resample_average_precision(
            scores.gold[cells],
            scores.probabilities[cells],
            scores.groups[np.nonzero(cells)[0]],
            articles,
            samples=bootstrap.samples,
            seed=bootstrap.seed,
        )

    ranking = Score(task=task, metric="average_precision", mode="ranking")
    outcome = scores.counts.total  # [K, 3]
    columns = [drawn(annotated & (np.arange(len(labels)) == column)) for column in range(len(labels))]
    by_label = np.array(columns).reshape(len(labels), -1)  # [K, S]
    defined = (~np.isnan(by_label)).sum(axis=0)
    macro = np.divide(np.nansum(by_label, axis=0), defined, out=np.full(len(defined), np.nan), where=defined > 0)
    averages = (
        ("micro", scores.micro_average_precision, drawn(annotated)),
        ("macro", scores.macro_average_precision, macro),
    )
    ranked = [
        _filled(replace(ranking, averaging=how), value, resampled, bootstrap, outcome.sum(axis=0))
        for how, value, resampled in averages
    ]
    ranked += [
        _filled(replace(ranking, label=label), scores.average_precision[k], by_label[k], bootstrap, outcome[k])
        for k, label in enumerate(labels)
    ]
    calibration = _filled(
        Score(task=task, metric="expected_calibration_error", mode="probability", averaging="micro"),
        expected_calibration_error(scores.probabilities, scores.gold, annotated),
        np.empty(0),  # binned errors are biased upwards under resampling: no interval
        bootstrap,
        outcome.sum(axis=0),
    )
    return (*count_scores(scores.counts, task=task, mode="decision", bootstrap=bootstrap), *ranked, calibration)


def data_hash(articles: Iterable[Article]) -> str:
    """What a score was measured on, in 16 hexadecimal digits.

    SHA-256 over canonical JSON of each article's id, text, tokens, annotated labels and gold, in the order of the
    articles. The order of annotations in an article and the ids of mentions make no difference; probabilities and
    metadata neither.
    """
    digest = hashlib.sha256()
    for article in articles:
        where = {entity.id: [entity.start, entity.end] for entity in article.entities if entity.id}
        content = {
            "id": article.id,
            "text": article.text,
            "tokens": article.tokens,
            "annotated": {task: sorted(labels) for task, labels in article.annotated.items()},
            "entities": sorted((entity.start, entity.end, entity.label) for entity in article.entities),
            "events": sorted(
                [
                    event.trigger.start,
                    event.trigger.end,
                    sorted(event.types),
                    sorted([argument.role, where.get(argument.entity, [])] for argument in event.arguments),
                ]
                for event in article.events
            ),
            "article_types": sorted(article.event_types),
            "sentences": sorted(
                [sentence.start, sentence.end, sorted(sentence.types)] for sentence in article.sentences
            ),
        }
        digest.update(json.dumps(content, sort_keys=True).encode("ascii") + b"\n")
    return digest.hexdigest()[:16]
