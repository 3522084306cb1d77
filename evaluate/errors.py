"""The most frequent errors of a tagger, with one place in which to see each."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from ..data.articles import Article

Kind = Literal["missed", "spurious", "wrong label"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrequentError:
    """An error and how often it was made.

    Attributes:
        task: ``"entities"`` or ``"triggers"``.
        kind: ``missed``, gold that was not predicted; ``spurious``, predicted and not gold; ``wrong label``, the
            extent is right.
        label: of gold; of the prediction where it is spurious.
        predicted_label: where the label is wrong.
        text: the mention.
        count: how often, in how many places.
        article: id of the first article in which it was made.
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
    width: int = 30,
) -> tuple[FrequentError, ...]:
    """The errors under strict matching, most frequent first, by kind, label and surface.

    Args:
        articles: their texts are what the spans are offsets into.
        gold: spans of each article, in code points, unannotated labels left out.
        predicted: likewise.
        task: what was tagged.
        limit: how many errors at most.
        width: code points of context on each side, at most.
    """
    counter: Counter[tuple[Kind, str, str, str]] = Counter()
    first: dict[tuple[Kind, str, str, str], tuple[Article, int, int]] = {}

    def record(article: Article, kind: Kind, start: int, end: int, label: str, other: str = "") -> None:
        key = (kind, label, other, article.text[start:end])
        counter[key] += 1
        first.setdefault(key, (article, start, end))

    for article, right, found in zip(articles, gold, predicted, strict=True):
        spurious = sorted(found - right)
        for start, end, label in sorted(right - found):
            same = next((span for span in spurious if span[:2] == (start, end)), None)
            if same is None:
                record(article, "missed", start, end, label)
            else:
                spurious.remove(same)  # one wrong label is one error, not a missed and a spurious mention
                record(article, "wrong label", start, end, label, same[2])
        for start, end, label in spurious:
            record(article, "spurious", start, end, label)

    errors = []
    for (kind, label, other, surface), count in counter.most_common(limit):
        article, start, end = first[kind, label, other, surface]
        errors.append(
            FrequentError(
                task=task,
                kind=kind,
                label=label,
                predicted_label=other,
                text=surface,
                count=count,
                article=article.id,
                before=article.text[max(0, start - width) : start],
                after=article.text[end : end + width],
            )
        )
    return tuple(errors)
