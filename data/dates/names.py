"""Words of Arabic date expressions, folded as `fold` folds the text.

Months have four sets of names in news: those of the Levant and Iraq, of Egypt and the Gulf, of Tunisia and Algeria, and
of Morocco; and those of the Hijri calendar.
"""

import re
import unicodedata

_MARKS = re.compile("[\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_LETTERS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي"})
_DIGIT = re.compile(r"[^\D0-9]")
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[/:–—()-]|\.(?=\d)")


def fold(text: str) -> str:
    """Text without diacritics and tatweel, with one form for each letter and ASCII digits.

    >>> fold("الأَرْبِعاء ٢٣ آذار")
    'الاربعاء 23 اذار'
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text)).translate(_LETTERS)
    return _DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0])), plain)


def tokens(text: str) -> list[str]:
    """Words, numbers and the signs that join them; other punctuation is dropped.

    >>> tokens("الخميس، 6 شباط/فبراير 2020")
    ['الخميس', '6', 'شباط', '/', 'فبراير', '2020']
    """
    return _TOKEN.findall(fold(text))


def _table(rows: dict[int, str]) -> dict[tuple[str, ...], int]:
    """Words of a name → its number; names are separated by commas."""
    return {tuple(fold(name).split()): number for number, names in rows.items() for name in names.split(",")}


MONTHS = _table(
    {
        1: "كانون الثاني,يناير,جانفي,كانون ثاني",
        2: "شباط,فبراير,فيفري",
        3: "آذار,مارس",
        4: "نيسان,أبريل,ابريل,إبريل,أفريل",
        5: "أيار,مايو,ماي",
        6: "حزيران,يونيو,يونيه,يونية,جوان",
        7: "تموز,يوليو,يوليه,يولية,جويلية,يوليوز",
        8: "آب,أغسطس,اغسطس,أوت,غشت",
        9: "أيلول,سبتمبر,شتنبر",
        10: "تشرين الأول,أكتوبر,اكتوبر,تشرين أول",
        11: "تشرين الثاني,نوفمبر,نونبر,تشرين ثاني",
        12: "كانون الأول,ديسمبر,دجنبر,ديسمبير,كانون أول",
    }
)
HIJRI_MONTHS = _table(
    {
        1: "محرم,المحرم,محرم الحرام",
        2: "صفر",
        3: "ربيع الأول,ربيع أول",
        4: "ربيع الثاني,ربيع الآخر,ربيع ثاني",
        5: "جمادى الأولى,جمادى الأول",
        6: "جمادى الآخرة,جمادى الثانية,جمادى الثاني",
        7: "رجب",
        8: "شعبان",
        9: "رمضان,رمضان المبارك",
        10: "شوال",
        11: "ذو القعدة,ذي القعدة,ذو القعده",
        12: "ذو الحجة,ذي الحجة",
    }
)
WEEKDAYS = {  # as `datetime.date.weekday` counts
    **{name: 0 for name in ("الاثنين", "الاتنين", "اثنين")},
    **{name: 1 for name in ("الثلاثاء", "الثلثاء", "ثلاثاء")},
    **{name: 2 for name in ("الاربعاء", "اربعاء")},
    **{name: 3 for name in ("الخميس", "خميس")},
    **{name: 4 for name in ("الجمعه", "جمعه")},
    **{name: 5 for name in ("السبت", "سبت")},
    **{name: 6 for name in ("الاحد", "احد")},
}
SEASONS = {"الربيع": 21, "ربيع": 21, "الصيف": 22, "صيف": 22, "الخريف": 23, "خريف": 23, "الشتاء": 24, "شتاء": 24}
"""Season → its number in ISO 8601-2, for any hemisphere."""

UNITS = {
    **dict.fromkeys(("ثانيه", "ثانيتين", "ثوان", "ثواني"), "minute"),
    **dict.fromkeys(("دقيقه", "دقيقتين", "دقائق"), "minute"),
    **dict.fromkeys(("ساعه", "ساعتين", "ساعات"), "hour"),
    **dict.fromkeys(("يوم", "يوما", "يومين", "ايام", "ليله", "ليلتين", "ليال", "ليالي"), "day"),
    **dict.fromkeys(("اسبوع", "اسبوعا", "اسبوعين", "اسابيع"), "week"),
    **dict.fromkeys(("شهر", "شهرا", "شهرين", "اشهر", "شهور"), "month"),
    **dict.fromkeys(("سنه", "سنتين", "سنوات", "سنين", "عام", "عاما", "عامين", "اعوام"), "year"),
    **dict.fromkeys(("عقد", "عقدا", "عقدين", "عقود"), "decade"),
    **dict.fromkeys(("قرن", "قرنا", "قرنين", "قرون"), "century"),
}
"""Word → unit, without the article."""
DUALS = frozenset(word for word in UNITS if word.endswith("ين") and word != "سنين")
PLURALS = frozenset(
    "ثوان ثواني دقائق ساعات ايام ليال ليالي اسابيع اشهر شهور سنوات سنين اعوام عقود قرون".split()
)  # without a number they say "some"

PAST = frozenset("الماضي الماضيه الماضيين الماضيتين الفائت الفائته المنصرم المنصرمه الاخير الاخيره الاخيرين".split())
FUTURE = frozenset("المقبل المقبله المقبلين القادم القادمه القادمين الاتي الاتيه".split())
CURRENT = frozenset("الجاري الجاريه الحالي الحاليه هذا هذه هذين الراهن".split())
TEXT_RELATIVE = frozenset("التالي التاليه السابق السابقه نفسه نفسها ذاته ذاتها ذلك تلك اللاحق اللاحقه الموالي".split())
"""Words that refer to another date of the text, which a mention alone does not give."""
REPEATED = frozenset("كل يوميا اسبوعيا شهريا سنويا".split())

EDGES = frozenset("مطلع بدايه بدايات اوائل مستهل منتصف اواسط وسط نهايه نهايات اواخر ختام اخر غضون خلال طوال".split())
"""Words for a part of a month, a year or a week: the value is that of the whole."""
DAY_PARTS = frozenset(
    "صباح صبيحه مساء فجر ظهر عصر ليل ليله ضحي غروب عشيه سحر نهار امسيه ظهيره مغرب الصباح المساء الفجر الظهر العصر "
    "الليل الضحي الغروب الليله".split()
)
INDEFINITE_PARTS = frozenset("صباحا مساء ظهرا عصرا ليلا فجرا نهارا".split())
HOURS = frozenset(
    "الواحده الثانيه الثالثه الرابعه الخامسه السادسه السابعه الثامنه التاسعه العاشره الحاديه الثانيه النصف والنصف "
    "والربع وثلث الثلث عشره".split()
)
FEASTS: dict[tuple[str, ...], tuple[str, int, int]] = {
    tuple(fold(name).split()): place
    for place, names in {
        ("hijri", 10, 1): "عيد الفطر,العيد الصغير",
        ("hijri", 12, 10): "عيد الأضحى,العيد الكبير",
        ("hijri", 1, 1): "رأس السنة الهجرية",
        ("hijri", 1, 10): "عاشوراء,ذكرى عاشوراء",
        ("hijri", 3, 12): "المولد النبوي",
        ("gregorian", 1, 1): "رأس السنة,رأس السنة الميلادية",
        ("gregorian", 3, 21): "نوروز,النوروز,عيد النوروز",
        ("gregorian", 12, 25): "عيد الميلاد",
        ("gregorian", 5, 1): "عيد العمال",
    }.items()
    for name in names.split(",")
}
"""Feast → calendar, month, day."""
