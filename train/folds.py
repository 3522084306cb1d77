"""Data sets cut into folds for cross-validation. Related articles are in the same fold."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..audit.article_views import strip_diacritics
from ..audit.duplicates import near_pairs
from ..data.articles import Article
from ..data.text.words import split_words
from ..errors import RasidError


class FoldError(RasidError, ValueError):
    """Data or config cannot be cross-validated; the message says what to do."""


def related(articles: Sequence[Article]) -> np.ndarray:
    """Group number of each article, from 0: related articles have the same number. [A] int32

    Two articles are related if they have the same ``meta["doc"]``, the same words, or nearly the same words (see
    `audit.duplicates`), or if both are related to a third one.
    """
    texts = [
        [strip_diacritics(article.text[start:end]) for start, end in split_words(article.text).tolist()]
        for article in articles
    ]
    first: dict[tuple[str, ...], int] = {}  # key → first article that has it
    pairs: list[tuple[int, int]] = []
    for number, (article, text) in enumerate(zip(articles, texts, strict=True)):
        keys = [("words", *text)]
        if (document := article.meta.get("doc")) is not None:
            keys.append(("doc", str(document)))
        pairs += [(first.setdefault(key, number), number) for key in keys]
    distinct = [number for number, text in enumerate(texts) if first[("words", *text)] == number]
    pairs += [(distinct[one], distinct[other]) for one, other, _ in near_pairs([texts[i] for i in distinct])]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (rows, columns)), shape=(len(articles), len(articles)))
    return connected_components(links, directed=False)[1]


def assign_folds(
    datasets: Mapping[str, Sequence[Article]], folds: int, *, seed: int, least: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
    """The fold of every article. Each data set is spread over the folds as evenly as related articles allow.

    Args:
        datasets: name → articles; articles of different data sets can be related.
        folds: number of folds, at least 2.
        seed: of the order in which articles are assigned.
        least: data set → number of unrelated groups that it must have. These data sets also must not be in one fold.

    Returns:
        name → fold of each of its articles, from 0. [A] int64

    Raises:
        FoldError: a data set of ``least`` has too few articles.
    """
    names = list(datasets)
    sizes = np.array([len(datasets[name]) for name in names])
    dataset_of = np.repeat(np.arange(len(names)), sizes)
    groups = related([article for name in names for article in datasets[name]])
    counts = np.zeros((int(groups.max(initial=-1)) + 1, len(names)), dtype=np.int64)  # [groups, data sets]
    np.add.at(counts, (groups, dataset_of), 1)
    fold_of_group = _assign(counts, folds, seed)
    assigned = dict(zip(names, np.split(fold_of_group[groups], np.cumsum(sizes)[:-1]), strict=True))
    for name, required in (least or {}).items():
        column = names.index(name)
        count, unrelated = int(sizes[column]), int((counts[:, column] > 0).sum())
        if unrelated < required or np.bincount(assigned[name], minlength=1).max(initial=0) == count:
            raise FoldError(_too_few(name, count, unrelated, folds, required))
    return assigned


def _assign(counts: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each group: largest groups first, each to the fold with the fewest articles of its data sets. [G]"""
    # A random order: in file order, a fold could get every fifth article, and these may all be of one kind.
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    share = counts / np.maximum(counts.sum(axis=0), 1)
    load = np.zeros((folds, counts.shape[1]), dtype=np.int64)
    fold_of_group = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        fullness = load @ share[group]
        fold_of_group[group] = best = np.lexsort((load.sum(axis=1), fullness))[0]
        load[best] += counts[group]
    return fold_of_group


def _too_few(name: str, count: int, unrelated: int, folds: int, required: int) -> str:
    size = f"{count} article{'s' * (count != 1)}"
    if unrelated < count:
        size += f" in {unrelated} group{'s' * (unrelated != 1)} of related texts"
    advice = f"use {unrelated} folds or fewer" if 2 <= unrelated < required else "add articles"
    return f"{name} has {size}, too few for {folds} folds: {advice}"
