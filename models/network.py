"""The network: one encoder, one head per task, one forward pass over a window."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from .. import renamed
from . import losses as loss_functions
from .decoding import forbidden_transitions
from .heads import ArticleHead, LinearChain, SentenceHead, WordPooling
from .losses import article_loss, entity_loss, masked_binary_loss, trigger_loss

LEAD = 16  # first sentences that the article head tells apart


class RasidConfig(PretrainedConfig):
    """What the network's shape depends on.

    Args:
        encoder: configuration of the encoder, as its ``to_dict`` gives it.
        tasks: tasks that have a head.
        entities: entity labels in order.
        events: event types in order.
        pooling: sub-words to words: ``first``, ``mean`` or ``attention``.
        crf: whether entities are tagged by a linear-chain CRF.
        dropout: before every head.
    """

    model_type = "rasid"

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        tasks: Sequence[str] = (),
        entities: Sequence[str] = (),
        events: Sequence[str] = (),
        pooling: str = "first",
        crf: bool = False,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        self.encoder = dict(encoder or {})
        self.tasks = [renamed.TASKS.get(task, task) for task in tasks]
        self.entities, self.events = list(entities), list(events)
        self.pooling, self.crf, self.dropout = pooling, crf, dropout
        super().__init__(**kwargs)


class RasidModel(PreTrainedModel):
    """Encoder and heads.

    ``forward`` takes one batch of windows and gives the logits of every head; ``losses`` compares them with targets.
    """

    config_class = RasidConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: RasidConfig, encoder: PreTrainedModel | None = None) -> None:
        """Args: shape, and the pretrained encoder; None makes one with random weights."""
        super().__init__(config)
        self.encoder = encoder if encoder is not None else make_encoder(config.encoder)
        hidden = self.encoder.config.hidden_size
        kinds, tags = len(config.events), 1 + 2 * len(config.entities)
        tasks = set(config.tasks)
        self.pooling = WordPooling(config.pooling, hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.entities = nn.Linear(hidden, tags) if "entities" in tasks else None
        self.chain = (
            LinearChain(tags, torch.from_numpy(forbidden_transitions(tags)))
            if config.crf and "entities" in tasks
            else None
        )
        self.triggers = nn.Linear(hidden, 2 * kinds) if "triggers" in tasks else None
        self.proclitics = nn.Linear(hidden, 4) if "proclitics" in tasks else None
        # Article labels are read off sentences, so they need the sentence head whether or not it is a task itself.
        self.sentence_types = SentenceHead(hidden, kinds) if tasks & {"sentence_types", "article_types"} else None
        self.article_types = ArticleHead(kinds, LEAD) if "article_types" in tasks else None
        self.post_init()
        # Marks are rare: heads that begin near the truth need not unlearn half of everything first (Lin et al. 2017).
        if self.triggers is not None:
            nn.init.constant_(self.triggers.bias, -5.0)
        if self.sentence_types is not None:
            nn.init.constant_(self.sentence_types.value.bias, -2.5)
        if self.article_types is not None:
            later = torch.arange(LEAD, dtype=torch.float32)[:, None]
            self.article_types.place.weight.data = -(0.75 * (later - 1)).clamp(0, 4)  # title and lead count in full

    def _init_weights(self, module: nn.Module) -> None:
        """Initialize the heads; the encoder has initialized itself."""
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.zeros_(module.weight)

    def head_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Named parameters outside of the encoder."""
        return [(name, value) for name, value in self.named_parameters() if not name.startswith("encoder.")]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        words: Tensor,
        sentences: Tensor,
        sentence_numbers: Tensor,
    ) -> dict[str, Tensor]:
        """Logits of every head.

        Args:
            input_ids: [B, T]
            attention_mask: 1 for real sub-words. [B, T]
            words: first and one-past-last sub-word of each word; padding is 0, 0. [B, W, 2]
            sentences: first and one-past-last word of each sentence; padding is 0, 0. [B, S, 2]
            sentence_numbers: number of each sentence in its article. [B, S]

        Returns:
            entities [B, W, 1 + 2L], triggers [B, W, 2K], proclitics [B, W, 4], sentence_types and event_types
            [B, S, K], as far as the network has these heads.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, T, H]
        states = self.dropout(self.pooling(states, words))  # [B, W, H]
        logits: dict[str, Tensor] = {}
        if self.entities is not None:
            logits["entities"] = self.entities(states)
        if self.triggers is not None:
            logits["triggers"] = self.triggers(states)
        if self.proclitics is not None:
            logits["proclitics"] = self.proclitics(states)
        if self.sentence_types is not None:
            types = self.sentence_types(states, sentences)
            if "sentence_types" in self.config.tasks:
                logits["sentence_types"] = types
            if self.article_types is not None:
                # Where sentences are annotated themselves, an article whose lead lacks a type must not unteach the
                # sentence further down that has it.
                annotated = "sentence_types" in self.config.tasks
                logits["article_types"] = self.article_types(types.detach() if annotated else types, sentence_numbers)
        return logits

    def losses(
        self,
        logits: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        *,
        tag_weights: Tensor | None = None,
        positive_weight: Mapping[str, float] | None = None,
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Loss of every head as (sum, count); see `data.collate` for the targets' shapes."""
        positive = positive_weight or {}
        result: dict[str, tuple[Tensor, Tensor]] = {}
        if "entities" in logits:
            result["entities"] = entity_loss(
                logits["entities"],
                targets["entities"],
                targets["entities_unannotated"],
                weights=tag_weights,
                chain=self.chain,
            )
        if "triggers" in logits:
            result["triggers"] = trigger_loss(
                logits["triggers"],
                targets["triggers"],
                targets["owned"],
                targets["triggers_annotated"],
                positive.get("triggers", 1.0),
            )
        if "proclitics" in logits:
            gold = targets["proclitics"]
            total = nn.functional.cross_entropy(
                logits["proclitics"].float().reshape(-1, 4), gold.reshape(-1), ignore_index=-100, reduction="sum"
            )
            result["proclitics"] = (total, (gold != -100).sum())
        if "sentence_types" in logits:
            result["sentence_types"] = masked_binary_loss(
                logits["sentence_types"], targets["sentence_types"], positive.get("sentence_types", 1.0)
            )
        if "article_types" in logits:
            result["article_types"] = article_loss(
                logits["article_types"],
                targets["sentence_valid"],
                targets["article"],
                targets["article_types"],
                positive.get("article_types", 1.0),
            )
        return result

    @staticmethod
    def counts(targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What each task's loss is a sum over, by which it is to be divided; as the counts of `losses`."""
        return loss_functions.counts(targets)


def make_encoder(config: Mapping[str, Any]) -> PreTrainedModel:
    """An encoder with random weights from a configuration that names its ``model_type``."""
    rest = {key: value for key, value in config.items() if key != "model_type"}
    made = AutoConfig.for_model(config["model_type"], **rest)
    return AutoModel.from_config(made, **without_pooler(made))


def without_pooler(config: PretrainedConfig) -> dict[str, bool]:
    """Keyword that leaves out the pooling layer, for encoders that have one: no head reads it."""
    import inspect

    from transformers import MODEL_MAPPING

    parameters = inspect.signature(MODEL_MAPPING[type(config)].__init__).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}


AutoConfig.register("rasid", RasidConfig)
AutoModel.register(RasidConfig, RasidModel)
