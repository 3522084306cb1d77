"""Names of the special tokens, in the vocabularies of BERT and of RoBERTa."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Padding, unknown, begin, end, mask."""
ROBERTA_SPECIALS = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
"""In the same order."""


def padding_id(tokenizer: "Tokenizer") -> int:
    """Id of the padding token; 0 if the vocabulary has none, since padding is masked out anyway."""
    ids = [tokenizer.token_to_id(names[0]) for names in (BERT_SPECIALS, ROBERTA_SPECIALS)]
    return next((number for number in ids if number is not None), 0)
