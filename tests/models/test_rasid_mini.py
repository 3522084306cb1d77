"""The built-in encoder rasid-mini: files, loading without a network, tokenizer, masked-language-model loss."""

import numpy as np
import pytest
import torch

from rasid.data.corpus import load_corpus
from rasid.data.text.normalizer import with_arabert_normalization
from rasid.models.encoders import load_encoder, load_tokenizer
from rasid.models.hub import BUILT_IN

FOLDER = BUILT_IN["rasid-mini"]


def test_folder_has_the_files_of_a_checkpoint_and_is_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        "README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    }  # fmt: skip
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 24 * 2**20


@pytest.mark.parametrize("encoding", ["rasid-mini", "folder"])
def test_loads_by_name_and_by_folder(encoding: str) -> None:
    encoder = load_encoder("rasid-mini" if encoding == "rasid-mini" else str(FOLDER), window=512)
    assert all(parameter.dtype == torch.float32 for parameter in encoder.model.parameters())
    assert encoder.normalizer, "the tokenizer has rasid's normalizer"


def test_dropout_can_be_set() -> None:
    assert load_encoder("rasid-mini", window=512, dropout=0.25).model.config.mlp_dropout == 0.25
    assert load_encoder("rasid-mini", window=512).model.config.mlp_dropout == 0.0


def test_tokenizer_has_the_current_normalizer_and_offsets_of_the_raw_text() -> None:
    tokenizer = load_tokenizer("rasid-mini", window=512)
    again = with_arabert_normalization(tokenizer)
    for article in load_corpus("dev").articles:
        encoding = tokenizer.encode(article.text)
        assert encoding.ids == again.encode(article.text).ids
        assert encoding.offsets[-2][1] <= len(article.text)
    encoding = tokenizer.encode("وصل الرئيسُ إلى ﻻهاي وﮐركوك")
    assert tokenizer.token_to_id("[UNK]") not in encoding.ids


@torch.inference_mode()
def test_context_makes_masked_sub_words_more_likely() -> None:
    """On unseen news, the loss of masked sub-words is lower with their context than without."""
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    tokenizer = load_tokenizer("rasid-mini", window=512)
    mask = tokenizer.token_to_id("[MASK]")
    generator = np.random.default_rng(0)
    losses = {"context": 0.0, "none": 0.0}
    right = count = 0
    for article in load_corpus("test").articles:
        ids = torch.tensor([tokenizer.encode(article.text).ids[:256]])
        hidden = torch.from_numpy(generator.random(ids.shape[1]) < 0.15)
        hidden[[0, -1]] = False
        for name, given in (("context", ids.masked_fill(hidden, mask)), ("none", torch.full_like(ids, mask))):
            logits = model(input_ids=given).logits[0, hidden]
            losses[name] += torch.nn.functional.cross_entropy(logits, ids[0, hidden], reduction="sum").item()
            right += int((logits.argmax(-1) == ids[0, hidden]).sum()) if name == "context" else 0
        count += int(hidden.sum())
    assert losses["context"] / count < losses["none"] / count - 1, (losses, count)
    assert right / count > 0.1
