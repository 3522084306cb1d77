"""Which columns of a CoNLL file hold the tags of names, decided from the whole file."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ....errors import RasidError
from ..common.tags import TAG
from .cells import LIKE_OUTSIDE, Fix, read_cell
from .lines import DOCUMENT_MARK, split_fields

MOST_COLUMNS = 500  # Wojood has six; the time grows with the square of their number
_VALUES = 1000  # that are kept of a column
_LABELS = 40  # shown in a message
_LONGEST = 40  # code points of a label in a message

# Chunks of CoNLL-2000 and 2003 (English, German), of AMIRA (Arabic) and of pattern; universal parts of speech.
_CHUNKS = frozenset("NP VP PP ADVP ADJP SBAR PRT CONJP INTJ LST UCP NC VC PC INTC PREDP PNP".split())
_PARTS_OF_SPEECH = frozenset(
    "NOUN VERB ADJ ADV ADP PRON PROPN DET NUM PART CCONJ SCONJ CONJ AUX INTJ PUNCT SYM X "
    "NN NNS NNP NNPS JJ VB VBD VBP IN DT CC CD PRP RB".split()
)
_TYPICAL = frozenset("NP VP NC VC NOUN VERB NN NNP".split())  # a label as NUM alone may be that of a name


class LayoutError(RasidError, ValueError):
    """No column of a file can be read as names."""


@dataclass(slots=True)
class _ColumnCounts:
    tags: int = 0
    labels: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)

    def add(self, value: str) -> None:
        if len(self.values) < _VALUES:
            self.values.add(value)
        if value not in LIKE_OUTSIDE:
            tags = read_cell(value).tags
            self.tags += bool(tags)
            if len(self.labels) < _VALUES:
                self.labels.update(tag[2:] for tag in tags if tag != "O")

    def is_no_names(self) -> bool:
        """Whether all its labels are those of chunks or of parts of speech."""
        return bool(self.labels & _TYPICAL) and (self.labels <= _CHUNKS or self.labels <= _PARTS_OF_SPEECH)


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnLayout:
    """How the lines of a file are read.

    Attributes:
        width: number of fields of most lines, the token included.
        columns: that hold the tags of names; column 0 is the token.
        chosen: the columns were named by the option ``tags``; others are not read.
        nested: every field after the token is a tag, and lines differ in their number of fields, as in Wojood.
        known: column → its values, for columns with few values that are not read as tags.
        labels: of the columns.
        note: what was read as tags.
        fixes: columns with tags that were left out on purpose.
    """

    width: int
    columns: tuple[int, ...]
    chosen: bool
    nested: bool
    known: dict[int, frozenset[str]]
    labels: frozenset[str]
    note: str
    fixes: tuple[Fix, ...] = ()


def survey(lines: Iterable[str], columns: int | None = None, tags: int | Collection[int] | None = None) -> ColumnLayout:
    """Find the columns of the names.

    The tags are in the last columns in which most fields are tags. Columns of chunks and parts of speech are left out.
    A document mark with ``-X-``, as CoNLL-2003 has it, says that the last of these columns alone holds names.

    Args:
        lines: all lines of a file.
        columns: the first column of tags, if it is known.
        tags: the columns of the tags, if they are known; negative numbers count from the last column.

    Raises:
        LayoutError: the only tags are those of chunks or parts of speech, or a column that was named does not exist.
    """
    widths: Counter[int] = Counter()
    # Number of fields → columns of the lines that have so many.
    table: dict[int, list[_ColumnCounts]] = defaultdict(list)
    marked = False
    for line in lines:
        fields = split_fields(line.removesuffix("\r"))
        fields = fields[1:] if fields and not fields[0] else fields  # an indented line
        if fields[:1] == [DOCUMENT_MARK]:
            marked |= "-X-" in fields and len(fields) > 2
        elif 1 < len(fields) <= MOST_COLUMNS and (not fields[0].startswith("#") or TAG.fullmatch(fields[-1])):
            widths[len(fields)] += 1
            row = table[len(fields)]
            row += (_ColumnCounts() for _ in range(len(fields) - len(row)))
            for column, value in zip(row[1:], fields[1:], strict=False):
                column.add(value)
    width = max(widths, key=lambda count: (widths[count], count), default=2)
    found, size = table[width] or [_ColumnCounts(), _ColumnCounts()], widths[width]
    every = range(1, width)
    names, fixes = _columns(found, size, width, columns, tags, marked)
    nested = list(names) == list(every) and tags is None and not fixes
    labels = {label for rows in table.values() for column in rows[1:] for label in column.labels} if nested else set()
    labels |= {label for n in names if n < len(found) for label in found[n].labels}
    closed = {n: frozenset(c.values) for n, c in enumerate(found) if n and n not in names}
    return ColumnLayout(
        width=width,
        columns=tuple(names),
        chosen=tags is not None,
        nested=nested,
        known={n: values for n, values in closed.items() if len(values) <= max(1, size // 4)},
        labels=frozenset(labels),
        note=_note(names, labels, all_columns=nested and max(widths, default=2) > 2),
        fixes=tuple(fixes),
    )


def _columns(
    found: Sequence[_ColumnCounts],
    size: int,
    width: int,
    first: int | None,
    chosen: int | Collection[int] | None,
    marked: bool,
) -> tuple[Sequence[int], list[Fix]]:
    """The columns of the names, and what was left out."""
    if chosen is not None:
        wanted = [chosen] if isinstance(chosen, int) else sorted(set(chosen))
        if missing := [n for n in wanted if n == 0 or not -width < n < width]:
            raise LayoutError(
                f"tags={missing[0]}: the lines have {width} columns, 0 is the token; use 1 to {width - 1}"
            )
        return sorted(n % width for n in wanted), []
    if first is not None:
        if not 0 < first < width:
            raise LayoutError(f"columns={first}: the lines have {width} columns, 0 is the token; use 1 to {width - 1}")
        return range(first, width), []
    tagged = [n for n, column in enumerate(found) if n and 2 * column.tags > size]
    if not tagged:
        return [max(1, width - 1)], []
    others = [n for n in tagged if found[n].is_no_names()]
    last = max((n for n in tagged if n not in others), default=0)
    names = [n for n in tagged if n not in others and all(between in tagged for between in range(n, last))]
    fixes = [
        ("column of no names", f"column {n} has tags ({_listed(found[n].labels)}) of chunks or parts of speech; it is "
        f"left out; to read it, give the option tags={n}")
        for n in others
    ]  # fmt: skip
    if not names:
        raise LayoutError(f"no column has tags of names: {fixes[-1][1]}")
    if marked and len(names) > 1:
        kept = names[-1:]
        fixes += (
            ("column of no names", f"column {n} has tags ({_listed(found[n].labels)}), but in files with the mark "
            f"{DOCUMENT_MARK} -X- the last column holds the names; to read others, list them in the option tags")
            for n in names[:-1] if found[n].labels
        )  # fmt: skip
        return kept, fixes
    return names, fixes


def _note(names: Sequence[int], labels: Collection[str], *, all_columns: bool) -> str:
    which = "every column after the token was" if all_columns else f"column {', '.join(map(str, names))} was"
    return f"{which} read as tags, with the labels {_listed(labels) or '(none)'}; column 0 is the token"


def _listed(labels: Collection[str]) -> str:
    some = [label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…" for label in sorted(labels)[:_LABELS]]
    return ", ".join(some) + (f" and {len(labels) - _LABELS} more" if len(labels) > _LABELS else "")
