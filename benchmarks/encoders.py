"""Articles tagged per second with two encoders: rasid-mini and one of AraBERT's size.

python benchmarks/encoders.py ARTICLE.txt [ARTICLE.txt …] --threads 2

Both bundles have an entity head with random weights, which do not affect the speed. They are run by `Tagger` with the
same backend, in turns. See README.md.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import torch
from shared import VOCABULARY, bert_config, in_turns, ratio, show_ratio, show_table, write_json
from tokenizers import Tokenizer
from transformers import AutoModel, PreTrainedModel

from rasid import Tagger
from rasid.data.corpus import load_corpus
from rasid.data.labels import load_scheme
from rasid.data.text.normalizer import train_wordpiece
from rasid.models.bundle import Settings
from rasid.models.encoders import load_encoder, save_tokenizer
from rasid.models.export import export_onnx
from rasid.models.network import RasidModel, without_pooler
from rasid.models.shape import RasidConfig

OUTSIDE = 0.9  # share of words outside of all entities, as in news; random weights would tag nearly all words


def main() -> None:
    """Measure and print."""
    options = _parse()
    torch.set_num_threads(options.threads)
    texts = [path.read_text(encoding="utf-8") for path in options.articles]
    texts = texts or [article.text for article in load_corpus("test").articles]
    texts = texts[: options.number] if options.number else texts
    training_texts = [article.text for article in load_corpus("train").articles]
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        mini = load_encoder(options.encoder, window=512)
        torch.manual_seed(0)
        shape = bert_config("base", ())
        base = AutoModel.from_config(shape, **without_pooler(shape))
        vocabulary = train_wordpiece(iter(training_texts), VOCABULARY["base"])
        folders = {options.encoder: Path(temporary) / "a", "12 x 768": Path(temporary) / "b"}
        _save(mini.model, mini.tokenizer, folders[options.encoder], texts, options)
        _save(base, vocabulary, folders["12 x 768"], texts, options)
        rows = [["backend", f"{options.encoder}, articles/s", "12 x 768, articles/s", "ratio"]]
        for backend in options.backends:
            taggers = {
                name: Tagger.from_pretrained(folder, backend=backend, device="cpu", threads=options.threads)
                for name, folder in folders.items()
            }
            for name, tagger in taggers.items():
                predictions = list(tagger.predict(texts))
                subwords = sum(
                    len(window.input_ids) for prediction in predictions for window in prediction.encoded.windows
                )
                spans = sum(len(prediction.article.entities) for prediction in predictions)
                words = sum(len(text.split()) for text in texts)
                print(f"{backend}, {name}: {words} words, {subwords} sub-words with overlaps, {spans} mentions")
            contenders = {name: lambda tagger=tagger: tagger(texts) for name, tagger in taggers.items()}
            seconds = in_turns(contenders, options.repeats)
            speeds = [f"{len(texts) / statistics.median(values):.2f}" for values in seconds.values()]
            faster = ratio(seconds["12 x 768"], seconds[options.encoder])
            rows.append([backend, *speeds, show_ratio(faster)])
            results[backend] = {"seconds": seconds, "ratio": faster}
    show_table(rows)
    write_json(options.json, options, {"articles": len(texts), **results})


def _save(
    model: PreTrainedModel, tokenizer: Tokenizer, folder: Path, texts: list[str], options: argparse.Namespace
) -> None:
    """Write a bundle with a random head, whose bias is set so that it tags as many words as in news."""
    scheme = load_scheme("news")
    shape = RasidConfig(
        encoder=model.config.to_dict(),
        tasks=["entities"],
        entities=scheme.labels("entities"),
        events=scheme.labels("triggers"),
    )
    network = RasidModel(shape, model)
    assert network.entities is not None

    def save() -> None:
        network.save_pretrained(folder)
        save_tokenizer(tokenizer, folder)
        Settings(scheme=scheme, tasks=("entities",), window=512, overlap=128).save(folder)

    save()
    tagger = Tagger.from_pretrained(folder, device="cpu")
    logits = torch.cat([torch.from_numpy(p.logits["entities"]) for p in tagger.predict(texts[:3])])
    network.entities.bias.data[0] += torch.quantile(logits[:, 1:].amax(-1) - logits[:, 0], OUTSIDE)  # type: ignore[union-attr]
    save()
    if "onnx" in options.backends:
        export_onnx(folder)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "articles", nargs="*", type=Path, help="text files; default: the test split of the built-in corpus"
    )
    parser.add_argument("--encoder", default="rasid-mini", help="name or folder")
    parser.add_argument("--number", type=int, help="number of articles")
    parser.add_argument("--backends", nargs="+", choices=("onnx", "torch"), default=["onnx", "torch"])
    parser.add_argument("--repeats", type=int, default=5, help="measured rounds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for torch and for onnxruntime")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
