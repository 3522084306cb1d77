"""The network: an encoder and a head for each task."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from .heads import HeadInputs, LinearChain, Standardization, WordPooling, members
from .pairs import RoleWeights
from .shape import RasidConfig
from .tasks import LossOptions, tasks_of


class RasidModel(PreTrainedModel):
    """Encoder and heads.

    Args:
        config: shape of the network.
        encoder: the pretrained encoder; None makes one with random weights.
    """

    config_class = RasidConfig
    base_model_prefix = "encoder"
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: RasidConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        self.encoder = encoder if encoder is not None else make_encoder(config.encoder)
        hidden = self.encoder.config.hidden_size
        self.standardization = Standardization(hidden) if config.standardized else None
        self.pooling = WordPooling(config.pooling, hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.chain: LinearChain | None = None
        table = tasks_of(config.spans)
        sources = {task.source for task in table if task.name in config.tasks}
        self.tasks = tuple(task for task in table if task.name in config.tasks or task.name in sources)
        for task in self.tasks:
            for name, module in task.make_modules(config, hidden).items():
                setattr(self, name, module)
        self.post_init()
        for task in self.tasks:
            task.initialize(getattr(self, task.name))

    def _init_weights(self, module: nn.Module) -> None:
        """Initialize the heads; the encoder has initialized itself."""
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.zeros_(module.weight)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, words: Tensor, sentences: Tensor, sentence_numbers: Tensor
    ) -> dict[str, Tensor]:
        """Logits of every head.

        Args:
            input_ids: [B, T]
            attention_mask: 1 for real sub-words. [B, T]
            words: first and one-past-last sub-word of each word; padding is 0, 0. [B, W, 2]
            sentences: first and one-past-last word of each sentence; padding is 0, 0. [B, S, 2]
            sentence_numbers: number of each sentence in its article. [B, S]

        Returns:
            task → [B, W, …] or [B, S, …].
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, T, H]
        if self.standardization is not None:
            states = self.standardization(states)
        states = self.dropout(self.pooling(states, words))  # [B, W, H]
        tasks = frozenset(self.config.tasks)
        inputs = HeadInputs(
            words=states,
            valid=words[:, :, 1] > words[:, :, 0],
            sentences=sentences,
            sentence_numbers=sentence_numbers,
            tasks=tasks,
        )
        logits: dict[str, Tensor] = {}
        for task in self.tasks:
            logits[task.name] = task.forward(getattr(self, task.name), inputs, logits)
        return {name: values for name, values in logits.items() if name in tasks}

    @torch.no_grad()
    def standardize(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Fit the standardization to the states of words in some batches; nothing for a network without it.

        Args:
            batches: arguments of `forward`.
        """
        if self.standardization is None:
            return
        training = self.training
        self.eval()
        found = []
        for batch in batches:
            ids, mask, words = (batch[name].to(self.device) for name in ("input_ids", "attention_mask", "words"))
            states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [B, T, H]
            found.append(states[members(words, states.shape[1]).any(1)])
        self.train(training)
        self.standardization.fit(torch.cat(found))

    def losses(
        self,
        logits: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        *,
        tag_weights: Tensor | None = None,
        positive_weight: Mapping[str, float] | None = None,
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Loss of every task as (sum, count).

        Args:
            logits: from `forward`.
            targets: from `Collator`.
            tag_weights: weight of each entity tag, or None. [K]
            positive_weight: task → weight of positive labels, 1 by default.
        """
        weights, result = positive_weight or {}, {}
        for task in self.tasks:
            if task.name in logits:
                weight = weights.get(task.name, 1.0)
                options = LossOptions(
                    positive_weight=weight, tag_weights=tag_weights, chain=self.chain, head=getattr(self, task.name)
                )
                result[task.name] = task.loss(logits[task.name], targets, options), task.count(targets)
        return result

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Number of items that the loss of each task is a sum over: words, labels of sentences, labels of articles."""
        return {task.name: task.count(targets) for task in self.tasks if task.name in self.config.tasks}


def role_weights(network: RasidModel) -> RoleWeights | None:
    """The weights that score the pairs of triggers and entities, for NumPy; None without a head for arguments."""
    head = getattr(network, "arguments", None)
    if head is None:
        return None
    weights = head.weights()
    arrays = (
        values.detach().float().cpu().numpy()
        for values in (weights.features, weights.roles, weights.product, weights.bias)
    )
    return RoleWeights(*arrays)


def make_encoder(config: Mapping[str, Any]) -> PreTrainedModel:
    """An encoder with random weights.

    Args:
        config: of transformers, with its ``model_type``.
    """
    rest = {key: value for key, value in config.items() if key != "model_type"}
    made = AutoConfig.for_model(config["model_type"], **rest)
    return AutoModel.from_config(made, **without_pooler(made))


def without_pooler(config: PretrainedConfig) -> dict[str, bool]:
    """Keyword arguments that make an encoder without a pooling layer, which no head reads."""
    import inspect

    from transformers import MODEL_MAPPING

    parameters = inspect.signature(MODEL_MAPPING[type(config)].__init__).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}


AutoConfig.register("rasid", RasidConfig)
AutoModel.register(RasidConfig, RasidModel)
