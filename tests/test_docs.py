"""The documentation: its commands run, its examples are valid, its links resolve."""

import inspect
import json
import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from rasid import load_articles
from rasid.cli import app
from rasid.configs.loader import load_config
from rasid.configs.schema import Config, DataSource
from rasid.data.corpus import load_corpus
from rasid.data.formats import write_articles
from rasid.data.formats.registry import KNOWN

ROOT = Path(__file__).parents[1]
USER_DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_DOCS = [*USER_DOCS, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")), *ROOT.glob("[a-z]*/**/*.md")]
ALL_DOCS = sorted({path for path in ALL_DOCS if path.relative_to(ROOT).parts[0] not in ("build", "dist", "runs")})

# What is added to a command so that it is cheap. The first prefix that fits counts.
CHEAP = {
    "rasid train": ["output=cheap", "training.max_steps=2", "training.seeds=[1]", "export.onnx=false", "TINY"],
    "rasid check my.yaml --folds": ["--folds", "2", "training.max_steps=2", "TINY"],
    "rasid tag runs/my-news/bundle my/new.txt --backend onnx": ["--backend", "torch"],  # the tiny run has no ONNX model
    "rasid compare": ["--samples", "100"],
}
SLOW = ("--folds", "--language-model")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def parameters(language: str) -> list:
    return [
        pytest.param(path, block, id=f"{path.stem}-{n}")
        for path in USER_DOCS
        for n, block in enumerate(blocks(path, language))
    ]


def commands() -> Iterator[tuple[Path, list[str]]]:
    """Every line of every bash block, as words, without its comment."""
    for path in USER_DOCS:
        for block in blocks(path, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if words := shlex.split(line, comments=True):
                    yield path, words


def is_slow(words: list[str]) -> bool:
    return any(option in words for option in SLOW)


RUN = [
    pytest.param(words, id=" ".join(words)[:60], marks=[pytest.mark.slow] if is_slow(words) else [])
    for _, words in commands()
    if words[0] == "rasid"
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, data_files, run_folder) -> Path:
    """A folder with the files that the documentation names."""
    folder = tmp_path_factory.mktemp("docs")
    for part, file in data_files.items():
        (folder / "my").mkdir(exist_ok=True)
        shutil.copy(file, folder / "my" / f"{part}.jsonl")
    text = (ROOT / "examples" / "article.txt").read_text(encoding="utf-8")
    for name in ("my/new.txt", "my/new/one.txt", "my/new/two.txt", "examples/article.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("quickstart", "my-news"):
        shutil.copytree(run_folder, folder / "runs" / name)
    for name in ("my", "other"):
        (folder / name / "report").mkdir(parents=True)
        shutil.copy(run_folder / "report" / "test.json", folder / name / "report" / "report.json")
    (folder / "my.yaml").write_text(named_config(), encoding="utf-8")
    write_exports(folder / "exports")
    return folder


def write_exports(folder: Path) -> None:
    """Exports of annotation tools, as they would come back."""
    cases = ROOT / "tests" / "data" / "formats" / "cases"
    shutil.copytree(cases / "brat-corrected", folder / "brat")
    for name, case in (
        ("label-studio.json", "ls-several-annotators.json"),
        ("doccano.zip", "doccano-two-annotators-confirmed.zip"),
    ):
        shutil.copy(cases / case, folder / name)
    write_articles(load_corpus("dev").articles[:3], folder / "prodigy.jsonl", "prodigy")


def named_config() -> str:
    """The config of the README that starts with its file name."""
    (config,) = [block for block in blocks(ROOT / "README.md", "yaml") if block.startswith("# my.yaml\n")]
    return config


# ---- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", RUN)
def test_commands_run(words, workspace, hub_checkpoint, monkeypatch):
    monkeypatch.chdir(workspace)
    line = " ".join(words)
    extra = next((extra for prefix, extra in CHEAP.items() if line.startswith(prefix)), [])
    tiny = [f"encoder.name={hub_checkpoint}", "encoder.window=96", "encoder.overlap=24"]
    arguments = [*words[1:], *(word for item in extra for word in (tiny if item == "TINY" else [item]))]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    findings = words[1] == "check"  # the exit code says whether there were errors
    assert result.exit_code in ((0, 1) if findings else (0,)), result.output
    assert "error:" not in result.stderr


def test_other_commands_exist():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(pyproject["project"]["optional-dependencies"])
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path, words in commands():
        match words:
            case ["make", *names]:
                assert {name for name in names if "=" not in name} <= targets, (path, words)
            case ["pip", "install", *rest]:
                wanted = set(",".join(re.findall(r"\[([\w,]+)\]", " ".join(rest))).split(","))
                assert wanted <= extras, (path, words)
                assert all((ROOT / name).is_file() for name in rest if name.endswith(".txt"))
            case _:
                assert words[0] == "rasid", (path, words)


def test_readme_lists_every_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `rasid (\w+)", text, re.MULTILINE)) == set(get_command(app).commands)  # type: ignore[attr-defined]


# ---- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "block"), parameters("python"))
def test_python_runs(path, block, workspace, monkeypatch, capsys):
    monkeypatch.chdir(workspace)
    earlier = blocks(path, "python")
    names: dict[str, object] = {}
    for code in earlier[: earlier.index(block) + 1]:
        exec(compile(code, str(path), "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


@pytest.mark.parametrize(("path", "block"), parameters("json"))
def test_json_is_an_article(path, block, tmp_path):
    (tmp_path / "one.jsonl").write_text(json.dumps(json.loads(block)) + "\n", encoding="utf-8")
    (article,) = load_articles(tmp_path / "one.jsonl")
    assert article.entities and article.events


@pytest.mark.parametrize(("path", "block"), [p for p in parameters("text") if p.values[0].stem == "formats"])
def test_text_is_of_its_format(path, block, tmp_path):
    file = tmp_path / ("one.rasid" if block.startswith("---") else "one.jsonl")
    file.write_text(block, encoding="utf-8")
    (article,) = load_articles(file)
    assert article.events or article.sentences


@pytest.mark.parametrize(("path", "block"), parameters("yaml"))
def test_yaml_is_valid(path, block, tmp_path):
    keys = set(yaml.safe_load(block))
    if keys <= set(DataSource.model_fields):
        DataSource.model_validate(yaml.safe_load(block))
        return
    (tmp_path / "my.yaml").write_text(named_config(), encoding="utf-8")
    (tmp_path / "shown.yaml").write_text(block if "tasks" in keys else f"extends: my.yaml\n{block}", encoding="utf-8")
    load_config(tmp_path / "shown.yaml", Config)


def test_picture_shows_the_sentence_of_the_readme():
    picture = (ROOT / "docs" / "picture.svg").read_text(encoding="utf-8")
    (sentence,) = re.findall(r'tagger\("(.*?)"\)', (ROOT / "README.md").read_text(encoding="utf-8"))
    assert f">{sentence}</text>" in picture
    mentions = re.findall(r'<tspan class="[ev]">([^■]*?)</tspan>', picture)
    offsets = re.findall(r">(\d+)–(\d+)</text>", picture)
    assert mentions == [sentence[int(start) : int(end)] for start, end in offsets] != []


def test_formats_page_lists_every_format_and_option():
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = " ".join(re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE))
    assert sorted(re.findall("[a-z-]+", rows)) == sorted(KNOWN)
    for name, known in KNOWN.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        parameters = inspect.signature(known.read).parameters.values()
        options = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        assert [option for option in options if f"`{option}" not in section] == [], name


def test_check_page_lists_the_findings():
    keys = yaml.safe_load((ROOT / "audit" / "findings.yaml").read_text(encoding="utf-8"))
    variants = {key for key in keys for other in keys if key.startswith(f"{other}-")}
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    assert [key for key in keys if f"`{key}" not in page and key not in variants] == []


# ---- links and length ------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", ALL_DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_contributing_names_files_that_exist():
    names = re.findall(r"`((?:[a-z]+/)+[\w.-]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    inside = [name for name in names if (ROOT / name.partition("/")[0]).is_dir()]
    assert [name for name in inside if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()] == []


def test_readme_names_the_built_in_configs():
    names = re.findall(
        r"^`CONFIG` is .*built-in config: (.*)\.$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    built_in = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))
    assert sorted(re.findall("[a-z-]+", names[0])) == built_in


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130
