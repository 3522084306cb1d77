"""A report as Markdown."""

from collections.abc import Callable, Iterable, Sequence

from ..models.tasks import TASKS
from .report import Report, Score

TITLES = {task.name: task.title for task in TASKS}
METRIC_NAMES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
    "expected_calibration_error": "expected calibration error",
}
MODE_NAMES = {
    "strict": "Right means exact extent and label.",
    "overlap": "overlap: same label, any overlap, one to one",
    "type_blind": "type-blind: exact extent, any label",
    "decision": "Right means that the label is predicted and in gold; average precision is of the ranking.",
    "probability": "probability: of all annotated labels",
    "outermost": "exact, mentions inside others left out",
    "inner": "exact, mentions inside others alone",
    "iob2": "exact, gold read as strict IOB2",
    "seqeval": "exact, computed by the library seqeval",
    "arg_c+": "Right means exact trigger, event type, exact mention and role (Arg-C+).",
    "arg_c": "Arg-C: any trigger of the event type",
    "arg_i+": "Arg-I+: any role",
    "arg_i": "Arg-I: any role, any trigger of the event type",
    "distance": "Arg-C+ by the number of sentences from trigger to mention.",
    "event_type": "Arg-C+ by event type.",
    "gold_arg_c+": "With the entities and triggers of gold:",
    "gold_arg_c": "gold entities and triggers, Arg-C",
    "gold_arg_i+": "gold entities and triggers, Arg-I+",
    "gold_arg_i": "gold entities and triggers, Arg-I",
    "gold_distance": "With the entities and triggers of gold, by the number of sentences from trigger to mention:",
    "gold_event_type": "With the entities and triggers of gold, by event type:",
}
LABEL_NAMES = {
    "gold_arg_c+": "label",
    "distance": "sentences",
    "gold_distance": "sentences",
    "event_type": "event type",
    "gold_event_type": "event type",
}
"""Modes that have a table of their own, as the first mode of a task has, and what their labels are."""
AVERAGE_NAMES = {
    "micro": "micro",
    "macro": "macro, over labels in gold",
    "macro-seen": "macro, over labels in gold or prediction (seqeval's)",
}


def to_markdown(report: Report) -> str:
    """The report as GitHub-flavored Markdown: metadata, a section per task, and the errors."""
    bootstrap = report.bootstrap
    about = {
        "data": f"{report.data}, {report.articles} articles, hash `{report.data_hash}`",
        "scheme": report.scheme,
        "created": report.created,
        "rasid": report.version,
    }
    lines = [f"# {_escape(report.bundle)} on {_escape(report.data)}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_escape(value)} |" for name, value in about.items() if value]
    lines += [
        "",
        f"Scores are percentages. In brackets: {100 * bootstrap.level:g} % intervals, percentile bootstrap over "
        f"articles ({bootstrap.samples} resamples, seed {bootstrap.seed}). A dash: undefined.",
    ]
    lines += ["", *(f"- {_escape(note)}" for note in report.notes)] if report.notes else []
    tasks = {score.task for score in report.scores}
    for task in [*(task for task in TITLES if task in tasks), *sorted(tasks.difference(TITLES))]:
        lines += ["", f"## {TITLES.get(task, task)}", *_section([s for s in report.scores if s.task == task])]
    if report.unpredictable:
        lines += ["", "## Gold that the model cannot predict", "", "Counted as missed above.", ""]
        lines += _table(("cause", "mentions"), sorted(report.unpredictable.items()))
    if report.errors:
        lines += ["", "## Most frequent errors", ""]
        lines += _table(
            ("task", "error", "label", "mention", "times", "before", "after", "article"),
            (
                (e.task, e.kind, " → ".join(filter(None, (e.label, e.predicted_label))), e.text)
                + (e.count, e.before, e.after, e.article)
                for e in report.errors
            ),
        )
    return "\n".join(lines) + "\n"


def _section(scores: Sequence[Score]) -> list[str]:
    """The first mode in full, with the ranking; micro averages of the others; those of `LABEL_NAMES` in full."""
    main = scores[0].mode
    lines = _mode_in_full(main, [score for score in scores if score.mode in (main, "ranking")])
    apart = {main, "ranking", *LABEL_NAMES}
    if others := [score for score in scores if score.mode not in apart and score.averaging == "micro"]:
        lines += ["", *_score_table(others, "other ways to count, micro", lambda score: MODE_NAMES[score.mode])]
    for mode in LABEL_NAMES:
        if of_mode := [score for score in scores if score.mode == mode]:
            lines += _mode_in_full(mode, of_mode)
    return lines


def _mode_in_full(mode: str, scores: Sequence[Score]) -> list[str]:
    """What counts as right, a row for each label that occurs and for each average, and the other labels."""
    measured = [score for score in scores if score.label is None or score.value is not None]
    silent = sorted({score.label or "" for score in scores} - {score.label or "" for score in measured})
    rows = _score_table(measured, LABEL_NAMES.get(mode, "label"), _row_name)
    lines = ["", MODE_NAMES.get(mode, mode), "", *rows]
    return [*lines, "", f"Neither in gold nor predicted: {', '.join(map(_escape, silent))}."] if silent else lines


def _row_name(score: Score) -> str:
    return score.label or f"**{AVERAGE_NAMES[str(score.averaging)]}**"


def _score_table(scores: Sequence[Score], title: str, name_of: Callable[[Score], str]) -> list[str]:
    metrics = [metric for metric in METRIC_NAMES if any(score.metric == metric for score in scores)]
    rows: dict[str, dict[str, Score]] = {}
    for score in sorted(scores, key=lambda score: score.label is None):  # averages last
        rows.setdefault(name_of(score), {})[score.metric] = score
    body = []
    for name, row in rows.items():
        first = next(iter(row.values()))
        counts = [_count(count) for count in (first.gold, first.predicted, first.correct)]
        body.append([name, *counts, *(_percent(row.get(metric)) for metric in metrics)])
    return _table((title, "gold", "predicted", "correct", *(METRIC_NAMES[metric] for metric in metrics)), body)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return lines + [f"| {' | '.join(_escape(str(cell)) for cell in row)} |" for row in rows]


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)


def _percent(score: Score | None) -> str:
    if score is None or score.value is None:
        return "–"
    text = f"{100 * score.value:.1f}"
    return text if score.low is None or score.high is None else f"{text} [{100 * score.low:.1f}–{100 * score.high:.1f}]"


def _escape(text: str) -> str:
    """Text for one cell: no line breaks, which would end the table, and no bar, which would end the cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
