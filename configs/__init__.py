"""Configs: the schema of every key, the built-in configs and label schemes, and the loader."""

from pathlib import Path

BUILT_IN = Path(__file__).parent
"""Folder of the built-in configs; the label schemes are in its subfolder ``schemes``."""
