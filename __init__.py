"""rasid (راصد): entities and events from Arabic news articles.

The package imports nothing heavy until a name is asked for, so ``import rasid`` and ``rasid --help`` stay fast.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Article", "Tagger", "__version__", "load_articles"]

_HOMES = {"Tagger": "inference", "Article": "data.articles", "load_articles": "data.reading"}


def __getattr__(name: str) -> Any:
    """Import a public name from its home at first use."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"rasid.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'rasid' has no attribute {name!r}")
