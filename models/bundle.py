"""Settings of a bundle: everything that tagging depends on besides the weights and the tokenizer."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import renamed
from ..data.articles import TASKS
from ..data.labels import KINDS, LabelScheme
from ..data.text.normalizer import VERSION as NORMALIZER
from ..errors import RasidError

FORMAT = 2
SETTINGS_FILE, NETWORK_FILE = "rasid.json", "config.json"


class BundleError(RasidError, ValueError):
    """A folder that is not a bundle this version can run."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a bundle.

    Attributes:
        scheme: labels, in the order of the network's outputs.
        tasks: tasks that the network has a head for.
        window: sub-words in a window, special tokens included.
        overlap: sub-words that neighboring windows share.
        normalizer: version of the project's normalizer inside the tokenizer; empty if the encoder has its own.
        thresholds: task → probability from which a label is predicted, for tasks with any number of labels. [K] each
        temperatures: task → divides its logits before they become probabilities.
        transitions: CRF scores [K + 1, K], or None.
        encoder: name of the encoder that was fine-tuned.
        trained_labels: task → labels that some training data annotated.
        ngrams: weight of the `NgramModel` whose logits are added for sentence types; 0 for none.
        trained: data, seed and dev scores of the training run, for the model card.
    """

    scheme: LabelScheme
    tasks: tuple[str, ...]
    window: int
    overlap: int
    normalizer: str = ""
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    transitions: tuple[tuple[float, ...], ...] | None = None
    encoder: str = ""
    trained_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ngrams: float = 0.0
    trained: Mapping[str, Any] = field(default_factory=dict)

    def threshold(self, task: str) -> np.ndarray:
        """Thresholds of a task, one half if none were tuned. [K]"""
        return np.array(self.thresholds.get(task, (0.5,) * len(self.scheme.labels(task))), dtype=np.float32)

    def temperature(self, task: str) -> float:
        """Temperature of a task, 1 if none was fitted."""
        return self.temperatures.get(task, 1.0)

    def save(self, folder: Path) -> None:
        """Write `SETTINGS_FILE`."""
        content = {
            "format": FORMAT,
            "normalizer": self.normalizer,
            "encoder": self.encoder,
            "tasks": self.tasks,
            "window": self.window,
            "overlap": self.overlap,
            "labels": _labels(self),
            "thresholds": self.thresholds,
            "temperatures": self.temperatures,
            "transitions": self.transitions,
            "trained_labels": self.trained_labels,
            "ngrams": self.ngrams,
            "trained": self.trained,
            "scheme": self.scheme.to_dict(),
        }
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Settings":
        """Read and check `SETTINGS_FILE`.

        Raises:
            BundleError: it is missing, broken, of another format or normalizer, or contradicts itself.
        """
        path = folder / SETTINGS_FILE
        if not path.is_file():
            raise BundleError(f"{folder}: not a bundle: there is no {SETTINGS_FILE}; name the folder that export wrote")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] == 1:
                content = _of_format_1(content)
            elif content["format"] != FORMAT:
                raise BundleError(f"{path}: format {content['format']}, but this version of rasid reads {FORMAT}")
            scheme = LabelScheme.from_dict(content["scheme"], str(path))
            settings = cls(
                scheme=scheme,
                tasks=tuple(content["tasks"]),
                window=int(content["window"]),
                overlap=int(content["overlap"]),
                normalizer=content["normalizer"],
                thresholds={task: tuple(values) for task, values in content["thresholds"].items()},
                temperatures=content["temperatures"],
                transitions=content["transitions"] and tuple(map(tuple, content["transitions"])),
                encoder=content["encoder"],
                trained_labels={task: tuple(labels) for task, labels in content["trained_labels"].items()},
                ngrams=float(content["ngrams"]),
                trained=content["trained"],
            )
            problem = next(_problems(settings, content["labels"]), None)
        except BundleError:
            raise
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else ""
            raise BundleError(f"{path}: cannot be read: {type(error).__name__}: {reason}") from error
        if problem:
            raise BundleError(f"{path}: {problem}")
        if settings.normalizer not in ("", NORMALIZER):
            raise BundleError(
                f"{path}: made with normalizer {settings.normalizer}, but this rasid has {NORMALIZER}; "
                "export the model again, or install the version that made it"
            )
        return settings


def _of_format_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of version 0.1 under today's names."""

    def tasks(values: Mapping[str, Any]) -> dict[str, Any]:
        return {renamed.TASKS.get(task, task): value for task, value in values.items()}

    return {
        **content,
        "normalizer": content["normaliser"],
        "tasks": [renamed.TASKS.get(task, task) for task in content["tasks"]],
        "labels": tasks(content["labels"]),
        "thresholds": tasks(content["thresholds"]),
        "temperatures": tasks(content["temperatures"]),
        "trained_labels": tasks(content["supervised"]),
        "trained": {"config" if key == "recipe" else key: value for key, value in content["trained"].items()},
        "ngrams": content.get("lexical", 0.0),  # the first bundles do not say
    }


def config_file(folder: Path) -> Path:
    """The config that a bundle was trained with; version 0.1 called it recipe.yaml."""
    return next(
        (file for name in ("config.yaml", "recipe.yaml") if (file := folder / name).is_file()), folder / "config.yaml"
    )


def check_network(folder: Path, settings: Settings, vocabulary: int) -> None:
    """Check that the network of a bundle fits its settings and its tokenizer.

    Args:
        folder: the bundle.
        settings: its settings.
        vocabulary: number of sub-words of its tokenizer.

    Raises:
        BundleError: labels or tasks differ, the vocabulary is too large, or the configuration cannot be read.
    """
    path = folder / NETWORK_FILE
    if not path.is_file():
        raise BundleError(f"{folder}: there is no {NETWORK_FILE}; export the model again")
    try:
        network = json.loads(path.read_text(encoding="utf-8"))
        outputs = {key: network[key] for key in ("entities", "events", "tasks")}
        known = int(network["encoder"]["vocab_size"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error
    scheme = settings.scheme
    expected = {"entities": tuple(scheme.entities), "events": tuple(scheme.events), "tasks": settings.tasks}
    for key, names in expected.items():
        new_names = renamed.TASKS if key == "tasks" else {}
        if tuple(new_names.get(name, name) for name in outputs[key]) != names:
            raise BundleError(f"{path}: its {key} differ from those of {SETTINGS_FILE}: the bundle was edited")
    if vocabulary > known:
        raise BundleError(
            f"{folder}: tokenizer.json has {vocabulary:,} sub-words and the network {known:,}: the tokenizer is of "
            "another model"
        )


def _labels(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Task → its labels, for the tasks that have labels."""
    return {task: settings.scheme.labels(task) for task in settings.tasks if task in KINDS}


def _problems(settings: Settings, labels: Mapping[str, Any]) -> Iterator[str]:
    """Contradictions within settings."""
    scheme = settings.scheme
    if unknown := set(settings.tasks) - set(TASKS):
        yield f"unknown task {min(unknown)!r}"
    for task, names in _labels(settings).items():
        if tuple(labels[task]) != names:
            yield f"the label order of {task} differs from the scheme's: the bundle was edited"
    for task, values in settings.thresholds.items():
        if len(values) != len(scheme.labels(task)):
            yield f"{len(values)} thresholds for {len(scheme.labels(task))} labels of {task}"
        if not all(math.isfinite(value) for value in values):
            yield f"a threshold of {task} is not a number"
    for task, value in settings.temperatures.items():
        if not 0 < value < math.inf:
            yield f"the temperature of {task} is {value}; it must be above 0"
    if not 0 <= settings.ngrams < math.inf or (settings.ngrams and "sentence_types" not in settings.tasks):
        yield f"the linear model for sentence types has weight {settings.ngrams}"
    if settings.transitions is not None:
        tags = 1 + 2 * len(scheme.entities)
        if [len(row) for row in settings.transitions] != [tags] * (tags + 1):
            yield f"the transitions are not of {tags} tags"
        if not all(math.isfinite(value) for row in settings.transitions for value in row):
            yield "a transition is not a number"
