"""Foreign text as HTML: an article with all its marks, the snippet of a location, a message that quotes.

All cutting is done here, in code points: JavaScript would count UTF-16 units.
"""

import colorsys
import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from ..data.articles import Article, Event
from ..data.labels import Label, LabelScheme
from .findings import Location
from .symbols import plain, visible

MESSAGE = 600  # code points of a message
DEPTH = 12  # marks inside marks; browsers stop at 512 elements, readers long before
CONTEXT = 60  # code points at each side of a location
EXCERPT = 160  # code points of a marked place that are shown; of a longer one, the two ends
_RTL = "\u0590-\u08ff\ufb1d-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_RTL_WORDS = re.compile(f"[{_RTL}]+(?:[ .,:!?()/0-9–—-]+[{_RTL}]+)*…?")  # a quotation mark ends a run
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    """A range of the text to be drawn; ``lined`` where it is drawn with a line below."""

    start: int
    end: int
    attributes: Markup
    lined: bool = False
    depth: int = DEPTH


@dataclass(kw_only=True, slots=True)
class _Open:
    """A mark whose end was not reached: what it holds so far, and how many lines are drawn in there."""

    end: int
    mark: _Mark | None = None
    parts: list[Markup] = field(default_factory=list)
    lines: int = 0


class Palette:
    """Numbers labels as they are met; the style sheet gives each number its color."""

    def __init__(self, scheme: LabelScheme | None) -> None:
        self.scheme = scheme
        self.numbers: dict[tuple[str, str], int] = {}

    def __getitem__(self, label: tuple[str, str]) -> int:
        """Number of a label, by kind (entities, events, roles) and name."""
        return self.numbers.setdefault(label, len(self.numbers))

    def known(self, kind: str, name: str) -> Label:
        """What the scheme says of a label; its name alone where that is nothing."""
        labels: Mapping[str, Label] = getattr(self.scheme, kind) if self.scheme else {}
        return labels.get(name) or Label(name=name)

    def css(self) -> str:
        """A rule for each label met so far: ``.l0{--c:#8cc8ff}``."""
        rules = []
        for (kind, name), number in self.numbers.items():
            color = self.known(kind, name).color
            if not _COLOR.fullmatch(color):  # turns by the golden angle keep neighbors apart
                rgb = colorsys.hls_to_rgb(number * 0.381966 % 1, 0.72, 0.72)
                color = "#" + "".join(f"{round(part * 255):02x}" for part in rgb)
            rules.append(f".l{number}{{--c:{color}}}\n")
        return "".join(rules)


def shown(text: str) -> Markup:
    """Foreign text in a line of the page, in its own direction."""
    return Markup("<bdi>{}</bdi>").format(_shortened(text))


def said(text: str) -> Markup:
    """A sentence of the audit that quotes foreign text: each run of right-to-left words stays where it was quoted."""
    quoted = _RTL_WORDS.sub(r"<bdi>\g<0></bdi>", str(_shortened(text)))
    return Markup('<bdi dir="ltr">{}</bdi>').format(Markup(re.sub("`([^`]+)`", r"<code>\1</code>", quoted)))


def _shortened(text: str) -> Markup:
    return visible(text if len(text) <= MESSAGE else text[:MESSAGE] + " …", lines=False)


def _ranged(start: int, end: int, text: str) -> bool:
    return 0 <= start < end <= len(text)


def hit_marks(article: Article, locations: list[tuple[int, Location]]) -> Iterator[_Mark]:
    """The places of locations, which the script rings by their numbers; drawn even where annotation nests too deep."""
    places: dict[tuple[int, int], list[str]] = defaultdict(list)
    for number, location in locations:
        if _ranged(location.start, location.end, article.text):
            places[location.start, location.end].append(str(number))
    for (start, end), numbers in places.items():
        yield _Mark(start=start, end=end, attributes=Markup('data-h="{}"').format(" ".join(numbers)), depth=DEPTH + 4)


def gold_marks(article: Article, palette: Palette) -> Iterator[_Mark]:
    """All mentions and triggers, with label, offsets, and arguments as a tip."""
    attributes = Markup('class="{} l{}" title="{}"').format
    for entity in article.entities:
        if _ranged(entity.start, entity.end, article.text):
            title = f"{plain(entity.label)} {entity.start}–{entity.end}"
            drawn = attributes("e", palette["entities", entity.label], title)
            yield _Mark(start=entity.start, end=entity.end, attributes=drawn, lined=True)
    surfaces = {entity.id: entity.text for entity in article.entities if entity.id}
    for event in article.events:
        if _ranged(event.trigger.start, event.trigger.end, article.text):
            drawn = attributes("t", palette["events", next(iter(event.types), "")], _event_title(event, surfaces))
            yield _Mark(start=event.trigger.start, end=event.trigger.end, attributes=drawn)


def _event_title(event: Event, surfaces: Mapping[str, str]) -> str:
    places = f"{event.trigger.start}–{event.trigger.end}"
    arguments = (f"{plain(a.role)}: \u2068{plain(surfaces.get(a.entity, a.entity))}\u2069" for a in event.arguments)
    return "\n".join([f"{plain(' + '.join(event.types))} {places}", *arguments])


def nested(text: str, marks: Iterable[_Mark]) -> Markup:
    """The text with its marks as nested elements; a mark that crosses the end of another one is cut there.

    Marks at the same place are nested in the order given; those deeper than they may be drawn are left out.
    """
    queue = [(mark.start, -mark.end, rank, mark) for rank, mark in enumerate(marks)]
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
        start, end, rank, mark = heapq.heappop(queue)
        close_until(start)
        if len(stack) > mark.depth:
            continue
        stack[-1].parts.append(visible(text[done:start]))
        done, end = start, -end
        if end > stack[-1].end:
            heapq.heappush(queue, (stack[-1].end, -end, rank, mark))
            end = stack[-1].end
        stack.append(_Open(end=end, mark=mark))
    close_until(len(text))
    return Markup("").join([*stack[0].parts, visible(text[done:])])


def _close(inner: _Open, outer: _Open) -> None:
    """Put a finished mark into the one around it; its line is drawn below those inside."""
    assert inner.mark is not None
    lines = Markup(' data-u="{}"').format(min(inner.lines, 5)) if inner.mark.lined and inner.lines else Markup("")
    content = Markup("").join(inner.parts)
    outer.parts.append(Markup("<span {}{}>{}</span>").format(inner.mark.attributes, lines, content))
    outer.lines = max(outer.lines, inner.lines + inner.mark.lined)


def direction(text: str) -> str:
    """The direction of most letters: `dir=auto` would go by the first one, which may be of a foreign name."""
    return (
        "rtl"
        if 2 * len(re.findall(r"[\u0590-\u08ff\ufb1d-\ufefc]", text)) >= len(re.findall(r"[^\W\d_]", text))
        else "ltr"
    )


def legend(article: Article, palette: Palette) -> list[tuple[str, int, str, int]]:
    """Style, number, name, and count of each label of an article."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for entity in article.entities:
        counts["e", "entities", entity.label] += 1
    for event in article.events:
        for kind in event.types:
            counts["t", "events", kind] += 1
    return [(style, palette[kind, name], name, count) for (style, kind, name), count in counts.items()]


def snippet(text: str, start: int, end: int) -> Markup:
    """A location with what stands around it, cut between words where there are any; the article's beginning without one."""
    if not _ranged(start, end, text):
        head = _ended(text[: 2 * CONTEXT], text[2 * CONTEXT : 2 * CONTEXT + 1])
        return visible(head, lines=False) + ("…" if len(head) < len(text) else "")
    first = max(0, start - CONTEXT)
    before = _ended(text[first:start][::-1], text[max(0, first - 1) : first])[::-1]
    after = _ended(text[end : end + CONTEXT], text[end + CONTEXT : end + CONTEXT + 1])
    place = visible(text[start:end], lines=False)
    if end - start > EXCERPT:
        first, last = start + EXCERPT // 2, end - EXCERPT // 2
        head, tail = _ended(text[start:first], text[first]), _ended(text[last:end][::-1], text[last - 1])[::-1]
        place = visible(head, lines=False) + " … " + visible(tail, lines=False)
    return Markup("{}{}<mark>{}</mark>{}{}").format(
        "…" if len(before) < start else "",
        visible(before, lines=False),
        place,
        visible(after, lines=False),
        "…" if end + len(after) < len(text) else "",
    )


def _ended(piece: str, following: str) -> str:
    """The piece without the word that the following character goes on with; the whole piece where it is one word."""
    if not following or following.isspace():
        return piece
    words = re.match(r".*(?=\s)", piece, re.DOTALL)
    return words.group() if words and words.group().strip() else piece
