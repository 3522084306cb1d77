"""Data sets: articles and the labels that were annotated in them, under one label scheme."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import shown
from .articles import TASKS, AnnotatedLabels, Article, Task
from .formats.common.losses import has_scores
from .labels import KINDS, LabelScheme
from .problems import DataError, Problem, ProblemLog
from .reading import corpus_splits, read

Annotated = Sequence[str] | Mapping[str, Sequence[str] | str]

if TYPE_CHECKING:
    from datasets import Dataset as HuggingFaceDataset

    from ..configs.schema import DataSource


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Articles and the labels that were annotated in them.

    Attributes:
        name: for reports.
        articles: valid under the scheme.
        annotated_labels: task → labels that were annotated.
        log: what reading fixed and the label mapping dropped.
    """

    name: str
    articles: list[Article]
    annotated_labels: AnnotatedLabels
    log: ProblemLog

    def to_huggingface(self) -> "HuggingFaceDataset":
        """The articles as a `datasets.Dataset`: one row per article, with entities and events as lists of rows."""
        from datasets import Dataset

        return Dataset.from_list(
            [
                {
                    **{key: getattr(article, key) for key in ("id", "title", "date", "source", "text")},
                    "entities": [
                        {"id": e.id, "start": e.start, "end": e.end, "label": e.label, "text": e.text}
                        for e in article.entities
                    ],
                    "events": [
                        {
                            "start": event.trigger.start,
                            "end": event.trigger.end,
                            "text": event.trigger.text,
                            "types": list(event.types),
                            "arguments": [{"role": a.role, "entity": a.entity} for a in event.arguments],
                        }
                        for event in article.events
                    ],
                    "event_types": list(article.event_types),
                }
                for article in self.articles
            ]
        )


def load_dataset(
    source: "str | Path | DataSource",
    *,
    scheme: LabelScheme,
    annotated: Annotated | None = None,
    format: str | None = None,
    labels: Mapping[str, str | None] | None = None,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> DataSet:
    """Load and validate a data set.

    Args:
        source: a path, ``corpus:train`` or a data set of a config, as for `reading.read`.
        scheme: labels that the articles must have after the mapping.
        annotated: tasks, or task → labels (``"all"`` for every label of the scheme); None takes those of the config's
            data set, else all tasks.
        format: one of `formats.FORMATS`; None detects it.
        labels: label of the file → label of the scheme; None drops a label.
        name: for reports; None takes that of the config's data set, else the file's name.
        options: reading options of the format, as in ``{"triggers": ["Attack"]}``.

    Raises:
        DataError: with every problem, those of ``annotated`` included; also if articles are predictions.
    """
    if isinstance(source, str | Path):
        place = str(source)
        name = name or ("-".join(place.split(":")) if corpus_splits(source) else Path(source).stem)
    else:
        place = source.path or f"corpus:{source.corpus}"
        name, annotated = name or source.title, annotated or source.annotated  # pyright: ignore[reportAssignmentType]
    log = ProblemLog(source=place)
    problems: list[Problem] = []
    articles: list[Article] = []
    annotated_labels: AnnotatedLabels = {}
    try:
        annotated_labels = resolve_annotated(TASKS if annotated is None else annotated, scheme, place)
    except DataError as error:
        problems += error.problems
    try:
        how: dict[str, Any] = {"format": format, "labels": labels, "options": options}
        articles = [article for _, article in read(source, scheme=scheme, log=log, **how)]
    except DataError as error:
        problems += error.problems
    problems += _predicted(articles, place)
    if problems:
        raise DataError(problems)
    return DataSet(name=name, articles=articles, annotated_labels=annotated_labels, log=log)


def _predicted(articles: Sequence[Article], source: str) -> Iterator[Problem]:
    """The problem that articles are predictions: they have scores or evidence, which gold has not."""
    found = [article for article in articles if has_scores(article) or article.evidence]
    if found:
        message = (
            f"{len(found)} of {len(articles)} articles have scores or evidence, {shown(found[0].id)} first: they are "
            "predictions of a model, not gold; let a person correct them in an annotation tool and use its export"
        )
        yield Problem(source=source, cause="prediction", message=message)


def resolve_annotated(
    annotated: Annotated, scheme: LabelScheme, source: str = "annotated"
) -> dict[Task, tuple[str, ...]]:
    """The annotated labels by task, with ``"all"`` replaced by the labels of the scheme.

    Args:
        annotated: as for `load_dataset`.
        scheme: the labels that exist.
        source: for error messages.

    Raises:
        DataError: with every unknown task and every label that is not in the scheme.
    """
    declared = annotated if isinstance(annotated, Mapping) else dict.fromkeys(annotated, "all")
    resolved: dict[Task, tuple[str, ...]] = {}
    log = ProblemLog(source=source)
    for name, chosen in declared.items():
        if name not in TASKS:
            log.drop("unknown task", f"annotated {name!r}, which is no task; there are {', '.join(TASKS)}")
            continue
        task: Task = name  # type: ignore[assignment]
        known = scheme.labels(task) if task in KINDS else ()
        listed = known if chosen == "all" else (chosen,) if isinstance(chosen, str) else chosen
        resolved[task] = tuple(dict.fromkeys(listed))
        for label in resolved[task]:
            if label not in known:
                where = scheme.hint(KINDS[task], label) if task in KINDS else ""
                told = f"is not in scheme {where}" if where else f"is too much: {task} have no labels"
                log.drop("unknown label", f"annotated {task}: label {label!r} {told}")
    if log.dropped:
        raise DataError(log.dropped)
    return resolved


def with_role_constraints(scheme: LabelScheme, datasets: Iterable[DataSet]) -> LabelScheme:
    """A scheme whose roles have constraints: a role without any gets the labels and event types of its arguments.

    Args:
        scheme: of the run.
        datasets: its training data.
    """
    labels: dict[str, set[str]] = {role: set() for role in scheme.roles}
    types: dict[str, set[str]] = {role: set() for role in scheme.roles}
    for article in (article for dataset in datasets for article in dataset.articles):
        entities = {entity.id: entity.label for entity in article.entities}
        for event in article.events:
            for argument in event.arguments:
                labels[argument.role].add(entities[argument.entity])
                types[argument.role].update(event.types)
    roles = {
        name: role
        if role.entities or role.events
        else replace(
            role,
            entities=tuple(label for label in scheme.entities if label in labels[name]),
            events=tuple(kind for kind in scheme.events if kind in types[name]),
        )
        for name, role in scheme.roles.items()
    }
    return replace(scheme, roles=roles)
