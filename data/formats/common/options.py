"""Checking reading options of a config or the command line against a reader's signature."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from .lines import nearest


def checked_options(read: Callable[..., Any], given: Mapping[str, Any], format: str) -> dict[str, Any]:
    """Options with values of the types that the reader declares; a string is accepted for a list of one.

    Args:
        read: the reader; its keyword-only parameters are the options.
        given: name → value as parsed from YAML.
        format: name of the format, for error messages.

    Raises:
        ValueError: the reader has no such option, or the value is of the wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    parameters = inspect.signature(read).parameters.values()
    known = sorted(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)
    hints = get_type_hints(read)
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            hint = nearest(name, known) if known else "it has none"
            raise ValueError(f"{format} has no reading option {name!r}; {hint}")
        hint: Any = hints[name]
        if get_origin(hint) is Collection:
            # A string would pass as a collection of its letters.
            value, hint = [value] if isinstance(value, str) else value, Sequence[get_args(hint)]
        try:
            checked[name] = TypeAdapter(hint).validate_python(value, strict=True)
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"].lower()
            raise ValueError(f"reading option {name} of {format} is {value!r}: {said}") from error
    return checked
