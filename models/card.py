"""The model card of a bundle: how it was trained, its scores, and its limits."""

from collections.abc import Mapping
from typing import Any

from .bundle import Settings


def model_card(name: str, settings: Settings, reports: Mapping[str, Any]) -> str:
    """Markdown of the card.

    Args:
        name: of the run.
        settings: of the bundle.
        reports: name of a data set → its `evaluate.report.Report`.
    """
    trained = settings.trained
    lines = [
        f"# {name}",
        "",
        "A tagger for Arabic news articles, made with [rasid](https://pypi.org/project/rasid/).",
        "",
        "```python",
        "from rasid import Tagger",
        'tagger = Tagger.from_pretrained("path/to/this/folder")',
        'article = tagger("واشنطن ترسل مساعدات عسكرية إلى سوريا")',
        "```",
        "",
        f"- Encoder: {settings.encoder}; windows of {settings.window} sub-words with {settings.overlap} shared",
        f"- Tasks: {', '.join(settings.tasks)}; label scheme `{settings.scheme.name}`",
        f"- Trained on {trained.get('device', 'unknown hardware')}, seed {trained.get('seed')}, "
        f"{trained.get('steps')} steps, best at {trained.get('best_step')} (chosen on dev)",
        *_ngrams(settings),
        "- Offsets are code points of the text as read; probabilities are calibrated on dev",
        "",
    ]
    for task, labels in settings.trained_labels.items():
        lines.append(f"- {task}, trained labels: {', '.join(labels) or 'none'}")
    lines += ["", "## Scores", ""]
    rows = [_row(report, score) for report in reports.values() for score in report.headline("micro", "macro")]
    if rows:
        lines.append("| data | hash | articles | score | value | 95 % interval | gold |")
        lines.append("|---|---|---|---|---|---|---|")
        lines += rows
        lines += ["", "The checkpoint and the thresholds were chosen on dev; test was scored once, at the end."]
    else:
        lines.append("Not evaluated.")
    unpredictable = {name: report.unpredictable for name, report in reports.items() if report.unpredictable}
    if unpredictable:
        lines += ["", "Gold that this model cannot predict (counted as missed):", ""]
        lines += [
            f"- {name}: {', '.join(f'{k} {v}' for k, v in causes.items())}" for name, causes in unpredictable.items()
        ]
    lines += [
        "",
        "## Limits",
        "",
        "- The scores are for text like that of the data sets above; other sources, years and dialects score lower.",
        "- Entities are flat: of nested mentions the outermost is predicted.",
        "- Predictions contain errors: check them before you rely on them.",
    ]
    return "\n".join(lines) + "\n"


def _ngrams(settings: Settings) -> list[str]:
    if not settings.ngrams:
        return []
    weight = f"{settings.ngrams:g}"
    return [f"- Types of sentences: the network's logits and {weight} times those of a linear model over n-grams"]


def _row(report: Any, score: Any) -> str:
    interval = "" if score.low is None else f"{100 * score.low:.1f}–{100 * score.high:.1f}"
    return (
        f"| {report.data} | `{report.data_hash}` | {report.articles} | {score.name} | {100 * score.value:.1f} "
        f"| {interval} | {score.gold if score.gold is not None else ''} |"
    )
