"""Lines of text files: split at line feeds only, with every byte preserved; and JSON on lines."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ....errors import did_you_mean, shown
from ...problems import ArticleLog, DataError, Problem, ProblemLog

# Bytes that are not UTF-8 are decoded to these code points (PEP 383), so that the reader can name their article.
# Valid UTF-8 never decodes to one of them.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Line ends for readers that split like `str.splitlines`.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
# A long article has about 100,000 characters; parsed JSON takes about ten times the memory of its text.
LONGEST_LINE = 32 * 2**20


def file_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, split at line feeds only; a byte order mark is removed.

    Carriage returns and the other characters at which `str.splitlines` splits are kept. Bytes that are not UTF-8
    become lone surrogates, which `encoding_fault` finds.

    Raises:
        DataError: a line has more than `LONGEST_LINE` bytes.
    """
    with open(path, "rb") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE + 1), b""), 1):
            if len(line) > LONGEST_LINE:
                message = f"the line has more than {LONGEST_LINE:,} bytes; write one article a line"
                raise DataError([Problem(source=str(path), line=number, cause="line too long", message=message)])
            yield line.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape")


def limited_content(path: Path, largest: int) -> bytes:
    """The content of a file.

    Raises:
        ValueError: it has more than `largest` bytes.
    """
    if (size := path.stat().st_size) > largest:
        raise ValueError(f"it has {size} bytes, more than the limit of {largest}, and is not read; split the file")
    return path.read_bytes()


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without their line feeds."""
    for number, line in enumerate(lines, 1):
        yield number, line.removesuffix("\n")


def json_values(lines: Iterable[str], log: ProblemLog) -> Iterator[tuple[int, Any]]:
    """The values of JSON Lines with their line numbers. Blank lines are skipped; lines that are not JSON are logged."""
    for number, line in numbered(lines):
        if not line.strip():
            continue
        if message := encoding_fault(line):
            log.drop("not UTF-8", message, line=number)
            continue
        try:
            value = parse_json(line)
        except ValueError as error:
            log.drop("not JSON", f"{shown(line)}: {error}", line=number)
        else:
            yield number, value


def encoding_fault(line: str) -> str | None:
    """The error message for a line with bytes that are not UTF-8; None if there are none."""
    if (found := _ESCAPED_BYTE.search(line)) is None:
        return None
    byte = ord(found.group()) - 0xDC00
    around = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line[max(0, found.start() - 15) : found.start() + 15])
    return (
        f"byte 0x{byte:02X} at column {found.start() + 1} is not UTF-8 (near {around!r}); save the file as UTF-8, "
        "from windows-1256 for example: iconv -f windows-1256 -t utf-8"
    )


def has_surrogate(text: str) -> bool:
    """Whether a text has a lone surrogate, which UTF-8 cannot encode."""
    return _SURROGATE.search(text) is not None


def parse_json(text: str) -> Any:
    """Parse JSON strictly: repeated keys and NaN are errors.

    Raises:
        ValueError: the text is not JSON; the message says where.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            raise ValueError(f"key {next(key for key in counts if counts[key] > 1)!r} is given twice")
        return mapping

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read: nested too deeply") from error


def parse_object(text: str) -> dict[str, Any]:
    """Parse a JSON object strictly, see `parse_json`.

    Raises:
        ValueError: the text is not JSON, or not an object.
    """
    content = parse_json(text)
    if not isinstance(content, dict):
        raise ValueError(f"{shown(content)}; it must be a JSON object")
    return content


def is_strings(value: Any) -> bool:
    """Whether a JSON value is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def to_json(content: Any) -> str:
    """A value as JSON, without characters that a reader could take for line ends.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error
    return _LINE_ENDS.sub(_escape, text)


def escape_surrogates(json_text: str) -> str:
    r"""JSON with lone surrogates as ``\uXXXX``, so that UTF-8 can encode it. Few other programs accept these."""
    return _SURROGATE.sub(_escape, json_text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def json_line(content: Any, log: ArticleLog) -> str | None:
    """A line of JSON; None, with an entry in the log, if JSON or UTF-8 cannot encode the content."""
    try:
        line = to_json(content)
    except ValueError as error:
        log.drop("not JSON", f"the article {error}")
        return None
    return f"{line}\n" if is_utf8(line, log) else None


def is_utf8(text: str, log: ArticleLog) -> bool:
    """Whether UTF-8 can encode a text that was made from an article; if not, the log gets an entry."""
    if has_surrogate(text):
        log.drop("lone surrogate", "the article has a lone surrogate, which UTF-8 cannot encode; write it as jsonl")
        return False
    return True


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known one, or all of them."""
    known = tuple(known)
    return did_you_mean(name, known) or f"there are {', '.join(known)}"
