"""``rasid check``."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._terminal import fail, old_option, piped, reading_options, stdin_or_path

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
    read_as: Annotated[str | None, typer.Option("--from", help="Format of the data (default: detected).")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Reading option key=value, as in triggers=[Attack].")
    ] = None,
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
    format: Annotated[str | None, old_option("--format", new="--from")] = None,
) -> None:
    """Check annotated data for errors, duplicates across splits, rare labels, and text the encoder cannot read.

    The exit code is 1 if there are errors.
    """
    from ..audit import audit
    from ..audit.reading import read_for_audit

    read_as = read_as or format
    paths = [stdin_or_path(name, read_as, "--from") for name in inputs]
    data = read_for_audit(paths, read_as, reading_options(option or []))
    tagger = _load_tagger(bundle)
    if tagger is not None and data.config is None:
        data = replace(data, scheme=tagger.settings.scheme)
    judges = list(_label_judges(data, folds, encoder, bundle, tagger))
    judges += _encoder_judges(data, encoder, tagger)
    if language_model is not None:
        judges.append(_language_model_judge(language_model))
    result = audit(data.datasets, name=data.name, scheme=data.scheme, files=data.files, judges=judges)
    reports = [path for path in (json, html) if path is not None]
    failed = ""
    try:
        _write_reports(result, data, json=json, html=html)
    except OSError as error:
        reports, failed = [], f"{error.filename}: {error.strerror}"
    _show(result, limit, reports)
    if failed:
        fail(failed)
    if result.errors:
        raise typer.Exit(1)


# ---- judges ----------------------------------------------------------------------------------------------------------


def _load_tagger(bundle: Path | None) -> "Tagger | None":
    if bundle is None:
        return None
    from ..inference import Tagger

    return Tagger.from_pretrained(bundle)


def _label_judges(
    data: "AuditData", folds: int | None, encoder: str | None, bundle: Path | None, tagger: "Tagger | None"
) -> "Iterator[Judge]":
    """Cross-validation if it was asked for, else the tagger of the bundle."""
    from ..audit import BundleJudge

    if folds is not None:
        yield _folds_judge(data, folds, encoder, bundle)
    elif tagger is not None:
        yield BundleJudge(tagger=tagger)


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


def _encoder_judges(data: "AuditData", encoder: str | None, tagger: "Tagger | None") -> "Iterable[Judge]":
    """The check against an encoder: the named one, that of the config, that of the bundle, or the built-in one."""
    from ..audit import EncoderJudge
    from ..configs.schema import EncoderConfig
    from ..models.hub import BUILT_IN, EncoderError

    if data.config is not None:
        config = data.config.encoder if encoder is None else _with_encoder(data.config.encoder, encoder)
        texts = [a.text for name, d in data.datasets.items() if name.startswith("train") for a in d.articles]
        try:
            tokenizer = _load_tokenizer(config, texts)
        except EncoderError as error:
            if encoder is not None:
                raise
            logger.warning("the text is not checked against the encoder: %s", error)
            return []
    elif encoder is None and tagger is not None:
        settings = tagger.settings
        return [EncoderJudge(tokenizer=tagger.encoder.tokenizer, window=settings.window, overlap=settings.overlap)]
    else:
        built_in = next((name for name, folder in BUILT_IN.items() if folder.is_dir()), None)
        if not (name := encoder or built_in):
            logger.warning("the text is not checked against an encoder: name one with --encoder")
            return []
        config = EncoderConfig(name=name)
        tokenizer = _load_tokenizer(config, [])
    return [EncoderJudge(tokenizer=tokenizer, window=config.window, overlap=config.overlap)]


def _language_model_judge(name: str) -> "Judge":
    from ..audit import LanguageModelJudge
    from ..audit.language_model import load_language_model

    return LanguageModelJudge(model=load_language_model(name))


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
            typer.echo(f"written: {path}")


def _write_reports(result: "Audit", data: "AuditData", *, json: Path | None, html: Path | None) -> None:
    """Write the audit as JSON and as a page.

    Raises:
        OSError: a file cannot be written.
    """
    from json import dumps

    from ..audit.page import to_html

    for path in filter(None, (json, html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if json is not None:
        content = dumps(result.to_plain(), ensure_ascii=False, indent=1)
        # A lone surrogate becomes \\udXXX, which is how JSON writes it too.
        json.write_text(content + "\n", encoding="utf-8", errors="backslashreplace")
    if html is not None:
        articles = ((name, article) for name, dataset in data.datasets.items() for article in dataset.articles)
        html.write_text(to_html(result, articles, scheme=data.scheme), encoding="utf-8")
