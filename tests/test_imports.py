"""The import rule and the declared dependencies."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    file.relative_to(ROOT)
    for file in ROOT.rglob("*.py")
    if not {"tests", "benchmarks", "build", "dist", "runs"} & set(file.relative_to(ROOT).parts)
    and not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
]


@pytest.fixture
def lint(tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Run import-linter on a copy of the package in ``tmp_path / "rasid"``."""
    pytest.importorskip("importlinter")
    for file in [*FILES, Path("pyproject.toml")]:
        (tmp_path / "rasid" / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / "rasid" / file)
    program = (
        "import sys\n"
        "sys.path.insert(0, '.')\n"
        "from importlinter.cli import lint_imports\n"
        "sys.exit(lint_imports('rasid/pyproject.toml', cache_dir=None))\n"
    )
    # -P: no folder of the checkout on sys.path, whose name may be `rasid` too.
    command = [sys.executable, "-P", "-c", program]
    return lambda: subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)


def test_imports_go_downwards(lint: Callable[[], subprocess.CompletedProcess[str]]) -> None:
    result = lint()
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("data/labels.py", "from ..train.run import train", "Imports go downwards"),
        ("models/heads.py", "if TYPE_CHECKING:\n    from ..inference import Tagger", "Imports go downwards"),
        ("data/windows/encoding.py", "from ..formats import FORMATS", "Imports inside data go downwards"),
        ("evaluate/counts.py", "from .report import Report", "circle"),
    ],
)
def test_upward_imports_break_the_rule(
    lint: Callable[[], subprocess.CompletedProcess[str]], tmp_path: Path, module: str, line: str, contract: str
) -> None:
    with (tmp_path / "rasid" / module).open("a", encoding="utf-8") as stream:
        stream.write(f"\nfrom typing import TYPE_CHECKING\n{line}\n")
    result = lint()
    assert result.returncode == 1
    assert re.search(rf"{contract}.* BROKEN", result.stdout), result.stdout


def imported(file: Path) -> set[str]:
    """Top-level names of the absolute imports of a file."""
    nodes = list(ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level and node.module]
    return {name.partition(".")[0] for name in names}


def test_every_imported_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for name, lines in project["optional-dependencies"].items() if name != "dev" for line in lines]
    declared = {re.match(r"[\w-]+", line)[0].lower() for line in (*project["dependencies"], *extras)}  # type: ignore[index]
    distributions = {"yaml": "pyyaml", "sklearn": "scikit-learn", "cassis": "dkpro-cassis", "onnx_ir": "onnx-ir"}
    names = set().union(*(imported(file) for file in FILES)) - sys.stdlib_module_names - {"rasid"}
    assert {distributions.get(name, name.replace("_", "-")) for name in names} <= declared
