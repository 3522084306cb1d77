"""Duplicate texts, and mentions that are in train."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rasid.audit.duplicates import SIMILAR, near_pairs

SENTENCE = "قال الوزير في بيان نشر اليوم إن الوفد وصل إلى العاصمة مساء أمس برفقة خبراء من دول عدة"


def test_duplicates_and_near_duplicates(make: Callable, made_set: Callable, find: Callable) -> None:
    first = make(SENTENCE, id="1")
    near = replace(first, text=SENTENCE + " اليوم", id="2")
    other = make("تعادل الفريقان في مباراة الذهاب أمام جمهور كبير حضر من كل المدن القريبة", id="3")
    found = find(train=made_set(first, other), test=made_set(replace(first, id="t"), near))
    assert found["duplicates-across-splits"].severity == "error"
    assert [location.article for location in found["duplicates-across-splits"].locations] == ["t"]
    assert [location.article for location in found["near-duplicates-across-splits"].locations] == ["2"]
    assert "duplicates-within-splits" not in found
    within = find(train=made_set(first, replace(first, id="t"), near), test=made_set(other))
    assert within["duplicates-within-splits"].count == within["near-duplicates-within-splits"].count == 1
    assert not {key for key in within if "across" in key and "duplicates" in key}
    same_role = find(test=made_set(first), test_repaired=made_set(first))
    assert "duplicates-across-splits" not in same_role


def test_near_pairs_equal_those_of_comparing_all_shingles() -> None:
    random = np.random.default_rng(0)
    texts = [[str(word) for word in random.integers(0, 500, 40)] for _ in range(60)]
    for number in range(0, 60, 3):
        texts[number + 1] = list(texts[number])
        texts[number + 1][number % 40] = "x"
    runs = [{tuple(text[n : n + 5]) for n in range(len(text) - 4)} for text in texts]
    exact = {(a, b): len(runs[a] & runs[b]) / len(runs[a] | runs[b]) for a in range(60) for b in range(a + 1, 60)}
    found = {(a, b): score for a, b, score in near_pairs(texts)}
    assert found == {pair: round(score, 3) for pair, score in exact.items() if score >= SIMILAR}
    assert len(found) > 10


def test_common_phrases_are_skipped() -> None:
    texts = [[*SENTENCE.split(), str(number)] for number in range(20_000)]
    assert list(near_pairs(texts)) == []


def test_share_of_mentions_in_train(make: Callable, made_set: Callable, find: Callable) -> None:
    train = made_set(make("زار بغداد", ("بغداد", "GPE")))
    test = made_set(make("غادر بغداد إلى دمشق", ("بغداد", "GPE"), ("دمشق", "GPE")))
    found = find(train=train, test=test)["mentions-known-from-train"]
    assert ("test", "entities", "all", "1", "2", "50 %") in found.table
    assert "mentions-known-from-train" not in find(a=train, b=test)
