"""The commands. Thin: each reads its arguments, calls the package, and shows the result.

Heavy imports stand inside the commands, so that help answers at once.
"""

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from .evaluate.report import Report

app = typer.Typer(
    name="rasid",
    help="Entities and events from Arabic news articles: train, evaluate, export, tag.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _fail(error: Exception | str) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line, err=True)


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
    config: Annotated[str, typer.Argument(help="Recipe: a YAML file, or the name of one that ships.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. training.epochs=3")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, run one batch, train nothing.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what an earlier run of this name left.")] = False,
) -> None:
    """Train a recipe, evaluate and export it. A run that was cut off goes on where it was."""
    from .configs.loader import ConfigError, load_config
    from .configs.schema import Recipe

    try:
        recipe = load_config(config, Recipe, overrides or [])
    except ConfigError as error:
        _fail(error)
    _quiet()
    from .data.labels import SchemeError
    from .data.ledger import DataError
    from .evaluate.parity import ParityError
    from .models.bundle import BundleError
    from .models.encoders import EncoderError
    from .models.export import ExportError
    from .train import run
    from .train.trainer import NonFiniteLossError

    try:
        result = run.train(recipe, dry_run=dry_run, fresh=fresh, say=_say)
    except DataError as error:
        _fail(f"the data cannot be used as they are:\n{error}")
    except (
        SchemeError, EncoderError, run.RunError, NonFiniteLossError, ParityError, ExportError, BundleError, ConfigError
    ) as error:  # fmt: skip
        _fail(error)
    if dry_run and result.overview:
        typer.echo(run.describe(result.overview))
        return
    if result.reports:
        _show(result.reports)
        typer.echo(f"bundle: {result.folder / 'bundle'}   reports: {result.folder / 'report'}")


@app.command()
def pretrain(
    config: Annotated[str, typer.Argument(help="Recipe: a YAML file, or the name of one that ships.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, e.g. budget.minutes=60")] = None,
) -> None:
    """Pretrain an encoder on raw text, or adapt one to it. A run that was stopped goes on where it was."""
    from .configs.loader import ConfigError, load_config
    from .configs.pretrain_schema import PretrainRecipe

    try:
        recipe = load_config(config, PretrainRecipe, overrides or [])
    except ConfigError as error:
        _fail(error)
    _quiet()
    from .data.ledger import DataError
    from .train.masked_lm import PretrainingError
    from .train.pretrain import run_pretraining

    try:
        folder = run_pretraining(recipe)
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
    from .data.ledger import DataError
    from .evaluate.parity import ParityError
    from .models.bundle import BundleError
    from .models.export import ExportError
    from .train import run

    try:
        reports = run.export(folder, say=_say)
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
    from .data.formats import detect
    from .data.ledger import DataError
    from .data.sources import load_dataset, resolve_supervision
    from .evaluate import offline
    from .evaluate.markdown import to_markdown
    from .inference import Tagger
    from .models.bundle import BundleError

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
                dataset = replace(dataset, supervision=resolve_supervision(task, scheme))  # type: ignore[arg-type]
        else:
            kind = format or (detect(data) if Path(data).is_file() else None)
            natural = {"conll": ["entities"], "classification": ["sentence_types"]}
            tasks = task or natural.get(kind or "", list(tagger.settings.tasks))
            pairs = [entry.partition("=") for entry in label or []]
            if wrong := next((old for old, sign, _ in pairs if not old or not sign), None):
                _fail(f"--label {wrong!r}: write FILE=SCHEME, or FILE= to drop the label")
            dataset = load_dataset(
                data,
                scheme=scheme,
                supervises=tasks,  # type: ignore[arg-type]
                format=format,
                labels={old: new or None for old, _, new in pairs},
            )
    except (BundleError, DataError) as error:
        _fail(error)
    heads = set(tagger.settings.tasks) | ({"event_types"} if "sentence_types" in tagger.settings.tasks else set())
    without = [name for name in task or [] if name not in heads]
    if without or not (set(dataset.supervision) & heads) - {"boundaries"}:
        which = without[0] if without else ", ".join(dataset.supervision)
        _fail(f"nothing to score: {bundle} does not tag {which}; it tags {', '.join(tagger.settings.tasks)}")
    with typer.progressbar(dataset.articles, label="tagging", file=sys.stderr) as bar:
        outcome = offline.run(tagger, bar, dataset.supervision)
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
    format: Annotated[str, typer.Option("--format", "-f", help="jsonl, markup, conll, csv, text")] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; stdout without it.")] = None,
    backend: Annotated[str, typer.Option(help="torch or onnx")] = "torch",
) -> None:
    """Tag articles. A broken input is reported and the others go on; the exit code then is 1."""
    _quiet(transformers=backend == "torch")
    from .inference import Tagger
    from .models.bundle import BundleError
    from .tagging import FORMATS, Inputs, write_tagged

    if format not in FORMATS:
        _fail(f"--format {format!r}: there are {', '.join(FORMATS)}")
    try:
        tagger = Tagger.from_pretrained(bundle, backend=backend)  # type: ignore[arg-type]
    except BundleError as error:
        _fail(error)
    source = Inputs(inputs or ["-"], warn=_say)
    articles = tagger.stream(source)
    if output is None:
        try:
            left_out = write_tagged(articles, sys.stdout, format, warn=_say)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough; nothing is left for the interpreter to flush
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
    else:
        # Beside its place until it is whole: the output may be one of the inputs.
        special = output.exists() and not output.is_file()
        part = output if special else output.with_name(f"{output.name}.part")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream:
                left_out = write_tagged(articles, stream, format, warn=_say)
            if not special:
                part.replace(output)
        except OSError as error:
            _fail(f"{output}: {error.strerror}")
        finally:
            if not special:
                with contextlib.suppress(OSError):
                    part.unlink()
    if source.broken:
        _say(f"{source.broken} of the inputs could not be read, {source.read} articles were tagged")
    if source.broken or left_out:
        raise typer.Exit(1)


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


def _quiet(*, transformers: bool = True) -> None:
    """Keep the libraries' own chatter off the screen; warnings of ours stay."""
    import warnings

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    if transformers:
        from transformers.utils import logging

        logging.disable_progress_bar()


def run_command(arguments: list[str] | None = None) -> Any:
    """Run the command line with arguments, for tests."""
    return app(arguments, standalone_mode=False)
