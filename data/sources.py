"""Data sets: articles with what they supervise, in the labels of one scheme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .articles import TASKS, Article, Task, check_articles
from .formats import load_articles
from .labels import LabelScheme
from .ledger import DataError, Ledger
from .targets import Supervision

Supervises = Sequence[str] | Mapping[str, Sequence[str] | str]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Articles and what was judged in them.

    Attributes:
        name: for reports.
        articles: valid under the scheme.
        supervision: task → labels that were judged.
        ledger: what reading repaired, and what the label mapping dropped.
    """

    name: str
    articles: list[Article]
    supervision: Supervision
    ledger: Ledger


def load_dataset(
    path: str | Path,
    *,
    scheme: LabelScheme,
    supervises: Supervises,
    format: str | None = None,
    labels: Mapping[str, str | None] | None = None,
    name: str | None = None,
) -> DataSet:
    """Load and validate a data set.

    Args:
        path: a file or folder.
        scheme: labels that the articles must have after the mapping.
        supervises: tasks, or task → labels (``"all"`` for every label of the scheme).
        format: see `data.formats`; None looks at the file.
        labels: label of the file → label of the scheme, None drops it.
        name: for reports; None takes the file's name.

    Raises:
        DataError: with every problem.
    """
    ledger = Ledger(source=str(path))
    articles = load_articles(path, format, ledger=ledger)
    if labels:
        articles = [map_labels(article, labels, ledger) for article in articles]
    if problems := check_articles(articles, scheme, str(path)):
        raise DataError(problems)
    return DataSet(
        name=name or Path(path).stem,
        articles=articles,
        supervision=resolve_supervision(supervises, scheme),
        ledger=ledger,
    )


def resolve_supervision(supervises: Supervises, scheme: LabelScheme) -> dict[Task, tuple[str, ...]]:
    """What a recipe declares, with every label named.

    Raises:
        DataError: a label is not in the scheme.
    """
    declared = supervises if isinstance(supervises, Mapping) else dict.fromkeys(supervises, "all")
    resolved: dict[Task, tuple[str, ...]] = {}
    ledger = Ledger(source="supervises")
    for name, chosen in declared.items():
        if name not in TASKS:
            ledger.refuse("unknown task", f"{name!r} is no task; there are {', '.join(TASKS)}")
            continue
        task: Task = name  # type: ignore[assignment]
        known = () if task == "boundaries" else scheme.labels(task)
        resolved[task] = known if isinstance(chosen, str) else tuple(chosen)
        for label in set(resolved[task]) - set(known):
            kind = "entities" if task == "entities" else "events"
            ledger.refuse("unknown label", f"{task}: label {label!r} is not in scheme {scheme.hint(kind, label)}")
    if ledger.quarantined:
        raise DataError(ledger.quarantined)
    return resolved


def map_labels(article: Article, labels: Mapping[str, str | None], ledger: Ledger) -> Article:
    """Rename and drop labels everywhere in an article; what is dropped is counted in the ledger."""

    def renamed(names: Sequence[str]) -> tuple[str, ...]:
        kept = []
        for name in names:
            new = labels.get(name, name)
            if new is None:
                ledger.repair("label dropped by the mapping", f"label {name!r} dropped", article=article.id)
            elif new not in kept:
                kept.append(new)
        return tuple(kept)

    entities = tuple(replace(entity, label=new[0]) for entity in article.entities if (new := renamed([entity.label])))
    alive = {entity.id for entity in entities}
    return replace(
        article,
        entities=entities,
        events=tuple(
            replace(
                event, types=types, arguments=tuple(a for a in event.arguments if not a.entity or a.entity in alive)
            )
            for event in article.events
            if (types := renamed(event.types))
        ),
        event_types=renamed(article.event_types),
        sentences=tuple(replace(sentence, types=renamed(sentence.types)) for sentence in article.sentences),
        judged={task: renamed(names) for task, names in article.judged.items()},
    )
