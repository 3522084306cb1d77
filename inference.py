"""The tagger: articles in, the same articles with entities, events and event types out.

from rasid import Tagger
tagger = Tagger.from_pretrained("runs/quickstart/bundle")
article = tagger("واشنطن ترسل مساعدات عسكرية إلى سوريا")
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from tokenizers import Tokenizer

from .data.articles import Article
from .data.windows.collate import budget_batches, model_inputs
from .data.windows.encoding import EncodedText, TextEncoder, Window
from .models.backends import Backend, default_device, load_backend
from .models.bundle import BundleError, Settings, bundle_file, check_files, check_network, unreadable
from .models.decoding import decode, merge_windows
from .models.pairs import RoleWeights
from .models.tasks import Prediction, sentence_types, widths_of

if TYPE_CHECKING:
    from .models.ngrams import NgramModel

POOL_TEXTS, POOL_CHARACTERS = 256, 400_000
"""Texts that are held at once while streaming."""
CPU_BATCH, GPU_BATCH = 1024, 16384
"""Sub-words in a batch: as many as a CPU's cache holds, and as many as keep a GPU busy."""


class Tagger:
    """Tags articles of any length. `Article.records` of a tagged article has a record for each event.

    Args:
        settings: labels, thresholds, windows.
        tokenizer: of the bundle.
        backend: runs the network.
        batch_tokens: sub-words in a batch, padding included.
        ngrams: its logits, times `Settings.ngrams`, are added to those of the network.
        roles: weights that score the pairs of triggers and entities; None without a head for arguments.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        tokenizer: Tokenizer,
        backend: Backend,
        batch_tokens: int = 4096,
        ngrams: "NgramModel | None" = None,
        roles: RoleWeights | None = None,
    ) -> None:
        self.settings = settings
        self.ngrams, self.roles = ngrams, roles
        self.encoder = TextEncoder(tokenizer, window=settings.window, overlap=settings.overlap)
        self.backend = backend
        self.batch_tokens = batch_tokens

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        backend: Literal["torch", "onnx"] = "torch",
        device: str | None = None,
        batch_tokens: int | None = None,
        threads: int | None = None,
        verify: bool = True,
    ) -> "Tagger":
        """Load a bundle.

        Args:
            folder: written by `rasid export` or `rasid train`.
            backend: ``torch``, or ``onnx``, which does not import torch.
            device: ``cpu``, ``cuda``, …; None takes a GPU if there is one.
            batch_tokens: sub-words in a batch, padding included; None is `CPU_BATCH` or `GPU_BATCH`.
            threads: of the CPU, for onnx; None takes one per core. For torch call `torch.set_num_threads`.
            verify: check the SHA-256 of every file; False loads a bundle that was changed on purpose.

        Raises:
            BundleError: the folder is not a bundle that this version can run.
        """
        path = Path(folder)
        settings = Settings.load(path)
        if verify:
            check_files(path)
        file = bundle_file(path, "tokenizer.json")
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises nothing narrower
            raise unreadable(file, error) from error
        check_network(path, settings, tokenizer.get_vocab_size())
        device = device or default_device(backend)
        widths = widths_of(settings)
        network = load_backend(path, backend, widths, device, threads)
        try:
            return cls(
                settings=settings,
                tokenizer=tokenizer,
                backend=network,
                batch_tokens=batch_tokens or (CPU_BATCH if device == "cpu" else GPU_BATCH),
                ngrams=_load_ngrams(path, settings),
                roles=RoleWeights.load(path) if "arguments" in settings.tasks else None,
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
        """Tag any number of texts, in order. Only a pool of them is held in memory (`POOL_TEXTS`)."""
        for prediction in self.predict(texts):
            yield prediction.article

    def predict(self, texts: Iterable[str | Article]) -> Iterator[Prediction]:
        """Like `stream`, with logits and words. The sentences of an article are kept; other texts are split."""
        articles = map(_article, texts)
        while pool := _take_pool(articles):
            yield from self._predict_pool(pool)

    def _predict_pool(self, articles: Sequence[Article]) -> Iterator[Prediction]:
        encoded = self.encoder.encode(articles)
        windows = self._run([window for text in encoded for window in text.windows])
        logits = [merge_windows(text, list(islice(windows, len(text.windows))), self.settings) for text in encoded]
        self._add_ngrams(articles, encoded, logits)
        pairs = zip(articles, encoded, logits, strict=True)
        predictions = [
            Prediction(article=article, encoded=text, logits=values, roles=self.roles)
            for article, text, values in pairs
        ]
        for prediction, article in zip(predictions, decode(predictions, self.settings), strict=True):
            yield replace(prediction, article=article)

    def _run(self, windows: Sequence[Window]) -> Iterator[dict[str, np.ndarray]]:
        """Logits of each window, in the order of the windows."""
        lengths = np.array([len(window.input_ids) for window in windows], dtype=np.int64)
        results: list[dict[str, np.ndarray]] = [{} for _ in windows]
        for batch in budget_batches(lengths, self.batch_tokens):
            logits = self.backend(model_inputs([windows[number] for number in batch], self.encoder.pad_id))
            for row, number in enumerate(batch):
                results[number] = {head: values[row] for head, values in logits.items()}
        return iter(results)

    def _add_ngrams(
        self, articles: Sequence[Article], encoded: Sequence[EncodedText], logits: Sequence[dict[str, np.ndarray]]
    ) -> None:
        """Add the logits of the n-gram model to those of the network, for all sentences of the pool at once."""
        if self.ngrams is None:
            return
        pairs = zip(articles, encoded, strict=True)
        sentences = [s for article, text in pairs for s in self.encoder.normalized_sentences(article.text, text)]
        added = self.settings.ngrams * self.ngrams.logits(sentences)  # [N, K]
        first = 0
        for text, values in zip(encoded, logits, strict=True):
            values[sentence_types.TASK.name] += added[first : first + len(text.sentences)]
            first += len(text.sentences)


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
