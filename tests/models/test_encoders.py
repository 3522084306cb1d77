import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertConfig,
    BertModel,
    ElectraConfig,
    ElectraForPreTraining,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from rasid.data.text.normalizer import VERSION, train_wordpiece
from rasid.data.windows.encoding import TextEncoder
from rasid.models.encoders import EncoderError, load_encoder, load_tokenizer, save_tokenizer, scratch_encoder
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig

TEXT = "قالَ الرئيسُ أحمد: زوروا https://example.com/a?b=1 يـــوم ١٢ مايو،، شكرا @user 😀 U2"
SMALL: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Requests to the hub fail at once."""
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def byte_level(articles) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([article.text for article in articles], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def word_piece(articles) -> Tokenizer:
    return train_wordpiece((article.text for article in articles), 600, normalized=False)


def save_with_tokenizer(model, tokenizer: Tokenizer, folder: Path, **names: str) -> str:
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return str(folder)


def foreign_checkpoint(kind: str, articles, folder: Path) -> tuple[str, Tokenizer]:
    """A small checkpoint of another architecture than AraBERT, and its tokenizer."""
    tokenizer = byte_level(articles) if kind == "roberta" else word_piece(articles)
    size: dict[str, Any] = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": 128, **SMALL}
    match kind:
        case "roberta":
            size["max_position_embeddings"] = 130
            model = RobertaForMaskedLM(RobertaConfig(pad_token_id=1, **size))
        case "electra":
            model = ElectraForPreTraining(ElectraConfig(embedding_size=8, **size))
        case _:
            ids = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
            model = ModernBertForMaskedLM(ModernBertConfig(**ids, **size))
    names = ("<pad>", "<unk>", "<s>", "</s>") if kind == "roberta" else ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    roles = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), names, strict=True))
    return save_with_tokenizer(model, tokenizer, folder, **roles), tokenizer


def test_arabert_checkpoint_gets_arabert_normalization(hub_checkpoint):
    encoder = load_encoder(str(hub_checkpoint), window=96)
    assert encoder.normalizer == VERSION
    encoding = encoder.tokenizer.encode("زوروا https://example.com/a الرئيسُ", add_special_tokens=False)
    assert "[رابط]" in encoding.tokens
    assert encoder.tokenizer.encode("أحمد").ids != encoder.tokenizer.encode("احمد").ids  # hamza is kept
    assert encoder.model.config.num_hidden_layers == 2
    # The weights come from the file and are not random.
    import safetensors.torch

    stored = safetensors.torch.load_file(hub_checkpoint / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(encoder.model.state_dict()[name], stored[f"bert.{name}"])


@pytest.mark.parametrize("kind", ["roberta", "electra", "modernbert"])
def test_other_tokenizers_keep_their_normalizer(kind, articles, tmp_path):
    folder, own = foreign_checkpoint(kind, articles, tmp_path / kind)
    encoder = load_encoder(folder, window=96)
    assert encoder.normalizer == ""
    expected, read = own.encode(TEXT), encoder.tokenizer.encode(TEXT)
    assert (read.ids, read.offsets) == (expected.ids, expected.offsets)
    TextEncoder(encoder.tokenizer, window=96, overlap=24)
    # The network runs with the inputs that rasid gives it.
    config = RasidConfig(encoder=encoder.model.config.to_dict(), tasks=["entities"], entities=["PER"], events=[])
    ids = torch.tensor([read.ids[:40]])
    words = torch.tensor([[[1, 2], [2, 4]]])
    sentences, numbers = torch.tensor([[[0, 2]]]), torch.tensor([[0]])
    logits = RasidModel(config, encoder.model)(ids, torch.ones_like(ids), words, sentences, numbers)
    assert logits["entities"].shape == (1, 2, 3)


def test_normalizer_can_be_chosen(hub_checkpoint, articles, tmp_path):
    assert load_encoder(str(hub_checkpoint), window=96, normalizer="own").normalizer == ""
    folder, _ = foreign_checkpoint("electra", articles, tmp_path / "electra")
    encoder = load_encoder(folder, window=96, normalizer="arabert")
    assert encoder.normalizer == VERSION
    assert encoder.tokenizer.encode("الرئيسُ").ids == encoder.tokenizer.encode("الرئيس").ids


SEGMENTED = ("base-arabert", "base-arabertv1", "base-arabertv2", "large-arabertv2", "large-arabertv2/")


@pytest.mark.parametrize("name", [*SEGMENTED, "base-arabertv02", "base-arabertv01", "base-arabertv02-x"])
def test_models_for_segmented_text_are_rejected_by_name(name):
    with pytest.raises(EncoderError) as caught:  # of the others, because the hub cannot be reached
        load_encoder(f"aubmindlab/bert-{name}", window=96)
    assert bool(re.search(r"Farasa.*arabertv02", str(caught.value))) == (name in SEGMENTED)


def test_vocabulary_of_segmented_text_is_rejected(articles, tmp_path):
    tokenizer = word_piece(articles)
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    for token in ("ال+", "+ة"):
        vocabulary[token] = len(vocabulary)
    tokenizer = Tokenizer.from_str(json.dumps(content))
    config = ElectraConfig(vocab_size=len(vocabulary), embedding_size=8, max_position_embeddings=128, **SMALL)
    folder = save_with_tokenizer(ElectraForPreTraining(config), tokenizer, tmp_path / "cut", unk_token="[UNK]")
    with pytest.raises(EncoderError, match="Farasa"):
        load_encoder(folder, window=96)


@pytest.mark.parametrize("kind", ["roberta", "electra", "modernbert"])
def test_the_longest_window_runs_and_a_longer_one_is_rejected(kind, articles, tmp_path):
    # RoBERTa numbers positions from the padding id, so that the last ones are not usable.
    folder, _ = foreign_checkpoint(kind, articles, tmp_path / kind)
    model = load_encoder(folder, window=128).model.eval()
    ids = torch.full((1, 128), 7)
    assert model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.shape == (1, 128, 16)
    with pytest.raises(EncoderError, match="reads 128 sub-words at once"):
        load_encoder(folder, window=129)


def test_half_precision_checkpoint_is_loaded_in_float32(copy):
    BertModel(BertConfig.from_pretrained(copy)).to(torch.float16).save_pretrained(copy)  # pyright: ignore[reportArgumentType]
    assert json.loads((copy / "config.json").read_text())["dtype"] == "float16"
    model = load_encoder(str(copy), window=96).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("name", ["nobody/no-such-encoder", "{tmp}/missing", "./missing", "../missing/encoder"])
def test_missing_encoder_is_a_one_line_error(name, tmp_path):
    name = name.format(tmp=tmp_path)
    with pytest.raises(EncoderError) as caught:
        load_encoder(name, window=96)
    message = str(caught.value)
    assert name in message
    assert "\n" not in message


def test_paths_are_not_looked_up_on_the_hub(tmp_path, monkeypatch):
    from transformers import AutoConfig

    monkeypatch.setattr(AutoConfig, "from_pretrained", lambda *args, **kwargs: pytest.fail("asked the hub"))
    with pytest.raises(EncoderError, match="no such folder"):
        load_encoder(str(tmp_path / "missing"), window=96)


@pytest.fixture
def copy(hub_checkpoint, tmp_path) -> Path:
    """A copy of the checkpoint that a test may change."""
    return shutil.copytree(hub_checkpoint, tmp_path / "copy")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", None),
        ("config.json", b"{"),
        ("config.json", b'{"model_type": "no-such-type"}'),
        ("model.safetensors", None),
        ("model.safetensors", b"not weights"),
        ("vocab.txt", None),
    ],
)
def test_broken_checkpoint_is_a_one_line_error(file, content, hub_checkpoint, copy):
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_bytes(content)
    with pytest.raises(EncoderError) as caught:
        load_encoder(str(copy), window=96)
    assert str(copy) in str(caught.value)
    assert "\n" not in str(caught.value)
    if file == "model.safetensors":  # the tokenizer is loaded without weights
        encoder = load_encoder(str(hub_checkpoint), window=96)
        assert load_tokenizer(str(copy), window=96).to_str() == encoder.tokenizer.to_str()
        with pytest.raises(EncoderError, match="reads 128 sub-words"):
            load_tokenizer(str(copy), window=129)


def test_missing_weights_are_rejected(copy):
    # transformers fills missing weights with random numbers.
    import safetensors.torch

    weights = safetensors.torch.load((copy / "model.safetensors").read_bytes())
    kept = {name: value for name, value in weights.items() if "layer.1" not in name}
    safetensors.torch.save_file(kept, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderError, match=r"layer\.1"):
        load_encoder(str(copy), window=96)


def test_weights_of_another_shape_are_rejected(copy):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(EncoderError, match="intermediate|size"):
        load_encoder(str(copy), window=96)


def test_vocabulary_larger_than_the_embeddings_is_rejected(copy):
    with (copy / "vocab.txt").open("a", encoding="utf-8") as file:
        file.writelines(f"زائد{number}\n" for number in range(5))
    with pytest.raises(EncoderError, match="vocabulary"):
        load_encoder(str(copy), window=96)


def test_pooler_is_not_loaded(hub_checkpoint):
    names = [name for name, _ in load_encoder(str(hub_checkpoint), window=96).model.named_parameters()]
    assert not [name for name in names if "pooler" in name]


@pytest.mark.parametrize("beside", ["rasid", "bert"])
def test_transformers_loads_a_saved_tokenizer_unchanged(beside, tokenizer, hub_checkpoint, tmp_path):
    if beside == "bert":  # AutoTokenizer chooses a class by config.json
        shutil.copy(hub_checkpoint / "config.json", tmp_path / "config.json")
    save_tokenizer(tokenizer, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} - {"config.json"} == {"tokenizer.json", "tokenizer_config.json"}
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    batch = loaded(TEXT, return_offsets_mapping=True)
    expected = tokenizer.encode(TEXT)
    assert batch["input_ids"] == expected.ids
    assert batch["offset_mapping"] == expected.offsets
    assert batch["token_type_ids"] == expected.type_ids
    assert (loaded.pad_token, loaded.cls_token, loaded.mask_token) == ("[PAD]", "[CLS]", "[MASK]")


def test_saved_encoder_keeps_its_normalizer(hub_checkpoint, tmp_path):
    encoder = load_encoder(str(hub_checkpoint), window=96)
    encoder.model.save_pretrained(tmp_path)
    save_tokenizer(encoder.tokenizer, tmp_path)
    again = load_encoder(str(tmp_path), window=96)
    assert again.normalizer == VERSION
    assert again.tokenizer.encode(TEXT).ids == encoder.tokenizer.encode(TEXT).ids
    assert again.tokenizer.encode(TEXT).offsets == encoder.tokenizer.encode(TEXT).offsets


def test_encoder_from_scratch_knows_its_training_texts(articles, tmp_path):
    torch.manual_seed(0)
    shape = {"layers": 2, "hidden": 16, "heads": 2, "intermediate": 24, "positions": 128}
    encoder = scratch_encoder((article.text for article in articles), vocabulary=800, **shape)
    size = encoder.tokenizer.get_vocab_size()
    assert size <= 800
    assert encoder.model.config.vocab_size == size
    unknown = encoder.tokenizer.token_to_id("[UNK]")
    assert unknown not in encoder.tokenizer.encode(articles[0].text).ids
    encoder.model.save_pretrained(tmp_path)
    save_tokenizer(encoder.tokenizer, tmp_path)
    assert load_encoder(str(tmp_path), window=128).normalizer == VERSION


class ConnectError(Exception):
    """Has the name of httpx's error."""


@pytest.fixture
def hub(monkeypatch):
    """A hub whose requests raise the first of `answers`; they are recorded in `asked`."""
    import huggingface_hub

    asked: list[dict[str, Any]] = []
    answers: list[Exception] = []

    def metadata(url, **options):
        asked.append({"url": url, **options})
        raise answers[0]

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", metadata)
    monkeypatch.setattr(
        AutoConfig, "from_pretrained", lambda path, **_options: (_ for _ in ()).throw(OSError("from transformers"))
    )
    return asked, answers


def test_unreachable_hub_is_asked_once(hub):
    asked, answers = hub
    answers.append(ConnectError("name not known"))
    with pytest.raises(EncoderError, match=r"'no/such-model'.*no such folder.*cannot be reached \(name not known\)"):
        load_encoder("no/such-model", window=64)
    (request,) = asked
    assert request["url"].endswith("no/such-model/resolve/main/config.json") and request["timeout"] <= 5


@pytest.mark.parametrize("answer", [TimeoutError("slow"), OSError("busy"), ValueError("no such model")])
def test_other_hub_errors_are_left_to_transformers(hub, answer):
    asked, answers = hub
    answers.append(answer)
    with pytest.raises(EncoderError, match="from transformers"):
        load_encoder("no/such-model", window=64)
    assert len(asked) == 1


def test_cached_models_and_folders_make_no_request(hub, monkeypatch, tmp_path):
    import huggingface_hub

    asked, _ = hub
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *names: "/cache/config.json")
    for name in ("some/model", str(tmp_path), "rasid-mini"):
        with pytest.raises(EncoderError, match="from transformers"):
            load_encoder(name, window=64)
    monkeypatch.undo()
    assert not asked


@pytest.mark.parametrize(("kind", "frame"), [("roberta", (0, 2)), ("modernbert", (2, 3))])
def test_language_model_uses_the_head_of_the_checkpoint(kind, frame, articles, tmp_path):
    from transformers import AutoModelForMaskedLM

    from rasid.audit.language_model import load_language_model

    folder, own = foreign_checkpoint(kind, articles, tmp_path / kind)
    judge = load_language_model(folder)
    assert judge.frame == frame  # an id of 0 is an id
    ids = np.array(own.encode("قال متحدث في سوريا", add_special_tokens=False).ids)
    hidden = torch.tensor([[frame[0], *ids.tolist(), frame[1]]])
    hidden[0, 2] = judge.mask
    with torch.inference_mode():
        logits = AutoModelForMaskedLM.from_pretrained(folder)(input_ids=hidden).logits[0, 2]
    expected = float(logits.log_softmax(-1)[ids[1]])
    assert judge.exchange([ids], np.array([[1, 2]]))[0, 0] == pytest.approx(expected, abs=1e-4)
