"""Windows on disk and batches of them: equal to what one would write down by hand from the targets."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rasid.configs.loader import load_config
from rasid.configs.schema import Config
from rasid.data.articles import Article, Sentence
from rasid.data.formats import write_articles
from rasid.data.labels import LabelScheme
from rasid.data.problems import DataError
from rasid.data.windows.columns import IGNORED
from rasid.data.windows.encoding import EncodedText, TextEncoder
from rasid.data.windows.targets import Targets
from rasid.data.windows.training_set import Collator, Statistics, WindowSet, write_windows
from rasid.models.tasks import columns_of, target_maker
from rasid.train import prepare

BUDGET = 300
TASKS = ("entities", "triggers", "sentence_types", "article_types")


@pytest.fixture(scope="module")
def long_article(articles: list[Article]) -> Article:
    """Several articles as one of a dozen windows."""
    whole = articles[0]
    for article in articles[1:24]:
        shift = len(whole.text) + 2

        def moved(span: Any, shift: int = shift) -> Any:
            return replace(span, start=span.start + shift, end=span.end + shift)

        whole = replace(
            whole,
            id="long",
            text=f"{whole.text}\n\n{article.text}",
            entities=(*whole.entities, *map(moved, article.entities)),
            events=(*whole.events, *(replace(event, trigger=moved(event.trigger)) for event in article.events)),
        )
    return whole


def everything(scheme: LabelScheme) -> dict:
    return {"proclitics": (), **{task: scheme.labels(task) for task in TASKS}}


def whole(windows: WindowSet, scheme: LabelScheme) -> dict:
    """All windows as one batch."""
    return Collator(0, columns_of(scheme))(windows.__getitems__(range(len(windows))))


Written = Callable[..., tuple[WindowSet, Statistics]]


@pytest.fixture
def written(tmp_path: Path, encoder: TextEncoder, scheme: LabelScheme) -> Written:
    """Writes data sets and opens them."""

    def write(*sources: tuple[list[Article], dict], scheme: LabelScheme = scheme) -> tuple[WindowSet, Statistics]:
        file = tmp_path / "windows.arrow"
        statistics = write_windows(file, sources, encoder, target_maker(scheme), budget=BUDGET)
        return WindowSet(file), statistics

    return write


def check_row(batch: dict, row: int, encoded: EncodedText, targets: Targets, number: int, pad_id: int) -> None:
    """One row of a batch against its window, element by element."""
    window, gold = encoded.windows[number], batch["targets"]
    size, count, kinds = len(window.input_ids), len(window.words), targets["triggers_annotated"].shape[0]
    assert batch["input_ids"][row].tolist()[:size] == window.input_ids.tolist()
    assert set(batch["input_ids"][row].tolist()[size:]) <= {pad_id}
    assert batch["attention_mask"][row].tolist() == [int(i < size) for i in range(batch["input_ids"].shape[1])]
    for place in range(batch["words"].shape[1]):
        word = window.first_word + place
        real = place < count
        own = real and window.owned[0] <= word < window.owned[1]
        assert batch["words"][row, place].tolist() == (window.words[place].tolist() if real else [0, 0])
        assert gold["owned"][row, place].item() == own
        assert gold["entities"][row, place].item() == (targets["entities"][word] if own else IGNORED)
        assert gold["proclitics"][row, place].item() == (targets["proclitics"][word] if own else IGNORED)
        marks = {mark for at, mark in targets["triggers"].tolist() if own and at == word}
        assert set(gold["triggers"][row, place].nonzero().flatten().tolist()) == marks
    assert gold["entities_unannotated"][row].tolist() == targets["entities_unannotated"].tolist()
    assert gold["triggers_annotated"][row].tolist() == targets["triggers_annotated"].tolist()
    for place in range(batch["sentences"].shape[1]):
        real = place < len(window.sentences)
        sentence, first, last = window.sentences[place].tolist() if real else (0, 0, 0)
        assert batch["sentences"][row, place].tolist() == [first, last]
        assert batch["sentence_numbers"][row, place].item() == sentence
        assert gold["sentence_valid"][row, place].item() == real
        expected = targets["sentence_types"][sentence].tolist() if real else [IGNORED] * kinds
        assert gold["sentence_types"][row, place].tolist() == expected


def test_batches_are_what_the_targets_say(
    written: Written, encoder: TextEncoder, scheme: LabelScheme, articles: list[Article], long_article: Article
) -> None:
    given = replace(
        articles[3], id="given", sentences=(Sentence(start=0, end=9, types=("AID",)), Sentence(start=10, end=40))
    )
    partial = {"entities": ("GPE",), "triggers": ("PROTEST",), "article_types": ("AID", "PROTEST")}
    sources = [
        ([*articles[:3], long_article, Article(text=" \n", id="blank"), given], everything(scheme)),
        (articles[10:13], partial),
    ]
    windows, statistics = written(*sources)

    expected = []  # one entry a window
    unpredictable = 0
    for source, (members, annotated_labels) in enumerate(sources):
        for article in members:
            (encoded,) = encoder.encode([article])
            targets = target_maker(scheme).make(article, encoded, annotated_labels)
            unpredictable += targets.unpredictable.total()
            expected += [(source, article.id, encoded, targets, number) for number in range(len(encoded.windows))]
    assert len(windows) == len(expected) == statistics.windows
    assert windows.sources.tolist() == [source for source, *_ in expected]
    assert windows.lengths.tolist() == [len(encoded.windows[number].input_ids) for _, _, encoded, _, number in expected]
    assert windows.table["id"].to_pylist() == [name for _, name, *_ in expected]
    assert (np.diff(windows.groups) >= 0).all()
    assert statistics.articles == 9 and statistics.subwords == windows.lengths.sum()
    assert statistics.unpredictable.total() == unpredictable
    assert statistics.words == sum(len(encoded.words) for _, _, encoded, _, number in expected if number == 0)
    assert statistics.tags.sum() == statistics.words and statistics.tags[0] > statistics.tags[1:].sum() > 0

    collate = Collator(encoder.pad_id, columns_of(scheme))
    rng = np.random.default_rng(0)
    for _ in range(6):
        groups = rng.permutation(np.unique(windows.groups))[:4]
        picked = np.concatenate([np.flatnonzero(windows.groups == group) for group in groups])
        batch = collate(windows.__getitems__(picked.tolist()))
        for row, index in enumerate(picked):
            _, _, encoded, targets, number = expected[index]
            check_row(batch, row, encoded, targets, number, encoder.pad_id)
        # Articles are numbered as they come; each has its labels once, on the group that holds its first window.
        order = {group: place for place, group in enumerate(groups.tolist())}
        assert batch["targets"]["article"].tolist() == [order[group] for group in windows.groups[picked]]
        for place, group in enumerate(groups):
            _, _, _, targets, number = expected[int(np.flatnonzero(windows.groups == group)[0])]
            wanted = targets["article_types"].tolist() if number == 0 else [IGNORED] * len(scheme.events)
            assert batch["targets"]["article_types"][place].tolist() == wanted
        assert batch["ids"] == sorted({expected[index][1] for index in picked})


def test_a_long_article_has_its_labels_and_each_word_once_and_fits_the_budget(
    written: Written, scheme: LabelScheme, long_article: Article
) -> None:
    windows, statistics = written(([long_article], everything(scheme)))
    assert windows.lengths.sum() > 2 * BUDGET
    targets = whole(windows, scheme)["targets"]
    labeled = (targets["article_types"] != IGNORED).any(1)
    assert labeled.tolist() == [True] + [False] * (len(labeled) - 1) and len(labeled) > 2
    for group in np.unique(windows.groups):
        lengths = windows.lengths[windows.groups == group]
        assert lengths.max() * len(lengths) <= BUDGET  # padding included
    assert targets["owned"].sum() == statistics.words
    tags = targets["entities"]
    assert np.bincount(tags[tags >= 0], minlength=len(statistics.tags)).tolist() == statistics.tags.tolist()


def test_an_article_that_is_repeated_in_a_batch_counts_twice(
    written: Written, scheme: LabelScheme, articles: list[Article], long_article: Article
) -> None:
    collate = Collator(0, columns_of(scheme))
    windows, _ = written((articles[:2], everything(scheme)))
    assert windows.groups.tolist() == [0, 1]
    targets = collate(windows.__getitems__([0, 0, 1, 0]))["targets"]
    assert targets["article"].tolist() == [0, 1, 2, 3]
    alone = [collate(windows[index])["targets"]["article_types"][0].tolist() for index in (0, 0, 1, 0)]
    assert targets["article_types"].tolist() == alone
    windows, _ = written(([long_article], everything(scheme)))
    first = np.flatnonzero(windows.groups == 0).tolist()
    assert len(first) > 1
    targets = collate(windows.__getitems__(first * 2))["targets"]
    assert targets["article"].tolist() == [0] * len(first) + [1] * len(first)


def test_types_of_the_tensors(written: Written, scheme: LabelScheme, articles: list[Article]) -> None:
    windows, _ = written((articles[:5], everything(scheme)))
    batch = Collator(0, columns_of(scheme))(windows.__getitems__([4, 0, 2]))
    integers = ("input_ids", "attention_mask", "words", "sentences", "sentence_numbers")
    assert all(batch[name].dtype == torch.int64 for name in integers)
    flags = {"entities_unannotated", "triggers", "owned", "sentence_valid"}
    for name, values in batch["targets"].items():
        assert values.dtype == (torch.bool if name in flags or name.endswith("_annotated") else torch.int64), name


def test_a_scheme_of_entities_alone(written: Written, scheme: LabelScheme, articles: list[Article]) -> None:
    names = LabelScheme(name="names", entities=scheme.entities)
    plain = [replace(article, events=(), event_types=()) for article in articles[:3]]
    windows, statistics = written((plain, {"entities": names.labels("entities"), "proclitics": ()}), scheme=names)
    gold = whole(windows, names)["targets"]
    assert gold["triggers"].shape == (*gold["entities"].shape, 0)
    assert gold["triggers_annotated"].shape == (3, 0) and gold["article_types"].shape == (3, 0)
    assert gold["sentence_types"].shape[0] == 3 and gold["sentence_types"].shape[2] == 0
    assert (gold["entities"] > 0).any() and statistics.tags[1:].sum() > 0


def test_a_scheme_of_events_alone(written: Written, scheme: LabelScheme, articles: list[Article]) -> None:
    events = LabelScheme(name="events", events=scheme.events)
    plain = [replace(article, entities=()) for article in articles[:2]]
    windows, statistics = written((plain, {"sentence_types": events.labels("sentence_types")}), scheme=events)
    gold = whole(windows, events)["targets"]
    assert gold["entities_unannotated"].shape == (2, 0) and (gold["entities"] == IGNORED).all()
    assert (gold["sentence_types"] == 1).any() and statistics.tags.tolist() == [0]


@pytest.mark.parametrize("texts", [[], [""], [" \n", "漢字 😀"]])
def test_nothing_to_read(written: Written, scheme: LabelScheme, texts: list[str]) -> None:
    windows, statistics = written(([Article(text=text) for text in texts], everything(scheme)))
    assert len(windows) == statistics.windows == 0 and statistics.articles == len(texts)
    assert windows.lengths.tolist() == windows.groups.tolist() == windows.sources.tolist() == []


def test_a_data_set_that_the_encoder_cannot_read_is_an_error(
    tmp_path: Path, config_text: str, data_files: dict[str, Path]
) -> None:
    for name, text in (("foreign", "漢字 😀 漢"), ("odd", "字")):
        write_articles([Article(id="a", text=text)], tmp_path / f"{name}.jsonl")
    lines = "".join(f"    - {{path: {tmp_path / name}.jsonl, annotated: [entities]}}\n" for name in ("foreign", "odd"))
    (tmp_path / "config.yaml").write_text(config_text.replace("  train:\n", f"  train:\n{lines}"), encoding="utf-8")
    config = load_config(tmp_path / "config.yaml", Config)
    data = prepare.load_data(config)
    encoder = prepare.make_text_encoder(config, prepare.make_encoder(config, data, 0))
    with pytest.raises(DataError) as raised:
        prepare.make_windows(tmp_path / "w.arrow", config, data, encoder)
    assert [problem.source for problem in raised.value.problems] == ["foreign", "odd"]
    assert "reads no word" in str(raised.value) and "漢字 😀 漢" in str(raised.value)
    windows, statistics = prepare.make_windows(
        tmp_path / "w.arrow", config, replace(data, train=data.train[2:]), encoder
    )
    assert len(windows) == statistics.windows >= len(data.train[2].articles)


def test_a_plan_repeats_each_data_set_as_its_config_says(
    tmp_path: Path, config_text: str, data_files: dict[str, Path]
) -> None:
    line = f"    - {{path: {data_files['dev']}, annotated: [entities], repeats: 3}}\n"
    (tmp_path / "config.yaml").write_text(config_text.replace("  train:\n", f"  train:\n{line}"), encoding="utf-8")
    config = load_config(tmp_path / "config.yaml", Config, ["training.epochs=1"])
    data = prepare.load_data(config)
    windows, _ = prepare.make_windows(
        tmp_path / "w.arrow", config, data, prepare.make_text_encoder(config, prepare.make_encoder(config, data, 0))
    )
    plan = prepare.make_plan(config, data, windows, seed=1)
    seen = np.bincount(np.concatenate(plan.schedule.batches), minlength=len(windows))
    assert (seen == np.where(windows.sources == 0, 3, 1)).all()
