import json
import shutil
from dataclasses import replace

import pytest

from rasid import Tagger
from rasid.data.labels import LabelScheme
from rasid.data.text.normalizer import VERSION
from rasid.models.bundle import SETTINGS_FILE, BundleError, Settings, config_file

TEXT = "قصف في سوريا\n\nقال متحدث إن قصف وقع قرب واشنطن."


@pytest.fixture
def settings(scheme: LabelScheme) -> Settings:
    tags = 1 + 2 * len(scheme.labels("entities"))
    return Settings(
        scheme=scheme,
        tasks=("entities", "triggers", "proclitics", "article_types"),
        window=96,
        overlap=24,
        normalizer=VERSION,
        thresholds={"triggers": tuple(0.25 for _ in scheme.labels("triggers"))},
        temperatures={"entities": 1.5},
        transitions=tuple(tuple(0.1 * column for column in range(tags)) for _ in range(tags + 1)),
        encoder="مُرمِّز",
        trained_labels={"entities": ("PER", "GPE"), "triggers": ()},
        trained={"seed": 1, "dev": {"mean.f1": 0.5}},
    )


@pytest.fixture
def copy(bundle, tmp_path):
    """A copy of the bundle that a test may change."""
    return shutil.copytree(bundle, tmp_path / "copy")


def edit(file, change):
    """Change a JSON file in place; returns its folder."""
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
    return file.parent


@pytest.fixture
def edited(copy):
    """A function that changes the settings file of a copy of the bundle."""
    return lambda change: edit(copy / SETTINGS_FILE, change)


def refused(folder, backend="torch", verify=False) -> str:
    with pytest.raises(BundleError) as caught:
        Tagger.from_pretrained(folder, backend=backend, verify=verify)
    message = str(caught.value)
    assert str(folder) in message
    assert "\n" not in message
    return message


def test_settings_round_trip(settings, tmp_path):
    settings.save(tmp_path)
    assert Settings.load(tmp_path) == settings


def test_settings_without_anything_tuned_round_trip(settings, tmp_path):
    bare = replace(
        settings, thresholds={}, temperatures={}, transitions=None, normalizer="", trained_labels={}, trained={}
    )
    bare.save(tmp_path)
    loaded = Settings.load(tmp_path)
    assert loaded == bare
    assert set(loaded.threshold("triggers").tolist()) == {0.5}
    assert loaded.temperature("entities") == 1.0


def test_settings_that_are_not_numbers_are_not_written(settings, tmp_path):
    with pytest.raises(ValueError):
        replace(settings, temperatures={"entities": float("nan")}).save(tmp_path)
    assert not (tmp_path / SETTINGS_FILE).exists()


def test_a_bundle_has_the_files_that_tagging_needs_without_pickles_and_code(bundle):
    assert {file.name for file in bundle.iterdir()} == {
        "README.md", "config.json", "manifest.json", "model.safetensors", "rasid.json", "config.yaml",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    for file in bundle.iterdir():
        start = file.read_bytes()[:4]
        assert not start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))
    assert "auto_map" not in (bundle / "config.json").read_text(encoding="utf-8")


def test_a_moved_bundle_tags_alike(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "moved")
    assert Tagger.from_pretrained(tmp_path / "moved")(TEXT) == Tagger.from_pretrained(bundle)(TEXT)


def test_a_folder_that_is_not_a_bundle(tmp_path):
    assert "not a bundle" in refused(tmp_path)
    assert "not a bundle" in refused(tmp_path / "missing")
    (tmp_path / "file").write_text("x")
    assert "not a bundle" in refused(tmp_path / "file")


FILES = ["config.json", "model.safetensors", "rasid.json", "tokenizer.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"[]", b'{"format": 1', b"{}", b"null"])
def test_a_missing_or_broken_file_is_named(name, content, copy):
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    assert name in refused(copy)


def test_truncated_and_missing_weights_are_refused(copy):
    import safetensors.torch

    file = copy / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert "model.safetensors" in refused(copy)
    weights = safetensors.torch.load(content)
    del weights["entities.weight"]  # transformers would draw it at random
    safetensors.torch.save_file(weights, file, {"format": "pt"})
    assert "entities.weight" in refused(copy)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_bit_is_found(name, copy):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    assert name in refused(copy, verify=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["thresholds"].update(triggers=[0.4] * 16),
        lambda content: content.update(ngrams=0),
        lambda content: content["temperatures"].update(entities=1.5),
    ],
)
def test_settings_that_were_changed_are_loaded_on_demand_only(change, copy, edited):
    edited(change)
    assert "verify=False" in refused(copy, verify=True)
    assert isinstance(Tagger.from_pretrained(copy, verify=False), Tagger)


@pytest.mark.parametrize("change", [{"pooling": "mean"}, {"dropout": 0.5}])
def test_another_shape_of_the_network_is_found(change, copy):
    edit(copy / "config.json", lambda content: content.update(change))
    assert "config.json has" in refused(copy, verify=True)


def test_a_bundle_without_its_manifest_is_refused(copy):
    (copy / "manifest.json").unlink()
    assert "there is no manifest.json" in refused(copy, verify=True)


def test_a_bundle_with_files_that_its_manifest_does_not_list_is_refused(copy):
    (copy / "model.onnx").write_bytes(b"of another model")
    assert "model.onnx is not in manifest.json" in refused(copy, verify=True)
    (copy / "manifest.json").write_text('{"files": {}}')
    assert "rasid.json is not in manifest.json" in refused(copy, verify=True)


def test_the_model_card_may_be_edited(copy):
    (copy / "README.md").write_text("my own card")
    assert Tagger.from_pretrained(copy)(TEXT).text == TEXT


def test_a_bundle_of_version_0_1_tags_alike(bundle, copy, caplog):
    """Old names of tasks, settings, labels' colors, weights and files."""
    from safetensors.torch import load_file, save_file

    old, names = copy, {"proclitics": "boundaries", "article_types": "event_types"}

    def with_old_names(content):
        content |= {"format": 1, "normaliser": content.pop("normalizer"), "lexical": content.pop("ngrams")}
        content["supervised"] = content.pop("trained_labels")
        for key in ("labels", "thresholds", "temperatures", "supervised"):
            content[key] = {names.get(task, task): value for task, value in content[key].items()}
        for labels in (content["scheme"][kind] for kind in ("entities", "events", "roles")):
            for label in labels.values():
                label["colour"] = label.pop("color")
        with_old_tasks(content)

    def with_old_tasks(content):
        content["tasks"] = [names.get(task, task) for task in content["tasks"]]

    (old / "manifest.json").unlink()
    edit(old / SETTINGS_FILE, with_old_names)
    edit(old / "config.json", with_old_tasks)
    weights = load_file(old / "model.safetensors")
    renamed = {}
    for key, values in weights.items():
        head, _, rest = key.partition(".")
        renamed[f"{names.get(head, head)}.{rest}"] = values
    assert renamed.keys() != weights.keys()
    save_file(renamed, old / "model.safetensors", {"format": "pt"})
    (old / "config.yaml").rename(old / "recipe.yaml")
    assert Tagger.from_pretrained(old)(TEXT) == Tagger.from_pretrained(bundle)(TEXT)
    assert config_file(old).name == "recipe.yaml"
    assert not caplog.messages


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("format", 3, "format 3"), ("normalizer", "arabert-v02/999", "normalizer arabert-v02/999")],
)
def test_another_format_or_normalizer_is_refused(key, value, message, edited):
    assert message in refused(edited(lambda content: content.update({key: value})))


def swap(mapping):
    names = list(mapping)
    names[0], names[1] = names[1], names[0]
    return {name: mapping[name] for name in names}


def test_an_edited_label_order_is_refused(edited):
    def list_only(content):
        content["labels"]["entities"][:2] = reversed(content["labels"]["entities"][:2])

    assert "label order of entities" in refused(edited(list_only))


@pytest.mark.parametrize(("kind", "tasks"), [("entities", ["entities"]), ("events", ["triggers", "article_types"])])
def test_a_label_order_that_was_edited_throughout_is_refused(kind, tasks, edited):
    # The list and the scheme agree, but the network was trained on another order.
    def everywhere(content):
        content["scheme"][kind] = swap(content["scheme"][kind])
        for task in {*tasks, "sentence_types"} & set(content["labels"]):
            if (task == "entities") == (kind == "entities"):
                content["labels"][task] = list(content["scheme"][kind])

    assert "the bundle was edited" in refused(edited(everywhere))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("window"),
        lambda content: content.update(window="wide"),
        lambda content: content.update(window=8),
        lambda content: content.update(overlap=-1),
        lambda content: content.update(overlap=90),
        lambda content: content.update(tasks=["entities", "weather"]),
        lambda content: content.update(tasks=["arguments"]),
        lambda content: content.update(tasks=["entities"]),
        lambda content: content["labels"].pop("triggers"),
        lambda content: content["thresholds"].update(triggers=[0.5]),
        lambda content: content["thresholds"].update(triggers=["low"] * 16),
        *(
            lambda content, value=value: content["thresholds"].update(triggers=[value] * 16)
            for value in (-5, 50, 67.6, True, None)
        ),
        *(
            lambda content, value=value: content["temperatures"].update(triggers=value)
            for value in (1e-300, 0, 1e9, True, "1")
        ),
        lambda content: content["thresholds"].update(weather=[0.5]),
        lambda content: content["temperatures"].update(entities=0),
        lambda content: content["temperatures"].update(entities=None),
        lambda content: content.update(transitions=[[0.0]]),
        lambda content: content.update(transitions=[[-1e4] * 21] * 22),
        lambda content: content.update(scheme={"name": "x"}),
        lambda content: content.update(scheme=[]),
        lambda content: content.update(format=None),
    ],
)
def test_settings_that_contradict_themselves_are_refused(change, edited):
    refused(edited(change))


def test_a_tokenizer_of_another_model_is_refused(copy):
    def add_words(content):
        vocabulary = content["model"]["vocab"]
        for number in range(3):
            vocabulary[f"زائد{number}"] = len(vocabulary)

    assert "tokenizer" in refused(edit(copy / "tokenizer.json", add_words))


def test_an_unknown_or_missing_backend_is_refused(bundle, copy):
    assert "tensorflow" in str(pytest.raises(BundleError, Tagger.from_pretrained, bundle, backend="tensorflow").value)
    pytest.importorskip("onnxruntime")
    assert "model.onnx" in refused(bundle, "onnx")
    (copy / "model.onnx").write_bytes(b"not a graph")
    assert "model.onnx" in refused(copy, "onnx")
