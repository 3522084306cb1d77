"""What a run would do, in numbers, before it does it."""

from dataclasses import dataclass

from ..configs.schema import Config
from ..data.windows.training_set import Statistics
from ..models.encoders import EncoderWithTokenizer
from ..models.network import RasidModel
from . import prepare


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run would do, for ``--dry-run`` and for the log."""

    encoder: str
    parameters: int
    statistics: Statistics
    padding: float
    steps: int
    steps_per_epoch: int
    datasets: dict[str, dict[str, int]]
    loss: float | None = None


def summarize(
    config: Config,
    data: prepare.Data,
    encoder: EncoderWithTokenizer,
    statistics: Statistics,
    plan: prepare.Plan,
    model: RasidModel,
) -> Summary:
    """Count what a run is made of."""
    parts = (("train", data.train), ("dev", data.dev), ("test", data.test))
    return Summary(
        encoder=encoder.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        statistics=statistics,
        padding=plan.padding,
        steps=plan.steps,
        steps_per_epoch=plan.steps_per_epoch,
        datasets={
            f"{part}: {dataset.name}": {"articles": len(dataset.articles), **dataset.log.counts()}
            for part, datasets in parts
            for dataset in datasets
        },
    )


def describe(summary: Summary) -> str:
    """An summary in lines for a person."""
    statistics = summary.statistics
    lines = [
        f"encoder {summary.encoder}, {summary.parameters / 1e6:.1f} M parameters with heads",
        *(
            f"{name}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items())
            for name, counts in summary.datasets.items()
        ),
        f"training windows {statistics.windows:,}, sub-words {statistics.subwords:,} ({statistics.unknown:,} unknown), "
        f"words {statistics.words:,} and {statistics.unread:,} that the encoder cannot see",
        f"{summary.steps:,} steps, {summary.steps_per_epoch:,} an epoch, {summary.padding:.1%} padding",
    ]
    if statistics.unpredictable:
        causes = ", ".join(
            f"{task} {cause} {number}" for (task, cause), number in statistics.unpredictable.most_common()
        )
        lines.append(f"gold that the model cannot predict: {causes}")
    if summary.loss is not None:
        lines.append(f"one batch, forward and backward: loss {summary.loss:.3f}")
    return "\n".join(lines)
