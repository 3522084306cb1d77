"""The error of pretraining."""

from ...errors import RasidError


class PretrainingError(RasidError, RuntimeError):
    """Config, text, tokenizer or checkpoint cannot be used; the message says what to do."""
