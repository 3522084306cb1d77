"""The training config: every key with its meaning and default. docs/config.md is generated from it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from .section import Section

# Equal to `data.formats.FORMATS`, which configs may not import; a test compares them.
FormatName = Literal[
    "jsonl",
    "inline",
    "conll",
    "classification",
    "doccano",
    "prodigy",
    "ace",
    "label-studio",
    "brat",
    "inception",
    "spacy",
]
TaskName = Literal["entities", "triggers", "proclitics", "sentence_types", "article_types", "arguments"]
Metric = Literal[
    "entities.f1",
    "triggers.f1",
    "arguments.f1",
    "sentence_types.f1",
    "sentence_types.ap",
    "article_types.f1",
    "article_types.ap",
    "mean.f1",
]

TASK_OPTIONS: dict[str, tuple[TaskName, ...]] = {
    "decoder": ("entities",),
    "class_weights": ("entities",),
    "longest": ("entities",),
    "nesting": ("entities",),
    "positive_weight": ("triggers", "arguments", "sentence_types", "article_types"),
    "ngrams": ("sentence_types",),
}
"""Option of `TaskConfig` → the tasks that have it."""


class ScratchConfig(Section):
    """An encoder with random weights, and a vocabulary trained on the training texts."""

    layers: int = Field(default=3, ge=1, le=1000)
    """Number of layers."""
    hidden: int = Field(default=256, ge=16, le=2**20)
    """Hidden size."""
    heads: int = Field(default=4, ge=1, le=2**20)
    """Number of attention heads; must divide ``hidden``."""
    intermediate: int = Field(default=512, ge=16, le=2**20)
    """Size of the feed-forward layers."""
    vocabulary: int = Field(default=12000, ge=200, le=10**7)
    """Maximum number of sub-words in the vocabulary."""
    positions: int = Field(default=512, ge=64, le=2**20)
    """Maximum window length in sub-words."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "ScratchConfig":
        if self.hidden % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide hidden ({self.hidden})")
        return self


class EncoderConfig(Section):
    """The pretrained encoder, its tokenizer, and the windows that it reads."""

    name: str | None = "rasid-mini"
    """The built-in encoder ``rasid-mini``; a model on the Hugging Face hub, as in
    ``aubmindlab/bert-base-arabertv02``; or a folder with config.json, tokenizer.json and weights."""
    scratch: ScratchConfig | None = None
    """Sizes of an encoder with random weights, instead of ``name`` (set ``name: null``)."""
    pooling: Literal["first", "mean", "attention"] = "first"
    """How the states of a word's sub-words are combined into one."""
    window: int = Field(default=512, ge=80, le=2**20)
    """Window length in sub-words, special tokens included. Longer articles are split into several windows."""
    overlap: int = Field(default=128, ge=0)
    """Number of sub-words shared by two neighboring windows; at most half of the window."""
    normalizer: Literal["auto", "arabert", "own"] = "auto"
    """``arabert`` adds AraBERT's preprocessing to the tokenizer; ``own`` keeps the tokenizer of the checkpoint;
    ``auto`` chooses ``arabert`` if the vocabulary has AraBERT's tokens for links and users."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Dropout in the encoder; null keeps the value of the checkpoint."""
    repair: bool = True
    """Before AraBERT's preprocessing, map presentation forms and Persian letters to Arabic letters, and remove bidi
    marks. AraBERT's preprocessing alone would delete these letters."""

    @model_validator(mode="after")
    def _one_encoder(self) -> "EncoderConfig":
        if (self.name is None) == (self.scratch is None):
            raise ValueError("give either encoder.name or encoder.scratch (with name: null)")
        if self.overlap > (self.window - 4) // 2:
            raise ValueError(f"overlap ({self.overlap}) must be at most half of the window ({self.window})")
        return self


class TaskConfig(Section):
    """Options of one task. Some exist for certain tasks only."""

    weight: float = Field(default=1.0, gt=0, le=1e6)
    """Weight of this task in the total loss."""
    positive_weight: float = Field(default=1.0, gt=0, le=1e6)
    """Weight of positive labels in the loss; above 1 favors recall."""
    decoder: Literal["viterbi", "crf", "spans"] = "viterbi"
    """``viterbi`` classifies each word and decodes a valid BIO sequence; ``crf`` is a linear-chain CRF; ``spans``
    scores every span of words, so that entities may nest."""
    nesting: bool = True
    """Whether predicted entities may be inside others. With ``decoder: spans``."""
    longest: int = Field(default=16, ge=1, le=64)
    """Number of words of the longest entity that ``decoder: spans`` can predict; fewer if 99.9 % of the training data
    are shorter."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weights each tag by the square root of its inverse frequency. Not with a CRF."""
    ngrams: float = Field(default=0.0, ge=0, le=1000)
    """Weight of a linear model over words and character n-grams. It is fitted to the same sentences, and its logits
    are added to those of the network; 0 turns it off. Helps with few sentences or a small encoder."""


def _labels_of_tasks(annotated: Any) -> Any:
    """``[entities, triggers]`` as ``{entities: all, triggers: all}``; anything else unchanged."""
    if isinstance(annotated, list) and all(isinstance(task, str) for task in annotated):
        return dict.fromkeys(annotated, "all")
    return annotated


class DataSource(Section):
    """One data set of ``data.train``, ``data.dev`` or ``data.test``."""

    path: str | None = None
    """A file or folder, relative to the working directory."""
    corpus: Literal["train", "dev", "test"] | None = None
    """A split of the built-in corpus, instead of ``path``."""
    name: str | None = Field(default=None, pattern=r"^\w[\w. -]*$")
    """Name in reports; null takes the file's name."""
    format: FormatName | None = None
    """Format of the file; null detects it."""
    options: dict[str, Any] = {}
    """Reading options of the format, as in ``{triggers: [Attack]}``."""
    annotated: Annotated[
        dict[TaskName, list[str] | Literal["all"]], Field(min_length=1), BeforeValidator(_labels_of_tasks)
    ]
    """Tasks that are annotated in this data set, as in ``[entities, triggers]``, or the annotated labels of each task,
    as in ``{entities: [PER, ORG]}``. Tasks and labels not listed are masked in the loss and excluded from scores."""
    labels: dict[str, str | None] = {}
    """Label of the file: label of the scheme; null drops a label. Labels not listed are kept."""
    repeats: float = Field(default=1.0, gt=0, le=1000)
    """How often each article occurs in an epoch."""

    @model_validator(mode="after")
    def _one_place(self) -> "DataSource":
        if (self.path is None) == (self.corpus is None):
            raise ValueError("give either path or corpus")
        if self.corpus is not None and (self.format or self.options):
            raise ValueError("format and options are for a path; the built-in corpus has its own")
        return self

    @property
    def title(self) -> str:
        """The name; without one, the name of the file or of the split."""
        return self.name or (f"corpus-{self.corpus}" if self.path is None else Path(self.path).stem)


class DataConfig(Section):
    """The data sets of the run."""

    train: list[DataSource] = Field(min_length=1)
    """Data sets to train on."""
    dev: list[DataSource] = Field(min_length=1)
    """Data sets for early stopping, thresholds and calibration."""
    test: list[DataSource] = []
    """Data sets that are scored once, at the end."""

    @model_validator(mode="after")
    def _names_differ(self) -> "DataConfig":
        # Reports are files with these names.
        for part, sources in (("dev", self.dev), ("test", self.test)):
            titles = [source.title for source in sources]
            if twice := next((title for title in titles if titles.count(title) > 1), None):
                raise ValueError(f"two data sets of {part} are named {twice!r}; set `name` in one of them")
        return self


class TrainingConfig(Section):
    """Optimizer, schedule, checkpoints."""

    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] = Field(default=[13], min_length=1)
    """Random seeds, one training run each. The bundle is the run with the best dev score; metrics.json has the mean
    and the standard deviation over all runs."""
    epochs: float = Field(default=10, gt=0, le=10_000)
    """Maximum number of passes over the training data."""
    max_steps: int | None = Field(default=None, ge=1, le=10**9)
    """Maximum number of optimizer steps; the learning-rate schedule is shortened to them."""
    batch_tokens: int = Field(default=4096, ge=64, le=10**9)
    """Batch size in sub-words, padding included."""
    accumulation: int = Field(default=1, ge=1, le=100_000)
    """Number of batches per optimizer step (gradient accumulation)."""
    learning_rate: float = Field(default=5e-5, gt=0)
    """Peak learning rate of the encoder."""
    head_learning_rate: float = Field(default=5e-4, gt=0)
    """Peak learning rate of the heads."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Layer-wise learning-rate decay: factor from each encoder layer to the one below it; 1 turns it off."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Weight decay of AdamW; not applied to biases and norms."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rates rise from zero."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    """Learning-rate schedule after warm-up."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Maximum norm of the gradient (clipping)."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before each head."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the computation; ``auto`` is bf16 on a GPU that supports it, else fp32."""
    metric: Metric = "mean.f1"
    """Dev score that selects the best checkpoint; ``mean.f1`` is the mean over the tasks annotated in the dev data."""
    evaluations: float = Field(default=1, gt=0, le=1000)
    """Evaluations on dev per epoch, each with a checkpoint; 0.5 is one every two epochs."""
    patience: int | None = Field(default=5, ge=1, le=10**9)
    """Stop after this number of evaluations without improvement, not counting warm-up; null turns early stopping
    off."""
    gradient_checkpointing: bool = False
    """Use less GPU memory and more time."""
    workers: int = Field(default=0, ge=0, le=1000)
    """Number of processes that load data."""
    report_to: list[Literal["tensorboard", "wandb", "mlflow"]] = ["tensorboard"]
    """Loggers in addition to log.jsonl; tensorboard is skipped if it is not installed."""

    @model_validator(mode="after")
    def _seeds_differ(self) -> "TrainingConfig":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("training.seeds: a seed is listed twice")
        return self


class ExportConfig(Section):
    """The exported bundle."""

    onnx: bool = True
    """Export an ONNX model too (needs the extra ``onnx``)."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """Parity check: maximum share of spans and labels on dev for which the ONNX model may differ."""


class Config(Section):
    """The config of ``rasid train``."""

    name: str = Field(default="run", pattern=r"^\w[\w.-]*$")
    """Name of the run; its folder is ``output``/``name``."""
    output: Path = Path("runs")
    """Folder of all runs, relative to the working directory."""
    scheme: str = "news"
    """Label scheme: a built-in one (news, anercorp, wojood) or a YAML file."""
    encoder: EncoderConfig = EncoderConfig()
    """The pretrained encoder, its tokenizer, and its windows."""
    tasks: dict[TaskName, TaskConfig] = Field(min_length=1)
    """Tasks to train: entities, triggers, proclitics, sentence_types, article_types, arguments; each with its
    options."""
    data: DataConfig
    """The data sets of the run."""
    training: TrainingConfig = TrainingConfig()
    """Optimizer, schedule, checkpoints."""
    export: ExportConfig = ExportConfig()
    """The exported bundle."""

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        def annotated(sources: list[DataSource]) -> set[str]:
            return {task for source in sources for task in source.annotated}

        missing = set(self.tasks) - annotated(self.data.train)
        if missing:
            raise ValueError(f"task {sorted(missing)[0]!r} is not annotated in any data set of data.train")
        metric = self.training.metric.split(".")[0]
        scored = (annotated(self.data.dev) & set(self.tasks)) - {"proclitics"}
        if metric != "mean" and metric not in scored:
            raise ValueError(f"training.metric is {self.training.metric!r}, but no data set of data.dev annotates it")
        if not scored:
            raise ValueError("data.dev annotates none of the tasks, so no checkpoint can be selected")
        if "arguments" in self.tasks and not {"entities", "triggers"} <= set(self.tasks):
            raise ValueError("tasks.arguments needs the tasks entities and triggers: it links triggers to entities")
        entities = self.tasks.get("entities")
        if entities and entities.decoder != "viterbi" and entities.class_weights != "none":
            raise ValueError(f"tasks.entities: class_weights cannot be used with decoder: {entities.decoder}")
        if entities and entities.decoder != "spans":
            for option in ("nesting", "longest"):
                if getattr(entities, option) != TaskConfig.model_fields[option].default:
                    raise ValueError(f"tasks.entities: {option} is an option of decoder: spans only")
        for task, options in self.tasks.items():
            for option, tasks in TASK_OPTIONS.items():
                # Options at their default are accepted: `dump_config` writes them for every task.
                if task not in tasks and getattr(options, option) != TaskConfig.model_fields[option].default:
                    raise ValueError(f"tasks.{task}: {option} is an option of {', '.join(tasks)} only")
        return self
