"""A masked language model with its tokenizer: made from a config, loaded from a checkpoint, computed, exported."""

import copy
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tokenizers.models import WordPiece
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, AutoTokenizer, ModernBertConfig, PreTrainedTokenizerFast
from transformers.modeling_utils import PreTrainedModel

from ...configs.pretrain_schema import Optimization, PretrainConfig
from ...data.text.normalizer import train_wordpiece, with_arabert_normalization
from ...errors import RasidError
from ...models.encoders import check_reachable, encoder_path, output_layers
from .checkpoints import no_bars
from .loss import masked_loss
from .masking import MaskedBatch, SpecialIds
from .shards import separator_id

BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_SPECIALS = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")


class PretrainingError(RasidError, RuntimeError):
    """A run that cannot start or go on; says why, and what to do."""


@dataclass(kw_only=True)
class MaskedLanguageModel:
    """A model, and how it is computed here: device, precision, compiled or not.

    Attributes:
        model: any transformers masked language model.
        body: its encoder, compiled if asked for.
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
            if layers is None:  # an architecture we do not know: right, but every position is decoded
                logits = self.model(input_ids=ids).logits.flatten(0, 1)[positions]  # [M, V]
                return nn.functional.cross_entropy(logits.float(), labels), logits, labels
            transform, decoder = layers
            hidden = body(input_ids=ids, **self.inputs).last_hidden_state  # [B, T, D]
            hidden = transform(hidden.flatten(0, 1)[positions])  # [M, D]
            return masked_loss(hidden, decoder, labels, fused=self.fused, dtype=self.dtype), hidden, labels

    def logits(self, hidden: Tensor) -> Tensor:
        """[M, V] from what `predict` gave."""
        layers = output_layers(self.model)
        with self.autocast():
            return layers[1](hidden) if layers else hidden

    def autocast(self) -> Any:
        """The context of matrix products in reduced precision."""
        return nullcontext() if self.dtype == torch.float32 else torch.autocast(self.model.device.type, self.dtype)


def build_tokenizer(config: PretrainConfig, texts: Callable[[], Iterable[str]]) -> PreTrainedTokenizerFast:
    """The tokenizer that a config asks for: one that is named, the encoder's, or a new one.

    Args:
        config: its ``tokenizer`` and ``encoder``.
        texts: gives the articles, anew at every call; used where a vocabulary is trained.

    Raises:
        PretrainingError: the tokenizer has no mask.
    """
    wanted = config.tokenizer
    path = wanted.path or (encoder_path(config.encoder) if config.encoder else None)
    names = ["input_ids", "attention_mask"]  # what ModernBERT takes
    if path is None:
        step = 1
        if wanted.training_articles:
            step = max(1, sum(1 for _ in texts()) // wanted.training_articles)
        raw = train_wordpiece(islice(texts(), 0, None, step), wanted.vocabulary, normalized=wanted.normalize)
    else:
        try:
            if path.endswith(".json"):
                raw = PreTrainedTokenizerFast(tokenizer_file=path).backend_tokenizer
            else:
                check_reachable(path)
                stock = AutoTokenizer.from_pretrained(path)
                raw, names = stock.backend_tokenizer, stock.model_input_names
        except (OSError, ValueError, AttributeError) as error:
            raise PretrainingError(f"the tokenizer {path} cannot be loaded: {error}") from error
        if wanted.normalize and not isinstance(raw.model, WordPiece):
            raise PretrainingError(
                f"the tokenizer {path} is no WordPiece, AraBERT's normalization does not go into it; "
                "say tokenizer.normalize=false"
            )
        raw = with_arabert_normalization(raw) if wanted.normalize else raw
    kinds = ("pad", "unk", "cls", "sep", "mask")
    forms = next((f for f in (BERT_SPECIALS, ROBERTA_SPECIALS) if raw.token_to_id(f[-1]) is not None), None)
    if forms is None:
        raise PretrainingError(
            f"the tokenizer {path} has neither [MASK] nor <mask>; masked language modelling needs one"
        )
    specials: dict[str, Any] = {f"{kind}_token": form for kind, form in zip(kinds, forms, strict=True)}
    # A BertTokenizer would write the normalizer to the disk and leave it there on loading.
    return PreTrainedTokenizerFast(tokenizer_object=raw, model_input_names=names, **specials)


def special_ids(tokenizer: PreTrainedTokenizerFast) -> SpecialIds:
    """The ids that masking needs."""
    return SpecialIds(
        start=_id(tokenizer, str(tokenizer.cls_token)),
        end=separator_id(tokenizer.backend_tokenizer),
        mask=_id(tokenizer, str(tokenizer.mask_token)),
        vocabulary=len(tokenizer),
    )


def build_model(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, checkpoint: Path | None = None
) -> PreTrainedModel:
    """The model of a checkpoint, else the config's encoder, else a new one of the config's shape; in 32 bits.

    Raises:
        PretrainingError: tokenizer, model and sequence length do not fit.
    """
    if source := checkpoint or (encoder_path(config.encoder) if config.encoder else None):
        try:
            check_reachable(str(source))
            with no_bars():
                model = AutoModelForMaskedLM.from_pretrained(source, dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise PretrainingError(f"the encoder {source} cannot be loaded: {error}") from error
    else:
        model = AutoModelForMaskedLM.from_config(_modernbert(config, tokenizer))
    vocabulary, sequence = model.config.vocab_size, config.optimization.sequence
    longest = getattr(model.config, "max_position_embeddings", None)
    if vocabulary < len(tokenizer):
        raise PretrainingError(f"the tokenizer has {len(tokenizer)} entries, the encoder {vocabulary} embeddings")
    if longest is not None and sequence > longest:
        raise PretrainingError(f"optimization.sequence is {sequence}, but the encoder reads {longest} at most")
    return model


def _modernbert(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> ModernBertConfig:
    shape = config.model
    forms = [str(tokenizer.pad_token), str(tokenizer.cls_token), str(tokenizer.sep_token)]
    pad, start, end = (_id(tokenizer, form) for form in forms)
    return ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        # Every layer looks the same distance: no position is ever seen that was not trained, however long the text.
        layer_types=["sliding_attention"] * shape.layers,
        local_attention=2 * shape.window,
        max_position_embeddings=8192,
        # The default suits wide models; a narrow one would learn word frequencies, and then nothing for a long time.
        initializer_range=shape.hidden**-0.5,
        pad_token_id=pad,
        bos_token_id=start,
        cls_token_id=start,
        eos_token_id=end,
        sep_token_id=end,
    )


def place_model(model: PreTrainedModel, how: Optimization) -> MaskedLanguageModel:
    """Put a model on the GPU, or on the CPU where there is none, and choose how it computes there."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)  # pyright: ignore[reportArgumentType]
    if device.type == "cpu":
        bf16 = "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()
        if how.sequence <= 256:  # the flash kernel is slow on short sequences, its backward pass above all
            model.set_attn_implementation("eager")
    else:
        bf16 = torch.cuda.is_bf16_supported()
    dtype = torch.bfloat16 if how.precision == "bf16" or (how.precision == "auto" and bf16) else torch.float32
    inputs: dict[str, Any] = {}
    if model.config.model_type == "modernbert" and model.config.sliding_window >= how.sequence - 1:
        inputs["attention_mask"] = {"sliding_attention": None, "full_attention": None}  # nothing is padded
    body = torch.compile(model.base_model) if how.compile else model.base_model
    return MaskedLanguageModel(model=model, body=body, dtype=dtype, fused=device.type == "cpu", inputs=inputs)


def export_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path, dtype: str) -> Path:
    """Write model and tokenizer as a transformers checkpoint; the weights in ``dtype`` (`float32`, `float16`)."""
    exported: Any = copy.deepcopy(model)
    with no_bars():
        exported.to(dtype=getattr(torch, dtype)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    found = tokenizer.backend_tokenizer.token_to_id(token)
    if found is None:
        raise PretrainingError(f"the tokenizer has no {token}")
    return found


def _cpu_flags() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.read_text() if cpuinfo.is_file() else ""
