import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from rasid.data.windows.collate import model_inputs
from rasid.data.windows.encoding import TextEncoder
from rasid.models.heads import ArticleHead, SentenceHead, WordPooling
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig

TASKS = ("entities", "triggers", "proclitics", "sentence_types", "article_types")
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
BERT = {"model_type": "bert", "max_position_embeddings": 128, **SMALL}
MODERN_BERT = {
    "model_type": "modernbert", "max_position_embeddings": 128, "pad_token_id": 0, "local_attention": 16, **SMALL
}  # fmt: skip


def heads_of(model: RasidModel) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, value) for name, value in model.named_parameters() if not name.startswith("encoder.")]


def model_of(encoder, vocabulary, **options) -> RasidModel:
    torch.manual_seed(0)
    given = {"tasks": TASKS, "entities": ["PER", "GPE"], "events": ["ASSAULT", "AID", "PROTEST"], **options}
    model = RasidModel(RasidConfig(encoder={**encoder, "vocab_size": vocabulary}, **given)).eval()
    with torch.no_grad():
        for _, parameter in heads_of(model):  # what begins at zero would hide a mistake
            parameter.normal_(std=0.5)
    return model


def states_and_words():
    states = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    words = torch.tensor([[[1, 2], [2, 5]], [[1, 4], [0, 0]]])  # the last one is padding
    return states, words


def test_first_and_mean_pooling():
    states, words = states_and_words()
    first, mean = (WordPooling(pooling, 4)(states, words) for pooling in ("first", "mean"))
    assert torch.equal(first[0], states[0, [1, 2]])
    assert torch.equal(first[1, 0], states[1, 1])
    torch.testing.assert_close(mean[0, 0], states[0, 1])
    torch.testing.assert_close(mean[0, 1], states[0, 2:5].mean(0))
    torch.testing.assert_close(mean[1, 0], states[1, 1:4].mean(0))
    assert torch.isfinite(mean).all()


def test_attention_weighs_the_subwords_of_the_word():
    states, words = states_and_words()
    pooling = WordPooling("attention", 4)
    assert pooling.score is not None
    score = 10 * torch.tanh(pooling.score(states[0, 2:5]).squeeze(-1) / 10)
    expected = (score.softmax(0)[:, None] * states[0, 2:5]).sum(0)
    torch.testing.assert_close(pooling(states, words)[0, 1], expected)


def test_attention_is_finite_for_huge_states():
    pooling = WordPooling("attention", 4)
    pooled = pooling(torch.full((1, 3, 4), 1e4), torch.tensor([[[0, 3]]]))
    torch.testing.assert_close(pooled, torch.full((1, 1, 4), 1e4))


def test_every_label_reads_its_own_words_of_its_sentence():
    torch.manual_seed(0)
    head = SentenceHead(4, 3)
    words = torch.randn(1, 5, 4)
    logits = head(words, torch.tensor([[[0, 2], [2, 5]]]))
    for number, (first, end) in enumerate([(0, 2), (2, 5)]):
        own = words[0, first:end]
        weight = (10 * torch.tanh(head.attention(own) / 10)).softmax(0)  # [W, K]
        torch.testing.assert_close(logits[0, number], (weight * head.value(own)).sum(0))


def test_an_article_is_read_off_its_sentences_and_their_places():
    head = ArticleHead(2, places=3)
    with torch.no_grad():
        head.place.weight.copy_(torch.tensor([[1.0], [0.5], [-2.0]]))
        head.scale.copy_(torch.tensor([1.0, 3.0]))
        head.bias.copy_(torch.tensor([0.0, 10.0]))
    logits = head(torch.tensor([[[1.0, 2.0]] * 4]), torch.tensor([[0, 1, 2, 900]]))
    assert logits[0].tolist() == [[2.0, 17.0], [1.5, 16.5], [-1.0, 14.0], [-1.0, 14.0]]


TEXTS = [
    "قصف في سوريا.",
    "قال متحدث إن تظاهر وقع قرب بغداد وسوريا يوم الثلاثاء. لم يضف المتحدث شيئا آخر عن سوريا. هدنة في واشنطن!",
    "هدنة",
    "وصلت مساعدات هيئة الإغاثة إلى بغداد. قال سامر الحلبي: لا.",
]


def windows_of(tokenizer, texts):
    return [w for text in TextEncoder(tokenizer, window=96, overlap=24).encode(texts) for w in text.windows]


def run(model, windows):
    inputs = {name: torch.from_numpy(values) for name, values in model_inputs(windows, pad_id=0).items()}
    with torch.inference_mode():
        return model(**inputs)


@pytest.mark.parametrize("pooling", ["first", "mean", "attention"])
@pytest.mark.parametrize("encoder", [BERT, MODERN_BERT], ids=["bert", "modernbert"])
def test_padding_changes_no_logit_of_any_head(encoder, pooling, tokenizer: Tokenizer):
    model = model_of(encoder, tokenizer.get_vocab_size(), pooling=pooling)
    windows = windows_of(tokenizer, TEXTS)
    assert len({len(window.input_ids) for window in windows}) > 2
    together = run(model, windows)
    assert set(together) == set(TASKS)
    for row, window in enumerate(windows):
        for task, logits in run(model, [window]).items():
            count = len(window.sentences) if task in ("sentence_types", "article_types") else len(window.words)
            assert count
            np.testing.assert_allclose(together[task][row, :count], logits[0, :count], atol=1e-5)


@pytest.mark.parametrize("chosen", [("entities",), ("triggers", "proclitics"), ("article_types",)])
def test_a_network_has_the_heads_of_its_tasks(chosen, tokenizer: Tokenizer):
    model = model_of(BERT, tokenizer.get_vocab_size(), tasks=chosen)
    assert tuple(run(model, windows_of(tokenizer, TEXTS[:1]))) == chosen
    heads = {name.split(".")[0] for name, _ in heads_of(model)}
    # Labels of articles are read off sentences.
    assert heads == set(chosen) | ({"sentence_types"} if "article_types" in chosen else set())


def test_saved_and_loaded_is_the_same_network(tmp_path, tokenizer: Tokenizer):
    model = model_of(BERT, tokenizer.get_vocab_size(), crf=True, pooling="attention")
    model.save_pretrained(tmp_path)
    again = RasidModel.from_pretrained(tmp_path)
    state = again.state_dict()
    assert set(state) == set(model.state_dict())
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert again.chain is not None
    assert model.chain is not None
    assert torch.equal(again.chain.scores(), model.chain.scores())


def test_rare_marks_begin_rare(tokenizer: Tokenizer):
    torch.manual_seed(0)
    config = RasidConfig(
        encoder={**BERT, "vocab_size": tokenizer.get_vocab_size()}, tasks=TASKS, entities=["PER"], events=["AID"]
    )
    model = RasidModel(config).eval()
    logits = run(model, windows_of(tokenizer, TEXTS[1:2]))
    for task, highest in (("triggers", 0.05), ("sentence_types", 0.2), ("article_types", 0.2)):
        assert logits[task].sigmoid().max() < highest
    assert logits["entities"].softmax(-1)[..., 1:].max() < 0.1
