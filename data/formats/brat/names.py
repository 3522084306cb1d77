"""Names in brat's files: labels, roles and ids that its lines and file names can hold, and what its lines are about."""

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

NOTE = "Rasid"  # type of the notes that hold what brat has no place for
META = "brat"  # key of `Article.meta` for brat's attributes, notes, normalizations and equivalences

# What brat's files cannot hold inside a mention: every character that `str.splitlines` cuts at, and the tab.
BREAKS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
_GAP = re.compile(r"\s+")
_UNSAFE_IN_NAME = re.compile(r"[\s:;%\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Everything but digits, a few signs, and letters that no file system stores in another form, as some do with أ.
_UNSAFE_IN_FILE = re.compile(r"[^0-9A-Za-z\u0621\u0627-\u063a\u0641-\u064a_.\-]|^[.\-]|\.$")
_KEPT = re.compile(r"(?P<id>[AMN#]\S*)\t(?P<type>\S+) (?P<targets>\S+)(?P<rest>(?:[ \t].*)?)", re.DOTALL)
_EQUIVALENCE = re.compile(r"(?P<id>\*)\t(?P<type>\S+) (?P<targets>[^\t]*\S)(?P<rest>(?:\t.*)?)", re.DOTALL)


def encode_name(name: str) -> str:
    """A label, type, role or id as brat can hold it: white space, ``:``, ``;``, ``%`` and controls percent-encoded.

    >>> encode_name("armed group")
    'armed%20group'
    """
    return _UNSAFE_IN_NAME.sub(_percent, name)


def decode_name(name: str) -> str:
    """What `encode_name` encoded; a name that it would not have written comes back as it is.

    >>> decode_name("armed%20group"), decode_name("100%")
    ('armed group', '100%')
    """
    return _decoded(name, encode_name)


def encode_role(role: str) -> str:
    """A role; a digit at its end, which brat takes for a number, is percent-encoded too.

    >>> encode_role("Arg1")
    'Arg%31'
    """
    name = encode_name(role)
    return f"{name[:-1]}%3{name[-1]}" if role[-1:] in tuple("0123456789") else name


def decode_role(role: str) -> str:
    """A role without the number that brat appends where it occurs again in the event.

    >>> decode_role("Location2"), decode_role("Arg%312")
    ('Location', 'Arg1')
    """
    base = role.rstrip("0123456789") or role[:1]
    if escape := re.search("%[0-9A-F]?$", base):
        base = role[: max(len(base), escape.start() + 3)]
    return _decoded(base, encode_role)


def encode_file_name(id: str) -> str:
    """An article's id as the stem of a file name.

    >>> encode_file_name("أخبار/2024")
    '%D8%A3خبار%2F2024'
    """
    return _UNSAFE_IN_FILE.sub(_percent, id)


def decode_file_name(stem: str) -> str:
    """The id that `encode_file_name` encoded; another stem comes back as it is."""
    return _decoded(stem, encode_file_name)


def kept_targets(line: str) -> tuple[str, list[str], str] | None:
    """What stands before, in and behind the ids that an A, M, N, ``#`` or ``*`` line is about; None for other lines."""
    if found := _KEPT.fullmatch(line) or _EQUIVALENCE.fullmatch(line):
        return f"{found['id']}\t{found['type']} ", found["targets"].split(" "), found["rest"]
    return None


def fragments(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of a span between line breaks and tabs, without the white space around those."""
    parts, at = [], start
    for gap in _GAP.finditer(text, start, end):
        if any(sign in BREAKS for sign in gap.group()):
            parts.append((at, gap.start()))
            at = gap.end()
    return [(low, high) for low, high in [*parts, (at, end)] if low < high]


def _percent(found: re.Match[str]) -> str:
    if (sign := found.group()) in ".-":  # which `quote` takes for safe everywhere
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
