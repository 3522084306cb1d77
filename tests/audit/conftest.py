"""Helpers of the audit's tests: short articles, data sets, and the findings about them."""

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from rasid.audit import Audit, Finding, audit
from rasid.audit.terminal import render
from rasid.data.articles import Article, Entity
from rasid.data.datasets import DataSet
from rasid.data.problems import ProblemLog


def _article(text: str, *surfaces: tuple[str, str], id: str = "a", **fields) -> Article:
    entities = tuple(
        Entity(start=text.index(surface), end=text.index(surface) + len(surface), label=label)
        for surface, label in surfaces
    )
    return Article(text=text, id=id, entities=entities, **fields)


def _dataset(*articles: Article, annotated_labels=None, log: ProblemLog | None = None) -> DataSet:
    return DataSet(name="x", articles=list(articles), annotated_labels=annotated_labels or {}, log=log or ProblemLog())


@pytest.fixture(scope="session")
def make() -> Callable[..., Article]:
    """``make(text, (surface, label), …)``: an article whose entities are the first occurrences of the surfaces."""
    return _article


@pytest.fixture(scope="session")
def made_set() -> Callable[..., DataSet]:
    """``made_set(article, …)``: a data set."""
    return _dataset


@pytest.fixture(scope="session")
def find() -> Callable[..., dict[str, Finding]]:
    """``find(article, …)`` or ``find(train=data set, …)``: findings by key; ``scheme`` and ``judges`` as in `audit`."""

    def find(*articles: Article, scheme=None, judges=(), **sets: DataSet) -> dict[str, Finding]:
        result = audit(sets or {"all": _dataset(*articles)}, scheme=scheme, judges=judges)
        return {finding.key: finding for finding in result.findings}

    return find


@pytest.fixture(scope="session")
def good() -> Article:
    """An article without a problem."""
    return _article("وصل الوفد إلى بغداد ثم إلى دمشق.", ("بغداد", "GPE"), ("دمشق", "GPE"), id="good")


@pytest.fixture(scope="session")
def printed() -> Callable[[Audit], str]:
    """What a terminal of 80 columns shows of an audit."""

    def printed(result: Audit) -> str:
        stream = StringIO()
        console = Console(file=stream, width=80)
        for part in render(result, limit=2):
            console.print(part)
        return stream.getvalue()

    return printed
