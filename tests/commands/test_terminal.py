"""What reaches the terminal: no control characters of texts, labels, names and messages."""

import csv
import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rasid.commands.tagging import write_tagged
from rasid.data.articles import Article, Event, Span
from rasid.errors import printable

HOSTILE = "غزة\x1b]0;title\x07\x1b[2J\x9b31m\u202e"


def on_terminal(*arguments: object) -> str:
    """The output of a command whose stdout and stderr are a terminal."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "rasid", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=follower, stderr=follower, stdin=follower, close_fds=True)
    os.close(follower)
    parts = []
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(leader)
    return b"".join(parts).decode("utf-8", "replace")


@pytest.mark.parametrize("format", ["text", "jsonl"])
def test_hostile_texts_are_shown_as_escapes(bundle: Path, tmp_path: Path, format: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"قصف الجيش {HOSTILE} المدينة", encoding="utf-8")
    shown = on_terminal("tag", bundle, file, "--to", format)
    assert "a" in shown
    for sign in ("\x1b]0", "\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert sign not in shown


def test_hostile_names_and_values_in_messages_are_shown_as_escapes(tmp_path: Path) -> None:
    name = tmp_path / "x\x1b[31m.jsonl"
    name.write_text('{"text": "a", "key\\u001b[2J": 1}\n', encoding="utf-8")
    shown = on_terminal("convert", name, tmp_path / "out.jsonl")
    assert "jsonl" in shown and "\x1b[31m" not in shown and "\x1b[2J" not in shown
    shown = on_terminal("check", name)
    assert "\x1b[31m.jsonl" not in shown and "\x1b[2J" not in shown


def test_files_and_pipes_get_texts_as_they_are(bundle: Path, tmp_path: Path, rasid: Callable[..., Result]) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"قصف الجيش {HOSTILE} المدينة", encoding="utf-8")
    assert HOSTILE[-1] in rasid("tag", bundle, file, "--to", "jsonl").stdout
    assert printable(HOSTILE) not in rasid("tag", bundle, file, "--to", "inline").stdout


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_cells_of_the_table_are_no_formulas(start: str) -> None:
    text = f"{start} قصف"
    event = Event(trigger=Span(start=0, end=len(text)), types=(start,), scores=(0.5,))
    table = io.StringIO()
    write_tagged([Article(text=text, id=start, source=start, events=(event,))], table, "csv")
    (row,) = csv.DictReader(io.StringIO(table.getvalue()))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row.values())
    plain = start.strip()  # cells are on one line, without white space at the edges
    guarded = [row["article_id"], row["source"], row["type"], row["trigger"]]
    assert guarded == [f"'{plain}"] * 3 + [f"'{plain} قصف"]
