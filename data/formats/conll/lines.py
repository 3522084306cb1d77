"""The lines of CoNLL files in blocks: the tokens of a sentence, and the document that it belongs to."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ....errors import shown
from ...problems import ProblemLog
from ..common.tags import TAG

DOCUMENT_MARK = "-DOCSTART-"
_NUMBER = re.compile(r"[ \t]*(\d{1,5})[ \t]+(?=\S+[ \t])")  # a token and a tag follow
_NUMBERED = 0.95  # share of the lines
_TRIED = 1000  # lines
SENTINEL = "$#$"  # ends a sentence in Wojood
_NEW_DOCUMENT = re.compile(r"#\s*(?:newdoc\b(?:\s+id\s*=\s*(.+))?|begin document\s*\(?([^)]*)\)?.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The lines of a sentence.

    Attributes:
        lines: number and text of each line that holds a token.
        document: number of its document in the file, from 1; 0 if no mark of a document came before.
        name: of the document, if its mark has one.
    """

    lines: list[tuple[int, str]] = field(default_factory=list)
    document: int = 0
    name: str = ""


def blocks(lines: Iterable[tuple[int, str]], log: ProblemLog) -> Iterator[Block]:
    """The sentences of a file. Sentinel and comment lines are left out, which is recorded.

    Args:
        lines: with their numbers, split at line feeds only.
        log: takes the lines that are left out.
    """
    block, document, name = Block(), 0, ""
    for number, line in lines:
        line = line.removesuffix("\r")
        fields = split_fields(line)
        mark = _NEW_DOCUMENT.fullmatch(line.strip()) if not block.lines else None
        if not fields or fields[0] == DOCUMENT_MARK or mark:
            if block.lines:
                yield block
            if fields:
                document, name = document + 1, (mark[1] or mark[2] or "").strip() if mark else ""
            block = Block(document=document, name=name)
        elif fields[0] == SENTINEL:
            log.fix("sentinel", f"line {shown(line)} is left out", line=number)
        # A token may be "#", and then the line ends with its tag.
        elif line.startswith(("# ", "#end document")) and not block.lines and not TAG.fullmatch(fields[-1]):
            log.fix("comment", f"comment {shown(line)} is left out", line=number)
        else:
            block.lines.append((number, line))
    if block.lines:
        yield block


def without_numbers(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]] | None:
    """The lines without their first column, if it numbers the tokens of each sentence, as in GermEval and CoNLL-U.

    Args:
        lines: with their numbers in the file.

    Returns:
        None if the first column is the token.
    """
    rows = right = position = 0
    for _, line in lines:
        if not line.strip() or line.startswith("#"):
            position = 0
            continue
        rows, position = rows + 1, position + 1
        numbered = _NUMBER.match(line)
        right += numbered is not None and int(numbered[1]) == position
        if rows == _TRIED and right < rows / 2:
            return None
    if rows < 2 or right < _NUMBERED * rows:
        return None
    return [(number, _NUMBER.sub("", line, count=1)) for number, line in lines]


def split_fields(line: str) -> list[str]:
    """The fields of a line: separated by tabs, or by spaces if it has no tab; none if it is blank.

    The first is empty if the line starts with a separator.
    """
    if not line.strip(" \t"):
        return []
    # `str.split()` would split at no-break spaces and line separators, which occur in tokens.
    first, *others = line.rstrip("\t ").split("\t") if "\t" in line else re.split(" +", line.rstrip(" "))
    return [first, *(field.strip(" ") for field in others if field.strip(" "))]
