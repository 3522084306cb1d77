"""Sentences of Arabic news, as ranges of the raw text."""

import re
from collections.abc import Iterator

from .words import trim

_END = ".!?؟…۔"
_CLOSING = "\"'”’»)\\]}›"
_BIDI = "\u200e\u200f\u202c\u2069"
# One pass finds all that matters: the end of a line, quotation marks, and runs of full stops that may end a sentence.
# The look-behind lets a run be tried once, at its start.
_MARKS = re.compile(
    "(?P<line>[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+)"
    f"|(?P<end>(?<![{_END}])[{_END}]++(?P<closing>[{_CLOSING}{_BIDI}]*+)(?=\\s|\\Z))"
    '|(?P<quote>[«»“”"])'
)
_LETTER = r"[^\W\d_]"
# An initial or title (د. م. أ. J.), also with و or ل before it; initials in a row (ص.ب. أ.ف.ب. U.S.); Latin titles.
_SHORT = re.compile(
    rf"(?<![\w.\u0640])(?:(?P<initial>{_LETTER}\u0640?)|(?:{_LETTER}{{1,2}}\u0640?\.)+{_LETTER}\u0640?|[ول]د|"
    r"Mr|Mrs|Ms|Dr|Prof|Gen|Sen|Rep|Gov|Lt|Col|St|Jr|Sr|No|vs|Inc|Ltd|Co|Corp)\Z"
)
_UNIT = re.compile(r"\d\s?\Z")
_NUMBERING = re.compile(r"\W*\d{1,3}\Z")
_READ = re.compile(r"[^\W_]")
_REACH = 24  # code points before a full stop that are looked at; longer than any abbreviation


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Sentences, in order; every visible character is in exactly one.

    A line ends a sentence. So do ``. ! ? ؟ …`` and runs of them, with the quotation marks and brackets that close
    behind them, before white space. A full stop does not after an initial, a title or initials in a row (``د. أحمد``,
    ``ص.ب. 12``) or the number of an item; an ellipsis does not inside a quotation; ``(!)`` does not. A letter behind
    a number is a unit (``عام 1990 م.``) and ends a sentence. Without letters or digits there is no sentence of its
    own on a line: stray marks go with their neighbor.

    Args:
        text: raw.

    Returns:
        half-open offsets in code points, without white space and format characters at the edges.

    >>> text = "وصل د. أحمد إلى 3.5 كم من دمشق. «هل يعود؟» لا أحد يعلم..."
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['وصل د. أحمد إلى 3.5 كم من دمشق.', '«هل يعود؟»', 'لا أحد يعلم...']
    """
    sentences: list[tuple[int, int]] = []
    start = line = 0  # of the sentence, in code points; of the line, in sentences
    for end, ends_line in _boundaries(text):
        first, last = trim(text, start, end)
        start = end
        if first < last and len(sentences) > line and not _READ.search(text, first, last):
            sentences[-1] = (sentences[-1][0], last)
        elif first < last:
            sentences.append((first, last))
        if ends_line:
            line = len(sentences)
    return sentences


def _boundaries(text: str) -> Iterator[tuple[int, bool]]:
    """Where sentences end, and whether the line ends with them."""
    start = looked = 0
    read = straight = False  # whether the sentence has a letter or digit yet; whether a " is open
    depth = 0  # of « and “
    for match in _MARKS.finditer(text):
        for mark in match["quote"] or match["closing"] or "":
            straight ^= mark == '"'
            depth = max(0, depth + (mark in "«“") - (mark in "»”"))
        if match["line"]:
            yield match.start(), True
            start, read, straight, depth = match.end(), False, False, 0
        elif match["end"]:
            read = read or bool(_READ.search(text, max(start, looked), match.start()))
            looked = match.end()
            if read and _ends(text, start, match, quoted=straight or depth > 0):
                yield match.end(), False
                start, read = match.end(), False
    yield len(text), True


def _ends(text: str, start: int, match: re.Match[str], *, quoted: bool) -> bool:
    """Whether full stops end the sentence that starts at ``start``."""
    at = match.start()
    marks = text[at : match.start("closing")]
    if text[at - 1] in "([{" and match["closing"]:
        return False
    if "…" in marks or ".." in marks:
        return not quoted
    if marks != "." or match["closing"].strip(_BIDI):
        return True
    before = text[max(start, at - _REACH) : at]
    if _NUMBERING.fullmatch(before):
        return False
    short = _SHORT.search(before)
    return short is None or bool(short["initial"] and _UNIT.search(before[: short.start()]))
