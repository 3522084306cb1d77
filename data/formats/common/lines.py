"""Lines of a file as the formats read them: split at line feeds alone, no byte lost, no byte guessed."""

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...problems import DataError, Problem

# A byte that is not UTF-8 is carried as one of these (PEP 383) until the reader of its format can say which article
# it spoils. Text that decodes never holds one.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# A long article has some 100,000 characters; JSON takes about ten times the length of its text in memory.
LONGEST_LINE = 32 * 2**20


def file_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, split at line feeds only; a byte order mark is dropped.

    Carriage returns stay where they are, and so do the other characters that `str.splitlines` would split at. Bytes
    that are not UTF-8 become lone surrogates, which `spoilt` finds.

    Raises:
        DataError: a line has more than `LONGEST_LINE` bytes; it is not read into memory.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE + 1), b""), 1):
            if len(line) > LONGEST_LINE:
                message = f"the line has more than {LONGEST_LINE:,} bytes; write one article a line"
                raise DataError([Problem(source=str(path), line=number, cause="line too long", message=message)])
            yield line.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape")


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without their line feeds."""
    for number, line in enumerate(lines, 1):
        yield number, line.removesuffix("\n")


def spoilt(line: str) -> str | None:
    """What to say of a line that holds bytes that are not UTF-8; None for one that does not."""
    if (found := _ESCAPED_BYTE.search(line)) is None:
        return None
    byte = ord(found.group()) - 0xDC00
    around = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line[max(0, found.start() - 15) : found.start() + 15])
    return (
        f"byte 0x{byte:02X} at column {found.start() + 1} is not UTF-8 (near {around!r}); save the file as UTF-8, "
        "from windows-1256 for example: iconv -f windows-1256 -t utf-8"
    )


def has_surrogate(text: str) -> bool:
    """Whether a text holds a lone surrogate, which UTF-8 cannot carry."""
    return _SURROGATE.search(text) is not None


def parse_json(text: str) -> Any:
    """Parse JSON strictly: a key given twice and NaN are errors, not surprises.

    Raises:
        ValueError: the text is not JSON; the message says where.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            raise ValueError(f"key {next(key for key in counts if counts[key] > 1)!r} is given twice")
        return mapping

    def drop(constant: str) -> Any:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=drop)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read: nested too deeply") from error


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a name that is not known: the nearest one, or all of them."""
    known = tuple(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
