"""Sentences of Arabic news."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.data.text.sentences import split_sentences

HOSTILE = 'ابدمقA1٣ \n\r\t....!؟…«»“”"()[]،؛-_\0\x85\u2028\u00a0\u064b\u0640\u200b\u200f\ufeff\U0001f600\ud800'
TEXTS = st.text(alphabet=st.sampled_from(HOSTILE), max_size=80) | st.text(max_size=30)

EXAMPLES = [
    # Bars are where the splitter must cut; white space beside them is the text's.
    "وصل الوفد إلى عدن صباح الأحد.| ومن المقرر أن يلتقي المحافظ.",
    "ماذا جرى في الخرطوم؟| لا أحد يملك جواباً!| هكذا بدأ التقرير.",
    "أغلق المعبر\n|وعاد المسافرون\n\n|بيروت - وكالات",
    "أغلق المعبر\r\n|وعاد المسافرون",
    "زادت الأسعار 3.5 في المئة وبلغت 1.000 ليرة.| وهذا أعلى مستوى منذ 2011.| ولم تعلق الوزارة.",
    "عقد د. سامر مؤتمراً مع م. ليلى وأ.د. فؤاد.| وحضر ود. هاني.",
    "العنوان: ص.ب. 4410 صنعاء.| الهاتف مغلق.",
    "نقلت أ.ف.ب. عن شهود أن القصف توقف.| ثم استؤنف.",
    "كتب J. K. Miller في صحيفة U.S. Today عن Dr. Adams.| وانتهى.",
    "ولد عام 1952 م.| ثم انتقل إلى حمص.",
    "هاجر سنة 1340 هـ.| وعاد بعد عام.",
    "قطع 12 كم.| ثم توقف.",
    "قال «لا نعرف شيئاً... ربما غداً» ثم غادر.| وأغلق الباب.",
    'قال "لا نعرف شيئاً... ربما غداً" ثم غادر.| وأغلق الباب.',
    "تأخر الرد...| ثم جاء.| انتهت الجلسة…| وخرجوا.",
    "سأل: «من المسؤول؟»| وأجاب: «الجميع.»| وسكت.",
    "وصفه بأنه نصر (!) كبير.| وضحك (...) طويلاً.",
    "(انتهى البيان.)| وعلق مراقبون.",
    "اقرأ على www.example.org/a.html وعلى http://example.org/?q=1.| التفاصيل لاحقاً.",
    "1. خطة السلام.| 2. تبادل الأسرى.",
    "في قائمة:\n|1. خطة السلام\n|12. تبادل الأسرى",
    "مستحيل؟!!| نعم ..| ربما .",
    "تم الاتفاق. . .",
    "... عاد الهدوء.| والحمد لله",
    "نعم.\u200f| لا.",
    "***\n|عاجل",
    "الوزير،الذي استقال؛ لم يعلق: اكتفى بالصمت",
    "القرار 2254 (2015).| وقرار آخر.",
    "",
    " \n\u200f\n ",
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples(example: str) -> None:
    text = example.replace("|", "")
    expected = [part.strip(" \n\r\u200f") for part in example.split("|")]
    assert [text[start:end] for start, end in split_sentences(text)] == [part for part in expected if part]


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    sentences = split_sentences(text)
    last = 0
    for start, end in [*sentences, (len(text), len(text))]:
        assert last <= start <= end
        for character in text[last:start]:
            assert character.isspace() or unicodedata.category(character) in ("Cc", "Cf")
        last = end
    for start, end in sentences:
        assert start < end
        assert not text[start].isspace() and not text[end - 1].isspace()
        assert not set(text[start:end]) & set("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@given(TEXTS, TEXTS)
def test_lines_are_independent(first: str, second: str) -> None:
    shift = len(first) + 1
    expected = split_sentences(first) + [(start + shift, end + shift) for start, end in split_sentences(second)]
    assert split_sentences(f"{first}\n{second}") == expected


@given(TEXTS)
def test_marks_alone_are_joined_to_the_sentence_before(text: str) -> None:
    for line in text.splitlines():
        sentences = split_sentences(line)
        for start, end in sentences:
            assert len(sentences) == 1 or any(character.isalnum() for character in line[start:end])


@pytest.mark.parametrize(
    "text", ["وصل الوفد إلى عدن. ", ". ", "... ", ".", ".)", "« ... ", "د. ", "1. ", "\n", '"', "كلمة ", "! ", " "]
)
def test_a_long_text_takes_linear_time(text: str) -> None:
    begin = time.process_time()
    split_sentences(text * (60_000 // len(text)) + "x")
    assert time.process_time() - begin < 2
