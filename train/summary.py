"""What a run would do, in numbers, before it does it."""

from dataclasses import dataclass

from ..configs.schema import Recipe
from ..data.windows.training_set import Census
from ..models.encoders import Encoder
from ..models.network import RasidModel
from . import prepare


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a run would do, for ``--dry-run`` and for the log."""

    encoder: str
    parameters: int
    census: Census
    padding: float
    steps: int
    steps_per_epoch: int
    datasets: dict[str, dict[str, int]]
    loss: float | None = None


def look_over(
    recipe: Recipe, data: prepare.Data, encoder: Encoder, census: Census, plan: prepare.Plan, model: RasidModel
) -> Overview:
    """Count what a run is made of."""
    parts = (("train", data.train), ("dev", data.dev), ("test", data.test))
    return Overview(
        encoder=encoder.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        census=census,
        padding=plan.padding,
        steps=plan.steps,
        steps_per_epoch=plan.steps_per_epoch,
        datasets={
            f"{part}: {dataset.name}": {"articles": len(dataset.articles), **dataset.ledger.counts()}
            for part, datasets in parts
            for dataset in datasets
        },
    )


def describe(overview: Overview) -> str:
    """An overview in lines for a person."""
    census = overview.census
    lines = [
        f"encoder {overview.encoder}, {overview.parameters / 1e6:.1f} M parameters with heads",
        *(
            f"{name}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items())
            for name, counts in overview.datasets.items()
        ),
        f"training windows {census.windows:,}, sub-words {census.subwords:,} ({census.unknown:,} unknown), "
        f"words {census.units:,} and {census.unread:,} that the encoder cannot see",
        f"{overview.steps:,} steps, {overview.steps_per_epoch:,} an epoch, {overview.padding:.1%} padding",
    ]
    if census.unpredictable:
        causes = ", ".join(f"{task} {cause} {number}" for (task, cause), number in census.unpredictable.most_common())
        lines.append(f"gold that the model cannot predict: {causes}")
    if overview.loss is not None:
        lines.append(f"one batch, forward and backward: loss {overview.loss:.3f}")
    return "\n".join(lines)
