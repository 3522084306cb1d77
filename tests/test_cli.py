"""The program: help, options, errors, messages."""

import logging

import pytest
import typer
from typer.testing import CliRunner

from rasid import __version__, cli
from rasid.errors import RasidError

MAIN = "from rasid.__main__ import main\nmain()\n"


def test_help_is_fast_and_imports_nothing_heavy(python):
    program = (
        "import resource, sys\nsys.argv = ['rasid', '--help']\n"
        "try:\n    " + MAIN.replace("\n", "\n    ") + "\nfinally:\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    heavy = {name.partition('.')[0] for name in sys.modules}\n"
        "    print(sorted(heavy & {'torch', 'transformers', 'numpy', 'datasets', 'sklearn', 'pydantic', 'yaml'}))\n"
        "    print(used.ru_utime + used.ru_stime)\n"
    )
    runs = [python(program) for _ in range(3)]
    assert all(run.returncode == 0 for run in runs), runs[0].stderr
    *_, imported, _ = runs[0].stdout.splitlines()
    assert imported == "[]"
    assert min(float(run.stdout.splitlines()[-1]) for run in runs) < 0.5  # seconds of CPU time


def test_commands_are_listed_in_the_order_of_work():
    names = ["init", "convert", "check", "train", "evaluate", "compare", "export", "tag", "pretrain"]
    assert list(typer.main.get_command(cli.app).commands) == names  # type: ignore[attr-defined]


def test_version(rasid):
    assert rasid("--version").stdout == f"rasid {__version__}\n"


@pytest.mark.parametrize("arguments", [["tagg"], ["tag"], ["tag", "x", "--nonsense"]])
def test_usage_errors(rasid, arguments):
    assert "Usage" in rasid(*arguments, code=2).stderr


def test_console_script_is_declared():
    from importlib.metadata import PackageNotFoundError, entry_points, version

    import rasid.__main__

    assert callable(rasid.__main__.main)
    try:
        version("rasid")
    except PackageNotFoundError:
        pytest.skip("not installed")
    (script,) = entry_points(group="console_scripts", name="rasid")
    assert script.value == "rasid.__main__:main"


@pytest.fixture
def failing(monkeypatch):
    """Make `rasid train` raise an error once it has read its config."""

    def fail(error: Exception) -> None:
        def train(*arguments, **options):
            logging.getLogger("rasid.train").info("started")
            raise error

        monkeypatch.setattr("rasid.train.run.train", train)

    return fail


def test_rasid_errors_end_a_command_with_a_message(rasid, failing):
    logger = logging.getLogger("rasid")
    before = (logger.level, list(logger.handlers))
    failing(RasidError("mend this"))
    assert rasid("train", "quickstart", code=1).stderr == "started\nerror: mend this\n"
    assert (logger.level, logger.handlers) == before  # the logger is left as it was


def test_other_errors_are_bugs_and_show_a_traceback(failing):
    failing(ValueError("a bug"))
    result = CliRunner().invoke(cli.app, ["train", "quickstart"])
    assert isinstance(result.exception, ValueError)


def test_too_little_text_to_pretrain_on_is_an_error(rasid, tmp_path, error_of):
    (tmp_path / "a.txt").write_text("قصف", encoding="utf-8")
    overrides = [f"data.files=[{tmp_path / 'a.txt'}]", f"output={tmp_path / 'run'}", "optimization.compile=false"]
    assert rasid("pretrain", "pretrain-mini", *overrides, code=1).stderr.splitlines()[-1].startswith("error: ")


def test_old_option_names_are_read_and_reported(rasid, tmp_path):
    result = rasid("init", tmp_path / "p", "--format", "jsonl")
    assert result.stderr == "--format is now called --to\n"
    assert (tmp_path / "p" / "data" / "train.jsonl").is_file()
    assert "--format" not in rasid("init", "--help").stdout
