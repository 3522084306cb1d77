"""Gold to targets and back: predictable gold comes back exactly, other gold is counted with its cause."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasid.data.articles import Article, Entity, Event, Sentence, Span, check_article
from rasid.data.labels import Label, LabelScheme
from rasid.data.text.words import behind_proclitic, split_words
from rasid.data.windows.alignment import outermost, word_range
from rasid.data.windows.columns import IGNORED
from rasid.data.windows.encoding import EncodedText, TextEncoder
from rasid.data.windows.targets import Targets, annotated_labels_of, sentence_types_of
from rasid.models.tasks import target_maker
from rasid.models.tasks.entities import decode_tags
from rasid.models.tasks.triggers import decode_marks

ENTITIES = ("PER", "GPE", "ORG")
EVENTS = ("ASSAULT", "PROTEST", "AID")
SCHEME = LabelScheme(
    name="small",
    entities={name: Label(name=name) for name in ENTITIES},
    events={name: Label(name=name) for name in EVENTS},
)
OF_EVENTS = dict.fromkeys(("triggers", "sentence_types", "article_types"), EVENTS)
ALL = {"entities": ENTITIES, "proclitics": (), **OF_EVENTS}
Spans = Sequence[tuple[int, int, str]]


def make(encoder: TextEncoder, article: Article, annotated_labels: dict | None = None) -> tuple[Targets, EncodedText]:
    """Targets; if everything is annotated, what they lose is checked."""
    assert not list(check_article(article, SCHEME))
    (encoded,) = encoder.encode([article])
    targets = target_maker(SCHEME).make(article, encoded, ALL if annotated_labels is None else annotated_labels)
    if annotated_labels is None:
        check_unpredictable(article, encoded, targets)
    return targets, encoded


def located(text: str, *marked: tuple[str, str]) -> Spans:
    """Spans by their surface; ``a|b`` is the b of ab."""
    found = []
    for surface, label in marked:
        before, _, inside = surface.rpartition("|")
        start = text.index(before + inside) + len(before)
        found.append((start, start + len(inside), label))
    return found


def with_spans(text: str, entities: Spans = (), triggers: Spans = ()) -> Article:
    return Article(
        text=text,
        entities=tuple(Entity(start=a, end=b, label=label) for a, b, label in entities),
        events=tuple(Event(trigger=Span(start=a, end=b), types=(label,)) for a, b, label in triggers),
    )


def with_entities(text: str, *marked: tuple[str, str]) -> Article:
    return with_spans(text, located(text, *marked))


def decoded(text: str, encoded: EncodedText, targets: Targets) -> tuple[Spans, Spans]:
    """What a network that has learned the targets by heart predicts."""
    count = len(encoded.words)
    tags = np.maximum(targets["entities"], 0)
    entity_logits = np.where(np.arange(1 + 2 * len(ENTITIES)) == tags[:, None], 9.0, -9.0)
    trigger_logits = np.full((count, 2 * len(EVENTS)), -9.0)
    trigger_logits[targets["triggers"][:, 0], targets["triggers"][:, 1]] = 9.0
    letters = np.maximum(targets["proclitics"], 0)

    def span(first: int, end: int) -> tuple[int, int]:
        start, stop = encoded.words[first].tolist()
        return behind_proclitic(text, start, stop, int(letters[first])), int(encoded.words[end - 1, 1])

    return (
        [(*span(s.first, s.end), ENTITIES[s.label]) for s in decode_tags([entity_logits])[0]],
        [(*span(s.first, s.end), EVENTS[s.label]) for s in decode_marks(trigger_logits, np.full(len(EVENTS), 0.5))],
    )


def lost(targets: Targets, task: str) -> dict[str, int]:
    return {cause: number for (of, cause), number in targets.unpredictable.items() if of == task}


def check_unpredictable(article: Article, encoded: EncodedText, targets: Targets) -> None:
    """Each outermost span is either predicted or counted as unpredictable; so are nested ones."""
    entities, triggers = decoded(article.text, encoded, targets)
    gold = {(e.start, e.end, e.label) for e in article.entities}
    flat, inner = outermost(sorted(gold))
    counted = Counter(lost(targets, "entities"))
    assert {cause: number for cause, number in counted.items() if cause in inner} == inner
    assert len(flat) + inner.total() == len(gold)
    assert len(set(flat) & set(entities)) + (counted - inner).total() == len(flat)

    gold = {(e.trigger.start, e.trigger.end, label) for e in article.events for label in e.types}
    assert len(gold & set(triggers)) + sum(lost(targets, "triggers").values()) == len(gold)


WORDS = [
    "سوريا", "وواشنطن", "وَبِبغداد", "قال", "فَسَيُقصف", "«هيئة", "الإغاثة»", "متحدثُ", "سامر\u200cالحلبي", "و", "12كم", "漢",
    "😀", "ــقصف", "َ", "U.S.", "لل" + "ا" * 40, "...", "\u200fبغداد\u200f",
]  # fmt: skip


@st.composite
def annotated(draw: st.DrawFn) -> Article:
    """An article with spans of every kind: of words, behind clitics, nested, crossing, anywhere."""
    chosen = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
    text = "".join(word + draw(st.sampled_from([" ", " ", "، ", ".\n", ""])) for word in chosen)
    places = split_words(text).tolist()

    def span() -> tuple[int, int]:
        first = draw(st.integers(0, len(places) - 1))
        last = min(len(places) - 1, first + draw(st.integers(0, 3)))
        start, end = places[first][0], places[last][1]
        match draw(st.sampled_from(["words", "words", "clitic", "inside", "any"])):
            case "clitic":
                start += draw(st.integers(0, 5))
            case "inside":
                end -= draw(st.integers(0, 3))
            case "any":
                start, end = draw(st.integers(0, len(text) - 1)), draw(st.integers(1, len(text)))
        return start, end

    def spans() -> list[tuple[int, int]]:
        found = [span() for _ in range(draw(st.integers(0, 8)))]
        kept = [(a, b) for a, b in found if a < b and text[a:b] == text[a:b].strip()]
        return kept + kept[: draw(st.integers(0, 1))]

    return Article(
        text=text,
        entities=tuple(Entity(start=a, end=b, label=draw(st.sampled_from(ENTITIES))) for a, b in spans()),
        events=tuple(
            Event(
                trigger=Span(start=a, end=b),
                types=tuple(draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2, unique=True))),
            )
            for a, b in spans()
        ),
    )


@given(article=annotated())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_span_is_predicted_or_counted(encoder: TextEncoder, article: Article) -> None:
    make(encoder, article)
    # Without proclitics nothing inside a word can be predicted.
    targets, encoded = make(encoder, article, {task: names for task, names in ALL.items() if task != "proclitics"})
    assert (targets["proclitics"] == IGNORED).all()
    check_unpredictable(article, encoded, targets)


def test_all_mentions_of_the_made_articles_are_predictable(encoder: TextEncoder, articles: list[Article]) -> None:
    for article in articles:
        (encoded,) = encoder.encode([article])
        scheme_labels = tuple(dict.fromkeys(e.label for e in article.entities))
        maker = target_maker(
            LabelScheme(
                name="of it",
                entities={name: Label(name=name) for name in (*scheme_labels, *ENTITIES)},
                events={name: Label(name=name) for name in (*article.event_types, *EVENTS)},
            )
        )
        annotated_labels = {"entities": scheme_labels, "triggers": article.event_types, "proclitics": ()}
        targets = maker.make(article, encoded, annotated_labels)
        flat, causes = outermost(sorted({(e.start, e.end, e.label) for e in article.entities}))
        assert targets.unpredictable == Counter({("entities", cause): n for cause, n in causes.items()})
        assert (targets["entities"] % 2 == 1).sum() == len(flat)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("قال سامر الحلبي أمس", [("سامر الحلبي", "PER")]),
        ("زار وواشنطن أمس", [("و|واشنطن", "GPE")]),
        ("زار وَلِبغداد أمس", [("وَلِ|بغداد", "GPE")]),  # two letters and their diacritics
        ("وكبسوريا", [("وكب|سوريا", "GPE")]),
        ("قال الرئيسُ", [("الرئيسُ", "PER")]),
        ("سوريا بغداد", [("سوريا", "GPE"), ("بغداد", "GPE")]),  # side by side, of one label
        ("سوريا", [("سوريا", "GPE")]),
        ("U.S.ــقصف", [("U.S.", "GPE")]),  # the tatweel is of the next word
        ("سوريا، «بغداد».", [("سوريا", "GPE"), ("بغداد", "ORG")]),
        ("قال " * 100 + "بغداد " * 40 + "سامر", [("بغداد " * 39 + "بغداد", "ORG"), ("سامر", "PER")]),
    ],
)
def test_predictable_gold_comes_back(encoder: TextEncoder, text: str, gold: Sequence[tuple[str, str]]) -> None:
    article = with_entities(text, *gold)
    targets, encoded = make(encoder, article)
    assert not targets.unpredictable
    assert decoded(text, encoded, targets)[0] == located(text, *gold)


@pytest.mark.parametrize(
    ("text", "gold", "cause"),
    [
        ("هيئة الإغاثة", [("هيئة الإغاثة", "ORG"), ("الإغاثة", "PER")], "nested inside another"),
        ("هيئة الإغاثة أمس", [("هيئة الإغاثة", "ORG"), ("الإغاثة أمس", "PER")], "crosses another"),
        ("سورياوبغداد", [("سوريا", "GPE")], "ends inside a word"),
        ("سورياوبغداد", [("سورياو|بغداد", "GPE")], "starts more than 3 letters inside a word"),
        ("قال 漢 أمس", [("漢", "PER")], "no sub-word"),
        ("قال 漢 أمس", [("漢 أمس", "PER")], "edge that the encoder does not see"),
        ("قال أمس 漢", [("أمس 漢", "PER")], "edge that the encoder does not see"),
        ("قال الرئيسُ", [("الرئيس", "PER")], "leaves out a diacritic or tatweel at its end"),
        ("وَواشنطن", [("و|َواشنطن", "GPE")], "starts at or behind a diacritic or tatweel"),
        ("زار بغداد", [("زار ب|غداد", "GPE"), ("زار بغداد", "ORG")], "nested inside another"),
    ],
)
def test_the_cause_is_named(encoder: TextEncoder, text: str, gold: Sequence[tuple[str, str]], cause: str) -> None:
    targets, _ = make(encoder, with_entities(text, *gold))
    assert lost(targets, "entities") == {cause: 1}


def test_a_word_shared_by_two_mentions_goes_to_the_predictable_one(encoder: TextEncoder) -> None:
    """Each mention is counted once."""
    targets, _ = make(encoder, with_entities("زار سامروبغداد أمس", ("سامر", "PER"), ("سامرو|بغداد أمس", "GPE")))
    causes = ("ends inside a word", "starts more than 3 letters inside a word")
    assert lost(targets, "entities") == dict.fromkeys(causes, 1)
    article = with_entities("زار سامر وبغداد أمس", ("سامر و", "PER"), ("و|بغداد أمس", "GPE"))
    targets, encoded = make(encoder, article)
    assert lost(targets, "entities") == {"ends inside a word": 1}
    entities, _ = decoded(article.text, encoded, targets)
    assert located(article.text, ("و|بغداد أمس", "GPE"))[0] in entities


def test_an_unpredictable_mention_takes_no_proclitic_from_another(encoder: TextEncoder) -> None:
    text = "زار سامر وبغداد"
    spans = located(text, ("سامر وب", "PER"), ("وب|غداد", "GPE"))
    targets, _ = make(encoder, with_spans(text, spans, [(9, 15, "AID")]))
    assert sum(lost(targets, "triggers").values()) + sum(lost(targets, "entities").values()) == 2


DISAGREE = {("triggers", "two proclitics in one word"): 1}


@pytest.mark.parametrize(
    ("entities", "triggers", "unpredictable", "letters", "predicted"),
    [
        # An entity sets the proclitic before a trigger does.
        ([(5, 10, "GPE")], [(4, 10, "AID"), (5, 14, "PROTEST")], DISAGREE, 1, [(5, 14, "PROTEST")]),
        ([(5, 10, "GPE")], [(5, 10, "AID")], {}, 1, [(5, 10, "AID")]),
        ([(5, 10, "GPE")], [(4, 10, "AID")], DISAGREE, 1, []),
        # The first of two triggers sets it.
        ([], [(4, 10, "AID"), (5, 10, "PROTEST")], DISAGREE, 0, [(4, 10, "AID")]),
        ([], [(5, 10, "PROTEST"), (4, 10, "AID")], DISAGREE, 1, [(5, 10, "PROTEST")]),
        # A trigger that disagrees is placed after all others.
        ([], [(5, 10, "ASSAULT"), (4, 14, "AID"), (11, 14, "AID")], DISAGREE, 1, [(5, 10, "ASSAULT"), (11, 14, "AID")]),
    ],
)
def test_a_word_has_one_proclitic(
    encoder: TextEncoder, entities: Spans, triggers: Spans, unpredictable: dict, letters: int, predicted: Spans
) -> None:
    text = "زار وبغداد أمس"
    article = with_spans(text, entities, triggers)
    targets, encoded = make(encoder, article)
    assert targets.unpredictable == unpredictable
    assert targets["proclitics"].tolist()[:2] == [IGNORED, letters]
    assert set(decoded(text, encoded, targets)[1]) & set(triggers) == set(predicted)


def test_both_of_two_triggers_that_disagree_are_marked(encoder: TextEncoder) -> None:
    targets, _ = make(encoder, with_spans("زار وبغداد أمس", (), [(4, 10, "AID"), (5, 10, "PROTEST")]))
    assert len(targets["triggers"]) == 2  # only the offsets of the second cannot be predicted


def test_several_types_on_one_trigger_and_repeated_gold(encoder: TextEncoder) -> None:
    text = "قصف وتظاهر في بغداد"
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT", "AID"))
    entity = Entity(start=14, end=19, label="GPE")
    article = Article(text=text, events=(event, event), entities=(entity, entity))
    targets, encoded = make(encoder, article)
    assert not targets.unpredictable  # the same twice is one gold span
    assert decoded(text, encoded, targets) == ([(14, 19, "GPE")], [(0, 3, "ASSAULT"), (0, 3, "AID")])
    triggers = located(text, ("قصف وتظاهر", "ASSAULT"), ("وتظاهر", "ASSAULT"), ("و|تظاهر في", "AID"))
    targets, encoded = make(encoder, with_spans(text, (), triggers))
    assert lost(targets, "triggers") == {"shares a word with another of its type": 1}


def test_proclitics_are_letters_of_first_words_only(encoder: TextEncoder) -> None:
    text = "قال وسامر الحلبي إن سوريا"
    targets, encoded = make(encoder, with_entities(text, ("و|سامر الحلبي", "PER"), ("سوريا", "GPE")))
    assert [text[a:b] for a, b in encoded.words] == text.split()
    assert targets["proclitics"].tolist() == [IGNORED, 1, IGNORED, IGNORED, 0]
    assert targets["entities"].tolist() == [0, 1, 2, 0, 3]


def test_proclitics_that_are_not_annotated(encoder: TextEncoder) -> None:
    article = with_entities("قال وسامر إن سوريا", ("و|سامر", "PER"), ("سوريا", "GPE"))
    targets, _ = make(encoder, article, {"entities": ENTITIES})
    assert lost(targets, "entities") == {"starts inside a word, and proclitics are not annotated": 1}
    assert targets["entities"].tolist() == [0, 1, 0, 3]
    assert (targets["proclitics"] == IGNORED).all()


def test_what_is_not_annotated_has_no_target(encoder: TextEncoder) -> None:
    text = "قصف في سوريا. قال سامر."
    article = with_spans(text, [(7, 12, "GPE"), (18, 22, "PER")], [(0, 3, "ASSAULT")])
    article = replace(article, event_types=("ASSAULT",))
    nothing, encoded = make(encoder, article, {})
    assert (nothing["entities"] == IGNORED).all() and (nothing["proclitics"] == IGNORED).all()
    assert not nothing["entities_unannotated"].any()
    assert not nothing["triggers_annotated"].any() and not len(nothing["triggers"])
    assert (nothing["sentence_types"] == IGNORED).all() and (nothing["article_types"] == IGNORED).all()
    assert not nothing.unpredictable

    of_events = {"triggers": ("PROTEST",), "sentence_types": ("ASSAULT", "AID"), "article_types": ("AID",)}
    some, _ = make(encoder, article, {"entities": ("GPE",), **of_events})
    assert sorted(some["entities"][some["entities"] > 0].tolist()) == [3]  # PER is not annotated and so no gold
    assert some["entities_unannotated"].tolist() == [True, False, True]
    assert some["triggers_annotated"].tolist() == [False, True, False] and not len(some["triggers"])
    assert some["sentence_types"].tolist() == [[1, IGNORED, 0], [0, IGNORED, 0]]
    assert some["article_types"].tolist() == [IGNORED, IGNORED, 0]
    assert len(encoded.sentences) == 2


def test_an_article_narrows_what_its_data_set_declares(encoder: TextEncoder) -> None:
    article = Article(
        text="قصف في سوريا.",
        event_types=("ASSAULT", "AID"),
        annotated={"article_types": ("ASSAULT",), "entities": (), "triggers": EVENTS},
    )
    declared = {"article_types": ("ASSAULT", "PROTEST"), "entities": ("GPE",), "sentence_types": EVENTS}
    narrowed = {"article_types": ("ASSAULT",), "entities": (), "sentence_types": EVENTS}
    assert annotated_labels_of(article, declared) == narrowed
    assert declared["article_types"] == ("ASSAULT", "PROTEST")
    targets, _ = make(encoder, article, declared)
    assert targets["article_types"].tolist() == [1, IGNORED, IGNORED]
    assert targets["entities_unannotated"].all() and not targets["triggers_annotated"].any()


def test_sentence_types_follow_from_triggers_or_are_given(encoder: TextEncoder) -> None:
    text = "قصف في سوريا. تظاهر في بغداد. قال سامر."
    first, second, third = (0, 13), (14, 29), (30, 39)
    events = (
        Event(trigger=Span(start=0, end=3), types=("ASSAULT", "AID")),
        Event(trigger=Span(start=14, end=19), types=("PROTEST",)),
    )
    article = Article(text=text, events=events)
    targets, encoded = make(encoder, article)
    assert encoded.sentences.tolist() == [[*first], [*second], [*third]]
    assert targets["sentence_types"].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert sentence_types_of(article, encoded.sentences) == [("AID", "ASSAULT"), ("PROTEST",), ()]

    given = Article(
        text=text,
        events=events,
        sentences=(Sentence(start=0, end=29, types=("AID",)), Sentence(start=30, end=39, types=("PROTEST",))),
    )
    targets, encoded = make(encoder, given)
    assert targets["sentence_types"].tolist() == [[0, 0, 1], [0, 1, 0]]


def test_labels_of_what_the_encoder_cannot_read_are_counted(encoder: TextEncoder) -> None:
    article = Article(
        text="漢字 漢",
        sentences=(Sentence(start=0, end=2, types=("AID", "PROTEST")), Sentence(start=3, end=4)),
        event_types=("AID",),
        entities=(Entity(start=0, end=2, label="PER"),),
    )
    targets, _ = make(encoder, article)
    assert targets.unpredictable == {
        ("sentence_types", "no sub-word"): 2,
        ("article_types", "no sub-word"): 1,
        ("entities", "no sub-word"): 1,
    }


def test_a_scheme_without_events(encoder: TextEncoder) -> None:
    scheme = LabelScheme(name="names", entities={"PER": Label(name="PER")})
    article = Article(text="قال سامر", entities=(Entity(start=4, end=8, label="PER"),))
    (encoded,) = encoder.encode([article])
    targets = target_maker(scheme).make(
        article, encoded, {"entities": ("PER",), "sentence_types": (), "article_types": ()}
    )
    assert targets["entities"].tolist() == [0, 1]
    assert targets["sentence_types"].shape == (1, 0) and targets["article_types"].shape == (0,)


def test_outermost() -> None:
    spans = [(0, 2, "B"), (0, 5, "A"), (4, 7, "A"), (5, 7, "A"), (5, 7, "B"), (7, 8, "A")]
    kept, causes = outermost(spans)
    assert kept == [(0, 5, "A"), (5, 7, "A"), (7, 8, "A")]
    assert causes == {"nested inside another": 2, "crosses another": 1}


def test_word_range(encoder: TextEncoder) -> None:
    (encoded,) = encoder.encode(["قال سامر 漢 أمس"])
    ranges = {(0, 3): (0, 1), (0, 8): (0, 2), (5, 6): (1, 2), (3, 4): (1, 1), (9, 10): (2, 2), (8, 14): (2, 3)}
    assert {span: word_range(encoded, *span) for span in ranges} == ranges
