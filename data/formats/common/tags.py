"""Tags of tokens (IOB1, IOB2, BIOES, BILOU, BMES) and the spans that they encode."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

TaggedSpan = tuple[int, int, str]
TagScheme = Literal["IOB2", "BIOES", "BILOU", "BMES"]

TAG = re.compile(r"O|[BIMELSU]-.+", re.DOTALL)

# Prefixes of the first token of a span, one inside, the last one, and the only one.
PREFIXES: dict[TagScheme, str] = {"IOB2": "BIIB", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}


def tags_to_spans(tags: Sequence[str]) -> list[TaggedSpan]:
    """Spans of one column of tags as (first token, end token exclusive, label), by the rules of seqeval's default mode.

    ``B-`` starts a span. ``I-`` (``M-``) continues the span of its label; without one it starts a span. ``E-``
    (``L-``) ends a span, ``S-`` (``U-``) is a span of one token.

    >>> tags_to_spans(["I-PER", "I-PER", "B-PER", "I-ORG"])
    [(0, 2, 'PER'), (2, 3, 'PER'), (3, 4, 'ORG')]

    Raises:
        ValueError: something is not a tag.
    """
    if wrong := [tag for tag in tags if not TAG.fullmatch(tag)]:
        raise ValueError(f"{wrong[0]!r} is not a tag; tags are O, B-LABEL, I-LABEL and the like")
    return columns_to_spans([(tag,) for tag in tags])[0]


def spans_to_tags(spans: Iterable[TaggedSpan], length: int, scheme: TagScheme = "IOB2") -> list[str]:
    """Tags of `length` tokens. Of overlapping spans the longest is kept, of equally long ones the first.

    >>> spans_to_tags([(0, 3, "PER"), (3, 4, "GPE")], 4, "BIOES")
    ['B-PER', 'I-PER', 'E-PER', 'S-GPE']
    """
    return spans_to_columns(spans, length, scheme)[0]


def columns_to_spans(rows: Sequence[Sequence[str]]) -> tuple[list[TaggedSpan], list[int]]:
    """Distinct spans of tag columns, sorted by (start, -end, label), and the tokens of ``I-`` tags that start a span.

    Args:
        rows: the tags of each token, one per column.
    """
    spans: list[TaggedSpan] = []
    strays: list[int] = []
    running: list[tuple[int, str, int]] = []  # start, label, column
    for token, tags in enumerate(rows):
        ended, running = running, []
        for column, tag in enumerate(tags):
            if tag == "O":
                continue
            prefix, _, label = tag.partition("-")
            continued = [span for span in ended if span[1] == label] if prefix in "IMEL" else []
            start = token
            if continued:
                # Prefer the span of the same column, else the innermost: a column does not correspond to a depth.
                chosen = max(continued, key=lambda span: (span[2] == column, span[0]))
                ended.remove(chosen)
                start = chosen[0]
            elif prefix in "IMEL":
                strays.append(token)
            if prefix in "ELSU":
                spans.append((start, token + 1, label))
            else:
                running.append((start, label, column))
        spans += [(start, token, label) for start, label, _ in ended]
    spans += [(start, len(rows), label) for start, label, _ in running]
    return sorted(set(spans), key=lambda span: (span[0], -span[1], span[2])), strays


def spans_to_columns(spans: Iterable[TaggedSpan], length: int, scheme: TagScheme) -> list[list[str]]:
    """Tags by column, at least one; longer spans are in earlier columns."""
    first, inside, last, only = PREFIXES[scheme]
    columns: list[list[str]] = [["O"] * length]
    for start, stop, label in sorted(spans, key=lambda span: span[0] - span[1]):
        column = next((tags for tags in columns if all(tag == "O" for tag in tags[start:stop])), None)
        if column is None:
            columns.append(column := ["O"] * length)
        prefixes = only if stop - start == 1 else first + inside * (stop - start - 2) + last
        column[start:stop] = [f"{prefix}-{label}" for prefix in prefixes]
    return columns
