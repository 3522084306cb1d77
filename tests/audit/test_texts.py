"""Checks of the texts."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.audit.texts import mojibake
from rasid.data.articles import Article


def test_separated_clitics(make: Callable, find: Callable) -> None:
    split = find(make("وصل الوفد و غادر مدينة ها ب سرعة كبيرة"))["split-clitics"]
    assert split.severity == "warning"
    assert {row[0] for row in split.table[1:]} == {"و", "ها", "ب"}
    assert "split-clitics" not in find(make("أ) مصر، ب) تونس. رقم و-12، وصل وغادر مدينتها."))
    rare = find(make("وصل و غادر"), make("كلمة " * 2000, id="b"))["split-clitics"]
    assert rare.severity == "note"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("السلام عليكم".encode().decode("latin-1"), None), ("المدينة".encode("cp1256").decode("latin-1"), "المدينة")],
)
def test_mojibake_is_found_and_decoded(wrong: str, right: str | None, make: Callable, find: Callable) -> None:
    assert find(make(f"قال {wrong} اليوم"))["mojibake"].severity == "error"
    meant = [found for _, _, found in mojibake(wrong)]
    assert meant == ([right] if right else ["السلام", "عليكم"])


@settings(max_examples=60, deadline=None)
@given(st.text("ابتةثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئ", min_size=3, max_size=12))
def test_every_word_in_a_wrong_encoding_is_found(word: str) -> None:
    assert [meant for *_, meant in mojibake(word.encode().decode("latin-1"))] == [word]
    assert not list(mojibake(word))


def test_french_and_german_are_not_mojibake() -> None:
    assert not list(mojibake("L'été à Orléans où Müßiggänger über Ø 12 °C naïf çà et là"))


def test_lost_bytes_and_control_characters(make: Callable, find: Callable) -> None:
    found = find(make("قال الو\ufffdير \ud800 اليوم\x07"))
    assert found["lost-bytes"].count == 2
    assert found["control-characters"].table[1] == ("U+0007 without a name", "1")
    assert not {"lost-bytes", "control-characters", "mojibake"} & set(find(make("قال\tالوزير\r\nاليوم\u200f")))


def test_sentence_length_is_counted_in_tokens(find: Callable, good: Article) -> None:
    tokens = tuple((2 * n, 2 * n + 1) for n in range(530))
    article = Article(text=" ".join("ا" * 530), id="train-2691", tokens=tokens)
    found = find(good, article)
    assert (found["long-sentences"].count, found["long-sentences"].locations[0].article) == (1, "train-2691")
    assert found["longest-sentence"].locations[0].message.startswith("530 words")
    assert "long-sentences" not in find(good)
