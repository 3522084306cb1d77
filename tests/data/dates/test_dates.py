"""Dates as values."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasid.data.dates import resolve_date
from rasid.data.dates.names import WEEKDAYS
from rasid.data.dates.numbers import cardinal, ordinal

ROWS = [
    line.split("\t")
    for line in (Path(__file__).parent / "expressions.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
PUBLISHED = date(2018, 3, 22)
WEEKDAY_NAMES = ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"]
DAYS = st.dates(date(1950, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("expression", "published", "value", "granularity"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS]
)
def test_an_expression_has_its_value(expression: str, published: str, value: str, granularity: str) -> None:
    found = resolve_date(expression, date.fromisoformat(published))
    assert (found.value, found.granularity) == (value, granularity), found.rule
    assert found.rule


def test_the_word_before_says_that_a_date_is_past() -> None:
    published = date(2024, 9, 10)
    assert resolve_date("7 أكتوبر", published).value == "2024-10-07"
    assert resolve_date("7 أكتوبر", published, before="في قطاع غزة منذ ").value == "2023-10-07"
    assert resolve_date("7 أكتوبر", published, before='منذُ "').value == "2023-10-07"


def test_the_word_behind_says_that_a_date_counts_from_another() -> None:
    assert resolve_date("بعد يومين", PUBLISHED, after=" من الهجوم").value == ""
    assert resolve_date("بعد يومين", PUBLISHED, after=" في باريس").value == "2018-03-24"


@pytest.mark.parametrize(
    ("before", "mention", "after", "published", "value"),
    [
        ("هدنة ثنائية تدخل حيز التنفيذ ", "منتصف ليل الأحد", "، بعد", "2016-08-24", "2016-08-28"),
        ("الهدنة التي دخلت حيز التنفيذ ", "منتصف ليل الأحد", "", "2016-08-24", "2016-08-21"),
        ("ستعلق العمل بها اعتبارا من ", "12 كانون الأول/ديسمبر", "", "2007-07-15", "2007-12-12"),
        ("يدعو إلى عصيان ابتداءً من ", "الأحد", "", "2019-06-04", "2019-06-09"),
        ("تُرفع الأسعار ابتداء من يوم ", "الثلاثاء", "", "2019-06-04", "2019-06-04"),
        ("رسوم جديدة بدءا من شهر ", "أيار/مايو", "", "2024-01-29", "2024-05"),
        ("فتح المعبر قبل ", "نهاية أيار", "", "2024-01-29", "2024-05"),
        ("رسوم جديدة بدءا من ", "أيار/مايو", "", "2024-01-29", "2024-05"),
        ("اعتبارا من ", "ليل السبت الأحد", "", "2016-08-24", "2016-08-27/2016-08-28"),
        ("اعتبارا من ", "عيد الفطر", "", "2024-05-10", "2025-03-30"),
        ("سيبدأ الصيام في ", "رمضان", "", "2024-05-10", "2025-03-01/2025-03-29"),
        ("سيبدأ الحوار ", "الأحد", "", "2016-08-24", "2016-08-28"),
        ("وستطلق الوكالة القمر في ", "آذار/مارس", "", "2024-06-01", "2025-03"),
        ("الجلسة التي ستعقد ", "الخميس", "", "2018-03-23", "2018-03-29"),
        ("لن تفتح المدارس ", "الأحد", "", "2018-03-23", "2018-03-25"),
        ("ويُنتظر أن يرتفع مجددا ", "مساء الثلاثاء", "", "2013-08-05", "2013-08-06"),
        ("عن مسؤول لم تسمه أن وفدا قد يصل ", "السبت", "", "2024-11-29", "2024-11-30"),
        ("المحادثات المقررة ", "الأحد", "", "2026-01-14", "2026-01-18"),
        ("على أن يستقبل الوفدين ", "مطلع تشرين الأول", "", "2021-05-08", "2021-10"),
        ("وأمهل الباقين حتى ", "الجمعة", "", "2018-03-22", "2018-03-23"),
        ("تمديد المهلة حتى ", "نهاية كانون الأول", "", "2025-09-29", "2025-12"),
        ("وقد أُجّلت الرحلات إلى ", "صباح السبت", "", "2013-12-13", "2013-12-14"),
        ("انسحابهم قبل ", "الأحد", "", "2012-11-21", "2012-11-25"),
        ("وحددت ", "الخميس", " موعدا للنظر فيها", "2025-03-18", "2025-03-20"),
        # A plan of the past, another event, a name, the end of what is over, a clause before.
        ("الاجتماع الذي كان مقررا أن ينتهي ", "الخميس", "", "2013-05-31", "2013-05-30"),
        ("سيناقش المجلس بعد هجوم ", "الأحد", "", "2016-08-24", "2016-08-21"),
        ("ستدفع غدا الخميس راتب شهر ", "تموز", "", "2016-08-24", "2016-07"),
        ("قال الوزير سيرغي لافروف ", "الثلاثاء", "", "2016-08-24", "2016-08-23"),
        ("اتفقوا في سياق المحادثات ", "الثلاثاء", "", "2016-08-24", "2016-08-23"),
        ("استمر القتال حتى ", "فجر الأحد", "", "2016-08-24", "2016-08-21"),
        ("ستسافر قريبا، والتقت ", "الأحد", "", "2016-08-24", "2016-08-21"),
        ("قُتل سبعة قبل ", "ظهر الأحد", "", "2016-08-24", "2016-08-21"),
        ("قُتل سبعة قبل ", "منتصف ليل الأحد", "", "2016-08-24", "2016-08-21"),
        ("كما كانت قبل ", "7 أكتوبر", "", "2024-03-01", "2023-10-07"),
        ("يعتزم العمل، وهو متوقف منذ ", "الأحد", "", "2016-08-24", "2016-08-21"),
    ],
)
def test_the_clause_says_that_a_date_is_still_to_come(
    before: str, mention: str, after: str, published: str, value: str
) -> None:
    found = resolve_date(mention, date.fromisoformat(published), before=before, after=after)
    assert found.value == value, found.rule


@given(published=DAYS, name=st.sampled_from(WEEKDAY_NAMES))
def test_a_weekday_that_is_still_to_come_is_the_first_one(published: date, name: str) -> None:
    found = date.fromisoformat(resolve_date(name, published, before="ستبدأ ").value)
    assert published <= found < published + timedelta(days=7)
    assert WEEKDAY_NAMES[found.weekday()] == name


@pytest.mark.parametrize("letters", range(20))
def test_half_a_word_of_a_long_context_is_no_verb(letters: int) -> None:
    before = f"قصفت المستشفى {'ا' * letters} {'بالاستقلالية ' * 5}"  # of المستشفى, ستشفى looks like one
    assert resolve_date("الأحد", date(2016, 8, 24), before=before).value == "2016-08-21"


@given(before=st.text(max_size=100), after=st.text(max_size=30), mention=st.sampled_from(["الأحد", "7 أكتوبر"]))
def test_any_context_is_read_without_an_error(before: str, after: str, mention: str) -> None:
    assert resolve_date(mention, PUBLISHED, before=before, after=after).value


def test_without_a_publication_date_only_full_dates_have_a_value() -> None:
    assert resolve_date("23 آذار/مارس 2018", None).value == "2018-03-23"
    assert resolve_date("15 رمضان 1445", None).value == "2024-03-25"
    assert resolve_date("عام 2019", None).value == "2019"
    for expression in (
        "أمس",
        "الثلاثاء",
        "23 آذار",
        "الأسبوع الماضي",
        "قبل يومين",
        "عيد الفطر",
        "رمضان",
        "الصيف الماضي",
    ):
        assert resolve_date(expression, None).value == "", expression


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("ثلاثه", 3), ("عشره", 10), ("احد عشر", 11), ("اثنتي عشره", 12), ("تسعه عشر", 19), ("عشرين", 20),
        ("خمسه واربعين", 45), ("مئه", 100), ("مئه وعشرين", 120), ("ثلاثمئه وخمسه وستين", 365), ("الفين", 2000),
        ("7", 7),
    ],
)  # fmt: skip
def test_numbers_in_words(words: str, number: int) -> None:
    assert cardinal(words.split()) == (number, len(words.split()))


@pytest.mark.parametrize(
    ("words", "number"),
    [("الاول", 1), ("الثالث عشر", 13), ("العشرين", 20), ("الحادي والعشرين", 21), ("الثلاثين", 30), ("التاسعه", 9)],
)
def test_ordinals_in_words(words: str, number: int) -> None:
    assert ordinal(words.split()) == (number, len(words.split()))


@given(published=DAYS, shift=st.sampled_from([("اليوم", 0), ("أمس", -1), ("غدا", 1)]))
def test_a_weekday_that_agrees_is_that_day(published: date, shift: tuple[str, int]) -> None:
    word, days = shift
    expected = published + timedelta(days=days)
    assert resolve_date(f"{word} {WEEKDAY_NAMES[expected.weekday()]}", published).value == expected.isoformat()


@given(published=DAYS, name=st.sampled_from(WEEKDAY_NAMES))
def test_a_weekday_is_the_latest_and_the_next_one_is_a_week_later_at_most(published: date, name: str) -> None:
    latest = date.fromisoformat(resolve_date(name, published).value)
    following = date.fromisoformat(resolve_date(f"{name} المقبل", published).value)
    last = date.fromisoformat(resolve_date(f"{name} الماضي", published).value)
    assert published - timedelta(days=6) <= latest <= published < following <= published + timedelta(days=7)
    assert published - timedelta(days=7) <= last < published
    assert latest.weekday() == following.weekday() == last.weekday()


@given(published=DAYS, value=DAYS)
def test_a_full_date_does_not_depend_on_the_publication_date(published: date, value: date) -> None:
    months = ["يناير", "شباط", "مارس/آذار", "أبريل", "أيار/مايو", "جوان", "تموز", "غشت", "أيلول", "أكتوبر/تشرين الأول",
              "تشرين الثاني/نوفمبر", "كانون الأول"]  # fmt: skip
    written = f"{value.day} {months[value.month - 1]} {value.year}"
    assert resolve_date(written, published).value == value.isoformat()
    assert resolve_date(f"{value.day}/{value.month}/{value.year}", published).value == value.isoformat()


@given(mention=st.text(max_size=30), published=st.none() | st.dates())
def test_any_text_is_resolved_without_an_error(mention: str, published: date | None) -> None:
    found = resolve_date(mention, published)
    assert bool(found.value) == bool(found.granularity)


WORDS = st.sampled_from(
    [
        *WEEKDAYS,
        "اليوم",
        "أمس",
        "قبل",
        "بعد",
        "من",
        "23",
        "2018",
        "/",
        "-",
        "آذار",
        "رمضان",
        "الأسبوع",
        "الماضي",
        "المقبل",
        "أيام",
        "ثلاثة",
        "الثالث",
        "والعشرين",
        "عيد",
        "الفطر",
        "القرن",
        "صيف",
        "هذا",
        "مساء",
        "الموافق",
        "الأول",
    ]  # fmt: skip
)


@given(words=st.lists(WORDS, max_size=7), published=st.none() | st.dates())
def test_any_words_of_dates_are_resolved_without_an_error(words: list[str], published: date | None) -> None:
    found = resolve_date(" ".join(words), published)
    assert bool(found.value) == bool(found.granularity)
