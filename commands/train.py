"""``rasid train``."""

from typing import Annotated

import typer

from ._options import ConfigName
from ._terminal import show, show_scores


def train(
    source: ConfigName,
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. training.epochs=3")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Load everything, run one batch, train nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete an earlier run of this name first.")] = False,
) -> None:
    """Train, evaluate and export a model. To resume an interrupted run, repeat the command."""
    from ..configs.loader import load_config
    from ..configs.schema import Config

    config = load_config(source, Config, overrides or [])  # before torch is imported: a wrong config fails at once
    from ..train import run
    from ..train.summary import describe

    result = run.train(config, dry_run=dry_run, fresh=fresh)
    if dry_run and result.summary:
        show(describe(result.summary))
    elif result.reports:
        show_scores(result.reports)
        show(f"bundle: {result.folder / 'bundle'}   reports: {result.folder / 'report'}")
