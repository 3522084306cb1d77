"""Reading options as a config or a command line gives them, checked against the reader that takes them."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from .lines import nearest


def checked_options(read: Callable[..., Any], given: Mapping[str, Any], format: str) -> dict[str, Any]:
    """Options with values of the types that a reader declares; one string stands for a list of one.

    Args:
        read: the reader; its keyword-only parameters are its options.
        given: name → value, as YAML or JSON has it.
        format: name of the format, for errors.

    Raises:
        ValueError: the reader has no such option, or the value is not of its type; the message says which.
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
            # A string is a collection of its letters, which nobody means.
            value, hint = [value] if isinstance(value, str) else value, Sequence[get_args(hint)]
        try:
            checked[name] = TypeAdapter(hint).validate_python(value, strict=True)
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"].lower()
            raise ValueError(f"reading option {name} of {format} is {value!r}: {said}") from error
    return checked
