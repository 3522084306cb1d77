"""Size and statistics of a run, shown before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..data.problems import listed_notes
from ..data.windows.training_set import Statistics
from ..models.encoders import EncoderWithTokenizer
from .prepare import Plan
from .seed import Parts, Run


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
        loss: of one batch; None unless this is a dry run.
    """

    encoder: str
    parameters: int
    statistics: Statistics
    plan: Plan
    datasets: dict[str, dict[str, int]]
    notes: Sequence[str] = ()
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
    )


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
    if summary.loss is not None:
        lines.append(f"one batch, forward and backward: loss {summary.loss:.3f}")
    return "\n".join(lines)
