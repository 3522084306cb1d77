"""Arguments of `transformers.Trainer`, from a config."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import TrainingArguments

from ..configs.schema import Config
from .prepare import Plan
from .run_folder import RunError


def training_arguments(config: Config, plan: Plan, seed: int, folder: Path) -> TrainingArguments:
    """Arguments for one seed.

    Args:
        config: its section ``training`` is read.
        plan: all batches.
        seed: of the training.
        folder: for checkpoints.
    """
    training = config.training
    interval = max(1, min(plan.steps, round(plan.steps_per_epoch / training.evaluations)))
    cuda = torch.cuda.is_available()
    bf16 = training.precision == "bf16" or (training.precision == "auto" and cuda and torch.cuda.is_bf16_supported())
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,  # the plan has the batches of all epochs
        max_steps=plan.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=training.accumulation,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule,
        warmup_steps=round(training.warmup * plan.steps),
        max_grad_norm=training.max_grad_norm,
        bf16=bf16,
        seed=seed,
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=3,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{training.metric}",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,  # else early stopping would count from 0 after a resume
        logging_steps=max(1, min(20, interval)),
        logging_nan_inf_filter=False,  # the filter logs 0.0 for NaN
        report_to=installed_loggers(training.report_to),
        disable_tqdm=True,  # ProgressTable has the bar
        remove_unused_columns=False,
        label_names=["targets"],
        dataloader_num_workers=training.workers,
        dataloader_pin_memory=cuda,
        ddp_find_unused_parameters=False,
        accelerator_config={"even_batches": False, "split_batches": False},
        use_cpu=not cuda,
    )
    # Set afterwards: transformers 5 turns the deprecated argument into another option.
    arguments.gradient_checkpointing = training.gradient_checkpointing
    if arguments.n_gpu > 1:
        # DataParallel would split our nested batches wrongly; several GPUs are used through torchrun.
        arguments._n_gpu = 1  # private API of transformers, one reason for the pin <6
    return arguments


def installed_loggers(names: Sequence[str]) -> list[str]:
    """The loggers of a config, without tensorboard if it is not installed.

    Raises:
        RunError: another logger is not installed.
    """
    for name in names:
        if name != "tensorboard" and not find_spec(name):
            raise RunError(f"training.report_to: {name} is not installed: pip install {name}")
    return [name for name in names if find_spec(name)]
