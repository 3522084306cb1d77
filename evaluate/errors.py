"""The most frequent errors of a tagger, each with one example."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from ..data.articles import Article
from .arguments import AttachedArgument

Kind = Literal["missed", "spurious", "wrong label", "wrong role", "wrong mention"]

WIDTH = 30  # code points of context on each side of an example


@dataclass(frozen=True, kw_only=True, slots=True)
class FrequentError:
    """An error that a tagger made one or more times.

    Attributes:
        task: ``"entities"``, ``"triggers"`` or ``"arguments"``.
        kind: ``missed``, gold that was not predicted; ``spurious``, predicted and not gold; ``wrong label``, the
            extent is right. Of arguments also ``wrong role``, trigger and mention are right; and ``wrong mention``,
            trigger and role are right.
        label: of the gold; of the prediction if it is spurious. Of an argument, event type and role.
        predicted_label: if the label is wrong; the role, if the role is wrong.
        text: the mention; of an argument, trigger and mention.
        count: number of mentions with this error.
        article: id of the first article with the error.
        before, after: the text around it there.
    """

    task: str
    kind: Kind
    label: str
    predicted_label: str = ""
    text: str
    count: int
    article: str
    before: str
    after: str


def frequent_errors(
    articles: Sequence[Article],
    gold: Sequence[AbstractSet[tuple[int, int, str]]],
    predicted: Sequence[AbstractSet[tuple[int, int, str]]],
    *,
    task: str,
    limit: int = 20,
) -> tuple[FrequentError, ...]:
    """The errors under strict matching, most frequent first, by kind, label and surface.

    Args:
        articles: texts of the spans.
        gold: spans of each article, in code points, of annotated labels.
        predicted: as gold.
        task: of the spans.
        limit: largest number of errors.
    """

    def errors() -> Iterator[FrequentError]:
        for article, gold_spans, predicted_spans in zip(articles, gold, predicted, strict=True):
            spurious = sorted(predicted_spans - gold_spans)
            for start, end, label in sorted(gold_spans - predicted_spans):
                same = next((span for span in spurious if span[:2] == (start, end)), None)
                if same is None:
                    yield _error(article, task, "missed", label, (start, end))
                else:
                    spurious.remove(same)  # a wrong label is one error, not a missed and a spurious mention
                    yield _error(article, task, "wrong label", label, (start, end), predicted_label=same[2])
            for start, end, label in spurious:
                yield _error(article, task, "spurious", label, (start, end))

    return _most_frequent(errors(), lambda error: (error.kind, error.label, error.predicted_label, error.text), limit)


def frequent_argument_errors(
    articles: Sequence[Article],
    gold: Sequence[AbstractSet[AttachedArgument]],
    predicted: Sequence[AbstractSet[AttachedArgument]],
    *,
    limit: int = 20,
) -> tuple[FrequentError, ...]:
    """The errors of attached arguments, most frequent first, by kind, event type and role.

    A wrong role or a wrong mention is one error, not a missed and a spurious argument.

    Args:
        articles: texts of the arguments.
        gold: arguments of each article.
        predicted: as gold.
        limit: largest number of errors.
    """

    def errors() -> Iterator[FrequentError]:
        for article, gold_arguments, predicted_arguments in zip(articles, gold, predicted, strict=True):
            missed, spurious = gold_arguments - predicted_arguments, predicted_arguments - gold_arguments
            for kind, same in _SAME.items():
                pairs = _pairs(missed, spurious, same)
                missed -= {argument for argument, _ in pairs}
                spurious -= {other for _, other in pairs}
                for argument, other in pairs:
                    yield _argument_error(article, kind, argument, other[5] if kind == "wrong role" else "")
            for argument in sorted(missed):
                yield _argument_error(article, "missed", argument)
            for argument in sorted(spurious):
                yield _argument_error(article, "spurious", argument)

    return _most_frequent(errors(), lambda error: (error.kind, error.label, error.predicted_label), limit)


# What a missed and a spurious argument have in common that are one error of this kind.
_SAME: dict[Kind, Callable[[AttachedArgument], Hashable]] = {
    "wrong role": lambda argument: argument[:5],
    "wrong mention": lambda argument: (*argument[:3], argument[5]),
}


def _pairs(
    missed: Iterable[AttachedArgument],
    spurious: Iterable[AttachedArgument],
    same: Callable[[AttachedArgument], Hashable],
) -> list[tuple[AttachedArgument, AttachedArgument]]:
    """Missed and spurious arguments of which something is the same, one to one."""
    others: defaultdict[Hashable, list[AttachedArgument]] = defaultdict(list)
    for argument in sorted(spurious, reverse=True):
        others[same(argument)].append(argument)
    return [(argument, found.pop()) for argument in sorted(missed) if (found := others[same(argument)])]


def _argument_error(
    article: Article, kind: Kind, argument: AttachedArgument, predicted_label: str = ""
) -> FrequentError:
    label, trigger, mention = f"{argument[2]} {argument[5]}", argument[:2], argument[3:5]
    return _error(article, "arguments", kind, label, trigger, mention, predicted_label=predicted_label)


def _error(
    article: Article, task: str, kind: Kind, label: str, *spans: tuple[int, int], predicted_label: str = ""
) -> FrequentError:
    """One error in an article, at one or more spans."""
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    return FrequentError(
        task=task,
        kind=kind,
        label=label,
        predicted_label=predicted_label,
        text=" … ".join(article.text[start:end] for start, end in sorted(spans)),
        count=1,
        article=article.id,
        before=article.text[max(0, start - WIDTH) : start],
        after=article.text[end : end + WIDTH],
    )


def _most_frequent(
    errors: Iterable[FrequentError], key: Callable[[FrequentError], Hashable], limit: int
) -> tuple[FrequentError, ...]:
    """The first error of each key, with their number."""
    counter: Counter[Hashable] = Counter()
    examples: dict[Hashable, FrequentError] = {}
    for error in errors:
        counter[key(error)] += 1
        examples.setdefault(key(error), error)
    return tuple(replace(examples[key], count=count) for key, count in counter.most_common(limit))
