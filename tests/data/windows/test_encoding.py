"""Words and windows: whatever the text and the tokenizer, nothing is lost and every offset is right."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from rasid.data.articles import Article, Sentence
from rasid.data.text.sentences import split_sentences
from rasid.data.text.words import split_words
from rasid.data.windows.encoding import LONGEST_WORD, EncodedText, TextEncoder

LINES = [
    "قال متحدث إن القصف وقع قرب سوريا وواشنطن يوم الثلاثاء.",
    "«هل يعود؟» لا أحد يعلم... U.S. said (hello) 12 3.5",
    "بغداد؛ دمشق، وسامر الحلبي! المُتَحَدِّثُ",
] * 8
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
KINDS = ["wordpiece", "byte-level", "sentencepiece"]


def byte_level() -> Tokenizer:
    """As RoBERTa's and ModernBERT's: bytes, white space kept."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        LINES,
        trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def sentence_piece() -> Tokenizer:
    """As XLM-R's: Unigram over NFKC text with ▁ for spaces, and an unknown token that swallows what follows it."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(
        LINES, trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


@pytest.fixture(scope="module")
def encoders(tokenizer_json: str) -> dict[str, Callable[..., TextEncoder]]:
    """Makers of encoders over the three kinds of tokenizer."""
    made = (tokenizer_json, byte_level().to_str(), sentence_piece().to_str())

    def maker(content: str) -> Callable[..., TextEncoder]:
        return lambda window=72, overlap=20: TextEncoder(Tokenizer.from_str(content), window=window, overlap=overlap)

    return {name: maker(content) for name, content in zip(KINDS, made, strict=True)}


UNUSUAL_TEXTS = {
    "empty": "",
    "white space": " \t\r\n\u00a0\u2003" * 40,
    "one letter": "ا" * 10_000,
    "one symbol": "!" * 3_000,
    "spaces between": "سوريا" + " " * 5_000 + "قال" + "\n" * 5_000,
    "nul before": "\0" * 3_000 + "قال",
    "nul alone": "\0" * 300,
    "emoji": "😀👨‍👩‍👧🇸🇾" * 200,
    "presentation forms": "ﷺ" * 300 + " ﻻﷲ ",
    "marks without base": "\u064e" * 500 + " \u0301\u0301 ـ",
    "joined by zwnj": "سوريا\u200c" * 400,
    "only bidi marks": "\u200f\u200e\u202b\u202c" * 50,
    "lone surrogates": "قال \ud83d وسوريا\udc00" * 60,
    "crlf": "قال متحدث.\r\nسوريا.\r\n" * 60,
    "typed special tokens": "[CLS] قال [SEP] [PAD] [MASK] <s> </s> <pad> سوريا " * 30,
    "han": "漢字" * 400,
    "tags and links": "<b>سوريا</b> http://t.co/abc @user &quot;قال&quot; a@b.org " * 20,
    "combining after everything": "".join(c + "\u0651\u064e" for c in "سوريا وواشنطن") * 40,
}

PIECES = st.sampled_from([
    *LINES[:3], "سوريا", "و", "ـ", "َ", "\u200c", "\u200f", "\u2067", "\u200b", "ﷺ", "ﻻ", "ک", "😀", "👩‍🚒",
    "\0", "\r\n", "\n", " ", " " * 40, "ا" * 60, "!!!!", "...", "[SEP]", "</s>", "\ud800", "\udfff", "\u0301", "١٢٣",
    "12كم", "é", "漢字", "&amp;", "<br />",
])  # fmt: skip
HOSTILE = st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join)


def check_invariants(encoder: TextEncoder, text: str, encoded: EncodedText) -> None:
    """Everything that holds of any encoding."""
    words, windows = encoded.words, encoded.windows
    assert ((words[:, 0] >= 0) & (words[:, 0] < words[:, 1]) & (words[:, 1] <= len(text))).all()
    assert (words[1:, 0] >= words[:-1, 1]).all()

    # Every word is unread, or one word, or tiled by several.
    expected = {tuple(word) for word in split_words(text).tolist()}
    unread = {tuple(word) for word in encoded.unread.tolist()}
    assert unread <= expected
    starts, ends = words[:, 0].tolist(), set(words[:, 1].tolist())
    read = expected - unread
    assert {start for start, _ in read} <= set(starts) and {end for _, end in read} <= ends
    covered = sum(end - start for start, end in words.tolist())
    assert covered == sum(end - start for start, end in read)

    assert [window.owned for window in windows] == sorted(window.owned for window in windows)
    edges = [edge for window in windows for edge in window.owned]
    assert bool(windows) == bool(len(words))
    assert not windows or (edges[0], edges[-1]) == (0, len(words))
    assert edges[1:-1:2] == edges[2:-1:2]

    bounds: dict[int, int] = {}  # word → sub-words
    for window in windows:
        assert len(window.input_ids) <= encoder.window
        assert len(window.words)
        assert window.first_word <= window.owned[0] <= window.owned[1] <= window.first_word + len(window.words)
        inner = window.words
        assert inner[0, 0] == len(encoder.prefix) and (inner[1:, 0] == inner[:-1, 1]).all()
        assert (inner[:, 1] > inner[:, 0]).all()
        assert inner[-1, 1] == len(window.input_ids) - len(encoder.suffix)
        for number, (first, last) in enumerate(inner.tolist(), window.first_word):
            assert bounds.setdefault(number, last - first) == last - first
    assert sorted(bounds) == list(range(len(words)))
    check_owners(encoded)
    check_sentences(encoded)


def check_owners(encoded: EncodedText) -> None:
    """The window that owns a word is the one in which it lies furthest from an edge."""
    count = len(encoded.words)
    margins: dict[int, dict[int, float]] = {}
    for number, window in enumerate(encoded.windows):
        left = window.words[0, 0] if window.first_word else -np.inf  # the text's own edges are none
        right = window.words[-1, 1] if window.first_word + len(window.words) < count else np.inf
        for word, (first, last) in enumerate(window.words.tolist(), window.first_word):
            center = (first + last) / 2
            margins.setdefault(word, {})[number] = min(center - left, right - center)
    for number, window in enumerate(encoded.windows):
        for word in range(*window.owned):
            assert margins[word][number] == max(margins[word].values())


def check_sentences(encoded: EncodedText) -> None:
    """A sentence that a window holds whole is owned once, by such a window; any other by all that touch it."""
    owns: dict[int, list[tuple[int, int, int]]] = {}
    for number, window in enumerate(encoded.windows):
        for sentence, first, last in window.sentences.tolist():
            assert 0 <= first < last <= len(window.words)
            owns.setdefault(sentence, []).append((number, window.first_word + first, window.first_word + last))
    assert sorted(owns) == list(range(len(encoded.sentences)))
    for sentence, (first, last) in enumerate(encoded.sentence_words.tolist()):
        spans = [(window.first_word, window.first_word + len(window.words)) for window in encoded.windows]
        whole = [number for number, (start, end) in enumerate(spans) if start <= first and last <= end]
        if whole:
            ((number, *found),) = owns[sentence]
            assert number in whole and found == [first, last]
        else:
            touching = [number for number, (start, end) in enumerate(spans) if start < last and first < end]
            assert [number for number, _, _ in owns[sentence]] == touching
            read = {word for _, start, end in owns[sentence] for word in range(start, end)}
            assert read == set(range(first, last))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNUSUAL_TEXTS)
def test_unusual_texts(encoders: dict, kind: str, name: str) -> None:
    encoder = encoders[kind]()
    (encoded,) = encoder.encode([UNUSUAL_TEXTS[name]])
    check_invariants(encoder, UNUSUAL_TEXTS[name], encoded)


@pytest.mark.parametrize("kind", KINDS)
@given(text=HOSTILE, overlap=st.sampled_from([0, 7, 20, 32]), window=st.sampled_from([66, 72, 100]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(encoders: dict, kind: str, text: str, window: int, overlap: int) -> None:
    encoder = encoders[kind](window, overlap)
    (encoded,) = encoder.encode([text])
    check_invariants(encoder, text, encoded)


@pytest.mark.parametrize("kind", KINDS)
@given(text=HOSTILE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_equal_the_text_without_windows(encoders: dict, kind: str, text: str) -> None:
    """Windows share words, sentences and sub-words with the un-windowed reading; a short text is one window."""
    (whole,) = encoders[kind](1_000_000, 0).encode([text])
    encoder = encoders[kind](66, 10)
    (parts,) = encoder.encode([text])
    for name in ("words", "unread", "sentences", "sentence_words"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    assert whole.unknown == parts.unknown and len(whole.windows) == bool(len(whole.words))
    for full in whole.windows:
        for window in parts.windows:
            inner = slice(window.first_word, window.first_word + len(window.words))
            assert np.array_equal(np.diff(full.words[inner]), np.diff(window.words))
            first, last = full.words[inner][0, 0], full.words[inner][-1, 1]
            body = window.input_ids[len(encoder.prefix) : len(window.input_ids) - len(encoder.suffix)]
            assert np.array_equal(full.input_ids[first:last], body)
        if len(full.input_ids) <= 66:
            (window,) = parts.windows
            assert np.array_equal(window.input_ids, full.input_ids) and np.array_equal(window.words, full.words)
            assert window.owned == full.owned and np.array_equal(window.sentences, full.sentences)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_text_is_encoded_as_by_the_tokenizer_alone(encoders: dict, kind: str) -> None:
    encoder = encoders[kind]()
    for text in ("سوريا وواشنطن", LINES[2], " سوريا  قال "):
        (encoded,) = encoder.encode([text])
        (window,) = encoded.windows
        assert window.input_ids.tolist() == encoder.tokenizer.encode(text).ids
        assert encoded.unknown == sum(token in ("[UNK]", "<unk>") for token in encoder.tokenizer.encode(text).tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_words_have_their_sub_words(encoders: dict, kind: str) -> None:
    text = "قال  متحدث إن القصف وقع"
    encoder = encoders[kind]()
    (encoded,) = encoder.encode([text])
    assert [text[start:end] for start, end in encoded.words] == text.split()
    (window,) = encoded.windows
    for (first, last), word in zip(window.words.tolist(), text.split(), strict=True):
        assert encoder.tokenizer.decode(window.input_ids[first:last].tolist()).replace(" ##", "").strip() == word


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_of_many_sub_words_is_cut_and_its_pieces_tile_it(encoders: dict, kind: str) -> None:
    word = "سوريا\u200cقال" * 30
    if kind == "wordpiece":  # its normalizer drops the joiner, and 100 letters are one unknown
        word = "".join(chr(0x628 + n * 7 % 18) for n in range(99))
    (encoded,) = encoders[kind](200, 50).encode([f"قبل {word} بعد"])
    inner = encoded.words[1:-1]
    assert len(inner) > 1 and inner[0, 0] == 4 and inner[-1, 1] == 4 + len(word)
    assert (inner[1:, 0] == inner[:-1, 1]).all()
    sizes = {n: int(last - first) for w in encoded.windows for n, (first, last) in enumerate(w.words, w.first_word)}
    assert max(sizes.values()) <= LONGEST_WORD and min(sizes.values()) > 0


def test_a_long_word_is_never_cut_inside_a_character(encoders: dict) -> None:
    encoder = encoders["byte-level"](200, 50)
    text = "漢" * 100  # three bytes each; 32 is no multiple
    (encoded,) = encoder.encode([text])
    for window in encoded.windows:
        for word, (first, last) in enumerate(window.words.tolist(), window.first_word):
            start, end = encoded.words[word]
            assert encoder.tokenizer.decode(window.input_ids[first:last].tolist()) == text[start:end]


def test_a_character_of_more_sub_words_than_a_word_should_have(encoders: dict) -> None:
    content = Tokenizer.from_str(byte_level().to_str())
    content.normalizer = normalizers.NFKC()
    encoder = TextEncoder(content, window=66, overlap=20)
    text = "ﷺ" * 20  # 18 characters, 33 bytes each after NFKC
    (encoded,) = encoder.encode([text])
    check_invariants(encoder, text, encoded)
    assert encoded.words[-1, 1] == 20


def test_typed_special_tokens_are_text(encoders: dict) -> None:
    encoder = encoders["wordpiece"]()
    (encoded,) = encoder.encode(["قال [SEP] سوريا"])
    (window,) = encoded.windows
    separator = encoder.tokenizer.token_to_id("[SEP]")
    assert (window.input_ids == separator).sum() == 1 and window.input_ids[-1] == separator
    encoder = encoders["sentencepiece"]()
    (encoded,) = encoder.encode(["قال </s> سوريا <pad>"])
    (window,) = encoded.windows
    assert (window.input_ids == 2).sum() == 1 and not (window.input_ids == encoder.pad_id).any()


def test_unread_words_and_unknown_sub_words_are_counted(encoders: dict) -> None:
    text = "سوريا 漢 قال"
    (encoded,) = encoders["wordpiece"]().encode([text])
    assert [text[start:end] for start, end in encoded.unread] == ["漢"]
    (encoded,) = encoders["sentencepiece"]().encode([text])
    assert encoded.unknown == 1 and not len(encoded.unread)
    (encoded,) = encoders["byte-level"]().encode([text])
    assert encoded.unknown == 0 and not len(encoded.unread)


@pytest.mark.parametrize("text", ["漢字 😀 Ω", " \t\0"])
def test_a_text_that_the_tokenizer_deletes_has_no_window(encoders: dict, text: str) -> None:
    (encoded,) = encoders["wordpiece"]().encode([text])
    assert not encoded.windows and not len(encoded.words) and not len(encoded.sentences)
    assert encoded.unread.tolist() == split_words(text).tolist()


def test_words_on_both_sides_of_long_white_space_are_read(encoders: dict) -> None:
    """A tokenizer that keeps white space gets a page of it; the words on both sides are still read."""
    text = "سوريا" + " " * 500 + "قال" + "\n" * 500
    for kind in ("byte-level", "sentencepiece"):
        encoder = encoders[kind]()
        (encoded,) = encoder.encode([text])
        assert [text[start:end] for start, end in encoded.words] == ["سوريا", "قال"]
        (window,) = encoded.windows
        decoded = encoder.tokenizer.decode(window.input_ids.tolist())
        assert "سوريا" in decoded and "قال" in decoded


def with_sentences(text: str, *spans: tuple[int, int]) -> Article:
    return Article(text=text, sentences=tuple(Sentence(start=start, end=end) for start, end in spans))


def test_sentences_are_split_or_kept(encoders: dict) -> None:
    text = "قال متحدث. وقع القصف.\n\n漢\n\nسوريا"
    encoder = encoders["wordpiece"]()
    split, given = encoder.encode([text, with_sentences(text, (0, 15), (22, 24), (25, len(text)))])
    seen = [span for span in split_sentences(text) if "漢" not in text[slice(*span)]]
    assert [tuple(span) for span in split.sentences.tolist()] == seen
    assert given.sentences.tolist() == [[0, 15], [25, len(text)]]  # the middle one has nothing to read
    surfaces = [text[given.words[a, 0] : given.words[b - 1, 1]] for a, b in given.sentence_words]
    assert surfaces == ["قال متحدث. وقع", "سوريا"]


@pytest.mark.parametrize("overlap", [20, 21])
def test_a_sentence_as_far_from_the_edge_in_two_windows_has_one_owner(encoders: dict, overlap: int) -> None:
    text = "قال " * 300
    encoder = encoders["wordpiece"](72, overlap)
    (encoded,) = encoder.encode([with_sentences(text, *((at, at + 3) for at in range(0, len(text), 4)))])
    assert len(encoded.sentences) == 300 and len(encoded.windows) > 3
    check_invariants(encoder, text, encoded)


def test_many_texts_are_encoded_as_each_alone(encoders: dict) -> None:
    encoder = encoders["wordpiece"]()
    texts = [*LINES[:3], "", UNUSUAL_TEXTS["crlf"]]
    for text, encoded in zip(texts, encoder.encode(texts), strict=True):
        (alone,) = encoder.encode([text])
        assert np.array_equal(alone.words, encoded.words) and len(alone.windows) == len(encoded.windows)
    assert encoder.encode([]) == []


def test_settings_that_cannot_work_are_refused(encoders: dict) -> None:
    for window, overlap in ((65, 0), (72, 36), (72, -1)):
        with pytest.raises(ValueError, match="does not work"):
            encoders["wordpiece"](window, overlap)


def test_a_long_article_is_encoded_at_once(encoders: dict) -> None:
    text = (("\n".join(LINES) + "\n") * 100)[:100_000]
    assert len(text) == 100_000
    encoder = encoders["wordpiece"](512, 128)
    encoder.encode(["ا"])  # what is computed once is computed now
    start = time.process_time()
    (encoded,) = encoder.encode([text])
    assert time.process_time() - start < 2
    assert encoded.windows[-1].owned[1] == len(encoded.words) > 10_000
