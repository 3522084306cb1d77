"""The encoder that ships: it loads by name without a network, reads raw text, and knows Arabic."""

import numpy as np
import pytest
import torch

from rasid.data.corpus import load_corpus
from rasid.data.text.normalizer import with_arabert_normalization
from rasid.models.encoders import BUILT_IN, load_encoder

FOLDER = BUILT_IN["rasid-mini"]


def test_the_folder_holds_what_its_card_says_and_stays_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        "README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    }  # fmt: skip
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 24 * 2**20


@pytest.mark.parametrize("encoding", ["rasid-mini", "folder"])
def test_it_loads_by_name_and_as_a_folder(encoding: str) -> None:
    encoder = load_encoder("rasid-mini" if encoding == "rasid-mini" else str(FOLDER), window=512)
    assert all(parameter.dtype == torch.float32 for parameter in encoder.model.parameters())
    assert encoder.normalizer, "the project's normalizer is inside the tokenizer"


def test_dropout_is_set_for_training_where_the_config_says_so() -> None:
    assert load_encoder("rasid-mini", window=512, dropout=0.25).model.config.mlp_dropout == 0.25
    assert load_encoder("rasid-mini", window=512).model.config.mlp_dropout == 0.0


def test_its_tokenizer_is_the_current_normalizer_and_gives_raw_offsets() -> None:
    tokenizer = load_encoder("rasid-mini", window=512).tokenizer
    again = with_arabert_normalization(tokenizer)
    for article in load_corpus("dev").articles:
        encoding = tokenizer.encode(article.text)
        assert encoding.ids == again.encode(article.text).ids
        assert encoding.offsets[-2][1] <= len(article.text)
    encoding = tokenizer.encode("وصل الرئيسُ إلى ﻻهاي وﮐركوك")
    assert tokenizer.token_to_id("[UNK]") not in encoding.ids


@torch.inference_mode()
def test_context_tells_it_what_was_masked() -> None:
    """Masked sub-words of news it never saw are far likelier with their sentence than without any context."""
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    tokenizer = load_encoder("rasid-mini", window=512).tokenizer
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
