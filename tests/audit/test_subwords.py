"""Checks against an encoder's tokenizer."""

import json
from collections.abc import Callable

import pytest
from tokenizers import Tokenizer

from rasid.audit import EncoderJudge, Finding
from rasid.data.articles import Article
from rasid.data.text.normalizer import with_arabert_normalization


@pytest.fixture
def find_with(find: Callable) -> Callable[..., dict[str, Finding]]:
    """``find_with(tokenizer, article, …)``: findings by key, with those of an `EncoderJudge`."""

    def find_with(tokenizer: Tokenizer, *articles: Article, **windows: int) -> dict[str, Finding]:
        return find(*articles, judges=[EncoderJudge(tokenizer=tokenizer, **windows)])

    return find_with


@pytest.fixture
def persian(make: Callable) -> Article:
    text = "زار گوگل وهيئة پارس ومحمدی ثم \ufefbهٰذا می\u200cخواهم \u200fبغداد\u200f"
    return make(text, ("گوگل", "ORG"), ("پارس", "ORG"))


def test_letters_that_are_lost_without_repair(tokenizer: Tokenizer, find_with: Callable, persian: Article) -> None:
    plain = with_arabert_normalization(tokenizer, repair=False)
    found = find_with(plain, persian)["lost-characters"]
    rows = {row[0].split()[0 if row[0].startswith("U+") else 1]: row for row in found.table[1:]}
    assert rows["U+06AF"][1] == "2"
    assert rows["U+06AF"][4] == "2: گوگل"
    assert {"U+067E", "U+06CC", "U+FEFB"} <= set(rows)
    assert rows["U+0670"][3] == rows["U+200C"][3] == "1"  # they split words; the mark at the edge of بغداد does not
    assert "U+200F" not in rows
    assert [location.label for location in found.locations[:2]] == ["ORG", "ORG"]  # names before other words
    assert "lost-characters" not in find_with(tokenizer, persian)


def test_links_repetitions_and_diacritics_are_not_lost(
    tokenizer: Tokenizer, make: Callable, find_with: Callable
) -> None:
    plain = with_arabert_normalization(tokenizer, repair=False)
    article = make("قَالَ الرئيسُ بـ34 كـــبير هههههه على https://گ.ir/x?a=1 &quot; إلى @گوگل")
    assert "lost-characters" not in find_with(plain, article)


def test_lost_symbols_are_a_note(tokenizer: Tokenizer, make: Callable, find_with: Callable) -> None:
    found = find_with(tokenizer, make("فوز 🎉 كبير"))
    assert found["unread-symbols"].severity == "note"
    assert "lost-characters" not in found


def test_unknown_words(tokenizer: Tokenizer, make: Callable, find_with: Callable) -> None:
    content = json.loads(tokenizer.to_str())
    for entry in ("ظ", "##ظ"):
        del content["model"]["vocab"][entry]
    poor = Tokenizer.from_str(json.dumps(content))
    found = find_with(poor, make("زار ظافر المدينة", ("ظافر", "PER")))
    assert found["unknown-words"].table[1] == ("ظافر", "1")
    assert found["lost-characters"].table[1][2] == "1"
    assert found["lost-characters"].locations[0].label == "PER"
    assert "unknown-words" not in find_with(tokenizer, make("زار ظافر المدينة"))


def test_articles_and_sentences_longer_than_a_window(
    tokenizer: Tokenizer, make: Callable, find_with: Callable, good: Article
) -> None:
    before = tokenizer.to_str()
    short = "وصل الوفد إلى بغداد. "
    long = make(short * 60, id="long")
    endless = make("وصل الوفد إلى بغداد " * 60, id="endless")
    found = find_with(tokenizer, good, long, endless, window=80, overlap=16)
    assert {location.article for location in found["long-articles"].locations} == {"long", "endless"}
    assert [location.article for location in found["sentences-beyond-window"].locations] == ["endless"]
    assert found["longest-in-subwords"].locations[0].article == "endless"
    assert not {"long-articles", "sentences-beyond-window"} & set(find_with(tokenizer, good))
    assert tokenizer.to_str() == before
