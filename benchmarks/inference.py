"""Sentences tagged per second: `rasid.Tagger` against the token-classification pipeline of transformers.

python benchmarks/inference.py ARTICLE.txt --texts train.conll --size base

Both have the same weights and the same tokenizer, and are first checked to predict the same tags. See README.md.
"""

import statistics
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import shared
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertForTokenClassification, pipeline

from rasid import Tagger
from rasid.data.labels import load_scheme
from rasid.data.reading import load_articles
from rasid.data.text.normalizer import train_wordpiece
from rasid.data.text.sentences import split_sentences
from rasid.models.encoders import save_tokenizer

SCHEME = load_scheme("anercorp")


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    text = options.article.read_text(encoding="utf-8")
    article = [text[start:end] for start, end in split_sentences(text)]
    sentences = (article * (options.sentences // len(article) + 1))[: max(options.sentences, len(article))]
    with tempfile.TemporaryDirectory() as temporary:
        bert, bundle = Path(temporary) / "bert", Path(temporary) / "bundle"
        save_peers(bert, bundle, article, options)
        pipe = pipeline(
            "token-classification",
            model=AutoModelForTokenClassification.from_pretrained(bert),
            tokenizer=AutoTokenizer.from_pretrained(bert),
            aggregation_strategy="first",
            device="cpu",
        )
        contenders = {
            "pipeline, one by one": lambda: [pipe(sentence) for sentence in sentences],
            "pipeline, batches of 32": lambda: pipe(sentences, batch_size=32),
        }
        peers = list(contenders)
        for name in options.backends:
            tagger = Tagger.from_pretrained(bundle, backend=name, device="cpu", threads=options.threads)
            check_same_tags(pipe, tagger, name, article)
            contenders[f"Tagger, {name}"] = lambda tagger=tagger: tagger(sentences)
        seconds = shared.in_turns(contenders, options.repeats)

    print(f"{len(sentences)} sentences, BERT {options.size}, {options.threads} threads, {options.repeats} rounds\n")
    rows, ratios = [["", "sentences/s", "articles/s", "x one by one", "x batches of 32"]], {}
    for name, values in seconds.items():
        rate = len(sentences) / statistics.median(values)
        against = ["", ""]
        if name not in peers:
            ratios[name] = {peer: shared.ratio(seconds[peer], values) for peer in peers}
            against = [shared.show_ratio(figures) for figures in ratios[name].values()]
        rows.append([name, f"{rate:.1f}", f"{rate / len(article):.2f}", *against])
    shared.show_table(rows)
    shared.write_json(options, {"sentences": len(sentences), "seconds": seconds, "ratios": ratios})


def parse() -> Namespace:
    """Read the command line."""
    arguments = shared.parser(__doc__, repeats=7)
    arguments.add_argument("article", type=Path, help="a text file in UTF-8")
    arguments.add_argument("--texts", type=Path, help="articles to train the vocabulary; default: the article")
    arguments.add_argument("--size", choices=shared.VOCABULARY, default="mini", help="of the encoder")
    arguments.add_argument("--tokenizer", choices=("arabert", "plain"), default="arabert", help="for both sides")
    arguments.add_argument("--sentences", type=int, default=200, help="number of sentences; the article's are repeated")
    return arguments.parse_args()


def save_peers(bert: Path, bundle: Path, article: Sequence[str], options: Namespace) -> None:
    """Write a BERT token classifier with random weights, and a bundle that shares them."""
    texts = [article.text for article in load_articles(options.texts)] if options.texts else article
    normalized = options.tokenizer == "arabert"
    tokenizer = train_wordpiece(iter(texts), shared.VOCABULARY[options.size], normalized=normalized)
    torch.manual_seed(0)
    classifier = BertForTokenClassification(shared.bert_config(options.size, shared.tag_names(SCHEME)))
    network = shared.entity_network(classifier.bert, SCHEME)
    shared.save_bundle(network, tokenizer, bundle, SCHEME, article, onnx="onnx" in options.backends)
    classifier.classifier.load_state_dict(network.get_submodule("entities").state_dict())
    classifier.save_pretrained(bert)
    save_tokenizer(tokenizer, bert)


def check_same_tags(pipe: object, tagger: Tagger, name: str, sentences: Sequence[str]) -> None:
    """Exit if pipeline and tagger give different tags to the first sub-word of a word."""
    names, words = shared.tag_names(SCHEME), 0
    for sentence, prediction in zip(sentences, tagger.predict(sentences), strict=True):
        tags = pipe(sentence, aggregation_strategy="none", ignore_labels=[])  # type: ignore[operator]
        (window,) = prediction.encoded.windows  # sentences longer than a window cannot be compared
        expected = [tags[position - 1]["entity"] for position in window.words[:, 0]]  # the pipeline drops [CLS]
        predicted = [names[tag] for tag in prediction.logits["entities"].argmax(axis=1)]
        if predicted != expected:
            raise SystemExit(f"{name} and pipeline disagree on {sentence!r}:\n{predicted}\n{expected}")
        words += len(predicted)
    print(f"{name} gives the tags of the pipeline on {words} words")


if __name__ == "__main__":
    main()
