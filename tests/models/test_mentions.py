"""What no mention can be: half a proclitic, an unpaired quotation mark at its edge, two paragraphs."""

import numpy as np
import pytest

from rasid.data.articles import Article
from rasid.data.labels import LabelScheme
from rasid.data.text.words import split_words
from rasid.data.windows.encoding import EncodedText
from rasid.models.bundle import Settings
from rasid.models.decoding import decode
from rasid.models.tasks import Prediction

SCHEME = LabelScheme.from_dict(
    {"name": "small", "roles": {}, "entities": {"ORG": {}}, "events": {"ASSAULT": {}}}, "test"
)
SETTINGS = Settings(scheme=SCHEME, tasks=("entities", "triggers", "proclitics"), window=80, overlap=20)


def tagged(text: str, *letters: float) -> tuple[list[str], list[str]]:
    """Entities and triggers where every word wants to be in one mention.

    Args:
        text: the article.
        letters: logits of 0, 1, 2 and 3 letters of a proclitic in its first word.
    """
    words = np.array(split_words(text), dtype=np.int64).reshape(-1, 2)
    none = np.zeros((0, 2), dtype=np.int64)
    encoded = EncodedText(words=words, unread=none, sentences=none, sentence_words=none, windows=(), unknown=0)
    tags, marks, proclitics = (np.zeros((len(words), width), dtype=np.float32) for width in (3, 2, 4))
    tags[0, 1], tags[1:, 2] = 9, 9
    tags[1:, 1] = 5
    marks[0, 0], marks[1:, 1] = 9, 9
    marks[1:, 0] = -9
    proclitics[:, : len(letters)] = letters
    logits = {"entities": tags, "triggers": marks, "proclitics": proclitics}
    prediction = Prediction(article=Article(text=text), encoded=encoded, logits=logits)
    [article] = decode([prediction], SETTINGS)
    return [entity.text for entity in article.entities], [event.trigger.text for event in article.events]


@pytest.mark.parametrize(
    ("text", "letters", "mention"),
    [
        ("المجاور", (0, 9), "المجاور"),  # ا is no proclitic
        ("المجاور", (0, 9, 0, 8), "المجاور"),
        ("وسوريا", (0, 9), "سوريا"),
        ("وَسوريا", (0, 9), "سوريا"),
        ("لـدمشق", (0, 9), "دمشق"),
        ("وبدمشق", (0, 0, 9), "دمشق"),
        ("ستقصف", (0, 9), "تقصف"),
        ("والجيش", (0, 5, 3, 9), "جيش"),
        ("دمشق", (0, 9), "دمشق"),  # د is none
        ("دمشق", (0, 9, 8, 7), "دمشق"),
        ("وبغداد", (0, 5, 9), "بغداد"[1:]),  # وب is one
        ("وحلب", (0, 5, 9), "حلب"),  # وح is none, and و comes next
    ],
)
def test_a_proclitic_is_one_that_arabic_has(text: str, letters: tuple[float, ...], mention: str) -> None:
    assert tagged(text, *letters) == ([mention], [mention])


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ('حركة الشباب"', "حركة الشباب"),
        ("حركة الشباب»", "حركة الشباب"),
        ("حركة الشباب)", "حركة الشباب"),
        ('"حركة الشباب', "حركة الشباب"),
        ('حركة "الشباب"', 'حركة "الشباب"'),
        ("حركة «الشباب»", "حركة «الشباب»"),
        ('"حركة الشباب"', '"حركة الشباب"'),
        ('حركة "الشباب" "', 'حركة "الشباب"'),
        ("#غزة", "غزة"),
        ('#"غزة', "غزة"),
    ],
)
def test_signs_at_the_edges_have_a_partner(text: str, mention: str) -> None:
    assert tagged(text, 9) == ([mention], [mention])


@pytest.mark.parametrize("text", ["#", '"', "«"])
def test_a_mention_of_nothing_is_none(text: str) -> None:
    assert tagged(text, 9) == ([], [])


@pytest.mark.parametrize("blank", ["\n\n", "\r\n\r\n", "\n \t\n", "\n\n\n", "\u2029"])
def test_no_mention_crosses_a_blank_line(blank: str) -> None:
    entities, triggers = tagged(f"الجيش السوري{blank}دمشق اليوم", 9)
    assert entities[0] == triggers[0] == "الجيش السوري"
    assert not any("\n" in mention for mention in (*entities, *triggers))


def test_a_mention_may_cross_a_line_end() -> None:
    assert tagged("الجيش\nالسوري", 9) == (["الجيش\nالسوري"], ["الجيش\nالسوري"])
