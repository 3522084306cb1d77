"""Auditing annotated articles: what is wrong, what is rare, what an encoder would lose, what was likely mislabeled."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..data.datasets import DataSet
from ..data.labels import LabelScheme
from . import balance, consistency, duplicates, reading, spans, texts
from .encoder import encoder_findings
from .findings import Audit, Finding, Location, Severity
from .label_issues import label_issue_finding, label_issues
from .misplaced import misplaced_findings
from .views import View, make_views

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from ..inference import Tagger
    from .language_model import LanguageModel

__all__ = ["MOST_LABEL_ISSUES", "Audit", "Finding", "Location", "audit", "label_issues"]

MOST_LABEL_ISSUES = 200  # that are listed: some hours of review

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


def audit(
    datasets: Mapping[str, DataSet],
    *,
    name: str = "",
    scheme: LabelScheme | None = None,
    tokenizer: "Tokenizer | None" = None,
    window: int = 512,
    overlap: int = 128,
    minimum_positives: int = 10,
    tagger: "Tagger | None" = None,
    most_label_issues: int = MOST_LABEL_ISSUES,
    language_model: "LanguageModel | None" = None,
    most_misplaced: int = 200,
    sources: Mapping[str, Sequence[str]] | None = None,
    more: Sequence[Finding] = (),
) -> Audit:
    """Look for everything that may be wrong with annotated articles.

    Args:
        datasets: name → data set, whose log tells what reading did. Names that start with train, dev (valid) or
            test say what a data set is for. Articles must be valid by themselves (`check_article`), but may have
            labels that the scheme lacks. A data set without annotated_labels is taken to judge what occurs in it.
        name: of the config or path, for the report.
        scheme: labels that there should be; None takes whatever occurs.
        tokenizer: of the encoder; None leaves out what depends on it.
        window: sub-words that the encoder reads at once.
        overlap: sub-words that neighboring windows share.
        minimum_positives: in dev, below which a label gets no threshold of its own (see `tune_thresholds`).
        tagger: ranks annotation by its loss; None leaves that out.
        most_label_issues: how many of them are listed.
        language_model: looks for words that do not belong where they stand; None leaves that out.
        most_misplaced: how many of them are listed.
        sources: name → the file of each article; None takes the source of the log.
        more: findings from elsewhere that belong to the audit.

    Raises:
        ValueError: window and overlap do not go together.
    """
    views = make_views(datasets, sources)
    labels = balance.count_labels(views, datasets)
    findings = [
        *reading.left_out(datasets),
        *reading.mended(datasets),
        *reading.repeated_ids(views),
        *balance.unknown_labels(views, scheme),
        *balance.rare_labels(labels, datasets, minimum=minimum_positives),
        *balance.missing_labels(labels, datasets),
        *balance.bare_articles(views),
        *_of_views(views),
        *more,
    ]
    if tokenizer is not None:
        findings += encoder_findings(views, tokenizer, window=window, overlap=overlap)
    if tagger is not None:
        locations = [
            location
            for split, dataset in datasets.items()
            for location in label_issues(
                tagger,
                dataset.articles,
                dataset.annotated_labels or _all_tasks(tagger, views, split),
                split=split,
                source=dataset.log.source,
            )
        ]
        findings += label_issue_finding(locations, limit=most_label_issues, held_out=False)
    if language_model is not None:
        findings += misplaced_findings(views, language_model, most=most_misplaced)
    return Audit(
        name=name,
        splits=balance.count_sums(views, list(datasets)),
        labels=labels,
        findings=sorted(findings, key=lambda found: _ORDER[found.severity]),
    )


def _of_views(views: Sequence[View]) -> Iterator[Finding]:
    checks = (
        spans.repeated_spans,
        duplicates.duplicate_articles,
        texts.damaged_text,
        spans.spans_inside_words,
        spans.spans_across_sentences,
        spans.bad_edges,
        spans.overlapping_spans,
        consistency.ambiguous_surfaces,
        consistency.unlabeled_occurrences,
        texts.split_clitics,
        texts.long_sentences,
        duplicates.known_mentions,
    )
    for check in checks:
        yield from check(views)


def _all_tasks(tagger: "Tagger", views: Sequence[View], split: str) -> dict:
    """What a file without annotated_labels judges: the kinds of spans in it, with all labels that the tagger has."""
    tasks = {task for view in views if view.split == split for task in view.annotated}
    return {task: tagger.settings.scheme.labels(task) for task in ("entities", "triggers") if task in tasks}
