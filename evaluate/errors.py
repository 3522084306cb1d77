"""The most frequent errors of a tagger, each with one example."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from ..data.articles import Article

Kind = Literal["missed", "spurious", "wrong label"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrequentError:
    """An error that a tagger made one or more times.

    Attributes:
        task: ``"entities"`` or ``"triggers"``.
        kind: ``missed``, gold that was not predicted; ``spurious``, predicted and not gold; ``wrong label``, the
            extent is right.
        label: of the gold; of the prediction if it is spurious.
        predicted_label: if the label is wrong.
        text: the mention.
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
    width: int = 30,
) -> tuple[FrequentError, ...]:
    """The errors under strict matching, most frequent first, by kind, label and surface.

    Args:
        articles: texts of the spans.
        gold: spans of each article, in code points, of annotated labels.
        predicted: as gold.
        task: of the spans.
        limit: largest number of errors.
        width: code points of context on each side.
    """
    counter: Counter[tuple[Kind, str, str, str]] = Counter()
    examples: dict[tuple[Kind, str, str, str], FrequentError] = {}

    def record(article: Article, kind: Kind, start: int, end: int, label: str, predicted_label: str = "") -> None:
        key = (kind, label, predicted_label, article.text[start:end])
        counter[key] += 1
        if key not in examples:
            examples[key] = FrequentError(
                task=task,
                kind=kind,
                label=label,
                predicted_label=predicted_label,
                text=article.text[start:end],
                count=0,
                article=article.id,
                before=article.text[max(0, start - width) : start],
                after=article.text[end : end + width],
            )

    for article, gold_spans, predicted_spans in zip(articles, gold, predicted, strict=True):
        spurious = sorted(predicted_spans - gold_spans)
        for start, end, label in sorted(gold_spans - predicted_spans):
            same = next((span for span in spurious if span[:2] == (start, end)), None)
            if same is None:
                record(article, "missed", start, end, label)
            else:
                spurious.remove(same)  # a wrong label is one error, not a missed and a spurious mention
                record(article, "wrong label", start, end, label, same[2])
        for start, end, label in spurious:
            record(article, "spurious", start, end, label)
    return tuple(replace(examples[key], count=count) for key, count in counter.most_common(limit))
