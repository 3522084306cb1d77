"""docs/config.md is generated from the schema."""

from pathlib import Path

from rasid.configs.reference import reference

ROOT = Path(__file__).parents[2]


def test_docs_are_up_to_date() -> None:
    assert (ROOT / "docs" / "config.md").read_text(encoding="utf-8") == reference(), "run `make docs`"
