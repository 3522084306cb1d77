"""Training throughput: rasid and the token-classification example of transformers.

python benchmarks/training.py train.conll --size base

Both train the same encoder with the same tokenizer on the same sentences, in turns. See README.md.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from shared import SIZES, VOCABULARY, bert_config, ratio, show_ratio, show_table, write_json
from transformers import (
    BertForTokenClassification,
    BertModel,
    DataCollatorForTokenClassification,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback

from rasid.data.articles import AnnotatedLabels, Article
from rasid.data.formats.common.tags import spans_to_tags
from rasid.data.labels import load_scheme
from rasid.data.reading import load_articles
from rasid.data.text.normalizer import train_wordpiece
from rasid.data.windows.batches import plan_run
from rasid.data.windows.encoding import TextEncoder
from rasid.data.windows.training_set import WindowSet, write_windows
from rasid.models.encoders import save_tokenizer
from rasid.models.network import RasidModel
from rasid.models.shape import RasidConfig
from rasid.models.tasks import target_maker
from rasid.train.optimizer import make_optimizer, parameter_groups
from rasid.train.trainer import RasidTrainer, Schedule

SCHEME = "anercorp"
BATCH = 32  # sentences in a batch of the example
WARM = 2  # first steps of a segment, not measured: the optimizer allocates its state
LEARNING_RATE = 5e-5


class Clock(TrainerCallback):
    """Records the time at the end of every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Called by the trainer."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


class Segment:
    """Measured steps of a training: seconds, sentences, sub-words without and with padding."""

    def __init__(self, clock: Clock, batches: Sequence[tuple[int, int, int]]) -> None:
        """Args: a clock after the last step; sentences, sub-words and padded sub-words of each batch."""
        self.seconds = clock.times[-1] - clock.times[WARM - 1]
        self.sentences, self.subwords, self.positions = map(sum, zip(*batches[WARM : len(clock.times)], strict=True))


def main() -> None:
    """Measure and print."""
    options = parse()
    torch.set_num_threads(options.threads)
    articles = load_articles(options.data)
    tokenizer = train_wordpiece((article.text for article in articles), VOCABULARY[options.size])
    labels = load_scheme(SCHEME).labels("entities")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_tokenizer(tokenizer, folder / "tokenizer")
        fast = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer", model_max_length=512)
        dataset = plain_dataset(articles, fast, labels)
        real = sum(map(len, dataset["input_ids"]))
        budget = options.batch_tokens or round(BATCH * real / len(dataset))
        windows = rasid_windows(articles, folder / "windows.arrow", tokenizer, budget)
        plain = train_example(dataset, fast, labels, options, folder)
        ours = train_rasid(windows, fast, labels, budget, options, folder)
        segments: dict[str, list[Segment]] = {"plain": [], "rasid": []}
        for number in range(options.segments):
            for name in ("plain", "rasid") if number % 2 == 0 else ("rasid", "plain"):
                segments[name].append((plain if name == "plain" else ours)(number))

    print(
        f"{len(articles)} sentences, BERT {options.size}, {options.threads} threads; segments of {options.steps} steps"
    )
    print(f"plain: batches of {BATCH} sentences; rasid: batches of {budget} sub-words\n")
    results: dict[str, Any] = {}
    for name, parts in segments.items():
        results[name] = {
            "subwords_per_second": [part.subwords / part.seconds for part in parts],
            "sentences_per_second": [part.sentences / part.seconds for part in parts],
            "padding": 1 - sum(part.subwords for part in parts) / sum(part.positions for part in parts),
        }
    rows = [["", "sub-words/s", "sentences/s", "padding"]]
    for name, figures in results.items():
        medians = [statistics.median(figures[key]) for key in ("subwords_per_second", "sentences_per_second")]
        rows.append([name, *(f"{value:.1f}" for value in medians), f"{figures['padding']:.1%}"])
    show_table(rows)
    for key in ("subwords_per_second", "sentences_per_second"):
        results[f"ratio_{key}"] = ratio(results["rasid"][key], results["plain"][key])
        print(f"ratio, {key.replace('_', ' ')}: {show_ratio(results[f'ratio_{key}'])}")
    write_json(options.json, options, {"batch_tokens": budget, **results})


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="sentences with entities, in CoNLL format")
    parser.add_argument("--size", choices=SIZES, default="mini", help="of the encoder")
    parser.add_argument("--steps", type=int, default=20, help="measured steps per segment")
    parser.add_argument("--segments", type=int, default=5, help="segments of each contender")
    parser.add_argument(
        "--batch-tokens",
        type=int,
        help="sub-words in a batch of rasid; default: the average of 32 sentences without padding",
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for torch")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args()


def arguments(folder: Path, steps: int, seed: int) -> TrainingArguments:
    """The same for both sides."""
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        seed=seed,
        data_seed=seed,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
    )


def plain_dataset(articles: Sequence[Article], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str]) -> Dataset:
    """Sentences as in run_ner.py: split into words, truncated, with the label on the first sub-word."""
    tags = ["O", *(f"{mark}-{label}" for label in labels for mark in "BI")]
    rows: list[dict[str, Any]] = []
    for article in articles:
        starts = {start: number for number, (start, _) in enumerate(article.tokens)}
        ends = {end: number + 1 for number, (_, end) in enumerate(article.tokens)}
        spans = [(starts[e.start], ends[e.end], e.label) for e in article.entities]
        gold = [tags.index(tag) for tag in spans_to_tags(spans, len(article.tokens))]
        words = [article.text[start:end] for start, end in article.tokens]
        encoding = tokenizer(words, is_split_into_words=True, truncation=True)
        numbers = encoding.word_ids()
        first = [n is not None and n != before for n, before in zip(numbers, [None, *numbers], strict=False)]
        rows.append(
            {
                "input_ids": encoding["input_ids"],
                "token_type_ids": encoding["token_type_ids"],
                "attention_mask": encoding["attention_mask"],
                "labels": [
                    gold[n] if n is not None and starts_word else -100
                    for n, starts_word in zip(numbers, first, strict=True)
                ],
            }
        )
    return Dataset.from_list(rows)


def train_example(
    dataset: Dataset,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    options: argparse.Namespace,
    folder: Path,
) -> Callable[[int], Segment]:
    """Train with `Trainer`: random batches of 32 sentences, padded to the longest."""
    torch.manual_seed(0)
    model = BertForTokenClassification(bert_config(options.size, labels))
    pad = DataCollatorForTokenClassification(tokenizer)

    def run(number: int) -> Segment:
        clock, batches = Clock(), []

        def collate(rows: list[dict[str, Any]]) -> Any:
            batch = pad(rows)
            batches.append((len(rows), sum(len(row["input_ids"]) for row in rows), batch["input_ids"].numel()))
            return batch

        trainer = Trainer(
            model=model,
            args=arguments(folder, WARM + options.steps, number),
            train_dataset=dataset,  # type: ignore[arg-type]
            data_collator=collate,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        return Segment(clock, batches)

    return run


def rasid_windows(articles: Sequence[Article], file: Path, tokenizer: Any, budget: int) -> WindowSet:
    """Windows with targets, as in `rasid train`."""
    scheme = load_scheme(SCHEME)
    annotated_labels: AnnotatedLabels = {"entities": scheme.labels("entities")}
    write_windows(
        file, [(articles, annotated_labels)], TextEncoder(tokenizer, window=512), target_maker(scheme), budget=budget
    )
    return WindowSet(file)


def train_rasid(
    windows: WindowSet,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    budget: int,
    options: argparse.Namespace,
    folder: Path,
) -> Callable[[int], Segment]:
    """Train with `RasidTrainer`: batches of a token budget from length-sorted pools."""
    torch.manual_seed(0)
    config = bert_config(options.size, labels)
    events = load_scheme(SCHEME).labels("triggers")
    shape = RasidConfig(encoder=config.to_dict(), tasks=["entities"], entities=labels, events=events)
    model = RasidModel(shape, BertModel(config, add_pooling_layer=False))
    pad_id = tokenizer.convert_tokens_to_ids("[PAD]")
    assert isinstance(pad_id, int)

    def run(number: int) -> Segment:
        batches, per_epoch = plan_run(windows.lengths, budget=budget, epochs=1, seed=number, groups=windows.groups)
        batches = batches[: WARM + options.steps]
        clock = Clock()
        groups = parameter_groups(
            model,
            learning_rate=LEARNING_RATE,
            head_learning_rate=LEARNING_RATE,
            layer_decay=1.0,
            weight_decay=0.0,
        )
        trainer = RasidTrainer(
            model=model,
            args=arguments(folder, len(batches), number),
            windows=windows,
            schedule=Schedule(batches),
            per_epoch=per_epoch,
            pad_id=pad_id,
            optimizer=make_optimizer(groups, fused=True),
            score=lambda _: {},
            weights={"entities": 1.0},
            positive_weights={},
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        sizes = [windows.lengths[batch] for batch in batches]
        return Segment(clock, [(len(size), int(size.sum()), int(size.max()) * len(size)) for size in sizes])

    return run


if __name__ == "__main__":
    main()
