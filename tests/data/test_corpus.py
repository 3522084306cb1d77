"""The corpus that ships: valid, as large and as varied as its card says, split as it says."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from rasid.data import corpus
from rasid.data.articles import Article
from rasid.data.corpus import load_corpus
from rasid.data.formats import inline
from rasid.data.labels import load_scheme
from rasid.data.problems import ProblemLog
from rasid.data.reading import load_articles
from rasid.data.text.sentences import split_sentences

FOLDER = Path(corpus.__file__).parent
SPLITS = {"train": 273, "dev": 39, "test": 78}
LEAD = 80  # an article with fewer words is a title and one paragraph
HARD = {
    "clitic", "nested", "quoted", "diacritics", "tatweel", "presentation", "persian", "digits", "months", "relative",
    "words", "two-types", "negated", "planned", "generic", "gpe-in-org", "light-verb", "long", "nested-quotes",
}  # fmt: skip
STYLES = {"agency", "newspaper", "live-blog", "statement", "interview", "bulletin"}
MARKS = "\u064b-\u0652\u0670"  # vowel signs


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {article.id: article for article in load_articles(FOLDER, "inline", load_scheme("news"))}


@pytest.fixture(scope="module")
def splits() -> dict[str, list[str]]:
    return json.loads((FOLDER / "splits.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def card() -> dict[str, dict[str, tuple[int, ...]]]:
    """The tables of the card: heading of the first column → row → the numbers of its last four columns."""
    tables: dict[str, dict[str, tuple[int, ...]]] = {}
    heading = ""
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            heading = ""
        elif cells[-4:] == ["all", "train", "dev", "test"]:
            heading = cells[0]
            tables[heading] = {}
        elif heading and cells[-1].isdigit():
            tables[heading][cells[0]] = tuple(map(int, cells[-4:]))
    return tables


def counts(articles: dict[str, Article], splits: dict[str, list[str]], count) -> dict[str, tuple[int, ...]]:
    """What `count` finds in an article, summed as the card shows it: all, train, dev, test."""
    sums = {name: Counter[str]() for name in SPLITS}
    for name, ids in splits.items():
        for article in ids:
            sums[name].update(count(articles[article]))
    keys = set().union(*sums.values())
    return {key: tuple([sum(s[key] for s in sums.values()), *(sums[name][key] for name in SPLITS)]) for key in keys}


COUNTS = {
    "size": lambda a: {
        "articles": 1,
        "words": len(a.text.split()),
        "sentences": len(split_sentences(a.text)),
        "mentions": len(a.entities),
        "triggers": len(a.events),
        "arguments": sum(len(event.arguments) for event in a.events),
        "articles without any event type": int(not a.event_types),
    },
    "mentions": lambda a: Counter(entity.label for entity in a.entities),
    "triggers by type": lambda a: Counter(kind for event in a.events for kind in event.types),
    "articles by type": lambda a: Counter(a.event_types),
    "arguments by role": lambda a: Counter(arg.role for event in a.events for arg in event.arguments),
    "style": lambda a: [a.meta["style"]],
    "topic": lambda a: [a.meta["topic"]],
    "region": lambda a: [a.meta["region"]],
    "tag": lambda a: a.meta["hard"],
}


def test_large_enough(articles):
    assert len(articles) >= 330
    words = {name: len(article.text.split()) for name, article in articles.items()}
    assert {name: n for name, n in words.items() if not (30 <= n < LEAD or 110 <= n <= 280)} == {}
    assert all(articles[name].text.count("\n\n") == 1 for name, n in words.items() if n < LEAD)
    assert sum(words.values()) >= 62_000
    triggers = Counter(kind for a in articles.values() for event in a.events for kind in event.types)
    assert {kind: triggers[kind] for kind in load_scheme("news").events if triggers[kind] < 120} == {}
    mentions = Counter(entity.label for a in articles.values() for entity in a.entities)
    least = {label: 200 if label in ("WEA", "VEH", "FAC") else 400 for label in load_scheme("news").entities}
    assert {label: mentions[label] for label in least if mentions[label] < least[label]} == {}
    assert sum(len(event.arguments) for a in articles.values() for event in a.events) >= 10_000
    negatives = sum(not a.event_types for a in articles.values())
    assert 1 / 8 < negatives / len(articles) < 1 / 4


def test_files_are_canonical(articles):
    for name in articles:
        text = (FOLDER / f"{name}.rasid").read_bytes().decode()
        read = [a for _, a in inline.read(text.removesuffix("\n").split("\n"), ProblemLog(source=name))]
        assert [article.id for article in read] == [name]
        assert "".join(inline.write(read, ProblemLog(source=name))) == text, name


def test_article_types_are_those_of_title_and_first_paragraph(articles):
    for name, article in articles.items():
        title, lead, *_ = article.text.split("\n\n")
        end = len(title) + 2 + len(lead)
        types = {kind for event in article.events if event.trigger.start < end for kind in event.types}
        assert set(article.event_types) == types, name


def test_arguments_stay_in_their_paragraph_and_fit_their_role(articles):
    scheme = load_scheme("news")
    for name, article in articles.items():
        entities = {entity.id: entity for entity in article.entities}
        for event in article.events:
            for argument in event.arguments:
                entity = entities[argument.entity]
                where = (name, event.trigger.text, argument.role, entity.text)
                assert all(scheme.allows(label, argument.role, entity.label) for label in event.types), where
                start, end = sorted((event.trigger.start, entity.start))
                assert "\n\n" not in article.text[start:end], where
                assert not (argument.role == "Date" and re.fullmatch(r"\d\d?:\d\d", entity.text)), where


def test_meta(articles):
    for name, article in articles.items():
        assert set(article.meta["hard"]) <= HARD, name
        assert len(set(article.meta["hard"])) == len(article.meta["hard"]), name
        assert article.meta["style"] in STYLES, name
        assert {"topic", "region"} <= set(article.meta), name
        assert article.title and article.date and article.source, name
    tags = Counter(tag for article in articles.values() for tag in article.meta["hard"])
    assert min(tags[tag] for tag in HARD) >= 15


@pytest.mark.parametrize(
    ("tag", "pattern"),
    [
        ("digits", "[٠-٩]"),
        ("presentation", "[\ufb50-\ufdfb\ufe70-\ufefc]"),
        ("tatweel", "\u0640"),
        ("diacritics", f"[{MARKS}]"),
    ],
)
def test_tags_of_characters_are_true(articles, tag, pattern):
    tagged = {name for name, article in articles.items() if tag in article.meta["hard"]}
    assert tagged == {name for name, article in articles.items() if re.search(pattern, article.text)}


def test_tags_of_annotation_are_true(articles):
    def inside(article: Article) -> bool:
        pairs = combinations(article.entities, 2)  # in order of (start, -end)
        return any(y.end <= x.end for x, y in pairs if y.start < x.end)

    def is_long(article: Article) -> bool:
        return any(len(article.text[start:end].split()) >= 60 for start, end in split_sentences(article.text))

    for name, article in articles.items():
        tags = set(article.meta["hard"])
        assert ("nested" in tags) == inside(article), name
        assert ("two-types" in tags) == any(len(event.types) > 1 for event in article.events), name
        assert ("long" in tags) == is_long(article), name
        assert ("clitic" in tags) == any(article.text[: e.start][-1:].isalpha() for e in article.entities), name


def test_splits(articles, splits):
    assert {name: len(ids) for name, ids in splits.items()} == SPLITS
    assert sorted(name for ids in splits.values() for name in ids) == sorted(articles)
    triggers = counts(articles, splits, COUNTS["triggers by type"])
    kinds = counts(articles, splits, COUNTS["articles by type"])
    mentions = counts(articles, splits, COUNTS["mentions"])
    for kind in load_scheme("news").events:
        _, train, dev, test = triggers[kind]
        assert train >= 40 and dev >= 4 and test >= 10, kind
        whole, *parts = kinds[kind]
        for part, size in zip(parts, SPLITS.values(), strict=True):
            assert part >= 1 and abs(part - whole * size / len(articles)) <= 3, kind
    assert all(min(mentions[label]) > 0 for label in load_scheme("news").entities)
    series = counts(articles, splits, lambda a: [a.id[:3]])
    for whole, *parts in series.values():
        for part, size in zip(parts, SPLITS.values(), strict=True):
            assert abs(part - whole * size / len(articles)) <= 2


def test_loads_by_split(articles, splits):
    for name, ids in splits.items():
        assert list(corpus.load_corpus(name).articles) == [articles[article] for article in ids]


def test_no_two_articles_alike(articles):
    grams = {}
    for name, article in articles.items():
        words = re.findall(rf"[\w{MARKS}]+", article.text)
        grams[name] = {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
    for one, other in combinations(grams, 2):
        shared = len(grams[one] & grams[other])
        assert shared <= 0.05 * min(len(grams[one]), len(grams[other])), (one, other)


@pytest.mark.parametrize("table", COUNTS)
def test_card_agrees_with_the_data(card, articles, splits, table):
    found = counts(articles, splits, COUNTS[table])
    shown = card[table]
    assert {key: value for key, value in found.items() if any(value)} == {k: v for k, v in shown.items() if any(v)}


def test_card_states_the_share_of_unseen_names(articles, splits):
    known = {(e.text, e.label) for name in splits["train"] for e in articles[name].entities}
    test = [(e.text, e.label) for name in splits["test"] for e in articles[name].entities]
    share = sum(mention not in known for mention in test) / len(test)
    assert f"{share:.1%} do not occur" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_guidelines_cover_the_scheme():
    text = (FOLDER / "GUIDELINES.md").read_text(encoding="utf-8")
    scheme = load_scheme("news")
    assert [label for label in (*scheme.entities, *scheme.events, *scheme.roles) if label not in text] == []
    assert [tag for tag in HARD if f"`{tag}`" not in text] == []


def test_the_corpus_as_a_hugging_face_dataset():
    corpus = load_corpus("dev")
    table = corpus.to_huggingface()
    assert table["id"][:] == [article.id for article in corpus.articles]
    for row in table:
        for mention in row["entities"] + row["events"]:
            assert row["text"][mention["start"] : mention["end"]] == mention["text"]
    assert sum(len(row["events"]) for row in table) == sum(len(article.events) for article in corpus.articles) > 0
