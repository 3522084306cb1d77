"""Checks of consistent annotation."""

from collections import Counter
from collections.abc import Callable

import pytest

from rasid.audit.consistency import doubt
from rasid.data.articles import Article


def test_surfaces_with_several_labels_are_ranked_by_doubt(make: Callable, find: Callable) -> None:
    def several(name: str, labels: str) -> list[Article]:
        full = {"G": "GPE", "O": "ORG"}
        return [make(f"خبر {n} عن {name} اليوم", (name, full[label])) for n, label in enumerate(labels)]

    found = find(*several("مصر", "GGGO"), *several("قطر", "GGOO"), *several("تونس", "GG"))["ambiguous-surfaces"]
    assert [row[0] for row in found.table[1:]] == ["قطر", "مصر"]
    assert found.locations[1].label == "ORG"  # the rare one is what is to be looked at
    assert "ambiguous-surfaces" not in find(*several("تونس", "GG"))
    assert doubt(Counter(a=8, b=8)) > doubt(Counter(a=15, b=1)) > doubt(Counter(a=1))
    marked = find(make("في مِصر", ("مِصر", "GPE")), make("في مصر", ("مصر", "LOC"), id="b"))
    assert marked["ambiguous-surfaces"].count == 1


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("زار بغداد ثم غادر بغداد", "بغداد"),
        ("زار بغداد ثم غادر وبغداد", "وبغداد"),
        ("زار بغداد ثم غادر بَغداد", "بَغداد"),
        ("زار بغداد ثم غادر دمشق", None),
        ("زار بغداد ثم غادر بغداديا", None),
    ],
)
def test_unlabeled_occurrences_of_a_name(text: str, location: str | None, make: Callable, find: Callable) -> None:
    found = find(make(text, ("بغداد", "GPE")))
    assert ("unlabeled-occurrences" in found) == (location is not None)
    if location:
        place = found["unlabeled-occurrences"].locations[0]
        assert (text[place.start : place.end], place.label) == (location, "GPE")


def test_unlabeled_occurrences_of_a_name_of_several_words(make: Callable, made_set: Callable, find: Callable) -> None:
    text = "زار سامر الحلبي المدينة، وقال سامر الحلبي إن وزارة سامر الحلبي"
    article = make(text, ("سامر الحلبي", "PER"), ("وزارة سامر الحلبي", "ORG"))
    found = find(article)["unlabeled-occurrences"]
    assert [(location.start, text[location.start : location.end]) for location in found.locations] == [
        (text.index("سامر", 10), "سامر الحلبي")
    ]
    nothing = find(x=made_set(article, annotated_labels={"triggers": ("AID",)}))
    assert "unlabeled-occurrences" not in nothing  # nobody annotated entities
