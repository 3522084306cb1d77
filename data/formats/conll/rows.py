"""A line of a CoNLL file as a token with its tags, or as what is wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....errors import code_points, shown
from ...text.words import trim
from ..common.lines import encoding_fault
from .cells import Fix, read_cell
from .layout import MOST_COLUMNS, ColumnLayout
from .lines import split_fields

_LIKE_A_TAG = re.compile(r"O|[BIMELSU][-_:./][!-~]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line.

    Attributes:
        line: its number, from 1.
        token: the token.
        tags: one for each column.
        fixes: what was corrected.
        fault: cause and message, if the line cannot be used.
        lost: whether a token or a tag is lost with it.
        unlabeled: the tag of a mention without a label.
        starts: the mention without a label starts here for certain.
    """

    line: int
    token: str = ""
    tags: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    fault: tuple[str, str] | None = None
    lost: bool = True
    unlabeled: str = ""
    starts: bool = False


def read_row(number: int, line: str, layout: ColumnLayout) -> Row:
    """Read a line.

    Args:
        number: of the line.
        line: its text, not blank.
        layout: of the file.
    """
    if message := encoding_fault(line):
        return Row(line=number, fault=("not UTF-8", message))
    fields = split_fields(line)
    # Only spaces and tabs separate columns, but with another white space in their place the tag is still proven.
    other = fields[0].split() if len(fields) == 1 else []
    if len(other) > 1 and read_cell(other[-1]).tags:
        row = read_row(number, "\t".join(other), layout)
        signs = code_points(sign for sign in fields[0] if sign.isspace())
        return replace(row, fixes=(*row.fixes, ("other white space", f"{signs} is read as the end of a column")))
    if len(fields) > MOST_COLUMNS:
        message = f"{shown(line)} has {len(fields)} columns; at most {MOST_COLUMNS} are read"
        return Row(line=number, fault=("too many columns", message))
    if (lost := _without_token(fields, layout)) is not None or (lost := _without_first(fields, layout)) is not None:
        message = f"{shown(line)} has no token before its tag; the line is left out"
        return Row(line=number, fault=("no token", message), lost=lost)
    fields = fields if fields[0] else fields[1:]  # an indented line
    if len(fields) == 1:
        message = f"{shown(fields[0])} has no tag; a line is a token and its tags; the line is left out"
        return Row(line=number, fault=("no tag", message))
    size, columns, fault = _parts(fields, layout)
    if fault:
        return Row(line=number, fault=fault)
    return _row(number, " ".join(fields[:size]), [fields[n] for n in columns], size > 1)


def _row(number: int, first: str, texts: Sequence[str], joined: bool) -> Row:
    cells = [(text, read_cell(text)) for text in texts]
    token = first.strip()
    fixes = [fix for _, cell in cells for fix in cell.fixes]
    if wrong := next((text for text, cell in cells if not cell.tags), ""):
        message = f"{shown(wrong)} of {shown(token)} is not a tag; tags are O, B-LABEL, I-LABEL and the like"
        return Row(line=number, fault=("not a tag", f"{message}; the line is left out"))
    if trim(first, 0, len(first)) == (0, 0):
        message = f"{shown(' '.join(texts))} has no token before it; the line is left out"
        return Row(line=number, fault=("no token", message), lost=any(c.tags != ("O",) for _, c in cells))
    if joined:
        fixes.append(("space in a token", "what stands before the columns of the other lines is read as one token"))
    if token != first:
        fixes.append(("white space at an edge", "the token is read without the white space at its edges"))
    unlabeled = [(text, cell) for text, cell in cells if cell.unlabeled]
    return Row(
        line=number,
        token=token,
        tags=tuple(tag for _, cell in cells for tag in cell.tags),
        fixes=tuple(fixes),
        unlabeled=unlabeled[0][0] if unlabeled else "",
        starts=any(cell.starts for _, cell in unlabeled),
    )


def _without_token(fields: Sequence[str], layout: ColumnLayout) -> bool | None:
    """Whether tags are lost with a line that has no token; None if it has one."""
    first, *others = fields
    if not others:
        tags = read_cell(first).tags
        known = {tag[2:] for tag in tags} <= layout.labels
        return tags != ("O",) if layout.width > 1 and (first == "O" or tags and known) else None
    cells = [read_cell(field) for field in others]
    tagged = all(cell.tags for cell in cells) if layout.nested else bool(cells[-1].tags)
    full = not layout.nested and len(others) >= layout.width  # an indented line
    if trim(first, 0, len(first)) != (0, 0) or not tagged or full and not first:
        return None
    return any(tag != "O" for cell in (cells if layout.nested else cells[-1:]) for tag in cell.tags)


def _without_first(fields: Sequence[str], layout: ColumnLayout) -> bool | None:
    """Whether tags are lost with a line that has all columns but that of the token; None if it has one."""
    if layout.nested or len(fields) != layout.width - 1 or 1 not in layout.known or not _fits(["", *fields], 0, layout):
        return None
    return any(tag != "O" for n in layout.columns for tag in read_cell(fields[n - 1]).tags)


def _parts(fields: Sequence[str], layout: ColumnLayout) -> tuple[int, Sequence[int], tuple[str, str] | None]:
    """The number of fields that are the token, and the columns of its tags; or what is wrong with the line."""
    if layout.nested:
        size = len(fields)
        while size > 1 and read_cell(fields[size - 1]).tags:
            size -= 1
        # The last field is always taken as a tag, so that a wrong one is reported.
        size = min(size, len(fields) - 1)
        odd = next((n for n in range(1, size) if _LIKE_A_TAG.fullmatch(fields[n])), None)
        return (1, range(odd, len(fields)), None) if odd is not None else (size, range(size, len(fields)), None)
    surplus, at_end = len(fields) - layout.width, layout.columns[-1] == layout.width - 1
    if surplus == 0:
        return 1, layout.columns, None
    said = f"{shown(' '.join(fields))} has {len(fields)} fields, and most lines have {layout.width}"
    if surplus > 0:
        if not any(read_cell(field).tags for field in fields[1 : 1 + surplus]) and _fits(fields, surplus, layout):
            return 1 + surplus, [n + surplus for n in layout.columns], None
        further = range(layout.columns[0], len(fields)) if at_end and not layout.chosen else layout.columns
        if at_end and _fits(fields, 0, layout) and all(read_cell(fields[n]).tags for n in further):
            return 1, further, None
        return 1, (), ("surplus field", f"{said}; which of them are the token is not clear; the line is left out")
    last = read_cell(fields[-1]).tags
    if at_end and last and {tag[2:] for tag in last if tag != "O"} <= layout.labels:
        return 1, [len(fields) - 1], None
    return 1, (), ("missing field", f"{said}; the line is left out")


def _fits(fields: Sequence[str], shift: int, layout: ColumnLayout) -> bool:
    """Whether the columns of a line hold what those of the other lines do, if it is read from a later field on."""
    tags = all(read_cell(fields[n + shift]).tags for n in layout.columns)
    return tags and all(fields[n + shift] in values for n, values in layout.known.items())
