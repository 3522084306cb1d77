"""The base class of all errors of rasid, and helpers for their messages."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

LONGEST = 60  # characters
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e]")


class RasidError(Exception):
    """An error that the user can fix, for example in a config or a file. The message says how.

    The command line prints the message without a traceback. Any other exception is a bug in rasid.
    """


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value for an error message: text in quotes, constants as in YAML, cut to ``longest`` characters.

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


def printable(text: str) -> str:
    r"""A text in which control characters and direction overrides are escapes; tabs and line ends stay.

    A terminal would run the control characters of a file, as commands that clear the screen or change what was shown.

    >>> printable("غزة\x1b[2J\u202e")
    'غزة\\x1b[2J\\u202e'
    """
    return _CONTROL.sub(lambda sign: ascii(sign[0])[1:-1], text)


def code_points(signs: Iterable[str]) -> str:
    """Number and name of characters, for messages about characters that look like others or are invisible.

    >>> code_points("\u05be")
    'U+05BE HEBREW PUNCTUATION MAQAF'
    """
    return ", ".join(f"U+{ord(sign):04X} {unicodedata.name(sign, 'without a name')}" for sign in dict.fromkeys(signs))


def first_line(error: Exception) -> str:
    """The first line of an error's message that is not blank; without one, the name of its class.

    >>> first_line(OSError("disk full")), first_line(KeyError())
    ('disk full', 'KeyError')
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` with the most similar known word, or an empty string if none is similar.

    >>> did_you_mean("Batch-Siz", ["batch_size", "epochs"])
    "did you mean 'batch_size'?"
    """
    folded = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else ""
