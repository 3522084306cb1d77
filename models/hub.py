"""Where encoders are loaded from: the package, a folder, or the Hugging Face hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import RasidError, first_line

BUILT_IN = {"rasid-mini": Path(__file__).parent / "rasid-mini"}
"""Folders of the built-in encoders, by name."""

_HUB_TIMEOUT = 5  # seconds to connect to the hub
# Errors of httpx by name: the module that defines them depends on the version of huggingface_hub.
_UNREACHABLE = ("ConnectError", "ConnectTimeout", "ProxyError")


class EncoderError(RasidError, ValueError):
    """An encoder cannot be used. The message says why and what to use instead."""


def encoder_path(name: str) -> str:
    """Folder of a built-in encoder; any other name is returned unchanged."""
    return str(BUILT_IN.get(name, name))


def is_path(name: str) -> bool:
    """Whether a name can only be a folder: a hub name has at most one slash, and not at the start."""
    return name.startswith((".", "/", "~", "\\")) or name.rstrip("/").count("/") > 1 or Path(name).is_absolute()


def check_reachable(name: str) -> None:
    """Fail fast if a model must come from the hub and the hub cannot be reached.

    Without this check huggingface_hub retries for half a minute, for a mistyped name too. One request without a retry
    is made; errors other than a failed connection are left to the actual download.

    Raises:
        EncoderError: the model is neither a folder nor in the cache, and the hub cannot be reached.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.constants import is_offline_mode

    path = encoder_path(name)
    if Path(path).is_dir() or is_offline_mode():
        return
    try:
        if isinstance(try_to_load_from_cache(path, "config.json"), str):
            return
        get_hf_file_metadata(hf_hub_url(path, "config.json"), timeout=_HUB_TIMEOUT)
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if not kinds.isdisjoint(_UNREACHABLE):
            raise EncoderError(
                f"encoder {name!r} cannot be loaded: there is no such folder, and the hub cannot be reached "
                f"({str(error) or type(error).__name__}); check the name and the network"
            ) from error


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Report any error of transformers in the block as an `EncoderError` in one line: a broken file raises anything."""
    try:
        yield
    except Exception as error:
        where = "folder" if Path(name).exists() else "no such folder, and it could not be loaded from the hub"
        raise EncoderError(f"encoder {name!r} cannot be loaded ({where}): {first_line(error)}") from error
