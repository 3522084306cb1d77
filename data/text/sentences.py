"""Sentence segmentation of Arabic news, in code points."""

import re
from collections.abc import Iterator

from .words import trim

_END = ".!?؟…۔"
_CLOSING = "\"'”’»)\\]}›"
_BIDI = "\u200e\u200f\u202c\u2069"
# Line ends, quotation marks, and runs of marks that may end a sentence. The look-behind makes the pattern match a run
# at its start only.
_MARKS = re.compile(
    "(?P<line>[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+)"
    f"|(?P<end>(?<![{_END}])[{_END}]++(?P<closing>[{_CLOSING}{_BIDI}]*+)(?=\\s|\\Z))"
    '|(?P<quote>[«»“”"])'
)
_LETTER = r"[^\W\d_]"
# An initial or title (د. م. أ. J.), also with و or ل before it; several initials (ص.ب. أ.ف.ب. U.S.); Latin titles.
_SHORT = re.compile(
    rf"(?<![\w.\u0640])(?:(?P<initial>{_LETTER}\u0640?)|(?:{_LETTER}{{1,2}}\u0640?\.)+{_LETTER}\u0640?|[ول]د|"
    r"Mr|Mrs|Ms|Dr|Prof|Gen|Sen|Rep|Gov|Lt|Col|St|Jr|Sr|No|vs|Inc|Ltd|Co|Corp)\Z"
)
_UNIT = re.compile(r"\d\s?\Z")
_NUMBERING = re.compile(r"\W*\d{1,3}\Z")
_READ = re.compile(r"[^\W_]")
_REACH = 24  # code points before a full stop that are searched for an abbreviation


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Split a text into sentences; every visible character is in exactly one.

    A sentence ends at the end of a line, and at a run of ``. ! ? ؟ …``, with closing quotation marks and brackets,
    before white space. Exceptions: a full stop after an initial, a title or several initials (``د. أحمد``,
    ``ص.ب. 12``) or after the number of a list item; an ellipsis inside a quotation; ``(!)``. A letter after a number
    is a unit, not an initial (``عام 1990 م.``). Text without letters or digits is no sentence: it is joined to the
    sentence before it on the line.

    Args:
        text: raw.

    Returns:
        Start and end of each sentence in code points, without white space and format characters at the edges.

    >>> text = "وصل د. أحمد إلى 3.5 كم من دمشق. «هل يعود؟» لا أحد يعلم..."
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['وصل د. أحمد إلى 3.5 كم من دمشق.', '«هل يعود؟»', 'لا أحد يعلم...']
    """
    sentences: list[tuple[int, int]] = []
    start = line = 0  # offset where the sentence starts; number of sentences before the line
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
    """The ends of sentences, each with whether the line ends there too."""
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
    """Whether a match of `_MARKS` ends the sentence that starts at ``start``."""
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
