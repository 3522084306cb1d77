"""The tag fields of CoNLL files, with what other tools write in them: joined tags, no label, look-alike characters."""

import re
from dataclasses import dataclass
from functools import lru_cache

from ....errors import code_points, shown
from ..common.tags import TAG

Fix = tuple[str, str]
"""Cause and message."""

NO_LABEL = frozenset({"", "null", "none", "nil", "nan", "undefined", "_", "*", "-", "?"})
"""What tools write in place of a label where the annotator chose none, in lower case."""

# Maqaf, Unicode's hyphens and dashes, minus, small and full-width hyphen, tatweel. No label begins with one.
_DASH = "\u05be\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u0640"
_OTHER_DASH = re.compile(rf"([BIMELSU])(-*[{_DASH}][{_DASH}-]*|--+)(.*)", re.DOTALL)
LIKE_OUTSIDE = frozenset("0o\u041e\u043e\u039f\u03bf\uff2f\u0665")
"""Characters that look like O: zero, small, Cyrillic, Greek and full-width O, Arabic five."""
_INVISIBLE = re.compile("[\xa0\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SEGMENTED, _STACKED = re.compile(r"[\^+&~]"), re.compile(r"[|;,/]")
_BARE = re.compile(r"[BIMELSU]-?")
# Labels of the segments of a word that are not its stem, as in B-CONJ^I-GPE.
_CLITICS = frozenset(
    "ADP CCONJ CONJ SCONJ CJ DEF DET DT IN PREP PART PRT PRON PRP FUT NEG EMPH JUS RES SUB VOC INTERROG CC".split()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A field that holds tags.

    Attributes:
        tags: several if they are stacked as in ``B-PER|B-ORG``; none if the field is no tag.
        fixes: what was corrected.
        unlabeled: it marks a mention without a label; its tag is O.
        starts: the mention without a label starts here for certain (``B-``, ``S-``).
    """

    tags: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    unlabeled: bool = False
    starts: bool = False


@lru_cache(maxsize=10_000)
def read_cell(text: str) -> Cell:
    """Read a field as tags.

    >>> read_cell("B-PER").tags, read_cell("O^S-GPE").tags, read_cell("B-null").tags, read_cell("NN").tags
    (('B-PER',), ('S-GPE',), ('O',), ())
    """
    plain = _INVISIBLE.sub("", text)
    fixes: list[Fix] = []
    if plain != text:
        signs = code_points(_INVISIBLE.findall(text))
        fixes.append(("invisible character in a tag", f"tag {shown(plain)} is read without {signs}"))
    if stacked := _parts(plain, _STACKED):
        fixes += (fix for part in stacked for fix in part.fixes)
        unlabeled = any(part.unlabeled for part in stacked)
        return Cell(tags=tuple(tag for part in stacked for tag in part.tags), fixes=tuple(fixes), unlabeled=unlabeled)
    if segments := _parts(plain, _SEGMENTED):
        tag = _of_word([tag for part in segments for tag in part.tags])
        fixes += (fix for part in segments for fix in part.fixes)
        message = f"{shown(plain)} has a tag for each segment; the whole word is read as {tag}"
        fixes.append(("tags of segments", message))
        unlabeled = tag == "O" and any(part.unlabeled for part in segments)
        return Cell(tags=(tag,), fixes=tuple(fixes), unlabeled=unlabeled, starts=unlabeled)
    if plain in LIKE_OUTSIDE:
        fixes.append(("look-alike in a tag", f"tag {shown(plain)} is {code_points(plain)}; it is read as O"))
        plain = "O"
    elif other := _OTHER_DASH.fullmatch(plain):
        prefix, dash, label = other.groups()
        if label or dash.strip("-"):
            message = f"the dash of tag {shown(plain)} is {code_points(dash)}; it is read as '-'"
            fixes.append(("look-alike in a tag", message))
        plain = f"{prefix}-{label}"
    if _BARE.fullmatch(plain) and plain.endswith("-") or TAG.fullmatch(plain) and plain[2:].lower() in NO_LABEL - {""}:
        return Cell(tags=("O",), fixes=tuple(fixes), unlabeled=True, starts=plain[0] in "BSU")
    return Cell(tags=(plain,), fixes=tuple(fixes)) if TAG.fullmatch(plain) else Cell()


def _parts(text: str, between: re.Pattern[str]) -> list[Cell]:
    """The tags of a field that are joined by a sign; none if there is no such sign or a part is no tag."""
    if between.search(text) is None:
        return []
    texts = between.split(text)
    while between is _SEGMENTED and len(texts) > 1 and texts[0] in _CLITICS:  # as in CONJ^B-GPE
        texts = texts[1:]
    parts = [read_cell(part) for part in texts]
    return parts if all(part.tags for part in parts) else []


def _of_word(tags: list[str]) -> str:
    """The tag of a word from those of its segments: the label of the name; clitics come before the stem."""
    inside = [tag for tag in tags if tag != "O"]
    names = [tag[2:] for tag in inside if tag[2:].upper() not in _CLITICS]
    if not names:
        return "O"
    label = names[-1]
    starts = any(tag[0] in "BSU" for tag in inside)
    ends = any(tag[0] in "ELSU" for tag in inside if tag[2:] == label)
    return f"{'S' if starts and ends else 'B' if starts else 'E' if ends else 'I'}-{label}"
