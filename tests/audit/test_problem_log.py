"""Findings from reading."""

from collections.abc import Callable
from dataclasses import replace

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
