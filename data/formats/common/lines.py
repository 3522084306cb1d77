"""Lines of a file as the formats read them: split at line feeds alone, no byte lost, no byte guessed."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ....errors import did_you_mean
from ...problems import ArticleLog, DataError, Problem

# A byte that is not UTF-8 is carried as one of these (PEP 383) until the reader of its format can say which article
# it spoils. Text that decodes never holds one.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Line ends to readers that split as `str.splitlines` does.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
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


def to_json(content: Any) -> str:
    """A value as JSON on one line, with no character that a reader could take for a line end.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error
    return _LINE_ENDS.sub(_escape, text)


def escape_surrogates(json_text: str) -> str:
    r"""JSON with its lone surrogates as ``\uXXXX``, so that UTF-8 can hold it; few other programs read them."""
    return _SURROGATE.sub(_escape, json_text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def json_line(content: Any, log: ArticleLog) -> str | None:
    """An article's content as a line of JSON; None, and recorded, if JSON or UTF-8 cannot hold it."""
    try:
        line = to_json(content)
    except ValueError as error:
        log.drop("not JSON", f"the article {error}")
        return None
    return f"{line}\n" if is_utf8(line, log) else None


def is_utf8(text: str, log: ArticleLog) -> bool:
    """Whether UTF-8 can hold what is written of an article; recorded if not."""
    if has_surrogate(text):
        log.drop("lone surrogate", "the article holds a lone surrogate, which UTF-8 cannot hold; write it as jsonl")
        return False
    return True


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known one, or all of them."""
    known = tuple(known)
    return did_you_mean(name, known) or f"there are {', '.join(known)}"
