"""Auditing annotated articles: what is wrong, what is rare, what an encoder would lose, what was likely mislabelled."""
