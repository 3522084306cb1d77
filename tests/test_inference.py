import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import rasid
from rasid import Tagger
from rasid.data.articles import Article, Entity, Event, Sentence, Span, check_article
from rasid.inference import POOL_CHARACTERS, POOL_TEXTS
from rasid.models.bundle import Settings
from rasid.models.pairs import SIZE, RoleWeights, feature_count
from rasid.models.tasks import TASK_NAMES, TASKS

LOW = -8.0

PIECES = [
    *"ابتسوريةلمنوءؤئآأإىي", *"َُِّْـٰ", *"٠١٢٣۱۲12", *" \t\n\r\xa0\u2003", *".،؟!…«»\"'()[]/-_:", *"abZ", *"ڤگپیک",
    "\u200b", "\u200c", "\u200d", "\u200f", "\u202b", "\ufeff", "\x00", "\x85", "\u2028", "😀", "👨\u200d👧",
    "\ud83d", "\udc00", "ﷲ", "ﻻ", "ﻣ", "𞸀", "[SEP]", "[CLS]", "[PAD]", "[رابط]", "<b>", "&amp;", "&#1587;", "http://a.com/x?y=1",
    "a@b.com", "@user",
    "وسوريا", "واشنطن", "لل", "ههههههه", "د. سامر", "سوريا ", "قصف ", " و", "\u0300", "x" * 40, "س" * 70,
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=40),
)


def hashed_backend(entities: int, events: int):
    """Logits that depend on a word's sub-word alone, or on a sentence's number: no window can change them."""
    widths = {"entities": 1 + 2 * entities, "triggers": 2 * events, "proclitics": 4, "arguments": 4 * SIZE}
    tables = {task: np.random.default_rng(7).normal(scale=3, size=(4096, width)) for task, width in widths.items()}
    tables["sentence_types"] = np.random.default_rng(8).normal(scale=3, size=(4096, events))
    tables["article_types"] = tables["sentence_types"] + 1

    def run(inputs):
        first = np.take_along_axis(inputs["input_ids"], inputs["words"][:, :, 0], axis=1)  # [B, W]
        assert inputs["attention_mask"].sum() == (inputs["words"][:, :, 1].max(axis=1) + 1).sum()
        logits = {task: tables[task][first % 4096].astype(np.float32) for task in widths}
        for task in ("sentence_types", "article_types"):
            logits[task] = tables[task][inputs["sentence_numbers"] % 4096].astype(np.float32)
        return logits

    return run


def tagger_of(tokenizer_json, scheme, *, window=96, overlap=24, backend=None, tasks=TASK_NAMES, **options) -> Tagger:
    chosen = Settings(scheme=scheme, tasks=tasks, window=window, overlap=overlap, **options)
    made = backend or hashed_backend(len(scheme.labels("entities")), len(scheme.labels("triggers")))
    labels = [len(scheme.labels(task)) for task in ("triggers", "entities", "arguments")]
    return Tagger(
        settings=chosen,
        tokenizer=Tokenizer.from_str(tokenizer_json),
        backend=made,
        batch_tokens=600,
        roles=random_weights(*labels),
    )


def random_weights(types: int, labels: int, roles: int) -> RoleWeights:
    """Weights for which roles depend on the words and features of a pair."""
    rng = np.random.default_rng(9)
    shapes = (feature_count(types, labels), SIZE), (roles, SIZE), (roles, SIZE), (roles,)
    return RoleWeights(*(rng.normal(scale=0.1, size=shape).astype(np.float32) for shape in shapes))


@pytest.fixture(scope="module")
def hashed(tokenizer_json, scheme) -> Tagger:
    return tagger_of(tokenizer_json, scheme)


@pytest.fixture(scope="module")
def trained(bundle) -> Tagger:
    return Tagger.from_pretrained(bundle)


def check_offsets(article: Article, text: str) -> None:
    assert article.text == text
    for mention in (*article.entities, *(event.trigger for event in article.events)):
        assert 0 <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end] == mention.text
    for spans in article.evidence.values():
        assert spans
        for span in spans:
            assert text[span.start : span.end] == span.text != ""
    end = 0
    for sentence in article.sentences:
        assert end <= sentence.start < sentence.end <= len(text)
        end = sentence.end
        assert len(sentence.types) == len(sentence.scores)
    assert set(article.evidence) == set(article.event_types)
    assert not list(check_article(article))  # no edge of a mention is white space, no id is there twice
    scores = [entity.score for entity in article.entities] + [s for event in article.events for s in event.scores]
    scores += [argument.score for event in article.events for argument in event.arguments]
    scores += [*article.type_scores, *(score for sentence in article.sentences for score in sentence.scores)]
    assert all(score is not None and 0 <= score <= 1 for score in scores)


# ---- any text --------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_offsets_are_right_for_any_text(hashed, trained, text):
    check_offsets(hashed(text), text)
    check_offsets(trained(text), text)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_a_list_is_tagged_as_one_by_one_and_in_order(hashed, texts):
    together = hashed(texts)  # of an empty list an empty one
    assert [article.text for article in together] == texts
    assert together == [hashed(text) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=20, max_size=400).map("".join))
def test_windows_of_any_size_give_the_same_article(tokenizer_json, scheme, text):
    # Words and sentences have the same logits in every window, so any seam that shows is a mistake of merging.
    small = tagger_of(tokenizer_json, scheme, window=70, overlap=20)(text)
    assert small == tagger_of(tokenizer_json, scheme, window=2000)(text)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t ", "\u200b\u200f", "\x00", "ـ", "َ", "😀", "\ud800", "[CLS]", "..."])
def test_texts_without_words(hashed, trained, text):
    for tagger in (hashed, trained):
        check_offsets(tagger(text), text)
        assert tagger([text, "قصف في سوريا", text])[1] == tagger("قصف في سوريا")


# ---- a trained network -----------------------------------------------------------------------------------------------


def assert_alike(one: Article, two: Article) -> None:
    """Equal annotations, and scores that differ by rounding only."""

    def parts(article: Article):
        entities = [((e.start, e.end, e.label), [e.score]) for e in article.entities]
        events = [((e.trigger.start, e.trigger.end, e.types), e.scores) for e in article.events]
        sentences = [((s.start, s.end, s.types), s.scores) for s in article.sentences]
        found = [*entities, *events, *sentences, (article.event_types, article.type_scores)]
        return [part for part, _ in found], [score for _, scores in found for score in scores]

    (annotation, scores), (other, other_scores) = parts(one), parts(two)
    assert annotation == other
    np.testing.assert_allclose(scores, other_scores, atol=1e-4)


def test_the_network_gives_a_list_what_it_gives_one_by_one(trained, articles):
    texts = [article.text for article in articles[:12]] + ["", "قصف", " ".join(a.text for a in articles[:9])]
    together, apart = trained(texts), [trained(text) for text in texts]
    assert sum(len(article.entities) for article in together) > 20
    for one, two in zip(together, apart, strict=True):
        assert_alike(one, two)


def test_the_size_of_batches_changes_nothing(bundle, trained, articles):
    expected = trained("\n".join(article.text for article in articles[:8]))
    for tokens in (1, 300, 100_000):
        assert_alike(Tagger.from_pretrained(bundle, batch_tokens=tokens)(expected.text), expected)


def test_a_text_that_fits_is_read_at_once(trained, articles):
    settings = replace(trained.settings, window=128, overlap=24)
    wide = Tagger(settings=settings, tokenizer=trained.encoder.tokenizer, backend=trained.backend)
    single = 0
    for article in articles[:8]:
        (one,), (two,) = trained.predict([article.text]), wide.predict([article.text])
        if len(one.encoded.windows) == 1:
            single += 1
            assert one.article == two.article
            for task, logits in one.logits.items():
                np.testing.assert_array_equal(logits, two.logits[task])
    assert single


def test_what_was_learned_is_found(trained):
    article = trained("قصف في سوريا\n\nقال متحدث إن قصف وقع قرب بغداد وسوريا يوم الثلاثاء.")
    found = {(entity.text, entity.label) for entity in article.entities}
    assert {("سوريا", "GPE"), ("بغداد", "GPE"), ("الثلاثاء", "DATE")} <= found  # from وسوريا the name alone
    assert {event.trigger.text for event in article.events} == {"قصف"}
    assert article.event_types == ("ASSAULT",)
    assert article.evidence["ASSAULT"][0].text.startswith("قصف")


def test_a_very_long_article_is_tagged_to_its_end(trained, articles):
    text = "\n".join(article.text for article in articles)
    text = (text + "\n") * (100_000 // len(text) + 1)
    head = len(text)
    text += "وقع قصف قرب واشنطن وسوريا يوم الثلاثاء."
    assert len(text) > 100_000
    (prediction,) = trained.predict([text])
    article = prediction.article
    check_offsets(article, text)
    assert {"واشنطن", "الثلاثاء"} <= {entity.text for entity in article.entities if entity.start >= head}
    assert prediction.encoded.words[-1].tolist() == [len(text) - 1, len(text)]  # the full stop
    assert article.sentences[-1].end == len(text)
    starts = np.array([entity.start for entity in article.entities])
    assert np.histogram(starts, bins=20, range=(0, len(text)))[0].min() > 0  # nowhere a hole


def test_a_very_long_word_is_read_whole(hashed):
    text = "س" * 20_000
    (prediction,) = hashed.predict([text])
    check_offsets(prediction.article, text)
    words = prediction.encoded.words
    assert (words[0, 0], words[-1, 1]) == (0, len(text))
    assert (words[1:, 0] == words[:-1, 1]).all()


# ---- decoding, with logits of our own --------------------------------------------------------------------------------


def chosen_logits(scheme, **marks):
    """A backend that gives the same marks to every window: task → {(word, column): logit}."""

    def run(inputs):
        rows, words = inputs["words"].shape[:2]
        sentences = inputs["sentences"].shape[1]
        units = {"word": words, "sentence": sentences}
        logits = {
            task.name: np.full((rows, units[task.unit], task.width(len(task.labels(scheme)))), LOW, dtype=np.float32)
            for task in TASKS
        }
        logits["entities"][:, :, 0] = 0.0
        logits["proclitics"][:, :, 0] = 0.0
        for task, cells in marks.items():
            for place, value in cells.items():
                logits[task][(slice(None), *place)] = value
        return logits

    return run


@pytest.fixture
def decide(tokenizer_json, scheme):
    """Tag a text by marks: entities and triggers by label, proclitics by letters."""

    def run(text, *, entities=(), triggers=(), proclitics=(), settings_options=None, **sentence_marks) -> Article:
        labels, kinds = scheme.labels("entities"), scheme.labels("triggers")
        marks = {
            "entities": {(u, 1 + 2 * labels.index(label) + inside): 9.0 for u, label, inside in entities},
            "triggers": {(u, 2 * kinds.index(label) + inside): 3.0 for u, label, inside in triggers},
            "proclitics": {(word, letters): 9.0 for word, letters in proclitics},
        }
        for task, cells in sentence_marks.items():
            marks[task] = {(row, kinds.index(label)): value for (row, label), value in cells.items()}
        backend = chosen_logits(scheme, **marks)
        return tagger_of(tokenizer_json, scheme, backend=backend, **(settings_options or {}))(text)

    return run


@pytest.mark.parametrize(
    ("text", "letters", "mention"),
    [
        ("وسوريا", 1, "سوريا"),
        ("وسوريا", 0, "وسوريا"),
        ("وَسوريا", 1, "سوريا"),
        ("وـسوريا", 1, "سوريا"),
        ("وبالسوريين", 2, "السوريين"),
        ("و\u200fسوريا", 1, "سوريا"),
        ("سوريا،", 0, "سوريا"),
        ("سوريَا", 0, "سوريَا"),
        ("سورياً", 0, "سورياً"),  # the diacritic at the end is read with its letter
        ("و", 1, "و"),  # nothing would be left
        ("في", 3, "في"),
    ],
)
def test_a_proclitic_is_cut_off(decide, text, letters, mention):
    article = decide(text, entities=[(0, "GPE", 0)], proclitics=[(0, letters)])
    assert [entity.text for entity in article.entities] == [mention]
    check_offsets(article, text)


def test_a_proclitic_is_cut_off_the_first_word_of_entities_and_triggers(decide):
    article = decide("وهيئة وإغاثة", entities=[(0, "ORG", 0), (1, "ORG", 1)], proclitics=[(0, 1), (1, 1)])
    assert [entity.text for entity in article.entities] == ["هيئة وإغاثة"]
    article = decide("فقصف", triggers=[(0, "ASSAULT", 0)], proclitics=[(0, 1)])
    assert [event.trigger.text for event in article.events] == ["قصف"]


def test_one_word_with_several_types_is_one_event(decide):
    article = decide("قصف وهدنة", triggers=[(0, "PROTEST", 0), (0, "ASSAULT", 0), (1, "AID", 0)])
    assert [(event.trigger.text, set(event.types), event.id) for event in article.events] == [
        ("قصف", {"ASSAULT", "PROTEST"}, "v1"),
        ("وهدنة", {"AID"}, "v2"),
    ]
    first = article.events[0]
    assert len(first.scores) == 2
    assert first.score == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_thresholds_and_temperatures_of_the_bundle_hold(decide, scheme):
    kinds = scheme.labels("triggers")
    chance = 1 / (1 + np.exp(-3.0))
    marks = {"triggers": [(0, "ASSAULT", 0), (0, "AID", 0)]}
    thresholds = {"triggers": tuple(0.99 if kind == "AID" else 0.9 for kind in kinds)}
    article = decide("قصف", **marks, settings_options={"thresholds": thresholds})
    assert (article.events[0].types, article.events[0].scores) == (("ASSAULT",), (pytest.approx(chance),))
    cooled = {"thresholds": thresholds, "temperatures": {"triggers": 3.0}}
    assert decide("قصف", **marks, settings_options=cooled).events == ()


def test_the_types_of_an_article_come_with_their_evidence(decide):
    text = "عنوان قصير\nجملة أولى. جملة ثانية. جملة ثالثة."
    article = decide(
        text,
        sentence_types={(1, "AID"): 2.0},
        article_types={(1, "ASSAULT"): 4.0, (3, "ASSAULT"): 1.0, (2, "PROTEST"): -0.1, (0, "AID"): 0.0},
    )
    assert dict(zip(article.event_types, article.type_scores, strict=True)) == {
        "ASSAULT": pytest.approx(1 / (1 + np.exp(-4.0))),
        "AID": 0.5,
    }
    assert {kind: [span.text for span in spans] for kind, spans in article.evidence.items()} == {
        "ASSAULT": ["جملة أولى.", "جملة ثالثة."],
        "AID": ["عنوان قصير"],
    }
    assert [sentence.types for sentence in article.sentences] == [(), ("AID",), (), ()]


def test_without_an_article_head_an_article_has_the_types_of_its_sentences(tokenizer_json, scheme):
    column = scheme.labels("triggers").index("AID")
    backend = chosen_logits(scheme, sentence_types={(1, column): 2.0})
    tagger = tagger_of(tokenizer_json, scheme, backend=backend, tasks=("sentence_types",))
    article = tagger("جملة أولى. جملة ثانية.")
    assert article.event_types == ("AID",)
    assert [span.text for span in article.evidence["AID"]] == ["جملة ثانية."]
    assert (article.entities, article.events) == ((), ())


def test_a_crf_decides_by_its_transitions(decide, scheme):
    from rasid.models.viterbi import forbidden_transitions

    tags = 1 + 2 * len(scheme.labels("entities"))
    transitions = np.where(forbidden_transitions(tags), -1e4, 0.0)
    transitions[:, 1::2] -= 20.0  # a mention must be worth more than its logit of 9
    rows = tuple(tuple(row) for row in transitions.tolist())
    marks = {"entities": [(0, "GPE", 0)]}
    assert decide("سوريا", **marks).entities
    assert decide("سوريا", **marks, settings_options={"transitions": rows}).entities == ()


# ---- articles and streams --------------------------------------------------------------------------------------------


def test_an_article_keeps_its_metadata_and_loses_its_annotation(hashed):
    text = "قصف في سوريا. هدنة في واشنطن."
    own = {"id": "a1", "title": "قصف", "date": "2024-05-01", "source": "وكالة", "meta": {"n": 1}}
    given = Article(
        text=text,
        **own,
        entities=(Entity(id="x", start=0, end=3, label="PER"),),
        events=(Event(trigger=Span(start=0, end=3), types=("AID",)),),
        event_types=("AID",),
        annotated={"entities": ("PER",)},
        tokens=((0, 3),),
    )
    tagged = hashed(given)
    bare = hashed(text)
    assert tagged == replace(bare, **own)
    assert given.entities[0].label == "PER"


def test_sentences_that_an_article_brings_are_kept(hashed):
    text = "قصف في سوريا. هدنة في واشنطن."
    article = Article(text=text, sentences=(Sentence(start=0, end=3), Sentence(start=4, end=len(text))))
    assert [(s.start, s.end) for s in hashed(article).sentences] == [(0, 3), (4, len(text))]


def test_anything_but_text_is_refused(hashed):
    for wrong in (None, 3, b"abc", ["قصف", None]):
        with pytest.raises(TypeError, match="text"):
            hashed(wrong)


@pytest.mark.parametrize(
    ("made", "ahead"),
    [
        ([f"رقم {number}" for number in range(2000)], POOL_TEXTS),
        (["قصف" + " " * (POOL_CHARACTERS // 2)] * 6, 3),  # each is half of a pool
    ],
    ids=["short", "long"],
)
def test_a_stream_reads_one_pool_ahead(hashed, made, ahead):
    taken = []
    stream = hashed.stream(taken.append(text) or text for text in made)
    assert not taken
    for number, article in enumerate(stream):
        assert article.text == made[number]
        assert len(taken) - number <= ahead
    assert taken == made


def test_a_stream_gives_what_came_before_a_failure(hashed):
    def texts():
        yield from ["قصف"] * (POOL_TEXTS + 1)
        raise RuntimeError("the source broke")

    stream = hashed.stream(texts())
    for _ in range(POOL_TEXTS):
        next(stream)
    with pytest.raises(RuntimeError, match="the source broke"):
        for _ in stream:
            pass


def test_the_public_names():
    assert rasid.Tagger is Tagger
    assert rasid.Article is Article
    assert callable(rasid.load_articles)
    assert set(dir(sys.modules["rasid"])) >= {"__version__"}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rasid.nonsense
