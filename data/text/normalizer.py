r"""AraBERT's preprocessing inside the tokenizer, so that tokenizer.json alone reproduces it and offsets index raw text.

The steps are those of the v02 models (Antoun, Baly and Hajj 2020, https://arxiv.org/abs/2003.00104), the ones without
Farasa. What the published preprocessor does to a string before the tokenizer sees it is done here by the tokenizer:
the normalizer rewrites characters, the pre-tokenizer cuts words and leaves out what the vocabulary does not have.
A repair step in front of it keeps letters that the published steps delete (گ, ڤ, پ, ی, ک, presentation forms, ۱۲۳).

Two properties of `tokenizers` shape the code. `Replace` knows no groups, so a repetition is cut by deleting every
character that has two twins after it. And `Replace` aligns everything it inserts with the last character of its match:
the offsets of `[رابط]` are the last character of the URL.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VERSION = "arabert-v02/1"
PLACEHOLDERS = ("[رابط]", "[بريد]", "[مستخدم]")
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

_LETTER = "\u0621-\u063a\u0641-\u064a"
# What the vocabulary has besides letters and digits; each is a word of its own.
_SYMBOL = "\u0653-\u065f\u066a-\u066c\u0671-\u0674\u06da\u0b4d·—–’‘“”«»…،؛؟" + re.escape(
    "!\"#$%'()*+,.:;-<=>?@[\\]^_`{|}~"
)
_MARK = "\u064b-\u0652\u0640"
# Format characters except the zero width space, which separates words; and the presentation forms of diacritics, which
# NFKC would set on a space.
_INVISIBLE = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200c-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufc5e-\ufc63\ufe70-\ufe7f"
)
# Besides the diacritics: superscript alef, Quranic signs, hamza and madda that NFKC found no letter for.
_MARK_REPAIRED = (
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08ca-\u08ff"
)
# For anything else the published steps leave a space; it is put there before NFKC could make a digit of ².
_READABLE = (
    "\\x00-\\x7f\u00a0\u00ab\u00b7\u00bb\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0b4d\u2010-\u201f\u2026\u3000"
    "\ufb50-\ufdff\ufe70-\ufefc"
)
# Letters of Persian, Kurdish and Urdu, and of Arabic dialects, by the Arabic letter that news writes for them.
_LETTERS_REPAIRED = {
    "ا": "ٱ", "أ": "ٲ", "إ": "ٳ", "ب": "پ", "ت": "ٹ", "ة": "ۃ", "ج": "چ", "د": "ڈ", "ر": "ڑڕ", "ز": "ژ", "ف": "ڤڥڢ",
    "ق": "ڨ", "ك": "کڪڭ", "ل": "ڵ", "ن": "ں", "ه": "ہھەۀۂ", "و": "ۆۇۈۋ", "ي": "یېےێۍۓ",
}  # fmt: skip
_ENTITIES = {
    "<": "lt;?|#60;", ">": "gt;?|#62;", '"': "quot;?|#34;", "'": "apos;|#0?39;|#x27;", "«": "laquo;?|#171;",
    "»": "raquo;?|#187;", "–": "ndash;|#8211;", "—": "mdash;|#8212;", "…": "hellip;|#8230;", "“": "ldquo;|#8220;",
    "”": "rdquo;|#8221;", "‘": "lsquo;|#8216;", "’": "rsquo;|#8217;",
    " ": "nbsp;?|(?!amp)[A-Za-z][A-Za-z0-9]*;|#[0-9]+;|#[xX][0-9A-Fa-f]+;", "&": "amp;?",
}  # fmt: skip
_WORD = r"\p{L}\p{N}_"  # \w without combining marks, which Oniguruma counts among it
# In the order in which they are tried: a host name with what follows it, then whatever else looks like an address.
_URLS = (
    rf"(?:https?://.)?(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{{2,256}}\.[a-z]{{2,6}}(?![{_WORD}])[-a-zA-Z0-9@:%_+.~#?&/=]*",
    r"https?://[-a-zA-Z0-9_./~?=%&]+",
    r"www[-a-zA-Z0-9_?=%&/.~]+",
    r"[a-zA-Z]+\.com",
    r"http\S*",
    r"www\S*",
    "://",
)
# Anchored at the start of a run, or a long run without @ would be searched from each of its characters.
_MAILS = (rf"(?<![{_WORD}-])[{_WORD}-]++@(?:[{_WORD}-]+\.)+[{_WORD}-]+", r"(?<!\S)\S+@\S+")
_KEPT_ELLIPSIS = "\ue000"  # … while NFKC would make three dots of it


def arabert_normalizer(*, repair: bool = True, gaf: Literal["ك", "غ", "ق", "ج"] = "ك") -> normalizers.Normalizer:
    """The rewriting half of AraBERT's preprocessing.

    HTML entities, diacritics and tatweel, addresses and mentions (to ``[رابط]``, ``[بريد]``, ``[مستخدم]``), HTML
    tags, Arabic digits, characters repeated three times and more (to two), slashes (to hyphens).

    Args:
        repair: before that, keep what would be deleted: presentation forms by NFKC, letters of Persian, Kurdish and
            Urdu as the nearest Arabic letter, extended digits; and drop superscript alef, zero width joiners, bidi
            marks and other format characters, which would split a word. False gives the published steps.
        gaf: the letter that گ becomes.

    Returns:
        a normalizer that serializes into tokenizer.json.
    """
    steps: list[normalizers.Normalizer] = [_replace(f"&(?:{forms})", to) for to, forms in _ENTITIES.items()]
    if repair:
        steps += _repairs(gaf)
    steps.append(_replace(f"[{_MARK_REPAIRED if repair else _MARK}]", ""))
    steps += [_replace(pattern, " [رابط] ") for pattern in _URLS]
    steps += [_replace(pattern, " [بريد] ") for pattern in _MAILS]
    steps.append(_replace(f"@[{_WORD}]+", " [مستخدم] "))
    # The published pattern takes everything between "3 < 5" and the next ">", however far; a repaired tag is a tag.
    steps += [normalizers.Replace("<br />", " "), _replace("</?[A-Za-z!][^<>]{0,999}>" if repair else "</?[^>]+>", " ")]
    steps += [normalizers.Replace(chr(0x660 + digit), str(digit)) for digit in range(10)]
    steps.append(_replace(r"([^\d\s])(?=\1\1)", ""))
    steps.append(normalizers.Replace("/", "-"))
    return normalizers.Sequence(steps)


def arabert_pre_tokenizer(placeholders: Sequence[str] = PLACEHOLDERS) -> pre_tokenizers.PreTokenizer:
    """The cutting half: words of letters and digits, every symbol on its own, anything else left out.

    A number is cut off the Arabic letters beside it, on both sides (``12كم`` is two words, ``U2`` is one).

    Args:
        placeholders: bracketed words that stay whole; brackets are symbols otherwise.
    """
    whole = "".join(f"{re.escape(word)}|" for word in placeholders)
    # Two passes, as the published steps are two: digits before letters, then letters before digits in what is left.
    # They differ where Latin letters adjoin: 5كمa5 and aكم5.
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
    """A copy of a checkpoint's tokenizer that reads raw text as AraBERT's preprocessing would have given it.

    Vocabulary, post-processor, decoder, truncation and padding stay.

    Args:
        tokenizer: the stock tokenizer of an AraBERT v02 checkpoint, or of another model pretrained on such text.
        repair: see `arabert_normalizer`.
    """
    content = json.loads(tokenizer.to_str())
    known = tokenizer.get_vocab(with_added_tokens=True)
    for token in content["added_tokens"]:
        # Otherwise it would be looked for in the raw text only, and ours stand in the normalized text.
        token["normalized"] = token["normalized"] or token["content"] in PLACEHOLDERS
    parts = Tokenizer(tokenizer.model)
    parts.normalizer = arabert_normalizer(repair=repair)  # pyright: ignore[reportAttributeAccessIssue]
    # A placeholder that the vocabulary lacks would be [UNK]; cut into brackets and a word it keeps a meaning.
    parts.pre_tokenizer = arabert_pre_tokenizer(  # pyright: ignore[reportAttributeAccessIssue]
        [word for word in PLACEHOLDERS if word in known]
    )
    new = json.loads(parts.to_str())
    return Tokenizer.from_str(json.dumps(content | {key: new[key] for key in ("normalizer", "pre_tokenizer")}))


def train_wordpiece(
    texts: Iterator[str], vocabulary: int, *, normalized: bool = True, min_frequency: int = 2
) -> Tokenizer:
    """Train a WordPiece tokenizer with BERT's specials and template on raw text.

    Args:
        texts: articles or lines, raw.
        vocabulary: the most entries that it may have, specials included. With ``normalized`` every letter, digit and
            symbol has an entry (some 300), whether it was seen or not, so no word of up to 100 characters is ``[UNK]``.
        normalized: with `arabert_normalizer` and `arabert_pre_tokenizer` inside; the same texts then give the same
            tokenizer. False takes BERT's own, cased; its ids differ from run to run.
        min_frequency: pairs seen less often are not merged.

    Returns:
        a tokenizer; ``[PAD]`` has id 0.
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
    # The trainer numbers continuation characters in the order of a hash table, anew in every run, and breaks ties
    # between merges by number. Named as specials they have fixed numbers; below they are made plain entries.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        min_frequency=min_frequency,
        special_tokens=[*SPECIALS, *entries],
        continuing_subword_prefix="##",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.BertProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        ("[SEP]", SPECIALS.index("[SEP]")), ("[CLS]", SPECIALS.index("[CLS]"))
    )
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in SPECIALS]
    return Tokenizer.from_str(json.dumps(content))


def _alphabet() -> list[str]:
    """Every character that the pre-tokenizer lets through, and those that continue a word once more with ``##``."""
    characters = [chr(codepoint) for codepoint in range(0x10000)]
    inside = [character for character in characters if re.match(f"[A-Za-z0-9{_LETTER}]", character)]
    symbols = [character for character in characters if re.match(f"[{_SYMBOL}]", character)]
    return [*symbols, *inside, *(f"##{character}" for character in inside)]


def _replace(pattern: str, to: str) -> normalizers.Normalizer:
    return normalizers.Replace(Regex(pattern), to)


def _repairs(gaf: str) -> list[normalizers.Normalizer]:
    letters = {**_LETTERS_REPAIRED, gaf: _LETTERS_REPAIRED.get(gaf, "") + "گ"}
    return [
        _replace(f"[{_INVISIBLE}]", ""),
        _replace(f"[^{_READABLE}]", " "),
        normalizers.Replace("…", _KEPT_ELLIPSIS),
        normalizers.NFKC(),
        normalizers.Replace(_KEPT_ELLIPSIS, "…"),
        # One literal a letter: the search for a literal is six times as fast as that for a class.
        *(normalizers.Replace(form, to) for to, forms in letters.items() for form in forms),
        *(normalizers.Replace(chr(0x6F0 + digit), str(digit)) for digit in range(10)),
    ]
