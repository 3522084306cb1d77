r"""AraBERT's preprocessing as part of a tokenizer, so that tokenizer.json reproduces it and offsets index raw text.

The steps are those of the v02 models without Farasa segmentation (Antoun, Baly and Hajj 2020,
https://arxiv.org/abs/2003.00104). The published preprocessor changes the string before tokenization. Here the
normalizer rewrites characters, and the pre-tokenizer splits words and drops characters that are not in the vocabulary.
A repair step before it keeps letters that the published steps delete (گ, ڤ, پ, ی, ک, presentation forms, ۱۲۳).

Two limits of `tokenizers`: `Replace` has no groups, so a repetition is shortened by deleting each character that is
followed by two equal ones. And `Replace` aligns inserted text with the last character of its match, so the offsets of
`[رابط]` are those of the last character of the URL.
"""

import json
import re
from collections.abc import Iterator, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .special_tokens import BERT_SPECIALS

VERSION = "arabert-v02/1"
"""A change of the normalizer or the pre-tokenizer needs a new number: models that were trained before do not fit."""
PLACEHOLDERS = ("[رابط]", "[بريد]", "[مستخدم]")

_LETTER = "\u0621-\u063a\u0641-\u064a"
# Characters of the vocabulary that are not letters or digits; each is a word of its own.
_SYMBOL = "\u0653-\u065f\u066a-\u066c\u0671-\u0674\u06da\u0b4d·—–’‘“”«»…،؛؟" + re.escape(
    "!\"#$%'()*+,.:;-<=>?@[\\]^_`{|}~"
)
_MARK = "\u064b-\u0652\u0640"
# Format characters without the zero width space, which separates words; and the presentation forms of diacritics, which
# NFKC would combine with a space.
_INVISIBLE = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200c-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufc5e-\ufc63\ufe70-\ufe7f"
)
# Diacritics, superscript alef, Quranic signs, and hamza and madda that NFKC did not compose with a letter.
_MARK_REPAIRED = (
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08ca-\u08ff"
)
# The published steps replace all other characters by a space; here this comes before NFKC, which would make ² a digit.
_READABLE = (
    "\\x00-\\x7f\u00a0\u00ab\u00b7\u00bb\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0b4d\u2010-\u201f\u2026\u3000"
    "\ufb50-\ufdff\ufe70-\ufefc"
)
# Arabic letter → letters of Persian, Kurdish, Urdu and Arabic dialects that news writes with it.
_LETTERS_REPAIRED = {
    "ا": "ٱ", "أ": "ٲ", "إ": "ٳ", "ب": "پ", "ت": "ٹ", "ة": "ۃ", "ج": "چ", "د": "ڈ", "ر": "ڑڕ", "ز": "ژ", "ف": "ڤڥڢ",
    "ق": "ڨ", "ك": "کڪڭگ", "ل": "ڵ", "ن": "ں", "ه": "ہھەۀۂ", "و": "ۆۇۈۋ", "ي": "یېےێۍۓ",
}  # fmt: skip
_ENTITIES = {
    "<": "lt;?|#60;", ">": "gt;?|#62;", '"': "quot;?|#34;", "'": "apos;|#0?39;|#x27;", "«": "laquo;?|#171;",
    "»": "raquo;?|#187;", "–": "ndash;|#8211;", "—": "mdash;|#8212;", "…": "hellip;|#8230;", "“": "ldquo;|#8220;",
    "”": "rdquo;|#8221;", "‘": "lsquo;|#8216;", "’": "rsquo;|#8217;",
    " ": "nbsp;?|(?!amp)[A-Za-z][A-Za-z0-9]*;|#[0-9]+;|#[xX][0-9A-Fa-f]+;", "&": "amp;?",
}  # fmt: skip
_WORD = r"\p{L}\p{N}_"  # \w without combining marks, which Oniguruma includes
# Applied in this order: host names with paths, then other forms of addresses.
_URLS = (
    rf"(?:https?://.)?(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{{2,256}}\.[a-z]{{2,6}}(?![{_WORD}])[-a-zA-Z0-9@:%_+.~#?&/=]*",
    r"https?://[-a-zA-Z0-9_./~?=%&]+",
    r"www[-a-zA-Z0-9_?=%&/.~]+",
    r"[a-zA-Z]+\.com",
    r"http\S*",
    r"www\S*",
    "://",
)
# Anchored at the start of a run: otherwise a long run without @ takes quadratic time.
_MAILS = (rf"(?<![{_WORD}-])[{_WORD}-]++@(?:[{_WORD}-]+\.)+[{_WORD}-]+", r"(?<!\S)\S+@\S+")
_KEPT_ELLIPSIS = "\ue000"  # stands for … during NFKC, which would make it three dots


def arabert_normalizer(*, repair: bool = True) -> normalizers.Normalizer:
    """The normalizer of AraBERT's preprocessing.

    It decodes HTML entities; removes diacritics, tatweel and HTML tags; replaces URLs, e-mail addresses and user
    names by ``[رابط]``, ``[بريد]`` and ``[مستخدم]``; converts Arabic digits; shortens characters repeated three times
    or more to two; replaces slashes by hyphens.

    Args:
        repair: first apply NFKC to presentation forms, map letters of Persian, Kurdish and Urdu to the nearest Arabic
            letter, and convert extended digits, which the published steps delete; and remove superscript alef, zero
            width joiners, bidi marks and other format characters, which would split a word. False gives the published
            steps.

    Returns:
        A normalizer that can be saved in tokenizer.json.
    """
    steps: list[normalizers.Normalizer] = [_replace(f"&(?:{forms})", to) for to, forms in _ENTITIES.items()]
    if repair:
        steps += _repairs()
    steps.append(_replace(f"[{_MARK_REPAIRED if repair else _MARK}]", ""))
    steps += [_replace(pattern, " [رابط] ") for pattern in _URLS]
    steps += [_replace(pattern, " [بريد] ") for pattern in _MAILS]
    steps.append(_replace(f"@[{_WORD}]+", " [مستخدم] "))
    # The published pattern also removes the text from the "<" of "3 < 5" to the next ">"; the repaired one does not.
    steps += [normalizers.Replace("<br />", " "), _replace("</?[A-Za-z!][^<>]{0,999}>" if repair else "</?[^>]+>", " ")]
    steps += [normalizers.Replace(chr(0x660 + digit), str(digit)) for digit in range(10)]
    steps.append(_replace(r"([^\d\s])(?=\1\1)", ""))
    steps.append(normalizers.Replace("/", "-"))
    return normalizers.Sequence(steps)


def arabert_pre_tokenizer(placeholders: Sequence[str] = PLACEHOLDERS) -> pre_tokenizers.PreTokenizer:
    """The pre-tokenizer of AraBERT's preprocessing: splits words and symbols, and drops all other characters.

    Numbers are split from Arabic letters before and after them (``12كم`` is two words, ``U2`` is one).

    Args:
        placeholders: words in brackets that are not split.
    """
    whole = "".join(f"{re.escape(word)}|" for word in placeholders)
    # Two passes, as in the published steps: digits before letters, then letters before digits. One pass would split
    # words with Latin letters differently: 5كمa5 and aكم5.
    mixed = f"(?:[A-Za-z{_LETTER}]|[0-9]++(?![{_LETTER}]))+"
    words = f"(?<=[0-9])[{_LETTER}]+|[0-9]++(?=[{_LETTER}])|{mixed}|{whole}[{_SYMBOL}]"
    letters_before_digits = f"[{_LETTER}]+(?=[0-9])|(?<=[{_LETTER}])[0-9]+"
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "removed", invert=True),
            pre_tokenizers.Split(Regex(letters_before_digits), "isolated"),
        ]
    )


def with_arabert_normalization(tokenizer: Tokenizer, *, repair: bool = True) -> Tokenizer:
    """A copy of a tokenizer with AraBERT's preprocessing in it.

    Vocabulary, post-processor, decoder, truncation and padding are unchanged.

    Args:
        tokenizer: of an AraBERT v02 checkpoint, or of another model pretrained on text with this preprocessing.
        repair: see `arabert_normalizer`.
    """
    content = json.loads(tokenizer.to_str())
    known = tokenizer.get_vocab(with_added_tokens=True)
    for token in content["added_tokens"]:
        # By default added tokens are matched in the raw text; placeholders are in the normalized text.
        token["normalized"] = token["normalized"] or token["content"] in PLACEHOLDERS
    parts = Tokenizer(tokenizer.model)
    parts.normalizer = arabert_normalizer(repair=repair)  # pyright: ignore[reportAttributeAccessIssue]
    # A placeholder that is not in the vocabulary is split into brackets and a word, or it would be [UNK].
    parts.pre_tokenizer = arabert_pre_tokenizer(  # pyright: ignore[reportAttributeAccessIssue]
        [word for word in PLACEHOLDERS if word in known]
    )
    new = json.loads(parts.to_str())
    return Tokenizer.from_str(json.dumps(content | {key: new[key] for key in ("normalizer", "pre_tokenizer")}))


def train_wordpiece(
    texts: Iterator[str], vocabulary: int, *, normalized: bool = True, min_frequency: int = 2
) -> Tokenizer:
    """Train a WordPiece tokenizer with BERT's special tokens and template.

    Args:
        texts: articles or lines, raw.
        vocabulary: maximum size, special tokens included. With ``normalized`` all letters, digits and symbols (about
            300) are in the vocabulary, so no word of up to 100 characters is ``[UNK]``.
        normalized: use `arabert_normalizer` and `arabert_pre_tokenizer`; training is then deterministic. False uses
            those of BERT, cased; ids differ from run to run.
        min_frequency: pairs with a lower frequency are not merged.

    Returns:
        A tokenizer; ``[PAD]`` has id 0.
    """
    if normalized:
        normalizer, pre_tokenizer = arabert_normalizer(), arabert_pre_tokenizer()
        entries = [*PLACEHOLDERS, *_alphabet()]
    else:
        normalizer = normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False, lowercase=False)
        pre_tokenizer, entries = pre_tokenizers.BertPreTokenizer(), []
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # pyright: ignore[reportCallIssue]
    tokenizer.normalizer = normalizer  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.WordPiece(prefix="##")  # pyright: ignore[reportAttributeAccessIssue]
    # The trainer numbers continuation characters in the order of a hash table, which differs from run to run, and
    # breaks ties between merges by number. As special tokens they have fixed numbers; below they become normal entries.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        min_frequency=min_frequency,
        special_tokens=[*BERT_SPECIALS, *entries],
        continuing_subword_prefix="##",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.BertProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        ("[SEP]", BERT_SPECIALS.index("[SEP]")), ("[CLS]", BERT_SPECIALS.index("[CLS]"))
    )
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in BERT_SPECIALS]
    return Tokenizer.from_str(json.dumps(content))


def _alphabet() -> list[str]:
    """All characters that the pre-tokenizer keeps; those that can continue a word also with ``##``."""
    characters = [chr(codepoint) for codepoint in range(0x10000)]
    inside = [character for character in characters if re.match(f"[A-Za-z0-9{_LETTER}]", character)]
    symbols = [character for character in characters if re.match(f"[{_SYMBOL}]", character)]
    return [*symbols, *inside, *(f"##{character}" for character in inside)]


def _replace(pattern: str, to: str) -> normalizers.Normalizer:
    return normalizers.Replace(Regex(pattern), to)


def _repairs() -> list[normalizers.Normalizer]:
    return [
        _replace(f"[{_INVISIBLE}]", ""),
        _replace(f"[^{_READABLE}]", " "),
        normalizers.Replace("…", _KEPT_ELLIPSIS),
        normalizers.NFKC(),
        normalizers.Replace(_KEPT_ELLIPSIS, "…"),
        # One literal for each letter: this is six times as fast as a character class.
        *(normalizers.Replace(form, to) for to, forms in _LETTERS_REPAIRED.items() for form in forms),
        *(normalizers.Replace(chr(0x6F0 + digit), str(digit)) for digit in range(10)),
    ]
