"""`transformers.Trainer` for several heads: per-head normalization, planned batches, honest dev scores."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from tokenizers import Tokenizer
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from ..data.windows.training_set import Collator, WindowSet
from ..errors import RasidError
from ..models.network import RasidModel
from ..models.tasks import columns_of


class NonFiniteLossError(RasidError, RuntimeError):
    """The loss is not a finite number; names the articles of the batch."""


def processes() -> PartialState:
    """The processes of this run, as torchrun started them; on a CPU accelerate has to be told."""
    return PartialState(cpu=not torch.cuda.is_available())


class Schedule:
    """Batches of a whole run in order; `DataLoader` takes it as a batch sampler."""

    def __init__(self, batches: Sequence[np.ndarray]) -> None:
        self.batches = batches
        # accelerate asks for these two when it deals batches out to processes
        self.batch_size, self.drop_last = None, False

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches:
            yield batch.tolist()


@contextmanager
def same_random_state() -> Iterator[None]:
    """Leave every random generator as it was: an evaluation in mid-training must not change the weights after it."""
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


class RasidTrainer(Trainer):
    """Trains a `RasidModel` on windows.

    The run is one long planned sequence of batches, so that a resumed run goes on with the very next one.

    Args:
        model: encoder and heads.
        args: of transformers; one epoch, which is the whole schedule.
        windows: training windows.
        schedule: batches of the whole run.
        per_epoch: batches in one pass over the data, for the logs.
        pad_id: of the tokenizer.
        optimizer: over the model's parameters.
        score: dev scores of the model as it stands, without prefix.
        weights: task → factor of its loss.
        positive_weights: task → weight of positive labels.
        tag_weights: weight of each entity tag, or None.
        callbacks: as transformers takes them.
    """

    def __init__(
        self,
        *,
        model: RasidModel,
        args: TrainingArguments,
        windows: WindowSet,
        schedule: Schedule,
        per_epoch: int,
        pad_id: int,
        optimizer: torch.optim.Optimizer,
        score: Callable[[RasidModel], dict[str, float]],
        weights: Mapping[str, float],
        positive_weights: Mapping[str, float],
        tag_weights: torch.Tensor | None = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        self.schedule, self.per_epoch, self.score = schedule, per_epoch, score
        self.loss_weights, self.positive_weights = dict(weights), dict(positive_weights)
        self.tag_weights = None if tag_weights is None else tag_weights.to(args.device)
        super().__init__(
            model=model,
            args=args,
            train_dataset=windows,
            eval_dataset=windows,  # never read: `score` has the dev articles, but transformers asks for one
            data_collator=Collator(pad_id, columns_of(model.config)),
            optimizers=(optimizer, None),
            callbacks=list(callbacks),
        )
        self.loss_is_scaled_for_ga = True  # sums are divided by the counts of all accumulated batches, below
        self.can_return_loss = False

    @staticmethod
    def pad_id(tokenizer: Tokenizer) -> int:
        """Id of the padding token."""
        return next((i for token in ("[PAD]", "<pad>") if (i := tokenizer.token_to_id(token)) is not None), 0)

    @classmethod
    def collator(cls, tokenizer: Tokenizer, model: RasidModel) -> Collator:
        """Makes batches for a model."""
        return Collator(cls.pad_id(tokenizer), columns_of(model.config))

    def get_train_dataloader(self) -> DataLoader:
        """The planned batches."""
        loader = DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=self.schedule,  # type: ignore[arg-type]
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> torch.Tensor | None:
        """Counts of each head over all accumulated batches of all processes. [heads]"""
        if not batch_samples:
            return None
        counts = torch.stack([self._counts(batch["targets"]) for batch in batch_samples]).sum(0).to(device)
        if self.args.world_size > 1:
            counts = self.accelerator.gather(counts[None]).sum(0)  # type: ignore[union-attr]
        return counts

    def _counts(self, targets: Mapping[str, torch.Tensor]) -> torch.Tensor:
        counts = RasidModel.counts(targets)
        return torch.stack([counts[task].float() for task in self.loss_weights])

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Weighted sum of the heads' means over everything that the optimizer step sees."""
        targets, ids = inputs.pop("targets"), inputs.pop("ids")
        logits = model(**inputs)
        network = self.accelerator.unwrap_model(model)
        losses = network.losses(logits, targets, tag_weights=self.tag_weights, positive_weight=self.positive_weights)
        total = torch.zeros((), device=self.args.device)
        for number, (task, weight) in enumerate(self.loss_weights.items()):
            loss, count = losses[task]
            if isinstance(num_items_in_batch, torch.Tensor):
                # DDP averages gradients over processes; each sum is a part of the whole.
                count = num_items_in_batch[number] / self.args.world_size
            total = total + weight * loss / count.clamp(min=1e-9 if self.args.world_size > 1 else 1)
        if not torch.isfinite(total):
            parts = ", ".join(f"{task} {float(losses[task][0].detach()):.4g}" for task in self.loss_weights)
            raise NonFiniteLossError(
                f"the loss is not finite at step {self.state.global_step} ({parts}); articles of the batch: "
                f"{', '.join(ids[:20])}; lower training.learning_rate, or use training.precision: fp32"
            )
        return (total, logits) if return_outputs else total

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Score the model on dev articles through the road that inference takes."""
        with same_random_state():
            network = self.accelerator.unwrap_model(self.model)
            scores = self.score(network)  # every process scores: they stop early together
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the epoch of the data, not of the schedule."""
        true = self.state.epoch
        self.state.epoch = (
            self.state.global_step
            * self.args.gradient_accumulation_steps
            * self.args.world_size
            / max(1, self.per_epoch)
        )
        super().log(logs, start_time)
        self.state.epoch = true
