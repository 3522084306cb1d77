"""Scores of arguments: TextEE's definitions, what counts, distances, errors, and how reports show them."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.articles import Argument, Article, Entity, Event, Sentence, Span
from rasid.data.labels import Label, LabelScheme
from rasid.evaluate.arguments import DISTANCES, argument_sets, score_arguments
from rasid.evaluate.errors import frequent_argument_errors
from rasid.evaluate.report import Bootstrap
from rasid.evaluate.scores import argument_scores

ROLES, TYPES, LABELS = ("Actor", "Recipient", "Location"), ("AID", "ASSAULT"), ("PER", "GPE")
SCHEME = LabelScheme(
    name="small",
    entities={name: Label(name=name) for name in LABELS},
    events={name: Label(name=name) for name in TYPES},
    roles={name: Label(name=name) for name in ROLES},
)
ANNOTATED = {"entities": LABELS, "triggers": TYPES, "arguments": ROLES}
TEXT = "a b c d e f g h! i j k l!\nm n o p!\nq r s t!"  # words of one letter, in four sentences


def at(letter: str) -> int:
    return TEXT.index(letter)


def entity(letter: str, label: str = "PER") -> Entity:
    return Entity(start=at(letter), end=at(letter) + 1, label=label, id=f"e-{letter}")


def event(letter: str, types: str, **arguments: str) -> Event:
    """An event with a letter as trigger; roles name the letters of their mentions."""
    found = tuple(Argument(role=role, entity=f"e-{one}") for role, letters in arguments.items() for one in letters)
    return Event(trigger=Span(start=at(letter), end=at(letter) + 1), types=tuple(types.split("+")), arguments=found)


def article(*events: Event, labels: dict[str, str] | None = None, **fields) -> Article:
    letters = {argument.entity[2:] for one in events for argument in one.arguments}
    entities = tuple(entity(letter, (labels or {}).get(letter, "PER")) for letter in sorted(letters, key=at))
    return Article(text=TEXT, entities=entities, events=events, **fields)


def figures(gold: Article, predicted: Article, annotated=ANNOTATED) -> dict[str, tuple[int, int, int]]:
    """Correct, predicted and gold arguments in each mode."""
    sets = argument_sets([gold], [predicted], annotated)
    totals = {mode: counts.total.sum(axis=0) for mode, counts in score_arguments([gold], *sets, SCHEME).items()}
    return {mode: (int(tp), int(tp + fp), int(tp + fn)) for mode, (tp, fp, fn) in totals.items()}


# ---- definitions -----------------------------------------------------------------------------------------------------


def test_a_wrong_role_is_identified_but_not_classified() -> None:
    gold, predicted = article(event("b", "AID", Actor="a")), article(event("b", "AID", Recipient="a"))
    found = figures(gold, predicted)
    assert found["arg_i"] == found["arg_i+"] == (1, 1, 1)
    assert found["arg_c"] == found["arg_c+"] == (0, 1, 1)


def test_an_argument_of_another_trigger_of_the_type_is_right_but_not_attached() -> None:
    gold = article(event("b", "AID", Actor="a"), event("d", "AID"))
    predicted = article(event("b", "AID"), event("d", "AID", Actor="a"))
    found = figures(gold, predicted)
    assert found["arg_i"] == found["arg_c"] == (1, 1, 1)
    assert found["arg_i+"] == found["arg_c+"] == (0, 1, 1)


def test_the_event_type_always_counts() -> None:
    gold, predicted = article(event("b", "AID", Actor="a")), article(event("b", "ASSAULT", Actor="a"))
    assert {figures(gold, predicted)[mode] for mode in ("arg_i", "arg_c", "arg_i+", "arg_c+")} == {(0, 1, 1)}


def test_an_argument_of_two_triggers_of_a_type_counts_once_unless_attached() -> None:
    gold = article(event("b", "AID", Actor="a"), event("d", "AID", Actor="a"))
    predicted = article(event("b", "AID", Actor="a"))
    found = figures(gold, predicted)
    assert found["arg_i"] == found["arg_c"] == (1, 1, 1)
    assert found["arg_i+"] == found["arg_c+"] == (1, 1, 2)


def test_a_mention_in_two_roles_is_identified_once() -> None:
    gold = article(event("b", "AID", Actor="a", Recipient="a"))
    found = figures(gold, article(event("b", "AID", Actor="a")))
    assert found["arg_i"] == found["arg_i+"] == (1, 1, 1)
    assert found["arg_c"] == found["arg_c+"] == (1, 1, 2)


def test_each_type_of_an_event_has_its_arguments() -> None:
    gold, predicted = article(event("b", "AID+ASSAULT", Actor="a")), article(event("b", "ASSAULT", Actor="a"))
    assert figures(gold, predicted)["arg_c+"] == (1, 1, 2)


def test_extents_are_exact_and_labels_of_entities_do_not_matter() -> None:
    gold = article(event("b", "AID", Actor="a", Location="f"))
    predicted = article(event("b", "AID", Actor="a", Location="f"), labels={"a": "GPE"})
    assert figures(gold, predicted)["arg_c+"] == (2, 2, 2)
    longer = replace(predicted, entities=(predicted.entities[0], replace(predicted.entities[1], end=at("g"), text="")))
    assert figures(gold, longer)["arg_i"] == (1, 2, 2)


def test_figures_of_a_longer_example() -> None:
    """By hand: three of five gold arguments are predicted, one on another trigger, one in another role."""
    gold = article(
        event("b", "AID", Actor="a", Recipient="c", Location="e"), event("g", "ASSAULT", Actor="a", Location="h")
    )
    predicted = article(
        event("b", "AID", Actor="ad", Recipient="e"), event("d", "ASSAULT", Actor="a"), event("g", "AID", Location="h")
    )
    assert figures(gold, predicted) == {
        "arg_c+": (1, 5, 5),
        "arg_c": (2, 5, 5),  # also a as Actor of an ASSAULT
        "arg_i+": (2, 5, 5),  # e in another role of b
        "arg_i": (3, 5, 5),
        "distance": (1, 5, 5),
        "event_type": (1, 5, 5),
    }


# ---- what counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotated", "counted"),
    [
        (ANNOTATED, (0, 4, 4)),
        (ANNOTATED | {"arguments": ("Actor",)}, (0, 2, 2)),
        (ANNOTATED | {"triggers": ("AID",)}, (0, 2, 2)),
        (ANNOTATED | {"entities": ("GPE",)}, (0, 1, 1)),
        ({"arguments": ROLES}, (0, 4, 4)),
        ({"entities": LABELS, "triggers": TYPES}, (0, 0, 0)),
    ],
)
def test_only_annotated_labels_count(annotated, counted) -> None:
    gold = article(
        event("b", "AID", Actor="a", Location="c"), event("e", "ASSAULT", Actor="d", Location="f"), labels={"c": "GPE"}
    )
    predicted = article(
        event("j", "AID", Actor="i", Location="k"), event("n", "ASSAULT", Actor="m", Location="o"), labels={"k": "GPE"}
    )
    assert figures(gold, predicted, annotated)["arg_c+"] == counted
    # An article may narrow what its data set annotated.
    narrower = {task: labels for task, labels in annotated.items() if task in ANNOTATED}
    assert figures(replace(gold, annotated=narrower), predicted)["arg_c+"] == (
        counted if "arguments" in annotated else (0, 4, 4)
    )


def test_predictions_are_widened_to_the_tokens_of_gold() -> None:
    gold = article(event("a", "AID", Actor="e"), tokens=((0, 3), (4, 7), (8, 11)))
    gold = replace(
        gold,
        entities=(replace(gold.entities[0], start=8, end=11, text=""),),
        events=(replace(gold.events[0], trigger=Span(start=0, end=3)),),
    )
    predicted = article(event("b", "AID", Actor="f"))
    assert figures(gold, predicted)["arg_c+"] == (1, 1, 1)
    assert figures(replace(gold, tokens=()), predicted)["arg_i"] == (0, 1, 1)


def test_distances_are_sentences_between_trigger_and_mention() -> None:
    gold = article(event("b", "AID", Actor="aimq"), event("q", "ASSAULT", Recipient="a"))
    predicted = article(event("b", "AID", Actor="ai"))
    sets = argument_sets([gold], [predicted], ANNOTATED)
    counts = score_arguments([gold], *sets, SCHEME)["distance"]
    assert counts.labels == DISTANCES == ("0", "1", "2", "more")
    assert counts.total.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 2]]
    # Sentences that the article has count, not those of its text.
    whole = replace(gold, sentences=(Sentence(start=0, end=len(TEXT)),))
    assert score_arguments([whole], *sets, SCHEME)["distance"].total.tolist()[0] == [2, 0, 3]
    starts = [0, at("i"), at("m"), at("q"), len(TEXT)]
    parts = [Sentence(start=start, end=end) for start, end in zip(starts, starts[1:], strict=False)]
    turned = replace(gold, sentences=tuple(reversed(parts)))
    assert (score_arguments([turned], *sets, SCHEME)["distance"].total == counts.total).all(), "in any order"


def test_event_types_are_counted_apart() -> None:
    gold = article(event("b", "AID+ASSAULT", Actor="ac"), event("d", "ASSAULT", Location="e"))
    predicted = article(event("b", "AID", Actor="a"), event("d", "ASSAULT", Location="ef"))
    counts = score_arguments([gold], *argument_sets([gold], [predicted], ANNOTATED), SCHEME)["event_type"]
    assert counts.labels == TYPES
    assert counts.total.tolist() == [[1, 0, 1], [1, 1, 2]]


# ---- properties ------------------------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrst"
EVENTS = st.builds(
    lambda trigger, types, arguments: event(
        trigger, types, **{role: "".join(sorted(letters)) for role, letters in arguments.items()}
    ),
    st.sampled_from(LETTERS),
    st.sampled_from(["AID", "ASSAULT", "AID+ASSAULT"]),
    st.dictionaries(st.sampled_from(ROLES), st.sets(st.sampled_from(LETTERS), max_size=3), max_size=3),
)
ARTICLES = st.lists(EVENTS, max_size=4).map(lambda events: article(*events))
PAIRS = st.lists(st.tuples(ARTICLES, ARTICLES), min_size=1, max_size=3)


@given(PAIRS)
def test_counts_are_those_of_sets_over_the_corpus(pairs) -> None:
    """As TextEE computes them: one set over all documents, with the number of the document in each item."""
    golds, predictions = zip(*pairs, strict=True)

    def items(articles, keep) -> set:
        return {
            (number, *keep((e.trigger.start, e.trigger.end), kind, mentions[a.entity], a.role))
            for number, one in enumerate(articles)
            for mentions in [{m.id: (m.start, m.end) for m in one.entities}]
            for e in one.events
            for kind in e.types
            for a in e.arguments
        }

    sets = argument_sets(golds, predictions, ANNOTATED)
    counts = score_arguments(golds, *sets, SCHEME)
    definitions = {
        "arg_i": lambda trigger, kind, mention, role: (kind, mention),
        "arg_c": lambda trigger, kind, mention, role: (kind, mention, role),
        "arg_i+": lambda trigger, kind, mention, role: (trigger, kind, mention),
        "arg_c+": lambda trigger, kind, mention, role: (trigger, kind, mention, role),
    }
    for mode, keep in definitions.items():
        gold, predicted = items(golds, keep), items(predictions, keep)
        expected = [len(gold & predicted), len(predicted - gold), len(gold - predicted)]
        assert counts[mode].total.sum(axis=0).tolist() == expected, mode
    for mode in ("distance", "event_type"):
        assert counts[mode].total.sum(axis=0).tolist() == counts["arg_c+"].total.sum(axis=0).tolist()


@given(ARTICLES)
def test_gold_as_prediction_is_always_right(gold) -> None:
    for mode, counts in score_arguments([gold], *argument_sets([gold], [gold], ANNOTATED), SCHEME).items():
        assert not counts.table[..., 1:].any(), mode
        assert counts.score("f1") == 1 or not counts.table.any()


@given(ARTICLES, ARTICLES, st.randoms())
def test_ids_and_order_do_not_matter(gold, predicted, random: random.Random) -> None:
    ids = [mention.id for mention in predicted.entities]
    new = dict(zip(ids, random.sample([f"x{n}" for n in range(len(ids))], len(ids)), strict=True))
    renamed = replace(
        predicted,
        entities=tuple(random.sample([replace(m, id=new[m.id]) for m in predicted.entities], len(ids))),
        events=tuple(
            replace(e, arguments=tuple(replace(a, entity=new[a.entity]) for a in e.arguments))
            for e in random.sample(predicted.events, len(predicted.events))
        ),
    )
    assert argument_sets([gold], [renamed], ANNOTATED) == argument_sets([gold], [predicted], ANNOTATED)


# ---- scores and errors -----------------------------------------------------------------------------------------------


@pytest.fixture
def result():
    golds = [
        article(event("b", "AID", Actor="a", Location="c"), id="1"),
        article(event("b", "AID", Actor="a"), event("e", "ASSAULT", Location="i"), id="2"),
    ]
    predictions = [
        article(event("b", "AID", Actor="a", Recipient="c"), id="1"),
        article(event("b", "AID", Actor="d"), id="2"),
    ]
    return golds, argument_sets(golds, predictions, ANNOTATED)


def test_scores_of_every_mode(result) -> None:
    golds, sets = result
    scores = argument_scores(score_arguments(golds, *sets, SCHEME), bootstrap=Bootstrap(samples=50), prefix="gold_")
    by_name = {score.name: score for score in scores}
    assert {score.task for score in scores} == {"arguments"}
    micro = by_name["arguments/gold_arg_c+/micro/f1"]
    assert (micro.correct, micro.predicted, micro.gold, micro.value) == (1, 3, 4, pytest.approx(2 / 7))
    assert micro.low is not None and micro.high is not None and micro.low <= 2 / 7 <= micro.high
    assert by_name["arguments/gold_arg_i+/micro/recall"].value == pytest.approx(2 / 4)
    actor = by_name["arguments/gold_arg_c+/Actor/recall"]
    assert (actor.value, actor.gold) == (0.5, 2)
    assert by_name["arguments/gold_distance/1/recall"].gold == 1
    assert by_name["arguments/gold_event_type/ASSAULT/recall"].value == 0
    averaged = {score.mode for score in scores if score.averaging}
    assert averaged == {"gold_arg_c+", "gold_arg_c", "gold_arg_i+", "gold_arg_i"}


def test_roles_and_types_that_the_scheme_lacks_are_an_error(result) -> None:
    golds, sets = result
    without = replace(SCHEME, roles={name: SCHEME.roles[name] for name in ROLES[:2]})
    with pytest.raises(ValueError, match="label 'Location' is not among the labels to score"):
        score_arguments(golds, *sets, without)


def test_errors_are_grouped_by_kind_type_and_role(result) -> None:
    golds, sets = result
    golds, sets = [*golds, replace(golds[1], id="3")], [[*part, part[1]] for part in sets]
    errors = {(e.kind, e.label, e.predicted_label): e for e in frequent_argument_errors(golds, *sets)}
    assert {key: error.count for key, error in errors.items()} == {
        ("wrong role", "AID Location", "Recipient"): 1,
        ("wrong mention", "AID Actor", ""): 2,
        ("missed", "ASSAULT Location", ""): 2,
    }
    missed = errors["missed", "ASSAULT Location", ""]
    assert (missed.text, missed.before, missed.after) == ("e … i", "a b c d ", " j k l!\nm n o p!\nq r s t!")
    assert (missed.task, missed.article) == ("arguments", "2")
    assert errors["wrong mention", "AID Actor", ""].text == "a … b"
    assert [error.count for error in frequent_argument_errors(golds, *sets, limit=1)] == [2]
    spurious = frequent_argument_errors(golds, *sets[::-1])
    assert ("spurious", "ASSAULT Location") in {(error.kind, error.label) for error in spurious}
