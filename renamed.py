"""Names of version 0.1 and what they are called now. Files, configs and bundles with the old names are still read."""

from typing import Any

TASKS = {"boundaries": "proclitics", "event_types": "article_types"}
"""Tasks, and with them the heads of a network."""

FORMATS = {"markup": "inline"}
"""Annotation formats."""

CONFIG_KEYS = {
    "supervises": "annotated",
    "lexical": "ngrams",
    "normaliser": "normalizer",
    "normalise": "normalize",
    "optimisation": "optimization",
}
"""Keys of a config, wherever they occur."""

INPUTS = {"units": "words"}
"""Inputs of an exported network."""

ARTICLE_KEYS = {"judged": "annotated"}
"""Keys of an article in JSON Lines and in the front matter of inline files."""


def with_new_keys(content: Any) -> Any:
    """A JSON object with `ARTICLE_KEYS` renamed; anything else, and an object that has both names, stays."""
    if not isinstance(content, dict) or not any(
        old in content and new not in content for old, new in ARTICLE_KEYS.items()
    ):
        return content
    return {ARTICLE_KEYS.get(key, key): value for key, value in content.items()}
