"""``rasid evaluate``."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import (
    Backend,
    Labels,
    OldReadAs,
    ReadAs,
    ReadingOptions,
    Verify,
    label_mapping,
    reading_options,
)
from ._terminal import fail, show, show_scores, writing

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ..data.datasets import DataSet
    from ..inference import Tagger


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Bundle to evaluate.")],
    data: Annotated[str, typer.Argument(help="Annotated file or folder, corpus, or corpus:test.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", help="Tasks to score (repeatable; default: all the model has).")
    ] = None,
    read_as: ReadAs = None,
    option: ReadingOptions = None,
    label: Labels = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for report.json and .md.")] = None,
    backend: Backend = "torch",
    verify: Verify = True,
    format: OldReadAs = None,
) -> None:
    """Score a bundle on annotated articles, and write the report as JSON and Markdown."""
    from ..data.datasets import load_dataset
    from ..data.problems import listed_notes
    from ..evaluate import offline
    from ..evaluate.markdown import to_markdown
    from ..inference import Tagger

    tagger = Tagger.from_pretrained(bundle, backend=backend, verify=verify)  # type: ignore[arg-type]
    read_as = read_as or format
    dataset = load_dataset(
        data,
        scheme=tagger.settings.scheme,
        annotated=task or _default_tasks(data, read_as, tagger),
        format=read_as,
        labels=label_mapping(label),
        options=reading_options(option),
    )
    for line in listed_notes(dataset.log.notes):
        logger.info(line)
    _check_tasks(bundle, tagger, dataset, task or [])
    report = offline.evaluate(tagger, dataset.articles, dataset.annotated_labels, bundle=str(bundle), data=dataset.name)
    if output is not None:
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
            (output / "report.json").write_text(report.to_json(), encoding="utf-8")
            (output / "report.md").write_text(to_markdown(report), encoding="utf-8", errors="backslashreplace")
    show_scores({dataset.name: report})
    if output is not None:
        show(f"reports: {output / 'report.md'}, {output / 'report.json'}")
    else:
        show("all scores with intervals, and the most frequent errors: -o FOLDER")


def _check_tasks(bundle: Path, tagger: "Tagger", dataset: "DataSet", asked: list[str]) -> None:
    """Fail if the model has none of the data's tasks, or lacks one that was asked for."""
    from ..models.tasks import heads_of

    tasks = set(heads_of(tagger.settings.tasks))
    missing = [name for name in asked if name not in tasks]
    if missing or not (set(dataset.annotated_labels) & tasks) - {"proclitics"}:
        which = missing[0] if missing else ", ".join(dataset.annotated_labels)
        fail(f"nothing to score: {bundle} does not tag {which}; it tags {', '.join(tagger.settings.tasks)}")


def _default_tasks(data: str, format: str | None, tagger: "Tagger") -> list[str] | None:
    """The task of a format that holds one task only; all tasks of the corpus (None); else those of the model."""
    from ..data.formats import detect
    from ..data.reading import corpus_splits

    if corpus_splits(data):
        return None
    kind = format or (detect(data) if Path(data).is_file() else "")
    return {"conll": ["entities"], "classification": ["sentence_types"]}.get(kind, list(tagger.settings.tasks))
