"""Checks of arguments: entity labels that a role may not or hardly ever has, and events without a usual role."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from ..data.articles import Argument, Entity, Event
from ..data.labels import LabelScheme
from .article_views import ArticleView, shown
from .findings import Finding, count_table, finding

RARE = 0.01  # share of a role's arguments that have an entity label
USUAL = 0.95  # share of a type's events that have a role
LEAST = 100  # arguments of a role, or events of a type; with fewer, a share says little


def _arguments(view: ArticleView) -> Iterator[tuple[Event, Argument, Entity]]:
    entities = {entity.id: entity for entity in view.article.entities}
    for event in view.article.events:
        for argument in event.arguments:
            yield event, argument, entities[argument.entity]


def arguments_outside_scheme(views: Sequence[ArticleView], scheme: LabelScheme | None) -> Iterator[Finding]:
    """Arguments with an entity label or an event type that the scheme does not allow for their role."""
    if scheme is None:
        return
    locations, counts = [], Counter()
    for view in views:
        for event, argument, entity in _arguments(view):
            role = scheme.roles.get(argument.role)
            types = [label for label in event.types if label in scheme.events]
            if role is None or entity.label not in scheme.entities or not types:
                continue  # unknown labels are another finding
            if any(scheme.allows(label, role.name, entity.label) for label in types):
                continue
            if role.entities and entity.label not in role.entities:
                wrong = entity.label
                why = f"{shown(entity.text)} is {wrong}, not {' or '.join(role.entities)}"
            else:
                wrong = types[0]
                why = f"only {', '.join(role.events)} may have it, not {wrong}"
            counts[role.name, wrong] += 1
            message = f"{role.name} of {shown(event.trigger.text)}: {why}"
            locations.append(view.location(message, entity.start, entity.end, role.name))
    head = ("role", "entity label or event type", "count")
    yield from finding("arguments-outside-scheme", locations, table=count_table(head, counts))


def unusual_arguments(views: Sequence[ArticleView], scheme: LabelScheme | None) -> Iterator[Finding]:
    """Arguments with an entity label that hardly any other argument of their role has.

    Roles whose entity labels are limited by the scheme are left out: there, every other label is usual.
    """
    limited = {name for name, role in scheme.roles.items() if role.entities} if scheme else set()
    found = [(view, *item) for view in views for item in _arguments(view) if item[1].role not in limited]
    roles = Counter(argument.role for _, _, argument, _ in found)
    labels = Counter((argument.role, entity.label) for _, _, argument, entity in found)
    rare = {key: count for key, count in labels.items() if count <= RARE * roles[key[0]] and roles[key[0]] >= LEAST}
    locations = []
    for view, event, argument, entity in found:
        if count := rare.get((argument.role, entity.label)):
            often = f"{entity.label}, as in {count} of {roles[argument.role]}"
            message = f"{argument.role} of {shown(event.trigger.text)}: {shown(entity.text)} is {often}"
            locations.append(view.location(message, entity.start, entity.end, argument.role))
    table = count_table(("role", "entity label", "count"), Counter(rare))
    yield from finding("unusual-arguments", locations, table=table, share=100 * RARE)


def missing_roles(views: Sequence[ArticleView]) -> Iterator[Finding]:
    """Events without a role that nearly all events of their type have, in articles where that role was annotated."""
    events: Counter[tuple[str, str]] = Counter()
    without: defaultdict[tuple[str, str], list[tuple[ArticleView, Event]]] = defaultdict(list)
    for view in views:
        for event in view.article.events:
            roles = {argument.role for argument in event.arguments}
            for key in product(event.types, view.annotated.get("arguments", ())):
                events[key] += 1
                if key[1] not in roles:
                    without[key].append((view, event))
    usual = {
        key: found for key, found in without.items() if events[key] >= LEAST and len(found) <= (1 - USUAL) * events[key]
    }
    locations = []
    for (label, role), found in usual.items():
        count = events[label, role]
        for view, event in found:
            often = f"as {count - len(found)} of {count} events of type {label} have"
            message = f"{shown(event.trigger.text)} has no {role}, {often}"
            locations.append(view.location(message, event.trigger.start, event.trigger.end, label))
    counts = Counter({key: len(found) for key, found in usual.items()})
    table = count_table(("type", "role", "count"), counts)
    yield from finding("missing-roles", locations, table=table, share=100 * USUAL)
