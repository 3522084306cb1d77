"""What the parity check compares; with real exports it is tested in tests/models/test_export.py."""

from dataclasses import replace
from typing import Any

import pytest

from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.evaluate.parity import ParityError, check_parity
from rasid.models.tasks import Prediction


def test_arguments_are_decisions() -> None:
    nothing: Any = None  # windows are not compared
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT",), arguments=(Argument(role="Actor", entity="e"),))
    entity = Entity(start=4, end=9, label="ORG", id="e")
    article = Article(text="قصف الجيش", entities=(entity,), events=(event,))
    other = replace(article, events=(replace(event, arguments=(Argument(role="Recipient", entity="e"),)),))
    one, two = (Prediction(article=found, encoded=nothing, logits={}) for found in (article, other))
    same = check_parity([one], [one], tolerance=0.0)
    assert (same.decisions, same.differences) == (3, 0)
    assert check_parity([one], [two], tolerance=1.0).differences == 2
    with pytest.raises(ParityError):
        check_parity([one], [two], tolerance=0.0)
