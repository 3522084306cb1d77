"""Names of version 0.1 are still read."""

from rasid import load_articles
from rasid.configs.loader import load_config
from rasid.configs.schema import Config

OLD_CONFIG = """\
tasks: {entities: {}, boundaries: {}, sentence_types: {lexical: 2}}
data:
  train: [{path: a.rasid, format: markup, supervises: [entities, boundaries, sentence_types]}]
  dev: [{path: b.rasid, format: markup, supervises: [entities, boundaries, sentence_types]}]
"""


def test_a_config_with_old_keys_tasks_and_formats(tmp_path):
    (tmp_path / "old.yaml").write_text(OLD_CONFIG, encoding="utf-8")
    config = load_config(tmp_path / "old.yaml", Config)
    assert list(config.tasks) == ["entities", "proclitics", "sentence_types"]
    assert config.tasks["sentence_types"].ngrams == 2
    assert config.data.train[0].format == "inline"
    assert list(config.data.train[0].annotated) == ["entities", "proclitics", "sentence_types"]


def test_the_old_name_of_the_inline_format(tmp_path):
    (tmp_path / "one.txt").write_text("---\nid: a\n---\nقصف في [:GPE حلب]\n", encoding="utf-8")
    (article,) = load_articles(tmp_path / "one.txt", "markup")
    assert article.entities[0].text == "حلب"
