"""The base of all errors of rasid, and how their messages name a value."""

import difflib
from collections.abc import Iterable
from typing import Any

LONGEST = 60  # characters of a value in a message


class RasidError(Exception):
    """Something that the user can mend: a config, a file, a bundle. The message says what and how.

    The command line catches it in one place and prints the message. Any other exception is a fault of rasid.
    """


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value as a message shows it: quoted text, YAML's words for constants, cut where it is long.

    >>> shown("أ" * 100, 5), shown(True), shown([1, 2]), shown({"a": 1})
    ("'أأأ…", 'true', 'a list', 'a mapping')
    """
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case True | False | None:
            return {True: "true", False: "false", None: "null"}[value]
        case str():
            text = repr(value[: longest + 1])
        case _:
            text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` with the nearest known word, or an empty string where none is near.

    >>> did_you_mean("Batch-Siz", ["batch_size", "epochs"])
    "did you mean 'batch_size'?"
    """
    folded = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else ""
