"""The report of an evaluation: scores with metric, averaging and mode, and the counts that they come from."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import renamed
from ..data.articles import Article
from ..errors import RasidError
from .counts import Counts
from .errors import FrequentError

FORMAT = 1
"""Version of the JSON form; increased if an older reader would misread it."""

HEADLINE = frozenset(
    {
        *((mode, "f1") for mode in ("strict", "outermost", "iob2", "decision", "arg_c+", "gold_arg_c+")),
        ("ranking", "average_precision"),
    }
)
"""(mode, metric) of the scores that are shown first: in the terminal, in a card, and when reports are compared."""


class ReportError(RasidError, ValueError):
    """A report that cannot be read, or a score that it does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bootstrap:
    """Settings of the percentile bootstrap over articles, which gives the intervals."""

    samples: int = 1000
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One score.

    Attributes:
        task: as in ``"entities"``.
        metric: ``precision``, ``recall``, ``f1``, ``average_precision`` or ``expected_calibration_error``.
        mode: what counts as right: a mode of spans or of arguments; ``decision`` for labels above their threshold,
            ``ranking`` for their order by probability, ``probability`` for the probabilities themselves.
        averaging: how labels were averaged; None for the score of one label.
        label: None for an average.
        value: from 0 to 1; None without gold and prediction.
        low, high: confidence interval, or None.
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
        bundle: name of the tagger.
        data: name of the data set.
        data_hash: of its articles and gold (`data_hash`). Scores with different hashes cannot be compared.
        articles: number of articles.
        scheme: name of the label scheme, and of the tag scheme where gold was read from tags (``"anercorp, IOB2"``).
        created: date and time.
        version: of rasid.
        bootstrap: of the intervals.
        scores: all of them.
        counts: ``"task/mode"`` → counts per article, to compare two reports.
        unpredictable: cause → number of gold mentions that no prediction can equal; they count as missed.
        notes: how spans were compared, for a reader (widening to tokens, annotated labels, …).
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
    errors: tuple[FrequentError, ...] = ()

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
        """JSON with keys in a fixed order and a line per score; `from_json` reads it."""
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
        """Read the JSON of `to_json`.

        Raises:
            ReportError: it is not a report, or has another format.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("format") != FORMAT:
                raise ReportError(f"this report is not of format {FORMAT}; evaluate again with this version of rasid")
            content["bootstrap"] = Bootstrap(**content["bootstrap"])
            content["scores"] = tuple(Score(**score) for score in content["scores"])
            content["errors"] = tuple(FrequentError(**error) for error in content["errors"])
            content["counts"] = {entry.pop("of"): _dense(**entry) for entry in content["counts"]}
            content["notes"] = tuple(content["notes"])
            return cls(**content)
        except ReportError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ReportError(f"not a report of rasid: {type(error).__name__}: {error}") from error


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # Broken input may contain a lone surrogate, which has no UTF-8 form. JSON can escape it.
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


def data_hash(articles: Iterable[Article]) -> str:
    """Hash of a data set, 16 hexadecimal digits.

    SHA-256 over canonical JSON of each article's id, text, tokens, annotated labels and gold, in the order of the
    articles. The order of annotations within an article, ids of mentions, scores and metadata make no difference.
    """
    # Keys and tasks have the names of version 0.1, so that its reports can be compared with new ones.
    old_tasks = {new: old for old, new in renamed.TASKS.items()}
    digest = hashlib.sha256()
    for article in articles:
        where = {entity.id: [entity.start, entity.end] for entity in article.entities if entity.id}
        content = {
            "id": article.id,
            "text": article.text,
            "tokens": article.tokens,
            "judged": {old_tasks.get(task, task): sorted(labels) for task, labels in article.annotated.items()},
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
            "event_types": sorted(article.event_types),
            "sentences": sorted(
                [sentence.start, sentence.end, sorted(sentence.types)] for sentence in article.sentences
            ),
        }
        digest.update(json.dumps(content, sort_keys=True).encode("ascii") + b"\n")
    return digest.hexdigest()[:16]
