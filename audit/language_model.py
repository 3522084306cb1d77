"""A masked language model as a judge of words: how likely each is in its place, and how likely in other places."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from ..data.windows.collate import budget_batches, pad
from ..models.backends import default_device
from ..models.encoders import EncoderError, encoder_path, load_encoder

LONGEST = 126  # sub-words of a context: more tell little of a word
EVERY = 4  # words of which one is hidden at a time: about the share that masked language models learn with
_BUDGET = 2048  # sub-words in a batch; some 500 rows of logits
_CLASSES = 4  # pieces of a word, and places of a piece in it, that have priors of their own

Progress = Callable[[Sequence[np.ndarray], str], Iterable[np.ndarray]]


class LanguageModelError(EncoderError):
    """An encoder that cannot say how likely a word is, and what to use instead."""


def _unseen(batches: Sequence[np.ndarray], label: str) -> Iterable[np.ndarray]:
    return batches


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A masked language model with its tokenizer; loaded by `load_language_model`.

    Attributes:
        model: any transformers masked language model, in float32.
        tokenizer: reads raw text.
        name: of the encoder.
        mask: id of its mask.
        frame: ids before and behind a context.
        longest: sub-words that a context may have.
        progress: wraps batches in a progress bar; is given a label.
    """

    model: Any
    tokenizer: Tokenizer
    name: str
    mask: int
    frame: tuple[int, int]
    longest: int = LONGEST
    progress: Progress = _unseen

    @torch.inference_mode()
    def exchange(self, contexts: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
        """How likely the word of every context would be in the place of every other one.

        Args:
            contexts: sub-word ids without special tokens, at most ``longest`` each. n × [N]
            places: half-open ranges of the words, all of one length K >= 1. [n, 2]

        Returns:
            Log probability in nats of the word of context j (column) in the place of context i (row), whose own word
            is hidden. [n, n] float64
        """
        if not len(contexts):
            return np.empty((0, 0))
        words = np.stack([ids[start:end] for ids, (start, end) in zip(contexts, places, strict=True)])  # [n, K]
        wanted = torch.from_numpy(words).to(self.model.device)
        likely = np.empty((len(contexts), len(contexts)))
        for batch in self._batches(contexts, "exchanging words"):
            ids = [_hidden(contexts[i], places[i : i + 1], self.mask) for i in batch]
            at = places[batch, :1] + np.arange(words.shape[1])  # [B, K]
            rows = np.repeat(np.arange(len(batch)), words.shape[1])
            chances = self._log_chances(ids, rows, at.ravel()).view(*at.shape, -1)  # [B, K, V]
            for piece in range(words.shape[1]):
                part = chances[:, piece][:, wanted[:, piece]].double().cpu().numpy()  # [B, n]
                likely[batch] = part if piece == 0 else likely[batch] + part
        return likely

    @torch.inference_mode()
    def association(self, contexts: Sequence[np.ndarray], words: Sequence[np.ndarray]) -> list[np.ndarray]:
        """How much likelier its context makes each word than the contexts of all words do on average.

        The pointwise mutual information of word and context under the model. A word's prior is the mean of what the
        model gives it in the hidden places of all contexts, so that rare words are not taken for wrong ones.

        Args:
            contexts: sub-word ids without special tokens, at most ``longest`` each. n × [N]
            words: half-open ranges of the words of each context, not empty, in order. n × [W, 2]

        Returns:
            Nats per sub-word, negative where the context speaks against the word. n × [W]
        """
        # Every pass over the contexts hides another part of their words.
        jobs = [(i, first) for i, spans in enumerate(words) for first in range(min(EVERY, len(spans)))]
        sizes = int(self.model.config.vocab_size)
        sums = torch.zeros(_CLASSES * _CLASSES, sizes, dtype=torch.float64, device=self.model.device)
        counts = np.zeros(_CLASSES * _CLASSES)
        found: list[np.ndarray] = []  # rows of context, word, sub-word, class, log probability
        for batch in self._batches([contexts[i] for i, _ in jobs], "reading words"):
            ids, hidden = [], []
            for row, job in enumerate(batch.tolist()):
                i, first = jobs[job]
                spans = words[i][first::EVERY]
                ids.append(_hidden(contexts[i], spans, self.mask))
                hidden.append(_pieces(contexts[i], spans, row=row, context=i, first=first))
            rows, at, context, word, piece, kind = np.concatenate(hidden).T
            chances = self._log_chances(ids, rows, at)  # [M, V]
            own = chances.gather(1, torch.from_numpy(piece.copy()).to(chances.device)[:, None])[:, 0]
            found.append(np.stack([context, word, piece, kind, own.double().cpu().numpy()], axis=1))
            for number in np.unique(kind).tolist():
                sums[number] += chances[torch.from_numpy(kind == number).to(chances.device)].exp_().sum(0)
            counts += np.bincount(kind, minlength=len(counts))
        if not found:
            return [np.empty(0) for _ in words]
        table = np.concatenate(found)
        context, word, piece, kind = table[:, :4].astype(np.int64).T
        prior = np.log(sums.cpu().numpy()[kind, piece] / counts[kind])
        starts = np.append(0, np.cumsum([len(spans) for spans in words]))
        place, gain = starts[context] + word, table[:, 4] - prior
        total = np.bincount(place, gain, minlength=starts[-1]) / np.bincount(place, minlength=starts[-1])
        return [total[start:end] for start, end in zip(starts[:-1], starts[1:], strict=True)]

    def _batches(self, contexts: Sequence[np.ndarray], label: str) -> Iterable[np.ndarray]:
        lengths = np.array([len(ids) + 2 for ids in contexts], dtype=np.int64)
        return self.progress(budget_batches(lengths, _BUDGET), label)

    def _log_chances(self, contexts: Sequence[np.ndarray], rows: np.ndarray, at: np.ndarray) -> Tensor:
        """[M, V] log probabilities at sub-words of contexts."""
        start, end = self.frame
        framed = [np.concatenate([[start], ids, [end]]) for ids in contexts]
        lengths = np.array([len(ids) for ids in framed])
        padded = pad(np.concatenate(framed), lengths, fill=end)
        read = np.arange(padded.shape[1]) < lengths[:, None]
        device = self.model.device
        places = torch.from_numpy(rows * padded.shape[1] + at + 1).to(device)
        inputs = {
            "input_ids": torch.from_numpy(padded).to(device),
            "attention_mask": torch.from_numpy(read.astype(np.int64)).to(device),
        }
        layers = output_layers(self.model)
        if layers is None:  # an architecture we do not know: right, but every position is decoded
            logits = self.model(**inputs).logits.flatten(0, 1)[places]
        else:
            transform, decoder = layers
            state = self.model.base_model(**inputs).last_hidden_state.flatten(0, 1)[places]
            logits = decoder(transform(state))
        return logits.float().log_softmax(-1)


def load_language_model(name: str, *, normalizer: str = "auto", progress: Progress = _unseen) -> LanguageModel:
    """Load an encoder with the head that it was pretrained with.

    Args:
        name: one that ships, a model on the Hugging Face hub, or a folder.
        normalizer: as for `load_encoder`.
        progress: see `LanguageModel`.

    Raises:
        LanguageModelError: it has no head or no mask.
        EncoderError: it cannot be loaded.
    """
    tokenizer = load_encoder(name, window=LONGEST + 2, normalizer=normalizer).tokenizer
    try:
        model, report = AutoModelForMaskedLM.from_pretrained(
            encoder_path(name), dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise LanguageModelError(f"{_lacking(name)} ({str(error).splitlines()[0]})") from error
    if missing := sorted(report["missing_keys"]):
        raise LanguageModelError(f"{_lacking(name)} ({missing[0]} is not among its weights)")
    ids = [next((i for form in forms if (i := tokenizer.token_to_id(form)) is not None), None) for forms in _FORMS]
    if None in ids:
        raise LanguageModelError(f"the tokenizer of {name!r} has no {_FORMS[ids.index(None)][0]}")
    mask, start, end = cast("list[int]", ids)
    model.to(default_device("torch"))
    if model.device.type == "cpu":  # the flash kernel is slow on short contexts
        model.set_attn_implementation("eager")
    # Lengths are seen to here; a tokenizer that cuts or pads by itself would lose words.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return LanguageModel(
        model=model.eval(), tokenizer=tokenizer, name=name, mask=mask, frame=(start, end), progress=progress
    )


_FORMS = (("[MASK]", "<mask>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"))


def _lacking(name: str) -> str:
    return (
        f"encoder {name!r} has no masked-language-model head, so it cannot say how likely a word is; name one that "
        "has, such as rasid-mini or aubmindlab/bert-base-arabertv02"
    )


def _hidden(ids: np.ndarray, spans: np.ndarray, mask: int) -> np.ndarray:
    """The ids with every sub-word of some words masked."""
    ids = ids.copy()
    for start, end in spans:
        ids[start:end] = mask
    return ids


def _pieces(ids: np.ndarray, spans: np.ndarray, *, row: int, context: int, first: int) -> np.ndarray:
    """A line for each sub-word of some words: row, place, context, word, id, class of its prior. [P, 6]"""
    sizes = spans[:, 1] - spans[:, 0]
    word = np.repeat(np.arange(len(spans)), sizes)
    nth = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = spans[word, 0] + nth
    kind = (np.minimum(sizes[word], _CLASSES) - 1) * _CLASSES + np.minimum(nth, _CLASSES - 1)
    same = np.ones(len(at), dtype=np.int64)
    return np.stack([row * same, at, context * same, first + EVERY * word, ids[at], kind], axis=1)


def output_layers(model: nn.Module) -> tuple[Callable[[Tensor], Tensor], nn.Linear] | None:
    """The transform before the decoder and the decoder of a masked language model; None for an unknown architecture.

    Args:
        model: a transformers model for masked language modelling.
    """
    kind, m = getattr(getattr(model, "config", None), "model_type", ""), cast("Any", model)
    match kind:
        case "modernbert":
            return m.head, m.decoder
        case "bert":
            return m.cls.predictions.transform, m.cls.predictions.decoder
        case "roberta" | "xlm-roberta" | "camembert":
            head = m.lm_head
            return lambda hidden: head.layer_norm(nn.functional.gelu(head.dense(hidden))), head.decoder
        case "electra":
            return m.generator_predictions, m.generator_lm_head
        case "distilbert":
            return lambda hidden: m.vocab_layer_norm(m.activation(m.vocab_transform(hidden))), m.vocab_projector
    return None
