"""The tasks: one file each, and the table of them. Everything that runs over tasks runs over this table.

A new task is a file here and its name in `TASKS`, in `data.articles.Task` and in the schema of the config; also in
`data.labels.KINDS`, if it has labels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...data.articles import Task as TaskName
from ...data.labels import LabelScheme
from ...data.windows.columns import Column
from ...data.windows.targets import TargetMaker
from . import article_types, entities, proclitics, sentence_types, triggers
from .task import LabelRows, LossOptions, Prediction, Task

if TYPE_CHECKING:
    from ..shape import RasidConfig

__all__ = [
    "TASKS", "TASK_NAMES", "LabelRows", "LossOptions", "Prediction", "Task", "columns_of", "heads_of", "target_maker",
    "widths_of",
]  # fmt: skip

TASKS: tuple[Task, ...] = (entities.TASK, triggers.TASK, proclitics.TASK, sentence_types.TASK, article_types.TASK)
"""In the order of the network's outputs. Proclitics follow the tasks that have mentions."""

TASK_NAMES = tuple(task.name for task in TASKS)


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


def widths_of(trained: Sequence[str], labels: "LabelScheme | RasidConfig") -> dict[str, int]:
    """Heads of a network → logits per word or sentence, in the order of the network's outputs."""
    return {task.name: task.width(len(task.labels(labels))) for task in TASKS if task.name in trained}


def columns_of(labels: "LabelScheme | RasidConfig") -> dict[str, Column]:
    """The target arrays of all tasks.

    Args:
        labels: a scheme, or the configuration of a network.
    """
    return {name: column for task in TASKS for name, column in task.columns(len(task.labels(labels))).items()}


def target_maker(scheme: LabelScheme) -> TargetMaker:
    """Makes the targets of all tasks under a scheme."""
    return TargetMaker(scheme=scheme, functions=tuple(task.targets for task in TASKS), columns=columns_of(scheme))
