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
def edited(bundle, tmp_path):
    """A copy of the bundle, and a function that changes its settings file."""
    folder = tmp_path / "edited"
    shutil.copytree(bundle, folder)

    def edit(change):
        content = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        change(content)
        (folder / SETTINGS_FILE).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return edit


def refused(folder, backend="torch") -> str:
    with pytest.raises(BundleError) as caught:
        Tagger.from_pretrained(folder, backend=backend)
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


def test_a_bundle_holds_exactly_what_tagging_needs(bundle):
    assert {file.name for file in bundle.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "rasid.json",
        "config.yaml",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_a_bundle_holds_no_pickle_and_no_code(bundle):
    for file in bundle.rglob("*"):
        start = file.read_bytes()[:4]
        assert not start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))
        assert file.suffix not in {".py", ".bin", ".pt", ".pkl"}
    assert "auto_map" not in (bundle / "config.json").read_text(encoding="utf-8")


def test_a_moved_bundle_tags_alike(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "moved")
    assert Tagger.from_pretrained(tmp_path / "moved")(TEXT) == Tagger.from_pretrained(bundle)(TEXT)


def test_a_folder_that_is_none(tmp_path):
    assert "not a bundle" in refused(tmp_path)
    assert "not a bundle" in refused(tmp_path / "missing")
    (tmp_path / "file").write_text("x")
    assert "not a bundle" in refused(tmp_path / "file")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "rasid.json", "tokenizer.json"])
def test_a_missing_file_is_named(name, bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    (folder / name).unlink()
    assert name in refused(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "rasid.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[]", b'{"format": 1', b"{}", b"null"])
def test_a_broken_file_is_named(name, content, bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    (folder / name).write_bytes(content)
    assert name in refused(folder)


def test_a_cut_off_weights_file_is_named(bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    assert "model.safetensors" in refused(folder)


def test_missing_weights_are_not_filled_with_random_ones(bundle, tmp_path):
    import safetensors.torch

    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    del weights["entities.weight"]
    safetensors.torch.save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "entities.weight" in refused(folder)


def test_a_bundle_of_version_0_1_tags_alike(bundle, tmp_path, caplog):
    """Old names of tasks, settings, labels' colors, weights and files."""
    from safetensors.torch import load_file, save_file

    old, names = tmp_path / "old", {"proclitics": "boundaries", "article_types": "event_types"}
    shutil.copytree(bundle, old)
    content = json.loads((old / SETTINGS_FILE).read_text(encoding="utf-8"))
    content |= {"format": 1, "normaliser": content.pop("normalizer"), "lexical": content.pop("ngrams")}
    content["supervised"] = content.pop("trained_labels")
    content["tasks"] = [names.get(task, task) for task in content["tasks"]]
    for key in ("labels", "thresholds", "temperatures", "supervised"):
        content[key] = {names.get(task, task): value for task, value in content[key].items()}
    for labels in (content["scheme"][kind] for kind in ("entities", "events", "roles")):
        for label in labels.values():
            label["colour"] = label.pop("color")
    (old / SETTINGS_FILE).write_text(json.dumps(content), encoding="utf-8")
    network = json.loads((old / "config.json").read_text(encoding="utf-8"))
    network["tasks"] = content["tasks"]
    (old / "config.json").write_text(json.dumps(network), encoding="utf-8")
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


def test_another_format_is_refused(edited):
    assert "format 3" in refused(edited(lambda content: content.update(format=3)))


def test_another_normalizer_is_refused(edited):
    assert "normalizer arabert-v02/999" in refused(edited(lambda content: content.update(normalizer="arabert-v02/999")))


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
        lambda content: content["thresholds"].update(weather=[0.5]),
        lambda content: content["temperatures"].update(entities=0),
        lambda content: content["temperatures"].update(entities=None),
        lambda content: content.update(transitions=[[0.0]]),
        lambda content: content.update(scheme={"name": "x"}),
        lambda content: content.update(scheme=[]),
        lambda content: content.update(format=None),
    ],
)
def test_settings_that_contradict_themselves_are_refused(change, edited):
    refused(edited(change))


def test_a_tokenizer_of_another_model_is_refused(bundle, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    for number in range(3):
        vocabulary[f"زائد{number}"] = len(vocabulary)
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert "tokenizer" in refused(folder)


def test_an_unknown_or_absent_backend_is_refused(bundle):
    assert "tensorflow" in str(pytest.raises(BundleError, Tagger.from_pretrained, bundle, backend="tensorflow").value)
    pytest.importorskip("onnxruntime")
    assert "model.onnx" in refused(bundle, "onnx")


def test_a_broken_onnx_model_is_named(bundle, tmp_path):
    pytest.importorskip("onnxruntime")
    folder = tmp_path / "copy"
    shutil.copytree(bundle, folder)
    (folder / "model.onnx").write_bytes(b"not a graph")
    assert "model.onnx" in refused(folder, "onnx")
