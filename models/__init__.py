"""The tagging network, its decoding and its export."""
