"""The built-in corpus: annotated Arabic news articles, one file each, in the project's inline format."""

from typing import Literal

from ..datasets import DataSet, load_dataset
from ..labels import load_scheme

Split = Literal["train", "dev", "test"]


def load_corpus(split: Split) -> DataSet:
    """The articles of a split, in the order of their ids; annotated for every task of the scheme `news`.

    Raises:
        DataError: the installed corpus was changed and is not valid.
    """
    return load_dataset(f"corpus:{split}", scheme=load_scheme("news"))
