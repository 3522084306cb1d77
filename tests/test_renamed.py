"""Names of version 0.1 are still read. Configs: tests/configs."""

from rasid import load_articles


def test_the_old_name_of_the_inline_format(tmp_path):
    (tmp_path / "one.txt").write_text("---\nid: a\n---\nقصف في [:GPE حلب]\n", encoding="utf-8")
    (article,) = load_articles(tmp_path / "one.txt", "markup")
    assert article.entities[0].text == "حلب"
