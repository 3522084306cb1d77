"""Encoders and their tokenizers: built-in, from the Hugging Face hub, from a folder, or from scratch."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from ..data.text.normalizer import PLACEHOLDERS, VERSION, train_wordpiece, with_arabert_normalization
from ..data.text.special_tokens import BERT_SPECIALS, ROBERTA_SPECIALS
from .hub import (
    NO_CODE,
    SAFE_WEIGHTS,
    EncoderError,
    advise_safetensors,
    check_reachable,
    encoder_path,
    is_path,
    loading,
)
from .network import without_pooler

# AraBERT v1 and v2 were trained on text segmented by Farasa (Antoun et al. 2020): `ال+ كتاب`.
_SEGMENTED = re.compile(r"(^|/)(bert-(base|large)-arabert(v1|v2)?|bert-(base|large)-arabertv2-.*)$")
_DROPOUTS = (
    "attention_dropout", "embedding_dropout", "mlp_dropout",  # ModernBERT
    "attention_probs_dropout_prob", "hidden_dropout_prob",  # BERT, ELECTRA, RoBERTa
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EncoderWithTokenizer:
    """An encoder and its tokenizer, ready for training.

    Attributes:
        model: the transformer without heads, in float32.
        tokenizer: takes raw text; its offsets are code points of that text.
        normalizer: version of rasid's normalizer in the tokenizer; empty if the tokenizer has another one.
        name: name for the model card.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    normalizer: str
    name: str


def load_encoder(
    name: str, *, window: int, normalizer: str = "auto", repair: bool = True, dropout: float | None = None
) -> EncoderWithTokenizer:
    """Load a pretrained encoder and its tokenizer.

    Args:
        name: as for `load_tokenizer`.
        window: as for `load_tokenizer`.
        normalizer: as for `load_tokenizer`.
        repair: as for `load_tokenizer`.
        dropout: dropout rate inside the encoder during training; None keeps the rates of the checkpoint.

    Raises:
        EncoderError: the tokenizer or the weights cannot be loaded or used.
    """
    tokenizer = load_tokenizer(name, window=window, normalizer=normalizer, repair=repair)
    with loading(name):
        config = AutoConfig.from_pretrained(encoder_path(name))
    if dropout is not None:
        for key in _DROPOUTS:
            if hasattr(config, key):
                setattr(config, key, dropout)
    return EncoderWithTokenizer(
        model=_load_weights(encoder_path(name), config),
        tokenizer=tokenizer,
        normalizer=VERSION if _has_our_normalizer(tokenizer) else "",
        name=name,
    )


def load_tokenizer(name: str, *, window: int, normalizer: str = "auto", repair: bool = True) -> Tokenizer:
    """Load the tokenizer of a pretrained encoder. Weights are not read.

    Args:
        name: a built-in encoder, a model on the Hugging Face hub, or a folder.
        window: number of sub-words, special tokens included, that the encoder must accept.
        normalizer: ``arabert``, ``own`` or ``auto``, see `configs.schema.EncoderConfig`.
        repair: see `data.text.normalizer.arabert_normalizer`.

    Raises:
        EncoderError: the tokenizer cannot be loaded, is not fast, is for segmented text, or does not match the
            encoder's configuration; or the encoder accepts shorter windows only.
    """
    if _SEGMENTED.search(name.rstrip("/")):
        raise EncoderError(
            f"{name} was trained on text segmented by Farasa, and articles are raw text; use the unsegmented "
            "aubmindlab/bert-base-arabertv02 (or -large-arabertv02, or bert-base-arabertv01)"
        )
    path = encoder_path(name)
    if is_path(path) and not Path(path).is_dir():
        raise EncoderError(f"encoder {name!r}: there is no such folder")
    check_reachable(name)
    with loading(name):
        config = AutoConfig.from_pretrained(path, **NO_CODE)
    _check_positions(name, config, window)
    with loading(name):
        loaded = AutoTokenizer.from_pretrained(path, **NO_CODE)
    if not loaded.is_fast:
        raise EncoderError(
            f"encoder {name!r} has no fast tokenizer, so it gives no offsets; use an encoder with tokenizer.json"
        )
    tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    if "ال+" in vocabulary and "+ة" in vocabulary:
        raise EncoderError(f"the vocabulary of {name!r} is of text segmented by Farasa (it has 'ال+'); use a v02 model")
    if len(vocabulary) == len(tokenizer.get_added_tokens_decoder()):
        raise EncoderError(f"encoder {name!r} has no vocabulary; its folder must have tokenizer.json or vocab.txt")
    if max(vocabulary.values()) >= config.vocab_size:
        raise EncoderError(
            f"the vocabulary of {name!r} has {max(vocabulary.values()) + 1:,} entries, but its configuration only "
            f"{config.vocab_size:,}: the tokenizer is of another model"
        )
    wanted = normalizer == "arabert" or (normalizer == "auto" and PLACEHOLDERS[0] in vocabulary)
    if wanted and not _has_our_normalizer(tokenizer):
        return with_arabert_normalization(tokenizer, repair=repair)
    return tokenizer


def scratch_encoder(texts: Iterator[str], *, vocabulary: int, **shape: Any) -> EncoderWithTokenizer:
    """An encoder with random weights and a tokenizer trained on texts.

    Args:
        texts: training data of the tokenizer.
        vocabulary: maximum number of sub-words.
        shape: as for `modern_bert`.
    """
    tokenizer = train_wordpiece(texts, vocabulary)
    model = AutoModel.from_config(modern_bert(vocabulary=tokenizer.get_vocab_size(), **shape))
    return EncoderWithTokenizer(model=model, tokenizer=tokenizer, normalizer=VERSION, name="from scratch")


def modern_bert(
    *,
    vocabulary: int,
    layers: int,
    hidden: int,
    heads: int,
    intermediate: int,
    positions: int,
    window: int = 128,
    dropout: float = 0.1,
    special_ids: tuple[int, int, int] = (0, 2, 3),
) -> Any:
    """Configuration of a small pre-norm encoder (ModernBERT, Warner et al. 2024).

    Pre-norm layers can be trained from scratch where BERT's post-norm layers diverge or stall.

    Args:
        vocabulary: number of embeddings.
        layers: number of layers.
        hidden: width of the hidden states.
        heads: attention heads.
        intermediate: width of the feed-forward layer.
        positions: longest input, in sub-words.
        window: sub-words that a sub-word attends to on either side.
        dropout: in attention, embeddings and feed-forward layers.
        special_ids: ids of padding, [CLS] and [SEP].
    """
    from transformers import ModernBertConfig

    pad, start, end = special_ids
    return ModernBertConfig(
        vocab_size=vocabulary,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        max_position_embeddings=positions,
        # All layers have the same window, so a long text has no distance that was not trained.
        layer_types=["sliding_attention"] * layers,
        local_attention=2 * window,
        attention_dropout=dropout,
        embedding_dropout=dropout,
        mlp_dropout=dropout,
        # The default, 0.02, suits wide models; with it a narrow one learns only word frequencies for a long time.
        initializer_range=hidden**-0.5,
        pad_token_id=pad,
        bos_token_id=start,
        cls_token_id=start,
        eos_token_id=end,
        sep_token_id=end,
    )


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json for `transformers.AutoTokenizer`.

    The class is not `BertTokenizer`, which ignores the normalizer of tokenizer.json.
    """
    vocabulary = tokenizer.get_vocab()
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = {
        role: token
        for tokens in (ROBERTA_SPECIALS, BERT_SPECIALS)
        for role, token in zip(roles, tokens, strict=True)
        if token in vocabulary
    }
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "token_type_ids", "attention_mask"], **special
    ).save_pretrained(folder)


def output_layers(model: nn.Module) -> tuple[Callable[[Tensor], Tensor], nn.Linear] | None:
    """The layers of a masked language model after the encoder: the transform, then the decoder.

    Args:
        model: a transformers model for masked language modeling.

    Returns:
        None if the architecture is unknown.
    """
    m = cast("Any", model)
    match getattr(getattr(model, "config", None), "model_type", ""):
        case "modernbert":
            return m.head, m.decoder
        case "bert":
            return m.cls.predictions.transform, m.cls.predictions.decoder
        case "roberta" | "xlm-roberta" | "camembert":
            head = m.lm_head
            return lambda hidden: head.layer_norm(nn.functional.gelu(head.dense(hidden))), head.decoder
        case "electra":
            return m.generator_predictions, m.generator_lm_head
        case "distilbert":
            return lambda hidden: m.vocab_layer_norm(m.activation(m.vocab_transform(hidden))), m.vocab_projector
    return None


def _load_weights(name: str, config: Any) -> PreTrainedModel:
    """The transformer in float32, with every weight from the checkpoint."""
    advise_safetensors(name)
    with loading(name):
        # Without a dtype the model gets that of the checkpoint, and half precision cannot be trained.
        model, report = AutoModel.from_pretrained(
            name,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported below, in one line
            **SAFE_WEIGHTS,
            **without_pooler(config),
        )
    # transformers fills missing weights with random numbers and only warns.
    problem = ""
    if missing := sorted(key for key in report["missing_keys"] if "pooler" not in key):
        problem = f"{len(missing)} are missing, such as {missing[0]}"
    elif report["mismatched_keys"]:
        key, stored, expected = sorted(report["mismatched_keys"])[0]
        problem = f"{key} has the shape {list(stored)}, not {list(expected)}"
    if problem:
        raise EncoderError(f"the weights of {name!r} do not match its config.json: {problem}")
    return model


def _has_our_normalizer(tokenizer: Tokenizer) -> bool:
    """Whether the tokenizer replaces links with rasid's placeholder."""
    normalizer = tokenizer.normalizer
    return normalizer is not None and PLACEHOLDERS[0] in normalizer.normalize_str("http://a.com/b")


def _check_positions(name: str, config: Any, window: int) -> None:
    longest = getattr(config, "max_position_embeddings", None)
    if longest is None:
        return
    # RoBERTa numbers positions from pad_token_id + 1.
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    if window > longest - offset:
        raise EncoderError(
            f"encoder {name!r} reads {longest - offset} sub-words at once; lower encoder.window to at most that"
        )
