import json
import random
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Span, check_article
from rasid.data.formats import detect, write_articles
from rasid.data.formats import spacy as docbin
from rasid.data.formats.spacy import parts as docbin_parts
from rasid.data.formats.spacy.msgpack import unpack
from rasid.data.formats.spacy.writer import token_pieces
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles
from rasid.data.text.words import split_words

spacy = pytest.importorskip("spacy")
tokens = pytest.importorskip("spacy.tokens")
srsly = pytest.importorskip("srsly")
Vocab = pytest.importorskip("spacy.vocab").Vocab

SIGNS = "ابلقوَ٣aZ \n\t\r\x00\x1c\u2028\x85\u200f\u202b\ufeff\U0001f600\U00010331\"'\\{}<>+"
TEXT = st.text(SIGNS, max_size=30)
LABEL = st.text(SIGNS, min_size=1, max_size=5)


def read(path: Path, content: bytes | None = None, **options: Any) -> tuple[list[Article], ProblemLog]:
    if content is not None:
        path.write_bytes(content)
    log = ProblemLog(source=path.name)
    articles = [article for _, article in docbin.read_file(path, log, **options)]
    assert log.articles == len(articles)
    assert not [problem for article in articles for problem in check_article(article)]
    return articles, log


def causes(log: ProblemLog) -> list[str]:
    return [problem.cause for problem in log.dropped]


def spacy_file(path: Path, *docs: Any, **options: Any) -> Path:
    tokens.DocBin(docs=docs, **options).to_disk(path)
    return path


def made_doc(text: str = "زار خالد غزة") -> Any:
    return tokens.Doc(Vocab(), words=text.split(" "), spaces=[True] * text.count(" ") + [False])


# what is written comes back


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_articles_are_read_back(tmp_path_factory, valid_articles, data: st.DataObject) -> None:
    whole = valid_articles(TEXT, LABEL, LABEL, st.none() | st.floats(0, 1), everything=True)
    articles = data.draw(st.lists(whole, max_size=3))
    assert not [problem for article in articles for problem in check_article(article)]
    path = tmp_path_factory.mktemp("docbin") / "a.spacy"
    log = ProblemLog()
    docbin.write_files(articles, path, log)
    assert log.counts() == {"articles": len(articles)}
    loaded, log = read(path)
    assert loaded == articles
    assert log.counts() == {"articles": len(articles)}
    # spaCy reads the same texts and spans.
    docs = list(tokens.DocBin().from_disk(path).get_docs(Vocab()))
    assert [doc.text for doc in docs] == [article.text for article in articles]
    for doc, article in zip(docs, articles, strict=True):
        assert [(s.start_char, s.end_char, s.label_) for s in doc.spans["sc"]] == [
            (e.start, e.end, e.label) for e in article.entities
        ]
        assert [(s.start_char, s.end_char) for s in doc.spans["rasid_triggers"]] == [
            (e.trigger.start, e.trigger.end) for e in article.events
        ]
        assert {(s.start_char, s.end_char, s.label_) for s in doc.ents} <= {
            (e.start, e.end, e.label) for e in article.entities
        }
        assert {label for label, score in doc.cats.items() if score} == set(article.event_types)


@settings(max_examples=200, deadline=None)
@given(TEXT, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4))
def test_tokens_are_the_text_and_every_span_has_token_boundaries(text: str, pairs: list[tuple[int, int]]) -> None:
    spans = [(a, b) for a, b in map(sorted, pairs) if a < b <= len(text)]
    pieces = token_pieces(text, [(int(start), int(end)) for start, end in split_words(text)], spans)
    assert "".join(piece + " " * space for piece, space in pieces) == text
    assert all(piece for piece, _ in pieces)
    at, starts, ends = 0, set(), set()
    for piece, space in pieces:
        starts.add(at)
        ends.add(at + len(piece))
        at += len(piece) + space
    assert {start for start, _ in spans} <= starts and {end for _, end in spans} <= ends


def test_only_a_span_splits_a_word_into_tokens() -> None:
    text = "وواشنطن  اليوم."
    assert token_pieces(text, [(0, 7), (9, 14), (14, 15)], [(1, 7)]) == [
        ("و", False),
        ("واشنطن", True),
        (" ", False),
        ("اليوم", False),
        (".", False),
    ]


def test_ents_have_the_longest_of_nested_entities(tmp_path: Path) -> None:
    text = "حكومة في سوريا خالد"
    places = [(0, 14, "ORG"), (9, 14, "GPE"), (15, 19, "PER")]
    entities = tuple(Entity(start=start, end=end, label=label) for start, end, label in places)
    article = Article(text=text, id="a", entities=entities)
    log = write_articles([article], tmp_path / "a.spacy")
    assert log.counts() == {"articles": 1}
    (doc,) = tokens.DocBin().from_disk(tmp_path / "a.spacy").get_docs(Vocab())
    assert [ent.label_ for ent in doc.ents] == ["ORG", "PER"] and len(doc.spans["sc"]) == 3
    assert detect(tmp_path / "a.spacy") == "spacy"
    assert load_articles(tmp_path) == [article]


def test_losses_are_logged(tmp_path: Path) -> None:
    article = Article(
        text="زار خالد غزة",
        id="a",
        entities=(
            Entity(start=9, end=12, label="GPE", id="e"),
            Entity(start=4, end=8, label="P\ud800", id="p"),
            Entity(start=4, end=40, label="FAR", text="x"),
        ),
        events=(
            Event(
                trigger=Span(start=0, end=3),
                types=("VISIT",),
                arguments=(Argument(role="Who", entity="p"), Argument(role="Where", entity="e")),
            ),
        ),
        event_types=("A", "B\udc00"),
    )
    broken = Article(text="نص", id="c", meta={"x": object()})
    log = write_articles([article, Article(text="a\ud800", id="b"), broken], tmp_path / "a.spacy")
    assert log.counts() == {
        "articles": 2,
        "dropped: span left out": 2,
        "dropped: argument left out": 1,
        "dropped: event type left out": 1,
        "dropped: article left out": 1,
        "dropped: user data left out": 1,
    }
    first, second = load_articles(tmp_path / "a.spacy")
    assert [entity.text for entity in first.entities] == ["غزة"] and first.event_types == ("A",)
    assert first.events[0].arguments == (Argument(role="Where", entity="e"),)
    assert second == Article(text="نص", id="c")


# what spaCy makes


def test_documents_of_other_programs_are_read(tmp_path: Path) -> None:
    doc = made_doc()
    doc.ents = [tokens.Span(doc, 1, 2, label="PERSON")]
    doc.spans["sc"] = [tokens.Span(doc, 1, 2, label="PERSON"), tokens.Span(doc, 1, 3, label="X", span_id="s 1")]
    doc.spans["other"] = [tokens.Span(doc, 0, 1, label="Visit")]
    doc.cats = {"VISIT": 1.0, "ATTACK": 0.0}
    plain = made_doc("لا شيء")
    path = spacy_file(tmp_path / "train.spacy", doc, plain)
    (first, second), log = read(path)
    assert (first.id, second.id) == ("train-1", "train-2") and second.text == "لا شيء"
    assert [(e.label, e.text, e.id) for e in first.entities] == [("X", "خالد غزة", "s 1"), ("PERSON", "خالد", "")]
    assert first.event_types == ("VISIT",)
    assert causes(log) == ["spans not read"] and "'other'" in log.dropped[0].message
    (first, _), log = read(path, spans_keys=["sc", "other"], triggers=["Visit"])
    assert not log.dropped
    assert [(event.trigger.text, event.types) for event in first.events] == [("زار", ("Visit",))]
    assert first.entities == load_first(path).entities


def test_missing_entities_are_not_annotated_as_none(tmp_path: Path) -> None:
    complete, partial, none, grouped = (made_doc() for _ in range(4))
    complete.ents = [tokens.Span(complete, 1, 2, label="PERSON")]
    partial.set_ents([tokens.Span(partial, 1, 2, label="PERSON")], missing=[partial[2:3]], default="outside")
    grouped.spans["sc"] = []
    articles, log = read(spacy_file(tmp_path / "a.spacy", complete, partial, none, grouped))
    unannotated = {"entities": (), "triggers": (), "arguments": ()}
    kinds = [
        {task: labels for task, labels in article.annotated.items() if task != "article_types"} for article in articles
    ]
    assert kinds == [{}, unannotated, unannotated, {}]
    assert [len(article.entities) for article in articles] == [1, 1, 0, 0] and not log.dropped
    assert ["1 of 3 tokens" in problem.message for problem in log.fixed] == [True, False]
    assert log.fix_counts == {"unannotated tokens": 2}


def test_categories_are_those_that_a_document_has(tmp_path: Path) -> None:
    doc = made_doc()
    doc.cats = {"VISIT": 1.0, "ATTACK": 0.0}
    (article, other), _ = read(spacy_file(tmp_path / "a.spacy", doc, made_doc()))
    assert article.annotated["article_types"] == ("VISIT", "ATTACK") and other.annotated["article_types"] == ()


def test_categories_are_written_with_zeros(tmp_path: Path) -> None:
    articles = [
        Article(text="نص", id="a", event_types=("B", "A")),
        Article(text="نص", id="b"),
        Article(text="نص", id="c", event_types=("C",), annotated={"article_types": ("C", "D")}),
    ]
    path = tmp_path / "a.spacy"
    write_articles(articles, path)
    cats = [doc.cats for doc in tokens.DocBin().from_disk(path).get_docs(Vocab())]
    assert cats == [
        {"B": 1.0, "A": 1.0, "C": 0.0, "D": 0.0},
        {"A": 0.0, "B": 0.0, "C": 0.0, "D": 0.0},
        {"C": 1.0, "D": 0.0},
    ]
    assert read(path)[0] == articles


def test_predicted_types_of_a_corrected_document_are_not_gold(tmp_path: Path) -> None:
    entity = Entity(start=9, end=12, label="GPE", score=0.5)
    write_articles(
        [Article(text="زار خالد غزة", id="a", entities=(entity,), event_types=("A",), type_scores=(0.9,))],
        tmp_path / "a.spacy",
    )
    (doc,) = tokens.DocBin(store_user_data=True).from_disk(tmp_path / "a.spacy").get_docs(Vocab())
    doc.spans["sc"] = [tokens.Span(doc, 1, 2, label="PER")]
    (article,), log = read(spacy_file(tmp_path / "b.spacy", doc, store_user_data=True, attrs=["ENT_IOB", "ENT_TYPE"]))
    assert article.event_types == article.type_scores == () and log.fix_counts["prediction"] == 1


def load_first(path: Path) -> Article:
    return read(path)[0][0]


def test_ents_of_every_kind(tmp_path: Path) -> None:
    doc = made_doc("a b c d e")
    doc.ents = [
        tokens.Span(doc, 0, 2, label="A"),
        tokens.Span(doc, 2, 3, label="A", span_id="i"),
        tokens.Span(doc, 4, 5, label="B"),
    ]
    (article,), log = read(spacy_file(tmp_path / "a.spacy", doc))
    assert [(e.text, e.label, e.id) for e in article.entities] == [("a b", "A", ""), ("c", "A", "i"), ("e", "B", "")]
    assert not log.dropped


def test_an_inside_tag_of_another_type_begins_an_entity(tmp_path: Path) -> None:
    doc = made_doc("a b c d")
    doc.ents = [tokens.Span(doc, 0, 3, label="A"), tokens.Span(doc, 3, 4, label="B")]
    packed = tokens.DocBin(attrs=["ENT_IOB", "ENT_TYPE"], docs=[doc])
    packed.tokens[0][2, packed.attrs.index(docbin_parts.ENT_TYPE)] = doc.vocab.strings["B"]
    packed.tokens[0][3, packed.attrs.index(docbin_parts.ENT_IOB)] = 2
    packed.to_disk(tmp_path / "a.spacy")
    (article,), log = read(tmp_path / "a.spacy")
    assert [(e.text, e.label) for e in article.entities] == [("a b", "A"), ("c", "B")] and not log.dropped


def test_unknown_spaces_edges_and_ids(tmp_path: Path) -> None:
    doc = tokens.Doc(Vocab(), words=["زار", "\n", "غزة"], ents=["O", "B-GPE", "I-GPE"])
    doc.spans["sc"] = [tokens.Span(doc, 0, 1, label="X", span_id="i"), tokens.Span(doc, 2, 3, label="Y", span_id="i")]
    doc.set_extension("checked", default=None, force=True)
    doc._.checked = {"by": ["me"]}  # its key in the user data is a tuple
    (article,), log = read(spacy_file(tmp_path / "a.spacy", doc, store_user_data=True))
    assert article.text == doc.text == "زار \n غزة "
    assert [(e.text, e.label, e.id) for e in article.entities] == [
        ("زار", "X", "i"),
        ("غزة", "Y", ""),
        ("غزة", "GPE", ""),
    ]
    assert not log.dropped
    assert [problem.cause for problem in log.fixed] == ["duplicate id", "white space at an edge"]


def test_changes_made_in_spacy_win_over_the_user_data(tmp_path: Path, articles: list[Article]) -> None:
    article = articles[0]
    write_articles([article], tmp_path / "a.spacy")
    (doc,) = tokens.DocBin().from_disk(tmp_path / "a.spacy").get_docs(Vocab())
    doc.spans["sc"] = [span for span in doc.spans["sc"] if span.label_ != "DATE"]
    doc.ents = []
    (changed,), log = read(spacy_file(tmp_path / "b.spacy", doc, store_user_data=True))
    assert [problem.cause for problem in log.fixed] == ["changed in spaCy"] and not log.dropped
    assert changed.entities == tuple(entity for entity in article.entities if entity.label != "DATE")
    assert (changed.id, changed.title, changed.events) == (article.id, article.title, article.events)


# what is damaged


def test_spans_whose_offsets_disagree_are_dropped(tmp_path: Path) -> None:
    doc = made_doc()
    doc.spans["sc"] = [tokens.Span(doc, 1, 2, label="PERSON"), tokens.Span(doc, 2, 3, label="GPE")]
    parts = unpack(zlib.decompress(tokens.DocBin(docs=[doc]).to_bytes()))
    group = parts["span_groups"][0]

    def spans(*fields: int) -> list[str]:
        stored = struct.pack(">lll", 1, 2, 4) + struct.pack(">l", 8)
        assert group.count(stored) == 1
        changed = {**parts, "span_groups": [group.replace(stored, struct.pack(">llll", *fields))]}
        (article,), log = read(tmp_path / "a.spacy", zlib.compress(srsly.msgpack_dumps(changed)))
        assert [entity.label for entity in article.entities] == ["GPE"]
        return causes(log)

    assert spans(1, 2, 4, 9) == ["offsets disagree"]
    assert spans(1, 1, 4, 4) == ["span outside the text"]
    assert spans(1, 2**31 - 1, 4, 8) == ["span outside the text"]
    assert spans(-1, 2, 4, 8) == ["span outside the text"]


def changed_file(path: Path, **changes: Any) -> tuple[list[Article], ProblemLog]:
    doc = made_doc()
    doc.ents = [tokens.Span(doc, 1, 2, label="PERSON")]
    parts = unpack(zlib.decompress(tokens.DocBin(docs=[doc, made_doc("آخر")], store_user_data=True).to_bytes()))
    return read(path, zlib.compress(srsly.msgpack_dumps({**parts, **changes})))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attrs": []}, "attrs"),
        ({"attrs": ["ORTH"]}, "attrs"),
        ({"strings": [1]}, "strings"),
        ({"tokens": b"x"}, "tokens"),
        ({"tokens": b""}, "disagree"),
        ({"lengths": struct.pack("<ii", 5, -1)}, "disagree"),
        ({"lengths": struct.pack("<ii", 2**31 - 1, 2**31 - 1)}, "disagree"),
        ({"spaces": b"\0"}, "disagree"),
    ],
)
def test_a_file_whose_parts_disagree_is_rejected(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    articles, log = changed_file(tmp_path / "a.spacy", **changes)
    assert not articles and causes(log) == ["not a DocBin"] and said in log.dropped[0].message


def test_only_the_damaged_part_of_a_document_is_dropped(tmp_path: Path) -> None:
    articles, log = changed_file(tmp_path / "a.spacy", strings=["", "آخر"])
    assert [article.text for article in articles] == ["آخر"]
    assert causes(log) == ["document left out"] and log.dropped[0].line == 1
    for changes, cause in [
        ({"cats": [{"A": "x", "B": 1.0}, {}]}, "category"),
        ({"span_groups": [b"\xc1", b""]}, "spans left out"),
        ({"span_groups": [b"\x91\xc4\x01\x01", b""]}, "spans left out"),
        ({"span_groups": [b"\x01", b""]}, "spans left out"),
        ({"user_data": [b"\xc1", b"\x80"]}, "user data"),
        ({"user_data": [b"\x81\xa5rasid\xa1{", b"\x80"]}, "user data"),
        ({"user_data": [b"\x81\xa5rasid\xa2[]", b"\x80"]}, "user data"),
        ({"user_data": [b"\x81\xa5rasid\xa9" + b'{"id": 1}', b"\x80"]}, "wrong kind"),
    ]:
        articles, log = changed_file(tmp_path / "a.spacy", **changes)
        assert [article.text for article in articles] == ["زار خالد غزة", "آخر"]
        assert causes(log) == [cause]
        assert [entity.label for entity in articles[0].entities] == ["PERSON"]


def test_user_data_are_used_only_if_they_are_valid(tmp_path: Path) -> None:
    kept = {
        "id": "x",
        "entities": [{"start": 4, "end": 8, "label": "PERSON"}],
        "events": [],
        "sentences": [{"start": 3, "end": 8}],
    }
    user_data = json.dumps(kept).encode()
    packed = b"\x81\xa5rasid\xd9" + bytes([len(user_data)]) + user_data
    articles, log = changed_file(tmp_path / "a.spacy", user_data=[packed, b"\x80"])
    assert articles[0].id == "x" and not articles[0].sentences and articles[0].entities[0].text == "خالد"
    assert causes(log) == ["white space at an edge"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "truncated"),
        (b"not zlib", "not compressed"),
        (zlib.compress(b"\x80")[:-3], "truncated"),
        (zlib.compress(b""), "early"),
        (zlib.compress(b"\x01"), "not a map"),
        (zlib.compress(b"\x80\x80"), "follow the value"),
        (zlib.compress(b"\x81\xa5attrs" + b"\x91" * 100), "nested deeper"),
        (zlib.compress(b"\xdd\xff\xff\xff\xf0" * 400 + b"\xc0" * (8 << 20)), "nested deeper"),
        (zlib.compress(b"\xdd\xff\xff\xff\xf0" * 4), "early"),
        (zlib.compress(b"\xc6\xff\xff\xff\xff"), "early"),
        (zlib.compress(bytes(40 << 20)), "more than 16 MiB"),
        (b"\x80\x04\x95", "not compressed"),  # a pickle
    ],
)
def test_files_that_are_not_docbin_are_rejected(tmp_path: Path, content: bytes, said: str) -> None:
    articles, log = read(tmp_path / "a.spacy", content)
    assert not articles and causes(log) == ["not a DocBin"] and said in log.dropped[0].message


def test_a_long_token_that_is_repeated_is_rejected(tmp_path: Path) -> None:
    docs = [tokens.Doc(Vocab(), words=["ا" * 10_000], spaces=[False]) for _ in range(5)]
    articles, log = read(spacy_file(tmp_path / "a.spacy", *docs))
    assert len(articles) == 1 and causes(log) == ["document left out"] * 4
    assert "10000 characters" in log.dropped[0].message


def test_one_group_under_many_keys_is_not_copied_for_each(tmp_path: Path) -> None:
    doc = made_doc()
    group = srsly.msgpack_dumps(
        {"name": "sc", "attrs": {}, "spans": [struct.pack(">QQQllll", 0, 0, 0, 1, 2, 4, 8)] * 1000}
    )
    parts = unpack(zlib.decompress(tokens.DocBin(docs=[doc]).to_bytes()))
    parts["span_groups"] = [srsly.msgpack_dumps({group: [f"k{number}" for number in range(2000)]})]
    start = time.perf_counter()
    _, log = read(tmp_path / "a.spacy", zlib.compress(srsly.msgpack_dumps(parts)))
    assert len(log.dropped) == 2000 and time.perf_counter() - start < 5


def test_the_numbers_of_attributes_are_those_of_spacy() -> None:
    assert docbin_parts.ORTH == spacy.attrs.ORTH and docbin_parts.ENT_ID == spacy.attrs.ENT_ID
    assert (docbin_parts.ENT_IOB, docbin_parts.ENT_TYPE) == (spacy.attrs.ENT_IOB, spacy.attrs.ENT_TYPE)


def test_spans_that_cover_too_much_together_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docbin.reader, "MAX_COVERED", 20)
    article = Article(
        text="زار خالد غزة", id="a", entities=tuple(Entity(start=0, end=8, label=f"L{n}") for n in range(4))
    )
    write_articles([article], tmp_path / "a.spacy")
    (kept,), log = read(tmp_path / "a.spacy")
    assert len(kept.entities) == 2 and causes(log) == ["too many spans"]


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_articles([Article(text="نص", id="a")], tmp_path / "a.spacy")
    for module in ("spacy.tokens", "spacy.strings"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r'pip install "rasid\[spacy\]"'):
        write_articles([Article(text="نص", id="a")], tmp_path / "b.spacy")
    with pytest.raises(DataError, match=r'pip install "rasid\[spacy\]"'):
        load_articles(tmp_path / "a.spacy")


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | TEXT
        | st.binary(max_size=40),
        lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=30,
    ).filter(lambda value: len(repr(value)) < 10_000)
)
def test_msgpack_reads_what_spacy_writes(value: Any) -> None:
    assert unpack(srsly.msgpack_dumps(value)) == value


def test_msgpack_of_every_width() -> None:
    value = [
        "x" * 300,
        "y" * 70_000,
        b"z" * 300,
        b"z" * 70_000,
        list(range(-40_000, 40_000, 7)),
        dict.fromkeys(range(20)),
        1.5,
    ]
    assert unpack(srsly.msgpack_dumps(value)) == value
    assert unpack(srsly.msgpack_dumps(dict.fromkeys(range(70_000)))) == dict.fromkeys(range(70_000))
    assert unpack(srsly.msgpack_dumps({(1, "a"): [srsly.msgpack.ExtType(3, b"ab")]})) == {(1, "a"): [b"\x03ab"]}
    assert unpack(srsly.msgpack_dumps(srsly.msgpack.ExtType(3, b"x" * 300)))[:2] == b"\x03x"
    with pytest.raises(ValueError, match="key of a map"):
        unpack(b"\x81\x80\x01")
    with pytest.raises(ValueError, match="0xc1"):
        unpack(b"\xc1")


def test_corrupted_files_give_valid_articles_or_reasons(tmp_path: Path, corrupted) -> None:
    """Damage inside the compression, whose checksum would find it, and in a few cases outside of it."""
    text = "قصف 🙂 في غزة\r\nوخالد يندد"
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT",), arguments=(Argument(role="Place", entity="e"),))
    entities = (Entity(start=9, end=12, label="GPE", id="e"), Entity(start=6, end=12, label="X"))
    article = Article(text=text, id="a", entities=entities, events=(event,), event_types=("ASSAULT",), meta={"a": [1]})
    write_articles([article, Article(text="آخر", id="b")], tmp_path / "good.spacy")
    good = zlib.decompress((tmp_path / "good.spacy").read_bytes())
    chance = random.Random(1)
    whole = 0
    for seed in range(400):
        damaged = bytearray(good)
        damaged[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        if seed % 2:
            damaged = corrupted(good, seed)
        content = zlib.compress(bytes(damaged)) if seed % 10 else bytes(damaged)
        articles, log = read(tmp_path / "b.spacy", content)
        assert len(articles) == 2 or log.dropped
        whole += len(articles) == 2
    assert 0 < whole < 400
