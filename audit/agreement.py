"""Agreement between annotators: strict F1 of each layer, for each two who annotated the same articles.

Strict: the same range and label, for arguments also the same trigger and entity. F1 of two annotators is the share of
their annotations that both made, and the same whoever counts as gold. Unlike kappa it needs no count of what nobody
marked. Source: Hripcsak and Rothschild, Agreement, the F-measure, and reliability in information retrieval (2005).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..data.articles import Article
from .findings import Finding, Location, finding, ranked

LAYERS = ("entities", "triggers", "arguments", "event types")

Versions = Mapping[str, Sequence[Article]]
"""Annotator → the articles as annotated by them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How far two annotators agree on a layer of an article.

    Attributes:
        article: its id.
        layer: one of `LAYERS`.
        annotators: the two.
        both: number of annotations that both made.
        counts: numbers of annotations of each.
    """

    article: str
    layer: str
    annotators: tuple[str, str]
    both: int
    counts: tuple[int, int]


def agreements(versions: Versions) -> Iterator[Agreement]:
    """Compare each two annotators on every article that both annotated, by the ids of articles.

    Layers in which neither has an annotation are left out, and so are articles whose texts differ.

    Args:
        versions: annotator → articles. An article without annotations counts: its annotator found nothing.
    """
    by_id = {name: {article.id: article for article in articles} for name, articles in versions.items()}
    for first, second in combinations(by_id, 2):
        for id in (id for id in by_id[first] if id in by_id[second]):
            one, two = by_id[first][id], by_id[second][id]
            if one.text != two.text:
                continue
            ours, theirs = _layers(one), _layers(two)
            for layer in LAYERS:
                counts = len(ours[layer]), len(theirs[layer])
                if any(counts):
                    both = len(ours[layer] & theirs[layer])
                    yield Agreement(article=id, layer=layer, annotators=(first, second), both=both, counts=counts)


def f1(found: Iterable[Agreement]) -> float:
    """Strict F1 of comparisons together; 0 if there are no annotations.

    >>> f1([Agreement(article="a", layer="entities", annotators=("x", "y"), both=1, counts=(2, 1))])
    0.6666666666666666
    """
    both = total = 0
    for item in found:
        both, total = both + item.both, total + sum(item.counts)
    return 2 * both / total if total else 0.0


def annotator_agreement(versions: Mapping[str, Versions]) -> Iterator[Finding]:
    """The agreement of annotators in each data set, with the articles on which they agree least.

    Args:
        versions: name of a data set → its articles by annotator; empty for data sets of one annotator.
    """
    rows = [("data set", "layer", "annotators", "articles", "annotations", "F1")]
    locations = []
    for name, of_annotators in versions.items():
        by_layer: dict[tuple[tuple[str, str], str], list[Agreement]] = defaultdict(list)
        by_article: dict[tuple[str, tuple[str, str]], list[Agreement]] = defaultdict(list)
        for item in agreements(of_annotators):
            by_layer[item.annotators, item.layer].append(item)
            by_article[item.article, item.annotators].append(item)
        for ((first, second), layer), items in sorted(by_layer.items(), key=lambda row: LAYERS.index(row[0][1])):
            counts = "/".join(str(sum(item.counts[side] for item in items)) for side in (0, 1))
            rows.append((name, layer, f"{first}, {second}", str(len(items)), counts, f"{100 * f1(items):.1f}"))
        locations += [_location(name, *place, items) for place, items in by_article.items()]
    yield from finding("annotator-agreement", ranked(locations), table=rows)


def _location(split: str, article: str, annotators: tuple[str, str], items: Sequence[Agreement]) -> Location:
    said = ", ".join(f"{item.layer} {item.both} the same of {item.counts[0]} and {item.counts[1]}" for item in items)
    message = f"{annotators[0]} and {annotators[1]}: {said}"
    return Location(split=split, article=article, message=message, score=1 - f1(items))


def _layers(article: Article) -> dict[str, set[Hashable]]:
    """The annotations of an article by layer; equal ones are the same annotation."""
    places = {entity.id: (entity.start, entity.end, entity.label) for entity in article.entities}
    found: dict[str, set[Hashable]] = {layer: set() for layer in LAYERS}
    found["entities"].update((entity.start, entity.end, entity.label) for entity in article.entities)
    found["event types"].update(article.event_types)
    for event in article.events:
        for kind in event.types:
            trigger = event.trigger.start, event.trigger.end, kind
            found["triggers"].add(trigger)
            found["arguments"].update((*trigger, a.role, places.get(a.entity)) for a in event.arguments)
    return found
