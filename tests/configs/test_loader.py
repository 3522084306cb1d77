"""Loading, extending and overriding configs; every error has its place and a way to fix it."""

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rasid.configs import loader
from rasid.configs.loader import ConfigError, dump_config, load_config
from rasid.configs.pretrain_schema import PretrainConfig
from rasid.configs.schema import Config


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    path: Path
    weight: float = 1.0


class Data(Strict):
    train: tuple[Source, ...] = ()
    named: dict[str, Source] = {}


class Training(Strict):
    epochs: int = Field(default=3, gt=0)
    batch_size: int = 32
    learning_rate: float = 2e-5
    shuffle: bool = True

    @field_validator("batch_size")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("the batch must be even")
        return value


class Sample(Strict):
    name: str = Field(description="what the run is called")
    pooling: Literal["first", "mean", "attention"] = "first"
    source: Source | None = None
    labels: dict[str, list[str] | Literal["all"]] = {}
    note: str | None = None
    data: Data = Data()
    training: Training = Training()


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def write(folder: Path, text: str, name: str = "r.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def problems(source: Any, *overrides: str, model: type[BaseModel] = Sample) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(source, model, overrides)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_types_of_scalars(tmp_path: Path) -> None:
    text = """
    numbers: [3e-5, 1E3, .5, 2., -1_000, 0, .inf, -.inf]
    words: [no, yes, on, OFF, 12:30, 2024-01-01, 007, 0x1F, 1_, '3', =, 1.2.3, و]
    bools: [true, False]
    nulls: [null, ~, ]
    no: key
    12: key
    """
    read = load_config(write(tmp_path, text), Anything).model_dump()
    assert read["numbers"] == [3e-5, 1000.0, 0.5, 2.0, -1000, 0, float("inf"), float("-inf")]
    assert [type(number) for number in read["numbers"][3:6]] == [float, int, int]
    assert read["words"] == "no yes on OFF 12:30 2024-01-01 007 0x1F 1_ 3 = 1.2.3 و".split()
    assert read["bools"] == [True, False] and read["nulls"] == [None, None]
    assert read["no"] == read["12"] == "key"


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes("\ufeffname: راصد\r\ntraining:\r\n  epochs: 5\r\n".encode())
    config = load_config(file, Sample)
    assert (config.name, config.training.epochs) == ("راصد", 5)


def test_all_errors_are_reported_with_their_places(tmp_path: Path) -> None:
    text = """pooling: frist
training:
  epochs: ten
  batch_siz: 3
  batch_size: 3
  shuffle: perhaps
  epochs: 0
data:
  train:
    - path: a
      weigth: 2
    - 5
  named:
    x: {pth: b}
epochs: 3
"""
    file = write(tmp_path, text)
    expected = f"""\
{file}:7:3: training.epochs: the key is already on line 3; remove one of the two
{file}:1:1: name: is missing; what the run is called
{file}:1:1: pooling: 'frist' should be 'first', 'mean' or 'attention'; did you mean 'first'?
{file}:11:7: data.train.0.weigth: unknown key; did you mean 'weight'?
{file}:12:7: data.train.1: 5 should be a mapping: keys below it, indented
{file}:14:5: data.named.x.path: is missing; give it a value
{file}:14:9: data.named.x.pth: unknown key; did you mean 'path'?
{file}:3:3: training.epochs: 'ten' should be a whole number
{file}:5:3: training.batch_size: the batch must be even (the value is 3)
{file}:6:3: training.shuffle: 'perhaps' should be true or false
{file}:4:3: training.batch_siz: unknown key; did you mean 'batch_size'?
{file}:15:1: epochs: unknown key; did you mean 'training.epochs'?"""
    assert problems(file) == tuple(expected.splitlines())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("name: 123", "name: 123 should be text; put it in quotes"),
        ("name: true", "name: true should be text; put it in quotes"),
        ("name: [a]", "name: a list should be text"),
        ("name: x\nzzz: 1", "zzz: unknown key; the keys here are name, pooling, source, labels, note, data, training"),
        ("name: x\nnote: 1", "note: 1 should be text; put it in quotes"),
        ("name: x\nsource: {pth: a}", "source.pth: unknown key; did you mean 'path'?"),
        ("name: x\nsource: {}", "source.path: is missing; give it a value"),
        (
            "name: x\nlabels: {a: 5}",
            "labels.a: 5 should be a list: [a, b], or a line '- a' for each, or 5 should be",
        ),
        ("name: x\nlabels: {a: [b, 5]}", "labels.a.1: 5 should be text; put it in quotes"),
        ("name: x\ndata: {train: a}", "data.train: 'a' should be a list"),
        ("name: x\ntraining: {epochs: 0}", "training.epochs: 0 should be greater than 0"),
        ("name: x\ntraining: {epochs: 1.5}", "training.epochs: 1.5 should be a whole number"),
        ("name: !!int x", "name: 'x' cannot be read as int"),
        ("name: !secret x", "name: the tag '!secret' is not supported"),
        ("name: x\n? [a]\n: b", ":2:3: ?: a key must be text"),
        ("name: x\ndata: &d {}\nmore:\n  <<: *d", ":4:3: more.<<: merge keys are not supported"),
        ("name: x\ndata:\n\ttrain: a", ":3:1: not YAML: found character '\\t' that cannot start any token; indent"),
        ("name: a: b", ":1:8: not YAML: mapping values are not allowed here; put"),
        ("name: @x", ":1:7: not YAML: found character '@'"),
        ("name: x\nnote: a\x00b", ":2:8: not YAML: a control character"),
        ("name: [", "not YAML: "),
        ('name: "\\UFFFFFFFF"', "not YAML: "),
        ("name: *gone", ":1:7: not YAML: found undefined alias 'gone'"),
        ("name: a\n---\nname: b", ":2:1: not YAML: but found another document"),
        ("name: &a [*a]", "levels deep; is an alias inside its own anchor?"),
        ("[" * 5000, "levels deep"),
        ("", ":1:1: the file is empty; a config is a mapping"),
        ("# only this", ":1:1: the file is empty"),
        ("- a\n- b", ":1:1: the file holds a list; a config is a mapping"),
        ("word", "the file holds 'word'"),
        ("extends: [a]", ":1:1: extends: a list should be the name of one config"),
        ("extends: ''", "extends: '' should be the name of one config"),
        ("extends: '.'", "extends: '.' is a folder"),
        ('extends: "\\0.yaml"', "there is no file"),
        (f"extends: {'a' * 5000}.yaml", "cannot be the name of a file"),
    ],
)
def test_messages(tmp_path: Path, line: str, message: str) -> None:
    found = problems(write(tmp_path, line))
    assert any(message in problem for problem in found), found
    assert all(problem.startswith(str(tmp_path / "r.yaml")) for problem in found)


def test_aliases_are_expanded_up_to_a_limit(tmp_path: Path) -> None:
    file = write(tmp_path, "name: x\ndata:\n  named: {a: &a {path: p}, b: *a}")
    assert load_config(file, Sample, ["data.named.a.path=q"]).data.named == {
        "a": Source(path=Path("q")),
        "b": Source(path=Path("p")),
    }
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
    (problem,) = problems(write(tmp_path, "l0: &l0 [lol]\n" + levels), model=Anything)
    assert "more than 20000 values after aliases are expanded" in problem


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: x\nnote: caf\xe9\n")
    assert problems(tmp_path / "latin.yaml") == (
        f"{tmp_path / 'latin.yaml'}:2: byte 17 is not UTF-8; save the file as UTF-8",
    )
    assert problems(tmp_path / "latn.yaml") == (
        f"there is no file {str(tmp_path / 'latn.yaml')!r}; did you mean 'latin.yaml'?",
    )
    assert "is a folder" in problems(tmp_path)[0]
    assert "check the path" in problems(tmp_path / "none" / "x.yaml")[0]


def test_extends_merges_mappings_and_replaces_the_rest(tmp_path: Path) -> None:
    write(
        tmp_path, "name: base\nnote: kept\ntraining: {epochs: 9, batch_size: 8}\ndata: {train: [{path: a}]}", "a.yaml"
    )
    (tmp_path / "sub").mkdir()
    write(tmp_path, "extends: ../a.yaml\ntraining: {epochs: 7, shuffle: false}", "sub/b.yaml")
    file = write(tmp_path, "extends: sub/b.yaml\nname: child\ndata: {train: [{path: b}, {path: c}]}\nnote:")
    config = load_config(file, Sample)
    assert config.training == Training(epochs=7, batch_size=8, shuffle=False)
    assert (config.name, config.note) == ("child", None)
    assert [source.path.name for source in config.data.train] == ["b", "c"]


def test_errors_name_the_file_that_has_the_key(tmp_path: Path) -> None:
    base = write(tmp_path, "name: x\ntraining:\n  epochs: a\n  batch_size: b\n  batch_size: 2", "base.yaml")
    file = write(tmp_path, "extends: base.yaml\ntraining:\n  shuffle: c\n  batch_size: 4")
    assert problems(file) == (
        f"{base}:5:3: training.batch_size: the key is already on line 4; remove one of the two",
        f"{base}:3:3: training.epochs: 'a' should be a whole number",
        f"{file}:3:3: training.shuffle: 'c' should be true or false",
    )


def test_extends_in_a_circle_and_of_a_missing_file(tmp_path: Path) -> None:
    a = write(tmp_path, "\nextends: b.yaml", "a.yaml")
    b = write(tmp_path, "extends: ./a.yaml", "b.yaml")
    assert problems(a) == (f"{b}:1:1: extends: the configs extend each other in a circle: a.yaml → b.yaml → a.yaml",)
    file = write(tmp_path, "x: 1\nx: 2\nextends: aa.yaml")
    assert problems(file) == (
        f"{file}:2:1: x: the key is already on line 1; remove one of the two",
        f"{file}:3:1: extends: there is no file {str(tmp_path / 'aa.yaml')!r}; did you mean 'a.yaml'?",
    )


def test_built_in_configs_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in, own = tmp_path / "built_in", tmp_path / "own"
    built_in.mkdir()
    own.mkdir()
    write(built_in, "name: quick", "quickstart.yaml")
    write(built_in, "extends: quickstart\ntraining: {epochs: 1}", "v0.2.yaml")
    monkeypatch.setattr(loader, "BUILT_IN", built_in)
    monkeypatch.chdir(own)
    (own / "quickstart").mkdir()  # as `rasid init quickstart` makes; the name is still that of the config
    assert load_config("quickstart", Sample).name == "quick"
    assert load_config("v0.2", Sample).training.epochs == 1
    assert load_config(write(own, "extends: v0.2\nnote: n"), Sample).name == "quick"
    assert load_config("r.yaml", Sample).note == "n"
    assert problems("quikstart") == (
        "no built-in config 'quikstart' (there are quickstart, v0.2); did you mean 'quickstart'?",
    )
    assert problems("quickstart.yaml") == (
        "there is no file 'quickstart.yaml'; a built-in config is named without its ending: quickstart",
    )
    assert "the name of a file ends in .yaml" in problems("")[0] or "is a folder" in problems("")[0]


def test_overrides(tmp_path: Path) -> None:
    file = write(tmp_path, "name: x\ndata: {train: [{path: a}, {path: b}]}\ntraining: {epochs: 1, batch_size: bad}")
    config = load_config(
        file,
        Sample,
        ["training.batch_size=8", "training.learning_rate=3e-5", "data.train.1.path=c=d", "name=no", "note='3'"]
        + ["training={epochs: 2}", "training.shuffle=false", "labels.a=all", "data.train.0={weight: 2}"],
    )
    assert config.training == Training(epochs=2, batch_size=8, learning_rate=3e-5, shuffle=False)
    assert config.data.train == (Source(path=Path("a"), weight=2.0), Source(path=Path("c=d")))
    assert (config.name, config.note, config.labels) == ("no", "3", {"a": "all"})
    assert load_config(file, Sample, ["training.batch_size=8", "note="]).note is None


def test_errors_of_overrides(tmp_path: Path) -> None:
    file = write(tmp_path, "name: x\nnote: mini\ndata: {train: [{path: a}]}")
    found = problems(
        file,
        *["training.epoch=3", "training.epochs", "data.train.1.path=b", "note.path=c", "name=[", "epochs=4"],
        *["training.batch_size=[1]", ".=3", "data.train.0.path={a: 1, a: 2}", "data.train.x=1"],
    )
    assert set(found) == {
        "override 1: training.epoch: unknown key; did you mean 'epochs'?",
        "override 2: 'training.epochs' should be key.path=value, as in training.epochs=3",
        "override 3: data.train.1: the list has no item '1'; its items are 0 to 0",
        "override 4: note.path: note is 'mini', without keys",
        "override 5: not YAML: expected the node content, but found '<stream end>'",
        "override 6: epochs: unknown key; did you mean 'training.epochs'?",
        "override 7: training.batch_size: a list should be a whole number",
        "override 8: '.=3' should be key.path=value, as in training.epochs=3",
        "override 9: a: the key is already on line 1; remove one of the two",
        "override 9: data.train.0.path: a mapping should be a path",
        "override 10: data.train.x: the list has no item 'x'; its items are 0 to 0",
    }


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("quickstart", "training.epochs=1e308"),
        ("quickstart", "training.batch_tokens=1e18"),
        ("quickstart", "training.max_steps=1e18"),
        ("quickstart", "encoder.window=1e18"),
        ("pretrain-mini", "model.hidden=1e18"),
        ("pretrain-mini", "optimization.sequence=1e18"),
        ("pretrain-mini", "optimization.batch=1e18"),
        ("pretrain-mini", "optimization.seed=1e18"),
        ("pretrain-mini", "reporting.evaluate_sequences=1e18"),
    ],
)
def test_numbers_that_no_run_can_have_are_refused(name: str, key: str) -> None:
    schema = PretrainConfig if name == "pretrain-mini" else Config
    with pytest.raises(ConfigError, match="should be less than"):
        load_config(name, schema, [key])


def test_dump_has_the_order_of_the_fields(tmp_path: Path) -> None:
    config = Sample(name="تجربة", note="no", labels={"a": "all"}, data=Data(train=(Source(path=Path("أ/ب")),)))
    dump_config(config, tmp_path / "out.yaml")
    text = (tmp_path / "out.yaml").read_text(encoding="utf-8")
    assert text.startswith("name: تجربة\npooling: first\n") and "note: 'no'\n" in text and "path: أ/ب\n" in text
    assert text.index("data:") < text.index("training:")
    assert load_config(tmp_path / "out.yaml", Sample) == config


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.from_regex(r"[-+0-9eE._:~<=nofyi]{1,8}\Z")),
    key=st.text(st.characters(exclude_categories=["Cs"])),
    rate=st.floats(allow_nan=False),
)
@example(name="3e-5", key="a\x85\u2028\ufeff", rate=float("-inf"))
def test_dump_round_trip(tmp_path: Path, name: str, key: str, rate: float) -> None:
    config = Sample(
        name=name, data=Data(named={key: Source(path=Path("p"), weight=1)}), training=Training(learning_rate=rate)
    )
    dump_config(config, tmp_path / "out.yaml")
    assert load_config(tmp_path / "out.yaml", Sample) == config


YAML_LIKE = st.text("abأ0123 \n\t:-[]{},&*!|>'\"%@#?~.=<e\\UF\0\ufeff\u2028", max_size=60)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(), st.text().map(lambda t: t.encode("utf-8", "surrogatepass")), YAML_LIKE.map(str.encode)
    ),
    override=st.one_of(st.text(), YAML_LIKE.map("name=".__add__)),
)
def test_any_content_loads_or_is_a_config_error(tmp_path: Path, content: bytes, override: str) -> None:
    (tmp_path / "any.yaml").write_bytes(content)
    write(tmp_path, "name: x", "good.yaml")
    for file in ("any.yaml", "good.yaml"):
        for model in (Anything, Sample):
            try:
                assert isinstance(load_config(tmp_path / file, model, [override]), model)
            except ConfigError as error:
                assert error.problems and all(error.problems)
