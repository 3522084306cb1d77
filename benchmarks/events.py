"""Event types of sentences, cross-validated over documents, against TF-IDF with logistic regression on the same folds.

    python benchmarks/events.py train.jsonl dev.jsonl --output runs/events-cv --json events.json

Files are labeled texts (`rasid.data.formats.classification`) with a key ``doc``; the sentences of a document are in one
fold. The config and the baselines train on the same sentences, all outside the test fold. No sentences are left to
select a checkpoint, so the last one is used; the required dev set is that of the built-in corpus. A row is scored on
the types that it was annotated for. The metric is average precision, which needs no threshold.
"""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import hstack
from shared import parser, show_table, write_json
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedGroupKFold

from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article
from rasid.data.formats import write_articles
from rasid.data.reading import load_articles
from rasid.evaluate import offline
from rasid.inference import Tagger
from rasid.models.probabilities import sigmoid
from rasid.train import run

LABELS = ("ASSAULT", "PROTEST")
Scores = dict[str, tuple[np.ndarray, np.ndarray]]
"""Label → gold and predicted probability of its annotated sentences. [N] each"""


def main() -> None:
    """Measure and print."""
    options = parse()
    articles = [article for path in options.data for article in load_articles(path, "classification")]
    kinds = [f"{annotated(a)}{sorted(a.sentences[0].types)}" for a in articles]
    documents = [str(a.meta["doc"]) for a in articles]
    splitter = StratifiedGroupKFold(options.folds, shuffle=True, random_state=options.seed)
    systems: dict[str, list[Scores]] = {}
    for number, (outside, inside) in enumerate(splitter.split(kinds, kinds, documents)):
        if number == options.first:
            break
        train, test = [articles[i] for i in outside], [articles[i] for i in inside]
        scored = {
            "TF-IDF words": tfidf(train, test, WORDS),
            "TF-IDF words+characters": tfidf(train, test, WORDS, CHARACTERS),
        }
        for encoder in options.encoder:
            scored |= fine_tuned(train, test, encoder, number, options)
        for name, scores in scored.items():
            systems.setdefault(name, []).append(scores)
        report(systems, options)


def parse() -> Namespace:
    """Read the command line."""
    arguments = parser(__doc__)
    arguments.add_argument("data", nargs="+", type=Path)
    arguments.add_argument("--config", default="events-gsr")
    arguments.add_argument("--encoder", nargs="*", default=["rasid-mini"], help="names, folders, or scratch")
    arguments.add_argument("--folds", type=int, default=5)
    arguments.add_argument("--first", type=int, help="number of folds to measure; default: all")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--set", nargs="*", default=[], help="key=value of the config")
    arguments.add_argument("--output", type=Path, default=Path("runs/events-cv"))
    return arguments.parse_args()


def annotated(article: Article) -> tuple[str, ...]:
    """The types that a sentence was annotated for."""
    return tuple(article.annotated.get("sentence_types", LABELS))


WORDS = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": r"\w+"}
CHARACTERS = {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True, "min_df": 2}


def tfidf(train: list[Article], test: list[Article], *features: dict) -> Scores:
    """Scores of a logistic regression over TF-IDF features."""
    scores: Scores = {}
    for label in LABELS:
        fitted, scored = ([a for a in part if label in annotated(a)] for part in (train, test))
        gold, held_out = (np.array([label in a.sentences[0].types for a in part]) for part in (fitted, scored))
        vectorizers = [TfidfVectorizer(**options).fit([a.text for a in fitted]) for options in features]
        seen, unseen = (hstack([v.transform([a.text for a in part]) for v in vectorizers]) for part in (fitted, scored))
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000).fit(seen, gold)
        scores[label] = held_out, model.predict_proba(unseen)[:, 1]
    return scores


def fine_tuned(
    train: list[Article], test: list[Article], encoder: str, number: int, options: Namespace
) -> Iterator[tuple[str, Scores]]:
    """Scores of the config with an encoder; and of its network alone, if it has an n-gram model too."""
    path = options.output / f"fold{number}.jsonl"
    write_articles(train, path, "jsonl")
    scratch = ["encoder.name=null", "encoder.scratch={}"] if encoder == "scratch" else [f"encoder.name={encoder}"]
    overrides = [
        f"data.train.0.path={path}",
        "data.dev=[{corpus: dev, annotated: [sentence_types]}]",
        f"name={Path(encoder).name}-fold{number}",
        f"output={options.output}",
        f"training.seeds=[{options.seed}]",
        "training.evaluations=0.01",
        "export.onnx=false",
    ]
    result = run.train(load_config(options.config, Config, [*scratch, *overrides, *options.set]))
    tagger = Tagger.from_pretrained(result.folder / "bundle")
    yield encoder, scores_of(tagger, test)
    if tagger.ngrams is not None:
        alone = replace(tagger.settings, ngrams=0.0)
        network = Tagger(settings=alone, tokenizer=tagger.encoder.tokenizer, backend=tagger.backend)
        yield f"{encoder}, network alone", scores_of(network, test)


def scores_of(tagger: Tagger, test: list[Article]) -> Scores:
    """Scores of a tagger."""
    table = offline.run(tagger, test, {"sentence_types": LABELS}).tables["sentence_types"]
    scores: Scores = {}
    for label in LABELS:
        column = list(tagger.settings.scheme.events).index(label)
        rows = table.annotated[:, column]
        scores[label] = table.gold[rows, column], sigmoid(table.logits[rows, column])
    return scores


def report(systems: dict[str, list[Scores]], options: Namespace) -> None:
    """Print average precision of each fold, with mean and range."""
    rows = [["system", "type", "sentences", "positive", "AP by fold", "mean AP", "lowest", "highest"]]
    results = {}
    for name, folds in systems.items():
        for label in LABELS:
            values = [float(average_precision_score(*fold[label])) for fold in folds]
            gold = np.concatenate([fold[label][0] for fold in folds])
            mean, positive = float(np.mean(values)), int(gold.sum())
            shown = " ".join(f"{100 * value:.1f}" for value in values)
            figures = [f"{100 * value:.1f}" for value in (mean, min(values), max(values))]
            rows.append([name, label, str(len(gold)), str(positive), shown, *figures])
            results[f"{name} {label}"] = {"folds": values, "mean": mean, "positive": positive}
    show_table(rows)
    write_json(options, results)


if __name__ == "__main__":
    main()
