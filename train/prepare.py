"""Everything that a run needs, made from its config: data sets, encoder, windows, batches, network, n-gram model."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..configs.schema import Config
from ..data.articles import AnnotatedLabels, Article
from ..data.articles import Task as TaskName
from ..data.datasets import DataSet, load_dataset, with_role_constraints
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem
from ..data.text.words import split_words
from ..data.windows.alignment import nested_labels
from ..data.windows.batches import padding_share, plan_run
from ..data.windows.encoding import TextEncoder
from ..data.windows.training_set import Collator, Statistics, WindowSet, write_windows
from ..models import ngrams
from ..models.bundle import Settings, SpanOptions
from ..models.encoders import EncoderWithTokenizer, load_encoder, scratch_encoder
from ..models.network import RasidModel
from ..models.shape import RasidConfig
from ..models.tasks import TASK_NAMES, target_maker, tasks_of
from ..models.tasks.entities import spans_of
from .trainer import Schedule, processes

STANDARDIZED_ON = 8192
"""Sub-words that mean and deviation of the encoder's states are estimated on."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data sets of a run.

    Attributes:
        scheme: their labels.
        train: to train on.
        dev: to select checkpoint and thresholds.
        test: to report.
        repeats: how often each data set of ``train`` is seen per epoch.
    """

    scheme: LabelScheme
    train: list[DataSet]
    dev: list[DataSet]
    test: list[DataSet]
    repeats: list[float]

    def parts(self) -> dict[str, list[DataSet]]:
        """The data sets by part: train, dev, test."""
        return {"train": self.train, "dev": self.dev, "test": self.test}


def load_data(config: Config) -> Data:
    """Load the data sets of a config.

    Raises:
        DataError: with the problems of all data sets.
    """
    scheme = load_scheme(config.scheme)
    problems: list[Problem] = []
    parts: dict[str, list[DataSet]] = {"train": [], "dev": [], "test": []}
    for part, datasets in parts.items():
        for source in getattr(config.data, part):
            try:
                datasets.append(load_dataset(source, scheme=scheme))
            except DataError as error:
                problems += error.problems
    if problems:
        raise DataError(problems)
    return Data(scheme=scheme, **parts, repeats=[source.repeats for source in config.data.train])


def make_encoder(config: Config, data: Data, seed: int) -> EncoderWithTokenizer:
    """The encoder of a config; if trained from scratch, the seed determines its weights."""
    section = config.encoder
    if section.scratch is None:
        assert section.name is not None
        options = section.model_dump(include={"window", "normalizer", "repair", "dropout"})
        return load_encoder(section.name, **options)
    torch.manual_seed(seed)
    texts = (article.text for dataset in data.train for article in dataset.articles)
    return scratch_encoder(texts, **section.scratch.model_dump())


def make_model(config: Config, data: Data, encoder: EncoderWithTokenizer, seed: int) -> RasidModel:
    """Encoder and heads; the seed determines the weights of the heads."""
    torch.manual_seed(seed)
    entities = config.tasks.get("entities")
    network_config = RasidConfig(
        encoder=encoder.model.config.to_dict(),
        tasks=list(_tasks(config)),
        entities=data.scheme.labels("entities"),
        events=data.scheme.labels("triggers"),
        roles=data.scheme.labels("arguments"),
        pooling=config.encoder.pooling,
        crf=entities is not None and entities.decoder == "crf",
        spans=None if (options := span_options(config, data)) is None else vars(options),
        dropout=config.training.dropout,
        standardized=True,
    )
    return RasidModel(network_config, encoder.model)


def make_settings(config: Config, data: Data, encoder: EncoderWithTokenizer) -> Settings:
    """Settings of the bundle before calibration."""
    trained_labels = {
        (task, label) for dataset in data.train for task, labels in dataset.annotated_labels.items() for label in labels
    }
    return Settings(
        scheme=with_role_constraints(data.scheme, data.train),
        tasks=_tasks(config),
        window=config.encoder.window,
        overlap=config.encoder.overlap,
        normalizer=encoder.normalizer,
        encoder=encoder.name,
        trained_labels={
            task: tuple(label for label in data.scheme.labels(task) if (task, label) in trained_labels)
            for task in _tasks(config)
            if task != "proclitics"
        },
        spans=span_options(config, data),
        ngrams=_ngram_weight(config),
    )


def span_options(config: Config, data: Data) -> SpanOptions | None:
    """The span head that a config asks for: as wide as 99.9 % of its training entities, which also say what nests."""
    section = config.tasks.get("entities")
    if section is None or section.decoder != "spans":
        return None
    articles = [
        article for dataset in data.train if "entities" in dataset.annotated_labels for article in dataset.articles
    ]
    lengths = [len(split_words(entity.text)) for article in articles for entity in article.entities]
    widest = int(np.ceil(np.quantile(lengths, 0.999))) if lengths else section.longest
    nests = (
        sorted({pair for article in articles for pair in nested_labels(spans_of(article))}) if section.nesting else ()
    )
    return SpanOptions(width=max(1, min(widest, section.longest)), nests=tuple(nests))


def _tasks(config: Config) -> tuple[TaskName, ...]:
    """The tasks of a config, in the order of the network's heads."""
    return tuple(task for task in TASK_NAMES if task in config.tasks)


def make_text_encoder(config: Config, encoder: EncoderWithTokenizer) -> TextEncoder:
    """Encodes articles with the windows of the config."""
    return TextEncoder(encoder.tokenizer, window=config.encoder.window, overlap=config.encoder.overlap)


def make_windows(file: Path, config: Config, data: Data, text_encoder: TextEncoder) -> tuple[WindowSet, Statistics]:
    """Encode the training data into an Arrow file, once per run.

    Raises:
        DataError: the tokenizer reads no word of a data set.
    """
    sources: list[tuple[Iterable[Article], AnnotatedLabels]] = [
        (dataset.articles, {task: labels for task, labels in dataset.annotated_labels.items() if task in config.tasks})
        for dataset in data.train
    ]
    state = processes()
    # Every process encodes, because it needs the statistics; only the file of the main process is kept.
    path = file if state.is_main_process else file.with_name(f"{file.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    budget = config.training.batch_tokens
    statistics = write_windows(
        path, sources, text_encoder, target_maker(data.scheme, tasks_of(span_options(config, data))), budget=budget
    )
    windows = WindowSet(path)
    if not state.is_main_process:
        path.unlink()  # remains mapped until the process ends
    if unread := set(range(len(data.train))).difference(windows.sources.tolist()):
        raise DataError(_unread(data.train[number]) for number in sorted(unread))
    return windows, statistics


def _unread(dataset: DataSet) -> Problem:
    text = next((article.text[:40] for article in dataset.articles if article.text.strip()), "")
    return Problem(
        source=dataset.name,
        cause="no readable text",
        message=f"the encoder's tokenizer reads no word in any of the {len(dataset.articles)} articles"
        + (f", which start with {text!r}; choose an encoder for their language" if text else ": they are blank"),
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All batches of a run.

    Attributes:
        schedule: the batches in order.
        per_epoch: batches per epoch.
        padding: share of padding in an epoch.
        steps: optimizer steps.
        steps_per_epoch: optimizer steps per epoch.
    """

    schedule: Schedule
    per_epoch: int
    padding: float
    steps: int
    steps_per_epoch: int


def make_plan(config: Config, data: Data, windows: WindowSet, seed: int) -> Plan:
    """Plan the batches of a run; the seed determines their order."""
    training = config.training
    repeats = np.array(data.repeats)[windows.sources]
    per_step = training.accumulation * processes().num_processes
    batches, per_epoch = plan_run(
        windows.lengths,
        budget=training.batch_tokens,
        epochs=training.epochs,
        seed=seed,
        multiple=per_step,
        groups=windows.groups,
        repeats=None if (repeats == 1).all() else repeats,
    )
    if training.max_steps is not None:
        batches = batches[: training.max_steps * per_step]
    return Plan(
        schedule=Schedule(batches),
        per_epoch=per_epoch,
        padding=padding_share(windows.lengths, batches[:per_epoch]),
        steps=len(batches) // per_step,
        steps_per_epoch=max(1, per_epoch // per_step),
    )


def standardize(network: RasidModel, windows: WindowSet, batches: Sequence[np.ndarray], pad_id: int) -> None:
    """Fit the standardization of a new network to its states in the first batches.

    Args:
        network: encoder and heads, before training.
        windows: training windows.
        batches: of a plan; the first ones with `STANDARDIZED_ON` sub-words are read.
        pad_id: of the tokenizer.
    """
    sizes = np.cumsum([windows.lengths[batch].sum() for batch in batches])
    enough = int(np.searchsorted(sizes, STANDARDIZED_ON)) + 1
    collate = Collator(pad_id, {})  # without targets
    network.standardize(collate(windows.__getitems__(batch.tolist())) for batch in batches[:enough])


def make_ngrams(config: Config, data: Data, text_encoder: TextEncoder) -> ngrams.NgramModel | None:
    """The n-gram model, fitted to the training sentences; None if the config has none."""
    if not _ngram_weight(config):
        return None
    maker = target_maker(data.scheme)
    texts: list[str] = []
    targets: list[np.ndarray] = []
    for dataset in data.train:
        if "sentence_types" not in dataset.annotated_labels:
            continue
        for article, encoded in zip(dataset.articles, text_encoder.encode(dataset.articles), strict=True):
            texts += text_encoder.normalized_sentences(article.text, encoded)
            targets.append(maker.make(article, encoded, dataset.annotated_labels)["sentence_types"])
    return ngrams.fit(texts, np.concatenate(targets))


def _ngram_weight(config: Config) -> float:
    task = config.tasks.get("sentence_types")
    return task.ngrams if task else 0.0


def tag_weights(config: Config, statistics: Statistics) -> torch.Tensor | None:
    """Weights of the entity tags: inverse square roots of their frequencies, with mean 1 over all words.

    None if the config does not balance classes. [1 + 2L]
    """
    task = config.tasks.get("entities")
    if task is None or task.class_weights == "none":
        return None
    counts = np.maximum(statistics.tags, 1)
    weights = 1 / np.sqrt(counts)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)
