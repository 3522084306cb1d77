"""The model card of a bundle: how it was trained, its scores, and its limits."""

from collections.abc import Mapping
from typing import Any

from .bundle import Settings

_CARD = """# {name}

A tagger for Arabic news articles, made with [rasid](https://pypi.org/project/rasid/).

```python
from rasid import Tagger
tagger = Tagger.from_pretrained("path/to/this/folder")
article = tagger("واشنطن ترسل مساعدات عسكرية إلى سوريا")
```

- Encoder: {settings.encoder}; windows of {settings.window} sub-words with {settings.overlap} shared
- Tasks: {tasks}; label scheme `{settings.scheme.name}`
- Trained on {device}, seed {seed}, {steps} steps, best at {best_step} (chosen on dev)
{ngrams}- Offsets are code points of the text as read; probabilities are calibrated on dev

{labels}
## Scores

{scores}
## Limits

- The scores are for text like that of the data sets above; other sources, years and dialects score lower.
- Entities are flat: of nested mentions the outermost is predicted.
- Predictions contain errors: check them before you rely on them.
"""
_SCORES = """| data | hash | articles | score | value | 95 % interval | gold |
|---|---|---|---|---|---|---|
{rows}
The checkpoint and the thresholds were chosen on dev; test was scored once, at the end.
"""
_NGRAMS = "- Types of sentences: the network's logits and {:g} times those of a linear model over n-grams\n"


def model_card(name: str, settings: Settings, reports: Mapping[str, Any]) -> str:
    """Markdown of the card.

    Args:
        name: of the run.
        settings: of the bundle.
        reports: name of a data set → its `evaluate.report.Report`.
    """
    rows = [_row(report, score) for report in reports.values() for score in report.headline("micro", "macro")]
    scores = _SCORES.format(rows="".join(rows)) if rows else "Not evaluated.\n"
    unpredictable = [
        f"- {name}: {', '.join(f'{cause} {number}' for cause, number in report.unpredictable.items())}\n"
        for name, report in reports.items()
        if report.unpredictable
    ]
    if unpredictable:
        scores += "\nGold that this model cannot predict (counted as missed):\n\n" + "".join(unpredictable)
    trained = settings.trained
    return _CARD.format(
        name=name,
        settings=settings,
        tasks=", ".join(settings.tasks),
        device=trained.get("device", "unknown hardware"),
        **{key: trained.get(key) for key in ("seed", "steps", "best_step")},
        ngrams=_NGRAMS.format(settings.ngrams) if settings.ngrams else "",
        labels="".join(
            f"- {task}, trained labels: {', '.join(labels) or 'none'}\n"
            for task, labels in settings.trained_labels.items()
        ),
        scores=scores,
    )


def _row(report: Any, score: Any) -> str:
    interval = "" if score.low is None else f"{100 * score.low:.1f}–{100 * score.high:.1f}"
    return (
        f"| {report.data} | `{report.data_hash}` | {report.articles} | {score.name} | {100 * score.value:.1f} "
        f"| {interval} | {score.gold if score.gold is not None else ''} |\n"
    )
