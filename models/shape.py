"""The configuration of the network."""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import PretrainedConfig

from .. import renamed


class RasidConfig(PretrainedConfig):
    """Shape of the network.

    Args:
        encoder: configuration of the encoder, from its ``to_dict``.
        tasks: tasks to decide.
        entities: entity labels in order.
        events: event types in order.
        roles: roles of arguments in order.
        pooling: sub-words to words: ``first``, ``mean`` or ``attention``.
        crf: whether entities are tagged by a linear-chain CRF.
        spans: ``width`` and ``nests`` of the span head for entities; None for BIO tags.
        dropout: before every head.
        standardized: whether the states of the encoder are standardized; networks of version 0.1 are without.
    """

    model_type = "rasid"

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        tasks: Sequence[str] = (),
        entities: Sequence[str] = (),
        events: Sequence[str] = (),
        roles: Sequence[str] = (),
        pooling: str = "first",
        crf: bool = False,
        spans: Mapping[str, Any] | None = None,
        dropout: float = 0.1,
        standardized: bool = False,
        **kwargs: Any,
    ) -> None:
        self.encoder = dict(encoder or {})
        self.tasks = [renamed.TASKS.get(task, task) for task in tasks]
        self.entities, self.events, self.roles = list(entities), list(events), list(roles)
        self.pooling, self.crf, self.dropout = pooling, crf, dropout
        self.standardized = standardized
        self.spans = dict(spans) if spans else None
        super().__init__(**kwargs)
