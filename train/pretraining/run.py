"""`rasid pretrain`: masked language modeling on raw text, from scratch or from a checkpoint.

OUTPUT/config.yaml     the resolved config
OUTPUT/tokenizer.json  the tokenizer
OUTPUT/shards/         the tokenized text
OUTPUT/metrics.jsonl   training loss, learning rate, held-out loss
OUTPUT/checkpoints/    step-N: transformers checkpoints with the training state
OUTPUT/model/          the exported encoder

The same command resumes a stopped run. A resumed run is bit-equal to an uninterrupted one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedTokenizerFast
from transformers.modeling_utils import PreTrainedModel

from ...configs.loader import dump_config
from ...configs.pretrain_schema import Optimization, PretrainConfig
from ...lock import locked
from ...progress import track
from .checkpoints import STATE, latest_checkpoint, load_state
from .errors import PretrainingError
from .loop import Pretraining, TrainingState, train
from .masking import steps_per_epoch
from .model import build_model, build_tokenizer, export_model, place_model, special_ids
from .shards import find_files, prepare_shards, read_texts

__all__ = ["PretrainingError", "run_pretraining"]


def run_pretraining(config: PretrainConfig) -> Path:
    """Pretrain or resume, until the budget is spent or SIGINT or SIGTERM arrives.

    Returns:
        the folder of the exported encoder.

    Raises:
        DataError: text cannot be read.
        LockedError: another process writes to the output folder.
        PretrainingError: config, text and checkpoint do not fit each other, or the loss is not finite.
    """
    with locked(Path(config.output)):
        return _run(config, Path(config.output))


def _run(config: PretrainConfig, output: Path) -> Path:
    """Pretrain in a locked folder; arguments as for `run_pretraining`."""
    checkpoint, branched = _checkpoint(config, output)
    files = find_files(config.data.files, config.data.exclude)
    tokenizer = _tokenizer(config, files, (checkpoint, output))
    cache = Path(config.data.cache) if config.data.cache else output / "shards"
    shards = prepare_shards(files, tokenizer.backend_tokenizer, cache, heldout=config.data.heldout)
    optimization = config.optimization
    steps_per_epoch(shards.train, batch=optimization.batch, sequence=optimization.sequence)  # raises if too short
    # Saved only now: a vocabulary of too little text must not be reused when more text is given.
    tokenizer.save_pretrained(output)
    torch.manual_seed(optimization.seed)
    model = build_model(config, tokenizer, checkpoint)
    optimizers = _optimizers(model, optimization)
    state = TrainingState()
    if checkpoint is not None:
        state = _restore(checkpoint, optimizers, shards.tokenizer_hash)
        if branched:
            state.cooldown_start = None
    if optimization.cooldown and config.budget.tokens is None and state.cooldown_start is None:
        state.cooldown_start = float(state.tokens)
    dump_config(config, output / "config.yaml")
    train(
        Pretraining(
            config=config,
            model=place_model(model, optimization),
            tokenizer=tokenizer,
            special=special_ids(tokenizer),
            optimizers=optimizers,
            shards=shards,
            state=state,
        )
    )
    return export_model(model, tokenizer, output / "model", config.reporting.export_dtype)


def _checkpoint(config: PretrainConfig, output: Path) -> tuple[Path | None, bool]:
    """The checkpoint to resume, and whether it belongs to another run (``start_from``)."""
    latest = latest_checkpoint(output / "checkpoints")
    if latest is not None or config.start_from is None:
        return latest, False
    source = Path(config.start_from)
    if not (source / STATE).is_file():
        raise PretrainingError(f"start_from: {source} is not a checkpoint of `rasid pretrain`")
    return source, True


def _tokenizer(config: PretrainConfig, files: list[Path], folders: Iterable[Path | None]) -> PreTrainedTokenizerFast:
    """The tokenizer in the first folder that has one, else the tokenizer of the config."""
    for folder in folders:
        if folder is not None and (folder / "tokenizer.json").is_file():
            return PreTrainedTokenizerFast.from_pretrained(folder)
    return build_tokenizer(
        config, lambda: (text for file in track(files, "training the vocabulary") for text in read_texts(file))
    )


def _optimizers(model: PreTrainedModel, optimization: Optimization) -> list[torch.optim.Optimizer]:
    """AdamW over all parameters; or Muon over the matrices of the layers, and AdamW over the rest."""
    embeddings = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in embeddings]
    others = [p for p in trained if p.ndim != 2 or id(p) in embeddings]
    rate, decay = optimization.learning_rate, optimization.weight_decay
    adamw: dict[str, Any] = {"lr": rate, "betas": optimization.betas, "fused": True}
    if optimization.optimizer == "muon":
        muon = torch.optim.Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        return [muon, torch.optim.AdamW(others, weight_decay=0.0, **adamw)]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return [torch.optim.AdamW(groups, **adamw)]


def _restore(checkpoint: Path, optimizers: list[torch.optim.Optimizer], tokenizer_hash: str) -> TrainingState:
    """Load optimizers and random state from a checkpoint; returns its counters."""
    saved = load_state(checkpoint)
    if saved["tokenizer_hash"] != tokenizer_hash:
        raise PretrainingError(f"{checkpoint} was trained with another tokenizer; give the run a new output folder")
    for optimizer, content in zip(optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(content)
    torch.set_rng_state(saved["torch_rng"])
    if len(saved.get("cuda_rng", ())) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(saved.get("cuda_rng", []))
    return TrainingState(**saved["progression"])
