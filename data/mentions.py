"""The parts of an annotation: spans, entities, events with their arguments, sentences.

All offsets are half-open ranges of Unicode code points of the text.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A range of the text.

    Attributes:
        start: first code point.
        end: one past the last code point.
        text: the surface. If empty, `articles.Article` fills it in; if given, `articles.check_article` compares it
            with the text.
    """

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A mention with a label; entities may nest.

    ``score`` is the model's probability of exactly this span with this label; None on gold.
    """

    start: int
    end: int
    label: str
    text: str = ""
    id: str = ""
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """The role of an entity, given by its id, in an event."""

    role: str
    entity: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A trigger with its event types and arguments.

    ``scores`` aligns with ``types``: the probability that the span triggers an event of that type; empty on gold.
    """

    trigger: Span
    types: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    id: str = ""
    scores: tuple[float, ...] = ()

    @property
    def score(self) -> float | None:
        """The highest of ``scores``; None on gold."""
        return max(self.scores, default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A sentence with its event types. ``scores`` aligns with ``types``; empty on gold."""

    start: int
    end: int
    types: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
