"""Layouts of CoNLL files: which columns are tags, schemes, documents, and what tools write in place of tags."""

from collections.abc import Iterable
from typing import Any

import pytest

from rasid.data.articles import Article, Entity
from rasid.data.formats import conll
from rasid.data.problems import ProblemLog


def read(text: str, **options: Any) -> tuple[list[Article], ProblemLog]:
    log = ProblemLog(source="f.conll")
    return [article for _, article in conll.read(text.splitlines(keepends=True), log, **options)], log


def entities(articles: Iterable[Article]) -> list[tuple[str, str]]:
    return [(entity.text, entity.label) for article in articles for entity in article.entities]


def causes(log: ProblemLog) -> list[str]:
    return [problem.cause for problem in (*log.fixed, *log.dropped)]


# ---- columns ---------------------------------------------------------------------------------------------------------


def test_the_columns_that_were_read_are_noted_with_their_labels() -> None:
    _, log = read("قال O\nحسن B-PER\nدمشق B-LOC\n")
    assert log.notes == ["column 1 was read as tags, with the labels LOC, PER; column 0 is the token"]
    _, log = read("مكتب B-ORG\nبلدية I-ORG B-ORG\nرام I-ORG I-ORG B-GPE\n")
    assert log.notes == [
        "every column after the token was read as tags, with the labels GPE, ORG; column 0 is the token"
    ]


@pytest.mark.parametrize("mark", ["", "-DOCSTART- -X- O O\n\n"])
def test_chunks_are_no_names(mark: str) -> None:
    articles, log = read(f"{mark}قال VBD I-VP O\nحسن NNP I-NP I-PER\nفي IN I-PP O\nدمشق NNP I-NP I-LOC\n")
    assert entities(articles) == [("حسن", "PER"), ("دمشق", "LOC")]
    assert "column 2" in log.fixed[0].message and "column 3" in log.notes[0]
    assert not log.dropped


def test_names_may_stand_before_chunks() -> None:
    articles, log = read("قال O VBD B-VP\nحسن B-PER NNP B-NP\nفي O IN B-PP\nدمشق B-LOC NNP B-NP\n")
    assert entities(articles) == [("حسن", "PER"), ("دمشق", "LOC")]
    assert "column 3" in log.fixed[0].message and "column 1" in log.notes[0]


def test_the_mark_of_conll_2003_says_that_the_last_column_holds_names() -> None:
    text = "قال VBD B-XP O\nحسن NNP B-YP B-PER\n"
    assert entities(read(f"-DOCSTART- -X- -X- O\n\n{text}")[0]) == [("حسن", "PER")]
    assert len(entities(read(text)[0])) == 3  # nothing says that they are no names: nested columns


def test_a_file_of_chunks_alone_has_no_names() -> None:
    articles, log = read("قال VBD B-VP\nحسن NNP B-NP\n")
    assert not articles and "tags=2" in log.dropped[0].message
    articles, log = read("قال VBD B-VP\nحسن NNP B-NP\n", tags=2)
    assert entities(articles) == [("قال", "VP"), ("حسن", "NP")]


@pytest.mark.parametrize(("tags", "labels"), [(2, ["NP"]), (-1, ["PER"]), ([2, 3], ["NP", "PER"]), ([3], ["PER"])])
def test_the_option_tags_names_the_columns(tags: Any, labels: list[str]) -> None:
    articles, log = read("قال VBD O O\nحسن NNP B-NP B-PER\n", tags=tags)
    assert sorted(label for _, label in entities(articles)) == labels
    assert not causes(log)


def test_one_column_of_nested_ones() -> None:
    text = "مكتب B-ORG\nرئيس I-ORG B-OCC\nبلدية I-ORG I-OCC B-ORG\nقال O\nثم O\n"
    articles, log = read(text, tags=1)
    assert entities(articles) == [("مكتب رئيس بلدية", "ORG")] and not causes(log)


def test_nested_columns_behind_other_columns() -> None:
    rows = "".join(f"كلمة{n} N O\n" for n in range(9))
    articles, _ = read(f"{rows}مكتب N B-ORG\nرئيس N I-ORG B-OCC\nعبد الله N B-PER\n")
    assert entities(articles) == [("مكتب رئيس", "ORG"), ("رئيس", "OCC"), ("عبد الله", "PER")]


@pytest.mark.parametrize("tags", [0, 4, -4, [3, 9]])
def test_a_column_that_is_not_there_is_named(tags: Any) -> None:
    articles, log = read("قال VBD O O\n", tags=tags)
    assert not articles and "use 1 to 3" in log.dropped[0].message
    if isinstance(tags, int) and tags >= 0:
        assert "use 1 to 3" in read("قال VBD O O\n", columns=tags)[1].dropped[0].message


def test_tags_need_not_be_in_the_last_column() -> None:
    articles, log = read("قال O قال V\nحسن B-PER حسن N\nالأحمد I-PER أحمد N\n")
    assert entities(articles) == [("حسن الأحمد", "PER")]
    assert "column 1 " in log.notes[0]


def test_a_column_of_parts_of_speech_with_tags_is_left_out() -> None:
    articles, _ = read("قال B-VERB O\nحسن B-NOUN B-PER\n")
    assert entities(articles) == [("حسن", "PER")]


# ---- lines with more or fewer fields ---------------------------------------------------------------------------------


def test_a_token_with_a_space() -> None:
    articles, log = read("قال O\nعبد الله B-PER\nالأحمد I-PER\n")
    assert (articles[0].text, entities(articles)) == ("قال عبد الله الأحمد", [("عبد الله الأحمد", "PER")])
    assert [(p.line, p.cause) for p in log.fixed] == [(2, "space in a token")]
    tabs, _ = read("قال\tV\tO\nعبد\tالله\tN\tB-PER\nعاد\tV\tO\nحلب\tN\tB-LOC\n")
    assert entities(tabs) == [("عبد الله", "PER"), ("حلب", "LOC")]


def test_a_surplus_field_at_the_end_is_not_made_part_of_the_token() -> None:
    articles, log = read("قال V O\nحلب N B-LOC x\nعاد V O\nحسن N B-PER\n")
    assert articles[0].text == "قال عاد حسن"
    assert [(p.line, p.cause) for p in log.dropped] == [(2, "surplus field")]


@pytest.mark.parametrize("line", ["حلب B-LOC دمشق", "حلب B-LOC دمشق B-LOC"])
def test_two_tokens_on_one_line_lose_no_word_silently(line: str) -> None:
    articles, log = read(f"قال O\n{line}\nعاد O\nحسن B-PER\n")
    assert articles[0].text == "قال عاد حسن"
    assert [(p.line, p.cause) for p in log.dropped] == [(2, "not a tag")] and "دمشق" in log.dropped[0].message


def test_a_line_with_fewer_fields_is_read_if_its_last_one_is_a_known_tag() -> None:
    articles, log = read("قال V B-VP O\nحلب N B-NP B-LOC\nدمشق B-LOC\nعاد V B-VP\n")
    assert entities(articles) == [("حلب", "LOC"), ("دمشق", "LOC")]
    assert [(p.line, p.cause) for p in log.dropped] == [(4, "missing field")]


def test_another_white_space_before_a_tag() -> None:
    articles, log = read("قال O\nحلب\xa0B-LOC\nمدينة\xa0حلب O\n")
    assert entities(articles) == [("حلب", "LOC")] and articles[0].text == "قال حلب مدينة\xa0حلب"
    assert "U+00A0" in log.fixed[0].message and not log.dropped


def test_indented_lines_are_read() -> None:
    articles, log = read("  قال O\n  حلب B-LOC\n")
    assert entities(articles) == [("حلب", "LOC")] and not causes(log)


def test_a_line_that_lacks_its_first_field_has_no_token() -> None:
    rows = "".join(f"كلمة{n} N _ O\n" for n in range(9))
    articles, log = read(f"قال V _ O\nحلب N _ B-LOC\nV _ O\n{rows}")
    assert articles[0].text.startswith("قال حلب كلمة0")
    assert [(p.line, p.cause) for p in log.fixed] == [(3, "no token")] and not log.dropped


def test_a_column_of_numbers_is_not_the_token() -> None:
    text = "# http://example.org\n1\tزار\tO\tO\n2\tجامعة\tB-ORG\tO\n3\tحلب\tI-ORG\tB-LOC\n\n1\tعاد\tO\tO\n"
    articles, log = read(text)
    assert [article.text for article in articles] == ["زار جامعة حلب", "عاد"]
    assert entities(articles) == [("جامعة حلب", "ORG"), ("حلب", "LOC")]
    assert "numbers the tokens" in log.notes[0]
    articles, _ = read("1 B-NUM\n2 O\n")  # here they are the tokens
    assert articles[0].text == "1 2"


# ---- tags ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["null", "NULL", "_", "*", "", "None", "-"])
def test_a_mention_without_a_label_is_recorded_once(label: str) -> None:
    articles, log = read(f"حسن B-PER\nفي O\nجبل B-{label}\nالشيخ I-{label}\n")
    assert entities(articles) == [("حسن", "PER")]
    assert [(p.line, p.cause) for p in log.fixed] == [(3, "no label")] and not log.dropped


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["O^B-GPE", "I-GPE"], [("أ ب", "GPE")]),
        (["B-GPE^E-GPE", "O"], [("أ", "GPE")]),
        (["B-PREP^B-DET^I-ORG", "I-ORG"], [("أ ب", "ORG")]),
        (["B-PER^O", "I-PER"], [("أ ب", "PER")]),
        (["B-PER|B-ORG", "O|I-ORG"], [("أ ب", "ORG"), ("أ", "PER")]),
        (["B-CONJ^O", "B-PER"], [("ب", "PER")]),
        (["B-CONJ+B-PER", "O"], [("أ", "PER")]),
        (["CONJ^DET^B-ORG", "DET^I-ORG"], [("أ ب", "ORG")]),
        (["CONJ+O", "PREP+S-GPE"], [("ب", "GPE")]),
        (["B-PER+IN", "O"], [("أ", "PER+IN")]),
        (["B-A+B", "O"], [("أ", "A+B")]),
    ],
)
def test_joined_tags(tags: list[str], found: list[tuple[str, str]]) -> None:
    articles, log = read(f"أ {tags[0]}\nب {tags[1]}\n")
    assert entities(articles) == found and not log.dropped


@pytest.mark.parametrize("outside", ["0", "o", "\u041e", "\uff2f"])
def test_signs_that_look_like_the_outside_tag(outside: str) -> None:
    articles, log = read(f"قال {outside}\nفي O\nحلب B-LOC\n")
    assert entities(articles) == [("حلب", "LOC")] and not log.dropped
    assert f"U+{ord(outside):04X}" in log.fixed[0].message


@pytest.mark.parametrize("dash", ["--", "-\u2013", "\u05be\u05be"])
def test_no_label_begins_with_a_dash(dash: str) -> None:
    articles, log = read(f"حلب B{dash}LOC\nقال O\n")
    assert entities(articles) == [("حلب", "LOC")] and not log.dropped
    assert "U+" in log.fixed[0].message


def test_invisible_characters_of_tags_make_no_label() -> None:
    articles, log = read("قال\tO\u200f\nحلب\tB-LOC\xa0\n")
    assert entities(articles) == [("حلب", "LOC")] and not log.dropped
    assert "U+200F" in log.fixed[0].message


# ---- IOB1 ------------------------------------------------------------------------------------------------------------


def test_iob1_is_recognized_over_the_whole_file() -> None:
    articles, log = read("حسن I-PER\nعلي B-PER\n\nحلب I-LOC\n")
    assert entities(articles) == [("حسن", "PER"), ("علي", "PER"), ("حلب", "LOC")]
    assert not causes(log) and not any(article.meta for article in articles)
    _, log = read("حسن I-PER\nعلي B-PER\n\nحلب I-LOC\n\nحمص B-LOC\n")
    assert causes(log) == ["stray I-"] * 2


# ---- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "names"),
    [
        ("-DOCSTART- O\n\n", ["f-1", "f-2"]),
        ("-DOCSTART- O\n", ["f-1", "f-2"]),
        ("# newdoc id = خبر\n", ["خبر", "خبر"]),
        ("# newdoc\n", ["f-1", "f-2"]),
    ],
)
def test_marks_of_documents(mark: str, names: list[str]) -> None:
    articles, log = read(f"{mark}قال O\n\nعاد O\n\n{mark}ثم O\n")
    assert [article.meta["doc"] for article in articles] == [names[0], names[0], names[1]]
    assert not causes(log)


def test_the_only_mark_of_label_studio_is_no_document() -> None:
    articles, _ = read("-DOCSTART- -X- O\nقال -X- _ O\nحلب -X- _ B-LOC\n\nعاد -X- _ O\n")
    assert not any(article.meta for article in articles) and entities(articles) == [("حلب", "LOC")]


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_one_column_of_tags(written: Any) -> None:
    text = "بلدية رام الله"
    spans = (Entity(start=0, end=14, label="ORG"), Entity(start=6, end=14, label="GPE"))
    article = Article(text=text, id="f-1", entities=spans, tokens=((0, 5), (6, 9), (10, 14)))
    log = ProblemLog(source="f")
    assert "".join(conll.write([article], log, columns=1)) == "بلدية\tB-ORG\nرام\tI-ORG\nالله\tI-ORG\n\n"
    assert [(p.cause, p.article) for p in log.dropped] == [("inner entity left out", "f-1")]
    assert "GPE" in log.dropped[0].message
    wide = "".join(conll.write([article], ProblemLog(source="f"), columns=3))
    assert {line.count("\t") for line in wide.split("\n") if line} == {3}


@pytest.mark.parametrize("label", ["null", "A|B-C", "A^B-C", "_"])
def test_labels_that_would_be_read_otherwise_are_not_written(label: str) -> None:
    log = ProblemLog(source="f")
    "".join(conll.write([Article(text="حلب", id="f-1", entities=(Entity(start=0, end=3, label=label),))], log))
    assert "entity left out" in [problem.cause for problem in log.dropped]
