"""Word probabilities from a masked language model: of a word in its own context and in other contexts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForMaskedLM

from ..data.text.special_tokens import BERT_SPECIALS, ROBERTA_SPECIALS
from ..data.windows.collate import budget_batches, pad
from ..models.backends import default_device
from ..models.encoders import EncoderError, encoder_path, load_tokenizer, output_layers
from ..models.hub import SAFE_WEIGHTS, loading
from ..progress import track

LONGEST = 126  # sub-words of a context; a longer context adds little
EVERY = 4  # one word in four is masked at a time, about the rate of pretraining
_BUDGET = 2048  # sub-words in a batch: some 500 rows of logits
_CLASSES = 4  # longer words, and later sub-words of a word, share a prior


class LanguageModelError(EncoderError):
    """An encoder has no masked-language-model head or no mask token."""


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A masked language model with its tokenizer; see `load_language_model`.

    Attributes:
        model: a transformers masked language model in float32.
        tokenizer: takes raw text.
        name: name of the encoder.
        mask: id of the mask token.
        frame: ids of the special tokens before and after a context.
        longest: maximum number of sub-words in a context.
    """

    model: Any
    tokenizer: Tokenizer
    name: str
    mask: int
    frame: tuple[int, int]
    longest: int = LONGEST

    @torch.inference_mode()
    def exchange(self, contexts: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
        """Log probability of the word of every context in every other context.

        Args:
            contexts: sub-word ids without special tokens, at most ``longest`` each. n × [N]
            places: half-open ranges of the words, all of the same length K >= 1. [n, 2]

        Returns:
            Log probability in nats of the word of context j (column) in context i (row), whose own word is masked.
            [n, n] float64
        """
        if not len(contexts):
            return np.empty((0, 0))
        words = np.stack([ids[start:end] for ids, (start, end) in zip(contexts, places, strict=True)])  # [n, K]
        candidates = torch.from_numpy(words).to(self.model.device)
        scores = np.empty((len(contexts), len(contexts)))
        for batch in self._batches(contexts, "swapping words"):
            masked = [_masked(contexts[i], places[i : i + 1], self.mask) for i in batch]
            positions = places[batch, :1] + np.arange(words.shape[1])  # [B, K]
            rows = np.repeat(np.arange(len(batch)), words.shape[1])
            logs = self._log_probabilities(masked, rows, positions.ravel()).view(*positions.shape, -1)  # [B, K, V]
            for piece in range(words.shape[1]):
                part = logs[:, piece][:, candidates[:, piece]].double().cpu().numpy()  # [B, n]
                scores[batch] = part if piece == 0 else scores[batch] + part
        return scores

    @torch.inference_mode()
    def association(self, contexts: Sequence[np.ndarray], words: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Pointwise mutual information of each word and its context under the model.

        The prior of a sub-word is its mean probability at the masked positions of all contexts, so that a rare word
        does not count as a wrong one.

        Args:
            contexts: sub-word ids without special tokens, at most ``longest`` each. n × [N]
            words: half-open, non-empty ranges of the words of each context, in order. n × [W, 2]

        Returns:
            Nats per sub-word; negative if the context makes the word less likely. n × [W]
        """
        first_word = np.append(0, np.cumsum([len(spans) for spans in words]))  # of each context, over all contexts
        # A context is read once for each share of its words: words 0, 4, 8, …, then words 1, 5, 9, …
        jobs = [(i, offset) for i, spans in enumerate(words) for offset in range(min(EVERY, len(spans)))]
        sums = torch.zeros(
            _CLASSES**2, int(self.model.config.vocab_size), dtype=torch.float64, device=self.model.device
        )
        counts = np.zeros(_CLASSES**2)
        pieces: list[np.ndarray] = []
        own: list[np.ndarray] = []  # log probabilities of the same sub-words
        for batch in self._batches([contexts[i] for i, _ in jobs], "scoring words"):
            masked, batch_pieces = [], []
            for i, offset in (jobs[job] for job in batch.tolist()):
                spans = words[i][offset::EVERY]
                masked.append(_masked(contexts[i], spans, self.mask))
                batch_pieces.append(_pieces(contexts[i], spans, first_word[i] + offset))
            rows = np.repeat(np.arange(len(batch)), [part.shape[1] for part in batch_pieces])
            pieces.append(np.concatenate(batch_pieces, axis=1))
            positions, _, ids, classes = pieces[-1]
            logs = self._log_probabilities(masked, rows, positions)  # [P, V]
            columns = torch.from_numpy(ids).to(logs.device)
            own.append(logs.gather(1, columns[:, None])[:, 0].double().cpu().numpy())
            for number in np.unique(classes).tolist():
                sums[number] += logs[torch.from_numpy(classes == number).to(logs.device)].exp_().sum(0)
            counts += np.bincount(classes, minlength=len(counts))
        if not pieces:
            return [np.empty(0) for _ in words]
        _, numbers, ids, classes = np.concatenate(pieces, axis=1)
        prior = np.log(sums.cpu().numpy()[classes, ids] / counts[classes])
        total = np.bincount(numbers, np.concatenate(own) - prior, minlength=first_word[-1])
        return np.split(total / np.bincount(numbers, minlength=first_word[-1]), first_word[1:-1])

    def _batches(self, contexts: Sequence[np.ndarray], label: str) -> Iterable[np.ndarray]:
        lengths = np.array([len(ids) + 2 for ids in contexts], dtype=np.int64)
        return track(budget_batches(lengths, _BUDGET), label)

    def _log_probabilities(self, contexts: Sequence[np.ndarray], rows: np.ndarray, positions: np.ndarray) -> Tensor:
        """Log probabilities over the vocabulary at some positions.

        Args:
            contexts: sub-word ids without special tokens. B × [N]
            rows: the context of each position. [P]
            positions: positions in these contexts. [P]

        Returns:
            [P, V]
        """
        start, end = self.frame
        framed = [np.concatenate([[start], ids, [end]]) for ids in contexts]
        lengths = np.array([len(ids) for ids in framed])
        padded = pad(np.concatenate(framed), lengths, fill=end)
        attended = np.arange(padded.shape[1]) < lengths[:, None]
        device = self.model.device
        flat = torch.from_numpy(rows * padded.shape[1] + positions + 1).to(device)
        inputs = {
            "input_ids": torch.from_numpy(padded).to(device),
            "attention_mask": torch.from_numpy(attended.astype(np.int64)).to(device),
        }
        layers = output_layers(self.model)
        if layers is None:  # an unknown architecture: the head runs over all positions
            logits = self.model(**inputs).logits.flatten(0, 1)[flat]
        else:
            transform, decoder = layers
            states = self.model.base_model(**inputs).last_hidden_state.flatten(0, 1)[flat]
            logits = decoder(transform(states))
        return logits.float().log_softmax(-1)


def load_language_model(name: str, *, normalizer: str = "auto") -> LanguageModel:
    """Load an encoder with its masked-language-model head.

    Args:
        name: as for `load_tokenizer`.
        normalizer: as for `load_tokenizer`.

    Raises:
        LanguageModelError: the encoder has no such head or no mask token.
        EncoderError: the encoder cannot be loaded.
    """
    tokenizer = load_tokenizer(name, window=LONGEST + 2, normalizer=normalizer)
    no_head = (
        f"encoder {name!r} has no masked-language-model head, so it gives no word probabilities; name one that has, "
        "such as rasid-mini or aubmindlab/bert-base-arabertv02"
    )
    try:
        with loading(name):
            model, report = AutoModelForMaskedLM.from_pretrained(
                encoder_path(name), dtype=torch.float32, output_loading_info=True, **SAFE_WEIGHTS
            )
    except EncoderError as error:
        if "Unrecognized configuration class" in str(error):
            raise LanguageModelError(no_head) from error
        raise
    if missing := sorted(report["missing_keys"]):
        raise LanguageModelError(f"{no_head} ({missing[0]} is not among its weights)")
    model.to(default_device("torch"))
    if model.device.type == "cpu":  # the flash kernel is slow on short contexts
        model.set_attn_implementation("eager")
    # A tokenizer that truncates would drop words.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    start, end, mask = (
        _special_id(tokenizer, tokens, name) for tokens in zip(BERT_SPECIALS[2:], ROBERTA_SPECIALS[2:], strict=True)
    )
    return LanguageModel(model=model.eval(), tokenizer=tokenizer, name=name, mask=mask, frame=(start, end))


def _special_id(tokenizer: Tokenizer, tokens: tuple[str, str], name: str) -> int:
    """Id of a special token as BERT or as RoBERTa writes it."""
    for token in tokens:
        if (number := tokenizer.token_to_id(token)) is not None:
            return number
    raise LanguageModelError(f"the tokenizer of {name!r} has no {tokens[0]}")


def _masked(ids: np.ndarray, spans: np.ndarray, mask: int) -> np.ndarray:
    """The ids with every sub-word of some words masked."""
    ids = ids.copy()
    for start, end in spans:
        ids[start:end] = mask
    return ids


def _pieces(ids: np.ndarray, spans: np.ndarray, first_word: int) -> np.ndarray:
    """The sub-words of every fourth word of a context, of which the first has the given number.

    Returns:
        Of each sub-word: its position in the context, the number of its word over all contexts, its id, and the class
        of its prior, by the length of the word and the place of the sub-word in it. [4, P]
    """
    sizes = spans[:, 1] - spans[:, 0]
    word = np.repeat(np.arange(len(spans)), sizes)
    nth = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    positions = spans[word, 0] + nth
    classes = (np.minimum(sizes[word], _CLASSES) - 1) * _CLASSES + np.minimum(nth, _CLASSES - 1)
    return np.stack([positions, first_word + EVERY * word, ids[positions], classes])
