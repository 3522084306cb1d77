"""Writes import files for Label Studio, and the labeling configuration for them."""

from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean
from typing import Any
from xml.sax.saxutils import quoteattr

from ....errors import shown
from ...articles import Article, Entity, Event, Span
from ...labels import Label, LabelScheme
from ...problems import ArticleLog, ProblemLog
from ..common.colors import darkened, palette
from ..common.format import METADATA
from ..common.lines import json_line
from ..common.losses import EVERYTHING, write_each
from .names import ENTITIES, EVENT_TYPES, MADE_ID, TEXT, TRIGGERS

HOLDS = EVERYTHING - {
    *("sentence labels", "label of the text", "tokens", "evidence"),
    *("annotated", "annotated article_types", "annotated sentence_types"),
}


def write(articles: Iterable[Article], log: ProblemLog, *, predictions: bool | None = None) -> Iterator[str]:
    """Yield an import file in pieces: an array of tasks, one task a line.

    The ``data`` of a task has text, id, title, date, source and meta. Entities and triggers are regions, arguments are
    relations from the trigger, event types of the article are choices.

    Args:
        articles: are streamed.
        log: records what the format cannot hold, and counts articles.
        predictions: write pre-annotations with scores instead of annotations, which count as finished; None does so
            for articles that have scores.
    """

    def line(article: Article, article_log: ArticleLog) -> str | None:
        # None for a lone surrogate, which would make the tool reject the whole file.
        return json_line(_task(article, article_log, predictions), article_log)

    separator = "[\n"
    for text in write_each(articles, log, HOLDS, line):
        yield separator + text.rstrip("\n")
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def _task(article: Article, log: ArticleLog, predictions: bool | None) -> dict[str, Any]:
    data: dict[str, Any] = {"text": article.text, "id": article.id}
    data |= {key: value for key in METADATA if (value := getattr(article, key)) is not None}
    data |= {"meta": dict(article.meta)} if article.meta else {}
    result = _result(article, log)
    scores = _scores(article)
    if predictions or (predictions is None and scores):
        mean = {"score": fmean(scores)} if scores else {}
        return {"data": data, "predictions": [{"model_version": "rasid", "result": result, **mean}]}
    return {"data": data, "annotations": [{"result": result}]}


def _scores(article: Article) -> list[float]:
    """Every score of an article."""
    scored = [*article.entities, *(argument for event in article.events for argument in event.arguments)]
    scores = [item.score for item in scored if item.score is not None]
    return [*scores, *(score for event in article.events for score in event.scores), *article.type_scores]


def _result(article: Article, log: ArticleLog) -> list[dict[str, Any]]:
    """Regions of entities and triggers, then relations, then choices."""
    names: set[str] = set()
    regions: list[dict[str, Any]] = []
    entity_names: dict[str, str] = {}
    relations: list[dict[str, Any]] = []

    def name(given: str, made: str) -> str:
        # The tool cuts ids at number signs.
        if given and ("#" in given or given in names or MADE_ID.fullmatch(given)):
            reason = "it is used twice, has '#', or has the form of made ids"
            log.drop("id", f"id {shown(given)} is written as {made!r}: {reason}")
            given = ""
        names.add(given or made)
        return given or made

    for number, entity in enumerate(article.entities, 1):
        if not entity.label:
            log.drop("entity left out", f"{shown(entity.text)} at {entity.start} has no label")
            continue
        region = _region(article.text, entity, ENTITIES, [entity.label], name(entity.id, f"rasid-e{number}"))
        entity_names.setdefault(entity.id, region["id"])
        regions.append(region | _scored([entity.score]))
    for number, event in enumerate(article.events, 1):
        trigger = event.trigger
        if not event.types or not all(event.types):
            log.drop("event left out", f"trigger {shown(trigger.text)} at {trigger.start} has no type, or an empty one")
            continue
        region = _region(article.text, trigger, TRIGGERS, list(event.types), name(event.id, f"rasid-t{number}"))
        regions.append(region | _scored(event.scores))
        relations += _relations(event, region["id"], entity_names, log)
    return regions + relations + _choices(article, log)


def _region(text: str, span: Entity | Span, control: str, labels: list[str], name: str) -> dict[str, Any]:
    value = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": labels}
    return {"id": name, "from_name": control, "to_name": TEXT, "type": "labels", "value": value}


def _scored(scores: Iterable[float | None]) -> dict[str, Any]:
    """The score that the tool shows, and the scores of single labels, which it ignores."""
    aligned = list(scores)
    known = [score for score in aligned if score is not None]
    if not known:
        return {}
    return {"score": max(known)} if len(aligned) == 1 else {"score": max(known), "scores": aligned}


def _relations(event: Event, trigger: str, entities: Mapping[str, str], log: ArticleLog) -> Iterator[dict[str, Any]]:
    """One relation an entity with all its roles: the tool drops a second relation between two regions."""
    roles: dict[str, list[tuple[str, float | None]]] = {}
    for argument in event.arguments:
        if not argument.role or argument.entity not in entities:
            message = f"{shown(argument.role)} of {shown(event.trigger.text)} has no role, or its entity is not written"
            log.drop("argument left out", message)
            continue
        roles.setdefault(entities[argument.entity], []).append((argument.role, argument.score))
    for entity, found in roles.items():
        relation = {"from_id": trigger, "to_id": entity, "type": "relation", "direction": "right"}
        yield relation | {"labels": [role for role, _ in found]} | _scored(score for _, score in found)


def _choices(article: Article, log: ArticleLog) -> list[dict[str, Any]]:
    types = list(article.event_types)
    if not types:
        return []
    if not all(types):
        log.drop("event types left out", "an event type of the article is empty")
        return []
    choices = {"from_name": EVENT_TYPES, "to_name": TEXT, "type": "choices", "value": {"choices": types}}
    return [choices | _scored(article.type_scores)]


def labeling_config(scheme: LabelScheme) -> str:
    """The labeling configuration (XML) for tasks of `write`.

    It has labels for entities and triggers with definitions as tooltips, relations for roles, and choices for event
    types of the article. The colors are those of the scheme, darkened: Label Studio writes the names of labels in their
    color on a light background. White space is preserved, so that the tool does not collapse it
    in surfaces. Regions may start inside a word, after a proclitic.

    Args:
        scheme: the labels; controls without labels are omitted.
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
    for number, (name, label) in enumerate(labels.items()):
        shown = {"value": name}
        if inner != "Relation" and (hint := label.arabic or label.definition):
            shown["hint"] = hint
        if inner != "Choice":
            shown["background"] = darkened(label.color or palette(number))
        yield f"    <{inner}{_attributes(shown)}/>"
    yield f"  </{tag}>"


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
