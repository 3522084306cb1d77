"""Article text as HTML: highlighted spans, snippets, messages that quote text, and colors of labels.

Text is cut here, by code points; JavaScript counts UTF-16 code units.
"""

import colorsys
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from ..data.articles import Article, Event
from ..data.labels import Label, LabelScheme
from .symbols import plain, visible

MESSAGE = 600  # code points of a message
DEPTH = 12  # highlights inside highlights; browsers allow some 500 elements
CONTEXT = 60  # code points before and after the span of a snippet
EXCERPT = 160  # code points of the span of a snippet; a longer span is shown by its two ends
_RTL = "\u0590-\u08ff\ufb1d-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_RTL_WORDS = re.compile(f"[{_RTL}]+(?:[ .,:!?()/0-9–—-]+[{_RTL}]+)*…?")  # without quotation marks
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Highlight:
    """A span of the text that becomes an element.

    Attributes:
        start: first code point.
        end: one past the last code point.
        attributes: attributes of the element.
        lined: whether it is drawn with a line below.
        depth: number of elements that it may be nested in.
    """

    start: int
    end: int
    attributes: Markup
    lined: bool = False
    depth: int = DEPTH


@dataclass(kw_only=True, slots=True)
class _Open:
    """An element that is not closed yet: its content so far, and the number of lines below it."""

    end: int
    highlight: _Highlight | None = None
    parts: list[Markup] = field(default_factory=list)
    lines: int = 0


class Palette:
    """Numbers labels in order of use. The style sheet has a color for each number.

    Args:
        scheme: colors and definitions of labels; None has none.
    """

    def __init__(self, scheme: LabelScheme | None) -> None:
        self.scheme = scheme
        self.numbers: dict[tuple[str, str], int] = {}

    def __getitem__(self, label: tuple[str, str]) -> int:
        """Number of a label, given its section of the scheme (entities, events, roles) and its name."""
        return self.numbers.setdefault(label, len(self.numbers))

    def label(self, section: str, name: str) -> Label:
        """The label of the scheme; one with a name only if the scheme lacks it."""
        labels: Mapping[str, Label] = getattr(self.scheme, section) if self.scheme else {}
        return labels.get(name) or Label(name=name)

    def css(self) -> str:
        """A rule for each label used so far: ``.l0{--c:#8cc8ff}``."""
        rules = []
        for (section, name), number in self.numbers.items():
            color = self.label(section, name).color
            if not _COLOR.fullmatch(color):  # steps of the golden angle give neighbors different hues
                rgb = colorsys.hls_to_rgb(number * 0.381966 % 1, 0.72, 0.72)
                color = "#" + "".join(f"{round(part * 255):02x}" for part in rgb)
            rules.append(f".l{number}{{--c:{color}}}\n")
        return "".join(rules)


def shown(text: str) -> Markup:
    """Text of an article or label in a line of the page, isolated from the direction of the page."""
    return Markup("<bdi>{}</bdi>").format(_shortened(text))


def message(text: str) -> Markup:
    """A message in English that quotes article text; each quotation keeps its place and direction."""
    quoted = _RTL_WORDS.sub(r"<bdi>\g<0></bdi>", str(_shortened(text)))
    return Markup('<bdi dir="ltr">{}</bdi>').format(Markup(re.sub("`([^`]+)`", r"<code>\1</code>", quoted)))


def _shortened(text: str) -> Markup:
    return visible(text if len(text) <= MESSAGE else text[:MESSAGE] + " …", lines=False)


def _valid(start: int, end: int, text: str) -> bool:
    return 0 <= start < end <= len(text)


def ring_highlights(spans: Mapping[tuple[int, int], Sequence[int]], text: str) -> Iterator[_Highlight]:
    """Spans that the script finds by number, to ring them.

    Args:
        spans: start and end → numbers; a span outside the text is skipped.
        text: the text. They are drawn even if annotations are nested too deeply.
    """
    for (start, end), numbers in spans.items():
        if _valid(start, end, text):
            attributes = Markup('data-h="{}"').format(" ".join(map(str, numbers)))
            yield _Highlight(start=start, end=end, attributes=attributes, depth=DEPTH + 4)


def annotation_highlights(article: Article, palette: Palette) -> Iterator[_Highlight]:
    """All mentions and triggers; label, offsets and arguments are in the tooltip."""
    attributes = Markup('class="{} l{}" title="{}"').format
    for entity in article.entities:
        if _valid(entity.start, entity.end, article.text):
            title = f"{plain(entity.label)} {entity.start}–{entity.end}"
            drawn = attributes("e", palette["entities", entity.label], title)
            yield _Highlight(start=entity.start, end=entity.end, attributes=drawn, lined=True)
    surfaces = {entity.id: entity.text for entity in article.entities if entity.id}
    for event in article.events:
        trigger = event.trigger
        if _valid(trigger.start, trigger.end, article.text):
            drawn = attributes("t", palette["events", next(iter(event.types), "")], _event_title(event, surfaces))
            yield _Highlight(start=trigger.start, end=trigger.end, attributes=drawn)


def _event_title(event: Event, surfaces: Mapping[str, str]) -> str:
    places = f"{event.trigger.start}–{event.trigger.end}"
    arguments = (f"{plain(a.role)}: \u2068{plain(surfaces.get(a.entity, a.entity))}\u2069" for a in event.arguments)
    return "\n".join([f"{plain(' + '.join(event.types))} {places}", *arguments])


def highlighted(text: str, highlights: Iterable[_Highlight]) -> Markup:
    """The text with highlights as nested elements.

    Args:
        text: any text.
        highlights: one that crosses the end of another is split there; those at the same span are nested in the order
            given; those nested deeper than their ``depth`` are left out.
    """
    queue = [(item.start, -item.end, rank, item) for rank, item in enumerate(highlights)]
    heapq.heapify(queue)
    stack, done = [_Open(end=len(text))], 0

    def close_until(position: int) -> None:
        nonlocal done
        while len(stack) > 1 and stack[-1].end <= position:
            inner = stack.pop()
            inner.parts.append(visible(text[done : inner.end]))
            done = inner.end
            _close(inner, stack[-1])

    while queue:
        start, end, rank, item = heapq.heappop(queue)
        close_until(start)
        if len(stack) > item.depth:
            continue
        stack[-1].parts.append(visible(text[done:start]))
        done, end = start, -end
        if end > stack[-1].end:
            heapq.heappush(queue, (stack[-1].end, -end, rank, item))
            end = stack[-1].end
        stack.append(_Open(end=end, highlight=item))
    close_until(len(text))
    return Markup("").join([*stack[0].parts, visible(text[done:])])


def _close(inner: _Open, outer: _Open) -> None:
    """Add a finished element to the one around it. Its line is drawn below the lines inside it."""
    item = inner.highlight
    assert item is not None
    lines = Markup(' data-u="{}"').format(min(inner.lines, 5)) if item.lined and inner.lines else Markup("")
    outer.parts.append(Markup("<span {}{}>{}</span>").format(item.attributes, lines, Markup("").join(inner.parts)))
    outer.lines = max(outer.lines, inner.lines + item.lined)


def direction(text: str) -> str:
    """The direction of most letters, ``rtl`` or ``ltr``; ``dir=auto`` goes by the first letter only."""
    right_to_left = len(re.findall(r"[\u0590-\u08ff\ufb1d-\ufefc]", text))
    return "rtl" if 2 * right_to_left >= len(re.findall(r"[^\W\d_]", text)) else "ltr"


def legend(article: Article, palette: Palette) -> list[tuple[str, int, str, int]]:
    """Style, number, name and count of each label of an article."""
    counts = Counter(("e", "entities", entity.label) for entity in article.entities)
    counts.update(("t", "events", label) for event in article.events for label in event.types)
    return [(style, palette[section, name], name, count) for (style, section, name), count in counts.items()]


def snippet(text: str, start: int, end: int) -> Markup:
    """A span with its context, cut between words if possible; the beginning of the text if there is no span."""
    if not _valid(start, end, text):
        head = _ended(text[: 2 * CONTEXT], text[2 * CONTEXT : 2 * CONTEXT + 1])
        return visible(head, lines=False) + ("…" if len(head) < len(text) else "")
    first = max(0, start - CONTEXT)
    before = _ended(text[first:start][::-1], text[max(0, first - 1) : first])[::-1]
    after = _ended(text[end : end + CONTEXT], text[end + CONTEXT : end + CONTEXT + 1])
    span = visible(text[start:end], lines=False)
    if end - start > EXCERPT:
        first, last = start + EXCERPT // 2, end - EXCERPT // 2
        head, tail = _ended(text[start:first], text[first]), _ended(text[last:end][::-1], text[last - 1])[::-1]
        span = visible(head, lines=False) + " … " + visible(tail, lines=False)
    return Markup("{}{}<mark>{}</mark>{}{}").format(
        "…" if len(before) < start else "",
        visible(before, lines=False),
        span,
        visible(after, lines=False),
        "…" if end + len(after) < len(text) else "",
    )


def _ended(piece: str, following: str) -> str:
    """The piece without its last word, if the following character belongs to that word and there are other words."""
    if not following or following.isspace():
        return piece
    words = re.match(r".*(?=\s)", piece, re.DOTALL)
    return words.group() if words and words.group().strip() else piece
