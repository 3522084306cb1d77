"""Options that several commands have, and the values of options."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from ._terminal import fail


def old_option(*names: str, new: str) -> Any:
    """A hidden option with the old names of another one; using it prints the new name."""

    def warned(value: str | None) -> str | None:
        if value is not None:  # options are parsed before `terminal` shows what is logged
            typer.echo(f"{names[0]} is now called {new}", err=True)
        return value

    return typer.Option(*names, hidden=True, callback=warned)


ReadAs = Annotated[str | None, typer.Option("--from", help="Format of the data (default: detected).")]
OldReadAs = Annotated[str | None, old_option("--format", new="--from")]
ReadingOptions = Annotated[
    list[str] | None, typer.Option("--option", help="Reading option key=value, as in triggers=[Attack].")
]
Labels = Annotated[list[str] | None, typer.Option("--label", help="FILE=SCHEME renames a label, FILE= drops it.")]
Backend = Annotated[str, typer.Option(help="torch or onnx")]
Verify = Annotated[
    bool, typer.Option("--verify/--no-verify", help="Refuse a bundle that was changed after its export.")
]
ConfigName = Annotated[str, typer.Argument(metavar="CONFIG", help="A YAML file, or the name of a built-in config.")]


def label_mapping(entries: Sequence[str] | None) -> dict[str, str | None]:
    """The values of ``--label``: ``FILE=SCHEME`` renames a label, ``FILE=`` drops it.

    Raises:
        CommandError: an entry has another form.
    """
    pairs = _pairs("--label", entries, "FILE=SCHEME, or FILE= to drop the label")
    return {old: new or None for old, new in pairs}


def reading_options(entries: Sequence[str] | None) -> dict[str, Any]:
    """The values of ``--option``: ``key=value``, the value written as in a config.

    Raises:
        CommandError: an entry has another form.
        ConfigError: a value is not YAML.
    """
    from ..configs.tree import ConfigError, parse

    options: dict[str, Any] = {}
    for key, value in _pairs("--option", entries, "key=value, as in triggers=[Attack]"):
        problems: list[str] = []
        options[key] = parse(value, f"--option {key}", problems, located=False).plain()
        if problems:
            raise ConfigError(problems)
    return options


def _pairs(option: str, entries: Sequence[str] | None, form: str) -> Iterator[tuple[str, str]]:
    """The two sides of ``key=value``, which may be empty on the right."""
    for entry in entries or ():
        key, sign, value = entry.partition("=")
        if not key or not sign:
            fail(f"{option} {entry!r}: write {form}")
        yield key, value


def stdin_or_path(name: str, format: str | None, option: str) -> str:
    """The path to read: ``/dev/stdin`` for ``-``.

    Raises:
        CommandError: the name is ``-`` and no format is given; stdin can be read only once, so its format cannot be
            detected.
    """
    if name == "-" and format is None:
        fail(f"- is stdin, whose format cannot be detected: name it with {option}")
    return "/dev/stdin" if name == "-" else name
