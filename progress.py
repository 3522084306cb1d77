"""Progress reports. Library code calls `track`; the application chooses with `reported` how progress is shown.

The command line shows a bar on a terminal (`commands/_terminal.py`). Messages go through `logging`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
Bar = Callable[[Iterable[Any], str, float | None], Iterable[Any]]
"""(items, label, total) → the same items; shows how many of them were consumed."""

_bar: ContextVar[Bar | None] = ContextVar("bar", default=None)


def track(items: Iterable[T], label: str, total: float | None = None) -> Iterator[T]:
    """Yield the items, and report each to the current bar, if there is one.

    Args:
        items: may be a stream.
        label: for display, as in "tagging".
        total: number of items; None takes ``len(items)`` if it is defined.

    >>> list(track([1, 2], "counting"))
    [1, 2]
    """
    bar = _bar.get()
    if bar is None:
        yield from items
        return
    if total is None and hasattr(items, "__len__"):
        total = len(items)  # pyright: ignore[reportArgumentType]
    yield from bar(items, label, total)


@contextmanager
def reported(bar: Bar) -> Iterator[None]:
    """Use a bar for every `track` inside the block."""
    token = _bar.set(bar)
    try:
        yield
    finally:
        _bar.reset(token)
