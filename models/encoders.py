"""Encoders and their tokenizers: shipped, from the hub, from a folder, or from scratch."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from ..data.text.normalizer import PLACEHOLDERS, VERSION, train_wordpiece, with_arabert_normalization
from ..errors import RasidError
from .network import without_pooler

# AraBERT v1 and v2 were trained on text cut by the Farasa segmenter (Antoun et al. 2020): `ال+ كتاب`.
_SEGMENTED = re.compile(r"(^|/)(bert-(base|large)-arabert(v1|v2)?|bert-(base|large)-arabertv2-.*)$")


# The encoders that lie beside this file, by name.
BUILT_IN = {"rasid-mini": Path(__file__).parent / "rasid-mini"}
_DROPOUTS = (
    "attention_dropout", "embedding_dropout", "mlp_dropout",  # ModernBERT
    "attention_probs_dropout_prob", "hidden_dropout_prob",  # BERT, ELECTRA, RoBERTa
)  # fmt: skip

_PROBE = 5  # seconds to connect to the hub
# Errors of httpx, whose name differs with the version of huggingface_hub.
_UNREACHABLE = ("ConnectError", "ConnectTimeout", "ProxyError")


class EncoderError(RasidError, ValueError):
    """An encoder that cannot be used, and what to use instead."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder ready for training.

    Attributes:
        model: the network, in float32, without heads.
        tokenizer: reads raw text; its offsets index it.
        normalizer: version of the project's normalizer inside the tokenizer, empty where it has its own.
        name: for the model card.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    normalizer: str
    name: str


def encoder_path(name: str) -> str:
    """Where an encoder is loaded from: the package for one that ships, else the name itself."""
    return str(BUILT_IN.get(name, name))


def load_encoder(
    name: str, *, window: int, normalizer: str = "auto", repair: bool = True, dropout: float | None = None
) -> Encoder:
    """Load a pretrained encoder.

    Args:
        name: one that ships, a model on the Hugging Face hub, or a folder.
        window: sub-words that it must be able to read at once.
        normalizer: ``arabert``, ``own`` or ``auto``, as the config says.
        repair: see `data.normalize.arabert_normalizer`.
        dropout: inside the encoder while it is trained; None leaves what the checkpoint says.

    Raises:
        EncoderError: it cannot be loaded, wants segmented text, has no fast tokenizer, or reads shorter windows.
    """
    if _SEGMENTED.search(name.rstrip("/")):
        raise EncoderError(
            f"{name} was trained on text segmented by Farasa, which raw articles are not; use the unsegmented "
            "aubmindlab/bert-base-arabertv02 (or -large-arabertv02, or bert-base-arabertv01)"
        )
    path = encoder_path(name)
    if _is_path(path) and not Path(path).is_dir():
        raise EncoderError(f"encoder {name!r}: there is no such folder")
    check_reachable(name)
    try:
        config = AutoConfig.from_pretrained(path)
        loaded = AutoTokenizer.from_pretrained(path)
    except Exception as error:  # what a broken file raises depends on the file
        raise _unloadable(name, error) from error
    if not loaded.is_fast:
        raise EncoderError(
            f"encoder {name!r} has no fast tokenizer, so there are no offsets; use one with tokenizer.json"
        )
    tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    if "ال+" in vocabulary and "+ة" in vocabulary:
        raise EncoderError(f"the vocabulary of {name!r} is of text segmented by Farasa (it has 'ال+'); use a v02 model")
    ours = _has_our_normalizer(tokenizer)
    if not ours and (normalizer == "arabert" or (normalizer == "auto" and PLACEHOLDERS[0] in vocabulary)):
        tokenizer, ours = with_arabert_normalization(tokenizer, repair=repair), True
    _check_positions(name, config, window)
    if dropout is not None:
        for key in _DROPOUTS:
            if hasattr(config, key):
                setattr(config, key, dropout)
    model = _load_weights(path, config)
    rows = int(config.vocab_size)
    if len(vocabulary) == len(tokenizer.get_added_tokens_decoder()):
        raise EncoderError(f"encoder {name!r} has no vocabulary; its folder must hold tokenizer.json or vocab.txt")
    if max(vocabulary.values()) >= rows:
        raise EncoderError(
            f"the vocabulary of {name!r} has {max(vocabulary.values()) + 1:,} entries, but its weights only {rows:,}: "
            "the tokenizer is of another model"
        )
    return Encoder(model=model, tokenizer=tokenizer, normalizer=VERSION if ours else "", name=name)


def scratch_encoder(texts: Iterator[str], *, vocabulary: int, **shape: Any) -> Encoder:
    """An encoder with random weights, and a tokenizer trained on texts.

    Args:
        texts: what the vocabulary is learned from.
        vocabulary: sub-words, at most.
        shape: as for `modern_bert`.
    """
    tokenizer = train_wordpiece(texts, vocabulary)
    config = modern_bert(vocabulary=tokenizer.get_vocab_size(), **shape)
    return Encoder(model=AutoModel.from_config(config), tokenizer=tokenizer, normalizer=VERSION, name="from scratch")


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
    """Write tokenizer.json and tokenizer_config.json, which transformers loads as they are.

    Not as a `BertTokenizer`: that class ignores the normalizer of tokenizer.json when it loads.
    """
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    other = {
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "mask_token": "<mask>",
    }
    known = {
        role: token
        for table in (other, names)
        for role, token in table.items()
        if tokenizer.token_to_id(token) is not None
    }
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **known,
    ).save_pretrained(folder)


def _load_weights(name: str, config: Any) -> PreTrainedModel:
    """The network in float32; every weight of it comes from the checkpoint."""
    try:
        # The checkpoint's own dtype may be half precision, in which nothing can be trained.
        model, report = AutoModel.from_pretrained(
            name,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported below, in one line
            **without_pooler(config),
        )
    except Exception as error:
        raise _unloadable(name, error) from error
    # transformers gives what it does not find random weights, and warns.
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        raise EncoderError(
            f"the weights of {name!r} are not those of its config.json: {len(missing)} are missing, such as "
            f"{missing[0]}"
        )
    if report["mismatched_keys"]:
        key, stored, wanted = sorted(report["mismatched_keys"])[0]
        raise EncoderError(
            f"the weights of {name!r} are not those of its config.json: {key} has the size {list(stored)}, "
            f"not {list(wanted)}"
        )
    return model


def _is_path(name: str) -> bool:
    """Whether a name can only be a folder: the hub has at most one slash in a name, and none in front."""
    return name.startswith((".", "/", "~", "\\")) or name.rstrip("/").count("/") > 1 or Path(name).is_absolute()


def check_reachable(name: str) -> None:
    """Drop a model of the hub, before it is loaded, when nobody answers there.

    huggingface_hub tries six times, over half a minute, to connect to a hub that is not there, and a name that was
    mistyped is looked for like any other. One request without a second try tells. Whatever else it meets (no such
    model, a busy hub, a slow one) is left to the loading itself, with its second tries.

    Raises:
        EncoderError: the model is neither in a folder nor in the cache, and the hub cannot be reached.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.constants import is_offline_mode

    path = encoder_path(name)
    if Path(path).is_dir() or is_offline_mode():
        return
    try:
        if isinstance(try_to_load_from_cache(path, "config.json"), str):
            return
        get_hf_file_metadata(hf_hub_url(path, "config.json"), timeout=_PROBE)
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if not kinds.isdisjoint(_UNREACHABLE):
            raise EncoderError(
                f"encoder {name!r} cannot be loaded: there is no such folder, and the hub cannot be reached "
                f"({str(error) or type(error).__name__}); check the name and the network"
            ) from error


def _unloadable(name: str, error: Exception) -> EncoderError:
    where = "folder" if Path(name).exists() else "no such folder, and the hub could not give it"
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return EncoderError(f"encoder {name!r} cannot be loaded ({where}): {reason}")


def _has_our_normalizer(tokenizer: Tokenizer) -> bool:
    """Whether the tokenizer maps a link to the placeholder by itself."""
    normalizer = tokenizer.normalizer
    return normalizer is not None and PLACEHOLDERS[0] in normalizer.normalize_str("http://a.com/b")


def _check_positions(name: str, config: Any, window: int) -> None:
    longest = getattr(config, "max_position_embeddings", None)
    if longest is None:
        return
    # RoBERTa counts positions from pad_token_id + 1.
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    if window > longest - offset:
        raise EncoderError(
            f"encoder {name!r} reads {longest - offset} sub-words at once; set encoder.window to that at most"
        )
