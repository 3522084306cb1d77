"""The audit as a whole."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rasid.audit import EncoderJudge, audit
from rasid.audit.article_views import role_of
from rasid.audit.findings import MOST_LOCATIONS
from rasid.data.articles import Article, Entity, Event, Span, check_article

HOSTILE = 'ابلو ٣aZ\n\t\u200c\u064e،.«»()"\u2028\x00\u200f😀\\[]\ud800گ'


def test_good_article_has_one_note(find: Callable, good: Article) -> None:
    assert list(find(good)) == ["longest-sentence"]


def test_errors_come_first_and_the_audit_is_json(make: Callable, made_set: Callable, good: Article) -> None:
    result = audit({"all": made_set(make("في بغداد \ud800", ("بغداد", "GPE"), ("بغداد", "GPE")), good)})
    order = [finding.severity for finding in result.findings]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert result.errors == 1
    assert json.loads(json.dumps(result.to_plain()))["findings"][0]["key"] == "duplicate-spans"


def test_all_locations_are_counted_but_not_listed(make: Callable, find: Callable) -> None:
    found = find(make("\x07" * 3000))["control-characters"]
    assert (len(found.locations), found.count) == (MOST_LOCATIONS, 3000)


def test_roles_of_data_sets() -> None:
    roles = {"train": "train", "test_repaired": "test", "valid": "dev", "val": "dev", "corpus-dev": "dev"}
    assert {name: role_of(name) for name in roles} == roles
    assert not any(map(role_of, ("value", "training", "")))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_valid_article_can_be_audited_and_printed(
    tokenizer_json: str, data: st.DataObject, made_set: Callable, printed: Callable
) -> None:
    articles = []
    for number in range(data.draw(st.integers(0, 3))):
        text = data.draw(st.text(HOSTILE, max_size=40))
        places = [n for n, sign in enumerate(text) if not sign.isspace()]
        bounds = st.tuples(st.sampled_from(places), st.sampled_from(places)) if places else st.nothing()
        pairs = data.draw(st.lists(bounds.map(sorted), max_size=4)) if places else []
        entities = tuple(Entity(start=s, end=e + 1, label=data.draw(st.sampled_from("AB"))) for s, e in pairs)
        events = tuple(Event(trigger=Span(start=s, end=e + 1), types=("X", "Y")) for s, e in pairs[:1])
        article = Article(text=text, id=str(number), entities=entities, events=events)
        assert not list(check_article(article))
        articles.append(article)
    judge = EncoderJudge(tokenizer=Tokenizer.from_str(tokenizer_json))
    result = audit({"[b]": made_set(*articles)}, judges=[judge])
    for finding in result.findings:
        assert finding.count >= len(finding.locations)
        assert len({len(row) for row in finding.table}) <= 1
    assert printed(result)


@pytest.mark.long
@pytest.mark.slow
def test_sixteen_thousand_sentences_take_less_than_a_minute(make: Callable, find: Callable) -> None:
    import time

    random = np.random.default_rng(1)
    words = [f"كلمة{n}" for n in range(5000)]
    articles = [
        make(" ".join(words[n] for n in random.zipf(1.3, 30).clip(max=4999)), id=str(number))
        for number in range(16_000)
    ]
    begin = time.process_time()
    find(*articles)
    assert time.process_time() - begin < 40
