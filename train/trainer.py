"""`transformers.Trainer` for several heads: losses normalized per head, planned batches, dev scores by `Tagger`."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from ..data.windows.training_set import Collator, WindowSet
from ..errors import RasidError
from ..models.bundle import Settings
from ..models.network import RasidModel
from ..models.tasks import columns_of, tasks_of
from .predicted_mentions import PREDICTED_FROM, with_predicted_mentions


class NonFiniteLossError(RasidError, RuntimeError):
    """The loss, or a logit on dev, is not finite; the message says where and what to do."""

    def __init__(self, what: str, step: int, where: str) -> None:
        super().__init__(
            f"{what} is not finite at step {step}{where}; lower training.learning_rate or "
            "training.head_learning_rate, or use training.precision: fp32"
        )


def processes() -> PartialState:
    """The processes that torchrun started; a single one without torchrun."""
    return PartialState(cpu=not torch.cuda.is_available())


class Schedule:
    """All batches of a run in order, as a batch sampler for `DataLoader`."""

    def __init__(self, batches: Sequence[np.ndarray]) -> None:
        self.batches = batches
        # accelerate reads these two when it distributes batches to processes
        self.batch_size, self.drop_last = None, False

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches:
            yield batch.tolist()


@contextmanager
def same_random_state() -> Iterator[None]:
    """Restore all random generators at the end, so that an evaluation does not change the training after it."""
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

    All batches of the run are planned as one epoch, so a resumed run continues with the next batch.

    Args:
        model: encoder and heads.
        args: of transformers, for one epoch.
        windows: training windows.
        schedule: all batches of the run.
        per_epoch: batches in one pass over the data, for the logs.
        pad_id: of the tokenizer.
        optimizer: over the model's parameters.
        settings: of the tagger, before calibration.
        score: returns the dev scores of a model, without prefix.
        weights: task → weight of its loss.
        positive_weights: task → weight of positive labels.
        tag_weights: weight of each entity tag, or None.
        callbacks: of transformers.
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
        settings: Settings,
        score: Callable[[RasidModel], dict[str, float]],
        weights: Mapping[str, float],
        positive_weights: Mapping[str, float],
        tag_weights: torch.Tensor | None = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        self.schedule, self.per_epoch, self.settings, self.score = schedule, per_epoch, settings, score
        self.loss_weights, self.positive_weights = dict(weights), dict(positive_weights)
        self.tag_weights = None if tag_weights is None else tag_weights.to(args.device)
        super().__init__(
            model=model,
            args=args,
            train_dataset=windows,
            eval_dataset=windows,  # required by transformers, but not used: `score` has the dev articles
            data_collator=Collator(pad_id, columns_of(model.config, tasks_of(model.config.spans))),  # pyright: ignore[reportArgumentType]
            optimizers=(optimizer, None),
            callbacks=list(callbacks),
        )
        # Private API of transformers, one reason for the pin <6: the loss is not divided by the number of accumulated
        # batches, because `compute_loss` divides by the number of items in all of them.
        self.loss_is_scaled_for_ga = True
        self.can_return_loss = False

    def get_train_dataloader(self) -> DataLoader:
        """A loader of the planned batches."""
        loader = DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=self.schedule,  # type: ignore[arg-type]
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    # Private API of transformers, one reason for the pin <6: the trainer calls it for all batches of a step, and passes
    # the result to `compute_loss` as ``num_items_in_batch``.
    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> torch.Tensor | None:
        """Number of items in each task's loss, over the accumulated batches of all processes. [tasks]"""
        if not batch_samples:
            return None
        network = self.accelerator.unwrap_model(self.model)
        counts = [network.counts(batch["targets"]) for batch in batch_samples]
        totals = torch.stack([torch.stack([c[task].float() for task in self.loss_weights]) for c in counts]).sum(0)
        totals = totals.to(device)
        if self.args.world_size > 1:
            totals = self.accelerator.gather(totals[None]).sum(0)  # type: ignore[union-attr]
        return totals

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Weighted sum over tasks of the mean loss, the mean taken over all items of the optimizer step.

        Raises:
            NonFiniteLossError: the loss is not finite.
        """
        targets, ids = inputs.pop("targets"), inputs.pop("ids")
        logits = model(**inputs)
        network = self.accelerator.unwrap_model(model)
        if "arguments" in self.loss_weights and self.state.global_step >= PREDICTED_FROM * self.state.max_steps:
            targets = with_predicted_mentions(targets, logits, inputs["words"], network, self.settings)
        losses = network.losses(logits, targets, tag_weights=self.tag_weights, positive_weight=self.positive_weights)
        total = torch.zeros((), device=self.args.device)
        for number, (task, weight) in enumerate(self.loss_weights.items()):
            loss, count = losses[task]
            if isinstance(num_items_in_batch, torch.Tensor):
                # DDP averages gradients over processes, where the sum is needed.
                items = num_items_in_batch[number] / self.args.world_size
                # Without a pair of gold in the step, predicted mentions have pairs all the same.
                count = torch.where(items > 0, items, count.to(items))
            total = total + weight * loss / count.clamp(min=1e-9 if self.args.world_size > 1 else 1)
        if not torch.isfinite(total):
            parts = ", ".join(f"{task} {float(losses[task][0].detach()):.4g}" for task in self.loss_weights)
            articles = ", ".join(ids[:20])
            raise NonFiniteLossError(
                "the loss", self.state.global_step, f" ({parts}); articles of the batch: {articles}"
            )
        return (total, logits) if return_outputs else total

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: list[str] | None = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Score the model on dev articles."""
        with same_random_state():
            network = self.accelerator.unwrap_model(self.model)
            scores = self.score(network)  # in every process, so that all of them stop early together
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the number of passes over the data as epoch."""
        epoch = self.state.epoch
        per_step = self.args.gradient_accumulation_steps * self.args.world_size
        self.state.epoch = self.state.global_step * per_step / max(1, self.per_epoch)
        super().log(logs, start_time)
        self.state.epoch = epoch
