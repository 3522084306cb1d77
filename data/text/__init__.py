"""Arabic text: words and proclitics, sentences, and AraBERT's normalizer."""
