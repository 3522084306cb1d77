"""The tasks: one file each, and the table of them. Everything that runs over tasks runs over this table.

A new task is a file here and its name in `TASKS`, in `data.articles.Task` and in the schema of the config; also in
`data.labels.KINDS`, if it has labels.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...data.articles import Task as TaskName
from ...data.labels import LabelScheme
from ...data.windows.columns import Column
from ...data.windows.targets import TargetMaker
from ..bundle import Settings, SpanOptions
from . import arguments, article_types, entities, entity_spans, proclitics, sentence_types, triggers
from .task import LabelRows, LossOptions, Prediction, Task

if TYPE_CHECKING:
    from ..shape import RasidConfig

__all__ = [
    "TASKS", "TASK_NAMES", "LabelRows", "LossOptions", "Prediction", "Task", "columns_of", "heads_of", "target_maker",
    "tasks_of", "widths_of",
]  # fmt: skip

TASKS: tuple[Task, ...] = (
    entities.TASK,
    triggers.TASK,
    proclitics.TASK,
    sentence_types.TASK,
    article_types.TASK,
    arguments.TASK,
)
"""In the order of the network's outputs. Proclitics and arguments follow the tasks that have mentions."""

TASK_NAMES = tuple(task.name for task in TASKS)


def tasks_of(spans: SpanOptions | Mapping[str, Any] | None) -> tuple[Task, ...]:
    """The tasks as a network has them.

    Args:
        spans: of the span head for entities, from `Settings` or `RasidConfig`; None for BIO tags.
    """
    if spans is None:
        return TASKS
    options = spans if isinstance(spans, SpanOptions) else SpanOptions.of(spans)
    return tuple(entity_spans.task_of(options) if task.name == "entities" else task for task in TASKS)


def heads_of(trained: Sequence[str]) -> dict[TaskName, str]:
    """Tasks that a network with these heads can decide → the head that decides.

    >>> heads_of(["entities", "sentence_types"])
    {'entities': 'entities', 'sentence_types': 'sentence_types', 'article_types': 'sentence_types'}
    """
    heads: dict[TaskName, str] = {}
    for task in TASKS:
        head = task.name if task.name in trained else task.source
        if head and head in trained:
            heads[task.name] = head
    return heads


def widths_of(settings: Settings) -> dict[str, int]:
    """Heads of a network → logits per word or sentence, in the order of the network's outputs."""
    trained = [task for task in tasks_of(settings.spans) if task.name in settings.tasks]
    return {task.name: task.width(len(task.labels(settings.scheme))) for task in trained}


def columns_of(labels: "LabelScheme | RasidConfig", tasks: Sequence[Task] = TASKS) -> dict[str, Column]:
    """The target arrays of tasks.

    Args:
        labels: a scheme, or the configuration of a network.
        tasks: see `tasks_of`.
    """
    return {name: column for task in tasks for name, column in task.columns(len(task.labels(labels))).items()}


def target_maker(scheme: LabelScheme, tasks: Sequence[Task] = TASKS) -> TargetMaker:
    """Makes the targets of tasks under a scheme."""
    functions = tuple(task.targets for task in tasks)
    return TargetMaker(scheme=scheme, functions=functions, columns=columns_of(scheme, tasks))
