"""The order in which files are read."""

import re
from pathlib import PurePath

_DIGITS = 4000  # Python rejects longer numbers; names in an archive may hold them


def in_order(path: PurePath) -> list[tuple[list[list[str | int]], str]]:
    """Sort key of a path: part by part, with numbers by value.

    >>> sorted([PurePath("a10.txt"), PurePath("a9.txt")], key=in_order)[0].name
    'a9.txt'
    """

    def pieces(name: str) -> list[str | int]:
        return [int(piece[:_DIGITS]) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", name)]

    return [([pieces(name) for name in part.split(".")], part) for part in path.parts]
