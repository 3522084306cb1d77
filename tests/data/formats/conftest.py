"""Strategies and helpers of all tests of formats.

`st.from_type(Article)` gives any article that the data model allows, hostile characters included. The fixtures are
functions, so that hypothesis tests can use them.
"""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span, check_article
from rasid.data.formats import jsonl
from rasid.data.problems import ProblemLog
from rasid.data.text.words import trim

HOSTILE = 'ابلقوَ٣aZ \n\t\r\u2028\x85\x1c\x00\u200f\u202b\ufeff\U0001f600"\\{}[]@:=+#&<\ud800'
TEXT = st.text(HOSTILE, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def _any_article(draw: st.DrawFn) -> Article:
    text = draw(TEXT)
    offset = st.integers(0, len(text))
    bounds = st.tuples(offset, offset).map(sorted)
    span = bounds.map(lambda b: Span(start=b[0], end=b[1], text=text[b[0] : b[1]]))
    types = st.lists(TEXT, max_size=2).map(tuple)
    score = st.none() | st.floats(0, 1)
    entity = st.builds(
        lambda b, label, name, score: Entity(start=b[0], end=b[1], label=label, id=name, score=score),
        *(bounds, TEXT, TEXT, score),
    )
    argument = st.builds(Argument, role=TEXT, entity=TEXT, score=score)

    def scores(labels: tuple[str, ...]) -> tuple[float, ...]:
        size = len(labels)
        return tuple(draw(st.lists(st.floats(0, 1), min_size=size, max_size=size) | st.just([])))

    def event() -> Event:
        labels, arguments = draw(types), tuple(draw(st.lists(argument, max_size=2)))
        return Event(trigger=draw(span), types=labels, id=draw(TEXT), arguments=arguments, scores=scores(labels))

    def sentence() -> Sentence:
        (start, end), labels = draw(bounds), draw(types)
        return Sentence(start=start, end=end, types=labels, scores=scores(labels))

    labels = draw(types)
    return Article(
        text=text,
        id=draw(TEXT),
        title=draw(st.none() | TEXT),
        date=draw(st.none() | TEXT),
        source=draw(st.none() | TEXT),
        entities=tuple(draw(st.lists(entity, max_size=2))),
        events=tuple(event() for _ in range(draw(st.integers(0, 2)))),
        event_types=labels,
        type_scores=scores(labels),
        sentences=tuple(sentence() for _ in range(draw(st.integers(0, 2)))),
        tokens=tuple(tuple(b) for b in draw(st.lists(bounds, max_size=2))),
        annotated=draw(st.dictionaries(TEXT, types, max_size=2)),
        evidence=draw(st.dictionaries(TEXT, st.lists(span, max_size=2).map(tuple), max_size=2)),
        meta=draw(st.dictionaries(TEXT, JSON, max_size=2)),
    )


st.register_type_strategy(Article, _any_article())


@pytest.fixture(scope="session")
def written() -> Callable[..., tuple[str, list[str]]]:
    """(write, *articles, source) → the text that a writer of lines gives, and the causes of what it dropped."""

    def written(write: Callable[..., Any], *articles: Article, source: str = "f") -> tuple[str, list[str]]:
        log = ProblemLog(source=source)
        return "".join(write(articles, log)), [problem.cause for problem in log.dropped]

    return written


@pytest.fixture(scope="session")
def run() -> Callable[..., tuple[list[Article], list[Any], list[Any]]]:
    """(read, *contents, source, **options) → the articles of a reader of lines, what it dropped, what it fixed.

    A content is text, or an object that becomes a line of JSON.
    """

    def run(
        read: Callable[..., Any], *contents: Any, source: str = "f", **options: Any
    ) -> tuple[list[Article], list[Any], list[Any]]:
        log = ProblemLog(source=source)
        texts = [content if isinstance(content, str) else json.dumps(content) for content in contents]
        articles = [article for _, article in read("\n".join(texts).split("\n"), log, **options)]
        assert log.articles == len(articles)
        assert read is jsonl.read or not [fault for article in articles for fault in check_article(article)]
        return articles, log.dropped, log.fixed

    return run


@pytest.fixture(scope="session")
def corrupted() -> Callable[[bytes, int], bytes]:
    """(content, seed) → the content with some bytes changed, dropped, doubled or moved."""

    def corrupted(good: bytes, seed: int) -> bytes:
        chance = random.Random(seed)
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            at, to = chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)
            match chance.randrange(5):
                case 0:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[at : at + chance.randint(1, 40)]
                case 2:
                    data[at:at] = data[to : to + chance.randint(1, 40)]
                case 3:
                    signs = [b"\x00", b"\xef\xbb\xbf", b"\r", b"\xff", b'"', b"[", b"{", b"\n", b"\\u", b"<", b"&#"]
                    data[at:at] = chance.choice(signs)
                case _:
                    data = data[:at] or data
        return bytes(data)

    return corrupted


@st.composite
def _valid_article(
    draw: st.DrawFn,
    texts: st.SearchStrategy[str],
    labels: st.SearchStrategy[str],
    ids: st.SearchStrategy[str],
    scores: st.SearchStrategy[float | None] = st.none(),  # noqa: B008
    everything: bool = False,
) -> Article:
    text = draw(texts)
    solid = [at for at in range(len(text)) if trim(text, at, at + 1)[1] > at]  # edges that no reader trims
    taken: set[str] = set()

    def name() -> str:
        found = draw(st.just("") | ids)
        while found in taken:
            found += "x"
        taken.add(found or "x")
        return found

    def spans(most: int) -> list[tuple[int, int]]:
        at = st.sampled_from(solid or [0])
        pairs = draw(st.lists(st.tuples(at, at).map(sorted), max_size=most if solid else 0))
        return sorted(((low, high + 1) for low, high in pairs), key=lambda span: (span[0], -span[1]))

    def types(least: int = 1) -> tuple[str, ...]:
        return tuple(draw(st.lists(labels, min_size=least, max_size=3, unique=True)))

    def aligned(names: tuple[str, ...]) -> tuple[float, ...]:
        found = tuple(draw(scores) for _ in names)
        return tuple(score for score in found if score is not None) if None not in found else ()

    entities = [Entity(start=a, end=b, label=draw(labels), id=name(), score=draw(scores)) for a, b in spans(4)]
    targets = st.lists(st.sampled_from([e.id for e in entities if e.id] or [""]), unique=True, max_size=3)
    events = []
    for start, end in spans(3):
        arguments = [(role, target) for target in draw(targets) if target for role in types()]
        event = Event(
            trigger=Span(start=start, end=end),
            types=types(),
            id=name(),
            arguments=tuple(Argument(role=role, entity=target, score=draw(scores)) for role, target in arguments),
        )
        events.append(replace(event, scores=aligned(event.types)))
    event_types = types(0)
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | texts,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
        max_leaves=4,
    )
    article = Article(
        text=text,
        id=draw(texts.filter(bool)),
        title=draw(st.none() | texts),
        date=draw(st.none() | texts),
        source=draw(st.none() | texts),
        entities=tuple(entities),
        events=tuple(events),
        event_types=event_types,
        type_scores=aligned(event_types),
        meta=draw(st.dictionaries(texts, values, max_size=2)),
    )
    if not everything:
        return article
    return replace(
        article,
        sentences=tuple(Sentence(start=start, end=end, types=types()) for start, end in spans(2)),
        tokens=tuple(spans(3)),
        annotated={"entities": types()} if draw(st.booleans()) else {},
        evidence={label: (Span(start=0, end=len(text), text=text),) for label in event_types} if text else {},
    )


@pytest.fixture(scope="session")
def valid_articles() -> Callable[..., st.SearchStrategy[Article]]:
    """(texts, labels, ids, scores, everything) → valid articles with nested and crossing spans.

    ``texts`` are the texts, ids of articles and metadata; ``ids`` those of entities and events, some of which have
    none. With ``everything`` the articles have sentences, tokens, annotated labels and evidence too.
    """

    return _valid_article
