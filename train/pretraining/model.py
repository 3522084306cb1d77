"""A masked language model and its tokenizer: built from a config, loaded, run, exported."""

import copy
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.modeling_utils import PreTrainedModel

from ...configs.pretrain_schema import Optimization, PretrainConfig
from ...data.text.normalizer import train_wordpiece, with_arabert_normalization
from ...data.text.special_tokens import BERT_SPECIALS, ROBERTA_SPECIALS
from ...models.encoders import check_reachable, encoder_path, modern_bert, output_layers
from ...models.hub import NO_CODE, SAFE_WEIGHTS, advise_safetensors, loading
from .checkpoints import no_progress_bars
from .errors import PretrainingError
from .loss import masked_loss
from .masking import MaskedBatch, SpecialIds
from .shards import separator_id


@dataclass(kw_only=True)
class MaskedLanguageModel:
    """A model with its device, precision and kernels.

    Attributes:
        model: any transformers masked language model.
        body: its encoder, compiled if the config asks for it.
        dtype: of matrix products.
        fused: see `masked_loss`.
        inputs: further arguments of the encoder.
    """

    model: PreTrainedModel
    body: Any
    dtype: torch.dtype
    fused: bool
    inputs: dict[str, Any] = field(default_factory=dict)

    def predict(self, batch: MaskedBatch, *, compiled: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Mean loss in nats, transformed hidden states [M, D] and labels [M] of the masked positions."""
        device = self.model.device
        ids, positions, labels = (t.to(device) for t in (batch.ids, batch.positions, batch.labels))
        body = self.body if compiled else self.model.base_model
        layers = output_layers(self.model)
        with self.autocast():
            if layers is None:  # unknown architecture: correct, but computes logits at every position
                logits = self.model(input_ids=ids).logits.flatten(0, 1)[positions]  # [M, V]
                return nn.functional.cross_entropy(logits.float(), labels), logits, labels
            transform, decoder = layers
            hidden = body(input_ids=ids, **self.inputs).last_hidden_state  # [B, T, D]
            hidden = transform(hidden.flatten(0, 1)[positions])  # [M, D]
            return masked_loss(hidden, decoder, labels, fused=self.fused, dtype=self.dtype), hidden, labels

    def logits(self, hidden: Tensor) -> Tensor:
        """[M, V] from the hidden states of `predict`."""
        layers = output_layers(self.model)
        with self.autocast():
            return layers[1](hidden) if layers else hidden

    def autocast(self) -> Any:
        """Context manager for matrix products in ``dtype``."""
        return nullcontext() if self.dtype == torch.float32 else torch.autocast(self.model.device.type, self.dtype)


def build_tokenizer(config: PretrainConfig, texts: Callable[[], Iterable[str]]) -> PreTrainedTokenizerFast:
    """The tokenizer of a config: the one at ``tokenizer.path``, the encoder's, or a new one.

    Args:
        config: its sections ``tokenizer`` and ``encoder`` are read.
        texts: returns a new iterator over the articles; called if a vocabulary is trained.

    Raises:
        PretrainingError: the tokenizer cannot be loaded or normalized, or has no mask token.
    """
    section = config.tokenizer
    path = section.path or (encoder_path(config.encoder) if config.encoder else None)
    names = ["input_ids", "attention_mask"]  # inputs of ModernBERT
    if path is None:
        step = 1
        if section.training_articles:
            step = max(1, sum(1 for _ in texts()) // section.training_articles)
        tokenizer = train_wordpiece(islice(texts(), 0, None, step), section.vocabulary, normalized=section.normalize)
    else:
        tokenizer, names = _load_tokenizer(path, names)
        if section.normalize and not isinstance(tokenizer.model, WordPiece):
            raise PretrainingError(
                f"the tokenizer {path} is not a WordPiece model, so AraBERT's normalization cannot be added; "
                "set tokenizer.normalize=false"
            )
        tokenizer = with_arabert_normalization(tokenizer) if section.normalize else tokenizer
    roles = ("pad", "unk", "cls", "sep", "mask")
    specials = next((s for s in (BERT_SPECIALS, ROBERTA_SPECIALS) if tokenizer.token_to_id(s[-1]) is not None), None)
    if specials is None:
        raise PretrainingError(
            f"the tokenizer {path} has neither [MASK] nor <mask>, which masked language modeling needs"
        )
    tokens: dict[str, Any] = {f"{role}_token": token for role, token in zip(roles, specials, strict=True)}
    # A BertTokenizer saves the normalizer but ignores it when it is loaded.
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, **tokens)


def _load_tokenizer(path: str, names: list[str]) -> tuple[Tokenizer, list[str]]:
    """The tokenizer at a path, and the inputs of its model; a tokenizer.json keeps ``names``."""
    try:
        if path.endswith(".json"):
            return PreTrainedTokenizerFast(tokenizer_file=path).backend_tokenizer, names
        check_reachable(path)
        with loading(path):
            loaded = AutoTokenizer.from_pretrained(path, **NO_CODE)
        return loaded.backend_tokenizer, loaded.model_input_names
    except (OSError, ValueError, AttributeError) as error:
        raise PretrainingError(f"the tokenizer {path} cannot be loaded: {error}") from error


def special_ids(tokenizer: PreTrainedTokenizerFast) -> SpecialIds:
    """The special ids that masking needs."""
    return SpecialIds(
        start=_id(tokenizer, str(tokenizer.cls_token)),
        end=separator_id(tokenizer.backend_tokenizer),
        mask=_id(tokenizer, str(tokenizer.mask_token)),
        vocabulary=len(tokenizer),
    )


def build_model(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, checkpoint: Path | None = None
) -> PreTrainedModel:
    """The model in float32: of the checkpoint, else the config's encoder, else a new one of the config's shape.

    Raises:
        PretrainingError: the model cannot be loaded, or does not fit tokenizer or sequence length.
    """
    if source := checkpoint or (encoder_path(config.encoder) if config.encoder else None):
        try:
            check_reachable(str(source))
            advise_safetensors(str(source))
            with no_progress_bars(), loading(str(source)):
                model = AutoModelForMaskedLM.from_pretrained(source, dtype=torch.float32, **SAFE_WEIGHTS)
        except (OSError, ValueError) as error:
            raise PretrainingError(f"the encoder {source} cannot be loaded: {error}") from error
    else:
        pad, start, end = (
            _id(tokenizer, str(token)) for token in (tokenizer.pad_token, tokenizer.cls_token, tokenizer.sep_token)
        )
        shape = config.model.model_dump()
        fixed = {"vocabulary": len(tokenizer), "positions": 8192, "dropout": 0.0, "special_ids": (pad, start, end)}
        model = AutoModelForMaskedLM.from_config(modern_bert(**shape, **fixed))
    vocabulary, sequence = model.config.vocab_size, config.optimization.sequence
    longest = getattr(model.config, "max_position_embeddings", None)
    if vocabulary < len(tokenizer):
        raise PretrainingError(f"the tokenizer has {len(tokenizer)} entries, the encoder {vocabulary} embeddings")
    if longest is not None and sequence > longest:
        raise PretrainingError(f"optimization.sequence is {sequence}, but the encoder reads {longest} at most")
    return model


def place_model(model: PreTrainedModel, optimization: Optimization) -> MaskedLanguageModel:
    """Move a model to the GPU, or to the CPU if there is none, and choose precision and kernels for it."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)  # pyright: ignore[reportArgumentType]
    if device.type == "cpu":
        bf16 = "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()
        if optimization.sequence <= 256:  # the flash kernel is slow on short sequences, mostly its backward pass
            model.set_attn_implementation("eager")
    else:
        bf16 = torch.cuda.is_bf16_supported()
    precision = optimization.precision
    dtype = torch.bfloat16 if precision == "bf16" or (precision == "auto" and bf16) else torch.float32
    inputs: dict[str, Any] = {}
    if model.config.model_type == "modernbert" and model.config.sliding_window >= optimization.sequence - 1:
        # Sequences have no padding and fit the window, so every sub-word attends to all others.
        inputs["attention_mask"] = {"sliding_attention": None, "full_attention": None}
    body = torch.compile(model.base_model) if optimization.compile else model.base_model
    return MaskedLanguageModel(model=model, body=body, dtype=dtype, fused=device.type == "cpu", inputs=inputs)


def export_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path, dtype: str) -> Path:
    """Write model and tokenizer as a transformers checkpoint, with weights in ``dtype`` (`float32`, `float16`)."""
    exported: Any = copy.deepcopy(model)
    with no_progress_bars():
        exported.to(dtype=getattr(torch, dtype)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    number = tokenizer.backend_tokenizer.token_to_id(token)
    if number is None:
        raise PretrainingError(f"the tokenizer has no {token}")
    return number


def _cpu_flags() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.read_text() if cpuinfo.is_file() else ""
