"""``rasid check``."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import OldReadAs, ReadAs, ReadingOptions, reading_options, stdin_or_path
from ._terminal import CommandError, fail, piped, replacing, show, writing

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from ..audit import Audit, Judge
    from ..audit.reading import AuditData
    from ..configs.schema import EncoderConfig
    from ..inference import Tagger

logger = logging.getLogger(__name__)


def check(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA|CONFIG", help="Files, folders, corpus:train, or - for stdin; or a config and key=value."
        ),
    ],
    read_as: ReadAs = None,
    option: ReadingOptions = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder to check the text against.")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Bundle to find likely label errors with.")] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", min=2, help="Find likely label errors by N-fold cross-validation."),
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option("--language-model", help="Encoder to find misplaced words with, such as rasid-mini (slow)."),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="File for all findings as JSON.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="File for all findings as an HTML page.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Examples shown per finding.")] = 3,
    format: OldReadAs = None,
) -> None:
    """Check annotated data for errors, duplicates across splits, rare labels, and text the encoder cannot read.

    The exit code is 1 if there are errors.
    """
    from ..audit import audit
    from ..audit.reading import read_for_audit
    from ..inference import Tagger

    read_as = read_as or format
    paths = [stdin_or_path(name, read_as, "--from") for name in inputs]
    data = read_for_audit(paths, read_as, reading_options(option))
    tagger = None if bundle is None else Tagger.from_pretrained(bundle)
    if tagger is not None and data.config is None:
        data = replace(data, scheme=tagger.settings.scheme)
    judges = _judges(data, tagger, folds=folds, encoder=encoder, bundle=bundle, language_model=language_model)
    about = {"name": data.name, "scheme": data.scheme, "files": data.files, "versions": data.versions}
    result = audit(data.datasets, judges=list(judges), **about)
    reports = [path for path in (json, html) if path is not None]
    failed = ""
    try:
        _write_reports(result, data, json=json, html=html)
    except CommandError as error:
        reports, failed = [], str(error)
    _show(result, limit, reports)
    if failed:
        fail(failed)
    if result.errors:
        raise typer.Exit(1)


# ---- judges ----------------------------------------------------------------------------------------------------------


def _judges(
    data: "AuditData",
    tagger: "Tagger | None",
    *,
    folds: int | None,
    encoder: str | None,
    bundle: Path | None,
    language_model: str | None,
) -> "Iterator[Judge]":
    from ..audit import BundleJudge, LanguageModelJudge

    if folds is not None:
        yield _folds_judge(data, folds, encoder, bundle)
    elif tagger is not None:
        yield BundleJudge(tagger=tagger)
    yield from _encoder_judges(data, encoder, tagger)
    if language_model is not None:
        from ..audit.language_model import load_language_model

        yield LanguageModelJudge(model=load_language_model(language_model))


def _folds_judge(data: "AuditData", folds: int, encoder: str | None, bundle: Path | None) -> "Judge":
    from ..configs.loader import load_config
    from ..configs.schema import Config
    from ..models.bundle import config_file
    from ..train.folds_judge import FoldsJudge

    if data.config is not None and bundle is not None:
        fail("--bundle and --folds both find label errors; give one of them with a config")
    if data.config is not None:
        config = data.config
    elif bundle is not None:
        config = load_config(config_file(bundle), Config)
    else:
        fail(
            f"--folds trains taggers and needs a config: rasid check CONFIG data.train.0.path=FILE --folds {folds}; or "
            "give a bundle, whose config is used"
        )
    if encoder is not None:
        config = config.model_copy(update={"encoder": _with_encoder(config.encoder, encoder)})
    return FoldsJudge(config=config, folds=folds, of_bundle=data.config is None)


def _encoder_judges(data: "AuditData", encoder: str | None, tagger: "Tagger | None") -> "Iterator[Judge]":
    """The check against an encoder: the named one, that of the config, that of the bundle, or the built-in one."""
    from ..audit import EncoderJudge
    from ..configs.schema import EncoderConfig
    from ..models.hub import EncoderError

    if data.config is None and encoder is None and tagger is not None:
        settings = tagger.settings
        yield EncoderJudge(tokenizer=tagger.encoder.tokenizer, window=settings.window, overlap=settings.overlap)
        return
    config = data.config.encoder if data.config else EncoderConfig()
    if encoder is not None:
        config = _with_encoder(config, encoder)
    texts = [a.text for name, d in data.datasets.items() if name.startswith("train") for a in d.articles]
    try:
        tokenizer = _load_tokenizer(config, texts)
    except EncoderError as error:
        if encoder is not None:
            raise
        logger.warning("the text is not checked against the encoder: %s", error)
        return
    yield EncoderJudge(tokenizer=tokenizer, window=config.window, overlap=config.overlap)


def _with_encoder(config: "EncoderConfig", name: str) -> "EncoderConfig":
    return config.model_copy(update={"name": name, "scratch": None})


def _load_tokenizer(config: "EncoderConfig", texts: Sequence[str]) -> "Tokenizer":
    """The tokenizer of an encoder; that of an encoder from scratch is trained on the texts."""
    if config.scratch is not None:
        from ..data.text.normalizer import train_wordpiece

        return train_wordpiece(iter(texts), config.scratch.vocabulary)
    from ..models.encoders import load_tokenizer

    assert config.name is not None
    return load_tokenizer(config.name, window=config.window, normalizer=config.normalizer, repair=config.repair)


# ---- output ----------------------------------------------------------------------------------------------------------


def _show(result: "Audit", limit: int, reports: Sequence[Path]) -> None:
    from rich.console import Console

    from ..audit.terminal import render

    console = Console()
    with console.capture() as captured:  # at a closed pipe, the console would end the command with its own exit code
        for part in render(result, limit=limit):
            console.print(part)
    with piped(1 if result.errors else 0):
        typer.echo(captured.get(), nl=False)
        for path in reports:
            show(f"written: {path}")


def _write_reports(result: "Audit", data: "AuditData", *, json: Path | None, html: Path | None) -> None:
    """Write the audit as JSON and as a page.

    Raises:
        CommandError: a file cannot be written.
    """
    from json import dumps

    from ..audit.page import to_html

    if json is not None:
        with writing(json), replacing(json) as stream:
            # A lone surrogate becomes \\udXXX, which is how JSON writes it too.
            stream.write(dumps(result.to_plain(), ensure_ascii=False, indent=1) + "\n")
    if html is not None:
        articles = ((name, article) for name, dataset in data.datasets.items() for article in dataset.articles)
        with writing(html), replacing(html) as stream:
            stream.write(to_html(result, articles, scheme=data.scheme))
