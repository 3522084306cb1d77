"""What `rasid check` reads: a config, files and folders, or the corpus that ships; leniently, and then audited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..audit import Audit, Finding, audit
from ..data.articles import Article
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem
from ..data.reading import corpus_splits
from .lenient import CheckError, Read, left_aside, parts_of, read_leniently, read_source, shipped

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from ..audit.language_model import LanguageModel, Progress
    from ..configs.schema import Config, EncoderConfig

_WINDOW = 512


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An audit with what its page needs besides.

    Attributes:
        audit: the findings.
        articles: data set and article, for every article.
        scheme: labels, where the config or the bundle has them.
    """

    audit: Audit
    articles: list[tuple[str, Article]]
    scheme: LabelScheme | None


def is_config(source: str) -> bool:
    """Whether a command's argument names a config rather than data: a YAML file, or one that ships."""
    from importlib.resources import files

    if Path(source).suffix in (".yaml", ".yml"):
        return True
    return not Path(source).exists() and (files("rasid.configs") / f"{source}.yaml").is_file()


def check_inputs(
    inputs: Sequence[str],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    encoder: str | None = None,
    bundle: str | Path | None = None,
    folds: int | None = None,
    language_model: str | None = None,
    progress: "Progress | None" = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit what a command line names: a config with overrides, or data.

    Args:
        inputs: a config and ``key=value``, or paths as for `check_data`.
        format: of data; a config says it for itself.
        options: likewise.
        encoder: as for `check_data`.
        bundle: likewise.
        folds: likewise.
        language_model: encoder with a masked-language-model head, which looks for words in the wrong place.
        progress: wraps its batches in a progress bar; is given a label.
        say: likewise.

    Raises:
        CheckError: something cannot be loaded, or the inputs do not go together.
    """
    from ..configs.loader import ConfigError, load_config
    from ..configs.schema import Config
    from ..data.labels import SchemeError
    from ..models.bundle import BundleError
    from ..models.encoders import EncoderError

    try:
        judge = _language_model(language_model, progress) if language_model is not None else None
        if is_config(inputs[0]):
            if format is not None:
                raise CheckError("--format is for files; a config names the format of each data set")
            if options:
                raise CheckError("--option is for files; a config names the options of each data set")
            config = load_config(inputs[0], Config, inputs[1:])
            name = _title(inputs[:1])
            name = name if config.name in name else f"{config.name} ({name})"
            return check_config(
                config, name=name, encoder=encoder, bundle=bundle, folds=folds, language_model=judge, say=say
            )
        return check_data(
            inputs,
            format=format,
            options=options,
            encoder=encoder,
            bundle=bundle,
            folds=folds,
            language_model=judge,
            say=say,
        )
    except (ConfigError, DataError, SchemeError, BundleError, EncoderError) as error:
        raise CheckError(str(error)) from error


def write_reports(checked: Checked, *, json: Path | None = None, html: Path | None = None) -> None:
    """Write an audit as JSON and as a page; folders are made.

    Raises:
        OSError: a file cannot be written.
    """
    from json import dumps

    for path in filter(None, (json, html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if json is not None:
        content = dumps(checked.audit.to_plain(), ensure_ascii=False, indent=1)
        # A lone surrogate becomes \\udXXX, which is how JSON writes it too.
        json.write_text(content + "\n", encoding="utf-8", errors="backslashreplace")
    if html is not None:
        from ..audit.page import to_html

        html.write_text(to_html(checked.audit, checked.articles, scheme=checked.scheme), encoding="utf-8")


def check_data(
    paths: Sequence[str],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    encoder: str | None = None,
    bundle: str | Path | None = None,
    folds: int | None = None,
    language_model: "LanguageModel | None" = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit files, folders and ``corpus:train``.

    A folder that holds files named train, dev (val, valid) and test is checked as these data sets, anything else as
    one.

    Args:
        paths: what to read, each a data set under the name of its file.
        format: see `data.formats`; None looks at each file.
        options: reading options of the format.
        encoder: as in a config; None takes that of the bundle, or the one that ships.
        bundle: ranks label noise, and gives encoder and scheme.
        folds: ranks label noise by taggers that the bundle's config trains, each without one of so many folds of the
            data; the bundle itself judges nothing then.
        language_model: looks for words in the wrong place.
        say: takes a line for what was not checked, and for each fold.

    Raises:
        CheckError: there are no folds without a config, or they cannot be made or trained.
        DataError: there is nothing to read.
        EncoderError, BundleError: they cannot be loaded.
    """
    if folds is not None and bundle is None:
        raise CheckError(
            f"--folds trains taggers and needs a config: name one in place of {paths[0]} (as in rasid check CONFIG "
            f"data.train.0.path={paths[0]} --folds {folds}), or a bundle, whose config is taken"
        )
    read: dict[str, Read] = {}
    scheme = None
    for path in paths:
        if corpus_splits(path):
            scheme = load_scheme("news")
            read |= {found.dataset.name: found for found in shipped(path)}
        else:
            parts = parts_of(Path(path))
            if others := left_aside(Path(path), [file for _, file in parts]):
                say(f"{path} is checked as {', '.join(name for name, _ in parts)}; not read: {', '.join(others)}")
            for name, file in parts:
                read[_unused(name, file, read)] = read_leniently(str(file), name=name, format=format, options=options)
    if not any(found.dataset.articles for found in read.values()):
        problems = [problem for found in read.values() for problem in found.dataset.log.dropped]
        nothing = Problem(source=str(paths[0]), cause="no articles", message="holds no articles")
        raise DataError(problems or [nothing])
    tagger, settings = None, {}
    if bundle is not None:
        from ..inference import Tagger

        tagger = Tagger.from_pretrained(bundle)
        scheme = tagger.settings.scheme
        settings = {"window": tagger.settings.window, "overlap": tagger.settings.overlap}
    more: list[Finding] = []
    if folds is not None:
        from .cross_checking import label_issues_of_data

        datasets = {name: found.dataset for name, found in read.items()}
        more = label_issues_of_data(Path(str(bundle)), datasets, encoder=encoder, folds=folds, say=say)
    if encoder is None and tagger is not None:
        tokenizer = tagger.encoder.tokenizer
    else:
        from ..configs.schema import EncoderConfig
        from ..models.encoders import BUILT_IN

        compact = next((name for name, folder in BUILT_IN.items() if folder.is_dir()), None)
        tokenizer = None
        if name := encoder or compact:
            tokenizer = load_tokenizer(EncoderConfig(name=name, window=_WINDOW), [])
            settings = {}
        else:
            say("no encoder was named (--encoder NAME): what it would make of the texts is not checked")
    judge = None if folds is not None else tagger
    return _checked(
        read,
        _title(paths),
        scheme=scheme,
        tokenizer=tokenizer,
        tagger=judge,
        language_model=language_model,
        more=more,
        **settings,
    )


def check_config(
    config: "Config",
    *,
    name: str = "",
    encoder: str | None = None,
    bundle: str | Path | None = None,
    folds: int | None = None,
    language_model: "LanguageModel | None" = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit the data sets of a config under its scheme, label mappings and encoder.

    Args:
        config: the config.
        name: for the report.
        encoder: in place of the config's.
        bundle: ranks label noise.
        folds: ranks label noise by taggers of the config, each trained without one of so many folds.
        language_model: as for `check_data`.
        say: takes a line for what could not be checked (an encoder that cannot be loaded leaves out its findings), and
            for each fold.

    Raises:
        CheckError: bundle and folds were both given, or the folds cannot be made or trained.
        SchemeError, BundleError: they cannot be loaded.
        EncoderError: the encoder that was named in place of the config's cannot be loaded.
    """
    from ..models.encoders import EncoderError

    if folds is not None and bundle is not None:
        raise CheckError("--bundle and --folds both rank label noise; a config takes one of them")
    scheme = load_scheme(config.scheme)
    read: dict[str, Read] = {}
    for part in ("train", "dev", "test"):
        sources = getattr(config.data, part)
        for source in sources:
            title = part if len(sources) == 1 else f"{part}/{source.title}"
            read[_unused(title, Path(title), read)] = read_source(source, title, scheme)
    chosen = config.encoder
    if encoder is not None:
        chosen = chosen.model_copy(update={"name": encoder, "scratch": None})
    tokenizer = tagger = None
    try:
        training = [a.text for n, found in read.items() if n.startswith("train") for a in found.dataset.articles]
        tokenizer = load_tokenizer(chosen, training)
    except EncoderError as error:
        if encoder is not None:
            raise
        say(f"what the encoder would make of the texts is not checked: {error}")
    if bundle is not None:
        from ..inference import Tagger

        tagger = Tagger.from_pretrained(bundle)
    more: list[Finding] = []
    if folds is not None:
        from .cross_checking import label_issues_of_config

        datasets = {key: found.dataset for key, found in read.items()}
        more = label_issues_of_config(config.model_copy(update={"encoder": chosen}), datasets, folds=folds, say=say)
    return _checked(
        read,
        name or config.name,
        scheme=scheme,
        tokenizer=tokenizer,
        tagger=tagger,
        language_model=language_model,
        more=more,
        window=chosen.window,
        overlap=chosen.overlap,
    )


def load_tokenizer(encoder: "EncoderConfig", texts: Sequence[str]) -> "Tokenizer":
    """The tokenizer that a config's encoder reads with; one from scratch is trained on texts.

    Raises:
        EncoderError: it cannot be loaded.
    """
    from ..data.text.normalizer import train_wordpiece
    from ..models.encoders import load_encoder

    if encoder.scratch is not None:
        return train_wordpiece(iter(texts), encoder.scratch.vocabulary)
    assert encoder.name is not None
    return load_encoder(
        encoder.name, window=encoder.window, normalizer=encoder.normalizer, repair=encoder.repair
    ).tokenizer


def _language_model(name: str, progress: "Progress | None") -> "LanguageModel":
    from ..audit.language_model import load_language_model

    return load_language_model(name) if progress is None else load_language_model(name, progress=progress)


def _checked(read: dict[str, Read], name: str, *, scheme: LabelScheme | None, **how: Any) -> Checked:
    datasets = {key: found.dataset for key, found in read.items()}
    outcome = audit(
        datasets, name=name, scheme=scheme, sources={key: found.files for key, found in read.items()}, **how
    )
    articles = [(key, article) for key, dataset in datasets.items() for article in dataset.articles]
    return Checked(audit=outcome, articles=articles, scheme=scheme)


def _title(paths: Sequence[str]) -> str:
    """What was checked, by the names of its files and folders; the same name twice comes with its folder."""
    places = [Path(path) if path.startswith("corpus:") else Path(path).absolute() for path in paths]
    names = [place.name for place in places]
    return ", ".join(
        str(Path(place.parent.name, name)) if names.count(name) > 1 else name
        for place, name in zip(places, names, strict=True)
    )


def _unused(name: str, path: Path, taken: dict[str, Any]) -> str:
    """The name, or one that tells more where it is taken: a report must tell two data sets apart."""
    if name not in taken:
        return name
    name = f"{name} ({path})"
    return name if name not in taken else _unused(f"{name}'", path, taken)
