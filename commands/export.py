"""``rasid export``."""

from pathlib import Path
from typing import Annotated

import typer

from ._terminal import show, show_scores


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
) -> None:
    """Re-export a run: weights, ONNX (if its predictions match), card, reports."""
    from ..train import run

    show_scores(run.export(folder))
    show(f"bundle: {folder / 'bundle'}")
