"""Scores of the arguments of events, as TextEE defines them (Huang et al. 2024, https://arxiv.org/abs/2311.09562).

An argument is a mention in a role of an event. Of an event with several types, each type has the arguments.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, TypeAlias

from ..data.articles import AnnotatedLabels, Article
from ..data.labels import LabelScheme
from ..data.text.sentences import split_sentences
from ..data.windows.targets import annotated_labels_of
from .counts import Counts
from .spans import ANY_LABEL, Labeled, count_exact, token_snapper

AttachedArgument: TypeAlias = tuple[int, int, str, int, int, str]
"""Start and end of the trigger, event type, start and end of the mention, role."""

ArgumentMode = Literal["arg_c+", "arg_c", "arg_i+", "arg_i", "distance", "event_type"]
"""When a predicted argument is right: event type and extent of the mention are those of a gold argument (``arg_i``),
and its role (``arg_c``). With ``+``, also the extent of the trigger that it is attached to. The `BREAKDOWNS` are
``arg_c+`` with other labels than roles: sentences between trigger and mention, and event types."""

BREAKDOWNS: tuple[ArgumentMode, ...] = ("distance", "event_type")

GIVEN = "gold_"
"""Prefix of the modes of predictions that were given the entities and triggers of gold."""

DISTANCES = ("0", "1", "2", "more")
"""Sentences between trigger and mention."""


def argument_sets(
    golds: Sequence[Article], predictions: Sequence[Article], annotated_labels: AnnotatedLabels
) -> tuple[list[set[AttachedArgument]], list[set[AttachedArgument]]]:
    """Gold and predicted arguments of every article that count: of annotated roles, event types and entity labels.

    Predicted extents are widened to tokens if gold is on tokens.

    Args:
        golds: articles with gold arguments.
        predictions: the same articles with predicted arguments, in the same order.
        annotated_labels: labels that the data set annotated; a task that is absent limits nothing, but for the roles.
    """
    gold, predicted = [], []
    for article, prediction in zip(golds, predictions, strict=True):
        annotated = annotated_labels_of(article, annotated_labels)
        gold.append(_arguments(article, annotated))
        found = _arguments(prediction, annotated)
        if article.tokens:
            snap = token_snapper(article.tokens)
            found = {(*snap(*a[:2]), a[2], *snap(*a[3:5]), a[5]) for a in found}
        predicted.append(found)
    return gold, predicted


def _arguments(article: Article, annotated: AnnotatedLabels) -> set[AttachedArgument]:
    roles, types, labels = (annotated.get(task) for task in ("arguments", "triggers", "entities"))
    entities = {entity.id: entity for entity in article.entities}
    found = set()
    for event in article.events:
        start, end = event.trigger.start, event.trigger.end
        for argument in event.arguments:
            entity = entities[argument.entity]
            if argument.role in (roles or ()) and (labels is None or entity.label in labels):
                mention = (entity.start, entity.end, argument.role)
                found.update((start, end, kind, *mention) for kind in event.types if types is None or kind in types)
    return found


def score_arguments(
    golds: Sequence[Article],
    gold: Sequence[AbstractSet[AttachedArgument]],
    predicted: Sequence[AbstractSet[AttachedArgument]],
    scheme: LabelScheme,
) -> dict[ArgumentMode, Counts]:
    """Compare the arguments of articles, in every mode.

    Args:
        golds: the articles, for their sentences.
        gold: arguments of each article.
        predicted: arguments of each article, in the same order.
        scheme: every role and event type that may occur.

    Returns:
        Mode → counts. The labels are roles, event types, or `DISTANCES`.

    Raises:
        ValueError: a role or event type is not in the scheme, or the sequences differ in length.
    """
    roles, types = scheme.labels("arguments"), scheme.labels("triggers")
    starts = [_sentence_starts(article) for article in golds]
    return {
        "arg_c+": count_exact(gold, predicted, roles),
        "arg_c": _count(gold, predicted, roles, lambda argument, _: argument[2:]),
        "arg_i+": _count(gold, predicted, (ANY_LABEL,), lambda argument, _: (*argument[:5], ANY_LABEL)),
        "arg_i": _count(gold, predicted, (ANY_LABEL,), lambda argument, _: (*argument[2:5], ANY_LABEL)),
        "distance": _count(
            gold, predicted, DISTANCES, lambda argument, row: (argument, _distance(argument, starts[row]))
        ),
        "event_type": _count(gold, predicted, types, lambda argument, _: (argument, argument[2])),
    }


def _count(
    gold: Sequence[AbstractSet[AttachedArgument]],
    predicted: Sequence[AbstractSet[AttachedArgument]],
    labels: Sequence[str],
    compared: Callable[[AttachedArgument, int], Labeled],
) -> Counts:
    """Counts of what is compared of an argument, given the number of its article."""
    one, other = (
        [{compared(argument, row) for argument in arguments} for row, arguments in enumerate(articles)]
        for articles in (gold, predicted)
    )
    return count_exact(one, other, labels)


def _sentence_starts(article: Article) -> list[int]:
    return sorted(s.start for s in article.sentences) or [start for start, _ in split_sentences(article.text)]


def _distance(argument: AttachedArgument, starts: Sequence[int]) -> str:
    """The label of an argument's distance, given where sentences start."""
    sentences = abs(bisect_right(starts, argument[0]) - bisect_right(starts, argument[3]))
    return DISTANCES[min(sentences, len(DISTANCES) - 1)]
