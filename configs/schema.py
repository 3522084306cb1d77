"""The config of a training run: every key, its meaning and its default. This is the one home of defaults."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# `data.formats.FORMATS`, which is not imported here: the configuration stands on the ground.
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
TaskName = Literal["entities", "triggers", "proclitics", "sentence_types", "article_types"]
Metric = Literal[
    "entities.f1",
    "triggers.f1",
    "sentence_types.f1",
    "sentence_types.ap",
    "article_types.f1",
    "article_types.ap",
    "mean.f1",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class ScratchConfig(_Section):
    """An encoder with random weights and a vocabulary learned from the training texts."""

    layers: int = Field(default=3, ge=1)
    """Number of layers."""
    hidden: int = Field(default=256, ge=16)
    """Width of the states."""
    heads: int = Field(default=4, ge=1)
    """Attention heads; must divide ``hidden``."""
    intermediate: int = Field(default=512, ge=16)
    """Width of the feed-forward layers."""
    vocabulary: int = Field(default=12000, ge=200)
    """Sub-words of the vocabulary, at most."""
    positions: int = Field(default=512, ge=64)
    """Longest window in sub-words."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "ScratchConfig":
        if self.hidden % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide hidden ({self.hidden})")
        return self


class EncoderConfig(_Section):
    """The encoder and how it reads text."""

    name: str | None = "rasid-mini"
    """``rasid-mini``, the compact encoder that ships; a model on the Hugging Face hub, as in
    ``aubmindlab/bert-base-arabertv02``; or a folder with config.json, tokenizer.json and weights."""
    scratch: ScratchConfig | None = None
    """Sizes of an encoder with random weights, in place of ``name`` (set ``name: null``)."""
    pooling: Literal["first", "mean", "attention"] = "first"
    """How the sub-words of a word become one state."""
    window: int = Field(default=512, ge=80)
    """Sub-words that the encoder reads at once, special tokens included; longer articles take several windows."""
    overlap: int = Field(default=128, ge=0)
    """Sub-words that two neighboring windows of an article share."""
    normalizer: Literal["auto", "arabert", "own"] = "auto"
    """``arabert`` puts AraBERT's preprocessing into the tokenizer, ``own`` leaves the tokenizer as it came, ``auto``
    knows AraBERT's vocabulary by its tokens for links and users."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Dropout inside the encoder; null leaves what its checkpoint says."""
    repair: bool = True
    """Before AraBERT's preprocessing, map presentation forms and Persian letters to Arabic ones, and drop bidi marks:
    AraBERT would delete them."""

    @model_validator(mode="after")
    def _one_encoder(self) -> "EncoderConfig":
        if (self.name is None) == (self.scratch is None):
            raise ValueError("give either encoder.name or encoder.scratch (with name: null)")
        if self.overlap > (self.window - 4) // 2:
            raise ValueError(f"overlap ({self.overlap}) must be at most half of the window ({self.window})")
        return self


class TaskConfig(_Section):
    """One task of the run."""

    weight: float = Field(default=1.0, gt=0)
    """Factor of this task's loss."""
    positive_weight: float = Field(default=1.0, gt=0)
    """Triggers and event types: weight of positive labels in the loss; above 1 favors recall."""
    decoder: Literal["viterbi", "crf"] = "viterbi"
    """Entities: independent words made legal by Viterbi, or a linear-chain CRF."""
    class_weights: Literal["none", "balanced"] = "none"
    """Entities: weigh tags by the root of their inverse frequency; not with a CRF."""
    ngrams: float = Field(default=0.0, ge=0)
    """Sentence types: weight of a linear model over words and character n-grams, which is fitted to the same sentences
    and whose logits are added to the network's; 0 for none. For few sentences, or a small encoder."""


class DataSource(_Section):
    """One data set and what it annotated."""

    path: str | None = None
    """A file or folder, relative to the working directory."""
    corpus: Literal["train", "dev", "test"] | None = None
    """A split of the corpus that ships, in place of ``path``."""
    name: str | None = Field(default=None, pattern=r"^\w[\w. -]*$")
    """Name in reports; the file's name where it is left out."""
    format: FormatName | None = None
    """Format of the file; recognized by itself where it is left out."""
    options: dict[str, Any] = {}
    """Reading options of the format, as in ``{triggers: [Attack]}``."""
    annotated: Annotated[list[TaskName] | dict[TaskName, list[str] | Literal["all"]], Field(min_length=1)]
    """Tasks that this data set was annotated for, and for each task the labels that were annotated. What is not named
    gives no loss and no score."""
    labels: dict[str, str | None] = {}
    """Labels of the file → labels of the scheme; null drops a label. What is not named stays as it is."""
    repeats: float = Field(default=1.0, gt=0, le=1000)
    """How often each article is seen in an epoch."""

    @model_validator(mode="after")
    def _one_place(self) -> "DataSource":
        if (self.path is None) == (self.corpus is None):
            raise ValueError("give either path or corpus")
        if self.corpus is not None and (self.format or self.options):
            raise ValueError("format and options are for a path; the corpus that ships has its own")
        return self

    @property
    def title(self) -> str:
        """The name, or what stands for it where it is left out."""
        return self.name or (f"corpus-{self.corpus}" if self.path is None else Path(self.path).stem)


class DataConfig(_Section):
    """Data sets of the run."""

    train: list[DataSource] = Field(min_length=1)
    """Articles to learn from."""
    dev: list[DataSource] = Field(min_length=1)
    """Articles for early stopping, thresholds and calibration; never for the reported score."""
    test: list[DataSource] = []
    """Articles for the report, scored once at the end."""

    @model_validator(mode="after")
    def _names_differ(self) -> "DataConfig":
        # Reports are files by these names.
        for part, sources in (("dev", self.dev), ("test", self.test)):
            titles = [source.title for source in sources]
            if twice := next((title for title in titles if titles.count(title) > 1), None):
                raise ValueError(f"two data sets of {part} are named {twice!r}; give each a name of its own")
        return self


class TrainingConfig(_Section):
    """Optimization."""

    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] = Field(default=[13], min_length=1)
    """One training run for each seed; the bundle is the one that is best on dev, metrics.json gives mean and spread."""
    epochs: float = Field(default=10, gt=0)
    """Passes over the training data, at most."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, at most; the rates fall to their end within them."""
    batch_tokens: int = Field(default=4096, ge=64)
    """Sub-words in a batch, padding included."""
    accumulation: int = Field(default=1, ge=1)
    """Batches for one optimizer step."""
    learning_rate: float = Field(default=5e-5, gt=0)
    """Peak rate of the encoder."""
    head_learning_rate: float = Field(default=5e-4, gt=0)
    """Peak rate of the heads."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Each encoder layer below the last learns at this factor of the one above it."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's decay; never on biases and norms."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the rates rise."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    """How the rates go on after it."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Before every head."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """``auto`` is bf16 on a GPU that has it, else fp32."""
    metric: Metric = "mean.f1"
    """The dev figure that chooses the checkpoint; ``mean.f1`` is the mean over the tasks that dev annotated."""
    evaluations: float = Field(default=1, gt=0)
    """Evaluations on dev per epoch, each with a checkpoint; 0.5 is one in two epochs."""
    patience: int | None = Field(default=5, ge=1)
    """Stop after so many evaluations without a better figure, those during warm-up not counted; null never stops
    early."""
    gradient_checkpointing: bool = False
    """Less GPU memory for more time."""
    workers: int = Field(default=0, ge=0)
    """Processes that prepare batches."""
    report_to: list[Literal["tensorboard", "wandb", "mlflow"]] = ["tensorboard"]
    """Loggers beside the JSONL log; tensorboard is left out where it is not installed."""

    @model_validator(mode="after")
    def _seeds_differ(self) -> "TrainingConfig":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("training.seeds: a seed stands there twice, which would be the same run again")
        return self


class ExportConfig(_Section):
    """The bundle."""

    onnx: bool = True
    """Write an ONNX model beside the weights (needs the extra ``onnx``)."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """Share of spans and labels that ONNX may decide differently on dev before the export is refused."""


class Config(_Section):
    """A training run."""

    name: str = Field(default="run", pattern=r"^\w[\w.-]*$")
    """Name of the run; its folder is ``output``/``name``."""
    output: Path = Path("runs")
    """Folder of runs, relative to the working directory."""
    scheme: str = "news"
    """Label scheme: one that ships (news, anercorp, wojood), or a YAML file."""
    encoder: EncoderConfig = EncoderConfig()
    """The encoder."""
    tasks: dict[TaskName, TaskConfig] = Field(min_length=1)
    """Tasks to train, each with its options."""
    data: DataConfig
    """Data sets."""
    training: TrainingConfig = TrainingConfig()
    """Optimization."""
    export: ExportConfig = ExportConfig()
    """The bundle."""

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        def trained_labels(sources: list[DataSource]) -> set[str]:
            return {task for source in sources for task in source.annotated}

        missing = set(self.tasks) - trained_labels(self.data.train)
        if missing:
            raise ValueError(f"task {sorted(missing)[0]!r} is trained, but no data set in data.train annotated it")
        metric = self.training.metric.split(".")[0]
        scored = (trained_labels(self.data.dev) & set(self.tasks)) - {"proclitics"}
        if metric != "mean" and metric not in scored:
            raise ValueError(f"training.metric is {self.training.metric!r}, but no data set in data.dev annotated it")
        if not scored:
            raise ValueError("data.dev annotated none of the tasks: there is nothing to choose a checkpoint by")
        entities = self.tasks.get("entities")
        if entities and entities.decoder == "crf" and entities.class_weights != "none":
            raise ValueError("tasks.entities: class_weights do not go with decoder: crf")
        for task, options in self.tasks.items():
            if task != "entities" and (options.decoder != "viterbi" or options.class_weights != "none"):
                raise ValueError(f"tasks.{task}: decoder and class_weights are options of entities")
            if task in ("entities", "proclitics") and options.positive_weight != 1:
                raise ValueError(f"tasks.{task}: positive_weight is an option of triggers and event types")
            if task != "sentence_types" and options.ngrams:
                raise ValueError(f"tasks.{task}: ngrams is an option of sentence_types")
        return self
