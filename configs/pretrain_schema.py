"""The config of `rasid pretrain`: every key with its meaning and default. Code that trains takes it as it is."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TextData(_Section):
    """Raw text, and what is kept apart of it."""

    files: Annotated[list[str], Field(min_length=1)]
    """Files or globs, as in [corpus/*.txt.xz]: text with a blank line between articles, or JSONL with a key "text",
    one article a line; .xz, .gz and (with the package zstandard) .zst are read through."""
    exclude: list[str] = []
    """Globs of file names that are left out, as in ['*religion*']."""
    heldout: Annotated[float, Field(gt=0, lt=0.5)] = 0.005
    """Share of the articles that is never trained on; perplexity and accuracy are measured there. An article is
    chosen by a hash of its text, so it stays held out when files are added."""
    cache: str | None = None
    """Folder for the token shards; null puts them into the run's folder. Runs with the same files and tokenizer can
    share it."""


class TokenizerConfig(_Section):
    """Where the tokenizer comes from."""

    path: str | None = None
    """A folder with a tokenizer, or a tokenizer.json, to use; null takes the encoder's, or trains one."""
    vocabulary: Annotated[int, Field(ge=100, le=2**31)] = 20_000
    """Entries of the WordPiece vocabulary that is trained from scratch."""
    training_articles: Count | None = None
    """Train the vocabulary on so many articles, spread evenly over all of them; null takes all."""
    normalize: bool = True
    """Put AraBERT's normalization, with the repair of letters it would delete, into the tokenizer."""


class ModelShape(_Section):
    """A pre-norm encoder (ModernBERT's layer) that is trained from scratch."""

    layers: Count = 4
    """Number of layers."""
    hidden: Count = 256
    """Width of the hidden states."""
    heads: Count = 4
    """Attention heads; must divide the width."""
    intermediate: Count = 768
    """Width of the gated feed-forward layer."""
    window: Count = 128
    """A sub-word attends to so many on either side. Not larger than the training sequence, it keeps the model sound
    on texts longer than any it was trained on."""

    @model_validator(mode="after")
    def _divisible(self) -> "ModelShape":
        if self.hidden % (2 * self.heads):
            raise ValueError(
                f"hidden {self.hidden} cannot be split into {self.heads} heads of even width; "
                f"try {2 * self.heads * max(1, self.hidden // (2 * self.heads))}"
            )
        return self


class Objective(_Section):
    """Masked language modelling."""

    masked: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the words that the model has to restore."""
    whole_words: bool = True
    """Mask all sub-words of a word or none; false masks sub-words one by one."""


class Budget(_Section):
    """When to stop; whichever comes first."""

    tokens: Positive | None = None
    """Sub-words seen, over all sessions; null goes on until it is stopped."""
    minutes: Positive | None = None
    """Minutes of this session. The state is saved, the next session goes on where this one stopped."""


class Optimization(_Section):
    """How the weights move."""

    optimizer: Literal["adamw", "muon"] = "adamw"
    """muon (Jordan et al. 2024) orthogonalizes the momentum of the layers' matrices; the rest stays with AdamW."""
    learning_rate: Positive = 1e-3
    """Peak learning rate."""
    warmup_tokens: Annotated[float, Field(ge=0)] = 2e6
    """Sub-words over which the learning rate rises from zero."""
    cooldown: Share = 0.0
    """Share of all tokens over which the learning rate falls to zero at the end (warm-up, stable, decay). With a
    token budget, the last part of it; without, it begins at the checkpoint that is gone on from, and the run ends
    with it. 1 is a plain decay."""
    cooldown_shape: Literal["linear", "1-sqrt"] = "1-sqrt"
    """Shape of the fall; 1-sqrt is the better one for short cooldowns (Hägele et al. 2024)."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Decoupled decay of the layers' matrices; embeddings, biases and norms are left alone."""
    betas: tuple[Share, Share] = (0.9, 0.98)
    """Averages of AdamW."""
    max_grad_norm: Positive = 1.0
    """Gradients are clipped to this norm."""
    batch: Count = 32
    """Sequences in a step."""
    sequence: Annotated[int, Field(ge=8)] = 128
    """Sub-words in a sequence, [CLS] and [SEP] included."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """bf16 computes matrix products in bfloat16 and keeps the weights in 32 bits; auto takes it where the device has
    it in hardware."""
    compile: bool = False
    """torch.compile the encoder: a minute at the start, then about 1.3 times as fast on a CPU. Needs a C++ compiler
    there."""
    seed: int = 0
    """Seed of weights, order and masks."""


class Reporting(_Section):
    """What is measured and saved meanwhile."""

    log_steps: Count = 50
    """A line of metrics.jsonl for so many steps."""
    evaluate_steps: Count = 1000
    """Measure held-out perplexity and masked accuracy every so many steps, and at the end."""
    evaluate_sequences: Count = 512
    """Held-out sequences to measure on; always the same ones under the same masks."""
    checkpoint_minutes: Positive = 10
    """Save the state every so many minutes, and when stopped."""
    keep: Count = 2
    """Checkpoints that are kept."""
    export_dtype: Literal["float32", "float16"] = "float32"
    """Number format of the exported weights on disk."""


class PretrainConfig(_Section):
    """Masked-language-model pretraining, from scratch or from a checkpoint."""

    output: str
    """Folder of the run: checkpoints, metrics.jsonl, and the exported encoder in `model`. A run that is there already
    is continued."""
    data: TextData
    """The text."""
    encoder: str | None = None
    """A checkpoint with a masked-language-model head to adapt to the text, as in aubmindlab/bert-base-arabertv02;
    null trains a model of the shape below from scratch."""
    start_from: str | None = None
    """A checkpoint of another run (its folder) to branch from, with optimizer state and position; used only while the
    output folder has no checkpoint of its own. Made for a cooldown that leaves the trunk as it is."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """The tokenizer."""
    model: ModelShape = ModelShape()
    """Shape of a model from scratch; of no effect with an encoder."""
    objective: Objective = Objective()
    """What the model has to predict."""
    budget: Budget = Budget()
    """When to stop."""
    optimization: Optimization = Optimization()
    """How the weights move."""
    reporting: Reporting = Reporting()
    """What is measured and saved meanwhile."""
