"""Event types of sentences, cross-validated over documents, against TF-IDF with logistic regression on the same folds.

    python benchmarks/events.py train.jsonl dev.jsonl --output runs/events-cv --json events.json

Files are labeled texts (`rasid.data.formats.classification`) with a key ``doc``; the sentences of a document are in one
fold. The config and the baselines train on the same sentences, all outside the test fold. No sentences are left to
select a checkpoint, so the last one is used; the required dev set is that of the built-in corpus. A row is scored on
the types that it was annotated for. The metric is average precision, which needs no threshold.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import hstack
from shared import show_table, write_json
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
Scores = dict[str, list[tuple[float, bool]]]


def main() -> None:
    """Measure and print."""
    options = _options()
    articles = [article for path in options.data for article in load_articles(path, "classification")]
    kind = [f"{_annotated(a)}{sorted(a.sentences[0].types)}" for a in articles]
    documents = [str(a.meta["doc"]) for a in articles]
    splitter = StratifiedGroupKFold(options.folds, shuffle=True, random_state=options.seed)
    folds = [set(test.tolist()) for _, test in splitter.split(np.zeros(len(articles)), kind, documents)]
    systems: dict[str, list[Scores]] = {}
    for number, test in enumerate(folds[: options.first]):
        train = [a for i, a in enumerate(articles) if i not in test]
        held_out = [articles[i] for i in sorted(test)]
        scores_of = {
            "TF-IDF words": _tfidf(train, held_out, characters=False),
            "TF-IDF words+characters": _tfidf(train, held_out, characters=True),
        }
        for encoder in options.encoder:
            scores_of |= _rasid(train, held_out, encoder, number, options)
        for name, scores in scores_of.items():
            systems.setdefault(name, []).append(scores)
        _report(systems, options)


def _tfidf(train: list[Article], test: list[Article], *, characters: bool) -> Scores:
    vectorizers = [TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+")]
    if characters:
        vectorizers.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2))
    scores: Scores = {}
    for label in LABELS:
        fitted, scored = ([a for a in part if label in _annotated(a)] for part in (train, test))
        features = hstack([v.fit_transform([a.text for a in fitted]) for v in vectorizers])
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
        model.fit(features, [label in a.sentences[0].types for a in fitted])
        answers = model.predict_proba(hstack([v.transform([a.text for a in scored]) for v in vectorizers]))[:, 1]
        gold = [label in a.sentences[0].types for a in scored]
        scores[label] = list(zip(answers.tolist(), gold, strict=True))
    return scores


def _rasid(
    train: list[Article], test: list[Article], encoder: str, number: int, options: argparse.Namespace
) -> dict[str, Scores]:
    path = options.output / f"fold{number}.jsonl"
    write_articles(train, path, "jsonl")
    name = f"{Path(encoder).name}-fold{number}"
    settings = [f"data.train.0.path={path}", "data.dev=[{corpus: dev, annotated: [sentence_types]}]"]
    scratch = ["encoder.name=null", "encoder.scratch={}"] if encoder == "scratch" else [f"encoder.name={encoder}"]
    config = load_config(
        options.config,
        Config,
        [*settings, *scratch, f"name={name}", f"output={options.output}", f"training.seeds=[{options.seed}]"]
        + ["training.evaluations=0.01", "export.onnx=false", *options.set],
    )
    result = run.train(config)
    tagger = Tagger.from_pretrained(result.folder / "bundle")
    scores = {encoder: _scores(tagger, test)}
    if tagger.ngrams is not None:
        alone = replace(tagger.settings, ngrams=0.0)
        network = Tagger(settings=alone, tokenizer=tagger.encoder.tokenizer, backend=tagger.backend)
        scores[f"{encoder}, network alone"] = _scores(network, test)
    return scores


def _scores(tagger: Tagger, test: list[Article]) -> Scores:
    table = offline.run(tagger, test, {"sentence_types": LABELS}).tables["sentence_types"]
    types = list(tagger.settings.scheme.events)
    scores: Scores = {}
    for label in LABELS:
        column = types.index(label)
        annotated = table.annotated[:, column]
        answers, gold = sigmoid(table.logits[annotated, column]), table.gold[annotated, column]
        scores[label] = list(zip(answers.tolist(), gold.tolist(), strict=True))
    return scores


def _report(systems: dict[str, list[Scores]], options: argparse.Namespace) -> None:
    """Print average precision of each fold, with mean and range."""
    rows = [["system", "type", "sentences", "positive", "AP by fold", "mean AP", "lowest", "highest"]]
    results = {}
    for name, folds in systems.items():
        for label in LABELS:
            values = [average_precision_score([g for _, g in f[label]], [s for s, _ in f[label]]) for f in folds]
            count = sum(len(f[label]) for f in folds)
            positive = sum(g for f in folds for _, g in f[label])
            shown = " ".join(f"{100 * v:.1f}" for v in values)
            figures = [f"{100 * v:.1f}" for v in (float(np.mean(values)), min(values), max(values))]
            rows.append([name, label, str(count), str(positive), shown, *figures])
            results[f"{name} {label}"] = {"folds": values, "mean": float(np.mean(values)), "positive": positive}
    show_table(rows)
    write_json(options.json, options, results)


def _annotated(article: Article) -> tuple[str, ...]:
    return tuple(article.annotated.get("sentence_types", LABELS))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--config", default="events-gsr")
    parser.add_argument("--encoder", nargs="*", default=["rasid-mini"], help="names, folders, or scratch")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first", type=int, help="number of folds to measure; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], help="key=value of the config")
    parser.add_argument("--output", type=Path, default=Path("runs/events-cv"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
