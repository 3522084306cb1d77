"""Writing Label Studio's import file, and the labeling configuration that fits it.

The names of the controls here are those that the reader knows its own files by.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.sax.saxutils import quoteattr

from ...articles import Article, Entity, Event, Span
from ...labels import Label, LabelScheme
from ...problems import ArticleLog, ProblemLog
from ..common.lines import json_line
from ..common.losses import EVERYTHING, record_losses

HOLDS = EVERYTHING - {
    *("sentence labels", "label of the text", "tokens", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}
ENTITIES, TRIGGERS, EVENT_TYPES, TEXT = "entity", "trigger", "event_types", "text"
# Ids of regions that have none in the article; readers drop them again.
MADE_ID = re.compile(r"rasid-[et]\d+")


def write_files(articles: Iterable[Article], path: Path, log: ProblemLog) -> None:
    """Write the import file, one task a line; `write` says what goes where."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(write(articles, log))


def write(
    articles: Iterable[Article],
    log: ProblemLog,
    *,
    predictions: bool | None = None,
    model_version: str = "rasid",
) -> Iterator[str]:
    """Yield the import file in chunks: an array of tasks, one a line.

    A task's ``data`` holds text, id, title, date, source and meta; entities and triggers are regions, arguments are
    relations from the trigger, event types of the article are choices.

    Args:
        articles: are streamed.
        log: takes what the format cannot hold, and the count.
        predictions: write pre-annotations, with scores, in place of annotations, which count as done; None does so
            for the articles with a score.
        model_version: the name that pre-annotations go by.
    """
    separator = "[\n"
    for article in articles:
        task = _task(article, log, predictions, model_version)
        # One task with a lone surrogate, and the import of the whole file fails.
        if (line := json_line(task, ArticleLog(log=log, article=article.id))) is None:
            continue
        log.articles += 1
        yield separator + line.rstrip("\n")
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def _task(article: Article, log: ProblemLog, predictions: bool | None, model_version: str) -> dict[str, Any]:
    data: dict[str, Any] = {"text": article.text, "id": article.id}
    rest = {"title": article.title, "date": article.date, "source": article.source, "meta": dict(article.meta) or None}
    data |= {key: value for key, value in rest.items() if value is not None}
    record_losses(article, HOLDS, ArticleLog(log=log, article=article.id))
    result = _result(article, log)
    scores = _scores(article)
    if predictions or (predictions is None and scores):
        prediction: dict[str, Any] = {"model_version": model_version, "result": result}
        if scores:
            prediction["score"] = fmean(scores)
        return {"data": data, "predictions": [prediction]}
    return {"data": data, "annotations": [{"result": result}]}


def _scores(article: Article) -> list[float]:
    """Every score of an article."""
    scores = [entity.score for entity in article.entities]
    scores += [argument.score for event in article.events for argument in event.arguments]
    scores += [score for event in article.events for score in event.scores]
    return [score for score in (*scores, *article.type_scores) if score is not None]


def _result(article: Article, log: ProblemLog) -> list[dict[str, Any]]:
    """Regions of entities and triggers, then relations, then the choices."""
    names: set[str] = set()
    regions: list[dict[str, Any]] = []
    entity_names: dict[str, str] = {}
    relations: list[dict[str, Any]] = []

    def name(given: str, made: str) -> str:
        # The tool cuts an id at a number sign.
        if given and ("#" in given or given in names or MADE_ID.fullmatch(given)):
            message = f"id {given!r} is written as {made!r}: it is used twice, holds '#' or is of the form of made ids"
            log.drop("id", message, article=article.id)
            given = ""
        names.add(given or made)
        return given or made

    for number, entity in enumerate(article.entities, 1):
        if not entity.label:
            log.drop("entity left out", f"{entity.text!r} at {entity.start} has no label", article=article.id)
            continue
        region = _region(article.text, entity, ENTITIES, [entity.label], name(entity.id, f"rasid-e{number}"))
        if entity.score is not None:
            region["score"] = entity.score
        entity_names.setdefault(entity.id, region["id"])
        regions.append(region)
    for number, event in enumerate(article.events, 1):
        trigger = event.trigger
        if not event.types or not all(event.types):
            message = f"trigger {trigger.text!r} at {trigger.start} has no type, or one without a name"
            log.drop("event left out", message, article=article.id)
            continue
        region = _region(article.text, trigger, TRIGGERS, list(event.types), name(event.id, f"rasid-t{number}"))
        regions.append(region | _scored(event.scores))
        relations += _relations(event, region["id"], entity_names, article.id, log)
    return regions + relations + _choices(article, log)


def _region(text: str, span: Entity | Span, control: str, labels: list[str], name: str) -> dict[str, Any]:
    value = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": labels}
    return {"id": name, "from_name": control, "to_name": TEXT, "type": "labels", "value": value}


def _scored(scores: Iterable[float | None]) -> dict[str, Any]:
    """The score that the tool shows, and those of the single labels, which it passes over."""
    aligned = list(scores)
    known = [score for score in aligned if score is not None]
    if not known:
        return {}
    return {"score": max(known)} if len(aligned) == 1 else {"score": max(known), "scores": aligned}


def _relations(
    event: Event, trigger: str, entities: Mapping[str, str], article: str, log: ProblemLog
) -> Iterator[dict[str, Any]]:
    """One relation for each entity with all its roles: the tool drops a second one between two regions."""
    roles: dict[str, list[tuple[str, float | None]]] = {}
    for argument in event.arguments:
        if not argument.role or argument.entity not in entities:
            message = f"{argument.role!r} of {event.trigger.text!r} has no role, or its entity is not written"
            log.drop("argument left out", message, article=article)
            continue
        roles.setdefault(entities[argument.entity], []).append((argument.role, argument.score))
    for entity, found in roles.items():
        relation = {"from_id": trigger, "to_id": entity, "type": "relation", "direction": "right"}
        yield relation | {"labels": [role for role, _ in found]} | _scored(score for _, score in found)


def _choices(article: Article, log: ProblemLog) -> list[dict[str, Any]]:
    types = list(article.event_types)
    if not types:
        return []
    if not all(types):
        log.drop("event types left out", "an event type of the article has no name", article=article.id)
        return []
    choices = {"from_name": EVENT_TYPES, "to_name": TEXT, "type": "choices", "value": {"choices": types}}
    return [choices | _scored(article.type_scores)]


def labeling_config(scheme: LabelScheme) -> str:
    """The labeling configuration (XML) for the tasks that `write` writes.

    Labels for entities and for triggers, relations for roles, choices for the event types of the article, in the
    scheme's colors; what a label means shows when the mouse rests on it. White space is kept as it is, without which
    the tool stores surfaces with their spaces squeezed, and a region may start inside a word, behind a proclitic.

    Args:
        scheme: labels; a control without labels is left out.
    """
    lines = ["<View>", "  <Style>.htx-text { white-space: pre-wrap; }</Style>"]
    lines += _control("Relations", "Relation", scheme.roles, {"choice": "multiple"})
    lines += _control("Labels", "Label", scheme.entities, {"name": ENTITIES, "toName": TEXT})
    lines += _control("Labels", "Label", scheme.events, {"name": TRIGGERS, "toName": TEXT, "choice": "multiple"})
    lines.append('  <View style="direction: rtl; text-align: right">')
    lines.append(f'    <Text name="{TEXT}" value="$text" granularity="symbol"/>')
    lines.append("  </View>")
    choices = {"name": EVENT_TYPES, "toName": TEXT, "choice": "multiple", "showInline": "true"}
    lines += _control("Choices", "Choice", scheme.events, choices)
    return "\n".join([*lines, "</View>", ""])


def _control(tag: str, inner: str, labels: Mapping[str, Label], attributes: dict[str, str]) -> Iterator[str]:
    if not labels:
        return
    yield f"  <{tag}{_attributes(attributes)}>"
    for name, label in labels.items():
        shown = {"value": name}
        if inner != "Relation" and (hint := label.arabic or label.definition):
            shown["hint"] = hint
        if inner != "Choice" and label.color:
            shown["background"] = label.color
        yield f"    <{inner}{_attributes(shown)}/>"
    yield f"  </{tag}>"


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
