"""What `rasid check` reads: a recipe, files and folders, or the corpus that ships; leniently, and then audited."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.articles import Article, check_article
from ..data.audit import Audit, audit
from ..data.formats import located_articles
from ..data.labels import LabelScheme, load_scheme
from ..data.ledger import DataError, Ledger, Problem
from ..data.sources import DataSet, map_labels, resolve_supervision

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from ..configs.schema import DataSource, EncoderConfig, Recipe

_SPLITS = ("train", "dev", "val", "valid", "validation", "test")
_WINDOW = 512


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An audit with what its page needs besides.

    Attributes:
        audit: the findings.
        articles: data set and article, for every article.
        scheme: labels, where the recipe or the bundle has them.
    """

    audit: Audit
    articles: list[tuple[str, Article]]
    scheme: LabelScheme | None


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A data set and the file of each article."""

    dataset: DataSet
    files: list[str]


def is_recipe(source: str) -> bool:
    """Whether a command's argument names a recipe rather than data: a YAML file, or one that ships."""
    from importlib.resources import files

    if Path(source).suffix in (".yaml", ".yml"):
        return True
    return not Path(source).exists() and (files("rasid.configs") / f"{source}.yaml").is_file()


class CheckError(ValueError):
    """What was named cannot be checked at all."""


def check_inputs(
    inputs: Sequence[str],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    encoder: str | None = None,
    bundle: str | Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit what a command line names: a recipe with overrides, or data.

    Args:
        inputs: a recipe and ``key=value``, or paths as for `check_data`.
        format: of data; a recipe says it for itself.
        options: likewise.
        encoder: as for `check_data`.
        bundle: likewise.
        say: likewise.

    Raises:
        CheckError: something cannot be loaded, or the inputs do not go together.
    """
    from ..configs.loader import ConfigError, load_config
    from ..configs.schema import Recipe
    from ..data.labels import SchemeError
    from ..models.bundle import BundleError
    from ..models.encoders import EncoderError

    try:
        if is_recipe(inputs[0]):
            if format is not None:
                raise CheckError("--format is for files; a recipe names the format of each data set")
            if options:
                raise CheckError("--option is for files; a recipe names the options of each data set")
            recipe = load_config(inputs[0], Recipe, inputs[1:])
            name = _title(inputs[:1])
            name = name if recipe.name in name else f"{recipe.name} ({name})"
            return check_recipe(recipe, name=name, encoder=encoder, bundle=bundle, say=say)
        return check_data(inputs, format=format, options=options, encoder=encoder, bundle=bundle, say=say)
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
        from ..data.audit.page import to_html

        html.write_text(to_html(checked.audit, checked.articles, scheme=checked.scheme), encoding="utf-8")


def check_data(
    paths: Sequence[str],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    encoder: str | None = None,
    bundle: str | Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit files, folders and ``corpus:train``.

    A folder that holds files named train, dev (val, valid) and test is checked as these data sets, anything else as
    one.

    Args:
        paths: what to read, each a data set under the name of its file.
        format: see `data.formats`; None looks at each file.
        options: reading options of the format.
        encoder: as in a recipe; None takes that of the bundle, or the one that ships.
        bundle: ranks label noise, and gives encoder and scheme.
        say: takes a line for what was not checked.

    Raises:
        DataError: there is nothing to read.
        EncoderError, BundleError: they cannot be loaded.
    """
    read: dict[str, _Read] = {}
    scheme = None
    for path in paths:
        if path == "corpus" or path.startswith("corpus:"):
            scheme = load_scheme("news")
            read |= {found.dataset.name: found for found in _corpus(path)}
        else:
            parts = _parts(Path(path))
            if others := _left_aside(Path(path), [file for _, file in parts]):
                say(f"{path} is checked as {', '.join(name for name, _ in parts)}; not read: {', '.join(others)}")
            for name, file in parts:
                read[_unused(name, file, read)] = _read(str(file), name=name, format=format, options=options)
    if not any(found.dataset.articles for found in read.values()):
        problems = [problem for found in read.values() for problem in found.dataset.ledger.quarantined]
        nothing = Problem(source=str(paths[0]), cause="no articles", message="holds no articles")
        raise DataError(problems or [nothing])
    tagger, settings = None, {}
    if bundle is not None:
        from ..inference import Tagger

        tagger = Tagger.from_pretrained(bundle)
        scheme = tagger.settings.scheme
        settings = {"window": tagger.settings.window, "overlap": tagger.settings.overlap}
    if encoder is None and tagger is not None:
        tokenizer = tagger.encoder.tokenizer
    else:
        from ..configs.schema import EncoderConfig
        from ..models.encoders import SHIPPED

        shipped = next((name for name, folder in SHIPPED.items() if folder.is_dir()), None)
        tokenizer = None
        if name := encoder or shipped:
            tokenizer = load_tokenizer(EncoderConfig(name=name, window=_WINDOW), [])
            settings = {}
        else:
            say("no encoder was named (--encoder NAME): what it would make of the texts is not checked")
    return _checked(read, _title(paths), scheme=scheme, tokenizer=tokenizer, tagger=tagger, **settings)


def check_recipe(
    recipe: "Recipe",
    *,
    name: str = "",
    encoder: str | None = None,
    bundle: str | Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Checked:
    """Audit the data sets of a recipe under its scheme, label mappings and encoder.

    Args:
        recipe: the recipe.
        name: for the report.
        encoder: in place of the recipe's.
        bundle: ranks label noise.
        say: takes a line for what could not be checked: an encoder that cannot be loaded leaves out its findings.

    Raises:
        SchemeError, BundleError: they cannot be loaded.
        EncoderError: the encoder that was named in place of the recipe's cannot be loaded.
    """
    from ..models.encoders import EncoderError

    scheme = load_scheme(recipe.scheme)
    read: dict[str, _Read] = {}
    for part in ("train", "dev", "test"):
        sources = getattr(recipe.data, part)
        for source in sources:
            title = part if len(sources) == 1 else f"{part}/{source.title}"
            read[_unused(title, Path(title), read)] = _of_recipe(source, title, scheme)
    chosen = recipe.encoder
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
    return _checked(
        read,
        name or recipe.name,
        scheme=scheme,
        tokenizer=tokenizer,
        tagger=tagger,
        window=chosen.window,
        overlap=chosen.overlap,
    )


def load_tokenizer(encoder: "EncoderConfig", texts: Sequence[str]) -> "Tokenizer":
    """The tokenizer that a recipe's encoder reads with; one from scratch is trained on texts.

    Raises:
        EncoderError: it cannot be loaded.
    """
    from ..data.normalise import train_wordpiece
    from ..models.encoders import load_encoder

    if encoder.scratch is not None:
        return train_wordpiece(iter(texts), encoder.scratch.vocabulary)
    assert encoder.name is not None
    return load_encoder(
        encoder.name, window=encoder.window, normaliser=encoder.normaliser, repair=encoder.repair
    ).tokenizer


def _checked(read: dict[str, _Read], name: str, *, scheme: LabelScheme | None, **how: Any) -> Checked:
    datasets = {key: found.dataset for key, found in read.items()}
    outcome = audit(
        datasets, name=name, scheme=scheme, sources={key: found.files for key, found in read.items()}, **how
    )
    articles = [(key, article) for key, dataset in datasets.items() for article in dataset.articles]
    return Checked(audit=outcome, articles=articles, scheme=scheme)


def _parts(path: Path) -> list[tuple[str, Path]]:
    if path.is_dir():
        parts = [(file.stem, file) for file in sorted(path.iterdir()) if file.stem in _SPLITS and file.is_file()]
        if len({name for name, _ in parts}) == len(parts) > 1:
            return sorted(parts, key=lambda part: _SPLITS.index(part[0]))
    return [(path.stem or str(path), path)]


def _left_aside(folder: Path, parts: Sequence[Path]) -> list[str]:
    """Files of a folder that are none of its splits, but might be data as they are."""
    if parts == [folder]:
        return []
    suffixes = {part.suffix for part in parts}
    files = sorted(file for file in folder.rglob("*") if file.suffix in suffixes and file.is_file())
    return [str(file.relative_to(folder)) for file in files if file not in parts]


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


def _corpus(name: str) -> Iterator[_Read]:
    from ..data.corpus import load_corpus

    split = name.removeprefix("corpus").removeprefix(":")
    if split not in ("", "train", "dev", "test"):
        message = f"the shipped corpus has the splits train, dev and test, not {split!r}"
        raise DataError([Problem(source=name, cause="no such split", message=message)])
    for part in ("train", "dev", "test"):
        if split in ("", part):
            dataset = load_corpus(part)
            yield _Read(dataset=dataset, files=[""] * len(dataset.articles))


def _of_recipe(source: "DataSource", title: str, scheme: LabelScheme) -> _Read:
    ledger = Ledger(source=source.path or title)
    supervision: Any = {}
    try:
        supervision = resolve_supervision(source.supervises, scheme, title)  # type: ignore[arg-type]
    except DataError as error:
        ledger.quarantined += error.problems
    if source.path is not None:
        how: dict[str, Any] = {"format": source.format, "labels": source.labels, "options": source.options}
        found = _read(source.path, name=title, ledger=ledger, **how)
    else:
        (found,) = _corpus(f"corpus:{source.corpus}")
        articles = [map_labels(article, source.labels, ledger) for article in found.dataset.articles]
        found = replace(found, dataset=replace(found.dataset, name=title, articles=articles, ledger=ledger))
    return replace(found, dataset=replace(found.dataset, supervision=supervision))


def _read(
    path: str,
    *,
    name: str,
    format: str | None = None,
    labels: dict[str, str | None] | None = None,
    options: Mapping[str, Any] | None = None,
    ledger: Ledger | None = None,
) -> _Read:
    """Read what can be read; the rest is in the ledger, a path that cannot be read at all included."""
    ledger = ledger or Ledger(source=path)
    articles: list[Article] = []
    files: list[str] = []
    try:
        for line, article in located_articles(path, format, ledger=ledger, options=options):
            valid = without_bad_spans(article, ledger, line=line)
            articles.append(map_labels(valid, labels, ledger) if labels else valid)
            files.append(f"{ledger.source}:{line}" if line else ledger.source)
    except DataError as error:
        ledger.quarantined += error.problems
    except OSError as error:
        ledger.refuse("cannot be read", f"{error.strerror or error}")
    return _Read(dataset=DataSet(name=name, articles=articles, supervision={}, ledger=ledger), files=files)


def without_bad_spans(article: Article, ledger: Ledger, *, line: int = 0) -> Article:
    """An article without the annotation that `check_article` refuses; each piece left out is in the ledger."""
    if not any(check_article(article)):
        return article
    ids: set[str] = set()

    def is_good(alone: Article, identity: str, known: tuple = ()) -> bool:
        problems = list(check_article(replace(alone, entities=(*alone.entities, *known))))
        if identity and identity in ids:
            problems.append(("duplicate id", f"id {identity!r} is used twice in the article"))
        for cause, message in problems:
            ledger.refuse(cause, message, line=line, article=article.id)
        ids.update({identity} - {""})
        return not problems

    bare = Article(text=article.text, id=article.id)
    entities = tuple(e for e in article.entities if is_good(replace(bare, entities=(e,)), e.id))
    events = tuple(v for v in article.events if is_good(replace(bare, events=(v,)), v.id, entities))
    sentences = tuple(s for s in article.sentences if is_good(replace(bare, sentences=(s,)), ""))
    judged = {t: names for t, names in article.judged.items() if is_good(replace(bare, judged={t: names}), "")}
    return replace(article, entities=entities, events=events, sentences=sentences, judged=judged)
