"""The scores that are shown first: in the terminal, in a model card, and when two reports are compared."""

HEADLINE = frozenset(
    {("strict", "f1"), ("outermost", "f1"), ("iob2", "f1"), ("decision", "f1"), ("ranking", "average_precision")}
)
"""(mode, metric) of the headline scores."""
