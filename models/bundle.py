"""Settings of a bundle: everything that tagging depends on besides the weights and the tokenizer."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import renamed
from ..data.articles import TASKS
from ..data.labels import KINDS, LabelScheme
from ..data.text.normalizer import VERSION as NORMALIZER
from ..errors import RasidError, first_line, shown
from ..manifest import MANIFEST_FILE, manifest_problem
from .viterbi import forbidden_transitions

FORMAT = 2
TEMPERATURES = 0.01, 100.0
"""Temperatures that a bundle may have; calibration stays within narrower bounds."""
SETTINGS_FILE, NETWORK_FILE = "rasid.json", "config.json"
WEIGHTS_FILE, ONNX_FILE, NGRAM_FILE = "model.safetensors", "model.onnx", "ngrams.safetensors"
_LOADED = (SETTINGS_FILE, NETWORK_FILE, WEIGHTS_FILE, ONNX_FILE, NGRAM_FILE, "tokenizer.json")


class BundleError(RasidError, ValueError):
    """A folder that is not a bundle this version can run."""


@dataclass(frozen=True, kw_only=True)
class SpanOptions:
    """The span head for entities.

    Attributes:
        width: number of words of the longest span that it scores.
        nests: (outer label, inner label) of spans that may nest, those of the training data; None for all, empty for
            flat spans.
    """

    width: int
    nests: tuple[tuple[str, str], ...] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "SpanOptions":
        """From JSON."""
        # Before labels were listed, `nesting` told whether any may nest.
        nests = values.get("nests", None if values.get("nesting", True) else ())
        pairs = None if nests is None else tuple((str(outer), str(inner)) for outer, inner in nests)
        return cls(width=values["width"], nests=pairs)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a bundle.

    Attributes:
        normalizer: version of the project's normalizer inside the tokenizer; empty if the encoder has its own.
        encoder: name of the encoder that was fine-tuned.
        tasks: tasks that the network has a head for.
        window: sub-words in a window, special tokens included.
        overlap: sub-words that neighboring windows share.
        thresholds: task → probability from which a label is predicted, for tasks with any number of labels. [K] each
        temperatures: task → divides its logits before they become probabilities.
        transitions: CRF scores [K + 1, K], or None.
        trained_labels: task → labels that some training data annotated.
        spans: of the span head; None if entities are BIO tags.
        ngrams: weight of the `NgramModel` whose logits are added for sentence types; 0 for none.
        trained: data, seed and dev scores of the training run, for the model card.
        scheme: labels, in the order of the network's outputs.
    """

    normalizer: str = ""
    encoder: str = ""
    tasks: tuple[str, ...]
    window: int
    overlap: int
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    transitions: tuple[tuple[float, ...], ...] | None = None
    trained_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: SpanOptions | None = None
    ngrams: float = 0.0
    trained: Mapping[str, Any] = field(default_factory=dict)
    scheme: LabelScheme

    def threshold(self, task: str) -> np.ndarray:
        """Thresholds of a task, one half if none were tuned. [K]"""
        return np.array(self.thresholds.get(task, (0.5,) * len(self.scheme.labels(task))), dtype=np.float32)

    def temperature(self, task: str) -> float:
        """Temperature of a task, 1 if none was fitted."""
        return self.temperatures.get(task, 1.0)

    def save(self, folder: Path) -> None:
        """Write `SETTINGS_FILE`."""
        changed = {"labels": _labels(self), "scheme": self.scheme.to_dict()}
        changed["spans"] = vars(self.spans) if self.spans else None
        content = {"format": FORMAT, **vars(self), **changed}
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Settings":
        """Read and check `SETTINGS_FILE`.

        Raises:
            BundleError: it is missing, broken, of another format or normalizer, or contradicts itself.
        """
        path = bundle_file(folder, SETTINGS_FILE, "this is not a bundle; name the folder that export wrote")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] == 1:
                content = _of_format_1(content)
            elif content["format"] != FORMAT:
                raise BundleError(f"{path}: format {content['format']}, but this version of rasid reads {FORMAT}")
            content.setdefault("spans", None)
            values = {key.name: _tuples(content[key.name]) for key in fields(cls)}
            values["spans"] = SpanOptions.of(values["spans"]) if values["spans"] else None
            values["scheme"] = LabelScheme.from_dict(content["scheme"], str(path))
            for key, kind in (("window", int), ("overlap", int), ("ngrams", float)):
                values[key] = kind(values[key])
            settings = cls(**values)
            problem = next(_problems(settings, content["labels"]), None)
        except BundleError:
            raise
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise unreadable(path, error) from error
        if problem:
            raise BundleError(f"{path}: {problem}")
        if settings.normalizer not in ("", NORMALIZER):
            raise BundleError(
                f"{path}: made with normalizer {settings.normalizer}, but this rasid has {NORMALIZER}; "
                "export the model again, or install the version that made it"
            )
        return settings


def bundle_file(folder: Path, name: str, advice: str = "export the model again") -> Path:
    """A file of a bundle.

    Raises:
        BundleError: it is missing.
    """
    if not (folder / name).is_file():
        raise BundleError(f"{folder}: there is no {name}; {advice}")
    return folder / name


def unreadable(file: Path, error: Exception) -> BundleError:
    """The error of a broken file, in one line."""
    return BundleError(f"{file}: cannot be read: {type(error).__name__}: {first_line(error)}")


def _tuples(value: Any) -> Any:
    """A JSON value with its lists, also those one level down in a mapping, as tuples."""
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    if isinstance(value, dict):
        return {key: tuple(entry) if isinstance(entry, list) else entry for key, entry in value.items()}
    return value


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


def check_files(folder: Path) -> None:
    """Check that every file of a bundle is as it was exported, by its manifest. Bundles of version 0.1 have none.

    Raises:
        BundleError: a file is missing, was changed or was added; the message names it.
    """
    if not (folder / MANIFEST_FILE).exists() and _is_format_1(folder):
        return
    if problem := manifest_problem(folder, _LOADED):
        raise BundleError(
            f"{folder}: {problem}: this is not the bundle that was exported; copy or export it again, or load it with "
            "verify=False (--no-verify) if you changed it on purpose"
        )


def _is_format_1(folder: Path) -> bool:
    try:
        return json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))["format"] == 1
    except (KeyError, OSError, RecursionError, TypeError, ValueError):
        return False


def config_file(folder: Path) -> Path:
    """The config that a bundle was trained with; version 0.1 called it recipe.yaml."""
    file, old = folder / "config.yaml", folder / "recipe.yaml"
    return old if old.is_file() and not file.is_file() else file


def check_network(folder: Path, settings: Settings, vocabulary: int) -> None:
    """Check that the network of a bundle fits its settings and its tokenizer.

    Args:
        folder: the bundle.
        settings: its settings.
        vocabulary: number of sub-words of its tokenizer.

    Raises:
        BundleError: labels or tasks differ, the vocabulary is too large, or the configuration cannot be read.
    """
    path = bundle_file(folder, NETWORK_FILE)
    try:
        network = json.loads(path.read_text(encoding="utf-8"))
        outputs = {key: tuple(network.get(key, ())) for key in ("entities", "events", "roles", "tasks")}
        known = int(network["encoder"]["vocab_size"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise unreadable(path, error) from error
    outputs["tasks"] = tuple(renamed.TASKS.get(name, name) for name in outputs["tasks"])
    scheme = settings.scheme
    expected = {"entities": tuple(scheme.entities), "events": tuple(scheme.events), "tasks": settings.tasks}
    if "arguments" in settings.tasks:  # networks of earlier versions list no roles
        expected["roles"] = tuple(scheme.roles)
    for key, names in expected.items():
        if outputs[key] != names:
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
        for value in values:
            if not _is_number(value, 0, 1):
                yield f"a threshold of {task} is {shown(value)}; it is a probability, from 0 to 1"
    for task, value in settings.temperatures.items():
        if not _is_number(value, *TEMPERATURES):
            low, high = TEMPERATURES
            yield f"the temperature of {task} is {shown(value)}; it must be from {low:g} to {high:g}"
    if not _is_number(settings.ngrams, 0, 1000) or (settings.ngrams and "sentence_types" not in settings.tasks):
        yield f"the linear model for sentence types has weight {settings.ngrams}"
    if settings.transitions is not None:
        tags = 1 + 2 * len(scheme.entities)
        if [len(row) for row in settings.transitions] != [tags] * (tags + 1):
            yield f"the transitions are not of {tags} tags"
        elif not all(_is_number(value, -math.inf, math.inf) for row in settings.transitions for value in row):
            yield "a transition is not a number"
        elif (np.abs(np.array(settings.transitions)) > 1000)[~forbidden_transitions(tags)].any():
            yield "a transition between tags that may follow each other has a score beyond 1000: it decides alone"


def _is_number(value: Any, low: float, high: float) -> bool:
    """Whether a value is a finite number in a range."""
    return type(value) in (int, float) and math.isfinite(value) and low <= value <= high
