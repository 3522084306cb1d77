"""Where encoders are loaded from: the package, a folder, or the Hugging Face hub."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import RasidError, first_line

logger = logging.getLogger(__name__)

BUILT_IN = {"rasid-mini": Path(__file__).parent / "rasid-mini"}
"""Folders of the built-in encoders, by name."""

NO_CODE: dict[str, Any] = {"trust_remote_code": False}
"""For every ``from_pretrained`` of transformers: without it, transformers asks on the terminal whether to run the code
that a folder brings."""
SAFE_WEIGHTS = NO_CODE | {"weights_only": True}
"""For every ``from_pretrained`` that reads weights: a pickle is read by torch's safe loader, which runs no code."""

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


def advise_safetensors(name: str) -> None:
    """Say that safetensors are preferred, if the folder of an encoder has weights in a pickle only."""
    folder = Path(encoder_path(name))
    if folder.is_dir() and not any(folder.glob("*.safetensors")) and any(folder.glob("pytorch_model*.bin")):
        logger.info("encoder %r has its weights as pytorch_model.bin; prefer safetensors, which cannot hold code", name)


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Report any error of transformers in the block as an `EncoderError` in one line: a broken file raises anything."""
    try:
        yield
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise EncoderError(
                f"encoder {name!r} brings its own code (auto_map in its config.json), which rasid never runs; use an "
                "encoder whose architecture is part of transformers"
            ) from error
        where = "folder" if Path(name).exists() else "no such folder, and it could not be loaded from the hub"
        raise EncoderError(f"encoder {name!r} cannot be loaded ({where}): {first_line(error)}") from error
