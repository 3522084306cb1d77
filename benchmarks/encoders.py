"""Articles tagged per second with two encoders: rasid-mini and one of AraBERT's size.

python benchmarks/encoders.py ARTICLE.txt [ARTICLE.txt …] --threads 2

Both bundles have an entity head with random weights, which do not affect the speed. They are run by `Tagger` with the
same backend, in turns. See README.md.
"""

import statistics
import tempfile
from pathlib import Path

import shared
import torch
from transformers import AutoModel

from rasid import Tagger
from rasid.data.corpus import load_corpus
from rasid.data.labels import load_scheme
from rasid.data.text.normalizer import train_wordpiece
from rasid.models.encoders import load_encoder
from rasid.models.network import without_pooler

LARGE = "12 x 768"


def main() -> None:
    """Measure and print."""
    arguments = shared.parser(__doc__, repeats=5)
    arguments.add_argument(
        "articles", nargs="*", type=Path, help="text files; default: the test split of the built-in corpus"
    )
    arguments.add_argument("--encoder", default="rasid-mini", help="name or folder")
    arguments.add_argument("--number", type=int, help="number of articles")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    texts = [path.read_text(encoding="utf-8") for path in options.articles]
    texts = (texts or [article.text for article in load_corpus("test").articles])[: options.number]
    mini = load_encoder(options.encoder, window=512)
    torch.manual_seed(0)
    config = shared.bert_config("base")
    training_texts = (article.text for article in load_corpus("train").articles)
    vocabulary = train_wordpiece(training_texts, config.vocab_size)
    encoders = {
        options.encoder: (mini.model, mini.tokenizer),
        LARGE: (AutoModel.from_config(config, **without_pooler(config)), vocabulary),
    }
    scheme, onnx = load_scheme("news"), "onnx" in options.backends
    rows, results = [["backend", *(f"{name}, articles/s" for name in encoders), "ratio"]], {}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / str(number) for number, name in enumerate(encoders)}
        for name, (model, tokenizer) in encoders.items():
            shared.save_bundle(
                shared.entity_network(model, scheme), tokenizer, folders[name], scheme, texts[:3], onnx=onnx
            )
        for backend in options.backends:
            contenders = {}
            for name, folder in folders.items():
                tagger = Tagger.from_pretrained(folder, backend=backend, device="cpu", threads=options.threads)
                contenders[name] = lambda tagger=tagger: tagger(texts)
                predictions = list(tagger.predict(texts))
                words = sum(len(text.split()) for text in texts)
                subwords = sum(len(window.input_ids) for p in predictions for window in p.encoded.windows)
                spans = sum(len(p.article.entities) for p in predictions)
                print(f"{backend}, {name}: {words} words, {subwords} sub-words with overlaps, {spans} mentions")
            seconds = shared.in_turns(contenders, options.repeats)
            speeds = [f"{len(texts) / statistics.median(values):.2f}" for values in seconds.values()]
            faster = shared.ratio(seconds[LARGE], seconds[options.encoder])
            rows.append([backend, *speeds, shared.show_ratio(faster)])
            results[backend] = {"seconds": seconds, "ratio": faster}
    shared.show_table(rows)
    shared.write_json(options, {"articles": len(texts), **results})


if __name__ == "__main__":
    main()
