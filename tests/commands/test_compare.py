"""`rasid compare`."""

from rasid.evaluate.report import Report


def test_comparison_of_two_reports(rasid, bundle, data_files, tmp_path, error_of):
    rasid("evaluate", bundle, data_files["dev"], "-o", tmp_path / "one")
    one = Report.from_json((tmp_path / "one" / "report.json").read_text(encoding="utf-8"))
    result = rasid("compare", tmp_path / "one", tmp_path / "one" / "report.json", "--samples", "200")
    (row,) = [line for line in result.stdout.splitlines() if "entities/strict" in line]
    value = f"{100 * (one.score('entities').value or 0):.2f}"
    assert row.count(value) == 2 and "+0.00" in row and "1.0000" in row
    assert max(map(len, result.stdout.splitlines())) <= 80 and "…" not in result.stdout
    every = rasid("compare", tmp_path / "one", tmp_path / "one", "--samples", "200", "--all").stdout
    assert "macro" in every and "macro" not in result.stdout
    rasid("evaluate", bundle, data_files["test"], "-o", tmp_path / "two")
    assert "data_hash" in error_of(rasid("compare", tmp_path / "one", tmp_path / "two", code=1))
    assert "none" in error_of(rasid("compare", tmp_path / "none", tmp_path / "one", code=1))
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    assert "bad.json" in error_of(rasid("compare", tmp_path / "bad.json", tmp_path / "one", code=1))
