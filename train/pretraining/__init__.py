"""Masked-language-model pretraining of an encoder on raw text."""
