"""Fixtures of the commands' tests."""

import os
import subprocess
from collections.abc import Callable

import pytest

from rasid.data.articles import Article

MAIN = "from rasid.__main__ import main\nmain()\n"


@pytest.fixture(scope="session")
def annotations() -> Callable[[Article], tuple]:
    """Entities, triggers and types of an article, without ids and scores."""

    def annotations(article: Article) -> tuple:
        entities = [(entity.start, entity.end, entity.label) for entity in article.entities]
        return entities, [(event.trigger, event.types) for event in article.events], article.event_types

    return annotations


@pytest.fixture(scope="session")
def closed_stdout(python: Callable) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run rasid in a process whose stdout is a closed pipe."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        reader, writer = os.pipe()
        os.close(reader)
        options |= {"capture_output": False, "stdout": writer, "stderr": subprocess.PIPE}
        done = python(MAIN, *map(str, arguments), **options)
        os.close(writer)
        return done

    return run
