"""Event types of sentences, cross-validated over documents, against TF-IDF with logistic regression on the same folds.

    python benchmarks/events.py train.jsonl dev.jsonl --output runs/events-cv --json events.json

Files are labeled texts (`rasid.data.formats.classification`) with a key ``doc``; no document is on both sides of a
fold. Config and baselines train on the same sentences: all that are not in the test fold. Nothing of these files is
left to choose a checkpoint by, so the last one counts; the shipped dev articles stand where the config wants a dev
set. A row counts for the type that it was annotated for. Average precision ranks sentences, so it needs no threshold.
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
from rasid.models.decoding import sigmoid
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
        known = [a for i, a in enumerate(articles) if i not in test]
        asked = [articles[i] for i in sorted(test)]
        found = {
            "TF-IDF words": _tfidf(known, asked, characters=False),
            "TF-IDF words+characters": _tfidf(known, asked, characters=True),
        }
        for encoder in options.encoder:
            found |= _rasid(known, asked, encoder, number, options)
        for name, scores in found.items():
            systems.setdefault(name, []).append(scores)
        _report(systems, options)


def _tfidf(known: list[Article], test: list[Article], *, characters: bool) -> Scores:
    vectorizers = [TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+")]
    if characters:
        vectorizers.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2))
    scores: Scores = {}
    for label in LABELS:
        seen, asked = ([a for a in part if label in _annotated(a)] for part in (known, test))
        features = hstack([v.fit_transform([a.text for a in seen]) for v in vectorizers])
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
        model.fit(features, [label in a.sentences[0].types for a in seen])
        answers = model.predict_proba(hstack([v.transform([a.text for a in asked]) for v in vectorizers]))[:, 1]
        gold = [label in a.sentences[0].types for a in asked]
        scores[label] = list(zip(answers.tolist(), gold, strict=True))
    return scores


def _rasid(
    known: list[Article], test: list[Article], encoder: str, number: int, options: argparse.Namespace
) -> dict[str, Scores]:
    path = options.output / f"fold{number}.jsonl"
    write_articles(known, path, "jsonl")
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
        asked = table.annotated[:, column]
        answers, gold = sigmoid(table.logits[asked, column]), table.gold[asked, column]
        scores[label] = list(zip(answers.tolist(), gold.tolist(), strict=True))
    return scores


def _report(systems: dict[str, list[Scores]], options: argparse.Namespace) -> None:
    """Average precision fold by fold, with mean and spread."""
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
    parser.add_argument("--first", type=int, help="measure only so many of the folds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], help="key=value of the config")
    parser.add_argument("--output", type=Path, default=Path("runs/events-cv"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
