"""How a command ends that is stopped, or that the disk stops."""

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

from ..errors import first_line
from ..files import target_of
from ._terminal import show

_KEPT = {
    "train": "checkpoints are kept; repeat the command to resume",
    "pretrain": "the last checkpoint is kept; repeat the command to resume",
}
_NOTHING = "files that were not finished were not written"


class _Terminated(BaseException):
    """The process was asked to end by SIGTERM."""


@contextmanager
def stoppable(command: str) -> Iterator[None]:
    """End the block at Ctrl-C or SIGTERM with one line that says what is kept.

    Args:
        command: name of the command.

    Raises:
        typer.Exit: with code 130 after Ctrl-C and 143 after SIGTERM.
    """
    main = threading.current_thread() is threading.main_thread()  # only there can a signal have a handler
    before = signal.signal(signal.SIGTERM, _terminate) if main else None
    try:
        yield
    except (KeyboardInterrupt, _Terminated) as error:
        show(f"stopped: {_KEPT.get(command, _NOTHING)}", err=True)
        raise typer.Exit(143 if isinstance(error, _Terminated) else 130) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated


def disk_error(error: BaseException) -> str | None:
    """The message for an error of the file system, with the path; None for any other error.

    Libraries that write weights wrap the error of the system in one of their own.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            path = target_of(seen.filename) if seen.filename is not None else ""
            reason = seen.strerror or first_line(seen)
            advice = "; free some space and repeat the command" if seen.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            return f"{path}: {reason}{advice}" if path else f"{reason}{advice}"
        seen = seen.__cause__
    if "No space left on device" in str(error) or "PytorchStreamWriter failed writing" in str(error):
        return "No space left on device; free some space and repeat the command"
    return None
