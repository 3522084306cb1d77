"""What the words around a date say of it: whether it is past, or still to come."""

import re
from collections.abc import Sequence

from . import names

REACH = 80
"""Code points before a date that are read."""

_NEXT = 12  # code points that have the word next to a date
_NEAR = 8  # words from a sign of the future to the date
_CLAUSE = re.compile(r"[.!?؟؛،,:…«»\"\n]")

_FROM = frozenset("ابتداء اعتبارا بدءا انطلاقا".split())  # followed by من
_UNTIL = frozenset(("حتي", "الي"))
_PROLONGED = re.compile(
    "[وف]?(?:ب|ل|ال|بال|لل)?(?:تمديد|مدد|[يت]مدد|مهل|[اي]مهل|تمهل|ارجئ|ارجا|تاجيل|اجلت|اجلو|[يت]ؤجل"
    "|[يت]ستمر|[يت]تواصل|[يت]متد|[يت]سري)"
)
"""Verbs of something that lasts until a date, also past ones: أمهلتهم حتى الجمعة."""
_PLANNED = frozenset(
    "سوف لن مقرر مقرره مقررا المقرر المقرره المزمع المزمعه المرتقب المرتقبه المنتظر المنتظره المتوقع المتوقعه يتوقع "
    "تتوقع ينتظر يرتقب يعتزم تعتزم تعتزمان يعتزمون ينوي تنوي يستعد تستعد يخطط تخطط يبدا تبدا ينطلق تنطلق يختتم تختتم "
    "ينتهي تنتهي يستانف تستانف".split()
)
_NOUNS = (
    "سيا(?!تي$)|سيط(?:ر(?!ح)|[اهي]|$)|سيد(?:[هيوك]|ات|تين|تان|ني)|سيما(?!ر)|سيم[وليب]|سين[اميغ]|سير(?:ا(?!ف)|[هتغجو])"
    "|سيل(?:[هيف]|ت[اي](?!ق)|ا(?!ق))|سيول(?!د)|سيف(?:$|ا)|سيب(?:[ارت]|ي(?!ع))|سيسي|سيت(?:ي$|را|وي)|سيجا|سيستان(?!ف)"
    "|سيستم(?!ر)|سيغ(?:ا(?!د)|ري|ول|رو)|سيك(?:و(?!ن)|ا|ن)|سي[ءئي]|ستي|ستر(?:ي|ات|ال|اس|او|اي)|ستو(?:ك|ن|ي|ر)|ستا[رلف]"
    "|ستان(?!ف)|ستم[ئا]|ستن[غل]"
)
"""Beginnings of nouns and names that look like future verbs: سياسة, سيطر, سيرغي, ستوكهولم, also in وسيط, وسيلة."""
_FUTURE_VERB = re.compile(rf"[وف]?(?!{_NOUNS})س[يت]\w{{2,}}")
_WAS = frozenset("كان كانت كانوا".split())
"""With one of these, a plan is a past one: كان مقررا أن."""
_OTHER_EVENT = frozenset(
    "بعد بعدما عقب منذ اثر غداه قبيل حين عندما الذي التي الذين امس اليوم غدا الغد".split()
) | frozenset(names.WEEKDAYS)
"""Words between a sign of the future and a date by which the date belongs to another event."""


def is_past(before: str) -> bool:
    """Whether the word before a date says that it is past: ``منذ``."""
    return names.tokens(before[-_NEXT:])[-1:] == ["منذ"]


def is_upcoming(mention: Sequence[str], before: str, after: str) -> bool:
    """Whether the clause of a date says that the date is that of the article or a later one.

    Signs of it are ``اعتبارا من`` and the like directly before the date, an extended term with ``حتى``, a future verb
    (``ستبدأ``), a plan (``المقررة``, ``على أن``), and ``موعدا`` behind it.

    Args:
        mention: words of the date.
        before: text before it.
        after: text behind it.

    >>> is_upcoming(["الاحد"], "هدنة تدخل حيز التنفيذ ", ""), is_upcoming(["الاحد"], "هدنة دخلت حيز التنفيذ ", "")
    (True, False)
    """
    if names.tokens(after[:_NEXT])[:1] == ["موعدا"]:
        return True
    if len(before) >= REACH:  # without a word that is cut
        before = before[-REACH:].partition(" ")[2]
    words = names.tokens(_CLAUSE.split(before)[-1])
    if words[-1:] in (["يوم"], ["شهر"]):
        words = words[:-1]
    if not words:
        return False
    if words[-1].endswith("موعد"):
        return True
    if words[-1] == "من" and words[-2:-1] and words[-2].removeprefix("و") in _FROM:
        return True
    if words[-1] == "قبل" and _is_term(mention):
        return True
    if words[-1] in _UNTIL and any(map(_PROLONGED.match, words)):
        return True
    return any(_is_sign(words, at) for at in range(max(0, len(words) - _NEAR), len(words)))


def _is_term(mention: Sequence[str]) -> bool:
    """Whether ``قبل`` before a date makes it a term: before Sunday, before the end of May.

    "Before 7 October" may be long ago, and before noon, dawn or midnight are times of the day.
    """
    if mention[0] in ("ظهر", "فجر") or tuple(mention[:2]) == ("منتصف", "ليل"):
        return False
    return mention[0] in names.EDGES or mention[-1] in names.WEEKDAYS


def _is_sign(words: Sequence[str], at: int) -> bool:
    """Whether the word at a place says that the rest of the clause is still to come."""
    word = words[at].removeprefix("و")
    following = "".join(words[at + 1 : at + 2])
    sign = (
        word in _PLANNED
        or _FUTURE_VERB.fullmatch(words[at])
        or (word in ("يدخل", "تدخل") and following == "حيز")
        or (word == "قد" and following.startswith("ي") and following != "يكون")
        or (word == "علي" and following == "ان" and "".join(words[at + 2 : at + 3]).startswith(("ي", "ت")))
    )
    denied = words[max(0, at - 1) : at] == ["لم"] or not _WAS.isdisjoint(words)
    return bool(sign) and not denied and _OTHER_EVENT.isdisjoint(words[at + 1 :])
