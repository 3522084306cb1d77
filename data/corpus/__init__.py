"""The corpus that ships: annotated Arabic news articles, one file each, in the project's inline."""

import json
from importlib.resources import as_file, files
from typing import Literal

from ..datasets import DataSet
from ..formats import load_articles
from ..labels import load_scheme
from ..problems import DataError, Problem, ProblemLog

Split = Literal["train", "dev", "test"]


def load_corpus(split: Split) -> DataSet:
    """Articles of a split of the shipped corpus, in the order of their ids.

    Every task of the scheme `news` is trained_labels. The splits are by article and stand in splits.json.

    Raises:
        DataError: the installed corpus was changed and is not valid any more.
    """
    folder = files("rasid.data.corpus")
    names = json.loads((folder / "splits.json").read_text(encoding="utf-8"))[split]
    scheme = load_scheme("news")
    with as_file(folder) as path:
        articles = {article.id: article for article in load_articles(path, "inline", scheme)}
        missing = [name for name in names if name not in articles]
        if missing:
            message = f"article {{!r}} of the {split} split is not among the files of the corpus"
            raise DataError(
                Problem(source=str(path / "splits.json"), cause="no such article", message=message.format(name))
                for name in missing
            )
    return DataSet(
        name=f"corpus-{split}",
        articles=[articles[name] for name in names],
        annotated_labels={
            "entities": scheme.labels("entities"),
            "triggers": scheme.labels("triggers"),
            "proclitics": (),
            "arguments": scheme.labels("arguments"),
            "sentence_types": scheme.labels("sentence_types"),
            "article_types": scheme.labels("article_types"),
        },
        log=ProblemLog(source=f"corpus {split}", articles=len(names)),
    )
