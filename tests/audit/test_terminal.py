"""The audit in the terminal."""

from collections.abc import Callable

from rasid.audit import audit
from rasid.data.articles import Article
from rasid.data.problems import ProblemLog


def test_terminal_escapes_markup_and_control_characters(make: Callable, made_set: Callable, printed: Callable) -> None:
    shown = printed(audit({"[b]": made_set(make("في \x1b[31mبغداد", ("بغداد", "[red]")))}, name="[i]"))
    assert "[b]" in shown
    assert "[red]" in shown
    assert "\x1b[31m" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_terminal_prints_an_explanation_once(make: Callable, made_set: Callable, printed: Callable) -> None:
    log = ProblemLog(source="long/way/x.jsonl")
    log.drop("not JSON", "no object", line=7)
    log.drop("missing key", "no text", line=9, article="c")
    annotated_labels = {"entities": ("GPE", "LOC"), "triggers": ("AID",)}
    dataset = made_set(make("في بغداد", ("بغداد", "GPE")), annotated_labels=annotated_labels, log=log)
    shown = printed(audit({"train": dataset}))
    assert shown.count("neither trained on nor scored") == 1
    assert "  long/way/x.jsonl:7 no object\n" in shown and "  long/way/x.jsonl:9 c no text\n" in shown
    assert "  train GPE entities: 1 in train" in shown
    assert "\n  LOC entities: annotated, but no examples\n" in shown
    assert "2 kinds of errors, 2 kinds of warnings, 1 kind of note" in shown


def test_terminal_leaves_out_empty_columns(made_set: Callable, good: Article, printed: Callable) -> None:
    first, *_ = printed(audit({"a_name_of_some_length": made_set(good)})).partition("entities")
    assert "mentions" in first and "triggers" not in first and "arguments" not in first
    assert "a_name_of_some_length" in first
