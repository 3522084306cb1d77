"""From a config to everything that a run needs: data sets, encoder, windows, schedule."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..configs.schema import Config
from ..data.articles import Article
from ..data.datasets import DataSet, load_dataset
from ..data.labels import LabelScheme, load_scheme
from ..data.problems import DataError, Problem
from ..data.windows.batches import padding_share, plan_run
from ..data.windows.encoding import TextEncoder
from ..data.windows.targets import AnnotatedLabels, TargetMaker
from ..data.windows.training_set import Statistics, WindowSet, write_windows
from ..models import ngrams as ngrams
from ..models.bundle import Settings
from ..models.encoders import Encoder, load_encoder, save_tokenizer, scratch_encoder
from ..models.network import RasidConfig, RasidModel
from ..models.ngrams import NgramModel
from .trainer import Schedule, processes

__all__ = ["save_tokenizer"]

TASK_ORDER = ("entities", "triggers", "proclitics", "sentence_types", "article_types")


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data sets of a run."""

    scheme: LabelScheme
    train: list[DataSet]
    dev: list[DataSet]
    test: list[DataSet]


def load_data(config: Config) -> Data:
    """Load every data set.

    Raises:
        DataError: with every problem of all of them.
    """
    scheme = load_scheme(config.scheme)
    problems = []
    parts: dict[str, list[DataSet]] = {"train": [], "dev": [], "test": []}
    for part, loaded in parts.items():
        for source in getattr(config.data, part):
            try:
                loaded.append(load_dataset(source, scheme=scheme))
            except DataError as error:
                problems += error.problems
    if problems:
        raise DataError(problems)
    return Data(scheme=scheme, **parts)


def make_encoder(config: Config, data: Data, seed: int) -> Encoder:
    """The encoder of a config; one from scratch has the weights of its seed."""
    chosen = config.encoder
    if chosen.scratch is None:
        assert chosen.name is not None
        return load_encoder(
            chosen.name,
            window=chosen.window,
            normalizer=chosen.normalizer,
            repair=chosen.repair,
            dropout=chosen.dropout,
        )
    torch.manual_seed(seed)

    def texts() -> Iterator[str]:
        for dataset in data.train:
            for article in dataset.articles:
                yield article.text

    return scratch_encoder(texts(), **chosen.scratch.model_dump())


def make_model(config: Config, data: Data, encoder: Encoder, seed: int) -> RasidModel:
    """Encoder and heads; the heads have the weights of their seed."""
    torch.manual_seed(seed)
    entities = config.tasks.get("entities")
    network_config = RasidConfig(
        encoder=encoder.model.config.to_dict(),
        tasks=[task for task in TASK_ORDER if task in config.tasks],
        entities=data.scheme.labels("entities"),
        events=data.scheme.labels("triggers"),
        pooling=config.encoder.pooling,
        crf=entities is not None and entities.decoder == "crf",
        dropout=config.training.dropout,
    )
    return RasidModel(network_config, encoder.model)


def make_settings(config: Config, data: Data, encoder: Encoder) -> Settings:
    """What the bundle will say, before anything is tuned."""
    trained_labels: dict[str, set[str]] = {}
    for dataset in data.train:
        for task, labels in dataset.annotated_labels.items():
            trained_labels.setdefault(task, set()).update(labels)
    tasks = tuple(task for task in TASK_ORDER if task in config.tasks)
    return Settings(
        scheme=data.scheme,
        tasks=tasks,
        window=config.encoder.window,
        overlap=config.encoder.overlap,
        normalizer=encoder.normalizer,
        encoder=encoder.name,
        trained_labels={
            task: tuple(label for label in data.scheme.labels(task) if label in trained_labels.get(task, ()))
            for task in tasks
            if task != "proclitics"
        },
        ngrams=_ngram_weight(config),
    )


def make_windows(file: Path, config: Config, data: Data, encoder: Encoder) -> tuple[WindowSet, Statistics]:
    """Encode the training data once, in the main process, and map it."""
    reader = TextEncoder(encoder.tokenizer, window=config.encoder.window, overlap=config.encoder.overlap)
    maker = TargetMaker(data.scheme)
    sources: list[tuple[Iterable[Article], AnnotatedLabels]] = [
        (dataset.articles, {task: names for task, names in dataset.annotated_labels.items() if task in config.tasks})
        for dataset in data.train
    ]
    state = processes()
    own = file if state.is_main_process else file.with_name(f"{file.name}.{os.getpid()}")
    # Every process encodes (it needs the statistics too), but only one file stays.
    own.parent.mkdir(parents=True, exist_ok=True)
    statistics = write_windows(own, sources, reader, maker, budget=config.training.batch_tokens)
    windows = WindowSet(own)
    if not state.is_main_process:
        own.unlink()  # stays mapped until this process ends
    if unread := set(range(len(data.train))).difference(windows.sources.tolist()):
        raise DataError(_unread(data.train[number]) for number in sorted(unread))
    return windows, statistics


def _unread(dataset: DataSet) -> Problem:
    shown = next((article.text[:40] for article in dataset.articles if article.text.strip()), "")
    return Problem(
        source=dataset.name,
        cause="no readable text",
        message=f"the encoder's tokenizer sees no word in any of the {len(dataset.articles)} articles"
        + (f", which start with {shown!r}; is this the right encoder for them?" if shown else ": they are blank"),
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The schedule of a run in numbers."""

    schedule: Schedule
    per_epoch: int
    padding: float
    steps: int
    steps_per_epoch: int


def make_plan(config: Config, windows: WindowSet, seed: int) -> Plan:
    """All batches of a run."""
    how = config.training
    repeats = np.array([source.repeats for source in config.data.train])[windows.sources]
    share = how.accumulation * processes().num_processes
    batches, per_epoch = plan_run(
        windows.lengths,
        budget=how.batch_tokens,
        epochs=how.epochs,
        seed=seed,
        multiple=share,
        groups=windows.groups,
        repeats=None if (repeats == 1).all() else repeats,
    )
    if how.max_steps is not None:
        batches = batches[: how.max_steps * share]
    return Plan(
        schedule=Schedule(batches),
        per_epoch=per_epoch,
        padding=padding_share(windows.lengths, batches[:per_epoch]),
        steps=len(batches) // share,
        steps_per_epoch=max(1, per_epoch // share),
    )


def make_ngrams(config: Config, data: Data, encoder: Encoder) -> NgramModel | None:
    """The linear model that stands beside the network, fitted to the same sentences; None where none was asked for."""
    if not _ngram_weight(config):
        return None
    reader = TextEncoder(encoder.tokenizer, window=config.encoder.window, overlap=config.encoder.overlap)
    maker = TargetMaker(data.scheme)
    texts: list[str] = []
    targets: list[np.ndarray] = []
    for dataset in data.train:
        if "sentence_types" not in dataset.annotated_labels:
            continue
        for article in dataset.articles:
            given = [(s.start, s.end) for s in article.sentences] or None
            encoded = reader.encode([article.text], [given])[0]
            texts += reader.normalized_sentences(article.text, encoded)
            targets.append(maker.make(article, encoded, dataset.annotated_labels).sentence_types)
    return ngrams.fit(texts, np.concatenate(targets))


def _ngram_weight(config: Config) -> float:
    task = config.tasks.get("sentence_types")
    return task.ngrams if task else 0.0


def tag_weights(config: Config, statistics: Statistics) -> torch.Tensor | None:
    """Weights of entity tags by the root of their inverse frequency, with mean 1 over the words; None for none."""
    task = config.tasks.get("entities")
    if task is None or task.class_weights == "none":
        return None
    counts = np.maximum(statistics.tags, 1)
    weights = 1 / np.sqrt(counts)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)
