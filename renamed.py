"""Names of version 0.1 → names of today. Files, configs and bundles with the old names can still be read."""

from typing import Any

TASKS = {"boundaries": "proclitics", "event_types": "article_types"}
"""Tasks, which are also the names of a network's heads."""

FORMATS = {"markup": "inline"}
"""Annotation formats."""

CONFIG_KEYS = {
    "supervises": "annotated",
    "lexical": "ngrams",
    "normaliser": "normalizer",
    "normalise": "normalize",
    "optimisation": "optimization",
    "clip": "max_grad_norm",
}
"""Keys of a config, in any section."""

INPUTS = {"units": "words"}
"""Inputs of an exported network."""

ARTICLE_KEYS = {"judged": "annotated"}
"""Keys of an article in JSON Lines, and in the front matter of inline files."""


def with_new_keys(content: Any) -> Any:
    """Rename `ARTICLE_KEYS` in a JSON object. Any other value is returned unchanged, and so is an object with both
    names of a key.
    """
    if not isinstance(content, dict) or not any(
        old in content and new not in content for old, new in ARTICLE_KEYS.items()
    ):
        return content
    return {ARTICLE_KEYS.get(key, key): value for key, value in content.items()}
