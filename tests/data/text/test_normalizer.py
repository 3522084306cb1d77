"""AraBERT's preprocessing inside the tokenizer: the published words, and offsets into the raw text."""

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models

from rasid.data.text.normalizer import (
    PLACEHOLDERS,
    arabert_normalizer,
    arabert_pre_tokenizer,
    train_wordpiece,
    with_arabert_normalization,
)
from rasid.data.text.special_tokens import BERT_SPECIALS

VECTORS = json.loads((Path(__file__).parent / "vectors" / "arabert_v02.json").read_text(encoding="utf-8"))["vectors"]
NORMALIZERS = {repair: arabert_normalizer(repair=repair) for repair in (True, False)}
PRE_TOKENIZER = arabert_pre_tokenizer()
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئ"
PLAIN = LETTERS + "\u064b\u064e\u0651\u0640\u0670\u200f\ufeffپیگ٣۴7 \n،.»é😀"
HOSTILE = (
    LETTERS[:8] + "0123٤٥۶۷abZ .,،؟!«»()[]{}/\\@#&;<>=-_:\n\t\r\0\x85\u2028"
    "\u064b\u064e\u0651\u0640\u0653\u0670\u06dd\u200b\u200c\u200d\u200e\u200f\u202b\ufeff\u00ad\u0301"
    "ﻻﷺﹰﱞپگی½²…é中\U0001f600\U0001f1f8\U000e0001\U0001d7d8\ue000"
)


def cut(text: str, *, repair: bool) -> list[str]:
    normalized = NORMALIZERS[repair].normalize_str(text)
    return [word for word, _ in PRE_TOKENIZER.pre_tokenize_str(normalized)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Every letter, digit and symbol is in the vocabulary, alone and as a continuation."""
    pieces = sorted({*LETTERS, *"0123456789abcdefghijklmnopqrstuvwxyz.,،؟!«»()[]{}-#&;<>=_:…@ABZ"})
    vocabulary = {
        piece: index for index, piece in enumerate([*BERT_SPECIALS, *pieces, *(f"##{piece}" for piece in pieces)])
    }
    vocabulary |= {word: len(vocabulary) + index for index, word in enumerate(PLACEHOLDERS)}
    return with_arabert_normalization(Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]")))


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    return train_wordpiece(iter(["نص"]), 400)


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_words_equal_those_of_the_published_preprocessor(vector: dict) -> None:
    assert cut(vector["text"], repair=False) == vector["words"]


def test_there_are_enough_vectors() -> None:
    assert len({vector["text"] for vector in VECTORS}) >= 240


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ﺳﻮﺭﻳﺎ ﻻ", ["سوريا", "لا"]),
        ("کابل یزد", ["كابل", "يزد"]),
        ("پاریس چای ڤيينا ژنو", ["باريس", "جاي", "فيينا", "زنو"]),
        ("هٰذا ٱلله", ["هذا", "الله"]),
        ("می\u200cروم", ["ميروم"]),
        ("\ufeff\u202bغزة\u202c\u200f.", ["غزة", "."]),
        ("۱۲۳ ۵۰٪", ["123", "50", "٪"]),
        ("ا\u0653ل و\u0654", ["آل", "ؤ"]),
        ("كتابﹰ ولدﱞ", ["كتاب", "ولد"]),
        ("نص\u200bنص", ["نص", "نص"]),
        ("10² ½ ① ＡＢ", ["10"]),
        ("نعم… لا...", ["نعم", "…", "لا", ".", "."]),
        ("3 < 5 كلمات 7 > 2", ["3", "<", "5", "كلمات", "7", ">", "2"]),
        ("<p class='x'>نص</p><!-- تعليق -->", ["نص"]),
        ("ﷲ", ["الله"]),
    ],
)
def test_repair_keeps_letters(text: str, words: list[str]) -> None:
    assert cut(text, repair=True) == words


def test_repair_does_not_change_plain_news() -> None:
    for vector in VECTORS:
        if all(character in LETTERS + '0123456789 .،؟!:()«»"-' for character in vector["text"]):
            assert cut(vector["text"], repair=True) == vector["words"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(HOSTILE), max_size=60) | st.text(max_size=30))
def test_offsets_are_in_order_and_inside_the_text(tokenizer: Tokenizer, text: str) -> None:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    last = 0
    for start, end in encoding.offsets:
        assert last <= start < end <= len(text)
        last = start


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(PLAIN), max_size=60))
def test_offsets_cover_the_characters_of_a_sub_word(tokenizer: Tokenizer, text: str) -> None:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        read = "".join(cut(text[start:end], repair=True))
        assert read == token.removeprefix("##")
    read = "".join(token.removeprefix("##") for token in encoding.tokens)
    assert read == "".join(cut(text, repair=True))


def test_sub_words_do_not_cover_a_mark_after_the_word(tokenizer: Tokenizer) -> None:
    text = "قال الرئيسُ"
    assert tokenizer.encode(text, add_special_tokens=False).offsets[-1] == (9, 10)


def test_a_url_is_aligned_with_its_last_character(tokenizer: Tokenizer) -> None:
    text = "انظر https://example.org/a الآن"
    encoding = tokenizer.encode(text, add_special_tokens=False)
    at = encoding.tokens.index("[رابط]")
    end = text.index(" الآن")
    assert encoding.offsets[at] == (end - 1, end)


@pytest.mark.parametrize("repair", [True, False])
def test_tokenizer_json_round_trip(tokenizer: Tokenizer, tmp_path: Path, repair: bool) -> None:
    saved = with_arabert_normalization(tokenizer, repair=repair)
    saved.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in [vector["text"] for vector in VECTORS] + ["گاز ۱۲ ﻻ"]:
        first, second = saved.encode(text), loaded.encode(text)
        assert (first.ids, first.offsets) == (second.ids, second.offsets)
        assert second.tokens == tokenizer.encode(text).tokens or not repair


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("where", ["vocabulary", "added", "both", "neither"])
def test_placeholders_of_the_vocabulary_are_not_split(where: str, special: bool) -> None:
    pieces = [*BERT_SPECIALS, "[", "]", *"رابط", *(f"##{letter}" for letter in "رابط"), "نص"]
    pieces += PLACEHOLDERS if where in ("vocabulary", "both") else ()
    stock = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    if where in ("added", "both"):
        stock.add_tokens([AddedToken(word, special=special, normalized=False) for word in PLACEHOLDERS])
    tokens = with_arabert_normalization(stock).encode("نص https://example.org نص").tokens
    middle = ["[", "ر", "##ا", "##ب", "##ط", "]"] if where == "neither" else ["[رابط]"]
    assert tokens == ["نص", *middle, "نص"]


def test_other_parts_of_the_tokenizer_are_kept() -> None:
    stock = train_wordpiece(iter(["نص قصير في الخبر"] * 5), 80, normalized=False)
    stock.enable_truncation(7)
    ours = with_arabert_normalization(stock)
    assert ours.get_vocab() == stock.get_vocab()
    assert ours.encode("نص في").tokens == stock.encode("نص في").tokens
    assert ours.truncation == stock.truncation
    assert stock.encode("نصُ").tokens != ours.encode("نصُ").tokens == ours.encode("نص").tokens


@pytest.mark.parametrize("normalized", [True, False])
def test_training(normalized: bool) -> None:
    lines = ["قالت الوزارة إن الحصيلة بلغت ١٢ قتيلاً", "وصل الوزير إلى دمشق www.example.org"] * 20
    tokenizer = train_wordpiece(iter(lines), 400, normalized=normalized)
    assert [tokenizer.token_to_id(token) for token in BERT_SPECIALS] == list(range(len(BERT_SPECIALS)))
    encoding = tokenizer.encode("قالت الوزارة", "دمشق")
    assert encoding.tokens == ["[CLS]", "قالت", "الوزارة", "[SEP]", "دمشق", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 0, 1, 1]
    assert tokenizer.decode(tokenizer.encode("وصل الوزير").ids) == "وصل الوزير"
    assert tokenizer.get_vocab_size() <= 400
    assert tokenizer.encode(lines[0]).tokens[5:7] == (["بلغت", "12"] if normalized else ["بلغت", "١٢"])
    assert ("[رابط]" in tokenizer.encode(lines[1]).tokens) == normalized


def test_training_is_deterministic() -> None:
    lines = [vector["text"] for vector in VECTORS]
    first, second = (train_wordpiece(iter(lines), 500) for _ in range(2))
    assert first.to_str() == second.to_str()
    assert first.get_vocab_size() == 500


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.sampled_from(HOSTILE), max_size=60) | st.text(max_size=30))
def test_trained_tokenizer_has_all_characters(trained: Tokenizer, text: str) -> None:
    assert "[UNK]" not in trained.encode(text).tokens


@pytest.mark.parametrize("text", ["a", "a-", "@", "<", "&", "ه", "\u064b", "5ك", "a.", "http://", "<a ", "&a", "a@"])
@pytest.mark.parametrize("tail", ["", "@"])
def test_hostile_text_takes_linear_time(tokenizer: Tokenizer, text: str, tail: str) -> None:
    begin = time.process_time()
    tokenizer.encode(text * (40_000 // len(text)) + tail)
    assert time.process_time() - begin < 3


def test_format_characters_do_not_split_words() -> None:
    invisible = [character for character in map(chr, range(0x10000)) if unicodedata.category(character) == "Cf"]
    assert len(invisible) > 30
    for character in invisible:
        words = ["نص", "نص"] if character == "\u200b" else ["نصنص"]
        assert cut(f"نص{character}نص", repair=True) == words, hex(ord(character))
