"""Data sets cut into folds for cross-validation, with what is related on one side of every cut."""

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
    """Data or a config that cannot be cross-validated; says why and what to do."""


def related(articles: Sequence[Article]) -> np.ndarray:
    """Number of the group of related articles that each one belongs to, from 0. [A] int32

    Related are articles with the same ``meta["doc"]``, with the same words, or with nearly the same runs of words (see
    `data.audit.duplicates`), and those that have a relative in common.
    """
    texts = [
        [strip_diacritics(article.text[start:end]) for start, end in split_words(article.text).tolist()]
        for article in articles
    ]
    first: dict[tuple[str, ...], int] = {}
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
    """The fold of every article: related ones share a fold, and each data set is spread as evenly as that allows.

    Args:
        datasets: name → articles; relatives are looked for in all of them together.
        folds: how many, at least 2.
        seed: of the order in which the articles are dealt out.
        least: data set → groups of related articles that it must have. Of these data sets every fold leaves something
            outside.

    Returns:
        name → fold of each of its articles, from 0. [A] int64

    Raises:
        FoldError: a data set of ``least`` has too few articles.
    """
    names = list(datasets)
    sizes = np.array([len(datasets[name]) for name in names])
    owner = np.repeat(np.arange(len(names)), sizes)
    groups = related([article for name in names for article in datasets[name]])
    members = np.zeros((int(groups.max(initial=-1)) + 1, len(names)), dtype=np.int64)  # group, data set
    np.add.at(members, (groups, owner), 1)
    fold_of_group = _deal(members, folds, seed)
    dealt = dict(zip(names, np.split(fold_of_group[groups], np.cumsum(sizes)[:-1]), strict=True))
    for name, wanted in (least or {}).items():
        column = names.index(name)
        count, different = int(sizes[column]), int((members[:, column] > 0).sum())
        if different < wanted or np.bincount(dealt[name], minlength=1).max(initial=0) == count:
            raise FoldError(_too_few(name, count, different, folds, wanted))
    return dealt


def _deal(members: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each group: the largest first, each to the fold that has least of its data sets. [G]"""
    # In the order of the file a fold could take every fifth article, which may be all of one kind.
    order = np.random.default_rng(seed).permutation(len(members))
    order = order[np.argsort(-members[order].sum(axis=1), kind="stable")]
    share = members / np.maximum(members.sum(axis=0), 1)
    load = np.zeros((folds, members.shape[1]), dtype=np.int64)
    chosen = np.zeros(len(members), dtype=np.int64)
    for group in order:
        fullness = load @ share[group]
        chosen[group] = best = np.lexsort((load.sum(axis=1), fullness))[0]
        load[best] += members[group]
    return chosen


def _too_few(name: str, count: int, different: int, folds: int, wanted: int) -> str:
    what = f"{count} article{'s' * (count != 1)}"
    if different < count:
        what += f" in {different} group{'s' * (different != 1)} of related texts"
    way = f"ask for {different} folds or fewer" if 2 <= different < wanted else "add articles"
    return f"{name} has {what}, too few for {folds} folds: {way}"
