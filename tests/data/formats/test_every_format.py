"""The contract of all formats: detection, exact round trips of what a format holds, losses, damage, old names."""

import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span, check_article
from rasid.data.corpus import load_corpus
from rasid.data.formats import FORMATS, detect, doccano, prodigy, read_files, suffix_of, write_articles
from rasid.data.formats.common.losses import CONTENT, EVERYTHING, has_scores
from rasid.data.formats.registry import KNOWN
from rasid.data.problems import DataError, ProblemLog
from rasid.data.text.words import trim

ROOT = Path(__file__).parents[3]
EXTRAS = {"spacy": "spacy", "inception": "cassis"}
XML = ("ace", "inception")
MARKED = ("label-studio", "brat", "inception", "doccano", "inline")
"""Formats with a reading option for predictions, which they mark."""
WORDS = [
    *r"قصف وواشنطن بغداد «حلب» ٣ (x) [بين] {x} @ \ a&b <b> # ---".split(),
    "\U0001f600",
    "ص\u202bص\u202cص",
    '"=:',
    "ق\x00ق",
]
GAPS = [" ", " ", "  ", "\n", "\r\n", " \u200f", " \U0001f600 ", " \x85", "\u2028", " \ufeff", "\x1c", "\x00 "]
TYPES = ["ASSAULT", "PROTEST", "AID"]


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    if request.param in EXTRAS:
        pytest.importorskip(EXTRAS[request.param])
    return request.param


def options_of(format: str, *articles: Article) -> dict[str, Any]:
    """Predictions are read on request only."""
    predicted = any(has_scores(article) or article.evidence for article in articles)
    if format == "label-studio":  # which has no sentences and no evidence
        predicted = any(has_scores(replace(article, sentences=())) for article in articles)
    return {"predictions": True} if format in MARKED and predicted else {}


def round_trip(format: str, folder: Path, *articles: Article) -> tuple[list[Article], ProblemLog, ProblemLog]:
    """What comes back, and the logs of writing and of reading."""
    shutil.rmtree(folder, ignore_errors=True)
    path = folder / f"f{suffix_of(format)}"
    written, reading = write_articles(articles, path, format), ProblemLog()
    assert written.source == str(path) and list(folder.iterdir()) == [path]
    back = [article for _, article in read_files(path, format, log=reading, options=options_of(format, *articles))]
    assert reading.articles == len(back)
    return back, written, reading


def held_part(article: Article, holds: frozenset[str]) -> Article:
    """The article without what a format does not hold."""

    def kept(name: str, value: Any, empty: Any = ()) -> Any:
        return value if name in holds else empty

    ids, scored = "mention ids" in holds, "scores" in holds
    entities = tuple(
        replace(e, id=e.id if ids else "", score=e.score if scored else None)
        for e in kept("entities", article.entities)
    )
    events = tuple(
        replace(
            event,
            id=event.id if ids else "",
            scores=event.scores if scored else (),
            arguments=tuple(replace(a, score=a.score if scored else None) for a in kept("arguments", event.arguments)),
        )
        for event in kept("events", article.events)
    )
    sentences = article.sentences if {"sentence labels", "label of the text"} & holds else ()
    return replace(
        article,
        title=kept("title", article.title, None),
        date=kept("date", article.date, None),
        source=kept("source", article.source, None),
        meta=kept("meta", article.meta, {}),
        tokens=kept("tokens", article.tokens),
        entities=entities,
        events=events,
        event_types=kept("event types", article.event_types),
        type_scores=article.type_scores if scored and "event types" in holds else (),
        sentences=tuple(replace(s, scores=s.scores if scored else ()) for s in sentences),
        annotated={t: v for t, v in article.annotated.items() if {"annotated", f"annotated {t}"} & holds},
        evidence=kept("evidence", article.evidence, {}),
    )


@st.composite
def articles_of(draw: st.DrawFn, format: str, holds: frozenset[str]) -> Article:
    """A valid article whose content a format of these `holds` keeps, given an id that its reader would make.

    XML cannot hold control characters, so the texts for its formats have none.
    """
    exact = "spacing" in holds
    labels = ["PER", "GPE", "ا+:", *(["a b"] if format not in ("inline", "conll") else [])]
    known, spaces = ([s for s in signs if format not in XML or not {*"\x00\x1c"} & {*s}] for signs in (WORDS, GAPS))
    words = draw(st.lists(st.sampled_from(known), min_size=1, max_size=8))
    ranges: list[tuple[int, int]] = []
    for low, high in draw(st.lists(st.tuples(*[st.integers(0, len(words) - 1)] * 2).map(sorted), max_size=5)):
        crosses = any(a < low <= b < high or low < a <= high < b for a, b in ranges)
        if (low, high) not in ranges and ("crossing spans" in holds or not crosses):
            ranges.append((low, high))
    inside = {place for low, high in ranges for place in range(low, high)}  # gaps in mentions are single spaces
    gaps = [" " if not exact or n in inside else draw(st.sampled_from(spaces)) for n in range(len(words) - 1)]
    starts = [0]
    for word, gap in zip(words, gaps, strict=False):
        starts.append(starts[-1] + len(word) + len(gap))
    offsets = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    text = "".join(word + gap for word, gap in zip(words, [*gaps, ""], strict=True))

    scored = draw(st.booleans())
    score = st.floats(0.01, 1) if scored else st.none()
    types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True).map(tuple)

    def scores(labels: tuple[str, ...]) -> tuple[float, ...]:
        return tuple(draw(st.floats(0.01, 1)) for _ in labels) if scored else ()

    spans = [trim(text, offsets[low][0], offsets[high][1]) for low, high in ranges]  # readers trim the others
    cut = draw(st.integers(0, len(spans)))
    prefixes = draw(st.sampled_from([None, ("e", "v"), ("", "1"), ("س", "T")]))  # None: mentions without ids

    def name(kind: int, number: int) -> str:
        return f"{prefixes[kind]}{number}" if prefixes else ""

    entities = tuple(
        Entity(start=start, end=end, label=draw(st.sampled_from(labels)), id=name(0, n), score=draw(score))
        for n, (start, end) in enumerate(sorted(spans[:cut], key=lambda span: (span[0], -span[1])))
    )
    events = []
    for n, (start, end) in enumerate(sorted(spans[cut:])):
        labels = draw(types)
        targets = (
            draw(st.lists(st.sampled_from(entities), unique_by=lambda e: e.id, max_size=2))
            if entities and prefixes
            else []
        )
        arguments = tuple(
            Argument(role=draw(st.sampled_from(["Actor", "Place"])), entity=e.id, score=draw(score)) for e in targets
        )
        trigger = Span(start=start, end=end)
        events.append(Event(trigger=trigger, types=labels, arguments=arguments, id=name(1, n), scores=scores(labels)))
    event_types = draw(st.just(()) | types)
    whole = Sentence(start=0, end=len(text), types=draw(types))
    sentences = (replace(whole, scores=scores(whole.types)),) if draw(st.booleans()) else ()
    if "label of the text" in holds and "sentence labels" not in holds:
        # Its annotated labels are those of the sentence or of the article, not of both.
        event_types = () if sentences else event_types
    annotated: dict[str, tuple[str, ...]] = {}
    if draw(st.booleans()):
        annotated = {"entities": ("PER",), "article_types": tuple(TYPES), "sentence_types": tuple(TYPES)}
        if "annotated" not in holds:
            annotated = {"sentence_types" if sentences else "article_types": tuple(TYPES)}
    metas = [{}, {"key": [1, {"x": "ق\u2028"}], "n": None}]
    if format != "classification":  # its keys of an article are not metadata
        metas.append({"id": 1, "meta": {}, "text": "x", "title": "t"})
    string = st.none() | st.sampled_from(["عنوان", 'قال: "نعم"', "2019-04-02", "#\u2028\u200f[ا"])
    article = Article(
        text=text,
        id=draw(st.sampled_from(["a-1", "خبر 2"])) if "id" in holds else "f-1",
        title=draw(string),
        date=draw(string),
        source=draw(string),
        entities=entities,
        events=tuple(events),
        event_types=event_types,
        type_scores=scores(event_types),
        sentences=sentences,
        tokens=tuple(offsets) if "tokens" in holds and (not exact or draw(st.booleans())) else (),
        annotated=annotated,
        evidence={label: (Span(start=0, end=len(text), text=text),) for label in event_types},
        meta=draw(st.sampled_from(metas)),
    )
    return held_part(article, holds)


def test_what_formats_hold_is_declared_and_documented() -> None:
    assert all(known.holds <= CONTENT.keys() for known in KNOWN.values())
    documentation = ROOT / "docs" / "formats.md"
    if not documentation.is_file() or "| content |" not in (text := documentation.read_text(encoding="utf-8")):
        pytest.skip("the table of contents is not in this tree")
    for name, meaning in CONTENT.items():
        cells = ("yes" if name in KNOWN[format].holds else "" for format in FORMATS)
        assert f"| {' | '.join([meaning, *cells])} |".replace("|  |", "| |") in text


def test_a_file_is_detected(format: str, tmp_path: Path) -> None:
    article = load_corpus("dev").articles[0]
    article = replace(article, annotated={"article_types": article.event_types})
    path = tmp_path / f"f{suffix_of(format)}"
    write_articles([article], path, format)
    files = [f for f in path.iterdir() if f.name.endswith(KNOWN[format].suffixes[0])] if path.is_dir() else [path]
    assert files and {detect(file) for file in files} == {format}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_format_holds_comes_back_exactly(format: str, tmp_path: Path, data: st.DataObject) -> None:
    article = data.draw(articles_of(format, KNOWN[format].holds))
    assert not list(check_article(article))
    back, written, reading = round_trip(format, tmp_path / "x", article)
    assert not written.dropped and not reading.dropped
    assert back == [article]


@pytest.mark.parametrize("format", MARKED, indirect=True)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_predictions_never_become_gold(format: str, tmp_path: Path, data: st.DataObject) -> None:
    article = data.draw(articles_of(format, EVERYTHING).filter(has_scores))
    path = tmp_path / "x" / f"f{suffix_of(format)}"
    shutil.rmtree(path.parent, ignore_errors=True)
    write_articles([article], path, format)
    log = ProblemLog()
    for _, back in read_files(path, format, log=log):
        assert not back.event_types and not back.sentences and not back.evidence and not has_scores(back)
        # Spans are, once a person has corrected them; inline does not hold those that cross.
        if format not in ("label-studio", "inline"):
            assert len(back.entities) == len(article.entities)
    # Labels of sentences and evidence alone are not written by every format.
    marked = article.type_scores if format in ("inception", "doccano", "inline") else format == "brat"
    assert not marked or "prediction" in log.fix_counts
    assert format == "label-studio" or not log.dropped


def lost_contents(log: ProblemLog) -> tuple[set[str], set[str]]:
    """The contents that were recorded as lost, and the other causes."""
    causes = {problem.cause for problem in log.dropped}
    contents = {name for name in CONTENT if f"{name} left out" in causes}
    return contents, causes - {f"{name} left out" for name in contents}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_losses_are_recorded_and_nothing_else_changes(format: str, tmp_path: Path, data: st.DataObject) -> None:
    check_losses(format, tmp_path / "x", data.draw(articles_of(format, EVERYTHING)))


def test_losses_of_the_corpus_are_recorded(format: str, tmp_path: Path) -> None:
    for article in load_corpus("dev").articles[:4]:
        check_losses(format, tmp_path / "x", article)


def check_losses(format: str, folder: Path, article: Article) -> None:
    holds = KNOWN[format].holds
    back, written, reading = round_trip(format, folder, article)
    lost, other = lost_contents(written)
    assert not reading.dropped
    assert not {problem.cause for problem in written.fixed}
    kept = held_part(article, holds)
    if not lost and not other:
        assert back == [article]
    if other or "spacing" not in holds:  # mentions or the article were dropped or changed, each recorded by itself
        return
    if has_scores(article) and "nobody annotated" in {problem.cause for problem in reading.fixed}:
        return  # a prediction of which the format holds nothing looks like an article that nobody annotated
    if "annotated" in lost and back:  # the format may hold it for some tasks
        assert back[0].annotated.items() <= kept.annotated.items()
        kept = replace(kept, annotated=back[0].annotated)
    assert back == [kept]
    # A content is recorded if and only if the article has it and the format does not hold it.
    without = {name: held_part(article, EVERYTHING - {name}) for name in CONTENT}
    for name in {"title", "date", "source", "meta", "tokens", "entities", "events", "event types", "evidence"} - holds:
        assert (name in lost) == (without[name] != article), name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(article=st.from_type(Article))
def test_any_article_is_written_or_recorded(format: str, tmp_path: Path, article: Article) -> None:
    """Also of what no reader gives: empty spans, lone surrogates, labels with line ends."""
    folder = tmp_path / "x"
    shutil.rmtree(folder, ignore_errors=True)
    log = write_articles([article], folder / f"f{suffix_of(format)}", format)
    assert log.articles == 1 or log.dropped
    assert all(problem.cause and problem.message for problem in (*log.dropped, *log.fixed))


def check_damaged(format: str, folder: Path, corrupted: Callable[[bytes, int], bytes], seeds: range) -> int:
    """Every damaged file gives articles, entries of the log, or a located error; the number that gave articles."""
    small = [replace(a, text=a.text[:300]) for a in load_corpus("dev").articles[:2]]
    articles = [
        Article(id=a.id, text=a.text, entities=tuple(e for e in a.entities[:6] if e.end <= len(a.text))) for a in small
    ]
    path = folder / f"f{suffix_of(format)}"
    write_articles(articles, path, format)
    files = {file: file.read_bytes() for file in ([path] if path.is_file() else sorted(path.iterdir()))}
    gave = 0
    for seed in seeds:
        damaged = [*files][seed % len(files)]
        damaged.write_bytes(corrupted(files[damaged], seed))
        log = ProblemLog()
        try:
            found = [article for _, article in read_files(path, format, log=log)]
        except DataError as error:
            assert all(problem.source and problem.message for problem in error.problems)
            found = []
        damaged.write_bytes(files[damaged])
        assert all(problem.cause and problem.message and problem.source for problem in (*log.dropped, *log.fixed))
        for article in found:
            causes = {cause for cause, _ in check_article(article)}
            # A damaged file may hold invalid annotation, which `reading` drops; offsets are right all the same.
            assert not causes & {"span outside the text", "surface differs"}, (seed, causes)
        gave += bool(found)
    return gave


def test_damaged_files_are_read_or_recorded(
    format: str, tmp_path: Path, corrupted: Callable[[bytes, int], bytes]
) -> None:
    # A DocBin is compressed: no damage leaves anything to read. Damage inside of it: test_spacy.
    assert check_damaged(format, tmp_path, corrupted, range(40)) > (-1 if format == "spacy" else 3)


@pytest.mark.long
@pytest.mark.slow
def test_ten_thousand_damaged_files_are_read_or_recorded(
    format: str, tmp_path: Path, corrupted: Callable[[bytes, int], bytes]
) -> None:
    assert check_damaged(format, tmp_path, corrupted, range(1_000, 11_000)) > (-1 if format == "spacy" else 500)


OLD = {"boundaries": [], "event_types": ["AID"]}
NEW = {"proclitics": (), "article_types": ("AID",)}


@pytest.mark.parametrize(
    ("format", "content", "annotated"),
    [
        ("jsonl", '{"text": "نص", "judged": {"boundaries": [], "event_types": ["AID"]}}\n', NEW),
        ("markup", '---\njudged: {"boundaries": [], "event_types": ["AID"]}\n---\nنص\n', NEW),
        ("classification", '{"text": "نص", "event_types": [], "judged": "AID"}\n', {"article_types": ("AID",)}),
    ],
)
def test_names_of_version_0_1_are_read(format: str, content: str, annotated: Any, tmp_path: Path) -> None:
    file = tmp_path / f"f{suffix_of(format)}"
    file.write_text(content, encoding="utf-8")
    log = ProblemLog()
    ((_, article),) = read_files(file, format, log=log)
    assert dict(article.annotated) == annotated and not log.dropped
    assert detect(file) == {"markup": "inline"}.get(format, format)


def test_every_writer_leaves_the_old_file_if_the_articles_end_in_an_error(format: str, tmp_path: Path) -> None:
    def broken():
        yield Article(text="نص جديد", id="a")
        raise RuntimeError("no more")

    path = tmp_path / f"f{suffix_of(format)}"
    if suffix_of(format):
        path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write_articles(broken(), path, format)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"] * bool(suffix_of(format))


def test_many_articles_come_back_in_order(format: str, tmp_path: Path) -> None:
    names = [f"f-{n}" for n in (1, 2, 3, 9, 10, 11)] if format != "conll" else [f"f-{n}" for n in range(1, 7)]
    articles = [Article(text="قصف", id=name, tokens=((0, 3),) if format == "conll" else ()) for name in names]
    articles = [replace(article, event_types=("AID",)) if format != "conll" else article for article in articles]
    back, *_ = round_trip(format, tmp_path / "x", *articles)
    assert [article.id for article in back] == names
    if not suffix_of(format):  # one file per article: never over files that exist
        with pytest.raises(DataError, match="new or an empty folder"):
            write_articles(articles, tmp_path / "x" / "f", format)


@pytest.mark.parametrize("format", [name for name in FORMATS if KNOWN[name].folder], indirect=True)
def test_files_of_articles_have_safe_and_different_names(format: str, tmp_path: Path) -> None:
    ids = ["../../x", "a", "A", "a", "", ".", "a.", "TypeSystem", "خبر/1", "ن" * 300, "nul\n", "e\u0301", "é", "a_2"]
    articles = [Article(text=f"نص {number}", id=name) for number, name in enumerate(ids)]
    back, written, _ = round_trip(format, tmp_path / "x", *articles)
    assert not written.dropped and list(tmp_path.iterdir()) == [tmp_path / "x"]
    assert {a.text: a.id for a in back if ids[int(a.text[3:])]} == {a.text: a.id for a in articles if a.id}
    names = [file.name for file in (tmp_path / "x" / "f").iterdir()]
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(names) >= len(ids)
    assert all(len(name.encode()) <= 255 and not name.startswith(".") for name in names)


KEYS = {
    doccano: (
        ["id", "text", "label", "labels", "entities", "relations", "cats", "meta", "title"],
        ["id", "start_offset", "end_offset", "label", "from_id", "to_id", "type", "text"],
    ),
    prodigy: (
        ["text", "spans", "tokens", "relations", "accept", "options", "label", "cats", "meta", "answer", "_view_id"],
        [*"abc", "id", "start", "end", "label", "token_end", "head", "child", "head_span", "score", "scores", "text"],
    ),
}


@pytest.mark.parametrize("module", KEYS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_keys_may_hold_anything(run: Callable, module: Any, data: st.DataObject) -> None:
    outer, inner = (st.sampled_from(keys) for keys in KEYS[module])
    signs = st.text('ابلقوَ٣aZ \n\t\r\u2028\x85\x1c\x00\u200f\u202b\ufeff\U0001f600"\\{}', max_size=4)
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-3, 30) | st.floats() | signs,
        lambda values: st.lists(values, max_size=3) | st.dictionaries(inner, values, max_size=6),
    )
    run(module.read, {"text": "نص 😀 آخر", **data.draw(st.dictionaries(outer, values))})
