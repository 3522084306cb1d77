"""Auditing annotated articles: annotation errors, duplicates, rare labels, and text that the encoder cannot read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ..data.datasets import DataSet
from ..data.labels import LabelScheme
from . import arguments, balance, consistency, duplicates, letters, problem_log, spans, texts
from .agreement import Versions, annotator_agreement
from .article_views import ArticleView, make_views
from .findings import Audit, Finding, Location, Severity
from .label_issues import BundleJudge, label_issues
from .misplaced import LanguageModelJudge
from .subwords import EncoderJudge

__all__ = [
    "Audit",
    "BundleJudge",
    "EncoderJudge",
    "Finding",
    "Judge",
    "LanguageModelJudge",
    "Location",
    "audit",
    "label_issues",
]

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}
_CHECKS = (
    spans.duplicate_spans,
    duplicates.duplicate_articles,
    texts.damaged_text,
    letters.visual_order,
    letters.single_letters,
    spans.spans_inside_words,
    spans.spans_across_sentences,
    spans.bad_edges,
    letters.invisible_edges,
    spans.overlapping_spans,
    consistency.ambiguous_surfaces,
    consistency.unlabeled_occurrences,
    arguments.missing_roles,
    texts.split_clitics,
    texts.long_sentences,
    duplicates.mentions_in_train,
)


class Judge(Protocol):
    """A source of findings beyond the data: a tokenizer, trained taggers, or a language model."""

    def findings(self, datasets: Mapping[str, DataSet], views: Sequence[ArticleView]) -> Iterator[Finding]:
        """The judge's findings about all data sets.

        Args:
            datasets: name → data set.
            views: their articles.
        """
        ...


def audit(
    datasets: Mapping[str, DataSet],
    *,
    name: str = "",
    scheme: LabelScheme | None = None,
    files: Mapping[str, Sequence[str]] | None = None,
    judges: Sequence[Judge] = (),
    versions: Mapping[str, Versions] | None = None,
) -> Audit:
    """Check annotated articles for everything that may be wrong with them.

    Args:
        datasets: name → data set with the log of its reading. A name that starts with train, dev (valid) or test gives
            the role of the data set. Articles must be valid by themselves (`check_article`), but may have labels that
            the scheme lacks. A data set without ``annotated_labels`` counts as annotated for its mentions, triggers and
            arguments.
        name: config or path, for the report.
        scheme: the labels that are allowed; None allows all.
        files: name → file and line of each article; None takes the source of the data set's log.
        judges: their findings are added.
        versions: name → articles of each annotator, for data sets that several people annotated.
    """
    views = make_views(datasets, files)
    labels = balance.count_labels(views, datasets)
    findings = [
        *problem_log.reading_problems(datasets),
        *problem_log.duplicate_ids(views),
        *annotator_agreement(versions or {}),
        *balance.unknown_labels(views, scheme),
        *balance.rare_labels(labels, datasets),
        *balance.missing_labels(labels, datasets),
        *balance.articles_without_annotation(views),
        *arguments.arguments_outside_scheme(views, scheme),
        *arguments.unusual_arguments(views, scheme),
        *(finding for check in _CHECKS for finding in check(views)),
        *(finding for judge in judges for finding in judge.findings(datasets, views)),
    ]
    return Audit(
        name=name,
        splits=balance.count_totals(views, list(datasets)),
        labels=labels,
        findings=sorted(findings, key=lambda finding: _ORDER[finding.severity]),
        notes=problem_log.reading_notes(datasets),
    )
