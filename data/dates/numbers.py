"""Arabic numbers in words, folded as `names.fold` folds them."""

from collections.abc import Sequence

_UNITS = {
    "واحد": 1, "واحده": 1, "احد": 1, "احدي": 1, "اثنان": 2, "اثنين": 2, "اثنا": 2, "اثني": 2, "اثنتان": 2,
    "اثنتين": 2, "اثنتا": 2, "اثنتي": 2, "ثلاث": 3, "ثلاثه": 3, "اربع": 4, "اربعه": 4, "خمس": 5, "خمسه": 5, "ست": 6,
    "سته": 6, "ستا": 6, "سبع": 7, "سبعه": 7, "ثماني": 8, "ثمانيه": 8, "ثمان": 8, "تسع": 9, "تسعه": 9,
}  # fmt: skip
_TENS = {
    name + ending: ten
    for ten, name in zip(range(20, 100, 10), "عشر ثلاث اربع خمس ست سبع ثمان تسع".split(), strict=True)
    for ending in ("ون", "ين")
}
_HUNDREDS = {"مئه": 100, "مائه": 100, "مئتين": 200, "مائتين": 200, "مئتان": 200, "مائتان": 200}
_HUNDREDS |= {
    name + hundred: 100 * number
    for number, name in zip(range(3, 10), "ثلاث اربع خمس ست سبع ثمان تسع".split(), strict=True)
    for hundred in ("مئه", "مائه")
}
_THOUSANDS = {"الف": 1000, "الفين": 2000, "الفان": 2000}
_ORDINALS = {
    "اول": 1, "اولي": 1, "ثاني": 2, "ثانيه": 2, "ثالث": 3, "ثالثه": 3, "رابع": 4, "رابعه": 4, "خامس": 5, "خامسه": 5,
    "سادس": 6, "سادسه": 6, "سابع": 7, "سابعه": 7, "ثامن": 8, "ثامنه": 8, "تاسع": 9, "تاسعه": 9, "عاشر": 10,
    "عاشره": 10, "حادي": 1, "حاديه": 1,
}  # fmt: skip
_TEN = ("عشر", "عشره")


def cardinal(words: Sequence[str], start: int = 0) -> tuple[int, int] | None:
    """A number at a place of the words: its value and the place behind it; None if there is none.

    >>> cardinal(["سته", "وعشرين", "يوما"])
    (26, 2)
    """
    if start < len(words) and words[start].isdecimal():
        return int(words[start]), start + 1
    total, at, found = 0, start, False
    while at < len(words):
        word = words[at].removeprefix("و") if found and words[at] not in _UNITS else words[at]
        if found and word == words[at]:
            break  # the parts of a number are joined by و
        value = _TENS.get(word) or _HUNDREDS.get(word) or _THOUSANDS.get(word) or _UNITS.get(word)
        if value is None and word in _TEN and not found:
            value = 10
        if value is None:
            break
        at, found, total = at + 1, True, total + value
        if value < 10 and at < len(words) and words[at] in _TEN:
            at, total = at + 1, total + 10
    return (total, at) if found else None


def ordinal(words: Sequence[str], start: int = 0) -> tuple[int, int] | None:
    """An ordinal with the article, as in days of a month: its value and the place behind it.

    >>> ordinal(["السادس", "والعشرين", "من"])
    (26, 2)
    """
    if start >= len(words) or not words[start].startswith("ال"):
        return None
    first = words[start].removeprefix("ال")
    following = words[start + 1] if start + 1 < len(words) else ""
    if first in _TENS:
        return _TENS[first], start + 1
    if first not in _ORDINALS:
        return None
    if following in _TEN:
        return 10 + _ORDINALS[first], start + 2
    if following.startswith("وال") and following[3:] in _TENS:
        return _ORDINALS[first] + _TENS[following[3:]], start + 2
    return _ORDINALS[first], start + 1
