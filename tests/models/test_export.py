import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rasid import Tagger
from rasid.data.articles import Article
from rasid.evaluate.parity import ParityError, check_parity
from rasid.models.bundle import BundleError, Settings
from rasid.models.card import model_card
from rasid.models.export import BUNDLE_FILES, save_bundle


@pytest.fixture(scope="module")
def exported(bundle, tmp_path_factory) -> Path:
    """A copy of the bundle with its ONNX model."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from rasid.manifest import write_manifest
    from rasid.models.export import export_onnx

    folder = tmp_path_factory.mktemp("exported") / "bundle"
    shutil.copytree(bundle, folder)
    assert export_onnx(folder) == folder / "model.onnx"
    write_manifest(folder, without=["README.md"])
    return folder


@pytest.fixture(scope="module")
def reference(bundle) -> Tagger:
    return Tagger.from_pretrained(bundle)


def tampered(bundle, folder: Path, **factors: float) -> Tagger:
    """The bundle with weights multiplied by factors."""
    import safetensors.torch

    shutil.copytree(bundle, folder)
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    for name, value in weights.items():
        for prefix, factor in factors.items():
            if name.startswith(prefix) and value.is_floating_point():
                weights[name] = value * factor
    safetensors.torch.save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return Tagger.from_pretrained(folder, verify=False)


def test_an_export_adds_one_file_with_standard_operators(bundle, exported):
    assert {file.name for file in exported.iterdir()} - {file.name for file in bundle.iterdir()} == {"model.onnx"}
    graph = pytest.importorskip("onnx").load(exported / "model.onnx").graph
    assert {node.domain for node in graph.node} <= {"", "ai.onnx"}  # any ONNX runtime can read it


def test_onnx_decides_as_torch_does(exported, reference, articles):
    other = Tagger.from_pretrained(exported, backend="onnx")
    long = Article(text="\n".join(article.text for article in articles[:10]))  # several windows
    texts = [*articles, long, Article(text="")]
    parity = check_parity(reference.predict(texts), other.predict(texts), tolerance=0.0)
    assert parity.articles == len(articles) + 2
    assert parity.differences == 0
    assert parity.decisions > 200
    assert parity.largest < 1e-3
    assert json.loads(json.dumps(parity.to_dict()))["share"] == 0.0


@pytest.mark.parametrize("count", [1, 2, 17])
def test_batches_of_any_shape_go_through_onnx(exported, reference, articles, count):
    other = Tagger.from_pretrained(exported, backend="onnx", batch_tokens=100_000)
    texts = [article.text for article in articles[:count]]
    for one, two in zip(reference.predict(texts), other.predict(texts), strict=True):
        for task, logits in one.logits.items():
            np.testing.assert_allclose(two.logits[task], logits, atol=1e-4)
    texts = ["قصف"] * count  # one word, one sentence
    assert [article.text for article in other(texts)] == texts


def test_other_weights_are_refused(bundle, reference, articles, tmp_path):
    other = tampered(bundle, tmp_path / "tampered", entities=-1.0)
    with pytest.raises(ParityError, match=r"refused: \d+ of \d+ decisions differ"):
        check_parity(reference.predict(articles), other.predict(articles), tolerance=0.0)
    assert check_parity(reference.predict(articles), other.predict(articles), tolerance=1.0).differences > 0


def test_without_decisions_the_logits_are_compared(bundle, reference, tmp_path):
    # Two taggers that agree on finding nothing have shown nothing yet.
    nothing = [Article(text="لا شيء هنا.")]
    thresholds = {"article_types": (1.1,) * 16}
    settings = replace(reference.settings, tasks=("proclitics", "article_types"), thresholds=thresholds)
    silent, other = (
        Tagger(settings=settings, tokenizer=tagger.encoder.tokenizer, backend=tagger.backend)
        for tagger in (reference, tampered(bundle, tmp_path / "tampered", proclitics=-5.0))
    )
    assert check_parity(silent.predict(nothing), silent.predict(nothing), tolerance=0.0).decisions == 0
    with pytest.raises(ParityError, match="refused"):
        check_parity(silent.predict(nothing), other.predict(nothing), tolerance=0.0)


def test_logits_that_are_not_numbers_are_refused(reference, articles):
    def broken(inputs):
        return {task: np.full_like(logits, np.nan) for task, logits in reference.backend(inputs).items()}

    other = Tagger(settings=reference.settings, tokenizer=reference.encoder.tokenizer, backend=broken)
    with pytest.raises(ParityError, match="refused"):
        check_parity(reference.predict(articles[:3]), other.predict(articles[:3]), tolerance=1.0)


def test_tagging_with_onnx_imports_neither_torch_nor_transformers(exported, python):
    program = (
        "import sys\n"
        "from rasid import Tagger\n"
        f"tagger = Tagger.from_pretrained({str(exported)!r}, backend='onnx')\n"
        "article = tagger('قصف في سوريا')\n"
        "assert article.entities, article\n"
        "heavy = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(heavy & {'torch', 'transformers', 'datasets', 'pyarrow', 'sklearn', 'scipy', 'pydantic'}))\n"
    )
    done = python(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_bundle_needs_all_files_of_a_run(run_folder, tmp_path):
    source = run_folder / "checkpoints" / "seed-1" / "best"
    for name in BUNDLE_FILES:
        part = tmp_path / name
        part.mkdir()
        for other in BUNDLE_FILES:
            if other != name:
                shutil.copy(source / other, part / other)
        with pytest.raises(BundleError, match=name):
            save_bundle(tmp_path / "bundle", part, run_folder / "config.yaml")
    assert not (tmp_path / "bundle").exists()  # nothing is left half made


def test_the_card_has_the_scores(bundle, run_folder):
    card = (bundle / "README.md").read_text(encoding="utf-8")
    for needed in ("tiny", "seed 1", "entities/strict/micro/f1", "test: test", "dev: dev", "95 % interval"):
        assert needed in card
    report = json.loads((run_folder / "report" / "test.json").read_text(encoding="utf-8"))
    assert report["data_hash"] in card
    row = next(line for line in card.splitlines() if "test: test" in line and "entities/strict/micro/f1" in line)
    wanted = {"task": "entities", "metric": "f1", "mode": "strict", "averaging": "micro"}
    (f1,) = (score["value"] for score in report["scores"] if wanted.items() <= score.items())
    assert f"{100 * f1:.1f}" in row


def test_the_card_of_a_bundle_without_scores(bundle):
    assert "Not evaluated." in model_card("x", Settings.load(bundle), {})
