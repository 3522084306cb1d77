"""Checks of letters: visual order, single letters, invisible characters at edges of spans."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from rasid.data.articles import Article, Entity
from rasid.data.corpus import load_corpus

TEXT = "قال الوزير إن الحكومة السورية أعلنت الهدنة في العاصمة"


@pytest.mark.parametrize("text", [TEXT[::-1], " ".join(word[::-1] for word in TEXT.split())])
def test_letters_in_visual_order(make: Callable, find: Callable, text: str) -> None:
    found = find(make(text))["visual-order"]
    assert (found.severity, found.count) == ("error", 1)
    assert "visual-order" not in find(make(TEXT))


def test_presentation_forms_in_visual_order(make: Callable, find: Callable) -> None:
    word = "\ufe97\ufed4\ufe9e\ufbff\ufeae"  # initial, medial, medial, initial, final
    assert "visual-order" not in find(make(f"{word} {word} {word}"))
    assert find(make(f"{word[::-1]} {word[::-1]} {word[::-1]}"))["visual-order"].count == 1


def test_short_texts_of_a_reversed_data_set_are_listed(make: Callable, find: Callable) -> None:
    texts = ["الوزير قال", "الحكومة أعلنت", "غادر الوفد", "السلام"]
    assert find(*(make(text[::-1], id=str(n)) for n, text in enumerate(texts)))["visual-order"].count == 4
    assert "visual-order" not in find(*(make(text, id=str(n)) for n, text in enumerate([*texts, "قال أصلا طويلا"])))


def test_tokens_of_one_letter(find: Callable) -> None:
    letters = "قالوزير"
    tokens = tuple((2 * n, 2 * n + 1) for n in range(len(letters)))
    found = find(Article(text=" ".join(letters), id="a", tokens=tokens))
    assert found["single-letters"].severity == "error"
    assert "7 of 7" in found["single-letters"].locations[0].message
    news = Article(text=TEXT, id="b")
    assert "single-letters" not in find(Article(text="س ص ع ل م", id="a"), news)  # a formula among news
    assert (
        find(Article(text="س " * 40, id="a"), *[replace(news, id=str(n)) for n in range(9)])["single-letters"].count
        == 1
    )


def test_edited_news_have_none_of_it(find: Callable) -> None:
    found = find(*load_corpus("dev").articles)
    assert not {"visual-order", "single-letters", "invisible-at-edges"} & set(found)


@pytest.mark.parametrize(("before", "after"), [("", "\u200c"), ("\u200f", ""), ("\u202b", "\u202c"), ("", "\ufeff")])
def test_invisible_characters_at_an_edge(find: Callable, good: Article, before: str, after: str) -> None:
    text = f"في {before}حلب{after} أمس"
    article = Article(text=text, id="a", entities=(Entity(start=3, end=6 + len(before + after), label="GPE"),))
    found = find(article)["invisible-at-edges"]
    assert (found.severity, found.count) == ("warning", 1)
    assert f"U+{ord(before or after):04X}" in found.locations[0].message
    assert "invisible-at-edges" not in find(replace(good, text=good.text))
