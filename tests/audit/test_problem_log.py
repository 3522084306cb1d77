"""Findings from reading."""

from collections.abc import Callable
from dataclasses import replace

from rasid.audit import audit
from rasid.audit.page import to_html
from rasid.data.articles import Article
from rasid.data.problems import ProblemLog


def test_dropped_and_fixed_annotations(made_set: Callable, find: Callable, good: Article) -> None:
    log = ProblemLog(source="f.conll")
    log.drop("not a tag", "'X' is not a tag", line=3, article="f-1")
    for line in range(4):
        log.fix("stray I-", "read as its start", line=line)
    log.fix("sentinel", "dropped")
    found = find(x=made_set(good, replace(good), log=log))
    severities = {key: (found[key].severity, found[key].count) for key in found}
    assert severities["dropped-not-a-tag"] == ("error", 1)
    assert severities["fixed-stray-i"] == ("warning", 4)
    assert severities["fixed-sentinel"] == ("note", 1)
    assert severities["duplicate-ids"] == ("error", 1)
    assert found["dropped-not-a-tag"].locations[0].source == "f.conll:3"


def test_notes_say_how_files_were_read(made_set: Callable, good: Article, printed: Callable) -> None:
    logs = [ProblemLog(source="f.conll") for _ in range(2)]
    for log in logs:
        log.note("column 1 was read as tags")
    result = audit({"train": made_set(good, log=logs[0]), "dev": made_set(good, log=logs[1])})
    assert result.notes == ["train, dev: column 1 was read as tags"]
    assert printed(result).count("column 1 was read as tags") == 1
    assert result.to_plain()["notes"] == result.notes
    assert "column 1 was read as tags" in to_html(result, [])
