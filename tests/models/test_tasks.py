"""The table of tasks against the other places that name tasks."""

from typing import get_args

import pytest
from pydantic import ValidationError

from rasid.configs.schema import TASK_OPTIONS, Config, TaskConfig, TaskName
from rasid.data import articles
from rasid.models.tasks import TASK_NAMES, TASKS, heads_of

OTHER_VALUES = {"positive_weight": 2.0, "decoder": "crf", "class_weights": "balanced", "ngrams": 1.0}
OF_SPANS: dict[str, object] = {"nesting": False, "longest": 8}


def config(task: str, **options: object) -> Config:
    everywhere = [{"path": "x.jsonl", "annotated": list(TASK_NAMES)}]
    tasks = {"entities": {}, "triggers": {}, task: options}  # arguments need both
    return Config.model_validate({"tasks": tasks, "data": {"train": everywhere, "dev": everywhere}})


def test_config_and_articles_name_the_tasks_of_the_table() -> None:
    assert get_args(TaskName) == TASK_NAMES
    assert set(TASK_NAMES) <= set(articles.TASKS)


@pytest.mark.parametrize("task", TASKS, ids=TASK_NAMES)
def test_the_config_takes_the_options_of_a_task(task) -> None:
    values = OTHER_VALUES | OF_SPANS
    assert set(values) == set(TASK_OPTIONS) == set(TaskConfig.model_fields) - {"weight"}
    for option, value in values.items():
        if task.name in TASK_OPTIONS[option]:
            given = {option: value} | ({"decoder": "spans"} if option in OF_SPANS else {})
            assert getattr(config(task.name, **given).tasks[task.name], option) == value
        else:
            with pytest.raises(ValidationError, match="option"):
                config(task.name, **{option: value})


def test_every_task_has_a_head_or_a_source() -> None:
    assert heads_of(TASK_NAMES) == {name: name for name in TASK_NAMES}
    assert heads_of(["triggers"]) == {"triggers": "triggers"}
    for task in TASKS:
        assert task.source is None or task.source in TASK_NAMES[: TASK_NAMES.index(task.name)]  # forward needs it first
