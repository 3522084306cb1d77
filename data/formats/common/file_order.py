"""The order in which files are read."""

import re
from pathlib import PurePath

_DIGITS = 4000  # of a number that Python reads; names in an archive may be longer


def in_order(path: PurePath) -> list[tuple[list[list[str | int]], str]]:
    """A key that sorts paths by their parts, numbers in them by value: a corpus written as a folder keeps its order.

    >>> sorted([PurePath("a10.txt"), PurePath("a9.txt")], key=in_order)[0].name
    'a9.txt'
    """

    def pieces(name: str) -> list[str | int]:
        return [int(piece[:_DIGITS]) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", name)]

    return [([pieces(name) for name in part.split(".")], part) for part in path.parts]
