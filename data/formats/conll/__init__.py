"""CoNLL files: one token with its tags per line, a blank line between sentences.

Columns are separated by tabs, or by spaces if a line has no tab. Tags may be IOB1, IOB2, BIOES, BILOU or BMES; one set
of rules reads them all (`common.tags`). Several tag columns hold nested entities, as in Wojood (Jarrar et al. 2022): a
span may change its column, and its column is not its depth. Each sentence becomes an article: its text is the tokens
joined by single spaces, and ``tokens`` has their offsets.
"""

from ..common.format import Sample, format_of_lines
from .cells import read_cell
from .lines import split_fields
from .reader import read
from .writer import HOLDS, write

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt")
_LEAST = 0.9  # share of lines that end with a tag


def _recognizes(sample: Sample) -> bool:
    if sample.suffix not in (".txt", ""):
        return sample.suffix in SUFFIXES
    rows = [split_fields(line) for line in sample.lines]
    tagged = sum(len(row) > 1 and bool(read_cell(row[-1]).tags) for row in rows)
    return bool(rows) and tagged >= _LEAST * len(rows)


FORMAT = format_of_lines(
    read, write, suffixes=SUFFIXES, holds=HOLDS, recognizes=_recognizes, writing=("columns", "scheme")
)
