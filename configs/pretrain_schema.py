"""The config of ``rasid pretrain``: every key with its meaning and default. docs/config.md is generated from it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .section import Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Size = Annotated[int, Field(ge=1, le=2**20)]  # beyond those of any encoder


class TextData(Section):
    """The raw text."""

    files: Annotated[list[str], Field(min_length=1)]
    """Files or globs, as in ``[corpus/*.txt.xz]``: text with a blank line between articles, or JSON Lines with a key
    ``text``. Files that end in .xz, .gz or (with the package zstandard) .zst are decompressed."""
    exclude: list[str] = []
    """Globs of file names to exclude, as in ``['*religion*']``."""
    heldout: Annotated[float, Field(gt=0, lt=0.5)] = 0.005
    """Share of the articles that is held out to measure perplexity and accuracy. The articles are chosen by a hash of
    their text, so they stay the same when files are added."""
    cache: str | None = None
    """Folder of the tokenized text; null is a folder in ``output``. Runs with the same files and tokenizer can share
    it."""


class TokenizerConfig(Section):
    """The tokenizer."""

    path: str | None = None
    """A folder with a tokenizer, or a tokenizer.json; null takes the tokenizer of ``encoder``, or trains one."""
    vocabulary: Annotated[int, Field(ge=100, le=10**7)] = 20_000
    """Size of the WordPiece vocabulary, if one is trained."""
    training_articles: Count | None = None
    """Number of articles to train the vocabulary on, spread evenly over the text; null takes all."""
    normalize: bool = True
    """Add AraBERT's preprocessing to the tokenizer, with a step before it that keeps letters it would delete."""


class ModelShape(Section):
    """Sizes of a new encoder with pre-norm layers (ModernBERT)."""

    layers: Size = 4
    """Number of layers."""
    hidden: Size = 256
    """Hidden size."""
    heads: Size = 4
    """Number of attention heads; must divide ``hidden`` into even parts."""
    intermediate: Size = 768
    """Size of the gated feed-forward layers."""
    window: Size = 128
    """Local attention: number of sub-words on each side that a sub-word attends to. With a window no larger than
    ``optimization.sequence``, the encoder also works on longer texts than it was trained on."""

    @model_validator(mode="after")
    def _divisible(self) -> "ModelShape":
        if self.hidden % (2 * self.heads):
            raise ValueError(
                f"hidden {self.hidden} cannot be split into {self.heads} heads of even width; "
                f"try {2 * self.heads * max(1, self.hidden // (2 * self.heads))}"
            )
        return self


class Objective(Section):
    """Masked language modeling."""

    masked: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the words that are masked."""
    whole_words: bool = True
    """Mask all sub-words of a word together; false masks sub-words independently."""


class Budget(Section):
    """When training stops: at the first limit that is reached."""

    tokens: Positive | None = None
    """Maximum number of sub-words over all sessions; null is no limit."""
    minutes: Positive | None = None
    """Maximum minutes of this session. The state is saved, and the next session resumes from it."""


class Optimization(Section):
    """Optimizer settings."""

    optimizer: Literal["adamw", "muon"] = "adamw"
    """``muon`` (Jordan et al. 2024) orthogonalizes the momentum of the layers' matrices, and uses AdamW for all other
    weights."""
    learning_rate: Positive = 1e-3
    """Peak learning rate."""
    warmup_tokens: Annotated[float, Field(ge=0)] = 2e6
    """Number of sub-words in which the learning rate rises from zero."""
    cooldown: Share = 0.0
    """Share of all sub-words in which the learning rate falls to zero (warmup-stable-decay schedule). With a token
    budget it is the last part of it; without a budget, the cooldown starts at the resumed checkpoint and ends the run.
    1 decays from the start."""
    cooldown_shape: Literal["linear", "1-sqrt"] = "1-sqrt"
    """Shape of the cooldown; 1-sqrt is better for short ones (Hägele et al. 2024)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Decoupled weight decay of the layers' matrices; not applied to embeddings, biases and norms."""
    betas: tuple[Share, Share] = (0.9, 0.98)
    """Beta coefficients of AdamW."""
    max_grad_norm: Positive = 1.0
    """Maximum norm of the gradient (clipping)."""
    batch: Size = 32
    """Sequences per step."""
    sequence: Annotated[int, Field(ge=8, le=2**20)] = 128
    """Sequence length in sub-words, [CLS] and [SEP] included."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """``bf16`` computes matrix products in bfloat16 and keeps the weights in 32 bits; ``auto`` is bf16 if the hardware
    supports it."""
    compile: bool = False
    """Compile the encoder with torch.compile: takes a minute at the start, and is then about 1.3 times as fast on a
    CPU, where it needs a C++ compiler."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Random seed of weights, order and masks."""


class Reporting(Section):
    """Logging, evaluation and checkpoints."""

    log_steps: Count = 50
    """Steps between two lines of metrics.jsonl."""
    evaluate_steps: Count = 1000
    """Steps between two evaluations on the held-out articles; there is one at the end too."""
    evaluate_sequences: Count = 512
    """Number of held-out sequences to evaluate on; always the same ones, with the same masks."""
    checkpoint_minutes: Positive = 10
    """Minutes between two checkpoints; there is one at the end too."""
    keep: Count = 2
    """Number of checkpoints to keep."""
    export_dtype: Literal["float32", "float16"] = "float32"
    """Number format of the exported weights."""


class PretrainConfig(Section):
    """The config of ``rasid pretrain``: masked language modeling, from scratch or from a checkpoint."""

    output: str
    """Folder of the run: checkpoints, metrics.jsonl, and the exported encoder in ``model``. An existing run is
    resumed."""
    data: TextData
    """The raw text."""
    encoder: str | None = None
    """A checkpoint with a masked-language-model head to continue from, as in ``aubmindlab/bert-base-arabertv02``;
    null trains a new encoder of the sizes in ``model``."""
    start_from: str | None = None
    """Folder of a checkpoint of another run to branch from, with its optimizer state and position. Ignored if
    ``output`` has a checkpoint. Use it to try a cooldown without changing the other run."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """The tokenizer."""
    model: ModelShape = ModelShape()
    """Sizes of a new encoder; ignored with ``encoder``."""
    objective: Objective = Objective()
    """Masked language modeling."""
    budget: Budget = Budget()
    """When training stops."""
    optimization: Optimization = Optimization()
    """Optimizer settings."""
    reporting: Reporting = Reporting()
    """Logging, evaluation and checkpoints."""
