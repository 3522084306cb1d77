"""Data sets: articles with what they supervise, in the labels of one scheme."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .articles import TASKS, Argument, Article, Event, Task
from .formats import load_articles
from .labels import LabelScheme
from .problems import DataError, Problem, ProblemLog
from .windows.targets import AnnotatedLabels

Annotated = Sequence[str] | Mapping[str, Sequence[str] | str]
_KINDS = {"entities": "entities", "arguments": "roles"}  # of the scheme; events otherwise

if TYPE_CHECKING:
    from datasets import Dataset as HuggingFaceDataset


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Articles and what was annotated in them.

    Attributes:
        name: for reports.
        articles: valid under the scheme.
        annotated_labels: task → labels that were annotated.
        log: what reading fixed, and what the label mapping dropped.
    """

    name: str
    articles: list[Article]
    annotated_labels: AnnotatedLabels
    log: ProblemLog

    def to_huggingface(self) -> "HuggingFaceDataset":
        """The articles as a `datasets.Dataset`: one row each, mentions and triggers as lists of rows with offsets."""
        from datasets import Dataset

        return Dataset.from_list(
            [
                {
                    "id": article.id,
                    "title": article.title,
                    "date": article.date,
                    "source": article.source,
                    "text": article.text,
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
    path: str | Path,
    *,
    scheme: LabelScheme,
    annotated: Annotated,
    format: str | None = None,
    labels: Mapping[str, str | None] | None = None,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> DataSet:
    """Load and validate a data set.

    Args:
        path: a file or folder.
        scheme: labels that the articles must have after the mapping.
        annotated: tasks, or task → labels (``"all"`` for every label of the scheme).
        format: see `data.formats`; None looks at the file.
        labels: label of the file → label of the scheme, None drops it.
        name: for reports; None takes the file's name.
        options: reading options of the format, as in ``{"triggers": ["Attack"]}``.

    Raises:
        DataError: with every problem, those of ``annotated`` included.
    """
    log = ProblemLog(source=str(path))
    change = partial(map_labels, labels=labels, log=log) if labels else None
    problems: list[Problem] = []
    articles: list[Article] = []
    annotated_labels: AnnotatedLabels = {}
    try:
        annotated_labels = resolve_annotated(annotated, scheme, str(path))
    except DataError as error:
        problems += error.problems
    try:
        articles = load_articles(path, format, scheme, log=log, change=change, options=options)
    except DataError as error:
        problems += error.problems
    if problems:
        raise DataError(problems)
    return DataSet(name=name or Path(path).stem, articles=articles, annotated_labels=annotated_labels, log=log)


def resolve_annotated(
    annotated: Annotated, scheme: LabelScheme, source: str = "annotated"
) -> dict[Task, tuple[str, ...]]:
    """What a config declares, with every label named.

    Args:
        annotated: as for `load_dataset`.
        scheme: what ``"all"`` means.
        source: the data set's name, for errors.

    Raises:
        DataError: with every task that there is not, and every label that is not in the scheme.
    """
    declared = annotated if isinstance(annotated, Mapping) else dict.fromkeys(annotated, "all")
    resolved: dict[Task, tuple[str, ...]] = {}
    log = ProblemLog(source=source)
    for name, chosen in declared.items():
        if name not in TASKS:
            log.drop("unknown task", f"annotated {name!r}, which is no task; there are {', '.join(TASKS)}")
            continue
        task: Task = name  # type: ignore[assignment]
        known = () if task == "proclitics" else scheme.labels(task)
        if chosen == "all":
            resolved[task] = known
            continue
        resolved[task] = (chosen,) if isinstance(chosen, str) else tuple(dict.fromkeys(chosen))
        for label in resolved[task]:
            if label not in known:
                where = scheme.hint(_KINDS.get(task, "events"), label)
                told = f"is not in scheme {where}" if task != "proclitics" else "is too much: proclitics have no labels"
                log.drop("unknown label", f"annotated {task}: label {label!r} {told}")
    if log.dropped:
        raise DataError(log.dropped)
    return resolved


def map_labels(article: Article, labels: Mapping[str, str | None], log: ProblemLog) -> Article:
    """Rename and drop labels everywhere in an article, roles included; what is dropped is counted in the log."""

    def renamed(names: Sequence[str]) -> tuple[str, ...]:
        for name in names:
            if labels.get(name, name) is None:
                log.fix("label dropped by the mapping", f"label {name!r} dropped", article=article.id)
        return new_names(names)

    def new_names(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(new for name in names if (new := labels.get(name, name)) is not None))

    def remaining(event: Event) -> Iterator[Argument]:
        for argument in event.arguments:
            if argument.entity in dropped:
                message = f"{argument.role} of {event.trigger.text!r} dropped with its entity {argument.entity!r}"
                log.fix("argument of a dropped entity", message, article=article.id)
            elif role := renamed([argument.role]):
                yield replace(argument, role=role[0])

    entities = tuple(replace(entity, label=new[0]) for entity in article.entities if (new := renamed([entity.label])))
    # An argument that names an entity which never was stays, for validation to find.
    dropped = {entity.id for entity in article.entities} - {entity.id for entity in entities}
    return replace(
        article,
        entities=entities,
        events=tuple(
            replace(event, types=types, arguments=tuple(remaining(event)))
            for event in article.events
            if (types := renamed(event.types)) or not event.types
        ),
        event_types=renamed(article.event_types),
        sentences=tuple(replace(sentence, types=renamed(sentence.types)) for sentence in article.sentences),
        annotated={task: new_names(names) for task, names in article.annotated.items()},
    )
