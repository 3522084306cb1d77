"""``rasid export``."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ._terminal import show, show_scores


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
) -> None:
    """Re-export a run: weights, ONNX (if its predictions match), card, reports."""
    from ..lock import locked
    from ..train import run

    is_run = (folder / "config.yaml").is_file()  # in any other folder export is an error, and no lock is left there
    with locked(folder) if is_run else nullcontext():
        show_scores(run.export(folder))
    show(f"bundle: {folder / 'bundle'}")
