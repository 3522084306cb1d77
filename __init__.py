"""rasid (راصد): entities and events from Arabic news articles.

Public names are imported on first use, so that ``import rasid`` and ``rasid --help`` are fast.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Article", "Tagger", "__version__", "load_articles"]

_MODULES = {
    "Tagger": "inference",
    "Article": "data.articles",
    "load_articles": "data.reading",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name in _MODULES:
        import importlib

        return getattr(importlib.import_module(f"rasid.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'rasid' has no attribute {name!r}")
