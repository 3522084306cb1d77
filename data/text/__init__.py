"""Arabic text: words and proclitics, sentences, and the normalizer that goes into a tokenizer."""
