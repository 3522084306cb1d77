"""The commands. Thin: each reads its arguments, calls the package, and shows the result.

Heavy imports stand inside the commands, so that help answers at once.
"""

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .commands import check as cli_check
from .commands import convert as cli_data
from .commands._terminal import fail as _fail
from .commands._terminal import label_mapping, piped, replacing
from .commands._terminal import quiet as _quiet
from .commands._terminal import say as _say

if TYPE_CHECKING:
    from .commands.tag import Inputs
    from .data.articles import Article
    from .evaluate.report import Report

app = typer.Typer(
    name="rasid",
    help="Entities and events from Arabic news articles: train, evaluate, export, tag.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


for command in (cli_check.check, cli_data.convert, cli_data.compare, cli_data.init):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"rasid {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")] = False,
) -> None:
    """Entities and events from Arabic news articles: train, evaluate, export, tag."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Arabic, whatever the locale; a lone surrogate is shown as \\ud800
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@app.command()
def train(
    source: Annotated[str, typer.Argument(metavar="CONFIG", help="A YAML file, or the name of a built-in config.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. training.epochs=3")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, run one batch, train nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what an earlier run of this name left.")] = False,
) -> None:
    """Train a config, evaluate and export it. A run that was cut off goes on where it was."""
    from .configs.loader import ConfigError, load_config
    from .configs.schema import Config

    try:
        config = load_config(source, Config, overrides or [])
    except ConfigError as error:
        _fail(error)
    _quiet()
    from .data.labels import SchemeError
    from .data.problems import DataError
    from .evaluate.parity import ParityError
    from .models.bundle import BundleError
    from .models.encoders import EncoderError
    from .models.export import ExportError
    from .train import run
    from .train.trainer import NonFiniteLossError

    try:
        result = run.train(config, dry_run=dry_run, fresh=fresh)
    except DataError as error:
        _fail(f"the data cannot be used as they are:\n{error}")
    except (
        SchemeError, EncoderError, run.RunError, NonFiniteLossError, ParityError, ExportError, BundleError, ConfigError
    ) as error:  # fmt: skip
        _fail(error)
    if dry_run and result.summary:
        typer.echo(run.describe(result.summary))
        return
    if result.reports:
        _show(result.reports)
        typer.echo(f"bundle: {result.folder / 'bundle'}   reports: {result.folder / 'report'}")


@app.command()
def pretrain(
    source: Annotated[str, typer.Argument(metavar="CONFIG", help="A YAML file, or the name of a built-in config.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. budget.minutes=60")] = None,
) -> None:
    """Pretrain an encoder on raw text, or adapt one to it. A run that was stopped goes on where it was."""
    from .configs.loader import ConfigError, load_config
    from .configs.pretrain_schema import PretrainConfig

    try:
        config = load_config(source, PretrainConfig, overrides or [])
    except ConfigError as error:
        _fail(error)
    _quiet()
    from .data.problems import DataError
    from .train.pretraining.model import PretrainingError
    from .train.pretraining.run import run_pretraining

    try:
        folder = run_pretraining(config)
    except (PretrainingError, DataError) as error:
        _fail(error)
    typer.echo(f"encoder: {folder}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
) -> None:
    """Write the bundle of a run again: weights, ONNX behind the parity gate, card, reports."""
    _quiet()
    from .configs.loader import ConfigError
    from .data.problems import DataError
    from .evaluate.parity import ParityError
    from .models.bundle import BundleError
    from .models.export import ExportError
    from .train import run

    try:
        reports = run.export(folder)
    except (run.RunError, DataError, ParityError, ExportError, BundleError, ConfigError) as error:
        _fail(error)
    _show(reports)
    typer.echo(f"bundle: {folder / 'bundle'}")


@app.command()
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Bundle to evaluate.")],
    data: Annotated[str, typer.Argument(help="Annotated file or folder, or corpus:test.")],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", help="Task that the data were annotated for; repeat for several; all that fit."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="FILE=SCHEME renames a label, FILE= drops it.")
    ] = None,
    format: Annotated[str | None, typer.Option("--format", help="Format of the data.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for report.json and .md.")] = None,
    backend: Annotated[str, typer.Option(help="torch or onnx")] = "torch",
) -> None:
    """Score a bundle on annotated articles: offline report as JSON and Markdown."""
    _quiet()
    from dataclasses import replace

    from .data.corpus import load_corpus
    from .data.datasets import load_dataset, resolve_annotated
    from .data.formats import detect
    from .data.problems import DataError
    from .evaluate import offline
    from .evaluate.markdown import to_markdown
    from .inference import Tagger
    from .models.bundle import BundleError
    from .models.tasks import heads_of

    try:
        tagger = Tagger.from_pretrained(bundle, backend=backend)  # type: ignore[arg-type]
        scheme = tagger.settings.scheme
        if data.startswith("corpus:"):
            split = data.removeprefix("corpus:")
            if split not in ("train", "dev", "test"):
                _fail(f"the shipped corpus has the splits train, dev and test, not {split!r}")
            if label or format:
                _fail("--label and --format are for files; the shipped corpus has its own")
            dataset = load_corpus(split)
            if task:
                dataset = replace(dataset, annotated_labels=resolve_annotated(task, scheme))  # type: ignore[arg-type]
        else:
            kind = format or (detect(data) if Path(data).is_file() else None)
            natural = {"conll": ["entities"], "classification": ["sentence_types"]}
            tasks = task or natural.get(kind or "", list(tagger.settings.tasks))
            dataset = load_dataset(
                data,
                scheme=scheme,
                annotated=tasks,  # type: ignore[arg-type]
                format=format,
                labels=label_mapping(label or []),
            )
    except (BundleError, DataError) as error:
        _fail(error)
    heads = set(heads_of(tagger.settings.tasks))
    without = [name for name in task or [] if name not in heads]
    if without or not (set(dataset.annotated_labels) & heads) - {"proclitics"}:
        which = without[0] if without else ", ".join(dataset.annotated_labels)
        _fail(f"nothing to score: {bundle} does not tag {which}; it tags {', '.join(tagger.settings.tasks)}")
    with typer.progressbar(dataset.articles, label="tagging", file=sys.stderr) as bar:
        outcome = offline.run(tagger, bar, dataset.annotated_labels)
    report = offline.report_of(outcome, tagger.settings, bundle=str(bundle), data=dataset.name)
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
            (output / "report.json").write_text(report.to_json(), encoding="utf-8")
            (output / "report.md").write_text(to_markdown(report), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            _fail(f"{output}: {error.strerror}")
    _show({dataset.name: report})
    if output is not None:
        typer.echo(f"reports: {output / 'report.md'}, {output / 'report.json'}")
    else:
        typer.echo("every figure, with its interval and the most frequent errors: -o FOLDER")


@app.command()
def tag(
    bundle: Annotated[Path, typer.Argument(help="Bundle to tag with.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Text files, JSONL, folders; - or nothing reads stdin.")
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="jsonl, inline, conll, csv, text; pre-annotations for label-studio, brat (with -o), doccano, prodigy",
        ),
    ] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, for brat a new folder; stdout without it.")
    ] = None,
    backend: Annotated[str, typer.Option(help="torch or onnx")] = "torch",
    uncertain: Annotated[
        int | None,
        typer.Option(
            "--uncertain",
            min=1,
            help="Write only the N articles that the model is least sure of (bits per word), the least sure first: "
            "those whose annotation teaches most.",
        ),
    ] = None,
) -> None:
    """Tag articles. A broken input is reported and the others go on; the exit code then is 1."""
    _quiet(transformers=backend == "torch")
    from .commands.tag import FOLDERS, FORMATS, Inputs, write_tagged, write_tagged_folder
    from .data.problems import DataError
    from .inference import Tagger
    from .models.bundle import BundleError

    if format not in (*FORMATS, *FOLDERS):
        _fail(f"--format {format!r}: there are {', '.join((*FORMATS, *FOLDERS))}")
    if format in FOLDERS and output is None:
        _fail(f"{format} is a folder of files: name a new one with -o")
    try:
        tagger = Tagger.from_pretrained(bundle, backend=backend)  # type: ignore[arg-type]
    except BundleError as error:
        _fail(error)
    source = Inputs(inputs or ["-"], warn=_say)
    articles = tagger.stream(source)
    if uncertain is not None:
        from .evaluate.uncertainty import most_uncertain

        articles = most_uncertain(tagger, source, uncertain)
    if output is not None:
        articles = _some(articles, source)
    try:
        if output is None:
            with piped():
                left_out = write_tagged(articles, sys.stdout, format, warn=_say)
        elif format in FOLDERS:
            left_out = write_tagged_folder(articles, output, format, warn=_say)
        else:
            with replacing(output) as stream:
                left_out = write_tagged(articles, stream, format, warn=_say)
    except OSError as error:
        _fail(f"{output}: {error.strerror}")
    except DataError as error:
        _fail(error)
    if source.broken:
        _say(f"{source.broken} of the inputs could not be read, {source.read} articles were tagged")
    if source.broken or left_out:
        raise typer.Exit(1)


def _some(articles: "Iterable[Article]", source: "Inputs") -> "Iterator[Article]":
    """The articles; without any the command ends and leaves its output file as it is."""
    yield from articles
    if not source.read:
        _fail("there was nothing to tag")


def _show(reports: "dict[str, Report]") -> None:
    """The headline scores, a table for each data set, in 80 columns."""
    from rich.console import Console
    from rich.table import Table

    wanted: set[tuple[str, str]] = {("strict", "f1"), ("iob2", "f1"), ("outermost", "f1"), ("decision", "f1")}
    for name, report in reports.items():
        table = Table(title=f"{name}, {report.articles} articles: micro averages", title_justify="left")
        for column in ("task", "mode", "metric"):
            table.add_column(column)
        for column in ("value", f"{100 * report.bootstrap.level:g} % interval", "gold"):
            table.add_column(column, justify="right")
        for score in report.scores:
            ranking = (score.mode, score.metric) == ("ranking", "average_precision")
            if score.averaging == "micro" and ((score.mode, score.metric) in wanted or ranking):
                if score.value is not None:
                    interval = "" if score.low is None else f"{100 * score.low:.1f}–{100 * (score.high or 0):.1f}"
                    metric = {"f1": "F1", "average_precision": "AP"}[score.metric]
                    row = (score.task, score.mode, metric, f"{100 * score.value:.2f}", interval, str(score.gold))
                    table.add_row(*row)
        Console().print(table)


def run_command(arguments: list[str] | None = None) -> Any:
    """Run the command line with arguments, for tests."""
    return app(arguments, standalone_mode=False)
