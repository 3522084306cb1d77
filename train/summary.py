"""Size and statistics of a run, shown before it starts, and what is too small to learn from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..configs.schema import TrainingConfig
from ..data.problems import listed_notes
from ..data.windows.training_set import Statistics
from ..models.encoders import EncoderWithTokenizer
from ..models.tasks import TASKS, Task
from .prepare import Data, Plan
from .seed import Parts, Run

FEWEST_STEPS = 100
"""Optimizer steps below which a run is warned about."""
LEAST_MOVE = 0.2
"""Head rate × steps below which a run is warned about: Adam moves a weight by about the rate in a step, and the heads
must move their weights far enough to tell rare labels from none. On the built-in corpus, heads over fixed states of two
encoders (rasid-mini, a BERT of 12 × 384) reach this share of the F1 that they have at 0.5 and more: entities 9 and 24 %
at 0.06 and 87 and 83 % at 0.24, triggers 39 and 65 % at 0.06 and 77 and 92 % at 0.24."""
FEWEST_EXAMPLES = 10
"""Examples of a label in the training data below which it is warned about."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Size and statistics of a run.

    Attributes:
        encoder: its name.
        parameters: of encoder and heads.
        statistics: of the training windows.
        plan: the batches.
        datasets: data set → number of articles, and of problems by cause.
        notes: how the files were read where their layout leaves a choice.
        warnings: too few steps, too low a rate, too few examples; with the key to change.
        loss: of one batch; None unless this is a dry run.
    """

    encoder: str
    parameters: int
    statistics: Statistics
    plan: Plan
    datasets: dict[str, dict[str, int]]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()
    loss: float | None = None


def summarize(run: Run, encoder: EncoderWithTokenizer, parts: Parts) -> Summary:
    """The summary of a run, from the parts of its first seed."""
    return Summary(
        encoder=encoder.name,
        parameters=sum(parameter.numel() for parameter in parts.model.parameters()),
        statistics=run.statistics,
        plan=parts.plan,
        datasets={
            f"{part}: {dataset.name}": {"articles": len(dataset.articles), **dataset.log.counts()}
            for part, members in run.data.parts().items()
            for dataset in members
        },
        notes=tuple(
            dict.fromkeys(
                f"{dataset.name}: {note}"
                for members in run.data.parts().values()
                for dataset in members
                for note in dataset.log.notes
            )
        ),
        warnings=(*_few_steps(run.config.training, parts.plan), *_few_examples(run)),
    )


def _few_steps(training: TrainingConfig, plan: Plan) -> list[str]:
    """Warnings about the number of steps, and about how far the heads can move."""
    warnings = []
    rate, steps = training.head_learning_rate, plan.steps
    if steps < FEWEST_STEPS:
        ways = _more_steps(training, plan, FEWEST_STEPS)
        warnings.append(f"{steps:,} optimizer steps are few, {FEWEST_STEPS} or more are better: {ways}")
    if rate * steps < LEAST_MOVE:
        needed = max(FEWEST_STEPS, round(LEAST_MOVE / rate))
        warnings.append(
            f"training.head_learning_rate {rate:g} × {steps:,} steps = {rate * steps:.2g}, and below {LEAST_MOVE} rare "
            f"labels are hardly learned: raise the rate to {LEAST_MOVE / steps:.2g}, or take {needed:,} steps: "
            f"{_more_steps(training, plan, needed)}"
        )
    return warnings


def _more_steps(training: TrainingConfig, plan: Plan, needed: int) -> str:
    """The keys that give a number of steps."""
    if training.max_steps is not None and plan.steps == training.max_steps:
        return f"training.max_steps {needed}"
    share = plan.steps / needed
    ways = [f"training.epochs {training.epochs / share:.0f} instead of {training.epochs:g}"]
    if training.accumulation > 1:
        ways.insert(0, "training.accumulation 1")
    if (smaller := int(training.batch_tokens * share)) >= 256:
        ways.insert(0, f"training.batch_tokens {smaller} instead of {training.batch_tokens}")
    return " or ".join(ways)


def _examples(data: Data, task: Task) -> Counter[str]:
    """Label → number of examples in the data sets that annotated it."""
    counts: Counter[str] = Counter()
    assert task.spans is not None
    for dataset in data.train:
        labels = dataset.annotated_labels.get(task.name, ())
        counts.update(dict.fromkeys(labels, 0))
        counts.update(span[2] for article in dataset.articles for span in task.spans(article) if span[2] in labels)
    return counts


def _few_examples(run: Run) -> list[str]:
    """A warning for each task with labels that have few examples in the training data."""
    warnings = []
    for task in TASKS:
        if task.spans is None or task.name not in run.config.tasks:
            continue
        few = {label: count for label, count in _examples(run.data, task).items() if count < FEWEST_EXAMPLES}
        if few:
            listed = ", ".join(f"{label} {count}" for label, count in sorted(few.items(), key=lambda item: item[1]))
            warnings.append(
                f"{task.name} with fewer than {FEWEST_EXAMPLES} examples in data.train: {listed}; annotate more, or "
                "drop these labels with data.train.N.labels: {LABEL: null}"
            )
    return warnings


def describe(summary: Summary) -> str:
    """A summary as text for a person."""
    statistics, plan = summary.statistics, summary.plan
    lines = [
        f"encoder {summary.encoder}, {summary.parameters / 1e6:.1f} M parameters with heads",
        *(
            f"{name}: " + ", ".join(f"{number:,} {cause}" for cause, number in counts.items())
            for name, counts in summary.datasets.items()
        ),
        *listed_notes(summary.notes),
        f"training windows {statistics.windows:,}, sub-words {statistics.subwords:,} ({statistics.unknown:,} unknown), "
        f"words {statistics.words:,} and {statistics.unread:,} that the encoder cannot read",
        f"{plan.steps:,} steps, {plan.steps_per_epoch:,} per epoch, {plan.padding:.1%} padding",
    ]
    if statistics.unpredictable:
        causes = ", ".join(
            f"{task} {cause} {number}" for (task, cause), number in statistics.unpredictable.most_common()
        )
        lines.append(f"annotations that the model cannot predict: {causes}")
    lines += [f"warning: {warning}" for warning in summary.warnings]
    if summary.loss is not None:
        lines.append(f"one batch, forward and backward: loss {summary.loss:.3f}")
    return "\n".join(lines)
