"""What the answer to a task of Prodigy says, which depends on the view it was asked in."""

from collections.abc import Mapping
from typing import Any

from ....errors import shown
from ...problems import ArticleLog
from ..common.span_lines import as_text

ANSWERS = ("accept", "reject", "ignore")

_BINARY = ("ner", "spans", "pos", "dep")  # views that show given spans, to be accepted or rejected


def view_of(content: Mapping[str, Any]) -> str:
    """The view in which a task was shown; empty if unknown."""
    view = content.get("_view_id")
    return view if isinstance(view, str) else ""


def annotator_of(content: Mapping[str, Any]) -> str:
    """Who answered a task, which Prodigy names after the data set and the session; empty if unknown."""
    names = (as_text(content.get(key)) for key in ("_annotator_id", "_session_id"))
    return next((name for name in names if name), "")


def is_of_spans(content: Mapping[str, Any]) -> bool:
    """Whether the task's view shows spans and no labels of the text, so that ``label`` belongs to spans."""
    return view_of(content).startswith(("ner", "spans", "pos", "rel", "dep"))


def asks_for_labels(content: Mapping[str, Any]) -> bool:
    """Whether the task's view shows labels of the text and no spans."""
    return view_of(content) in ("classification", "choice") and not content.get("spans")


def is_annotation(content: Mapping[str, Any], log: ArticleLog) -> bool:
    """Whether a task annotates a text; other tasks are recorded."""
    answer = content.get("answer")
    if answer == "reject" and view_of(content) == "classification" and isinstance(content.get("label"), str):
        return True  # the text does not have the label
    if answer in (None, "accept"):
        if asks_about_spans(content):
            message = "it is a binary question about single spans, which says nothing of the rest of the text; left out"
            log.fix("binary question", f"{message} (export complete annotations, as of ner.manual)")
            return False
        return True
    if isinstance(answer, str) and answer in ANSWERS:
        log.fix(f"answer {answer}", f"the task was answered {answer!r}; left out")
    else:
        log.drop("wrong kind", f"answer is {shown(answer)}; it must be one of {', '.join(ANSWERS)}")
    return False


def asks_about_spans(content: Mapping[str, Any]) -> bool:
    """Whether a task asks if the given spans are right: one span, or spans that a model scored.

    Newer versions of Prodigy say so (``_is_binary``); older ones do not even name the view.
    """
    spans, meta, binary = content.get("spans"), content.get("meta"), content.get("_is_binary")
    if not isinstance(spans, list) or binary is False:
        return False
    scored = any(isinstance(span, dict) and "score" in span for span in spans)
    question_scored = isinstance(meta, dict) and "score" in meta
    if binary is True:
        return bool(spans)
    if not view_of(content):
        return scored and question_scored and content.get("answer") == "accept"
    return view_of(content) in _BINARY and (len(spans) == 1 or scored or question_scored)
