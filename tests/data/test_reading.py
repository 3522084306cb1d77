"""What is read from every format in the same way."""

from dataclasses import replace
from pathlib import Path

import pytest

from rasid.data.articles import Article, Sentence
from rasid.data.formats import FORMATS, suffix_of, write_articles
from rasid.data.labels import load_scheme
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import read

EXTRAS = {"spacy": "spacy", "inception": "cassis"}


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "conll"])
def test_a_link_in_place_of_a_text_is_no_article(format: str, tmp_path: Path) -> None:
    if format in EXTRAS:
        pytest.importorskip(EXTRAS[format])
    texts = {"text": "قصف في حلب", "link": "https://example.org/1.txt"}
    articles = [Article(id=id, text=text) for id, text in texts.items()]
    if format == "classification":
        articles = [replace(a, sentences=(Sentence(start=0, end=len(a.text)),)) for a in articles]
    path = tmp_path / f"f{suffix_of(format)}"
    write_articles(articles, path, format)
    log = ProblemLog()
    found = [article for _, article in read(path, format=format, policy="drop_article", log=log)]
    assert [article.text.strip() for article in found] == ["قصف في حلب"]
    assert log.articles == 1
    assert "https://example.org" in "".join(problem.message for problem in (*log.fixed, *log.dropped))


def test_labels_outside_the_scheme_are_one_problem_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("حلب B-CITY\n\nحسن B-PER\n\nدمشق B-CITY\n" * 50, encoding="utf-8")
    with pytest.raises(DataError) as error:
        list(read(tmp_path / "a.conll", scheme=load_scheme("anercorp")))
    lines = str(error.value).splitlines()
    assert "scheme 'anercorp' lacks: CITY (100), PER (50)" in lines[0] and "--label CITY=NAME" in lines[0]
    assert lines[1] == "unknown label: 150 times, the first 3:"
    assert len(lines) == 5
