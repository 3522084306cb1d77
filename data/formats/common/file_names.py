"""File names of articles, and names that must differ from others."""

import unicodedata
from collections.abc import Callable


def folded(name: str) -> str:
    """A name as file systems compare it that ignore case and Unicode composition."""
    return unicodedata.normalize("NFKC", name).casefold()


def free_name(wanted: str, taken: dict[str, int], key: Callable[[str], str] = folded) -> str:
    """The wanted name, or the name with the next number where it is taken.

    Args:
        wanted: name to use.
        taken: key of each name in use → the last number given to it; the new name is added.
        key: two names are the same if their keys are.

    >>> taken = {"typesystem": 1}
    >>> free_name("TypeSystem", taken), free_name("a", taken), free_name("A", taken)
    ('TypeSystem-2', 'a', 'A-2')
    """
    name, first = wanted, key(wanted)
    while key(name) in taken:
        taken[first] += 1
        name = f"{wanted}-{taken[first]}"
    taken[key(name)] = 1
    return name
