"""Training throughput: rasid and the token-classification example of transformers.

python benchmarks/training.py train.conll --size base

Both train the same encoder with the same tokenizer on the same sentences, in turns. See README.md.
"""

import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import shared
import torch
from datasets import Dataset
from tokenizers import Tokenizer
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

from rasid.data.articles import Article
from rasid.data.formats.common.tags import spans_to_tags
from rasid.data.labels import load_scheme
from rasid.data.reading import load_articles
from rasid.data.text.normalizer import train_wordpiece
from rasid.data.windows.batches import plan_run
from rasid.data.windows.encoding import TextEncoder
from rasid.data.windows.training_set import WindowSet, write_windows
from rasid.models.bundle import Settings
from rasid.models.encoders import save_tokenizer
from rasid.models.tasks import target_maker
from rasid.train.optimizer import make_optimizer, parameter_groups
from rasid.train.trainer import RasidTrainer, Schedule

SCHEME = load_scheme("anercorp")
BATCH = 32  # sentences in a batch of the example
WARM = 2  # first steps of a segment, not measured: the optimizer allocates its state
LEARNING_RATE = 5e-5
Batches = list[tuple[int, int, int]]
"""Sentences, sub-words, and sub-words with padding of each batch."""
Segment = dict[str, float]
"""Speed of a few steps, and the share of padding in them."""


def main() -> None:
    """Measure and print."""
    arguments = shared.parser(__doc__)
    arguments.add_argument("data", type=Path, help="sentences with entities, in CoNLL format")
    arguments.add_argument("--size", choices=shared.SIZES, default="mini", help="of the encoder")
    arguments.add_argument("--steps", type=int, default=20, help="measured steps per segment")
    arguments.add_argument("--segments", type=int, default=5, help="segments of each contender")
    arguments.add_argument("--batch-tokens", type=int, help="sub-words in a batch of rasid; default: as in README.md")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    articles = load_articles(options.data)
    tokenizer = train_wordpiece((article.text for article in articles), shared.VOCABULARY[options.size])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_tokenizer(tokenizer, folder)
        dataset, plain = train_example(articles, folder, options)
        budget = options.batch_tokens or round(BATCH * sum(map(len, dataset["input_ids"])) / len(dataset))
        contenders = {"plain": plain, "rasid": train_rasid(articles, tokenizer, budget, folder, options)}
        segments: dict[str, list[Segment]] = {name: [] for name in contenders}
        for number in range(options.segments):
            for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
                segments[name].append(contenders[name](number))

    steps = f"segments of {options.steps} steps"
    print(f"{len(articles)} sentences, BERT {options.size}, {options.threads} threads; {steps}")
    print(f"plain: batches of {BATCH} sentences; rasid: batches of {budget} sub-words\n")
    results: dict[str, Any] = {
        name: {figure: [part[figure] for part in parts] for figure in parts[0]} for name, parts in segments.items()
    }
    rows = [["", "sub-words/s", "sentences/s", "padding"]]
    for name, figures in results.items():
        subwords, sentences, padding = map(statistics.median, figures.values())
        rows.append([name, f"{subwords:.1f}", f"{sentences:.1f}", f"{padding:.1%}"])
    shared.show_table(rows)
    for figure in ("subwords_per_second", "sentences_per_second"):
        results[f"ratio_{figure}"] = shared.ratio(results["rasid"][figure], results["plain"][figure])
        print(f"ratio, {figure.replace('_', ' ')}: {shared.show_ratio(results[f'ratio_{figure}'])}")
    shared.write_json(options, {"batch_tokens": budget, **results})


def train_example(
    articles: Sequence[Article], folder: Path, options: Namespace
) -> tuple[Dataset, Callable[[int], Segment]]:
    """The example: sentences as in run_ner.py, and a function that trains with random batches of 32 of them."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, model_max_length=512)
    dataset = Dataset.from_list([example_row(article, tokenizer) for article in articles])
    torch.manual_seed(0)
    model = BertForTokenClassification(shared.bert_config(options.size, shared.tag_names(SCHEME)))
    pad = DataCollatorForTokenClassification(tokenizer)

    def run(number: int) -> Segment:
        batches: Batches = []

        def collate(rows: list[dict[str, Any]]) -> Any:
            batch = pad(rows)
            batches.append((len(rows), sum(len(row["input_ids"]) for row in rows), batch["input_ids"].numel()))
            return batch

        args = training_arguments(folder, WARM + options.steps, number)
        return measured(Trainer(model=model, args=args, train_dataset=dataset, data_collator=collate), batches)  # type: ignore[arg-type]

    return dataset, run


def example_row(article: Article, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """A sentence split into words and truncated, with the label on the first sub-word."""
    starts = {start: number for number, (start, _) in enumerate(article.tokens)}
    ends = {end: number + 1 for number, (_, end) in enumerate(article.tokens)}
    spans = [(starts[entity.start], ends[entity.end], entity.label) for entity in article.entities]
    gold = [shared.tag_names(SCHEME).index(tag) for tag in spans_to_tags(spans, len(article.tokens))]
    words = [article.text[start:end] for start, end in article.tokens]
    encoding = tokenizer(words, is_split_into_words=True, truncation=True)
    numbers = pairwise([None, *encoding.word_ids()])
    labels = [gold[word] if word is not None and word != before else -100 for before, word in numbers]
    return {**encoding, "labels": labels}


def train_rasid(
    articles: Sequence[Article], tokenizer: Tokenizer, budget: int, folder: Path, options: Namespace
) -> Callable[[int], Segment]:
    """A function that trains with `RasidTrainer`: batches of a token budget from length-sorted pools."""
    sources = [(articles, {"entities": SCHEME.labels("entities")})]
    file, encoder = folder / "windows.arrow", TextEncoder(tokenizer, window=512)
    write_windows(file, sources, encoder, target_maker(SCHEME), budget=budget)  # type: ignore[arg-type]
    windows = WindowSet(file)
    torch.manual_seed(0)
    model = shared.entity_network(BertModel(shared.bert_config(options.size), add_pooling_layer=False), SCHEME)

    def run(number: int) -> Segment:
        batches, per_epoch = plan_run(windows.lengths, budget=budget, epochs=1, seed=number, groups=windows.groups)
        batches = batches[: WARM + options.steps]
        rates = {"learning_rate": LEARNING_RATE, "head_learning_rate": LEARNING_RATE}
        groups = parameter_groups(model, **rates, layer_decay=1.0, weight_decay=0.0)
        trainer = RasidTrainer(
            model=model,
            args=training_arguments(folder, len(batches), number),
            windows=windows,
            schedule=Schedule(batches),
            per_epoch=per_epoch,
            pad_id=encoder.pad_id,
            optimizer=make_optimizer(groups, fused=True),
            settings=Settings(scheme=SCHEME, tasks=("entities",), window=512, overlap=0),
            score=lambda _: {},
            weights={"entities": 1.0},
            positive_weights={},
        )
        sizes = [windows.lengths[batch] for batch in batches]
        return measured(trainer, [(len(size), int(size.sum()), int(size.max()) * len(size)) for size in sizes])

    return run


def training_arguments(folder: Path, steps: int, seed: int) -> TrainingArguments:
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


class Clock(TrainerCallback):
    """Records the time at the end of every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Called by the trainer."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


def measured(trainer: Trainer, batches: Batches) -> Segment:
    """Train, and measure all steps but the first `WARM`."""
    clock = Clock()
    trainer.add_callback(clock)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    seconds = clock.times[-1] - clock.times[WARM - 1]
    sentences, subwords, positions = map(sum, zip(*batches[WARM : len(clock.times)], strict=True))
    return {
        "subwords_per_second": subwords / seconds,
        "sentences_per_second": sentences / seconds,
        "padding": 1 - subwords / positions,
    }


if __name__ == "__main__":
    main()
