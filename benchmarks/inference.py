"""Sentences tagged per second: `rasid.Tagger` against the token-classification pipeline of transformers.

python benchmarks/inference.py ARTICLE.txt --texts train.conll --size base

Both have the same weights and the same tokenizer, and are first checked to predict the same tags. See README.md.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from shared import VOCABULARY, bert_config, in_turns, ratio, show_ratio, show_table, write_json
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertForTokenClassification, pipeline

from rasid import Tagger
from rasid.data.labels import load_scheme
from rasid.data.reading import load_articles
from rasid.data.text.normalizer import train_wordpiece
from rasid.data.text.sentences import split_sentences
from rasid.models.bundle import Settings
from rasid.models.encoders import save_tokenizer
from rasid.models.export import export_onnx
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig

SCHEME = "anercorp"
OUTSIDE = 0.9  # share of words outside of all entities, as in news; random weights would tag nearly all words


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    text = options.article.read_text(encoding="utf-8")
    article = [text[start:end] for start, end in split_sentences(text)]
    sentences = (article * (options.sentences // len(article) + 1))[: max(options.sentences, len(article))]
    texts = [article.text for article in load_articles(options.texts)] if options.texts else article

    with tempfile.TemporaryDirectory() as temporary:
        bert, bundle = Path(temporary) / "bert", Path(temporary) / "bundle"
        save_peers(bert, bundle, texts, article, options)
        pipe = pipeline(
            "token-classification",
            model=AutoModelForTokenClassification.from_pretrained(bert),
            tokenizer=AutoTokenizer.from_pretrained(bert),
            aggregation_strategy="first",
            device="cpu",
        )
        taggers = {
            name: Tagger.from_pretrained(bundle, backend=name, device="cpu", threads=options.threads)
            for name in options.backends
        }
        for name, tagger in taggers.items():
            check_same_tags(pipe, tagger, name, article)

        contenders = {
            "pipeline, one by one": lambda: [pipe(sentence) for sentence in sentences],
            "pipeline, batches of 32": lambda: pipe(sentences, batch_size=32),
        }
        for name, tagger in taggers.items():
            contenders[f"Tagger, {name}"] = lambda tagger=tagger: tagger(sentences)
        seconds = in_turns(contenders, options.repeats)

    ours, peers = list(contenders)[2:], list(contenders)[:2]
    ratios = {name: {peer: ratio(seconds[peer], seconds[name]) for peer in peers} for name in ours}
    rate = {name: len(sentences) / statistics.median(values) for name, values in seconds.items()}
    articles = {name: value / len(article) for name, value in rate.items()}
    print(f"{len(sentences)} sentences, BERT {options.size}, {options.threads} threads, {options.repeats} rounds\n")
    rows = [["", "sentences/s", "articles/s", "x one by one", "x batches of 32"]]
    for name in contenders:
        against = [show_ratio(ratios[name][peer]) if name in ours else "" for peer in peers]
        rows.append([name, f"{rate[name]:.1f}", f"{articles[name]:.2f}", *against])
    show_table(rows)
    write_json(options.json, options, {"sentences": len(sentences), "seconds": seconds, "ratios": ratios})


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("article", type=Path, help="a text file in UTF-8")
    parser.add_argument(
        "--texts", type=Path, help="articles in any format, to train the vocabulary; default: the article"
    )
    parser.add_argument("--size", choices=VOCABULARY, default="mini", help="of the encoder")
    parser.add_argument("--tokenizer", choices=("arabert", "plain"), default="arabert", help="for both sides")
    parser.add_argument("--backends", nargs="+", choices=("onnx", "torch"), default=["onnx", "torch"])
    parser.add_argument("--sentences", type=int, default=200, help="number of sentences; the article's are repeated")
    parser.add_argument("--repeats", type=int, default=7, help="measured rounds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for torch and for onnxruntime")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args()


def save_peers(
    bert: Path, bundle: Path, texts: Sequence[str], article: Sequence[str], options: argparse.Namespace
) -> None:
    """Write a BERT token classifier with random weights, and a bundle that shares them."""
    scheme = load_scheme(SCHEME)
    labels = scheme.labels("entities")
    normalized = options.tokenizer == "arabert"
    tokenizer = train_wordpiece(iter(texts), VOCABULARY[options.size], normalized=normalized)
    torch.manual_seed(0)
    config = bert_config(options.size, labels)
    classifier = BertForTokenClassification(config).eval()
    with torch.inference_mode():
        margins = []
        for encoding in tokenizer.encode_batch(list(article)):
            logits = classifier(torch.tensor([encoding.ids])).logits[0]
            margins.append(logits[:, 1:].amax(-1) - logits[:, 0])
        classifier.classifier.bias[0] += torch.quantile(torch.cat(margins), OUTSIDE)
    classifier.save_pretrained(bert)
    save_tokenizer(tokenizer, bert)

    shape = RasidConfig(encoder=config.to_dict(), tasks=["entities"], entities=labels, events=scheme.labels("triggers"))
    network = RasidModel(shape, classifier.bert)
    network.get_submodule("entities").load_state_dict(classifier.classifier.state_dict())
    network.save_pretrained(bundle)
    save_tokenizer(tokenizer, bundle)
    Settings(scheme=scheme, tasks=("entities",), window=512, overlap=128).save(bundle)
    if "onnx" in options.backends:
        export_onnx(bundle)


def check_same_tags(pipe: object, tagger: Tagger, name: str, sentences: Sequence[str]) -> None:
    """Exit if pipeline and tagger give different tags to the first sub-word of a word."""
    tags: list[list[str]] = []
    for sentence in sentences:
        entities = pipe(sentence, aggregation_strategy="none", ignore_labels=[])  # type: ignore[operator]
        tags.append([entity["entity"] for entity in entities])
    names = ["O", *(f"{mark}-{label}" for label in tagger.settings.scheme.labels("entities") for mark in "BI")]
    words = 0
    for sentence, expected, prediction in zip(sentences, tags, tagger.predict(sentences), strict=True):
        first = [window.words[:, 0] - 1 for window in prediction.encoded.windows]  # the pipeline drops [CLS]
        assert len(first) == 1, "sentences longer than a window cannot be compared"
        predicted = [names[tag] for tag in prediction.logits["entities"].argmax(axis=1)]
        first_tags = [expected[position] for position in first[0]]
        if predicted != first_tags:
            raise SystemExit(f"{name} and pipeline disagree on {sentence!r}:\n{predicted}\n{first_tags}")
        words += len(predicted)
    print(f"{name} gives the tags of the pipeline on {words} words")


if __name__ == "__main__":
    main()
