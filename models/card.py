"""The model card of a bundle: what it is, what it was measured on, and what it cannot do."""

from collections.abc import Mapping
from typing import Any

from .bundle import Settings


def model_card(name: str, settings: Settings, reports: Mapping[str, Any]) -> str:
    """Markdown of the card.

    Args:
        name: of the run.
        settings: of the bundle.
        reports: name of a data set → its `evaluate.report.Report`; the headline scores are taken from it.
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
        "- Offsets are code points of the text as given; probabilities are calibrated on dev",
        "",
    ]
    for task, labels in settings.trained_labels.items():
        lines.append(f"- {task} learned: {', '.join(labels) or 'none'}")
    lines += ["", "## Measured", ""]
    rows = [_row(report, score) for report in reports.values() for score in report.headline("micro", "macro")]
    if rows:
        lines.append("| data | hash | articles | score | value | 95 % interval | gold |")
        lines.append("|---|---|---|---|---|---|---|")
        lines += rows
        lines += ["", "Figures on dev chose the checkpoint and the thresholds; figures on test did not."]
    else:
        lines.append("Nothing was measured.")
    lost = {name: report.unpredictable for name, report in reports.items() if report.unpredictable}
    if lost:
        lines += ["", "Gold that this model cannot predict (counted as missed):", ""]
        lines += [f"- {name}: {', '.join(f'{k} {v}' for k, v in causes.items())}" for name, causes in lost.items()]
    lines += [
        "",
        "## Limits",
        "",
        "- Scores hold for text like that of the data sets above; other sources, years and dialects will score lower.",
        "- Entities are flat: of nested mentions the outermost is given.",
        "- A machine's tags are leads for a reader, not findings.",
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
