"""``rasid tag``."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import Backend, Verify, old_option
from ._terminal import PrintableStream, fail, piped, replacing, writing

if TYPE_CHECKING:
    from ..data.articles import Article
    from .tagging import Inputs

logger = logging.getLogger(__name__)


# Long because of its options; the function itself is short.
def tag(
    bundle: Annotated[Path, typer.Argument(help="Bundle to tag with.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Text files, JSONL files, folders; - or nothing for stdin.")
    ] = None,
    write_as: Annotated[
        str,
        typer.Option(
            "--to",
            "-t",
            help="jsonl, inline, conll, text; events (CSV, JSONL or Parquet by the suffix of -o), csv (events for a "
            "spreadsheet); pre-annotations for label-studio, brat (with -o), doccano, prodigy",
        ),
    ] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write (for brat, a new folder); default: stdout.")
    ] = None,
    backend: Backend = "torch",
    verify: Verify = True,
    uncertain: Annotated[
        int | None,
        typer.Option(
            "--uncertain",
            min=1,
            help="Write only the N articles with the highest model uncertainty (bits per word), highest first: "
            "annotate these next.",
        ),
    ] = None,
    format: Annotated[str | None, old_option("--format", "-f", new="--to")] = None,
) -> None:
    """Tag articles. Inputs that cannot be read are reported and skipped; the exit code is then 1."""
    from ..data.event_files import record_format
    from ..data.formats.common.lines import nearest
    from ..inference import Tagger
    from .tagging import FOLDERS, FORMATS, RECORDS, Inputs, write_tagged
    from .tool_files import write_tool_files

    target = format or write_as
    if target not in (*FORMATS, *FOLDERS):
        fail(f"--to {target!r}: {nearest(target, (*FORMATS, *FOLDERS))}")
    if target in FOLDERS and output is None:
        fail(f"{target} is a folder of files: name a new one with -o")
    if target == "events" and output is not None:
        record_format(output)  # a wrong suffix is an error before the bundle is loaded
    tagger = Tagger.from_pretrained(bundle, backend=backend, verify=verify)  # type: ignore[arg-type]
    roles = tagger.settings.scheme.roles
    source = Inputs(inputs or ["-"])
    articles = tagger.stream(source)
    if uncertain is not None:
        from ..evaluate.uncertainty import most_uncertain

        articles = most_uncertain(tagger, source, uncertain)
    if output is None:
        with piped():
            stream = PrintableStream(sys.stdout) if sys.stdout.isatty() else sys.stdout
            dropped = write_tagged(articles, stream, target, roles=roles)
    else:
        articles = _not_empty(articles, source)
        with writing(output):
            with nullcontext(output) if target in (*FOLDERS, *RECORDS) else replacing(output) as place:
                dropped = write_tagged(articles, place, target, roles=roles)
            for file in write_tool_files(target, tagger.settings.scheme, output):
                logger.info("wrote %s, which %s imports (docs/annotation-tools.md)", file, target)
    if source.broken:
        logger.warning("%d inputs could not be read, %d articles were tagged", source.broken, source.read)
    if source.broken or dropped:
        raise typer.Exit(1)


def _not_empty(articles: "Iterable[Article]", source: "Inputs") -> "Iterator[Article]":
    """The articles; if there are none the command ends with an error, and its output file is not replaced."""
    yield from articles
    if not source.read:
        fail("there was nothing to tag")
