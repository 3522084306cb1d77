"""Pretraining: shards, masking, loss, resuming, domain adaptation, errors of the input, the command."""

import json
import lzma
import os
import random
import shutil
import signal
import sys
from functools import partial

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM

from rasid.configs.loader import ConfigError, load_config
from rasid.configs.pretrain_schema import Optimization, PretrainConfig
from rasid.data.problems import DataError
from rasid.data.text.normalizer import train_wordpiece
from rasid.manifest import write_manifest
from rasid.models.encoders import output_layers
from rasid.train.pretraining import loop
from rasid.train.pretraining.errors import PretrainingError
from rasid.train.pretraining.loss import masked_loss
from rasid.train.pretraining.masking import SpecialIds, mask_words, sequences_at, steps_per_epoch
from rasid.train.pretraining.run import run_pretraining
from rasid.train.pretraining.schedule import cooldown_range, learning_rate
from rasid.train.pretraining.shards import TokenStream, find_files, prepare_shards, read_texts

SUBJECTS = ["الرئيس", "الوزير", "المتحدث", "الجيش", "الشرطة", "البرلمان"]
VERBS = ["أعلن", "رفض", "زار", "هاجم", "استقبل", "دعا"]
PLACES = ["القاهرة", "بغداد", "واشنطن", "دمشق", "بيروت", "وطرابلس"]


@pytest.fixture(autouse=True)
def one_thread():
    """Threads make models this small slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """400 articles of three sentences; the subject of a sentence determines its verb and place."""
    chance = random.Random(0)
    articles = []
    for number in range(400):
        actors = (chance.randrange(len(SUBJECTS)) for _ in range(3))
        sentences = [f"{VERBS[i]} {SUBJECTS[i]} في {PLACES[i]} ." for i in actors]
        articles.append("\n".join([*sentences, f"رقم {number}"]))
    path = tmp_path_factory.mktemp("corpus") / "news.txt"
    path.write_text("\n\n".join(articles) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def make_config(corpus, tmp_path):
    """A config for a model of 2 layers of width 32; keyword arguments update its sections."""

    def make(output="run", **sections):
        content = {
            "output": str(tmp_path / output),
            "data": {"files": [str(corpus)], "heldout": 0.1, "cache": str(tmp_path / "cache")},
            "tokenizer": {"vocabulary": 150},
            "model": {"layers": 2, "hidden": 32, "heads": 2, "intermediate": 48, "window": 32},
            "optimization": dict(learning_rate=5e-3, warmup_tokens=1000, batch=4, sequence=24, precision="fp32"),
            "budget": {"tokens": 96 * 12},
            "reporting": {"log_steps": 4, "evaluate_steps": 10, "evaluate_sequences": 16},
        }
        for name, section in sections.items():
            content[name] = {**content[name], **section} if isinstance(content.get(name), dict) else section
        return PretrainConfig.model_validate(content)

    return make


@pytest.fixture
def special():
    return SpecialIds(start=2, end=3, mask=4, vocabulary=50)


def rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def weights(folder):
    return AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).state_dict()


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_loss_falls_and_the_result_is_a_transformers_checkpoint(make_config, tmp_path):
    config = make_config(
        budget={"tokens": 16 * 24 * 400},
        objective={"masked": 0.3},
        optimization={"cooldown": 0.3, "batch": 16, "learning_rate": 1e-2},
        reporting={"evaluate_steps": 100},
    )
    folder = run_pretraining(config)
    held = [row for row in rows(tmp_path / "run") if "heldout_loss" in row]
    assert held[-1]["heldout_loss"] < held[0]["heldout_loss"] - 0.5
    assert held[-1]["heldout_perplexity"] == pytest.approx(np.exp(held[-1]["heldout_loss"]))
    assert held[-1]["heldout_accuracy"] > 0.3
    names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    encoded = tokenizer("وأعلن الرئيسُ", return_tensors="pt")
    assert set(encoded) == {"input_ids", "attention_mask"}
    assert tokenizer.unk_token_id not in encoded["input_ids"]
    assert model(**encoded).last_hidden_state.shape[-1] == 32


def test_export_in_half_precision(make_config):
    folder = run_pretraining(make_config(reporting={"export_dtype": "float16"}))
    assert all(value.dtype == torch.float16 for value in AutoModel.from_pretrained(folder).state_dict().values())


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_stopped_and_resumed_run_is_bit_equal(make_config, monkeypatch, tmp_path, optimizer):
    whole = run_pretraining(make_config("whole", optimization={"optimizer": optimizer}))
    calls = 0

    def interrupted(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return sequences_at(*args, **kwargs)

    monkeypatch.setattr(loop, "sequences_at", interrupted)
    config = make_config("parts", optimization={"optimizer": optimizer})
    parts = run_pretraining(config)
    assert rows(tmp_path / "parts")[-1]["step"] == 6
    monkeypatch.setattr(loop, "sequences_at", sequences_at)
    assert run_pretraining(config) == parts
    assert equal(weights(whole), weights(parts))
    losses = {name: [r["loss"] for r in rows(tmp_path / name) if "loss" in r] for name in ("whole", "parts")}
    assert losses["whole"] == losses["parts"]


def test_a_run_killed_between_checkpoints_is_bit_equal(make_config, monkeypatch, tmp_path):
    whole = run_pretraining(make_config("whole"))

    def killed(stream, step, *args, **kwargs):
        if step == 9:
            raise KeyboardInterrupt
        return sequences_at(stream, step, *args, **kwargs)

    monkeypatch.setattr(loop, "sequences_at", killed)
    config = make_config("parts", reporting={"checkpoint_minutes": 1e-9})
    with pytest.raises(KeyboardInterrupt):
        run_pretraining(config)
    last = sorted((tmp_path / "parts" / "checkpoints").iterdir())
    assert [path.name for path in last] == ["step-000000008", "step-000000009"]
    (last[-1] / "training_state.pt").unlink()  # as if it had been killed while it wrote the last one
    monkeypatch.setattr(loop, "sequences_at", sequences_at)
    assert equal(weights(whole), weights(run_pretraining(config)))
    steps = [row["step"] for row in rows(tmp_path / "parts")]
    assert steps == sorted(steps)


def test_cooldown_starts_from_a_checkpoint_of_another_run(make_config, tmp_path):
    run_pretraining(make_config("trunk"))
    [trunk] = (tmp_path / "trunk" / "checkpoints").iterdir()
    before = (trunk / "model.safetensors").read_bytes()
    end = {"budget": {"tokens": None}, "optimization": {"cooldown": 0.25}, "reporting": {"log_steps": 1}}
    run_pretraining(make_config("final", start_from=str(trunk), **end))
    log = [row for row in rows(tmp_path / "final") if "loss" in row]
    assert [row["step"] for row in log] == [13, 14, 15, 16]
    rates = [row["learning_rate"] for row in log]
    assert rates == sorted(rates, reverse=True) and rates[-1] < rates[0] / 2
    assert (trunk / "model.safetensors").read_bytes() == before


def test_learning_rate_schedule():
    section = Optimization(learning_rate=1.0, warmup_tokens=100, cooldown=0.5, cooldown_shape="linear")
    assert learning_rate(0, section, None, None) == pytest.approx(0.01)
    assert learning_rate(10**6, section, None, None) == 1.0
    assert [learning_rate(t, section, 1000, 2000) for t in (1000, 1500, 2000, 3000)] == [1.0, 0.5, 0.0, 0.0]
    root = section.model_copy(update={"cooldown_shape": "1-sqrt"})
    assert learning_rate(1250, root, 1000, 2000) == pytest.approx(0.5)


def test_a_cooldown_without_budget_and_checkpoint_is_an_error(make_config):
    config = make_config(budget={"tokens": None}, optimization={"cooldown": 0.1})
    with pytest.raises(PretrainingError, match=r"budget\.tokens"):
        cooldown_range(config, 0.0)


def test_domain_adaptation_from_a_bert_checkpoint(make_config, corpus, tmp_path):
    stock = train_wordpiece(read_texts(corpus), 150, normalized=False)
    stock.save(str(tmp_path / "stock.json"))
    first = make_config("stock", tokenizer={"path": str(tmp_path / "stock.json")})
    encoder = run_pretraining(first)  # for its tokenizer files
    torch.manual_seed(0)
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
    config = BertConfig(vocab_size=stock.get_vocab_size(), max_position_embeddings=64, **shape)
    BertForMaskedLM(config).save_pretrained(encoder)
    adapted = run_pretraining(make_config("adapted", encoder=str(encoder), budget={"tokens": 96 * 60}))
    model = AutoModelForMaskedLM.from_pretrained(adapted)
    assert model.config.model_type == "bert"
    held = [row["heldout_loss"] for row in rows(tmp_path / "adapted") if "heldout_loss" in row]
    assert held[-1] < held[0]
    # The tokenizer has the normalizer, which deletes diacritics.
    assert AutoTokenizer.from_pretrained(adapted).tokenize("الرئيسُ") == ["الرئيس"]
    with pytest.raises(PretrainingError, match="128"):
        run_pretraining(make_config("long", encoder=str(encoder), optimization={"sequence": 128}))


def test_whole_words_are_masked_together(special):
    generator = np.random.default_rng(0)
    ids = generator.integers(5, 50, size=(64, 32))
    ids[:, 0], ids[:, -1] = special.start, special.end
    continues = generator.random(ids.shape) < 0.5
    continues[:, [0, 1, -1]] = False
    batch = mask_words(ids, continues, special, share=0.3, generator=generator)
    chosen = np.zeros(ids.size, dtype=bool)
    chosen[batch.positions.numpy()] = True
    chosen = chosen.reshape(ids.shape)
    assert not chosen[:, [0, -1]].any()
    inside = continues
    assert (chosen[inside] == np.roll(chosen, 1, axis=1)[inside]).all()
    assert chosen[:, 1:-1].mean() == pytest.approx(0.3, abs=0.05)
    assert (batch.labels.numpy() == ids[chosen]).all()
    assert (batch.ids.numpy()[~chosen] == ids[~chosen]).all()
    masked = batch.ids.numpy()[chosen] == special.mask
    assert masked.mean() == pytest.approx(0.8, abs=0.06)
    assert (batch.ids.numpy()[chosen] == ids[chosen]).mean() == pytest.approx(0.1, abs=0.05)


def test_sub_words_are_masked_separately(special):
    ids, continues = np.full((8, 32), 9), np.ones((8, 32), dtype=bool)
    batch = mask_words(ids, continues, special, share=0.5, generator=np.random.default_rng(0), whole_words=False)
    assert 0 < len(batch.positions) < ids.size
    assert len(mask_words(ids, ~continues, special, share=1e-9, generator=np.random.default_rng(0)).positions) == 1


def test_an_epoch_has_every_chunk_once_and_epochs_differ(special):
    stream = TokenStream(ids=np.arange(1000, dtype=np.uint16), continues=np.zeros(1000, dtype=np.uint8))
    shape = {"batch": 4, "sequence": 12, "seed": 7}
    steps = steps_per_epoch(stream, batch=4, sequence=12)
    read = [sequences_at(stream, step, special, **shape)[0][:, 1:-1] for step in range(2 * steps)]
    for epoch in (read[:steps], read[steps:]):
        seen = np.concatenate([ids.ravel() for ids in epoch])
        assert len(seen) == len(set(seen)) == steps * 40
    assert not np.array_equal(read[0], read[steps])
    with pytest.raises(PretrainingError, match="less than one batch"):
        steps_per_epoch(stream, batch=200, sequence=12)


def test_loss_at_masked_positions_equals_the_loss_of_all_logits():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)
    model = BertForMaskedLM(config).eval()
    ids, positions = torch.randint(60, (3, 9)), torch.tensor([0, 4, 5, 11, 26])
    labels = torch.randint(60, (5,))
    full = torch.full((27,), -100)
    full[positions] = labels
    expected = model(input_ids=ids, labels=full.view(3, 9)).loss
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    layers = output_layers(model)
    assert layers is not None
    for fused in (True, False):
        model.zero_grad()
        hidden = layers[0](model.bert(input_ids=ids).last_hidden_state.flatten(0, 1)[positions])
        loss = masked_loss(hidden, layers[1], labels, fused=fused, dtype=torch.float32)
        (2 * loss).backward()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
        for name, p in model.named_parameters():
            torch.testing.assert_close(p.grad, 2 * gradients[name], msg=name)


def test_shards_have_the_text_and_are_reused(corpus, tmp_path):
    packed = tmp_path / "news.txt.xz"
    packed.write_bytes(lzma.compress(corpus.read_bytes()))
    lines = tmp_path / "news.jsonl"
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in read_texts(corpus)))
    assert list(read_texts(packed)) == list(read_texts(lines)) == list(read_texts(corpus))
    tokenizer = train_wordpiece(read_texts(corpus), 150)
    shards = prepare_shards([packed], tokenizer, tmp_path / "cache", heldout=0.1)
    assert shards.counts["train"]["articles"] + shards.counts["heldout"]["articles"] == 400
    assert 15 < shards.counts["heldout"]["articles"] < 80
    stream, end = shards.train, tokenizer.token_to_id("[SEP]")
    assert (stream.ids == end).sum() == shards.counts["train"]["articles"] and stream.ids[-1] == end
    pieces = [tokenizer.id_to_token(int(i)) for i in stream.ids]
    assert [str(p).startswith("##") for p in pieces] == stream.continues.astype(bool).tolist()
    assert any(stream.continues)
    [folder] = (tmp_path / "cache").iterdir()
    written = (folder / "train.ids").stat().st_mtime_ns
    again = prepare_shards([packed], tokenizer, tmp_path / "cache", heldout=0.1)
    assert np.array_equal(again.train.ids, stream.ids)
    assert (folder / "train.ids").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.jsonl", '{"text": "خبر"}\n{"body": "خبر"}\n'.encode(), r"bad\.jsonl:2:.*text"),
        ("latin.txt", b"caf\xe9\n", r"latin\.txt:1:.*UTF-8"),
        ("broken.txt.xz", lzma.compress("خبر".encode() * 500)[:-40], r"broken\.txt\.xz"),
    ],
)
def test_errors_of_the_text_name_file_and_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_texts(tmp_path / name))


def test_files_without_text_are_errors(tmp_path, corpus):
    with pytest.raises(DataError, match="nothing-here"):
        find_files([str(tmp_path / "nothing-here*.txt")])
    with pytest.raises(DataError, match="excluded"):
        find_files([str(corpus)], exclude=["*news*"])
    tokenizer = train_wordpiece(read_texts(corpus), 150)
    one = tmp_path / "one.txt"
    one.write_text("خبر", encoding="utf-8")
    with pytest.raises(DataError, match="no article for the"):
        prepare_shards([one], tokenizer, tmp_path / "cache", heldout=0.001)
    assert not list((tmp_path / "cache").iterdir())


def test_a_checkpoint_of_another_tokenizer_is_an_error(make_config, tmp_path):
    run_pretraining(make_config())
    (tmp_path / "run" / "tokenizer.json").unlink()
    [checkpoint] = (tmp_path / "run" / "checkpoints").iterdir()
    (checkpoint / "tokenizer.json").unlink()
    write_manifest(checkpoint, hashed=False)
    with pytest.raises(PretrainingError, match="another tokenizer"):
        run_pretraining(make_config(tokenizer={"normalize": False}))
    with pytest.raises(PretrainingError, match="not a checkpoint"):
        run_pretraining(make_config("other", start_from=str(tmp_path)))


def test_a_checkpoint_that_was_cut_off_is_passed_over(make_config, tmp_path, caplog):
    run_pretraining(make_config())
    [checkpoint] = (tmp_path / "run" / "checkpoints").iterdir()
    whole = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    state = checkpoint / "training_state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    run_pretraining(make_config())
    assert f"{checkpoint} is not complete and is passed over: training_state.pt" in caplog.text
    again = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert again["step"] == whole["step"]


def test_a_loss_that_is_not_finite_stops_the_run(make_config, monkeypatch):
    monkeypatch.setattr(loop, "learning_rate", lambda *args: 1e30)
    with pytest.raises(PretrainingError, match=r"at step \d+.*learning_rate"):
        run_pretraining(make_config())


@pytest.mark.parametrize(
    ("override", "message"), [("model.heads=3", "cannot be split"), ("optimization.learning_rat=1", "learning_rate")]
)
def test_invalid_configs(override, message):
    with pytest.raises(ConfigError, match=message):
        load_config("pretrain-mini", PretrainConfig, [override])


def test_zst_is_read_if_the_package_is_installed(tmp_path, corpus, monkeypatch):
    packed = tmp_path / "news.txt.zst"
    packed.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(DataError, match="pip install zstandard"):
        list(read_texts(packed))
    monkeypatch.undo()
    zstandard = pytest.importorskip("zstandard")
    packed.write_bytes(zstandard.compress(corpus.read_bytes()))
    assert list(read_texts(packed)) == list(read_texts(corpus))


def test_an_encoder_that_does_not_exist_is_an_error(make_config, tmp_path):
    missing = str(tmp_path / "missing")
    with pytest.raises(PretrainingError, match="tokenizer .*missing"):
        run_pretraining(make_config(encoder=missing))
    with pytest.raises(PretrainingError, match="tokenizer .*missing"):
        run_pretraining(make_config(tokenizer={"path": f"{missing}.json"}))


def test_normalization_needs_a_wordpiece_tokenizer(make_config, corpus, tmp_path):
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    trainer = BpeTrainer(
        vocab_size=150, special_tokens=["<pad>", "<unk>", "<s>", "</s>", "<mask>"], show_progress=False
    )
    tokenizer.train_from_iterator(read_texts(corpus), trainer)
    tokenizer.save(str(tmp_path / "bpe.json"))
    section = {"path": str(tmp_path / "bpe.json")}
    with pytest.raises(PretrainingError, match="normalize=false"):
        run_pretraining(make_config("refused", tokenizer=section))
    folder = run_pretraining(make_config(tokenizer={**section, "normalize": False}))
    assert AutoTokenizer.from_pretrained(folder).mask_token == "<mask>"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_model_has_the_same_loss(make_config, tmp_path):
    section = {"compile": True, "sequence": 16}
    run_pretraining(make_config("compiled", optimization=section, budget={"tokens": 64 * 4}))
    run_pretraining(make_config("plain", optimization=section | {"compile": False}, budget={"tokens": 64 * 4}))
    losses = [[row["loss"] for row in rows(tmp_path / name) if "loss" in row] for name in ("compiled", "plain")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_bfloat16_keeps_weights_in_float32(make_config, tmp_path):
    folder = run_pretraining(make_config("low", optimization={"precision": "bf16"}))
    run_pretraining(make_config("high"))
    assert all(value.dtype == torch.float32 for value in AutoModel.from_pretrained(folder).state_dict().values())
    low, high = ([row["loss"] for row in rows(tmp_path / name) if "loss" in row] for name in ("low", "high"))
    assert low == pytest.approx(high, rel=0.02) and low != high


def test_a_finished_run_is_not_changed(make_config, tmp_path):
    run_pretraining(make_config())
    before = (tmp_path / "run" / "metrics.jsonl").read_text()
    with (tmp_path / "run" / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 1')  # a line that a kill cut short
    run_pretraining(make_config())
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == before


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def pretrain(tmp_path, rasid):
    """Runs `rasid pretrain` with a tiny model; arguments are further overrides."""
    config = "model={layers: 1, hidden: 16, heads: 2, intermediate: 16, window: 16}"
    tiny = [config, "tokenizer.vocabulary=150", "optimization={batch: 2, sequence: 16, compile: false}"]

    return partial(rasid, "pretrain", "pretrain-mini", f"output={tmp_path / 'run'}", "data.heldout=0.1", *tiny)


def test_command_trains_and_resumes(pretrain, corpus, tmp_path):
    result = pretrain(f"data.files=[{corpus}]", "budget.tokens=128")
    assert f"encoder: {tmp_path / 'run/model'}" in result.stdout.replace("\n", "")
    assert AutoModel.from_pretrained(tmp_path / "run/model").config.hidden_size == 16
    before = rows(tmp_path / "run")
    assert [row["step"] for row in before] == [4]
    pretrain(f"data.files=[{corpus}]", "budget.tokens=256")
    assert [row["step"] for row in rows(tmp_path / "run")] == [4, 8] and rows(tmp_path / "run")[0] == before[0]


def test_command_with_too_little_text_is_one_error_and_saves_no_tokenizer(pretrain, corpus, tmp_path):
    result = pretrain(f"data.files=[{corpus}]", "optimization.batch=10000", code=1)
    assert "too little text" in result.stderr and "add text to data.files" in result.stderr
    assert not (tmp_path / "run/tokenizer.json").exists()  # else it would be used when more text is given
