"""Names that reader and writer share, and the encoding of labels, roles and ids in lines and file names of brat."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

NOTE = "Rasid"  # type of the notes with content that brat has no place for
META = "brat"  # key of `Article.meta` for relations, attributes, notes, normalizations and equivalences
PREDICTED = "predicted"  # key of a note for what a model predicted, which is not gold
LINE_ID = re.compile(r"[TERAMN#][1-9][0-9]{0,8}|\*")

# Characters that split a mention: the line ends of `str.splitlines`, and the tab.
BREAKS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
_GAP = re.compile(r"\s+")
_UNSAFE_IN_NAME = re.compile(r"[\s:;%\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# All but digits, a few signs, and letters without a decomposed form, because some file systems decompose أ.
_UNSAFE_IN_FILE = re.compile(r"[^0-9A-Za-z\u0621\u0627-\u063a\u0641-\u064a_.\-]|^[.\-]|\.$")
_REFERENCE = re.compile(r"([AMN#]\S*)\t(\S+) (\S+)((?:[ \t].*)?)", re.DOTALL)
_EQUIVALENCE = re.compile(r"(\*)\t(\S+) ([^\t]*\S)((?:\t.*)?)", re.DOTALL)
_RELATION = re.compile(r"(R\S*)\t(\S+) +([^\s:]+):(\S+) +([^\s:]+):(\S+)\s*")


def encode_name(name: str) -> str:
    """Percent-encode what brat does not allow in labels, types, roles and ids: white space, ``:;%`` and controls.

    >>> encode_name("armed group")
    'armed%20group'
    """
    return _UNSAFE_IN_NAME.sub(_percent, name)


def decode_name(name: str) -> str:
    """Reverse `encode_name`; a name that it cannot have written is unchanged.

    >>> decode_name("armed%20group"), decode_name("100%")
    ('armed group', '100%')
    """
    return _decoded(name, encode_name)


def encode_role(role: str) -> str:
    """Encode a role, including a digit at its end, which brat reads as a number.

    >>> encode_role("Arg1")
    'Arg%31'
    """
    name = encode_name(role)
    return f"{name[:-1]}%3{name[-1]}" if role[-1:] in tuple("0123456789") else name


def decode_role(role: str) -> str:
    """Decode a role, without the number that brat appends to a repeated role of an event.

    >>> decode_role("Location2"), decode_role("Arg%312")
    ('Location', 'Arg1')
    """
    base = role.rstrip("0123456789") or role[:1]
    if escape := re.search("%[0-9A-F]?$", base):
        base = role[: max(len(base), escape.start() + 3)]
    return _decoded(base, encode_role)


def encode_file_name(id: str) -> str:
    """Encode an article's id as the stem of a file name.

    >>> encode_file_name("أخبار/2024")
    '%D8%A3خبار%2F2024'
    """
    return _UNSAFE_IN_FILE.sub(_percent, id)


def decode_file_name(stem: str) -> str:
    """Reverse `encode_file_name`; a stem that it cannot have written is unchanged."""
    return _decoded(stem, encode_file_name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """An R, A, M, N, ``#`` or ``*`` line, which refers to other lines.

    Attributes:
        id: of the line.
        type: of the annotation.
        targets: ids of the lines that it refers to.
        arguments: names of the two targets of a relation (``Arg1``); empty for other lines.
        rest: text after the targets.
    """

    id: str
    type: str
    targets: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    rest: str = ""

    def line(self, targets: Iterable[str]) -> str:
        """The line with other targets."""
        if self.arguments:
            targets = (f"{name}:{target}" for name, target in zip(self.arguments, targets, strict=True))
        return f"{self.id}\t{self.type} {' '.join(targets)}{self.rest}"


def reference(line: str) -> Reference | None:
    """Parse an R, A, M, N, ``#`` or ``*`` line; None for another line."""
    if found := _RELATION.fullmatch(line):
        return Reference(id=found[1], type=found[2], targets=(found[4], found[6]), arguments=(found[3], found[5]))
    if (found := _REFERENCE.fullmatch(line) or _EQUIVALENCE.fullmatch(line)) is None:
        return None
    return Reference(id=found[1], type=found[2], targets=tuple(found[3].split(" ")), rest=found[4])


def fragments(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of a span between line breaks and tabs, without the white space around these."""
    parts, at = [], start
    for gap in _GAP.finditer(text, start, end):
        if any(sign in BREAKS for sign in gap.group()):
            parts.append((at, gap.start()))
            at = gap.end()
    return [(low, high) for low, high in [*parts, (at, end)] if low < high]


def _percent(found: re.Match[str]) -> str:
    if (sign := found.group()) in ".-":  # `quote` never encodes these
        return f"%{ord(sign):02X}"
    return quote(sign, safe="", errors="surrogatepass")


def _decoded(name: str, encode: Callable[[str], str]) -> str:
    if "%" not in name:
        return name
    try:
        plain = unquote(name, errors="surrogatepass")
    except UnicodeDecodeError:
        return name
    return plain if encode(plain) == name else name
