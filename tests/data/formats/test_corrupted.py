"""The project's own formats under damage: ten thousand corrupted files each."""

import random
from pathlib import Path

import pytest

from rasid.data.articles import Article, check_article
from rasid.data.corpus import load_corpus
from rasid.data.formats import read_files, write_articles
from rasid.data.problems import DataError, ProblemLog

FORMATS = ("jsonl", "inline", "conll", "classification")


def corrupted(good: bytes, seed: int) -> bytes:
    """A file with some bytes changed, dropped, doubled or moved."""
    chance = random.Random(seed)
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        at, to = chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 40)]
            case 2:
                data[at:at] = data[to : to + chance.randint(1, 40)]
            case 3:
                data[at:at] = chance.choice([b"\x00", b"\xef\xbb\xbf", b"\r", b"\xff", b'"', b"[", b"{", b"\n", b"\\u"])
            case _:
                data = data[:at] or data
    return bytes(data)


def check(format: str, folder: Path, seeds: range) -> int:
    """Every file gives valid articles, or entries of the log, or a located error; the number that gave articles."""
    small = load_corpus("dev").articles[:2]
    articles = [Article(id=a.id, text=a.text[:300], entities=a.entities[:6]) for a in small]
    articles = [
        Article(id=a.id, text=a.text, entities=tuple(e for e in a.entities if e.end <= len(a.text))) for a in articles
    ]
    path = folder / "a"
    write_articles(articles, path, format)
    good = path.read_bytes()
    gave = 0
    for seed in seeds:
        path.write_bytes(corrupted(good, seed))
        log = ProblemLog()
        try:
            found = [article for _, article in read_files(path, format, log=log)]
        except DataError as error:
            assert all(problem.source and problem.message for problem in error.problems)
            continue
        assert all(problem.cause and problem.message for problem in log.dropped)
        for article in found:
            causes = {cause for cause, _ in check_article(article)}
            # What a person wrote may be invalid; strict loading and the audit say so. Offsets hold all the same.
            assert not causes & {"span outside the text", "surface differs"}, (seed, causes)
            for entity in article.entities:
                assert article.text[entity.start : entity.end] == entity.text
        gave += bool(found)
    return gave


@pytest.mark.parametrize("format", FORMATS)
def test_corrupted_files_are_read_or_refused(format: str, tmp_path: Path) -> None:
    assert check(format, tmp_path, range(150)) > 20


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_ten_thousand_corrupted_files_are_read_or_refused(format: str, tmp_path: Path) -> None:
    assert check(format, tmp_path, range(1_000, 11_000)) > 1_000
