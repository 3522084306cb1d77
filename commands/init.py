"""``rasid init``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ._options import old_option
from ._terminal import show, writing

_WHAT = {
    "label-studio.xml": ", the labeling configuration for Label Studio",
    "doccano-spans.json": ", the labels of spans for doccano",
    "doccano-categories.json": ", the labels of texts for doccano",
    "doccano-relations.json": ", the labels of relations for doccano",
    "prodigy-labels.txt": ", the labels for Prodigy",
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project; no file in it is replaced.")],
    scheme: Annotated[str, typer.Option(help="Labels to start from: news, anercorp or wojood.")] = "news",
    write_as: Annotated[str, typer.Option("--to", help="Format of the example articles.")] = "inline",
    format: Annotated[str | None, old_option("--format", new="--to")] = None,
) -> None:
    """Start a project: a config with comments, a label scheme to edit, and a few annotated articles."""
    from .project import initialize

    with writing(folder):
        files = initialize(folder, scheme=scheme, format=format or write_as)
    for file in files:
        show(f"wrote {file}{_WHAT.get(file.name, '')}")
    show("next:")
    for command in ("check", "train"):
        show(f"  rasid {command} {shlex.quote(str(folder / 'config.yaml'))}")
