"""Tagging: a bundle wrapped. Text in, the same text with entities, events and event types out.

from rasid import Tagger
tagger = Tagger.from_pretrained("runs/quickstart/bundle")
article = tagger("واشنطن ترسل مساعدات عسكرية إلى سوريا")
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from tokenizers import Tokenizer

from .data.articles import Article
from .data.windows.collate import budget_batches, model_inputs
from .data.windows.encoding import EncodedText, TextEncoder
from .models.backends import default_device, load_backend
from .models.bundle import BundleError, Settings, check_network
from .models.decoding import decode, merge_windows

if TYPE_CHECKING:
    from .models.ngrams import NgramModel

Backend = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
"""Padded inputs of a batch to logits per task."""

POOL_TEXTS, POOL_CHARACTERS = 256, 400_000  # what is held at once while streaming
CPU_BATCH, GPU_BATCH = 1024, 16384  # sub-words: what stays in a CPU's cache, and what keeps a GPU busy


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """A tagged article with what its evaluation needs besides.

    Attributes:
        article: the text with everything predicted.
        encoded: the words, sentences and windows that it was read by.
        logits: task → raw logits: entities [U, 1 + 2L], triggers [U, 2K], proclitics [U, 4], sentence_types and
            article_types [S, K].
    """

    article: Article
    encoded: EncodedText
    logits: Mapping[str, np.ndarray]


class Tagger:
    """Tags articles of any length.

    Args:
        settings: labels, thresholds, windows.
        tokenizer: the bundle's tokenizer.
        backend: runs the network.
        batch_tokens: sub-words in a batch, padding included.
        ngrams: adds its logits to those of the network, as `Settings.ngrams` weighs them.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        tokenizer: Tokenizer,
        backend: Backend,
        batch_tokens: int = 4096,
        ngrams: "NgramModel | None" = None,
    ) -> None:
        self.settings = settings
        self.ngrams = ngrams
        self.encoder = TextEncoder(tokenizer, window=settings.window, overlap=settings.overlap)
        self.backend = backend
        self.batch_tokens = batch_tokens
        self.entity_labels = settings.scheme.labels("entities")
        self.event_labels = settings.scheme.labels("triggers")

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        backend: Literal["torch", "onnx"] = "torch",
        device: str | None = None,
        batch_tokens: int | None = None,
        threads: int | None = None,
    ) -> "Tagger":
        """Load a bundle.

        Args:
            folder: what `rasid export` or `rasid train` wrote.
            backend: ``torch``, or ``onnx``, which does not import torch.
            device: ``cpu``, ``cuda``, …; None takes a GPU where there is one.
            batch_tokens: sub-words in a batch, padding included; None takes what suits the device.
            threads: for onnx: CPU threads; None takes a thread for each core. For torch: `torch.set_num_threads`.

        Raises:
            BundleError: the folder is not a bundle that this version can run.
        """
        path = Path(folder)
        settings = Settings.load(path)
        if not (path / "tokenizer.json").is_file():
            raise BundleError(f"{path}: there is no tokenizer.json; export the model again")
        try:
            tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing narrower
            raise BundleError(f"{path / 'tokenizer.json'}: cannot be read: {str(error).splitlines()[0]}") from error
        check_network(path, settings, tokenizer.get_vocab_size())
        device = device or default_device(backend)
        network = load_backend(path, backend, device, threads)
        tokens = batch_tokens or (CPU_BATCH if device == "cpu" else GPU_BATCH)
        try:
            return cls(
                settings=settings,
                tokenizer=tokenizer,
                backend=network,
                batch_tokens=tokens,
                ngrams=_load_ngrams(path, settings),
            )
        except ValueError as error:
            raise BundleError(f"{path}: {error}") from error

    @overload
    def __call__(self, text: str | Article) -> Article: ...
    @overload
    def __call__(self, text: Sequence[str | Article]) -> list[Article]: ...
    def __call__(self, text: str | Article | Sequence[str | Article]) -> Article | list[Article]:
        """Tag one text, or a list of them. An `Article` keeps its id, title, date, source and meta."""
        if isinstance(text, str | Article):
            return next(self.stream([text]))
        if isinstance(text, bytes) or not isinstance(text, Iterable):
            raise TypeError(f"a text is a str or an Article, not {type(text).__name__}")
        return list(self.stream(text))

    def stream(self, texts: Iterable[str | Article]) -> Iterator[Article]:
        """Tag any number of texts in their order, holding only a few hundred at once."""
        for prediction in self.predict(texts):
            yield prediction.article

    def predict(self, texts: Iterable[str | Article]) -> Iterator[Prediction]:
        """Like `stream`, with logits and words. Sentences that an article brings are kept as its sentences."""
        articles = map(_article, texts)
        while pool := _take_pool(articles):
            yield from self._predict_pool(pool)

    def _predict_pool(self, articles: Sequence[Article]) -> Iterator[Prediction]:
        given = [[(s.start, s.end) for s in article.sentences] or None for article in articles]
        encoded = self.encoder.encode([article.text for article in articles], given)
        windows = [(number, window) for number, text in enumerate(encoded) for window in text.windows]
        results: list[dict[str, np.ndarray] | None] = [None] * len(windows)
        lengths = np.array([len(window.input_ids) for _, window in windows], dtype=np.int64)
        for batch in budget_batches(lengths, self.batch_tokens):
            logits = self.backend(model_inputs([windows[i][1] for i in batch], self.encoder.pad_id))
            for row, i in enumerate(batch):
                results[i] = {task: values[row] for task, values in logits.items()}
        evidence = self._ngram_logits(articles, encoded)
        position = sentence = 0
        merged: list[dict[str, np.ndarray]] = []
        for text in encoded:
            own = results[position : position + len(text.windows)]
            position += len(text.windows)
            logits = self._merge(text, [result for result in own if result is not None])
            if evidence is not None:
                logits["sentence_types"] += evidence[sentence : sentence + len(text.sentences)]
                sentence += len(text.sentences)
            merged.append(logits)
        tagged = decode(articles, encoded, merged, self.settings)
        for article, text, logits in zip(tagged, encoded, merged, strict=True):
            yield Prediction(article=article, encoded=text, logits=logits)

    def _ngram_logits(self, articles: Sequence[Article], encoded: Sequence[EncodedText]) -> np.ndarray | None:
        """What the linear model adds for all sentences in turn. [N, K]"""
        if self.ngrams is None:
            return None
        pairs = zip(articles, encoded, strict=True)
        sentences = [s for a, text in pairs for s in self.encoder.normalized_sentences(a.text, text)]
        return self.settings.ngrams * self.ngrams.logits(sentences)

    def _merge(self, text: EncodedText, results: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        merged: dict[str, np.ndarray] = {}
        widths = {
            "entities": 1 + 2 * len(self.entity_labels),
            "triggers": 2 * len(self.event_labels),
            "proclitics": 4,
        }
        for task in self.settings.tasks:
            if task in widths:
                pieces = [
                    (result[task], window.owned, window.first_word)
                    for result, window in zip(results, text.windows, strict=True)
                ]
                merged[task] = merge_windows(pieces, len(text.words), widths[task])
            else:
                rows = np.full((len(text.sentences), len(self.event_labels)), -np.inf, dtype=np.float32)
                for result, window in zip(results, text.windows, strict=True):
                    numbers = window.sentences[:, 0]
                    rows[numbers] = np.maximum(rows[numbers], result[task][: len(numbers)])
                merged[task] = rows
        return merged


def _load_ngrams(folder: Path, settings: Settings) -> "NgramModel | None":
    if not settings.ngrams:
        return None
    from .models.ngrams import NgramModel

    return NgramModel.load(folder, len(settings.scheme.labels("sentence_types")))


def _article(text: str | Article) -> Article:
    if not isinstance(text, str | Article):
        raise TypeError(f"a text is a str or an Article, not {type(text).__name__}")
    return Article(text=text) if isinstance(text, str) else text


def _take_pool(articles: Iterator[Article]) -> list[Article]:
    pool: list[Article] = []
    characters = 0
    for article in islice(articles, POOL_TEXTS):
        pool.append(article)
        characters += len(article.text)
        if characters >= POOL_CHARACTERS:
            break
    return pool
