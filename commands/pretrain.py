"""``rasid pretrain``."""

from typing import Annotated

import typer

from ._options import ConfigName
from ._terminal import show


def pretrain(
    source: ConfigName,
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. budget.minutes=60")] = None,
) -> None:
    """Pretrain an encoder on raw text. To resume a stopped run, repeat the command."""
    from ..configs.loader import load_config
    from ..configs.pretrain_schema import PretrainConfig

    config = load_config(source, PretrainConfig, overrides or [])
    from ..train.pretraining.run import run_pretraining

    show(f"encoder: {run_pretraining(config)}")
